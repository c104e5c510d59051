"""`fastsam follow`: what it writes, what --at corrects, what it refuses."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam.cli import follow
from fastsam.cli.main import app

SIZE = (320, 240)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    """Six frames of a photo with a red disc that moves to the right."""
    folder = tmp_path_factory.mktemp("frames")
    photo = cv2.resize(cv2.imread(str(examples / "coffee.png")), SIZE, interpolation=cv2.INTER_AREA)
    for k in range(6):
        frame = photo.copy()
        cv2.circle(frame, (40 + 8 * k, 190), 25, (40, 40, 230), -1)
        cv2.imwrite(str(folder / f"{k:05}.png"), frame)
    return folder


def run(*words: object) -> int:
    code = app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")
    return code if isinstance(code, int) else 0


def disc(mask: np.ndarray, k: int) -> float:
    truth = cv2.circle(np.zeros(SIZE[::-1], np.uint8), (40 + 8 * k, 190), 25, 1, -1) > 0
    return float((mask & truth).sum() / (mask | truth).sum())


def test_it_writes_a_video_label_maps_coco_and_a_cutout(frames: Path, tmp_path: Path) -> None:
    formats = [word for name in ("overlay", "masks", "coco") for word in ("--format", name)]
    assert run("follow", frames, "--point", "56,190", "--frame", "2", *formats, "-o", tmp_path / "out.avi") == 0
    capture = cv2.VideoCapture(str(tmp_path / "out.avi"))
    assert sum(1 for _ in iter(capture.grab, False)) == 6
    names = sorted(file.name for file in (tmp_path / "out-masks").iterdir())
    assert names == [f"{k:06}.png" for k in range(6)]
    for k, name in enumerate(names):
        labels = cv2.imread(str(tmp_path / "out-masks" / name), cv2.IMREAD_UNCHANGED)
        assert disc(labels == 1, k) > 0.85
    coco = json.loads((tmp_path / "out.json").read_text())
    assert [image["frame_id"] for image in coco["images"]] == list(range(6))
    assert [row["track_id"] for row in coco["annotations"]] == [1] * 6


def test_a_cutout_is_transparent_beside_the_object(frames: Path, tmp_path: Path) -> None:
    assert run("follow", frames, "--box", "15,165,65,215", "--format", "cutout", "-o", tmp_path / "alone") == 0
    cut = cv2.imread(str(tmp_path / "alone" / "000005.png"), cv2.IMREAD_UNCHANGED)
    assert disc(cut[..., 3] > 127, 5) > 0.85
    assert cut[20, 300, 3] == 0


def test_at_picks_the_object_anew_in_a_later_frame(frames: Path, tmp_path: Path) -> None:
    words = ["--box", "150,20,210,60", "--at", "3", "--box", "39,165,89,215"]
    assert run("follow", frames, *words, "--format", "masks", "-o", tmp_path / "masks") == 0
    seen = [cv2.imread(str(tmp_path / "masks" / f"{k:06}.png"), cv2.IMREAD_UNCHANGED) == 1 for k in range(6)]
    assert disc(seen[2], 2) < 0.1
    assert min(disc(seen[k], k) for k in (3, 4, 5)) > 0.85


def test_words_belong_to_the_at_before_them() -> None:
    said = [("--point", "1,2"), ("--point", "3,4,0"), ("--box", "1,2,3,4")]
    later = [("--at", "7"), ("--object", "2"), ("--point", "5,6")]
    prompts, corrections = follow.meant(follow.in_order([*said, *later]))
    assert [prompt.name for prompt in prompts] == ["2 points", "box"]
    assert list(corrections) == [7]
    assert list(corrections[7]) == [1]
    assert corrections[7][1].points == ((5.0, 6.0),)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frame", "2"], "nothing to follow"),
        (["--point", "900,10"], "point 900,10 lies outside the photo of 320 x 240"),
        (["--point", "56,190", "--frame", "6"], "frame 6 lies beyond the end"),
        (["--point", "56,190", "--at", "x"], "--at must be an integer"),
        (["--point", "56,190", "--at", "3"], "--at 3 needs one prompt after it"),
        (["--point", "56,190", "--object", "1"], "--object 1 needs --at FRAME"),
        (["--point", "56,190", "--box", "1,1,9,9", "--at", "3", "--point", "5,5"], "--object 1 to 2"),
        (["--point", "56,190", "--format", "gif"], "unknown format 'gif'"),
        (["--point", "56,190", "-o", "out.mp3"], "a video ends in"),
    ],
)
def test_what_makes_no_sense_is_one_line(frames: Path, tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        run("follow", frames, *words, *(() if "-o" in words else ("-o", tmp_path / "out.avi")))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_was_done_before_a_broken_frame_is_kept(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for k, file in enumerate(sorted(frames.iterdir())):
        content = file.read_bytes()
        (folder / file.name).write_bytes(content if k != 3 else content[:2000])
    assert run("follow", folder, "--point", "40,190", "--format", "coco", "-o", tmp_path / "out") == 1
    assert len(json.loads((tmp_path / "out.json").read_text())["images"]) == 3
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "00003.png" in said.err
    assert ": 3 frames" in said.out


def test_it_measures_j_and_f(tmp_path: Path, frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sequences" / "disc"
    folder.mkdir(parents=True)
    for k, file in enumerate(sorted(frames.iterdir())):
        cv2.imwrite(str(folder / f"{k:05}.webp"), cv2.imread(str(file)), [cv2.IMWRITE_WEBP_QUALITY, 95])
        truth = cv2.circle(np.zeros(SIZE[::-1], np.uint8), (40 + 8 * k, 190), 25, 255, -1)
        cv2.imwrite(str(folder / f"{k:05}.png"), truth)
    result = tmp_path / "figures.json"
    assert run("eval", "follow", folder.parent, "--json", result, "--pictures", tmp_path / "seen") == 0
    figures = json.loads(result.read_text())
    for how in ("mask", "click"):
        assert figures[how]["disc"]["J"] > 0.85
        assert figures[how]["disc"]["F"] > 0.85
        assert (tmp_path / "seen" / f"disc-{how}.jpg").is_file()
    assert "mean" in capsys.readouterr().out
