"""The second network's trainer: what its samples show, what its losses ask for, and that a run resumes exactly."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.network.refine import RefineNetwork  # noqa: E402
from fastsam.refine import maps as m  # noqa: E402
from fastsam.training import checkpoint  # noqa: E402
from fastsam.training.data import AnnotatedPhoto, Cutout, Region  # noqa: E402
from fastsam.training.refine import prompts, scenes  # noqa: E402
from fastsam.training.refine.config import make_config  # noqa: E402
from fastsam.training.refine.last import SHARED, last_mask  # noqa: E402
from fastsam.training.refine.loop import samples_of, train  # noqa: E402
from fastsam.training.refine.losses import iou, losses  # noqa: E402
from fastsam.training.refine.prompts import Habits, next_click  # noqa: E402
from fastsam.training.refine.scenes import Policy  # noqa: E402

CPU = torch.device("cpu")
PLAIN = Policy(pasted=0, hidden=0, rotate=0, colour=0, blur=0)
SMALL: dict[str, Any] = {
    "sizes": [64], "shares": [1], "batch": 2, "photos": 8, "warmup": 4, "precision": "float32", "frozen": 0,
}  # fmt: skip


def photo_of(mask: np.ndarray, name: str = "set/a.png") -> AnnotatedPhoto:
    """A grey photo on which a mask is white."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    own = mask[y0:y1, x0:x1]
    region = Region((int(x0), int(y0)), own.shape, np.packbits(own, axis=1), float(own.mean()), 1.0, False)
    pixels = np.where(mask[..., None], 255, 90).astype(np.uint8).repeat(3, 2)
    return AnnotatedPhoto(name, pixels, (region,), True)


def disc(size: int, x: float, y: float, radius: float) -> np.ndarray:
    ys, xs = np.mgrid[:size, :size] + 0.5
    return np.asarray((xs - x) ** 2 + (ys - y) ** 2 < radius**2)


@pytest.fixture
def source() -> scenes.Material:
    return scenes.material([photo_of(disc(200, 90, 110, 40))], (), (), {})


@pytest.mark.parametrize("clicked", [False, True])
def test_a_scenes_mask_lies_on_the_thing_that_its_pixels_show(source: scenes.Material, clicked: bool) -> None:
    for seed in range(12):
        scene = scenes.draw(source, 96, clicked, PLAIN, np.random.default_rng(seed))
        shown = scene.pixels[..., 0] > 172
        wrong = np.count_nonzero(shown != (scene.mask > 127)) / shown.size
        assert wrong < 0.02
        if clicked:
            x, y = scene.click
            assert scene.mask[int(y), int(x)] > 127


def test_a_thing_that_reaches_beyond_its_crop_is_counted_whole(source: scenes.Material) -> None:
    close = Policy(pasted=0, hidden=0, rotate=0, colour=0, blur=0, around=(0.6, 0.6))
    for seed in range(6):
        scene = scenes.draw(source, 96, True, close, np.random.default_rng(seed))
        whole = np.pi / 4 * (96 / 0.6) ** 2
        assert np.count_nonzero(scene.mask > 127) + scene.beyond == pytest.approx(whole, rel=0.05)
        assert scene.beyond > 0.2 * whole


def test_what_is_pasted_hides_what_lies_beneath_it(source: scenes.Material) -> None:
    red = np.zeros((50, 50, 4), np.uint8)
    red[..., 0], red[..., 3] = 255, 255
    both = scenes.Material(source.photos, [Cutout(red)], (), source.regions, source.chances)
    hiding = Policy(pasted=0, hidden=1, rotate=0, colour=0, blur=0, cut=0)
    covered = 0
    for seed in range(12):
        scene = scenes.draw(both, 96, False, hiding, np.random.default_rng(seed))
        red_now = (scene.pixels[..., 0] > 200) & (scene.pixels[..., 1] < 80)
        assert not (red_now & (scene.mask > 200)).any()
        covered += int(red_now.any())
    assert covered > 4


def test_a_pasted_thing_has_the_mask_of_its_alpha() -> None:
    red = np.zeros((60, 30, 4), np.uint8)
    red[..., 0] = 255
    red[5:55, 5:25, 3] = 255
    source = scenes.material([photo_of(disc(200, 90, 110, 40))], [Cutout(red)], (), {})
    policy = Policy(pasted=1, cut=0, hidden=0, rotate=0, colour=0, blur=0)
    for seed in range(8):
        scene = scenes.draw(source, 96, False, policy, np.random.default_rng(seed))
        shown = (scene.pixels[..., 0] > 200) & (scene.pixels[..., 1] < 60)
        assert not ((scene.mask > 250) & ~shown).any()


def test_rough_masks_are_shares_that_still_mean_something(source: scenes.Material) -> None:
    worst = 1.0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scene = scenes.draw(source, 96, False, PLAIN, rng)
        rough, truth = prompts.rough(scene, rng), m.shares_of(scene.mask)
        assert rough.shape == truth.shape
        assert rough.min() >= 0
        assert rough.max() <= 1
        a, b = rough > 0.5, truth > 0.5
        worst = min(worst, np.count_nonzero(a & b) / np.count_nonzero(a | b))
    assert worst < 0.8  # a network that only copies them would learn nothing


@pytest.mark.parametrize(
    "kind",
    [prompts.BOX, prompts.BOX_AND_MASK, prompts.BOX_AND_CLICK, prompts.MASK, prompts.LAST, prompts.CLICK],
)
def test_a_prompt_says_what_its_kind_says_and_nothing_else(source: scenes.Material, kind: str) -> None:
    rng = np.random.default_rng(3)
    scene = scenes.draw(source, 96, kind == prompts.CLICK, PLAIN, rng)
    said = prompts.draw(scene, kind, Habits(), rng).any((1, 2))
    assert said[m.BOX] == (kind in (prompts.BOX, prompts.BOX_AND_MASK, prompts.BOX_AND_CLICK))
    assert said[m.MASK] == (kind in (prompts.BOX_AND_MASK, prompts.MASK, prompts.LAST))
    assert said[m.POSITIVE] == (kind in (prompts.CLICK, prompts.BOX_AND_CLICK))
    assert not said[m.NEGATIVE]


@pytest.mark.parametrize("kind", [prompts.BOX_AND_MASK, prompts.MASK])
def test_a_rough_mask_may_come_with_a_click_on_the_thing(source: scenes.Material, kind: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        scene = scenes.draw(source, 96, False, PLAIN, rng)
        click = prompts.draw(scene, kind, Habits(pointed=1.0), rng)[m.POSITIVE]
        assert click.any()
        assert m.shares_of(scene.mask)[click > 0].max() > 0.5


def test_the_last_frames_mask_differs_from_this_ones_but_meets_it(source: scenes.Material) -> None:
    alike = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scene = scenes.draw(source, 96, False, PLAIN, rng)
        a, b = last_mask(scene, rng) > 0.5, m.shares_of(scene.mask) > 0.5
        alike.append(np.count_nonzero(a & b) / np.count_nonzero(a | b))
    assert min(alike) > SHARED
    assert np.median(alike) < 0.95
    assert np.median(alike) > 0.6


def test_the_last_frame_may_show_what_is_hidden_now(source: scenes.Material) -> None:
    whole = m.shares_of(np.asarray(disc(96, 48, 48, 30) * 255, np.uint8))
    hidden = np.asarray(disc(96, 48, 48, 30) * 255, np.uint8)
    bare = hidden.copy()
    hidden[:, 52:] = 0
    scene = scenes.Scene(np.zeros((96, 96, 3), np.uint8), hidden, None, before=bare)
    shown = [last_mask(scene, np.random.default_rng(seed))[:, 30:].sum() / whole[:, 30:].sum() for seed in range(30)]
    assert 8 <= sum(share > 0.5 for share in shown) <= 24


def test_new_habits_leave_the_samples_of_earlier_runs_as_they_were() -> None:
    assert Habits().kind(0.6501) == prompts.CLICK
    assert [Habits(last=0.2).kind(chance) for chance in (0.64, 0.66, 0.86)] == [prompts.MASK, prompts.LAST, "click"]


def test_a_twin_lies_beside_a_pasted_thing_and_is_not_its_mask() -> None:
    red = np.zeros((40, 40, 4), np.uint8)
    red[..., 0], red[..., 3] = 255, 255
    source = scenes.material([photo_of(disc(200, 90, 110, 40))], [Cutout(red)], (), {})
    policy = Policy(pasted=1, cut=0, hidden=0, rotate=0, colour=0, blur=0, twins=1, context=(2.2, 2.2))
    more = 0
    for seed in range(8):
        scene = scenes.draw(source, 96, False, policy, np.random.default_rng(seed))
        more += np.count_nonzero((scene.pixels[..., 0] > 200) & (scene.pixels[..., 1] < 60) & (scene.mask < 10)) > 200
    assert more > 4


def test_a_pair_is_the_thing_and_what_touches_it_but_nothing_else() -> None:
    left, right, far = disc(240, 60, 60, 30), disc(240, 118, 60, 29), disc(240, 180, 60, 15)
    photo = replace(photo_of(left), regions=tuple(photo_of(mask).regions[0] for mask in (left, right, far)))
    both = scenes.with_neighbour(photo, photo.regions[0], np.random.default_rng(0))
    assert both.offset == photo.regions[0].offset
    assert both.shape[1] > photo.regions[0].shape[1] + photo.regions[1].shape[1] - 8
    assert scenes.with_neighbour(photo, photo.regions[2], np.random.default_rng(0)) is photo.regions[2]


def test_a_pasted_pair_is_one_mask_of_both_colours() -> None:
    items = []
    for channel in (0, 1):
        item = np.zeros((40, 40, 4), np.uint8)
        item[..., channel], item[..., 3] = 255, 255
        items.append(Cutout(item))
    source = scenes.material([photo_of(disc(200, 90, 110, 40))], items, (), {})
    policy = Policy(pasted=1, cut=0, hidden=0, rotate=0, colour=0, blur=0, pairs=1, context=(2.2, 2.2))
    mixed = 0
    for seed in range(12):
        scene = scenes.draw(source, 96, False, policy, np.random.default_rng(seed))
        inside = scene.pixels[scene.mask > 200].astype(int)
        mixed += bool((inside[:, 0] > 200).any() and (inside[:, 1] > 200).any())
    assert mixed >= 2


def test_motion_smears_a_point_into_a_line_and_keeps_its_light() -> None:
    pixels = np.zeros((33, 33, 3), np.uint8)
    pixels[16, 16] = 250
    level = scenes.smeared(pixels, 10, 0.0)[..., 0]
    assert np.flatnonzero(level.any(1)).tolist() == [16]
    assert 9 <= np.count_nonzero(level[16]) <= 12
    assert int(level.sum()) == pytest.approx(250, abs=8)


def test_the_next_click_falls_into_the_larger_error() -> None:
    truth = np.zeros((40, 40), bool)
    truth[10:30, 10:30] = True
    found = truth.copy()
    found[10:30, 10:16] = False  # a strip is missing
    found[0:3, 0:3] = True  # a speck is too much
    rng = np.random.default_rng(0)
    x, y, positive = next_click(found, truth, rng)
    assert positive
    assert truth[int(y), int(x)]
    assert not found[int(y), int(x)]
    found[:, 30:40] = True  # now there is more too much
    x, y, positive = next_click(found, truth, rng)
    assert not positive
    assert not truth[int(y), int(x)]
    assert next_click(truth, truth, rng) is None


def test_a_click_is_learnt_by_the_mask_that_fits_best_and_a_box_by_the_first() -> None:
    truth = torch.zeros(1, 16, 16)
    truth[:, 4:12, 4:12] = 1
    good, bad = 8 * truth - 4, torch.full_like(truth, -4.0)
    logits = torch.stack((bad, bad, good, bad), 1)
    zero = torch.zeros(1)
    click = losses(logits, torch.zeros(1, 4), truth, torch.tensor([True]), zero)
    box = losses(logits, torch.zeros(1, 4), truth, torch.tensor([False]), zero)
    assert click["several"] < 0.2 * click["one"]
    assert box["several"] == 0


def test_the_predicted_quality_aims_at_the_iou_with_the_whole_thing() -> None:
    truth = torch.ones(1, 8, 8)
    logits = torch.full((1, 4, 8, 8), 5.0)
    assert iou(logits, truth, torch.tensor([64.0]))[0, 0] == pytest.approx(0.5)
    sure = torch.logit(torch.tensor([[0.5, 0.5, 0.5, 0.5]]))
    right = losses(logits, sure, truth, torch.tensor([False]), torch.tensor([64.0]))["quality"]
    wrong = losses(logits, sure + 3, truth, torch.tensor([False]), torch.tensor([64.0]))["quality"]
    assert right == pytest.approx(0, abs=1e-4)
    assert wrong > 0.1


def test_set_weights_name_sets_or_the_beginnings_of_names() -> None:
    photos = [
        photo_of(disc(50, 25, 25, 10), name) for name in ("a/red-1.png", "a/red-2.png", "a/blue-1.png", "b/x.png")
    ]
    found = scenes.material(photos, (), (), {"a/red": 3.0, "b": 0.0})
    assert found.chances == pytest.approx([1.5 / 4, 1.5 / 4, 1 / 4, 0])


def test_sample_number_i_is_a_function_of_the_seed_and_of_i(make_set: Callable[..., Path]) -> None:
    config = make_config({**SMALL, "sizes": [64, 96], "shares": [1, 1], "data": [str(make_set())]})
    one, other = samples_of(config), samples_of(config)
    for i in (5, 0, 3):
        assert np.array_equal(one[i].pixels, other[i].pixels)
        assert np.array_equal(one[i].maps, other[i].maps)
    assert {one[i].pixels.shape[0] for i in range(24)} == {64, 96}
    assert all(one[2 * k].pixels.shape == one[2 * k + 1].pixels.shape for k in range(12))


def finish_run(config: Any, folder: Path, **options: Any) -> dict[str, Any]:
    for _ in train(config, folder, CPU, workers=0, **options):
        pass
    return checkpoint.load(folder / "last.pt")


def test_a_run_that_was_stopped_resumes_exactly(make_set: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config({**SMALL, "data": [str(make_set())]})
    straight = finish_run(config, tmp_path / "straight")
    for number, _ in enumerate(train(config, tmp_path / "stopped", CPU, 0, log_every=1, save_every=0), 1):
        if number == 2:
            break  # as a kill would
    resumed = finish_run(config, tmp_path / "stopped", log_every=1)
    assert resumed["step"] == straight["step"] == 4
    for name, value in straight["network"].items():
        assert torch.equal(value, resumed["network"][name]), name


def test_a_run_starts_from_another(make_set: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config({**SMALL, "data": [str(make_set())]})
    finish_run(config, tmp_path / "first")
    more = make_config({**SMALL, "photos": 2, "data": [str(make_set())], "start": str(tmp_path / "first" / "final.pt")})
    assert finish_run(more, tmp_path / "second")["step"] == 1
    wrong = make_config({**SMALL, "data": [str(make_set())], "start": str(tmp_path / "nowhere.pt")})
    with pytest.raises(ValueError, match=r"nowhere\.pt"):
        finish_run(wrong, tmp_path / "third")


@pytest.mark.parametrize(
    "setting",
    [{"sizes": [100]}, {"sizes": []}, {"shares": [1, 2]}, {"shares": [-1]}, {"clicks": -1}, {"habits": {"habit": 1}}],
)
def test_a_setting_that_makes_no_sense_is_one_line(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting)).removesuffix("s")):
        make_config({**SMALL, **setting})


def test_the_networks_answer_depends_on_each_map() -> None:
    torch.manual_seed(0)
    network = RefineNetwork(frozen=0).eval()
    images, nothing = torch.rand(1, 3, 64, 64), torch.zeros(1, 4, 32, 32)
    with torch.no_grad():
        plain, quality = network(images, nothing)
        assert plain.shape == (1, 4, 32, 32)
        assert quality.shape == (1, 4)
        for k in range(4):
            said = nothing.clone()
            said[:, k, 8:24, 8:24] = 1
            assert not torch.allclose(network(images, said)[0], plain, atol=1e-4)


def test_the_exported_network_answers_as_the_trained_one(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from fastsam.export.graphs import content_of
    from fastsam.export.refine import to_onnx
    from fastsam.refine.network import load

    torch.manual_seed(1)
    network = RefineNetwork(frozen=0).eval()
    for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        torch.nn.init.uniform_(norm.weight, 0.8, 1.2)
        torch.nn.init.uniform_(norm.running_mean, -0.2, 0.2)
        torch.nn.init.uniform_(norm.running_var, 0.8, 1.2)
    file = tmp_path / "refine.onnx"
    file.write_bytes(content_of(to_onnx(network)))
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (side, side, 3)).astype(np.uint8) for side in (96, 64, 96)]
    said = [rng.normal(size=(4, len(i) // 2, len(i) // 2)).astype(np.float32) for i in images]
    logits, quality = load(file, threads=1).run(images, said)
    for image, own, drawn, judged in zip(images, said, logits, quality, strict=True):
        with torch.no_grad():
            pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
            theirs, rated = network(pixels, torch.from_numpy(own)[None])
        np.testing.assert_allclose(drawn, theirs[0, 0].numpy(), atol=2e-3)
        np.testing.assert_allclose(judged, rated[0, 0].sigmoid().numpy(), atol=1e-3)
