"""The COCO file is read by the COCO tools and says what the masks say."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pycocotools import mask as tools
from pycocotools.coco import COCO

from fastsam import Segments
from fastsam.formats.coco import Instances, rows_of

BOXES = [(10.0, 10.0, 110.0, 90.0), (30.0, 30.0, 60.0, 60.0)]


def test_the_coco_tools_read_the_masks_back(make_segments: Callable[..., Segments], tmp_path: Path) -> None:
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    file = Instances()
    file.add("first.jpg", segments.size, segments.names, rows_of(segments))
    file.add("empty.jpg", (10, 20), ("object",), [])
    (tmp_path / "instances.json").write_text(file.text)
    read = COCO(str(tmp_path / "instances.json"))
    assert [i["file_name"] for i in read.loadImgs([1, 2])] == ["first.jpg", "empty.jpg"]
    annotations = read.loadAnns(read.getAnnIds([1]))
    assert len(annotations) == 2
    assert read.getAnnIds([2]) == []
    for i, annotation in enumerate(annotations):
        np.testing.assert_array_equal(read.annToMask(annotation), segments.masks[i])
        assert annotation["area"] == segments.masks[i].sum()
        assert annotation["bbox"] == tools.toBbox(read.annToRLE(annotation)).tolist()
    assert [a["score"] for a in annotations] == [0.9, 0.8]


def test_with_prompts_each_answer_names_its_prompt(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((100, 200), BOXES, [0.9, 0.8], imgsz=256)
    file = Instances()
    picks = segments.select(boxes=[BOXES[1], (150, 50, 190, 90), BOXES[0]])
    file.add("a.jpg", segments.size, segments.names, rows_of(segments, picks))
    written = json.loads(file.text)
    assert [a["prompt"] for a in written["annotations"]] == [0, 2]
    assert [a["id"] for a in written["annotations"]] == [1, 2]
