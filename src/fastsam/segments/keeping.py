"""Results as npz files.

Enters: segments, or the bytes of a file. Leaves: bytes that hold everything but the photo exactly, or segments.
"""

import io
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.files import write
from fastsam.image.read import Source, read_own
from fastsam.masks import store
from fastsam.masks.lazy import Masks
from fastsam.segments.objects import Objects
from fastsam.untrusted import npz
from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import reason, shown
from fastsam.values import show

if TYPE_CHECKING:
    from typing_extensions import Self

Float32 = npt.NDArray[np.float32]
Int = npt.NDArray[np.int64]
FORMAT = 4
NOT_OURS = "is not a saved Segments file"
UNPACKED = npz.UNPACKED  # maximum bytes of a file's arrays, unpacked
KINDS = {"format": "i8 0", "scores": "f4 1", "classes": "i8 1", "names": "U 1"}  # see `untrusted/npz`


class Keeping(Objects):
    """How `Segments` are kept."""

    def save(self, file: str | PathLike[str]) -> None:
        """Writes the bytes of `to_npz` to a file.

        Parameters
        ----------
        file : str or path
            Used as given, whatever its suffix.

        Raises
        ------
        UsageError
            If the folder cannot be written to.

        Examples
        --------
        >>> segments.save("coffee.npz")
        >>> Segments.load("coffee.npz") == segments
        True
        """
        write(path(file), self.to_npz())

    def to_npz(self) -> bytes:
        """Packs the result into an npz file, without the photo and `seconds`.

        Returns
        -------
        bytes
            `load` and `from_npz` restore everything else exactly.

        Examples
        --------
        >>> Segments.from_npz(segments.to_npz()) == segments
        True
        """
        return pack(self.masks, self.scores, self.classes, self.names)

    @classmethod
    def load(cls, file: str | PathLike[str], photo: "Source | None" = None) -> "Self":
        """Reads a file that `save` wrote.

        Parameters
        ----------
        file : str or path
            The file.
        photo : path, PIL image or array, optional
            The photo, as in `FastSAM.__call__`. Words, cut-outs and `refine` need it.

        Returns
        -------
        Segments
            The saved result.

        Raises
        ------
        UsageError
            If `save` did not write the file, or the photo has another size.
        UnreadableImageError
            If the photo cannot be read.

        Examples
        --------
        >>> segments.save("coffee.npz")
        >>> Segments.load("coffee.npz", photo).cutout(0).shape[2]  # with the photo, cut-outs and words work
        4
        """
        where = path(file)
        try:
            data = where.read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"{file} {NOT_OURS}: {reason}") from None
        return cls.from_npz(data, photo, name=str(file))

    @classmethod
    def from_npz(
        cls, data: bytes, photo: "Source | None" = None, *, name: str = "this npz", most: int = UNPACKED
    ) -> "Self":
        """Reads the bytes that `to_npz` made.

        Parameters
        ----------
        data : bytes
            An npz file.
        photo : path, PIL image or array, optional
            As in `load`.
        name : str
            Name of the file in errors.
        most : int
            Maximum number of bytes of the unpacked arrays.

        Returns
        -------
        Segments
            The saved result.

        Raises
        ------
        UsageError
            If `to_npz` did not make the bytes, or the photo has another size.
        UnreadableImageError
            If the photo cannot be read.

        Examples
        --------
        >>> Segments.from_npz(segments.to_npz(), photo).photo.shape
        (400, 600, 3)
        """
        masks, scores, classes, names = unpack(data, name, most)
        pixels = None if photo is None else read_own(photo)
        if pixels is not None and pixels.shape[:2] != masks.size:
            raise UsageError(
                f"{name} belongs to a photo of {masks.size[1]} x {masks.size[0]} pixels, "
                f"but this photo has {pixels.shape[1]} x {pixels.shape[0]}: give the same photo"
            )
        return cls(masks, scores, classes, names, photo=pixels)


def pack(masks: Masks, scores: Float32, classes: Int, names: tuple[str, ...]) -> bytes:
    """The bytes of an npz file that `unpack` reads."""
    arrays: dict[str, Any] = {
        "format": np.int64(FORMAT),
        "scores": scores,
        "classes": classes,
        "names": np.array(names),
        **store.to_arrays(masks),
    }
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def unpack(data: bytes, name: str, most: int = UNPACKED) -> tuple[Masks, Float32, Int, tuple[str, ...]]:
    """Masks, scores, classes and names. Raises UsageError for anything that `pack` did not make.

    name: name of the file in errors; most: maximum bytes of its arrays
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise UsageError(f"{name} must be bytes, not {show(data)}")
    try:
        arrays = npz.read(data, KINDS | store.KINDS, Budget(name, NOT_OURS), most)
        if int(arrays["format"]) != FORMAT:
            raise UsageError(f"{name} has format {arrays['format']}, but this version reads format {FORMAT}")
        masks = store.from_arrays(arrays)
        scores, classes = arrays["scores"], arrays["classes"]
        names = tuple(shown(str(n), 1000) for n in arrays["names"])
        if scores.shape != (len(masks),) or classes.shape != scores.shape:
            raise ValueError("it must have one score and one class per mask")
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError("scores must be between 0 and 1")
        if ((classes < 0) | (classes >= len(names))).any():
            raise ValueError(f"classes must be indices into its {len(names)} names")
        return masks, scores, classes, names
    except UsageError:
        raise
    except KeyError as error:
        raise UsageError(f"{name} {NOT_OURS}: {error.args[0]} is missing") from None
    except Exception as error:  # forged bytes can raise anything
        raise UsageError(f"{name} {NOT_OURS}: {reason(error)}") from None


def path(file: Any) -> Path:
    """Turns a str or a path into a path. Raises UsageError for anything else."""
    if isinstance(file, (str, PathLike)):
        return Path(file)
    raise UsageError(f"file must be a path, not {show(file)}")
