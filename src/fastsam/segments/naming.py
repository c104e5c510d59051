"""Names for the objects of a photo.

Enters: words. Leaves: the name of each object, or the objects with these names.
"""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from fastsam import prompts as stage2
from fastsam.segments.objects import Objects
from fastsam.values import flag
from fastsam.words import similarity
from fastsam.words.encoder import load as encoder_of

if TYPE_CHECKING:
    from typing_extensions import Self


class Naming(Objects):
    """How `Segments` are named."""

    def name(
        self, words: Sequence[str], *, encoder: str | PathLike[str] | None = None, all: bool = False
    ) -> list[str | None]:
        """Chooses the best of `words` for each mask. Needs the `text` extra.

        Parameters
        ----------
        words : sequence of str
            The names to choose from.
        encoder : {"offline", "clip"} or path, optional
            As in `select`.
        all : bool
            True names every mask. By default each object is named once: if masks of the same name lie within one
            another (parts, groups), only the best keeps the name (see `words/distinct.py`).

        Returns
        -------
        list of str or None
            One per mask; None if no word fits.

        Raises
        ------
        UsageError
            If a word is empty, or the photo or the encoder is missing.

        Examples
        --------
        >>> segments.name(["cup", "spoon"])[:2]
        ['cup', 'spoon']
        """
        texts = stage2.checked_texts(words, "words")
        return similarity.name(self.sight, self.scores, texts, encoder_of(encoder), flag(all, "all"))

    def named(
        self,
        words: Sequence[str],
        *,
        encoder: str | PathLike[str] | None = None,
        all: bool = False,
        only: bool = False,
    ) -> "Self":
        """Gives the segments the names that `name` chooses; "object" if no word fits.

        Parameters
        ----------
        words : sequence of str
            The names to choose from.
        encoder, all
            As in `name`.
        only : bool
            True drops the segments that no word fits.

        Returns
        -------
        Segments
            The same masks with other `classes` and `names`.

        Examples
        --------
        >>> segments.named(["cup"]).names
        ('object', 'cup')
        """
        given = self.name(words, encoder=encoder, all=all)
        found = self.renamed(given, words)
        return found[np.array([name is not None for name in given], bool)] if flag(only, "only") else found

    def renamed(self, given: Sequence[str | None], words: Sequence[str]) -> "Self":
        """Gives the segments names that were chosen elsewhere.

        Parameters
        ----------
        given : sequence of str or None
            One of `words` per segment; None makes it "object".
        words : sequence of str
            All names, which become classes in this order, after "object".

        Returns
        -------
        Segments
            The same masks with other `classes` and `names`.

        Examples
        --------
        >>> segments[:2].renamed(["cup", None], ["cup"]).classes.tolist()
        [1, 0]
        """
        names = ("object", *dict.fromkeys(word for word in words if word != "object"))
        kinds = [0 if name is None else names.index(name) for name in given]
        return replace(self, classes=np.array(kinds, np.int64), names=names)
