"""Keywords of the published FastSAM call that our call accepts, so that code written for it runs.

Enters: keywords as given. Leaves: nothing, or an error that names the keyword and what to use instead.
"""

from typing import Any

from fastsam.errors import UsageError
from fastsam.loading import device_name
from fastsam.values import show

# Keywords of the published call and of Ultralytics that change nothing here: masks always have the photo's own size,
# nothing is printed, and the precision is chosen when weights are loaded.
IGNORED = (
    "verbose",
    "half",
    "retina_masks",
    "augment",
    "agnostic_nms",
    "batch",
    "stream_buffer",
    "visualize",
    "workers",
)
# Keywords that do something there, and what does it here.
INSTEAD = {
    "save": "use segments.save(file), or write a picture with `fastsam segment`",
    "show": "a notebook shows segments by itself; `fastsam segment` writes pictures",
    "save_txt": "use fastsam.formats.outlines.yolo",
    "save_crop": "use Segments.cutout",
    "classes": "use Segments.filter and Segments.classes",
}


def refuse(published: dict[str, Any], device: str) -> None:
    """Checks keywords that the model's call does not define. device: where the model runs

    Raises UsageError for a keyword that is unknown, asks for another device, or has a different name here.
    """
    for name, value in published.items():
        if name == "device":
            if value is not None and device_name(value) != device:
                raise UsageError(f"this model runs on {device}: to use {show(value)}, call FastSAM(..., device=...)")
        elif name in INSTEAD:
            if value is not None and value is not False:
                raise UsageError(f"this call does not support {name}={show(value)}: {INSTEAD[name]}")
        elif name not in IGNORED:
            raise UsageError(f"unknown keyword {name!r}: see help(FastSAM.__call__)")
