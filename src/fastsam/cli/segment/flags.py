"""The flags of `fastsam segment`, in the groups of its help, and the rules by which they fit together.

Enters: words of a command line, read by cyclopts. Leaves: checked values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from fastsam.cli import flags
from fastsam.cli.segment.inputs import read_prompts
from fastsam.errors import UsageError
from fastsam.formats.content import Format, Options, check, chosen
from fastsam.formats.overlay import Look
from fastsam.masks.levels import Level
from fastsam.prompts import Prompt
from fastsam.values import number

Words = Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)]
Switch = Annotated[bool, Parameter(negative="")]


@Parameter(name="*", group=flags.STORED)
@dataclass(frozen=True)
class Finding(flags.Segmenting):
    """How everything is found.

    Parameters
    ----------
    stretch
        Make the darkest 1% of each photo's values black and the brightest 1% white: for 10- and 12-bit data, floats
        and height maps.
    annotations
        COCO file whose masks are used instead of a network's.
    """

    stretch: Switch = False
    annotations: Path | None = None

    def check(self) -> None:
        """Raises UsageError for flags of a network that does not run."""
        for name in self.given:
            if self.annotations is not None and name not in ("conf", "iou"):
                raise UsageError(f"--{name.replace('_', '-')} has no effect with --annotations: give only one of them")


@Parameter(name="*", group=Group("Prompts", sort_key=2))
@dataclass(frozen=True)
class Asking:
    """Which objects are meant.

    Parameters
    ----------
    point
        X,Y or X,Y,LABEL (1 foreground, 0 background). All points together are one prompt.
    box
        X1,Y1,X2,Y2. Each box is a prompt.
    mask
        Picture of the photo's size, black outside the object. Each mask is a prompt.
    text
        Words such as "the yellow dog". Each text is a prompt.
    exclude
        Words for things that must not match any --text.
    prompts
        JSON file of prompts of any kind.
    merge
        Merge all answers into one mask.
    """

    point: Words = None
    box: Words = None
    mask: Annotated[list[Path] | None, Parameter(negative="")] = None
    text: Words = None
    exclude: Words = None
    prompts: Path | None = None
    merge: Switch = False

    def read(self) -> list[Prompt]:
        """The prompts, in order. Raises UsageError for invalid ones."""
        found = read_prompts(
            self.point or (), self.box or (), self.mask or (), self.text or (), self.exclude or (), self.prompts
        )
        if self.merge and not found:
            raise UsageError("--merge needs prompts: give --point, --box, --mask, --text or --prompts")
        return found

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [*(self.mask or ()), *(() if self.prompts is None else (self.prompts,))]


@Parameter(name="*", group=Group("Names", sort_key=3))
@dataclass(frozen=True)
class Naming:
    """What words mean.

    Parameters
    ----------
    name
        Words, separated by commas, from which each object gets its name; may be repeated.
    all
        With --name, name every mask instead of one per object. With --text, answer with every mask that fits.
    only_named
        With --name, drop masks without a name.
    """

    name: Words = None
    all: Switch = False
    only_named: Switch = False
    encoder: Annotated[str | None, flags.ENCODER] = None

    @property
    def words(self) -> list[str]:
        """The words of --name, each once."""
        words = dict.fromkeys(word.strip() for words in self.name or () for word in words.split(","))
        return [word for word in words if word]

    def check(self, prompts: Sequence[Prompt]) -> None:
        """Raises UsageError for flags that need words and have none."""
        if self.name and not self.words:
            raise UsageError(f"--name {self.name[0]!r} has no words: give some, such as 'person, bus'")
        if self.only_named and not self.words:
            raise UsageError("--only-named needs --name: give the words that masks are named by")
        if self.all and not self.words and not any(prompt.text for prompt in prompts):
            raise UsageError("--all needs --name or --text: it only changes what words mean")


@Parameter(name="*", group=Group("Keeping", sort_key=4))
@dataclass(frozen=True)
class Keeping:
    """Which masks stay, and how exact they are.

    Parameters
    ----------
    min_area
        Minimum area of a mask in pixels.
    max_area
        Maximum area of a mask in pixels.
    stability
        Minimum IoU of the masks that thresholds at logits +1 and -1 give, 0 to 1.
    inside
        Drop a mask if more than this share of it lies within a larger one, 0 to 1.
    level
        parts (every mask), things (what a person would point at), or regions (the photo divided into things). Default:
        things, or parts with prompts, --name or --annotations. npz, partition and edges hold every mask by default.
    refine
        Redraw every mask with the second network; --no-refine redraws none. By default only the answers to points,
        boxes and masks are redrawn.
    min_region_area
        With --refine, remove islands and holes of fewer pixels than this.
    """

    min_area: float | None = None
    max_area: float | None = None
    stability: float | None = None
    inside: float | None = None
    level: Level | None = None
    refine: bool | None = None
    min_region_area: float | None = None

    @property
    def area(self) -> tuple[float | None, float | None] | None:
        """The limits of the area; None for no limits."""
        return None if self.min_area is self.max_area is None else (self.min_area, self.max_area)

    def check(self) -> None:
        """Raises UsageError for flags that do not fit together."""
        if self.min_region_area is None:
            return
        if not self.refine:
            raise UsageError("--min-region-area needs --refine: give both, or leave out --min-region-area")
        number(self.min_region_area, "--min-region-area", most=None)


@Parameter(name="*", group=Group("Output", sort_key=5))
@dataclass(frozen=True)
class Writing:
    """What is written.

    Parameters
    ----------
    output
        Folder to write to; or a video file (.mp4, .m4v, .mov, .mkv, .webm, .avi) for the frames of a video.
    json
        Print the answers as JSON on standard output. Files are written only if --format asks for them.
    outline
        In the overlay, draw the outlines of masks without tint.
    boxes
        In the overlay, also draw boxes.
    fill
        In the partition, assign uncovered pixels to the nearest mask.
    hierarchy
        In the JSON, add the index of the mask that each mask lies in.
    """

    output: Annotated[Path, Parameter(name=("--output", "-o"))] = Path("output")
    format: Annotated[list[str] | None, flags.FORMAT] = None
    json: Switch = False
    outline: Switch = False
    boxes: Switch = False
    tolerance: Annotated[float | None, flags.TOLERANCE] = None
    polygons: Annotated[bool, flags.POLYGONS] = False
    fill: Switch = False
    hierarchy: Switch = False

    @property
    def formats(self) -> list[Format]:
        """The formats that are asked for, each once. Raises UsageError for an unknown one."""
        return chosen(self.format or ([] if self.json else ["overlay"]))

    @property
    def options(self) -> Options:
        """How files are written."""
        return Options(self.tolerance, self.polygons, Look(self.outline, self.boxes), self.fill)

    def check(self) -> None:
        """Raises UsageError for flags that change nothing that is written."""
        names = [format_.name for format_ in self.formats]
        for name, given in (("outline", self.outline), ("boxes", self.boxes)):
            if given and "overlay" not in names:
                raise UsageError(f"--{name} changes the overlay, which is not written: add --format overlay")
        check(names, self.options)


FINDING, ASKING, NAMING, KEEPING, WRITING = Finding(), Asking(), Naming(), Keeping(), Writing()
