"""An object keeps its id: when it moves, touches another one, hides, and comes back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, Segments, UsageError
from fastsam.evaluation.tracks import Score, read_mots, score
from fastsam.masks.runs import of_pixels
from fastsam.video.track import PATIENCE, identify, nothing, tracked

HEIGHT, WIDTH = 120, 200
RED, BLUE, GREEN = (220, 40, 40), (40, 60, 210), (60, 190, 70)
Disc = tuple[float, float, int, tuple[int, int, int]]  # x, y, radius, colour


def frame(*discs: Disc, scores: list[float] | None = None) -> Segments:
    """Discs on grey, later ones in front; the mask of each is what is seen of it, in order."""
    photo, owner = np.full((HEIGHT, WIDTH, 3), 128, np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, (x, y, radius, colour) in enumerate(discs, 1):
        shape = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.circle(shape, (round(x), round(y)), radius, 1, -1)
        photo[shape == 1], owner[shape == 1] = colour, number
    seen = [owner == number for number in range(1, len(discs) + 1)]
    kept = [mask.sum() >= 30 for mask in seen]
    masks = [mask for mask, keep in zip(seen, kept, strict=True) if keep]
    given = None if scores is None else [s for s, keep in zip(scores, kept, strict=True) if keep]
    return Segments.from_masks(photo, masks, given)


def ids(frames: list[Segments]) -> list[list[int]]:
    """The ids of the masks of each frame, 0 for none."""
    tracks, found = nothing(), []
    for segments in frames:
        tracks, given = identify(tracks, segments)
        found.append(given.tolist())
    return found


def test_objects_keep_their_ids_while_they_move_and_change_places_in_the_list() -> None:
    frames = [frame((30 + 12 * k, 40, 15, RED), (180 - 12 * k, 90, 15, BLUE)) for k in range(10)]
    assert ids(frames) == [[1, 2]] * 10
    swapped = [one.take([1, 0]) if k % 2 else one for k, one in enumerate(frames)]
    assert ids(swapped) == [[1, 2], [2, 1]] * 5


def test_objects_that_cross_keep_their_ids() -> None:
    """The red one passes behind the blue one and is hidden for several frames."""
    frames = [frame((20 + 8 * k, 60, 14, RED), (180 - 8 * k, 60, 22, BLUE)) for k in range(21)]
    hidden = [k for k, one in enumerate(frames) if len(one) == 1]
    assert len(hidden) >= 1
    assert ids(frames) == [[2] if k in hidden else [1, 2] for k in range(21)]


def test_of_two_alike_that_meet_motion_tells_which_is_which() -> None:
    frames = [frame((20 + 8 * k, 50, 12, RED), (180 - 8 * k, 66, 12, RED)) for k in range(21)]
    assert ids(frames) == [[1, 2]] * 21


def test_a_hidden_object_gets_its_id_back_where_it_comes_out_and_not_after_too_long() -> None:
    def pass_by(gap: int) -> list[Segments]:
        seen = [frame((20 + 4 * k, 60, 14, RED), (150, 20, 14, BLUE)) for k in range(8)]
        gone = [frame((150, 20, 14, BLUE))] * gap
        last = min(175, 20 + 4 * (8 + gap))
        return [*seen, *gone, *[frame((last, 60, 14, RED), (150, 20, 14, BLUE))] * 2]

    assert ids(pass_by(12))[-2:] == [[1, 2], [1, 2]]
    assert ids(pass_by(PATIENCE + 1))[-2:] == [[0, 2], [3, 2]]


def test_another_colour_in_the_same_place_is_another_object() -> None:
    before, after = frame((60, 60, 20, RED)), frame((60, 60, 20, GREEN))
    assert ids([before, before, after, after, before]) == [[1], [1], [0], [2], [1]]


def test_what_is_there_for_one_frame_gets_no_id_and_uses_none() -> None:
    calm, spark = frame((40, 60, 15, RED)), frame((40, 60, 15, RED), (150, 60, 15, BLUE))
    assert ids([calm, spark, calm, calm, spark, spark]) == [[1], [1, 0], [1], [1], [1, 0], [1, 2]]


def test_a_faint_mask_goes_on_with_an_object_but_begins_none() -> None:
    both = [frame((40, 60, 15, RED), (150, 60, 15, BLUE), scores=[0.9 - 0.2 * k, 0.05]) for k in range(5)]
    assert ids(both) == [[1, 0]] * 5


def test_two_masks_of_one_object_share_no_id_and_the_older_one_has_it() -> None:
    photo = frame((60, 60, 20, RED)).photo
    whole = frame((60, 60, 20, RED)).masks.stack()[0]
    most = frame((61, 60, 18, RED)).masks.stack()[0]
    part = frame((60, 60, 8, RED)).masks.stack()[0]
    assert photo is not None
    three = Segments.from_masks(photo, [whole, most, part], [0.5, 0.9, 0.4])
    first = Segments.from_masks(photo, [whole, part], [0.5, 0.4])
    assert ids([first, three, three]) == [[1, 2], [1, 0, 2], [1, 0, 2]]


def test_a_frame_of_another_size_begins_anew_and_gives_no_id_twice() -> None:
    small = Segments.from_masks(np.zeros((50, 60, 3), np.uint8), [np.ones((50, 60), bool)])
    assert ids([frame((60, 60, 20, RED)), small, small]) == [[1], [2], [2]]


def test_frames_may_be_empty_tiny_or_without_photo() -> None:
    empty = frame((60, 60, 20, RED)).take([])
    assert ids([empty, frame((60, 60, 20, RED)), frame((60, 60, 20, RED)), empty]) == [[], [0], [1], []]
    dot = Segments.from_masks(np.zeros((1, 1, 3), np.uint8), [np.ones((1, 1), bool)])
    assert ids([dot, dot]) == [[1], [1]]
    bare = replace(frame((60, 60, 20, RED)), photo=None, kept=None)
    assert ids([bare, bare]) == [[1], [1]]


def test_ids_stay_with_their_segments() -> None:
    shots = ((k, frame((30 + 9 * k, 40, 15, RED), (180 - 9 * k, 90, 12, BLUE))) for k in range(3))
    (_, last) = list(tracked(shots))[-1]
    assert last.tracks is not None
    assert last.tracks.tolist() == [1, 2]
    assert last.take([1]).tracks.tolist() == [2]  # type: ignore[union-attr]
    assert last.filter(area=(500, None)).tracks.tolist() == [1]  # type: ignore[union-attr]
    assert [row["track"] for row in last.to_records()] == [1, 2]
    assert not last.tracks.flags.writeable
    with pytest.raises(ValueError, match="one id per mask, not 1 for 2"):
        replace(last, tracks=np.array([1]))


def test_a_model_gives_every_mask_of_a_video_an_id(model: FastSAM) -> None:
    frames = []
    for k in range(6):
        pixels = np.full((128, 192, 3), 215, np.uint8)
        cv2.circle(pixels, (40 + 18 * k, 64), 24, (160, 30, 40), -1)
        frames.append(pixels)
    mine = []
    for shot, segments in model.track(frames, imgsz=192, every=1):
        assert segments.tracks is not None
        assert segments.tracks.min() >= 1
        assert len(set(segments.tracks.tolist())) == len(segments)
        disc = segments.masks.stack()[:, 64, 40 + 18 * shot.number]
        mine.append(set(segments.tracks[disc & (segments.masks.areas < 4000)].tolist()))
    assert set.intersection(*mine)
    with pytest.raises(UsageError, match="conf must be a number between 0 and 1, not 2"):
        model.track(frames, conf=2)


def squares(*places: tuple[int, int]) -> Iterator[np.ndarray]:
    for x, y in places:
        mask = np.zeros((40, 60), bool)
        mask[y : y + 10, x : x + 10] = True
        yield mask


def test_the_measure_counts_by_hand(tmp_path: Path) -> None:
    """Two objects, four frames. One id changes after two frames, one object is missed once."""
    a, b = (of_pixels(mask) for mask in squares((5, 5), (30, 20)))
    truth = [{1: a, 2: b}] * 4
    found = [{7: a, 8: b}, {7: a, 8: b}, {9: a, 8: b}, {9: a}]
    counted = score(zip(truth, found, strict=True), 40)
    assert counted == Score(true=8, found=7, own=2 + 3, switches=1)
    assert counted.idf1 == pytest.approx(2 * 5 / (8 + 7))
    extra = [{**one, 99: of_pixels(next(squares((45, 5))))} for one in found]  # of what nobody annotated
    assert score(zip(truth, extra, strict=True), 40) == counted


def test_the_measure_refuses_what_is_no_mots_text(tmp_path: Path) -> None:
    file = tmp_path / "0000.txt"
    file.write_text("0 1001 1 40 60 abc\n1 2\n")
    with pytest.raises(UsageError, match=r"0000\.txt, line \d: not MOTS text"):
        read_mots(file)
