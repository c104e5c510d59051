"""Following a thing through frames: forwards, backwards, past a wall, corrected, and what is refused."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam import FastSAM, Follower, Prompt, UsageError
from fastsam.follow import clip

Film = Any


def iou(found: np.ndarray | None, truth: np.ndarray) -> float:
    if found is None:
        return 0.0
    return float(np.count_nonzero(found & truth) / np.count_nonzero(found | truth))


def middle(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def test_a_clicked_thing_is_followed_to_the_end(model: FastSAM, crossing: Film) -> None:
    prompt = Prompt(points=[middle(crossing.masks[0])])
    seen = list(model.follow(crossing.frames, prompt))
    assert [frame.number for frame, _ in seen] == list(range(len(crossing.frames)))
    for (frame, (pick,)), pixels, truth in zip(seen, crossing.frames, crossing.masks, strict=True):
        assert np.array_equal(frame.pixels, pixels)
        assert iou(pick.mask, truth) > 0.85
        assert pick.prompt is prompt


def test_a_thing_is_followed_backwards_too_and_frames_come_in_order(model: FastSAM, crossing: Film) -> None:
    seen = list(model.follow(crossing.frames, Prompt(mask=crossing.masks[8]), frame=8))
    assert [frame.number for frame, _ in seen] == list(range(len(crossing.frames)))
    assert min(iou(pick.mask, truth) for (_, (pick,)), truth in zip(seen, crossing.masks, strict=True)) > 0.85


def test_frames_before_the_picked_one_are_read_in_stretches(
    model: FastSAM, crossing: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    def masks() -> list[np.ndarray]:
        found = model.follow(crossing.frames, Prompt(mask=crossing.masks[8]), frame=8)
        return [picks[0].mask for _, picks in found]

    whole = masks()
    monkeypatch.setattr(clip, "HELD", 3 * crossing.frames[0].nbytes)
    assert all(np.array_equal(a, b) for a, b in zip(whole, masks(), strict=True))


def test_a_given_mask_is_followed_as_it_is(model: FastSAM, crossing: Film) -> None:
    follower = Follower(model, crossing.frames[0], Prompt(mask=crossing.masks[0]))
    assert iou(follower.picks[0].mask, crossing.masks[0]) > 0.95


def test_a_hidden_thing_is_lost_and_then_found_again(model: FastSAM, behind: Film) -> None:
    follower = Follower(model, behind.frames[0], Prompt(mask=behind.masks[0]))
    picks = [follower.picks[0], *(follower.step(frame)[0] for frame in behind.frames[1:])]
    shown = behind.masks.sum((1, 2)) / behind.masks[0].sum()
    hidden = np.flatnonzero(shown == 0)
    assert len(hidden) > 1
    assert not any(picks[k] for k in hidden[1:])
    after = [k for k in range(hidden[-1], len(picks)) if shown[k] > 0.8]
    assert all(iou(picks[k].mask, behind.masks[k]) > 0.8 for k in after[-3:])
    assert picks[hidden[-1]].mask is None


def test_several_things_are_followed_each_by_its_prompt(model: FastSAM, crossing: Film) -> None:
    cup = (100.0, 75.0, 235.0, 190.0)
    prompts = [Prompt(mask=crossing.masks[0]), Prompt(box=cup)]
    for _, picks in model.follow(crossing.frames[:4], prompts):
        assert [pick.prompt for pick in picks] == prompts
    assert iou(picks[0].mask, crossing.masks[3]) > 0.85
    assert iou(picks[1].mask, crossing.masks[3]) < 0.2


def test_a_correction_picks_the_thing_anew_from_its_frame_on(model: FastSAM, crossing: Film) -> None:
    wrong = Prompt(box=(100, 75, 235, 190))  # the cup, though the ball was meant
    right = Prompt(mask=crossing.masks[6])
    seen = [picks[0] for _, picks in model.follow(crossing.frames, wrong, corrections={6: right})]
    assert iou(seen[5].mask, crossing.masks[5]) < 0.3
    assert all(iou(pick.mask, truth) > 0.85 for pick, truth in zip(seen[6:], crossing.masks[6:], strict=True))


def test_one_of_several_things_is_corrected_alone(model: FastSAM, crossing: Film) -> None:
    cup = Prompt(box=(100, 75, 235, 190))
    follower = Follower(model, crossing.frames[0], [cup, cup])
    before = follower.step(crossing.frames[1])
    after = follower.correct({1: Prompt(mask=crossing.masks[1])})
    assert np.array_equal(before[0].mask, after[0].mask)
    assert iou(after[1].mask, crossing.masks[1]) > 0.95
    with pytest.raises(UsageError, match="2 objects"):
        follower.correct(cup)
    with pytest.raises(UsageError, match="object 0 to 1"):
        follower.correct({2: cup})


def test_a_follower_does_not_grow(model: FastSAM, crossing: Film) -> None:
    follower = Follower(model, crossing.frames[0], Prompt(mask=crossing.masks[0]))
    sizes = []
    for k in range(24):
        follower.step(crossing.frames[min(k, 22 - k) % 12])
        if k % 6 == 5:
            follower.correct(Prompt(mask=crossing.masks[min(k, 22 - k) % 12]))
        sizes.append(len(pickle.dumps((follower._followed, follower.picks))))
    assert max(sizes[18:]) < 1.6 * max(sizes[:18])


def test_a_frame_of_another_size_is_refused_and_the_follower_goes_on(model: FastSAM, crossing: Film) -> None:
    follower = Follower(model, crossing.frames[0], Prompt(mask=crossing.masks[0]))
    with pytest.raises(UsageError, match="100 x 50 pixels, not 320 x 240"):
        follower.step(np.zeros((50, 100, 3), np.uint8))
    assert iou(follower.step(crossing.frames[1])[0].mask, crossing.masks[1]) > 0.85


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt(points=[(400, 20)]), "point 400,20 lies outside"),
        (Prompt(mask=np.ones((5, 5), bool)), "the mask is 5 x 5 pixels"),
        ([], "nothing to follow"),
    ],
)
def test_a_prompt_that_does_not_fit_is_one_line(model: FastSAM, crossing: Film, prompt: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        model.follow(crossing.frames, prompt)
    assert "\n" not in str(error.value)


def test_a_frame_beyond_the_end_is_refused(model: FastSAM, crossing: Film) -> None:
    with pytest.raises(UsageError, match="frame 12 "):
        model.follow(crossing.frames, Prompt(points=[(40, 100)]), frame=12)
    with pytest.raises(UsageError, match="no frame 99 to correct"):
        list(model.follow(crossing.frames[:3], Prompt(points=[(40, 120)]), corrections={99: Prompt(points=[(1, 1)])}))


def test_what_can_be_read_only_once_starts_with_its_first_frame(model: FastSAM, crossing: Film) -> None:
    prompt = Prompt(mask=crossing.masks[0])
    with pytest.raises(UsageError, match="read only once"):
        model.follow(iter(crossing.frames), prompt, frame=1)
    assert len(list(model.follow(iter(crossing.frames[:3]), prompt))) == 3


def test_no_frames_are_one_line(model: FastSAM) -> None:
    with pytest.raises(UsageError):
        model.follow([], Prompt(points=[(1, 1)]))


def test_frames_are_kept_until_one_is_broken(model: FastSAM, crossing: Film, tmp_path: Path) -> None:
    def frames() -> Iterator[Any]:
        yield from crossing.frames[:3]
        yield tmp_path / "missing.png"

    done = []
    with pytest.raises(UsageError, match=r"missing\.png"):
        done.extend(model.follow(frames(), Prompt(mask=crossing.masks[0])))
    seen = model.follow(frames(), Prompt(mask=crossing.masks[0]))
    assert [next(seen)[0].number for _ in range(3)] == [0, 1, 2]


def test_a_thing_may_leave_the_picture(model: FastSAM, crossing: Film, ground: np.ndarray) -> None:
    moved = [np.roll(frame, -25 * k, 1) for k, frame in enumerate(crossing.frames[:4])]
    cut = [cv2.copyMakeBorder(f[:, : 320 - 25 * k], 0, 0, 0, 25 * k, cv2.BORDER_REPLICATE) for k, f in enumerate(moved)]
    empty = [*cut, ground, ground]
    *_, (_, (pick,)) = model.follow(empty, Prompt(mask=crossing.masks[0]))
    assert not pick
