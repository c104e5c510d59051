"""Files in the popular port's format, written from our own networks."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HOMES = {
    **dict.fromkeys(("Conv", "Concat"), "ultralytics.nn.modules.conv"),
    **dict.fromkeys(("C2f", "Bottleneck", "SPPF", "DFL", "Proto"), "ultralytics.nn.modules.block"),
    "Segment": "ultralytics.nn.modules.head",
    "SegmentationModel": "ultralytics.nn.tasks",
}


@pytest.fixture
def write_checkpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a network as the port does: a whole module object, half precision, under the port's class names."""
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from fastsam.network import blocks, head

    classes = {name: getattr(home, name) for home in (blocks, head) for name in HOMES if hasattr(home, name)}
    classes["SegmentationModel"] = type("SegmentationModel", (torch.nn.Module,), {})
    for package in ("ultralytics", "ultralytics.nn", "ultralytics.nn.modules"):
        monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
    for name, class_ in classes.items():
        module = sys.modules.get(HOMES[name]) or types.ModuleType(HOMES[name])
        monkeypatch.setitem(sys.modules, HOMES[name], module)
        monkeypatch.setattr(module, name, class_, raising=False)
        monkeypatch.setattr(class_, "__module__", HOMES[name])

    def write(network: Any, file: Path, names: dict[int, str] | None = None, **extra: Any) -> None:
        whole = classes["SegmentationModel"]()
        whole.model = torch.nn.Sequential(*network.model)
        whole.names = names or {0: "object"}
        whole.half()
        content = {"epoch": -1, "model": whole, "ema": None, "train_args": {"imgsz": 256}, "date": "2026-01-01"}
        torch.save(content | extra, file)

    return write
