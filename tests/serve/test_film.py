"""The page's videos in Debian's Chromium: opened, clicked, followed, played, saved."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from fastsam.video.read import read

expect.set_options(timeout=60_000)  # a slow machine is no failure
pytestmark = pytest.mark.browser
FRAMES = 8


def middle(number: int) -> tuple[int, int]:
    """Middle of the square in a frame."""
    return 60 + 12 * number, 80


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An orange square of 40 pixels that goes to the right."""
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    out = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), 10, (240, 160))
    ground = cv2.GaussianBlur(np.random.default_rng(0).integers(90, 150, (160, 240, 3), np.uint8), (0, 0), 3)
    for number in range(FRAMES):
        frame, (x, y) = ground.copy(), middle(number)
        frame[y - 20 : y + 20, x - 20 : x + 20] = (30, 140, 250)
        out.write(frame)
    out.release()
    return file


@pytest.fixture
def page(visit: Callable[..., Page], film: Path) -> Page:
    """A visitor who has opened the video."""
    found = visit()
    found.set_input_files("#file", film)
    expect(found.locator("#facts")).to_contain_text("film.mp4 frame 0.jpg")
    expect(found.locator("#film-bar")).to_be_visible()
    return found


def click(page: Page, number: int) -> None:
    """Clicks the square in the frame that is open, and waits for the answer."""
    box, (x, y) = page.locator("#picked").bounding_box(), middle(number)
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"] / 240, box["y"] + y * box["height"] / 160)
    expect(page.locator("#answer")).to_contain_text("drawn")


def followed(page: Page, frames: int) -> None:
    """Follows, and waits for the end."""
    page.click("#follow")
    expect(page.locator("#status")).to_contain_text(f"Followed through {frames} frames")


def filmed(page: Page) -> np.ndarray:
    """Where a mask is drawn on the frame that is shown, bool (H, W)."""
    data = page.evaluate("() => document.getElementById('filmed').toDataURL('image/png')")
    return cv2.imdecode(np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8), -1)[..., 3] > 0


def show(page: Page, number: int) -> None:
    """Drags the slider to a frame, without letting it go."""
    page.locator("#film-at").evaluate("(o, n) => { o.value = n; o.dispatchEvent(new Event('input')); }", number)
    expect(page.locator("#film-where")).to_have_text(f"{number + 1} of {FRAMES}")
    expect(page.locator("#filmed")).to_be_visible()


def test_a_click_in_one_frame_is_followed_through_all(page: Page) -> None:
    expect(page.locator("#film-where")).to_have_text(f"1 of {FRAMES}")
    click(page, 0)
    followed(page, FRAMES)
    for number in (0, 3, 7):
        show(page, number)
        x, y = middle(number)
        mask = filmed(page)
        assert mask[y, x]
        assert 1000 < mask.sum() < 2400  # of 1,600


def test_objects_that_are_kept_are_followed_together(page: Page) -> None:
    click(page, 0)
    page.click("#accept")
    page.locator("#list button").last.click()
    page.click("#accept")
    followed(page, FRAMES)
    page.select_option("#film-format", "coco")
    with page.expect_download() as waiting:
        page.click("#film-save")
    coco = json.loads(Path(waiting.value.path()).read_text())
    assert {row["track_id"] for row in coco["annotations"]} == {1, 2}


def test_a_later_frame_corrects_what_follows_it(page: Page) -> None:
    click(page, 0)
    followed(page, FRAMES)
    page.locator("#film-at").evaluate(
        "(o) => { o.value = 5; for (const k of ['input', 'change']) o.dispatchEvent(new Event(k)); }"
    )
    expect(page.locator("#facts")).to_contain_text("film.mp4 frame 5.jpg")
    expect(page.locator("#filmed")).to_be_hidden()  # the frame is a photo that one clicks on
    click(page, 5)
    followed(page, FRAMES)


def test_it_plays_to_the_end_and_saves_a_video(page: Page, tmp_path: Path) -> None:
    click(page, 0)
    followed(page, FRAMES)
    page.click("#play")
    expect(page.locator("#facts")).to_contain_text(f"film.mp4 frame {FRAMES - 1}.jpg")
    expect(page.locator("#play")).to_have_text("Play")
    with page.expect_download() as waiting:
        page.click("#film-save")
    assert waiting.value.suggested_filename == "film-followed.mp4"
    waiting.value.save_as(tmp_path / "out.mp4")
    assert len(list(read(tmp_path / "out.mp4").frames)) == FRAMES


def test_a_frame_of_the_video_alone_is_no_photo_to_click_on(page: Page) -> None:
    click(page, 0)
    followed(page, FRAMES)
    show(page, 6)
    expect(page.locator("#picked")).to_have_css("opacity", "0")  # what is picked in the first frame is not there
    said = page.inner_text("#answer")
    page.locator("#stage").click(position={"x": 20, "y": 20})
    page.wait_for_timeout(300)
    assert page.inner_text("#answer") == said


def test_without_an_object_there_is_nothing_to_follow(page: Page) -> None:
    page.click("#follow")
    expect(page.locator("#error")).to_contain_text("There is nothing to follow: click an object first.")


def test_other_photos_have_no_bar_of_a_video(page: Page, examples: Path) -> None:
    page.set_input_files("#file", examples / "coffee.png")
    expect(page.locator("#facts")).to_contain_text("coffee.png")
    expect(page.locator("#film-bar")).to_be_hidden()


def test_what_is_no_video_is_said(visit: Callable[..., Page], tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"no video")
    page = visit()
    page.set_input_files("#file", file)
    expect(page.locator("#error")).to_contain_text("a.mp4: it is not a video that can be read")
