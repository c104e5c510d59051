"""The table of formats: names of files, folders and archives, files about a set, and who else has the names."""

import io
import json
import zipfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from fastsam import Segments, UsageError
from fastsam.formats.content import FORMATS, Options, Subject, chosen, packed, write

PHOTO = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)


@pytest.fixture
def segments() -> Segments:
    masks = np.zeros((2, 60, 80), bool)
    masks[0, 5:55, 5:75] = masks[1, 20:30, 30:50] = True
    return Segments.from_masks(PHOTO, masks)


def test_a_format_is_chosen_once_and_an_unknown_one_is_named() -> None:
    assert [format_.name for format_ in chosen(["npz", "coco", "npz"])] == ["npz", "coco"]
    with pytest.raises(UsageError, match="unknown format 'gif': choose from overlay, coco"):
        chosen(["npz", "gif"])


def test_the_service_has_the_formats_of_the_table() -> None:
    schemas = pytest.importorskip("fastsam.serve.schemas")
    assert get_args(schemas.Format) == tuple(FORMATS)


def test_every_suffix_is_one_formats_own_in_a_folder() -> None:
    own = [format_.suffix for format_ in FORMATS.values() if format_.own]
    assert len(set(own)) == len(own)


def test_a_file_is_written_as_it_is_packed(segments: Segments, tmp_path: Path) -> None:
    subject = Subject("a.jpg", segments)
    for name, format_ in FORMATS.items():
        if name in ("npz", "cutouts"):  # an archive has the time in it
            continue
        write(format_, tmp_path / f"a{format_.suffix}", subject)
        file, data = packed(format_, "a", subject)
        assert (tmp_path / file).read_bytes() == data


def test_a_folder_is_packed_as_an_archive_and_a_single_file_as_itself(segments: Segments, tmp_path: Path) -> None:
    cutouts = FORMATS["cutouts"]
    write(cutouts, tmp_path / "a-cutouts", Subject("a.jpg", segments))
    made = {file.name: file.read_bytes() for file in (tmp_path / "a-cutouts").iterdir()}
    assert sorted(made) == ["000.png", "001.png"]
    name, data = packed(cutouts, "a", Subject("a.jpg", segments))
    assert name == "a-cutouts.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {inner: archive.read(inner) for inner in archive.namelist()} == made
    assert packed(cutouts, "a", Subject("a.jpg", segments[1:]))[0] == "a-000.png"


def test_a_folder_without_files_is_made_all_the_same(segments: Segments, tmp_path: Path) -> None:
    write(FORMATS["cutouts"], tmp_path / "none", Subject("a.jpg", segments[:0]))
    assert list((tmp_path / "none").iterdir()) == []


def test_only_formats_of_the_photo_need_it(segments: Segments) -> None:
    bare = Subject("a.jpg", Segments(segments.masks, segments.scores, segments.classes, segments.names))
    for name, format_ in FORMATS.items():
        if name in ("overlay", "cutouts"):
            with pytest.raises(UsageError, match="needs the photo"):
                packed(format_, "a", bare)
        else:
            assert packed(format_, "a", bare)[1]
    without_use = {name for name, format_ in FORMATS.items() if not format_.uses_photo}
    for name in without_use - {"npz"}:
        assert packed(FORMATS[name], "a", bare) == packed(FORMATS[name], "a", Subject("a.jpg", segments))


def test_files_about_a_set_have_an_entry_per_photo(segments: Segments) -> None:
    subjects = [Subject("a.jpg", segments), Subject("b.jpg", segments[:1])]
    together = FORMATS["coco"].together
    assert together is not None
    written = json.loads(together.text([together.entry(s) for s in subjects]))
    assert [image["file_name"] for image in written["images"]] == ["a.jpg", "b.jpg"]
    assert [row["image_id"] for row in written["annotations"]] == [1, 1, 2]
    classes = FORMATS["yolo"].together
    assert classes is not None
    assert classes.text([classes.entry(s) for s in subjects]) == "object\n"


def test_a_partition_is_filled_on_demand_and_says_what_masks_cover(segments: Segments) -> None:
    partition = FORMATS["partition"]
    covered = segments.partition()
    for fill in (False, True):
        subject = Subject("a.jpg", segments, options=Options(fill=fill))
        assert (subject.partition.labels == segments.partition(fill=fill).labels).all()
        assert partition.remark is not None
        assert partition.remark(subject) == f"masks cover {100 * covered.coverage:.1f}%"


def test_labelme_points_to_the_photo_by_its_path(segments: Segments) -> None:
    make = FORMATS["labelme"].make
    assert json.loads(make(Subject("a.jpg", segments)))["imagePath"] == "a.jpg"
    assert json.loads(make(Subject("a.jpg", segments, path="../a.jpg")))["imagePath"] == "../a.jpg"
