"""The pictures of the site's cookbook, docs/cookbook/: what its scripts draw, on the photos of examples/."""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 480  # pixels


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        coffee = cv2.imread(str(ROOT / "examples" / "coffee.png"))
        changed = coffee.copy()
        cv2.circle(changed, (60, 60), 35, (40, 40, 200), -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / "after.png"), changed)
        writer = cv2.VideoWriter(str(folder / "pan.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (360, 300))
        for k in range(3):
            writer.write(np.ascontiguousarray(coffee[50:350, 80 + 12 * k : 440 + 12 * k]))
        writer.release()
        photo = str(ROOT / "examples" / "coffee.png")
        jobs = {
            "count_things": ([], "counted.png"),
            "cut_out_products": ([photo, "--box", "175,12,425,312", "--box", "322,220,410,330"], "products"),
            "blur_people": ([photo, "--box", "175,12,425,312"], "blurred.png"),
            "measure_areas": ([], "areas.png"),
            "find_changes": ([photo, "after.png"], "changes.png"),
            "segment_video": (["pan.avi", "-o", "seen.avi"], "seen.avi"),
            "serve_team": ([], "coffee-mask.png"),
        }
        (ROOT / "docs" / "cookbook").mkdir(exist_ok=True)
        for job, (words, made) in jobs.items():
            subprocess.run([sys.executable, str(ROOT / "cookbook" / f"{job}.py"), *words], cwd=folder, check=True)
            picture = shown(folder / made)
            scale = min(1.0, WIDTH / picture.shape[1])
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(ROOT / "docs" / "cookbook" / f"{job}.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 82])


def shown(made: Path) -> np.ndarray:
    """What a script wrote, as one picture: frames and cut-outs side by side, these on a chequered ground."""
    if made.is_dir():
        return beside([chequered(cv2.imread(str(file), cv2.IMREAD_UNCHANGED)) for file in sorted(made.iterdir())])
    if made.suffix == ".avi":
        video, frames = cv2.VideoCapture(str(made)), []
        while (frame := video.read())[0]:
            frames.append(frame[1])
        return beside(frames)
    return cv2.imread(str(made))


def chequered(cut: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(cut.shape[:2]) // 10
    ground = np.where((rows + columns) % 2, 255, 215)[..., None]
    alpha = cut[..., 3:] / 255
    return (cut[..., :3] * alpha + ground * (1 - alpha)).astype(np.uint8)


def beside(pictures: list[np.ndarray]) -> np.ndarray:
    height = max(p.shape[0] for p in pictures)
    edges = [((0, height - p.shape[0]), (0, 8), (0, 0)) for p in pictures]
    return np.hstack([np.pad(p, e, constant_values=255) for p, e in zip(pictures, edges, strict=True)])


if __name__ == "__main__":
    main()
