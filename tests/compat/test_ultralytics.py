"""Ultralytics' call and results."""

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM as OwnFastSAM
from fastsam import Segments, UsageError
from fastsam.compat import FastSAM, FastSAMPredictor, Results
from fastsam.compat.answers import gathered
from fastsam.compat.ultralytics import answers, groups
from fastsam.masks import rle
from fastsam.masks.drawn import Drawn
from fastsam.refine.network import Refiner


def test_its_answer_for_the_fixture_is_found_again(fixtures: Path, examples: Path) -> None:
    golden = json.loads((fixtures / "port-tiny.json").read_text())
    ask = {name: golden[name] for name in ("imgsz", "conf", "iou", "max_det")}
    (result,) = FastSAM(fixtures / "port-tiny.pt")(examples / "coffee.png", retina_masks=True, device="cpu", **ask)
    assert len(result) == len(golden["scores"]) > 3
    np.testing.assert_allclose(result.boxes.xyxy, golden["boxes"], atol=1)
    np.testing.assert_allclose(result.boxes.conf, golden["scores"], atol=2e-3)
    assert result.orig_shape == (400, 600)
    for mask, expected in zip(result.masks.data, golden["masks"], strict=True):
        theirs = rle.decode(expected)
        assert ((mask > 0) & theirs).sum() >= 0.98 * ((mask > 0) | theirs).sum()


def test_every_kind_of_source_is_taken(examples: Path, tmp_path: Path) -> None:
    from PIL import Image

    model = FastSAM()
    bgr = cv2.imread(str(examples / "coffee.png"))
    (tmp_path / "folder").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "folder" / name), bgr)
    expected = model(examples / "coffee.png", imgsz=96)[0].boxes.xyxy
    one = [bgr, Image.open(examples / "coffee.png"), str(tmp_path / "folder" / "a.png")]
    two = [tmp_path / "folder", str(tmp_path / "folder" / "*.png")]
    for source, count in [*((s, 1) for s in one), *((s, 2) for s in two), (one, 3)]:
        results = model.predict(source, imgsz=96)
        assert len(results) == count
        for result in results:
            np.testing.assert_array_equal(result.boxes.xyxy, expected)
            np.testing.assert_array_equal(result.orig_img, bgr)


def test_chosen_prompts_have_an_answer_each(examples: Path) -> None:
    model = FastSAM()
    (every,) = model(examples / "coffee.png", imgsz=512, conf=0.05)
    box = every.boxes.xyxy[0].tolist()
    ask = {"bboxes": [box, [0, 0, 3, 3]], "points": [300, 160], "refine": False}
    (result,) = model(examples / "coffee.png", imgsz=512, conf=0.05, **ask)
    assert result.prompts is not None
    for mask, one, conf in zip(result.masks.data, result.boxes.xyxy, result.boxes.conf, strict=True):
        (k,) = np.flatnonzero((every.boxes.xyxy == one).all(1) & (every.boxes.conf == conf))
        np.testing.assert_array_equal(mask, every.masks.data[k])  # one of those of everything mode, untouched
    assert result.prompts[0] == 0
    assert 1 not in result.prompts
    assert result.prompts[-1] == 2
    assert result.masks.data[-1][160, 300] == 1


def test_points_are_grouped_as_they_are_nested() -> None:
    assert list(groups([5, 6], 1)) == [([(5.0, 6.0)], [1])]
    assert list(groups([[5, 6], [7, 8]], [1, 0])) == [([(5.0, 6.0), (7.0, 8.0)], [1, 0])]
    assert list(groups([[[5, 6], [7, 8]], [[1, 2]]], [[1, 0], [1]])) == [
        ([(5.0, 6.0), (7.0, 8.0)], [1, 0]),
        ([(1.0, 2.0)], [1]),
    ]
    with pytest.raises(UsageError, match="1 lists of labels given for 2 lists of points"):
        list(groups([[[5, 6]], [[1, 2]]], [[1]]))
    assert list(groups([[5, 6]], [[1]])) == [([(5.0, 6.0)], [1])]
    for points, labels in ((5, None), ("ab", None), ([5, 6], ["a"]), ([5, 6], 0.5)):
        with pytest.raises(UsageError):
            list(groups(points, labels))


def test_results_have_the_frames_people_use(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 160), [(40.0, 20.0, 80.0, 70.0), (90.0, 10.0, 150.0, 90.0)], [0.9, 0.5])
    result = Results(np.zeros((100, 160, 3), np.uint8), "photo.jpg", segments)
    np.testing.assert_allclose(result.boxes.xywh[0], [60, 45, 40, 50])
    np.testing.assert_allclose(result.boxes.xyxyn[0], [0.25, 0.2, 0.5, 0.7])
    np.testing.assert_allclose(result.boxes.xywhn[0], [0.375, 0.45, 0.25, 0.5])
    np.testing.assert_allclose(result.boxes.data[1], [90, 10, 150, 90, 0.5, 0])
    assert result.names == {0: "object"}
    drawn = cv2.fillPoly(np.zeros((100, 160), np.uint8), [result.masks.xy[0].astype(np.int32)], 1)
    np.testing.assert_array_equal(drawn, result.masks.data[0])
    assert result.masks.xyn[0].max() <= 1
    assert [len(r) for r in result] == [1, 1]
    np.testing.assert_array_equal(result[1].masks.data[0], result.masks.data[1])
    np.testing.assert_array_equal(result[np.array([False, True])].boxes.conf, [0.5])
    assert result.cpu().numpy() is result
    assert [b.conf[0] for b in result.boxes.cpu()] == pytest.approx([0.9, 0.5])
    np.testing.assert_array_equal(next(iter(result.masks.cpu())).data[0], result.masks.data[0])


def test_the_interfaces_fit_together(examples: Path) -> None:
    from fastsam.compat import FastSAMDecoder, FastSAMPrompt, SamAutomaticMaskGenerator, SamPredictor

    model = FastSAM()
    results = model(examples / "coffee.png", imgsz=512, conf=0.05)
    assert len(FastSAMPrompt(examples / "coffee.png", results).everything_prompt()) == len(results[0])
    photo = np.ascontiguousarray(results[0].orig_img[..., ::-1])
    assert len(SamAutomaticMaskGenerator(model).generate(photo)) > 0
    SamPredictor(model).set_image(photo)
    assert len(FastSAMDecoder(model, conf=0.05).run_encoder(photo)) > 0
    with pytest.raises(UsageError, match="results must be what FastSAM returned, not a NoneType"):
        FastSAMPrompt(examples / "coffee.png", None)
    with pytest.raises(UsageError, match="model must be a FastSAM, not a str"):
        SamPredictor("fastsam-tiny")


def test_a_predictor_takes_source_and_stream_beforehand(examples: Path) -> None:
    photo = examples / "coffee.png"
    ask = FastSAMPredictor(overrides={"source": photo, "stream": True, "imgsz": 64})
    assert isinstance(ask(), Iterator)
    assert len(list(ask())) == 1
    assert isinstance(ask(stream=False), list)  # the call's own wins
    assert len(ask([photo, photo], stream=False)) == 2
    assert [len(list(made)) for made in (ask(), ask([photo, photo]))] == [1, 2]


def test_a_model_that_is_loaded_is_taken(examples: Path) -> None:
    own = OwnFastSAM()
    model = FastSAM(own)
    assert model.model is own
    assert (model.device, model.ckpt_path, model.model_name) == ("cpu", "FastSAM", "FastSAM")
    ask = FastSAMPredictor()
    ask.setup_model(own)
    assert (ask.model.model, ask.model.model_name) == (own, "FastSAM")
    ask.setup_model(model)
    assert ask.model is model


def test_keywords_without_effect_are_taken_and_unknown_ones_refused(examples: Path) -> None:
    model, photo = FastSAM(), examples / "coffee.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(photo, imgsz=(48, 64), verbose=False, half=True, retina_masks=False, show=False, save=False)
    with pytest.warns(UserWarning, match="without effect here: augment"):
        model(photo, imgsz=64, augment=True)
    with pytest.raises(UsageError, match="unknown keyword 'bbox': do you mean 'bboxes'"):
        model(photo, bbox=[0, 0, 9, 9])
    for ask, line in (
        ({"conf": "0.4"}, "conf must be a number between 0 and 1, not '0.4'"),
        ({"max_det": 10.0}, "max_det must be an integer of at least 1, not 10.0"),
        ({"classes": "cup"}, "classes must be numbers of classes, such as .* not 'cup'"),
        ({"texts": 5}, "texts must be a list of texts, not 5"),
    ):
        with pytest.raises(UsageError, match=line):
            model(photo, imgsz=64, **ask)
    assert len(model(photo, imgsz=64, conf=np.float32(1), max_det=np.int64(3))[0]) == 0
    for given in ("64", (64, 64, 64), 64.5, (0, 64), 0):
        with pytest.raises(UsageError, match="imgsz"):
            model(photo, imgsz=given)


def test_a_pair_of_sizes_is_height_and_width(examples: Path) -> None:
    """The photo has 400 x 600 pixels; the sides of an input are multiples of 32."""
    model = FastSAM()
    for given, size in (
        ((256, 512), (256, 384)),
        ((512, 256), (192, 256)),
        ([320], (224, 320)),
        (np.int64(320), (224, 320)),
    ):
        (result,) = model(examples / "coffee.png", imgsz=given)
        assert result.segments.masks.source.letterbox.input == size


def test_what_is_not_given_comes_with_the_weights(fixtures: Path, examples: Path) -> None:
    photo = examples / "coffee.png"
    own = OwnFastSAM()(photo)
    assert len(FastSAM()(photo)[0]) == len(own) > 4
    assert len(FastSAM()(photo, conf=0.4)[0]) < len(own)
    port = FastSAM(fixtures / "port-tiny.pt")
    said = port(photo, imgsz=port.model.settings.imgsz, conf=0.25, iou=0.7, max_det=300)
    assert port(photo)[0].segments == said[0].segments


def test_no_prompt_in_a_list_of_prompts_is_an_empty_result(examples: Path) -> None:
    model = FastSAM()
    for ask in (
        {"bboxes": np.zeros((0, 4))},
        {"bboxes": []},
        {"points": []},
        {"points": [], "labels": []},
        {"texts": []},
    ):
        (result,) = model(examples / "coffee.png", imgsz=64, **ask)
        assert len(result) == 0
        assert result.prompts.tolist() == []
        assert result.masks.data.shape == (0, 400, 600)
    (result,) = model(examples / "coffee.png", imgsz=64, points=[[5, 5]], labels=[0])  # a background point alone
    assert len(result) == 0


def test_prompts_may_be_tensors(rule: Callable[..., Refiner], pair: tuple[np.ndarray, np.ndarray]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ask = {"bboxes": [[100.0, 30, 141, 71]], "points": [[[35, 50]]], "labels": [[1]]}
    as_lists, as_tensors = (
        FastSAM()(pair[0], imgsz=96, refine=rule(), **given)[0]
        for given in (ask, {kind: torch.tensor(values) for kind, values in ask.items()})
    )
    assert as_lists.prompts.tolist() == as_tensors.prompts.tolist() == [0, 1]
    np.testing.assert_array_equal(as_lists.masks.data, as_tensors.masks.data)


def test_a_model_says_what_and_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    model = FastSAM()
    assert model.fuse().eval().half().float().cpu() is model
    assert (model.device, model.task, model.names) == ("cpu", "segment", {0: "object"})
    line = model.info()
    assert line.startswith("fastsam-tiny: classes object; imgsz 640, conf ")
    assert capsys.readouterr().out == line + "\n"
    with pytest.raises(UsageError, match="unknown device 'abacus'"):
        model.to("abacus")


def test_classes_are_kept_by_number(examples: Path) -> None:
    model = FastSAM()
    assert len(model(examples / "coffee.png", imgsz=224, classes=[0])[0]) > 0
    assert len(model(examples / "coffee.png", imgsz=224, classes=3)[0]) == 0


def test_boxes_and_points_are_drawn_by_default(
    rule: Callable[..., Refiner], pair: tuple[np.ndarray, np.ndarray]
) -> None:
    photo, truth = pair
    left, right = truth & (np.arange(160) < 80), truth & (np.arange(160) >= 80)
    model = FastSAM()
    ask = {"bboxes": [[100, 30, 141, 71], [14, 29, 56, 71]], "points": [[35, 50]], "labels": [1], "imgsz": 96}
    (result,) = model(photo, refine=rule(), conf=1.0, **ask)  # conf=1: the first network finds nothing
    assert result.prompts.tolist() == [0, 1, 2]
    for mask, wanted in zip(result.masks.data, (right, left, left), strict=True):
        assert ((mask > 0) & wanted).sum() > 0.9 * ((mask > 0) | wanted).sum()
    assert (result.masks.data.dtype, result.masks.data.shape) == (np.uint8, (3, 100, 160))
    for mask, box, ring in zip(result.masks.data, result.boxes.xyxy, result.masks.xy, strict=True):
        rows, columns = np.nonzero(mask)
        assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_array_equal(cv2.fillPoly(np.zeros_like(mask), [ring.astype(np.int32)], 1), mask)
    assert result.boxes.conf[:2] == pytest.approx([0.9] * 2)  # as it was told; a click's depends on more
    assert 0.5 < result.boxes.conf[2] <= 0.9
    assert result.boxes.cls.tolist() == [0, 0, 0]
    assert result.boxes.data.shape == (3, 6)
    np.testing.assert_array_equal(result.orig_img, photo)
    assert (result.plot() != photo).any()
    assert result[1].prompts.tolist() == [1]
    np.testing.assert_array_equal(result[1].masks.data[0], result.masks.data[1])
    assert set(result.speed) == {"preprocess", "inference", "postprocess"}
    assert all(result.speed.values())
    assert isinstance(result.segments.masks.source, Drawn)
    for options in ({}, {"refine": True}):
        (bundled,) = model(photo, **options, **ask)
        assert all(bundled.segments.masks.areas > 0)
        assert isinstance(bundled.segments.masks.source, Drawn)
    (none,) = model(photo, refine=rule(blind=True), **ask)
    assert len(none) == 0
    assert none.masks.data.shape == (0, 100, 160)


def test_everything_is_drawn_only_if_that_is_asked_for(examples: Path, rule: Callable[..., Refiner]) -> None:
    model = FastSAM()
    plain, default, drawn = (
        model(examples / "coffee.png", imgsz=160, **options)[0]
        for options in ({"refine": False}, {}, {"refine": rule()})
    )
    np.testing.assert_array_equal(plain.masks.data, default.masks.data)
    np.testing.assert_array_equal(plain.boxes.conf, default.boxes.conf)
    assert isinstance(drawn.segments.masks.source, Drawn)
    assert drawn.prompts is None


def test_two_clicks_that_no_drawing_holds_together_are_drawn_one_by_one(
    rule: Callable[..., Refiner], pair: tuple[np.ndarray, np.ndarray], nothing_found: Callable[[np.ndarray], Segments]
) -> None:
    photo, truth = pair
    segments, held = nothing_found(photo), rule(held=True)
    found, prompts = answers(segments, None, [[35, 50], [120, 50]], [1, 1], None, held)
    assert prompts.tolist() == [0, 0]
    union = found.masks[0] | found.masks[1]
    assert not (found.masks[0] & found.masks[1]).any()
    assert (union & truth).sum() > 0.9 * (union | truth).sum()
    found, _ = answers(segments, None, [[35, 50], [40, 55], [120, 50]], [1, 1, 0], None, held)
    assert len(found) == 1
    assert found.masks[0][50, 35]
    assert not found.masks[0][50, 120]
    found, _ = answers(segments, None, [[35, 50], [38, 52], [120, 50]], None, None, held)
    assert len(found) == 2  # the drawings of the first two are one


def test_chosen_and_drawn_masks_are_one_result_together(
    rule: Callable[..., Refiner], pair: tuple[np.ndarray, np.ndarray]
) -> None:
    photo, truth = pair
    half = truth & (np.arange(160) < 80)
    segments = Segments.from_masks(photo, half[None], scores=[0.4])
    (chosen,) = segments.select(boxes=[(15, 30, 56, 71)], refine=False)
    (drawn,) = segments.select(boxes=[(100, 30, 141, 71)], refine=rule())
    both = gathered(segments, [chosen.candidates[0], drawn.candidates[0]])
    np.testing.assert_array_equal(both.masks[0], half)
    np.testing.assert_array_equal(both.masks[1], drawn.mask)
    assert both.scores == pytest.approx([0.4, 0.9])
    assert both.photo is segments.photo
    assert len(gathered(segments, [])) == 0


@pytest.mark.usefixtures("encoder")
def test_words_are_answered_by_choice_beside_drawn_boxes(examples: Path) -> None:
    (result,) = FastSAM()(examples / "coffee.png", imgsz=512, conf=0.05, bboxes=[180, 10, 430, 250], texts="cup")
    (chosen,) = FastSAM()(examples / "coffee.png", imgsz=512, conf=0.05, texts="cup", refine=False)
    assert result.prompts.tolist() == [0, 1]
    np.testing.assert_array_equal(result.masks.data[1], chosen.masks.data[0])
    np.testing.assert_array_equal(result.boxes.xyxy[1], chosen.boxes.xyxy[0])
