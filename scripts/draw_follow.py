"""docs/follow.webp: a biplane that is clicked in one frame and followed, also behind a plant. All of it is CC0."""

import os
from pathlib import Path

import cv2
import numpy as np

from fastsam import FastSAM, Prompt
from fastsam.cli.follow import drawn, label_map
from fastsam.formats.overlay import draw_points

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("FASTSAM_DATA", "../shared")) / "data"
SIZE = (480, 270)  # width and height
FRAMES, PICKED, PAUSE = 44, 8, 66  # PAUSE: milliseconds per frame


def main() -> None:
    plane, plant = (rgba(DATA / "cutouts" / "sweethome3d" / f"blendswap_cc_0_{name}.webp") for name in
                    ("biplane_r0", "decorative_plant_r0"))  # fmt: skip
    ground = cv2.imread(str(DATA / "backgrounds" / "budgie-lake-sherburne.webp"))[..., ::-1]
    ground = cv2.resize(ground, (SIZE[0] + 80, SIZE[1] + 40), interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(FRAMES):
        t = k / (FRAMES - 1)
        frame = np.ascontiguousarray(ground[: SIZE[1], round(80 * t) : round(80 * t) + SIZE[0]])
        paste(frame, plane, (-20 + 500 * t, 105 + 30 * np.sin(5 * t)), 0.45 + 0.25 * t, 12 * np.sin(7 * t))
        paste(frame, plant, (310 - 80 * t, 150), 1.15, 0)
        frames.append(frame)
    click = (-20 + 500 * PICKED / (FRAMES - 1), 105 + 30 * np.sin(5 * PICKED / (FRAMES - 1)))
    shown = []
    for frame, picks in FastSAM().follow(frames, Prompt(points=[click]), frame=PICKED):
        picture = drawn(frame.pixels, label_map(picks, SIZE[::-1]), 1)
        if frame.number == PICKED:
            draw_points(picture, [click], [1])
        shown.append(np.ascontiguousarray(picture[..., ::-1]))
    made = cv2.Animation()
    made.frames, made.durations = shown, [PAUSE * (12 if k == PICKED else 1) for k in range(FRAMES)]
    cv2.imwriteanimation(str(ROOT / "docs" / "follow.webp"), made, [cv2.IMWRITE_WEBP_QUALITY, 60])


def rgba(file: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


def paste(frame: np.ndarray, item: np.ndarray, centre: tuple[float, float], scale: float, degrees: float) -> None:
    """Puts an RGBA picture upon a frame, in place, its middle at `centre`."""
    h, w = item.shape[:2]
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, scale)
    matrix[:, 2] += np.array(centre) - (w / 2, h / 2)
    layer = cv2.warpAffine(item, matrix, SIZE, flags=cv2.INTER_AREA).astype(np.float32)
    frame[:] = frame + (layer[..., :3] - frame) * (layer[..., 3:] / 255) + 0.5


if __name__ == "__main__":
    main()
