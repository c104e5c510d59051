"""A team asks one service."""

from collections.abc import Callable
from pathlib import Path

import cv2

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_each_photo_gets_the_mask_of_its_box(cook: Callable[..., str], tmp_path: Path) -> None:
    lines = cook("serve_team", EXAMPLES / "coffee.png", EXAMPLES / "chelsea.png").splitlines()
    assert [Path(line.split(":")[0]).name for line in lines] == ["coffee.png", "chelsea.png"]
    mask = cv2.imread(str(tmp_path / "coffee-mask.png"), cv2.IMREAD_GRAYSCALE)
    assert mask.shape == (400, 600)
    assert mask[100, 300] == 255  # the cup
    assert mask[20, 20] == 0
