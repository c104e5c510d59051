"""Labelling on the page: what is accepted is kept, and everything can be taken back."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from fastsam.masks import rle

expect.set_options(timeout=60_000)  # a slow machine is no failure
COFFEE = (600, 400)


@pytest.fixture
def page(visit: Callable[..., Page], examples: Path) -> Page:
    """A visitor who has opened coffee.png."""
    found = visit()
    found.set_input_files("#file", examples / "coffee.png")
    expect(found.locator("#list li").first).to_be_visible()
    return found


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of coffee.png is on the screen."""
    box = page.locator("#picked").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / COFFEE[0], box["y"] + y * box["height"] / COFFEE[1]


def click(page: Page, x: float, y: float) -> None:
    page.mouse.click(*at(page, x, y))
    expect(page.locator("#picked")).to_have_attribute("aria-busy", "false")


def drag(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=6)
    page.mouse.up()


def masks(page: Page) -> list[tuple[str, np.ndarray]]:
    """Names and masks of what is kept, the uppermost last."""
    script = "async () => (await import('/page/state.js')).now.objects.map((o) => [o.name, o.counts])"
    size = [COFFEE[1], COFFEE[0]]
    return [(name, rle.decode({"size": size, "counts": counts})) for name, counts in page.evaluate(script)]


def accept(page: Page, x: float = 300.5, y: float = 100.5) -> np.ndarray:
    """Clicks and keeps; returns the mask."""
    before = len(masks(page))
    click(page, x, y)
    page.keyboard.press("Enter")
    expect(page.locator("#objects li")).to_have_count(before + 1)
    return masks(page)[-1][1]


def test_enter_keeps_the_answer_with_the_current_class(page: Page) -> None:
    for name in ("cup", "spoon"):
        page.fill("#kind-name", name)
        page.press("#kind-name", "Enter")
    page.focus("#picked")
    page.keyboard.press("1")
    click(page, 300.5, 100.5)
    shown = page.evaluate("async () => (await import('/page/state.js')).now.answer.candidates.map((c) => c.area)")
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    accept(page, 300.5, 360.5)
    assert [name for name, _ in masks(page)] == ["cup", "spoon"]
    assert int(masks(page)[0][1].sum()) in shown
    expect(page.locator("#kinds button").nth(0)).to_have_attribute("aria-label", "class cup, 1 objects, key 1")
    expect(page.locator("#answer")).to_be_empty()


def test_everything_can_be_undone_and_done_again(page: Page) -> None:
    accept(page)
    page.click("#accept-all")
    every = [mask.sum() for _, mask in masks(page)]
    page.locator("#objects button").first.focus()
    page.keyboard.press("Delete")
    assert len(masks(page)) == len(every) - 1
    page.keyboard.press("Control+z")
    assert [mask.sum() for _, mask in masks(page)] == every
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(page.locator("#objects li")).to_have_count(0)
    for _ in range(4):
        page.keyboard.press("Control+Shift+Z")
    expect(page.locator("#objects li")).to_have_count(len(every) - 1)


def test_what_is_kept_survives_a_reload(page: Page, examples: Path) -> None:
    mask = accept(page)
    page.set_input_files("#file", examples / "chelsea.png")
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    expect(page.locator("#strip li")).to_have_count(2)
    page.reload()
    expect(page.locator("#strip li")).to_have_count(2)
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    page.keyboard.press("n")
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    np.testing.assert_array_equal(masks(page)[0][1], mask)
    page.keyboard.press("d")
    expect(page.locator("#strip button").nth(1)).to_have_attribute("aria-label", "coffee.png, done")


def test_a_photo_can_be_removed_from_the_browser(page: Page, examples: Path) -> None:
    accept(page)
    page.set_input_files("#file", examples / "chelsea.png")
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#discard")
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    page.reload()
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    expect(page.locator("#strip li")).to_have_count(1)


def test_a_further_click_corrects_what_is_kept(page: Page) -> None:
    before = accept(page)
    page.keyboard.down("Alt")
    page.mouse.click(*at(page, 300.5, 100.5))
    page.keyboard.up("Alt")
    expect(page.locator("#objects button")).to_have_attribute("aria-pressed", "true")
    click(page, 300.5, 360.5)
    page.keyboard.press("Enter")
    ((_, after),) = masks(page)
    assert (after != before).any()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(masks(page)[0][1], before)


def test_brush_and_eraser_change_the_pixels_under_them(page: Page) -> None:
    page.keyboard.press("b")
    page.locator("#size").fill("11")
    page.focus("#picked")
    drag(page, (50.5, 50.5), (100.5, 50.5))
    ((_, mask),) = masks(page)
    assert mask[45:56, 50:101].all()
    assert mask.sum() == pytest.approx(50 * 11 + 5.5**2 * np.pi, abs=40)
    page.keyboard.press("e")
    drag(page, (75.5, 30.5), (75.5, 70.5))
    ((_, mask),) = masks(page)
    assert not mask[45:56, 70:81].any()
    assert mask[50, 60]


def test_a_stroke_splits_and_merge_joins(page: Page) -> None:
    page.keyboard.press("b")
    drag(page, (50.5, 50.5), (150.5, 50.5))
    whole = masks(page)[0][1]
    page.keyboard.press("s")
    drag(page, (100.5, 20.5), (100.5, 80.5))
    first, second = (mask for _, mask in masks(page))
    np.testing.assert_array_equal(first | second, whole)
    assert not (first & second).any()
    assert abs(int(first.sum()) - int(second.sum())) < 60
    page.keyboard.press("m")
    np.testing.assert_array_equal(masks(page)[0][1], whole)


def test_a_corner_that_is_dragged_changes_nothing_elsewhere(page: Page) -> None:
    before = accept(page)
    page.locator("#objects button").click()
    page.keyboard.press("c")
    script = """async () => {
      const { ringsOf } = await import('/page/corners.js'), { now } = await import('/page/state.js');
      return ringsOf(now.objects[0]).sort((a, b) => b.length - a.length)[0]; }"""
    ring = page.evaluate(script)
    x, y = min(ring, key=lambda corner: corner[0])
    drag(page, (x, y), (x - 40, y))
    after = masks(page)[0][1]
    changed = np.argwhere(after != before)
    assert after.sum() > before.sum()
    k = ring.index([x, y])
    near = np.array([ring[k - 1], [x - 40, y], ring[(k + 1) % len(ring)], [x, y]])
    assert (changed[:, ::-1] >= near.min(0) - 1).all()
    assert (changed[:, ::-1] <= near.max(0) + 1).all()


def test_locked_objects_stay_as_they_are(page: Page) -> None:
    accept(page)
    page.locator("#objects button").focus()
    page.keyboard.press("l")
    page.keyboard.press("Delete")
    expect(page.locator("#error")).to_contain_text("unlock")
    assert len(masks(page)) == 1
    page.keyboard.press("l")
    page.locator("#objects button").focus()
    page.keyboard.press("Delete")
    expect(page.locator("#objects li")).to_have_count(0)


def test_zoom_keeps_points_on_their_pixels(page: Page) -> None:
    page.mouse.move(*at(page, 300, 100))
    page.mouse.wheel(0, -1000)
    expect(page.locator("#zoom")).not_to_be_empty()
    asked: list[Any] = []
    page.on("request", lambda r: r.url.endswith("/select") and asked.append(r.post_data_json))
    click(page, 310.5, 105.5)
    assert asked[0]["prompts"][0]["points"] == [[310.5, 105.5]]
    page.focus("#picked")
    page.keyboard.press("0")
    expect(page.locator("#zoom")).to_be_empty()


def test_a_list_is_one_tab_stop(page: Page) -> None:
    page.click("#accept-all")
    for name in ("list", "objects"):
        assert page.locator(f"#{name} button[tabindex='0']").count() == 1
    page.locator("#objects button").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#objects button").nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#objects button").last).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#objects')") is None


def test_what_a_browser_keeps_is_exported_and_imported(page: Page, tmp_path: Path) -> None:
    mask = accept(page)
    page.select_option("#export-format", "yolo")
    with page.expect_download() as download:
        page.click("#export")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert {"labels/coffee.txt", "classes.txt", "data.yaml"} == set(archive.namelist())
    page.select_option("#export-format", "coco")
    with page.expect_download() as download:
        page.click("#export")
    file = tmp_path / "instances.json"
    file.write_bytes(Path(download.value.path()).read_bytes())
    page.set_input_files("#import-file", file)
    expect(page.locator("#objects li")).to_have_count(2)
    np.testing.assert_array_equal(masks(page)[1][1], mask)


def test_a_folder_is_labelled_on_the_disk(visit: Callable[..., Page], labelled: tuple[str, Path]) -> None:
    address, folder = labelled
    page = visit(at=address)
    expect(page.locator("#strip li")).to_have_count(2)
    page.locator("#strip button").nth(1).click()
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    mask = accept(page)
    expect(page.locator("#saved")).to_have_text("Saved")
    content = json.loads((folder / "coffee.json").read_text())
    assert [shape["label"] for shape in content["shapes"]] == ["object"]

    other = visit(at=address)
    other.locator("#strip button").nth(1).click()
    expect(other.locator("#facts")).to_contain_text("coffee.png ·")
    np.testing.assert_array_equal(masks(other)[0][1], mask)
    page.keyboard.press("d")
    expect(page.locator("#strip button").nth(1)).to_have_attribute("data-state", "done")
    expect(page.locator("#saved")).to_have_text("Saved")
    other.locator("#objects button").focus()
    other.keyboard.press("Delete")
    expect(other.locator("#conflict")).to_be_visible()
    assert json.loads((folder / "coffee.json").read_text())["shapes"]
    other.click("#theirs")
    expect(other.locator("#objects li")).to_have_count(1)
    expect(other.locator("#done")).to_have_attribute("aria-pressed", "true")
    other.keyboard.press("Delete")
    expect(other.locator("#objects li")).to_have_count(1)  # nothing is chosen any more


def test_a_server_that_comes_back_gets_what_it_missed(visit: Callable[..., Page], labelled: tuple[str, Path]) -> None:
    address, folder = labelled
    page = visit(at=address)
    page.locator("#strip button").nth(0).click()
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    down = [True]
    page.route("**/v1/project/labels**", lambda route: route.abort() if down else route.continue_())
    page.click("#accept-all")
    expect(page.locator("#saved")).to_have_text("Not saved")
    expect(page.locator("#error")).to_contain_text("is it still running?")
    assert not (folder / "chelsea.json").exists()
    down.clear()
    expect(page.locator("#saved")).to_have_text("Saved")
    count = page.locator("#objects li").count()
    assert len(json.loads((folder / "chelsea.json").read_text())["shapes"]) == count


def test_what_is_not_saved_yet_survives_a_look_at_another_photo(
    visit: Callable[..., Page], labelled: tuple[str, Path]
) -> None:
    address, folder = labelled
    page = visit(at=address)
    page.locator("#strip button").nth(1).click()
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    before = page.locator("#objects li").count()
    down = [True]
    page.route("**/v1/project/labels**", lambda r: r.abort() if down and r.request.method == "PUT" else r.continue_())
    page.click("#accept-all")
    expect(page.locator("#saved")).to_have_text("Not saved")
    count = page.locator("#objects li").count()
    assert count > before
    page.locator("#strip button").nth(0).click()
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    page.locator("#strip button").nth(1).click()
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    expect(page.locator("#objects li")).to_have_count(count)
    down.clear()
    expect(page.locator("#saved")).to_have_text("Saved")
    assert len(json.loads((folder / "coffee.json").read_text())["shapes"]) == count
