"""Flags that several subcommands share, each with one help text.

Enters: words of a command line, read by cyclopts. Leaves: frozen values, and what the library makes of them.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from fastsam.errors import UsageError
from fastsam.formats.content import FORMATS
from fastsam.overrides import Overrides
from fastsam.tiles import OVERLAP, Tiling

if TYPE_CHECKING:
    from fastsam.model import FastSAM

MODEL = Parameter(help="Name of a model, or a file (.onnx, .pt, .safetensors); the bundled weights by default.")
IMGSZ = Parameter(help="Longest side of the network's input in pixels.")
CONF = Parameter(help="Minimum score of a mask, 0 to 1.")
IOU = Parameter(help="Drop the lower-scored of two masks whose boxes overlap by more than this IoU, 0 to 1.")
MAX_DET = Parameter(help="Maximum number of masks per photo.")
TILE = Parameter(
    help="Also segment the photo in tiles of this side in pixels, to find small objects; no tiles by default."
)
TILE_OVERLAP = Parameter(
    help=f"Share of a tile that the next one shows too, above 0 and at most 0.5; {OVERLAP} by default."
)
RUNTIME = Parameter(help="onnx, openvino, or torch for a checkpoint.")
DEVICE = Parameter(help="cpu, cuda, mps, the number of a GPU, or a device of OpenVINO; the CPU by default.")
PRECISION = Parameter(help="float32, or bf16 with OpenVINO.")
THREADS = Parameter(
    help="Number of CPU threads for all photos together, or per worker of a cluster; by default the runtime chooses."
)
REFINE = Parameter(help="Redraw every mask with the second network.")
REFINER = Parameter(help="File of another second network; the bundled one by default.")
ENCODER = Parameter(help="How words are compared with masks: offline, clip, or a folder with the two networks of CLIP.")
SETS = Parameter(
    help="Sets: folders with images/ and instances.json, folders of such folders, or JSON files of COCO or LVIS.",
    consume_multiple=True,
)
PHOTO = Parameter(help="The photo to segment.")
MASKS = Parameter(help="Number of masks to use, the best of the photo.")
JSON_FILE = Parameter(name="--json", help="File to write the figures to.")
EVERYTHING = ", ".join(format_.name for format_ in FORMATS.values() if format_.everything)
FORMAT = Parameter(
    name="--format",
    negative="",
    help=f"One of {', '.join(FORMATS)}; may be repeated; overlay by default. With prompts, files hold only the "
    f"answers, except that {EVERYTHING} hold every mask.",
)
TOLERANCE = Parameter(
    help="Maximum distance in pixels of a dropped corner from the simplified outline; 0 is exact. By default 1 for "
    "labelme and yolo, and 0 for polygons and coco."
)
POLYGONS = Parameter(negative="", help="In coco, write polygons instead of RLE, for programs that do not read RLE.")
SEED = Parameter(help="Seed of everything random.")
CONFIG = Parameter(help="TOML file of settings (see configs/); flags override it.")
DATA = Parameter(help="COCO-style folders, each with images/ and instances.json.", consume_multiple=True)
HOST = Parameter(help="Address to listen on; 0.0.0.0 for all addresses of this machine.")
PORT = Parameter(help="Port to listen on; 0 picks a free one.")
BROWSER = Parameter(help="Open the page in this machine's browser.")
TOKEN = Parameter(
    env_var="FASTSAM_TOKEN",
    help="Token that every request must have. Set it in the environment (FASTSAM_TOKEN) to keep it out of the list of "
    "processes.",
)
MAX_BYTES = Parameter(help="Maximum size of a request in bytes.")
MAX_PIXELS = Parameter(help="Maximum number of pixels of a photo.")
ALLOW_HOST = Parameter(
    negative="",
    help="Host name that requests may use, besides loopback's and the server's address; * for any; may be repeated.",
)
ROUNDS = Parameter(help="Number of rounds; the median is shown.")

STORED = Group("Finding", help="Defaults are the settings stored with the weights.", sort_key=1)


@Parameter(name="*")
@dataclass(frozen=True)
class Detecting:
    """What the network reports; None for what is stored with the weights."""

    imgsz: Annotated[int | None, IMGSZ] = None
    conf: Annotated[float | None, CONF] = None
    iou: Annotated[float | None, IOU] = None
    max_det: Annotated[int | None, MAX_DET] = None

    @property
    def overrides(self) -> Overrides:
        """The same for the library. Raises UsageError for invalid values."""
        return Overrides(self.imgsz, self.conf, self.iou, self.max_det).checked()


@Parameter(name="*")
@dataclass(frozen=True)
class Tiles:
    """How a photo is cut into tiles."""

    tile: Annotated[int | None, TILE] = None
    overlap: Annotated[float | None, TILE_OVERLAP] = None

    def checked(self) -> Tiling:
        """The same for the library. Raises UsageError for invalid values."""
        if self.overlap is not None and self.tile is None:
            raise UsageError("--overlap needs --tile: give both, or leave out --overlap")
        return Tiling(self.tile, OVERLAP if self.overlap is None else self.overlap).checked()


@Parameter(name="*")
@dataclass(frozen=True)
class Running:
    """Which network runs, and where."""

    model: Annotated[str | None, MODEL] = None
    runtime: Annotated[str, RUNTIME] = "onnx"
    device: Annotated[str | None, DEVICE] = None
    precision: Annotated[str, PRECISION] = "float32"
    threads: Annotated[int | None, THREADS] = None

    def load(self) -> "FastSAM":
        """The model. Raises UsageError if it is invalid or not available here."""
        from fastsam.model import FastSAM

        return FastSAM(
            self.model, threads=self.threads, runtime=self.runtime, device=self.device, precision=self.precision
        )


@Parameter(name="*", group=STORED)
@dataclass(frozen=True)
class Segmenting:
    """How photos are segmented."""

    running: Running = field(default_factory=Running)
    detecting: Detecting = field(default_factory=Detecting)
    tiles: Tiles = field(default_factory=Tiles)

    @property
    def settings(self) -> dict[str, Any]:
        """Keywords of a call of the model. Raises UsageError for invalid values."""
        return {**vars(self.detecting.overrides), **vars(self.tiles.checked())}

    @property
    def given(self) -> dict[str, Any]:
        """Flags that differ from their defaults."""
        return {
            name: value
            for part, default in ((self.running, Running()), (self.detecting, Detecting()), (self.tiles, Tiles()))
            for name, value in vars(part).items()
            if value != getattr(default, name)
        }


AS_STORED, RUNNING, DETECTING, TILES = Segmenting(), Running(), Detecting(), Tiles()
