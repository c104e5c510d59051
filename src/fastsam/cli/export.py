"""`fastsam export`: writes any network as an ONNX file, in float or 8 bits, and reports how well the two agree."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from fastsam.cli import flags
from fastsam.cli.figures import write_json
from fastsam.cli.flags import Detecting
from fastsam.cli.say import say
from fastsam.errors import UsageError
from fastsam.files import write

if TYPE_CHECKING:
    from fastsam.model import FastSAM

CALIBRATE = 32  # maximum number of photos to calibrate with
COMPARE = 8  # number of photos whose masks are compared
WRITTEN = Group("Defaults written into the file", help="Defaults are the settings of the source.", sort_key=1)


def export(
    source: str,
    output: Path,
    /,
    *,
    format_: Annotated[Literal["onnx"], Parameter(name="--format")] = "onnx",
    detecting: Annotated[Detecting, Parameter(group=WRITTEN)] = flags.DETECTING,
    margin: Annotated[float | None, Parameter(group=WRITTEN)] = None,
    soft: Annotated[float | None, Parameter(group=WRITTEN)] = None,
    int8: Annotated[bool, Parameter(negative="")] = False,
    calibrate: Path | None = None,
    with_masks: Annotated[bool, Parameter(negative="")] = False,
    plain_masks: Annotated[bool, Parameter(negative="")] = False,
    fixed: Annotated[str | None, Parameter(name="--fixed")] = None,
    json_file: Annotated[Path | None, flags.JSON_FILE] = None,
) -> int:
    """Write a network as ONNX, and report how well it agrees with its source.

    Parameters
    ----------
    source
        final.pt or last.pt of fastsam train or of fastsam train refine, a YOLOv8-seg checkpoint, an ONNX file, or the
        name of a model.
    output
        The .onnx file to write.
    format_
        Format to write.
    margin
        Share of a box's sides by which its mask may extend beyond it, for a box as large as the photo; less for smaller
        boxes. For weights that were trained with a margin.
    soft
        How slowly scores fall with the overlap with better masks: times exp(-IoU^2 / soft); 0 leaves scores unchanged.
    int8
        Write 8-bit weights, calibrated on photos; layers that would lose too much stay in float.
    calibrate
        Folder of photos, or a COCO-style set, to calibrate with and to compare on; use training photos.
    with_masks
        Put suppression and masks into the file, for programs without this library: one photo at a time, masks on
        cells of 4 input pixels. The report is about the network before they are added.
    plain_masks
        Make masks as YOLOv8-seg networks do, for programs that read those, such as X-AnyLabeling.
    fixed
        HEIGHT,WIDTH of the only input size that the file accepts, for programs that need fixed shapes, such as
        OpenCV's DNN (which runs only float files). This library needs files without it. Calibration uses the same size.
    """
    from fastsam.export.fixed import fix, read_size

    size = read_size(fixed) if fixed is not None else None
    if size and detecting.imgsz not in (None, max(size)):
        raise UsageError(f"--imgsz {detecting.imgsz} must be the longer side of --fixed {fixed}: give only one of them")
    given = {**vars(detecting), "margin": margin, "soft": soft} | ({"imgsz": max(size)} if size else {})
    for name, value in (("margin", margin), ("soft", soft)):
        if value is not None and value < 0:
            raise UsageError(f"{name} must be at least 0, not {value}")
    if with_masks and plain_masks:
        raise UsageError("--with-masks and --plain-masks are two forms of masks: give only one of them")
    if int8 and calibrate is None:
        raise UsageError("--int8 needs photos to calibrate with: add --calibrate FOLDER")
    if (second := second_network(source)) is not None:
        for name, value in {
            "fixed": fixed,
            **given,
            "with_masks": with_masks or None,
            "plain_masks": plain_masks or None,
        }.items():
            if value is not None:
                flag = name.replace("_", "-")
                raise UsageError(f"--{flag} does not apply to {source}, which is a second network: leave it out")
        export_second(second, output, calibrate if int8 else None, json_file)
        return 0
    photos = photos_of(calibrate) if calibrate else []
    from fastsam.export import sources
    from fastsam.export.graphs import content_of, halved
    from fastsam.runtimes.settings import read_settings

    model = sources.read(source, **given)
    reference = content_of(model)
    stored = {p.key: p.value for p in model.metadata_props}
    settings = read_settings(stored, Path(source))
    if int8:
        from onnx import helper

        from fastsam.export.int8 import quantise

        model = quantise(model, photos[:CALIBRATE], settings, partial(say, error=True), size)
        helper.set_model_props(model, stored)
    report = parity(reference, content_of(halved(model)), photos, calibrate)
    if with_masks:
        from fastsam.export.masks import with_masks as add_masks

        add_masks(model, settings)
    if plain_masks:
        from fastsam.export.plain import plain

        plain(model, settings)
    model = halved(fix(model, size) if size else model)
    write(output, content_of(model))
    say(f"{output}: {output.stat().st_size / 1e6:.1f} MB; {report}")
    write_json(json_file, report)
    return 0


def second_network(source: str) -> Path | None:
    """The file of a checkpoint of `fastsam train refine`; None for any other source."""
    from importlib.util import find_spec

    from fastsam.weights import catalogue

    if not Path(source).is_file() or not catalogue.is_checkpoint(Path(source)) or find_spec("torch") is None:
        return None
    from fastsam.training import checkpoint

    try:
        return Path(source) if checkpoint.is_refiner(checkpoint.load(Path(source))) else None
    except ValueError:
        return None


def export_second(source: Path, output: Path, calibrate: Path | None, json_file: Path | None) -> None:
    """Writes the second network; in 8 bits if there is a COCO-style set to calibrate with."""
    from fastsam.export import refine
    from fastsam.export.graphs import content_of, halved

    model = refine.to_onnx(refine.load_network(source))
    report = {}
    if calibrate is None:
        model = halved(model)
    else:
        if not (calibrate / "instances.json").is_file():
            raise UsageError(f"{calibrate} has no instances.json: calibrate a second network with a COCO-style set")
        feeds, reference = refine.feeds_of(calibrate), content_of(model)
        some = len(feeds) * 3 // 4
        model = refine.quantise(model, feeds[:some])
        masks, quality = refine.agreement(reference, model.SerializeToString(), feeds[some:])
        report = {"mask_iou": masks, "quality_difference": quality}
    write(output, content_of(model))
    parts = [f"{name.replace('_', ' ')} {value:.3f}" for name, value in report.items()]
    say("; ".join([f"{output}: {output.stat().st_size / 1e6:.1f} MB", *parts]))
    write_json(json_file, report)


def photos_of(folder: Path) -> list[Path]:
    """The photos of a folder, or of a COCO-style set. Raises UsageError if it has no photos."""
    from fastsam.image.photos import find_photos

    inner = folder / "images"
    found = [photo.file for photo in find_photos([str(inner if inner.is_dir() else folder)]) if photo.frame is None]
    if not found:
        raise UsageError(f"folder {folder} has no photos")
    return found


def parity(reference: bytes, exported: bytes, photos: list[Path], folder: Path | None) -> Any:
    """How well two files agree: on photos that were not used to calibrate, if there are enough, or on a drawing."""
    import tempfile

    from fastsam.evaluation.parity import compare, drawn

    with tempfile.TemporaryDirectory() as temporary:
        files = Path(temporary) / "reference.onnx", Path(temporary) / "exported.onnx"
        for file, content in zip(files, (reference, exported), strict=True):
            file.write_bytes(content)
        some = (photos[CALIBRATE:] or photos)[:COMPARE]
        return compare(files, some or [drawn()], recall_on(folder))


def recall_on(folder: Path | None) -> Callable[["FastSAM"], float] | None:
    """A function that measures a model's mask AR@100 on a COCO-style set; None without a set or the evaluator."""
    from importlib.util import find_spec

    if folder is None or not (folder / "instances.json").is_file() or find_spec("faster_coco_eval") is None:
        return None
    from fastsam.evaluation.recall import recall, results
    from fastsam.evaluation.sets import read_sets

    one = read_sets([folder])[0]
    images = sorted(one.photos, key=lambda image: str(image["file_name"]))  # the order of the photos
    some = (images[CALIBRATE:] or images)[: 5 * COMPARE]

    def measure(model: "FastSAM") -> float:
        found = [r for i in some for r in results(model(one.file(i), conf=0.001, max_det=1000), i["id"])]
        return recall(one.content, found, [i["id"] for i in some]).masks[100]

    return measure
