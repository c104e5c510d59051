"""`fastsam export`: a checkpoint of the trainer to a file that runs without torch."""

from pathlib import Path

from fastsam.errors import UsageError, require


def export(
    checkpoint: Path,
    output: Path,
    /,
    *,
    imgsz: int = 640,
    conf: float = 0.25,
    iou: float = 0.7,
    max_det: int = 300,
    margin: float = 0.0,
) -> int:
    """Write a trained network as ONNX.

    Parameters
    ----------
    checkpoint
        final.pt or last.pt of fastsam train.
    output
        The .onnx file to write.
    imgsz
        Default input size, stored with the weights.
    conf
        Default score threshold, stored with the weights.
    iou
        Default overlap threshold, stored with the weights.
    max_det
        Default number of segments at most, stored with the weights.
    margin
        Share of a photo-sized box's sides by which its mask may reach beyond it, less for smaller boxes; stored with
        the weights. For weights that were trained with a margin.
    """
    if margin < 0:
        raise UsageError(f"margin {margin} is negative: the least is 0")
    require("torch", "export")
    from fastsam.export.onnx import export as write
    from fastsam.export.onnx import load_network
    from fastsam.runtimes.settings import Settings

    network, architecture = load_network(checkpoint)
    settings = Settings(imgsz=imgsz, conf=conf, iou=iou, max_det=max_det, margin=margin)
    write(network, architecture, settings, output)
    print(output)
    return 0
