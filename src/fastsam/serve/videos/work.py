"""What runs in a worker process for videos: their decoder, both networks, files.

Enters: a file's path and plain values. Leaves: results that go back to the server's own process. Called through `jobs`.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from os import cpu_count
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UnreadableImageError, UsageError
from fastsam.files import growing
from fastsam.follow.eye import shared
from fastsam.follow.follower import Follower, State
from fastsam.follow.shown import Shown, drawn, label_map, segments_of
from fastsam.formats.coco import describe
from fastsam.formats.items import Item
from fastsam.formats.tracks import Coco
from fastsam.image import video as decoder
from fastsam.image.kinds import HEAD, kind_of
from fastsam.masks import rle
from fastsam.masks.runs import of_pixels
from fastsam.prompts import Pick, Prompt
from fastsam.serve.photo import BASE, CORE, PIXEL, at_most
from fastsam.serve.videos.store import Facts, Objects
from fastsam.serve.work import Use, model, settle
from fastsam.video import write
from fastsam.video.read import read

UInt8 = npt.NDArray[np.uint8]
QUALITY = 90  # of a frame as JPEG


def bounded(facts: Facts) -> AbstractContextManager[None]:
    """Bounds the memory that decoding takes."""
    return at_most(BASE + CORE * (cpu_count() or 1) + 4 * PIXEL * facts.width * facts.height)


def probe(use: Use, file: Path) -> Facts:
    """A video's facts; its first frame is decoded. Raises UnreadableImageError, UsageError.

    The content decides what it is: a playlist, which could name files of the server or addresses, is no video.
    """
    settle()
    with file.open("rb") as opened:
        if kind_of(opened.read(HEAD)) != "video":
            raise UnreadableImageError(f"it is {decoder.NOT_A_VIDEO}")
    capture = decoder.capture_of(file)
    width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    capture.release()
    if width * height > use.pixels:
        raise UsageError(f"frames of {width} x {height} pixels have more than {use.pixels}: send a smaller video")
    with bounded(Facts(width, height, 1, 1.0)):
        try:
            clip = read(file)
        except UnreadableImageError:
            raise UnreadableImageError(f"it is {decoder.NOT_A_VIDEO}") from None
        size, rate = clip.size, clip.rate
        return Facts(size[1], size[0], clip.count or decoder.count(file), rate)


def frame(file: Path, facts: Facts, number: int) -> bytes:
    """A frame as JPEG. Raises UsageError if there is none."""
    settle()
    with bounded(facts):
        (shot,) = shots(file, number, 1)
    done, packed = cv2.imencode(".jpg", shot[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return packed.tobytes()


def begin(use: Use, file: Path, facts: Facts, number: int, prompts: Sequence[Prompt]) -> tuple[State, Objects]:
    """Picks objects in a frame. Raises UsageError for prompts that match nothing there."""
    with bounded(facts):
        (shot,) = shots(file, number, 1)
    follower = Follower(model(use), shot, prompts, eye=shared(use.threads))
    return follower.state, objects_of(follower.picks)


def go_on(
    use: Use, file: Path, facts: Facts, state: State, first: int, count: int, back: bool
) -> tuple[State, list[Objects]]:
    """Follows objects into the frames from number `first` on, or if `back` from the last of them to the first.

    Gives fewer frames than `count` if the video ends. Raises UnreadableImageError for a broken frame.
    """
    with bounded(facts):
        some = shots(file, first, count)
    follower = Follower.resume(model(use), state, eye=shared(use.threads))
    found = [objects_of(follower.step(shot)) for shot in (reversed(some) if back else some)]
    return follower.state, found


_open: dict[Path, tuple[int, Iterator[UInt8]]] = {}  # the video read last, and the number of its next frame


def shots(file: Path, first: int, count: int) -> list[UInt8]:
    """Frames from number `first` on, without reading those before it again if the last call ended there.

    Raises UsageError if there is none.
    """
    number, frames = _open.pop(file, (-1, iter(())))
    _open.clear()
    if number != first:
        frames = (pixels for _, pixels in read(file, first=first).frames)
    found = list(islice(frames, count))
    if not found:
        raise UsageError(f"the video has no frame {first}")
    _open[file] = (first + len(found), frames)
    return found


def objects_of(picks: Sequence[Pick]) -> Objects:
    """A row for each object, None where it is lost."""
    found: Objects = []
    for pick in picks:
        if not pick:
            found.append(None)
            continue
        best = pick.candidates[0]
        item = Item(best.runs, best.score, None, 0, quality=best.quality)
        ((_, row),) = describe([item], best.masks.size)
        found.append({key: row[key] for key in ("segmentation", "area", "bbox")} | {"quality": round(best.score, 3)})
    return found


def made(file: Path, facts: Facts, name: str, followed: dict[int, Objects], format_: str) -> tuple[str, bytes]:
    """Name and content of a file of what was followed: a video from the first such frame to the last, or COCO."""
    settle()
    first, last = min(followed), max(followed)
    stem = Path(name).stem or "video"
    with tempfile.TemporaryDirectory(prefix="fastsam-") as folder:
        out = Path(folder) / (f"{stem}.json" if format_ == "coco" else f"{stem}-followed.mp4")
        if format_ == "coco":
            with growing(out, lambda part: Coco(part, "frame")) as coco:
                for number in sorted(followed):
                    coco.add(number, segments_of(shown(followed[number]), (facts.height, facts.width)))
        else:
            with bounded(facts), write.writer(out, facts.rate) as video:
                for shot, pixels in read(file, first=first, last=last).frames:
                    objects = followed.get(shot.number, [])
                    labels = label_map(shown(objects), (facts.height, facts.width))
                    video.write(drawn(pixels, labels, max(1, len(objects))))
        return out.name, out.read_bytes()


def shown(objects: Objects) -> list[Shown]:
    """The objects that are there."""
    return [
        Shown(k, of_pixels(rle.decode(row["segmentation"])), row["quality"]) for k, row in enumerate(objects) if row
    ]
