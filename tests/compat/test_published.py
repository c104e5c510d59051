"""The published Python example and script run as they stand."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, FastSAMPrompt, Segments, UsageError
from fastsam.compat.answers import answer_points
from fastsam.compat.decoder import FastSAMDecoder
from fastsam.compat.inference import main
from fastsam.compat.taken import labels_of, nested, smoothed
from fastsam.refine.network import Refiner

ROOT = Path(__file__).parents[2]
EXAMPLE = """
from fastsam import FastSAM, FastSAMPrompt
import numpy as np

model = FastSAM('./weights/FastSAM.pt')
IMAGE_PATH = './images/dogs.jpg'
DEVICE = 'cpu'
everything_results = model(IMAGE_PATH, device=DEVICE, retina_masks=True, imgsz=224, conf=0.05, iou=0.9,)
prompt_process = FastSAMPrompt(IMAGE_PATH, everything_results, device=DEVICE)

everything = prompt_process.everything_prompt()
box = prompt_process.box_prompt(bbox=[[200, 20, 420, 240]])
boxes = prompt_process.box_prompt(bboxes=[[200, 20, 420, 240], [0, 0, 600, 400]])
ann = prompt_process.point_prompt(points=[[300, 160]], pointlabel=[1])
prompt_process.plot(annotations=ann, output_path='./output/dog.jpg',)
"""


@pytest.fixture
def place(tmp_path: Path, fixtures: Path, examples: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the published commands expect it, a checkpoint and a photo in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, source in (
        ("weights/FastSAM.pt", fixtures / "port-tiny.pt"),
        ("images/dogs.jpg", examples / "coffee.png"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_published_example_runs_unchanged(place: Path) -> None:
    names: dict[str, np.ndarray] = {}
    exec(EXAMPLE, names)
    assert names["everything"].shape == (len(names["everything_results"]), 400, 600)
    for name in ("box", "boxes", "ann"):
        assert names[name].shape == (len(names[name].prompts), 400, 600)
    assert len(names["ann"]) == 1
    assert names["ann"].any()
    assert cv2.imread("output/dog.jpg").shape == (400, 600, 3)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--box_prompt", "[200,20,220,220]"],
        ["--box_prompt", "[[200,20,220,220],[0,0,600,400]]"],
        ["--point_prompt", "[[300,160],[20,380]]", "--point_label", "[1,0]"],
        ["--better_quality", "True", "--withContours", "True", "--randomcolor", "False", "--retina", "False"],
    ],
    ids=["everything", "box", "boxes", "points", "drawing"],
)
def test_the_published_commands_run_from_the_projects_root(place: Path, words: list[str]) -> None:
    given = ["--model_path", "./weights/FastSAM.pt", "--img_path", "./images/dogs.jpg", "--conf", "0.05", *words]
    done = subprocess.run([sys.executable, ROOT / "Inference.py", *given], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "output/dogs.jpg"
    picture, photo = cv2.imread("output/dogs.jpg"), cv2.imread("images/dogs.jpg")
    assert picture.shape == photo.shape
    assert (np.abs(picture.astype(int) - photo) > 30).any()


@pytest.mark.usefixtures("encoder")
def test_the_published_command_for_words_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["--model_path", "fastsam-tiny", "--conf", "0.05", "--imgsz", "512", "--text_prompt", "a photo of a cup"])
        == 0
    )
    out = capsys.readouterr()
    assert "no match" not in out.err
    changed = np.abs(cv2.imread("output/dogs.jpg").astype(int) - cv2.imread("images/dogs.jpg")).max(2) > 30
    assert changed[60:200, 200:400].mean() > 0.3  # where the cup is
    assert main(["--model_path", "fastsam-tiny", "--text_prompt", "an elephant"]) == 0
    assert "text 0: no match" in capsys.readouterr().err


def test_words_without_the_encoder_say_what_to_install(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastsam.words import minilm, offline

    offline.shares_of.cache_clear()
    minilm.load.cache_clear()
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    assert main(["--model_path", "fastsam-tiny", "--conf", "0.05", "--text_prompt", "cup"]) == 2
    assert "pip install" in capsys.readouterr().err


def test_the_script_is_a_module_too(place: Path) -> None:
    words = ["-m", "fastsam.compat.inference", "--imgsz", "224", "--output", "elsewhere"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path("elsewhere/dogs.jpg").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--img_path", "none.jpg"], "none.jpg: there is no such file"),
        (["--model_path", "none.pt"], "unknown model 'none.pt'"),
        (["--box_prompt", "[1,2,3]"], "--box_prompt must be x,y,w,h"),
        (["--box_prompt", "[5,5,0,9]"], "has no area"),
        (["--point_prompt", "[[5,5]]", "--point_label", "[1,1]"], "2 labels for the 1 points"),
        (["--point_prompt", "[[900,5]]", "--point_label", "[1]"], "lies outside the photo"),
        (["--output", "./images/"], "would replace the photo itself"),
    ],
)
def test_a_mistake_is_one_line(place: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str) -> None:
    assert main(["--imgsz", "96", *words]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["--box_prompt", "__import__('os')"], ["--retina", "maybe"], ["--point_label", "[[]]"]]
)
def test_what_is_no_value_is_refused_by_its_flag(
    place: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert f"argument {words[0]}" in capsys.readouterr().err


def test_a_prompt_that_nothing_matches_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--imgsz", "96", "--box_prompt", "[[0,0,3,3]]"]) == 0
    assert "box 0: no match" in capsys.readouterr().err


def test_results_of_another_photo_are_refused(model: FastSAM, examples: Path) -> None:
    results = model(examples / "coffee.png", imgsz=64)
    assert len(FastSAMPrompt(examples / "coffee.png", [results]).everything_prompt()) == len(results)
    with pytest.raises(UsageError, match="not to this photo"):
        FastSAMPrompt(np.zeros((9, 9, 3), np.uint8), results)
    with pytest.raises(UsageError, match="one photo, not of 2"):
        FastSAMPrompt(examples / "coffee.png", [results, results])
    with pytest.raises(UsageError, match="needs bbox"):
        FastSAMPrompt(examples / "coffee.png", results).box_prompt()


def test_points_on_two_objects_mean_both(make_segments: Callable[..., Segments]) -> None:
    pair = make_segments((100, 160), [(10, 10, 60, 90), (100, 10, 150, 90), (0, 0, 160, 50)], [0.9, 0.8, 0.7])

    def indices(points: list[tuple[float, float]], labels: list[int] | None) -> list[int | None]:
        return [c.index for c in answer_points(pair, points, labels)]

    assert indices([(30, 70), (120, 70)], None) == [0, 1]
    assert indices([(30, 30), (120, 30)], None) == [2]  # one mask holds both
    assert indices([(30, 30), (120, 30), (80, 30)], [1, 1, 0]) == [0, 1]


def test_flat_and_nested_lists_are_rows() -> None:
    assert nested([1, 2]) == [(1.0, 2.0)]
    assert nested(((1, 2), (3, 4))) == [(1.0, 2.0), (3.0, 4.0)]
    assert nested([]) == nested(np.zeros((0, 4))) == nested([[]]) == []
    for bad in (5, [[[1, 2]]], ["ab"], [[1, 2], [3]]):
        with pytest.raises(UsageError, match="points and boxes must be lists"):
            nested(bad)


def test_smoothing_closes_pin_holes_and_opens_specks() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:40, 10:40] = True
    mask[20, 20] = False
    mask[50:52, 50:52] = True
    cleaned = smoothed(mask)
    assert cleaned[20, 20]
    assert not cleaned[45:, 45:].any()
    assert (labels_of((60, 60), [mask], smooth=True) > 0).sum() == cleaned.sum()
    with pytest.raises(UsageError, match=r"mask 0 has shape \(60, 60\)"):
        labels_of((60, 61), [mask])


def test_drawing_takes_what_scripts_pass(place: Path, model: FastSAM) -> None:
    ask = FastSAMPrompt("images/dogs.jpg", model("images/dogs.jpg", imgsz=96, conf=0.05))
    masks = ask.everything_prompt()
    ask.plot(masks, "a.jpg", None, np.array([[5, 5], [9, 9]]), np.array([1, 0]), True, True, False, True)
    ask.plot(masks, "no suffix", bboxes=[], points=[])
    assert cv2.imread("no suffix").shape == (400, 600, 3)
    with pytest.raises(UsageError, match="1 labels given for 2 points"):
        ask.plot(masks, "b.jpg", points=[[1, 1], [2, 2]], point_label=[1])
    with pytest.raises(UsageError, match="is a folder"):
        ask.plot(masks, "./images/")


def test_a_point_in_the_corner_is_a_point_beside_others(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--imgsz", "96", "--point_prompt", "[[0,0],[300,160]]", "--point_label", "[1,1]"]) == 0


def test_the_published_classes_choose_unless_drawing_is_asked_for(model: FastSAM, examples: Path) -> None:
    segments = model(examples / "coffee.png")
    assert segments.photo is not None
    boxes, points, labels = [(180, 10, 430, 250), (10, 10, 90, 80)], [(300, 200), (30, 380)], [1, 0]
    wanted = [pick.index for pick in segments.select(boxes=boxes, refine=False)]
    (together,) = segments.select(points=points, labels=labels, refine=False)
    decoder = FastSAMDecoder(model)
    decoder.image = np.array(segments.photo)
    prompt = FastSAMPrompt(examples / "coffee.png", segments)
    for by_box, by_points in (
        (prompt.box_prompt(bboxes=boxes), prompt.point_prompt(points, labels)),
        (
            decoder.run_decoder(segments, box_prompt=boxes),
            decoder.run_decoder(segments, point_prompt=points, point_label=labels),
        ),
    ):
        assert by_box.prompts.tolist() == [k for k, index in enumerate(wanted) if index is not None]
        for mask, k in zip(by_box, by_box.prompts, strict=True):
            np.testing.assert_array_equal(mask, segments.masks[wanted[k]])
        np.testing.assert_array_equal(by_points[0], together.mask)


def test_the_published_classes_draw_if_that_is_asked_for(
    rule: Callable[..., Refiner],
    model: FastSAM,
    disk: tuple[np.ndarray, np.ndarray],
    nothing_found: Callable[[np.ndarray], Segments],
) -> None:
    photo, truth = disk
    segments = nothing_found(photo)
    decoder = FastSAMDecoder(model, refine=rule())
    decoder.image = photo
    prompt = FastSAMPrompt(photo, segments, refine=rule())
    for (mask,) in (
        prompt.box_prompt(bbox=[30, 20, 91, 81]),
        prompt.point_prompt([[60, 50], [150, 110]], [1, 0]),
        decoder.run_decoder(segments, box_prompt=[30, 20, 91, 81]),
        decoder.run_decoder(segments, point_prompt=[[60, 50]], point_label=[1]),
    ):
        assert ((mask > 0) & truth).sum() > 0.9 * ((mask > 0) | truth).sum()
    assert not FastSAMPrompt(photo, segments, refine=rule(blind=True)).box_prompt(bbox=[30, 20, 91, 81]).any()
    assert FastSAMPrompt(photo, segments, refine=True).box_prompt(bbox=[30, 20, 91, 81]).shape == (1, 120, 160)
    with pytest.raises(UsageError, match="lies outside the photo"):
        prompt.box_prompt(bbox=[200, 20, 220, 40])


@pytest.mark.parametrize(
    "words", [[], ["--box_prompt", "[200,20,220,220]"], ["--point_prompt", "[[300,160]]", "--point_label", "[1]"]]
)
def test_the_script_draws_with_its_flag_only(
    place: Path, monkeypatch: pytest.MonkeyPatch, rule: Callable[..., Refiner], words: list[str]
) -> None:
    network = rule()
    for home in ("fastsam.segments.asking.shared", "fastsam.model.shared"):
        monkeypatch.setattr(home, lambda *_: network)
    pictures = []
    for flag in ([], ["--refine", "False"], ["--refine"]):
        assert main(["--conf", "0.05", "--imgsz", "224", *words, *flag]) == 0
        pictures.append(cv2.imread("output/dogs.jpg"))
        assert (network.session.seen > 0) == (flag == ["--refine"])
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_masks_have_the_types_that_published_code_works_with(ask: FastSAMPrompt) -> None:
    boxes = ask.box_prompt(bboxes=[[10, 10, 60, 90], [0, 0, 5, 5], [100, 10, 150, 90]])
    assert (boxes.dtype, boxes.shape, boxes.prompts.tolist()) == (np.float32, (2, 100, 160), [0, 2])
    turned = cv2.rotate(boxes[0], cv2.ROTATE_90_CLOCKWISE)  # which refuses bool
    assert turned.shape == (160, 100)
    everything = ask.everything_prompt().cpu().numpy()
    assert (everything.dtype, everything.shape) == (np.uint8, (2, 100, 160))
    assert type(everything) is np.ndarray
    points = ask.point_prompt(points=[[30, 70]], pointlabel=[1])
    assert points.dtype == bool
    np.testing.assert_array_equal(ask.results[0].masks.data, everything)
    np.testing.assert_array_equal(ask.point_prompt(np.array([[30, 70]]), np.array([1])), points)


def test_no_match_is_no_row(ask: FastSAMPrompt) -> None:
    for stack in (
        ask.box_prompt(bbox=[0, 0, 5, 5]),
        ask.box_prompt(bboxes=[[0, 0, 5, 5], [70, 0, 75, 5]]),
        ask.box_prompt(bboxes=np.zeros((0, 4))),
        ask.box_prompt(bboxes=[]),
        ask.point_prompt(points=[[80, 95]], pointlabel=[1]),
        ask.point_prompt(points=[[30, 70]], pointlabel=[0]),
        ask.point_prompt(points=[], pointlabel=[]),
    ):
        assert stack.shape == (0, 100, 160)
        assert stack.prompts.tolist() == []
        assert ask.plot_to_result(stack).shape == (100, 160, 3)


def test_pictures_are_drawn_of_all_that_published_calls_return(ask: FastSAMPrompt, tmp_path: Path) -> None:
    masks = ask.everything_prompt()
    wanted = ask.plot_to_result(masks)
    for annotations in (list(masks), [{"segmentation": mask == 1} for mask in masks], ask.results, ask.results[0]):
        np.testing.assert_array_equal(ask.plot_to_result(annotations), wanted)
    ask.plot(annotations=masks, output=str(tmp_path / "out"), with_contours=False)
    assert cv2.imread(str(tmp_path / "out" / "image0.jpg")).shape == (100, 160, 3)
    with pytest.raises(UsageError, match="output_path="):
        ask.plot(masks)
    with pytest.raises(UsageError, match="not None"):
        ask.plot_to_result(None)


@pytest.fixture
def ask(make_segments: Callable[..., Segments]) -> FastSAMPrompt:
    """Two masks on a photo of 160 x 100 pixels."""
    pair = make_segments((100, 160), [(10, 10, 60, 90), (100, 10, 150, 90)], [0.9, 0.8])
    return FastSAMPrompt(np.full((100, 160, 3), 60, np.uint8), pair)
