"""Sets are found, read and narrowed; what is no set is named."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam.errors import UsageError
from fastsam.evaluation.sets import read_sets


def test_a_folder_of_sets_is_all_of_them(make_set: Callable[..., Path], tmp_path: Path) -> None:
    for name, n in (("a", 2), ("b", 3)):
        make_set(n).rename(tmp_path / name)
    sets = read_sets([tmp_path])
    assert [(s.name, len(s.photos)) for s in sets] == [("a", 2), ("b", 3)]
    assert all(s.file(photo).is_file() for s in sets for photo in s.photos)


def test_only_the_named_photos_are_used(make_set: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_set(3)
    (tmp_path / "only.txt").write_text(f"{folder.name}/1.png\nelsewhere/2.png\n")
    assert [p["file_name"] for p in read_sets([folder], only=tmp_path / "only.txt")[0].photos] == ["1.png"]
    (tmp_path / "only.txt").write_text("elsewhere/2.png\n")
    with pytest.raises(UsageError, match=r"no photo of .* is named in"):
        read_sets([folder], only=tmp_path / "only.txt")


@pytest.fixture
def lvis(tmp_path: Path) -> Path:
    """A file as LVIS has them: photos by their address in two splits, polygons, no crowds, boxes or areas."""
    address = "http://images.cocodataset.org"
    content = {
        "images": [
            {"id": 7, "coco_url": f"{address}/val2017/000000000007.jpg", "height": 60, "width": 80},
            {"id": 8, "coco_url": f"{address}/train2017/000000000008.jpg", "height": 60, "width": 80},
        ],
        "annotations": [{"id": 0, "image_id": 7, "category_id": 3, "segmentation": [[10, 10, 40, 10, 40, 30, 10, 30]]}],
        "categories": [{"id": 3, "name": "cup"}],
    }
    (tmp_path / "lvis_v1_val.json").write_text(json.dumps(content))
    for file in ("000000000007.jpg", "train2017/000000000008.jpg"):
        (tmp_path / "photos" / file).parent.mkdir(exist_ok=True, parents=True)
        cv2.imwrite(str(tmp_path / "photos" / file), np.zeros((60, 80, 3), np.uint8))
    return tmp_path / "lvis_v1_val.json"


def test_lvis_lacks_names_of_photos_crowds_boxes_and_areas(lvis: Path) -> None:
    (one,) = read_sets([lvis], images=lvis.parent / "photos")
    assert one.name == "lvis_v1_val"
    assert [one.file(photo).name for photo in one.photos] == ["000000000007.jpg", "000000000008.jpg"]
    assert one.file(one.photos[1]).parent.name == "train2017"
    (annotation,) = one.annotations(one.photos[0])
    assert (annotation["area"], annotation["bbox"]) == (600, [10, 10, 30, 20])
    assert one.annotations(one.photos[1]) == []
    with pytest.raises(UsageError, match="give the folder of the photos with --images"):
        read_sets([lvis])


def test_perfect_masks_of_an_lvis_file_are_recalled(lvis: Path) -> None:
    recall = pytest.importorskip("fastsam.evaluation.recall", reason="the eval extra is not installed").recall
    (one,) = read_sets([lvis], images=lvis.parent / "photos")
    (mask,) = one.truth(one.photos[0], (60, 80))
    found = {"image_id": 7, "category_id": 1, "segmentation": mask, "bbox": [10, 10, 30, 20], "score": 0.5}
    assert recall(one.content, [found], one.ids).masks[100] == pytest.approx(100)


def test_a_mask_of_another_size_is_named(make_set: Callable[..., Path]) -> None:
    (one,) = read_sets([make_set(1)])
    with pytest.raises(UsageError, match=r"0\.png, annotation 1: the mask has \(96, 128\) pixels but the photo has"):
        one.truth(one.photos[0], (48, 64))


def test_crowds_are_left_out(make_set: Callable[..., Path]) -> None:
    folder = make_set(1)
    content = json.loads((folder / "instances.json").read_text())
    content["annotations"][0]["iscrowd"] = 1
    (folder / "instances.json").write_text(json.dumps(content))
    one = read_sets([folder])[0]
    assert len(one.annotations(one.photos[0])) == len(content["annotations"]) - 1


@pytest.mark.parametrize("text", ["{", "[]", '{"images": [{}], "annotations": []}', '{"annotations": []}'])
def test_what_is_no_set_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "instances.json").write_text(text)
    with pytest.raises(UsageError, match=r"instances\.json is not a COCO instances file"):
        read_sets([tmp_path])
    with pytest.raises(UsageError, match="nowhere is not a COCO-style set"):
        read_sets([tmp_path / "nowhere"])
