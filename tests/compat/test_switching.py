"""docs/switching.md is true: its Python runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest

from fastsam import Segments
from fastsam.image.read import read_image

PAGE = Path(__file__).parents[2] / "docs" / "switching.md"


@pytest.mark.usefixtures("encoder")
def test_the_pages_examples_run_as_they_stand(
    tmp_path: Path, fixtures: Path, examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("supervision", reason="supervision is not installed")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, source in (
        ("weights/FastSAM.pt", fixtures / "port-tiny.pt"),
        ("FastSAM-s.pt", fixtures / "port-tiny.pt"),
        ("images/dogs.jpg", examples / "coffee.png"),
        ("photo.jpg", examples / "coffee.png"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    image = read_image(examples / "coffee.png")
    names: dict[str, object] = {"np": np, "image": image, "large_image": image}
    # The photo is smaller than the one of the published example, whose point would lie outside.
    blocks = [
        b.replace("620, 360", "520, 360") for b in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    ]
    assert len(blocks) == 5
    for block in blocks[:4]:
        exec(block, names)
    assert isinstance(names["everything_results"], Segments)
    assert Path("output/dog.jpg").exists()
    assert Path("results_photo.jpg").exists()
    assert all(mask["segmentation"].shape == image.shape[:2] for mask in names["masks"])  # type: ignore[attr-defined]
    exec(blocks[4], names)
    assert len(names["detections"]) > 0  # type: ignore[arg-type]
