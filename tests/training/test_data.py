"""Sets are read with what they say of completeness, machine-made masks and crowds."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.masks import rle
from fastsam.training.augment import (
    Sample,
    finish,
    hide,
    make_sample,
    paste,
    place_photo,
)
from fastsam.training.config import make_config, read_config
from fastsam.training.data import Cutout, licence_of, load_set, load_sets
from fastsam.training.loader import Samples, collate, probabilities
from fastsam.training.plan import Policy, Window, pasting, place

ROOT = Path(__file__).parents[2]


def test_masks_are_packed_and_unpacked_exactly(make_set: Callable[..., Path]) -> None:
    folder = make_set()
    coco = json.loads((folder / "instances.json").read_text())
    photos = load_set(folder)
    regions = [r for p in photos for r in p.regions]
    assert len(regions) == len(coco["annotations"])
    for region, annotation in zip(regions, coco["annotations"], strict=True):
        mask = rle.decode(annotation["segmentation"])
        (x, y), (h, w) = region.offset, region.shape
        np.testing.assert_array_equal(region.crop() > 0, mask[y : y + h, x : x + w])
        assert mask.sum() == (region.crop() > 0).sum()


def test_completeness_scores_crowds_and_the_holdout_are_respected(make_set: Callable[..., Path]) -> None:
    folder = make_set(3, complete=False)
    file = folder / "instances.json"
    coco = json.loads(file.read_text())
    coco["images"][1]["complete"] = True
    coco["annotations"][0]["score"] = 0.4
    coco["annotations"][1]["score"] = 0.1
    coco["annotations"][2]["iscrowd"] = 1
    file.write_text(json.dumps(coco))
    photos = load_sets([folder], frozenset({f"{folder.name}/2.png"}), min_score=0.25)
    assert [p.complete for p in photos] == [False, True]
    first, second, third = photos[0].regions[:3]
    assert (first.weight, first.ignored) == (0.4, False)
    assert second.ignored
    assert third.ignored


def test_photos_are_chosen_by_their_licences(make_set: Callable[..., Path]) -> None:
    folder = make_set(4)
    content = json.loads((folder / "instances.json").read_text())
    content["licenses"] = [{"id": 1, "name": "CC BY-NC 2.0"}, {"id": 4, "name": "CC BY 2.0"}]
    content["info"]["licence"] = "MIT License"
    for photo, own in zip(content["images"], ({"license": 1}, {"license": 4}, {"licence": "unknown"}, {}), strict=True):
        photo.update(own)
    (folder / "instances.json").write_text(json.dumps(content))
    names = [Path(p.name).stem for p in load_sets([folder], licences=("CC BY 2.0", "MIT"))]
    assert names == ["1", "3"]
    with pytest.raises(ValueError, match="no photo is left"):
        load_sets([folder], licences=("CC0",))


def test_a_folder_without_annotations_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no instances\.json"):
        load_set(tmp_path)


def rendered(sample: Sample, k: int) -> np.ndarray:
    """Pixels of the sample that have the colour at the object's surest place."""
    mask = sample.masks[k]
    row, column = np.unravel_index(
        cv2.distanceTransform((mask > 200).astype(np.uint8), cv2.DIST_L2, 3).argmax(), mask.shape
    )
    colour = sample.pixels[row * 4 + 2, column * 4 + 2].astype(int)
    return np.abs(sample.pixels.astype(int) - colour).max(2) < 12


@pytest.mark.parametrize("seed", range(12))
def test_masks_and_boxes_move_with_the_pixels(make_set: Callable[..., Path], seed: int) -> None:
    photos = load_set(make_set(4, size=(240, 320)))
    rng = np.random.default_rng(seed)
    n = 4 if seed % 2 else 1
    sample = make_sample(photos[:n], [], 320, Policy(colour=0.0), rng)
    assert len(sample.boxes) > 0
    for k in range(len(sample.boxes)):
        goal = sample.masks[k].astype(float) / 255
        if goal.sum() < 40:
            continue  # the blurred border of a small object has no colour of its own
        on = rendered(sample, k).astype(np.uint8) * 255
        x0, y0, x1, y1 = np.round(sample.boxes[k]).astype(int)
        alone = np.zeros_like(on)
        alone[y0:y1, x0:x1] = on[y0:y1, x0:x1]
        share = cv2.resize(alone, (80, 80), interpolation=cv2.INTER_AREA) / 255
        assert np.minimum(share, goal).sum() / np.maximum(share, goal).sum() > 0.8


def test_silence_of_an_incomplete_photo_is_not_background(make_set: Callable[..., Path]) -> None:
    rng = np.random.default_rng(0)
    for complete in (False, True):
        photo = load_set(make_set(1, complete=complete))[0]
        sample = make_sample([photo], [], 160, Policy(zoom=(1.0, 1.0)), rng)
        outside = ~(sample.masks > 0).any(0)
        assert sample.known[(sample.masks > 127).any(0)].all()
        if complete:
            assert sample.known.mean() > 0.95
        else:
            height = photo.pixels.shape[0] * 160 // photo.pixels.shape[1]
            assert not sample.known[outside].all()
            assert sample.known[outside].mean() <= 1 - height / 160 + 0.3


def test_ignored_regions_are_neither_object_nor_background(make_set: Callable[..., Path]) -> None:
    folder = make_set(1)
    coco = json.loads((folder / "instances.json").read_text())
    for annotation in coco["annotations"]:
        annotation["iscrowd"] = 1
    (folder / "instances.json").write_text(json.dumps(coco))
    sample = make_sample(load_set(folder), [], 128, Policy(zoom=(1.0, 1.0)), np.random.default_rng(0))
    assert len(sample.boxes) == 0
    assert 0.02 < (~sample.known).mean() < 0.5


def test_ground_is_unknown_in_whatever_order_its_regions_stand(make_set: Callable[..., Path]) -> None:
    folder = make_set(1)
    coco = json.loads((folder / "instances.json").read_text())
    cup, table = np.zeros((2, 96, 128), bool)
    cup[40:60, 50:70] = True
    table[20:80, 20:110] = True
    for order in ((cup, table), (table, cup)):
        coco["annotations"] = [
            {"id": k, "image_id": 0, "segmentation": rle.encode(mask), "score": 0.1 if mask is cup else 1.0}
            for k, mask in enumerate(order, 1)
        ]
        (folder / "instances.json").write_text(json.dumps(coco))
        (photo,) = load_set(folder, min_score=0.25)
        sample = make_sample([photo], [], 128, Policy(zoom=(1.0, 1.0)), np.random.default_rng(0))
        assert len(sample.boxes) == 1
        assert 16 <= (~sample.known).sum() <= 36  # 25 cells, more or fewer where its border cuts cells


def test_a_set_whose_masks_do_not_fit_its_photos_is_named(make_set: Callable[..., Path]) -> None:
    folder = make_set(1)
    coco = json.loads((folder / "instances.json").read_text())
    coco["annotations"][0]["segmentation"] = rle.encode(np.ones((5, 5), bool))
    (folder / "instances.json").write_text(json.dumps(coco))
    with pytest.raises(ValueError, match=r"0\.png.*annotation 1"):
        load_set(folder)


def test_a_pasted_object_hides_what_lies_beneath(make_set: Callable[..., Path]) -> None:
    photo = load_set(make_set(1, size=(256, 256)))[0]
    canvas, known = np.zeros((256, 256, 3), np.uint8), np.ones((64, 64), bool)
    rng = np.random.default_rng(3)
    below = place_photo(canvas, known, photo, place((256, 256), Window(0, 0, 256, 256), (1.0, 1.0), rng))
    pixels = np.full((100, 100, 4), 255, np.uint8)
    pixels[..., :3] = (250, 10, 250)
    cutout = Cutout(pixels)
    objects = paste(canvas, below, cutout, pasting([cutout], 256, rng))
    assert len(objects) == len(below) + 1
    sample = finish(canvas, known, objects, 100, lottery=0)
    top = sample.masks[-1].astype(int)
    assert top.max() == 255
    assert (sample.masks[:-1].astype(int) + top <= 256).all()
    x0, y0, x1, y1 = sample.boxes[-1].astype(int)
    assert abs(sample.pixels[(y0 + y1) // 2, (x0 + x1) // 2, 1].astype(int) - 10) < 8
    assert hide(below[0], below[0]).crop.max() < 128


def test_a_sample_is_a_function_of_the_seed_and_its_number(make_set: Callable[..., Path]) -> None:
    photos = load_set(make_set())
    samples = [
        Samples(photos, probabilities(photos, {}), [Cutout(np.full((20, 20, 4), 255, np.uint8))], 96, Policy(), 5)
        for _ in range(2)
    ]
    for i in (0, 7, 100):
        for one, two in zip(vars(samples[0][i]).values(), vars(samples[1][i]).values(), strict=True):
            np.testing.assert_array_equal(one, two)
    assert not np.array_equal(samples[0][0].pixels, samples[0][1].pixels)


def test_sets_are_drawn_by_their_weights(make_set: Callable[..., Path]) -> None:
    folders = [make_set(2), make_set(6)]
    photos = load_sets(folders)
    p = probabilities(photos, {folders[0].name: 3.0, folders[1].name: 1.0})
    np.testing.assert_allclose(p, [0.25] * 2 + [1 / 12] * 6)
    with pytest.raises(ValueError, match="no photo is left"):
        probabilities([], {})


def test_a_batch_lists_the_objects_of_all_its_photos(make_set: Callable[..., Path]) -> None:
    photos = load_set(make_set())
    rng = np.random.default_rng(0)
    samples = [make_sample([p], [], 96, Policy(), rng) for p in photos[:3]]
    batch = collate(samples)
    assert batch.images.shape == (3, 3, 96, 96)
    assert len(batch.boxes) == len(batch.masks) == len(batch.owners) == sum(len(s.boxes) for s in samples)
    assert batch.owners.tolist() == sorted(batch.owners.tolist())


def test_the_clean_config_uses_no_photo_of_another_licence_and_no_mask_of_a_machine(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTSAM_DATA", str(shared.resolve()))
    config = make_config(read_config(ROOT / "configs" / "clean.toml"))
    photos = 0
    for folder in config.data:
        content = json.loads((Path(folder) / "instances.json").read_text())
        used = {r["id"] for r in content["images"] if licence_of(r, content).startswith(config.licences)}
        assert not any("score" in a for a in content["annotations"] if a["image_id"] in used)
        assert all(not re.search("NC|ND|SA", licence_of(r, content)) for r in content["images"] if r["id"] in used)
        photos += len(used)
    assert photos > 300
