"""Files of a video's masks: COCO with `track_id`, MOTS text, YouTube-VIS JSON.

Enters: `Segments`, frame by frame, with or without ids. Leaves: a file that grows with the frames: none of them waits
in memory for the end.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastsam.files import growing
from fastsam.formats.coco import rows_of
from fastsam.masks.rle import RLE
from fastsam.segments import Segments

SUFFIXES = {"coco": ".json", "mots": ".txt", "youtube-vis": "-youtube-vis.json"}
NEED_IDS = ("mots", "youtube-vis")
CLASS = 1  # of MOTS, whose object ids are 1000 * class + instance


def mots_line(frame: int, track: int, mask: RLE) -> str:
    """A line of MOTS text: frame from 0, object, class, height, width, RLE (Voigtlaender et al. 2019)."""
    height, width = mask["size"]
    return f"{frame} {1000 * CLASS + track} {CLASS} {height} {width} {mask['counts']}\n"


class Mots:
    """MOTS text: one line per mask."""

    def __init__(self, part: Path, name: str) -> None:
        self.frames, self.text = 0, part.open("w", encoding="utf-8", newline="\n")

    def add(self, number: int, segments: Segments) -> None:
        """Adds the masks of a frame."""
        assert segments.tracks is not None
        for track, mask in zip(segments.tracks.tolist(), segments.to_rle(), strict=True):
            self.text.write(mots_line(number, track, mask))
        self.frames += 1

    def close(self) -> None:
        """Completes the file."""
        self.text.close()


class Coco:
    """COCO instances: an image per frame, its number as `frame_id`; an annotation per mask, with `track_id`."""

    def __init__(self, part: Path, name: str) -> None:
        self.frames, self.rows, self.name, self.images = 0, 0, name, list[dict[str, Any]]()
        self.names: tuple[str, ...] = ("object",)
        self.text = part.open("w", encoding="utf-8")
        self.text.write('{"annotations": [')

    def add(self, number: int, segments: Segments) -> None:
        """Adds a frame."""
        self.frames += 1
        height, width = segments.size
        about = {"id": self.frames, "file_name": f"{self.name}#{number}", "width": width, "height": height}
        self.images.append({**about, "frame_id": number})
        self.names = segments.names
        ids = [None] * len(segments) if segments.tracks is None else segments.tracks.tolist()
        for row, track in zip(rows_of(segments), ids, strict=True):
            self.rows += 1
            known = {} if track is None else {"track_id": track}
            whole = {"id": self.rows, "image_id": self.frames, **row, **known}
            self.text.write(("," if self.rows > 1 else "") + "\n" + json.dumps(whole))

    def close(self) -> None:
        """Completes the file."""
        kinds = [{"id": k + 1, "name": name} for k, name in enumerate(self.names)]
        self.text.write(f'\n], "images": {json.dumps(self.images)}, "categories": {json.dumps(kinds)}}}')
        self.text.close()


class YouTubeVis:
    """YouTube-VIS: one annotation per object, with a mask or null for each frame. The masks wait on disk."""

    def __init__(self, part: Path, name: str) -> None:
        self.frames, self.part, self.name = 0, part, name
        self.numbers: list[int] = []
        self.names: tuple[str, ...] = ("object",)
        self.size = (0, 0)
        self.waiting = tempfile.TemporaryFile("w+b", dir=part.parent)  # noqa: SIM115  # closed with the file
        self.places: dict[int, list[tuple[int, int]]] = defaultdict(list)  # of an object: frame, offset of its row

    def add(self, number: int, segments: Segments) -> None:
        """Adds a frame."""
        assert segments.tracks is not None
        self.names, self.size = segments.names, segments.size
        for track, row in zip(segments.tracks.tolist(), rows_of(segments), strict=True):
            self.places[track].append((self.frames, self.waiting.tell()))
            self.waiting.write(json.dumps(row).encode() + b"\n")
        self.numbers.append(number)
        self.frames += 1

    def close(self) -> None:
        """Completes the file."""
        height, width = self.size
        files = [f"{self.name}#{number}" for number in self.numbers]
        about = {"id": 1, "file_names": files, "length": self.frames, "width": width, "height": height}
        kinds = [{"id": k + 1, "name": name} for k, name in enumerate(self.names)]
        with self.waiting, self.part.open("w", encoding="utf-8") as text:
            text.write(f'{{"videos": {json.dumps([about])}, "categories": {json.dumps(kinds)}, "annotations": [')
            for k, track in enumerate(sorted(self.places)):
                text.write(("," if k else "") + "\n" + json.dumps(self._object(track)))
            text.write("\n]}")

    def _object(self, track: int) -> dict[str, Any]:
        rows: list[dict[str, Any] | None] = [None] * self.frames
        for frame, place in self.places[track]:
            self.waiting.seek(place)
            rows[frame] = json.loads(self.waiting.readline())
        there = [row for row in rows if row is not None]
        columns = {"segmentations": "segmentation", "bboxes": "bbox", "areas": "area"}
        return {
            "id": track,
            "video_id": 1,
            "category_id": there[-1]["category_id"],
            "iscrowd": 0,
            "score": round(sum(row["score"] for row in there) / len(there), 5),
            **{name: [None if row is None else row[key] for row in rows] for name, key in columns.items()},
        }


Records = Mots | Coco | YouTubeVis
KINDS: dict[str, type[Mots] | type[Coco] | type[YouTubeVis]] = {"coco": Coco, "mots": Mots, "youtube-vis": YouTubeVis}


@contextmanager
def records(kind: str, file: Path) -> Iterator[Records]:
    """A file of masks to add frames to; it keeps what was added if the block raises. Raises as `growing` does."""
    begin: Callable[[Path], Records] = lambda part: KINDS[kind](part, file.stem)  # noqa: E731  # mypy needs its type
    with growing(file, begin) as made:
        yield made
