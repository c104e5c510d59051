"""Sets are found, read and narrowed; what is no set is named."""

import json
from collections.abc import Callable
from pathlib import Path

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


def test_lvis_names_its_photos_by_their_address_and_knows_no_crowds(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 7, "coco_url": "http://images.cocodataset.org/val2017/000000000007.jpg"}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}],
    }
    (tmp_path / "lvis_v1_val.json").write_text(json.dumps(content))
    one = read_sets([tmp_path / "lvis_v1_val.json"], images=tmp_path / "photos")[0]
    assert one.name == "lvis_v1_val"
    assert one.file(one.photos[0]) == tmp_path / "photos" / "000000000007.jpg"
    assert len(one.annotations(one.photos[0])) == 1


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
    with pytest.raises(UsageError, match=r"instances\.json is no file of COCO instances"):
        read_sets([tmp_path])
    with pytest.raises(UsageError, match="nowhere is no COCO-style set"):
        read_sets([tmp_path / "nowhere"])
