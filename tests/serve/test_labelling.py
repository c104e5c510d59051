"""Labelling on the page: what is accepted is kept, and everything can be taken back."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
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


def brush(page: Page, width: int, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A straight stroke of the brush, photo pixels wide."""
    page.keyboard.press("b")
    page.locator("#size").fill(str(width))
    page.focus("#picked")
    drag(page, start, end)


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
    brush(page, 11, (50.5, 50.5), (100.5, 50.5))
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


RINGS = """async () => {
  const { ringsOf } = await import('/page/corners.js'), { now } = await import('/page/state.js');
  return ringsOf(now.objects[0]).sort((a, b) => b.length - a.length)[0]; }"""


def test_a_corner_is_added_where_an_edge_is_dragged_and_taken_away_with_shift(page: Page) -> None:
    brush(page, 41, (100.5, 60.5), (300.5, 60.5))
    before = masks(page)[0][1]
    page.keyboard.press("c")
    ring = page.evaluate(RINGS)
    drag(page, (200.5, 80.5), (200.5, 130.5))  # the lower edge, far from every corner
    added = masks(page)[0][1]
    assert added[110, 200]
    assert not before[110, 200]
    assert (added[:60] == before[:60]).all()
    assert added.sum() > before.sum()
    tip = max(page.evaluate(RINGS), key=lambda corner: corner[1])
    assert tip[1] == pytest.approx(130.5, abs=2)
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, *tip))
    page.keyboard.up("Shift")
    taken = masks(page)[0][1]
    assert not taken[110, 200]
    assert abs(int(taken.sum()) - int(before.sum())) < 0.05 * before.sum()
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(masks(page)[0][1], added)
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(masks(page)[0][1], before)
    assert page.evaluate(RINGS) == ring


def test_a_corner_that_is_dragged_changes_nothing_elsewhere(page: Page) -> None:
    before = accept(page)
    page.locator("#objects button").click()
    page.keyboard.press("c")
    ring = page.evaluate(RINGS)
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


def name_class(page: Page, name: str) -> None:
    """Makes a class the current one, of no object that is chosen."""
    page.focus("#picked")
    page.keyboard.press("Escape")
    page.fill("#kind-name", name)
    page.press("#kind-name", "Enter")
    page.focus("#picked")


def stroke(page: Page, y: float, x: float = 50.5) -> None:
    """Paints an object of its own."""
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    drag(page, (x, y), (x + 100, y))


def names(page: Page) -> list[str]:
    """Names of what is kept, the uppermost last."""
    found: list[str] = page.evaluate("async () => (await import('/page/state.js')).now.objects.map((o) => o.name)")
    return found


def of_class(page: Page, name: str) -> str:
    return page.locator(f"#kinds button[data-key='{name}']").get_attribute("aria-label") or ""


def second(page: Page, examples: Path) -> None:
    """Opens another photo beside coffee.png."""
    page.set_input_files("#file", examples / "chelsea.png")
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")


def test_every_change_is_one_step_back_and_forth(page: Page) -> None:
    state = (
        "async () => JSON.stringify((await import('/page/state.js')).now.objects.map((o) => ({ ...o, runs: null })))"
    )

    def choose(*rows: int) -> None:
        for k, row in enumerate(rows):
            page.locator("#objects button").nth(row).click(modifiers=["Control"] if k else [])

    name_class(page, "cup")
    name_class(page, "spoon")
    steps: list[Callable[[], object]] = [
        lambda: stroke(page, 50.5),
        lambda: stroke(page, 60.5),
        lambda: (page.keyboard.press("e"), drag(page, (100.5, 30.5), (100.5, 100.5))),
        lambda: page.keyboard.press("1"),  # another class for what is chosen
        lambda: page.click("#hide"),
        lambda: page.click("#hide"),
        lambda: page.click("#lock"),
        lambda: page.click("#lock"),
        lambda: page.click("#down"),
        lambda: (page.keyboard.press("s"), drag(page, (70.5, 20.5), (70.5, 90.5))),
        lambda: (choose(0, 1), page.click("#merge")),
        lambda: (choose(0), page.click("#delete")),
        lambda: page.click("#accept-all"),
    ]
    seen = [page.evaluate(state)]
    for number, step in enumerate(steps):
        step()
        seen.append(page.evaluate(state))
        assert seen[-1] != seen[-2], f"step {number} changes nothing"
    page.focus("#picked")
    for before in reversed(seen[:-1]):
        page.keyboard.press("Control+z")
        assert page.evaluate(state) == before
    for after in seen[1:]:
        page.keyboard.press("Control+Shift+Z")
        assert page.evaluate(state) == after


def test_a_class_is_renamed_in_all_photos_and_back(page: Page, examples: Path) -> None:
    name_class(page, "cup")
    stroke(page, 50.5)
    second(page, examples)
    stroke(page, 50.5)
    name_class(page, "spoon")
    page.keyboard.press("1")
    page.fill("#kind-name", "spoon")
    page.click("#rename-kind")
    expect(page.locator("#error")).to_contain_text("There is a class spoon already")
    page.locator("#kinds button").first.focus()
    page.keyboard.press("F2")
    expect(page.locator("#kind-name")).to_have_value("cup")
    page.keyboard.type("mug")
    page.click("#rename-kind")
    expect(page.locator("#kinds button").first).to_contain_text("mug")
    assert names(page) == ["mug"]
    page.focus("#picked")
    page.keyboard.press("p")
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    assert names(page) == ["mug"]
    page.fill("#kind-name", "glass")
    page.click("#rename-kind")
    expect(page.locator("#kinds button").first).to_contain_text("glass")
    page.focus("#picked")
    page.keyboard.press("Control+z")
    expect(page.locator("#kinds button").first).to_contain_text("mug")
    assert names(page) == ["mug"]
    expect(page.locator("#saved")).to_have_text("Saved")
    page.reload()
    expect(page.locator("#strip li")).to_have_count(2)
    expect(page.locator("#objects li")).to_have_count(1)
    for key in ("n", "p"):
        assert names(page) == ["mug"]
        page.keyboard.press(key)
        expect(page.locator("#facts")).to_contain_text("chelsea.png ·" if key == "n" else "coffee.png ·")
        page.wait_for_timeout(100)
    assert page.locator("#kinds li").count() == 2


def test_a_class_is_counted_in_all_photos(page: Page, examples: Path) -> None:
    name_class(page, "cup")
    stroke(page, 50.5)
    stroke(page, 100.5)
    second(page, examples)
    assert of_class(page, "cup") == "class cup, 0 objects, 2 in all photos, key 1"
    stroke(page, 50.5)
    assert of_class(page, "cup") == "class cup, 1 objects, 3 in all photos, key 1"
    expect(page.locator("#kinds small")).to_have_text("1 of 3")
    expect(page.locator("#saved")).to_have_text("Saved")
    page.reload()
    expect(page.locator("#kinds small")).to_contain_text("of 3")


def test_a_vocabulary_names_what_is_accepted(page: Page, encoder: None) -> None:
    page.fill("#vocabulary", "cup, spoon")
    page.press("#vocabulary", "Enter")
    expect(page.locator("#named")).to_be_visible()
    page.check("#only")
    shown = page.locator("#list li span").all_inner_texts()
    page.click("#accept-all")
    expect(page.locator("#objects li")).to_have_count(len(shown))
    assert [name for name, _ in masks(page)] == [text.rsplit(" ", 1)[0] for text in shown]
    assert {name for name, _ in masks(page)} <= {"cup", "spoon"}


def test_a_number_key_gives_what_is_chosen_another_class(page: Page) -> None:
    name_class(page, "cup")
    name_class(page, "spoon")
    stroke(page, 50.5)
    assert [name for name, _ in masks(page)] == ["spoon"]
    page.keyboard.press("1")
    assert [name for name, _ in masks(page)] == ["cup"]


def test_the_upper_object_covers_the_lower_one_and_hidden_ones_are_not_seen(page: Page) -> None:
    colour = "() => [...document.getElementById('kept').getContext('2d').getImageData(100, 50, 1, 1).data]"
    for name in ("cup", "spoon"):
        name_class(page, name)
        stroke(page, 50.5)
    page.keyboard.press("Escape")
    upper = page.evaluate(colour)
    page.locator("#objects button").first.click()
    page.keyboard.press("[")
    lower = page.evaluate(colour)
    assert lower != upper
    page.keyboard.press("]")
    assert page.evaluate(colour) == upper
    page.keyboard.press("h")
    assert page.evaluate(colour) == lower
    page.keyboard.press("v")
    page.focus("#picked")
    page.keyboard.press("Escape")
    page.keyboard.down("Alt")
    page.mouse.click(*at(page, 100.5, 50.5))
    page.keyboard.up("Alt")
    expect(page.locator("#objects button[aria-pressed=true]")).to_contain_text("cup")


def test_refine_draws_what_was_painted_anew(page: Page) -> None:
    brush(page, 121, (250.5, 150.5), (350.5, 150.5))
    painted = masks(page)[0][1]
    page.keyboard.press("r")
    expect(page.locator("#working")).to_be_hidden()
    page.wait_for_function("() => !document.getElementById('undo').disabled")
    drawn = masks(page)[0][1]
    assert (drawn != painted).any()
    assert (drawn & painted).sum() > 0.5 * painted.sum()
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(masks(page)[0][1], painted)


def test_keys_and_space_move_the_view(page: Page) -> None:
    page.focus("#picked")
    left = at(page, 0, 0)[0]
    for _ in range(3):
        page.keyboard.press("+")
    assert page.inner_text("#zoom") == "338%"
    zoomed = at(page, 0, 0)[0]
    assert zoomed < left
    page.keyboard.press("Alt+ArrowRight")
    assert at(page, 0, 0)[0] == pytest.approx(zoomed - 60, abs=1)
    page.mouse.move(*at(page, 300, 200))
    page.keyboard.down(" ")
    page.mouse.down()
    x, y = at(page, 300, 200)
    page.mouse.move(x + 45, y + 30)
    page.mouse.up()
    page.keyboard.up(" ")
    assert at(page, 300, 200) == pytest.approx((x + 45, y + 30), abs=1)
    expect(page.locator("#answer")).to_be_empty()  # a drag with the space bar is no click
    page.keyboard.press("0")
    assert at(page, 0, 0)[0] == pytest.approx(left, abs=1)


def test_two_fingers_zoom_and_move_and_set_no_point(visit: Callable[..., Page], examples: Path) -> None:
    page = visit(390, 844, has_touch=True)
    page.set_input_files("#file", examples / "coffee.png")
    expect(page.locator("#list li").first).to_be_visible()
    page.locator("#picked").scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        each = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": each})

    x, y = at(page, 300, 200)
    fingers("touchStart", (x - 20, y))
    fingers("touchStart", (x - 20, y), (x + 20, y))
    for k in range(1, 7):
        fingers("touchMove", (x - 20 - 10 * k, y + 5 * k), (x + 20 + 10 * k, y + 5 * k))
    fingers("touchEnd")
    assert page.inner_text("#zoom") == "400%"
    assert at(page, 300, 200) == pytest.approx((x, y + 30), abs=2)  # what was between the fingers still is
    expect(page.locator("#answer")).to_be_empty()
    expect(page.locator("#undo")).to_be_disabled()
    asked: list[Any] = []
    page.on("request", lambda r: r.url.endswith("/select") and asked.append(r.post_data_json))
    page.touchscreen.tap(*at(page, 300.5, 200.5))
    expect(page.locator("#picked")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#answer")).not_to_be_empty()
    assert asked[0]["prompts"][0]["points"] == [[300.5, 200.5]]
    page.tap("#accept")
    expect(page.locator("#objects li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_alone_labels_a_photo(page: Page, examples: Path) -> None:
    name_class(page, "cup")
    second(page, examples)
    page.focus("#previous")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    expect(page.locator("#picked")).to_be_focused()
    page.keyboard.press("1")
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).not_to_be_empty()
    expect(page.locator("#picked")).to_have_attribute("aria-busy", "false")
    page.keyboard.press("Enter")
    expect(page.locator("#objects li")).to_have_count(1)
    assert masks(page)[0][0] == "cup"
    for _ in range(60):  # to the object in the list
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('#objects'))"):
            break
    page.keyboard.press("Delete")
    expect(page.locator("#objects li")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(page.locator("#objects li")).to_have_count(1)
    page.keyboard.press("d")
    page.keyboard.press("n")
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    expect(page.locator("#strip button").first).to_have_attribute("aria-label", "coffee.png, done")


def test_a_folder_is_taken_with_the_folders_in_it(visit: Callable[..., Page], tmp_path: Path, examples: Path) -> None:
    (tmp_path / "mine" / "more").mkdir(parents=True)
    shutil.copy(examples / "coffee.png", tmp_path / "mine" / "10.png")
    shutil.copy(examples / "coffee.png", tmp_path / "mine" / "9.png")
    shutil.copy(examples / "chelsea.png", tmp_path / "mine" / "more" / "a.png")
    (tmp_path / "mine" / "notes.txt").write_text("no photo")
    page = visit()
    page.set_input_files("#folder", tmp_path / "mine")
    expect(page.locator("#strip li")).to_have_count(3)
    names = [one.get_attribute("title") for one in page.locator("#strip button").all()]
    assert names == ["mine/9.png", "mine/10.png", "mine/more/a.png"]


def test_a_dropped_folder_is_walked(visit: Callable[..., Page], examples: Path) -> None:
    page = visit()
    data = list((examples / "chelsea.png").read_bytes())
    page.evaluate(
        """(data) => {
          const file = (name) => ({ isFile: true, fullPath: `/mine/${name}`,
            file: (ok) => ok(new File([new Uint8Array(data)], name.split('/').pop(), { type: 'image/png' })) });
          const folder = (...some) => ({ isDirectory: true, createReader: () => { const left = [some, []];
            return { readEntries: (ok) => ok(left.shift()) }; } });
          const event = new DragEvent('drop', { bubbles: true });
          const entry = folder(file('b.png'), folder(file('more/a.png')));
          const value = { files: [], items: [{ webkitGetAsEntry: () => entry }] };
          Object.defineProperty(event, 'dataTransfer', { value });
          document.body.dispatchEvent(event);
        }""",
        data,
    )
    expect(page.locator("#strip li")).to_have_count(2)
    assert [one.get_attribute("title") for one in page.locator("#strip button").all()] == [
        "mine/b.png",
        "mine/more/a.png",
    ]


def test_the_next_photo_is_ready_before_it_is_asked_for(visit: Callable[..., Page], examples: Path) -> None:
    page = visit()
    sent: list[str] = []
    page.on("request", lambda r: r.url.endswith("/v1/segment") and sent.append(r.url))
    with (
        page.expect_response("**/v1/segment"),
        page.expect_response(lambda r: r.url.endswith("/v1/segment") and len(sent) == 2),
    ):
        page.set_input_files("#file", [examples / name for name in ("chelsea.png", "coffee.png")])
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    page.keyboard.press("n")
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    click(page, 300.5, 100.5)
    expect(page.locator("#answer")).not_to_be_empty()
    assert len(sent) == 2


@pytest.mark.parametrize("format_", ["yolo", "voc", "labelstudio", "labelme"])
def test_files_of_other_programs_come_in_on_the_page(page: Page, examples: Path, tmp_path: Path, format_: str) -> None:
    second(page, examples)
    stroke(page, 50.5)
    expect(page.locator("#saved")).to_have_text("Saved")
    page.keyboard.press("p")
    expect(page.locator("#facts")).to_contain_text("coffee.png ·")
    name_class(page, "cup")
    stroke(page, 100.5)
    expect(page.locator("#saved")).to_have_text("Saved")
    page.select_option("#export-format", format_)
    with page.expect_download() as download:
        page.click("#export")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    mask = masks(page)[0][1]
    page.set_input_files("#import-file", file)
    expect(page.locator("#objects li")).to_have_count(2)
    name, found = masks(page)[1]
    assert name == "cup"
    np.testing.assert_array_equal(found, mask)
    expect(page.locator("#error")).to_be_hidden()
    page.keyboard.press("n")
    expect(page.locator("#facts")).to_contain_text("chelsea.png ·")
    expect(page.locator("#objects li")).to_have_count(2)


def test_what_has_no_photo_is_said(page: Page, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("labels/elsewhere.txt", "0 0.1 0.1 0.5 0.1 0.5 0.5")
    (tmp_path / "x.zip").write_bytes(packed.getvalue())
    page.set_input_files("#import-file", tmp_path / "x.zip")
    expect(page.locator("#error")).to_contain_text("Not found among the photos: elsewhere")


def test_two_windows_do_not_overwrite_each_other(page: Page) -> None:
    other = page.context.new_page()
    stroke(page, 50.5)
    expect(page.locator("#saved")).to_have_text("Saved")
    other.goto(page.url)
    expect(other.locator("#objects li")).to_have_count(1)
    stroke(page, 100.5)
    expect(page.locator("#saved")).to_have_text("Saved")
    stroke(other, 150.5)
    expect(other.locator("#conflict")).to_be_visible()
    other.click("#mine")
    expect(other.locator("#saved")).to_have_text("Saved")
    mine = [mask.sum() for _, mask in masks(other)]
    page.reload()
    expect(page.locator("#objects li")).to_have_count(2)
    assert [mask.sum() for _, mask in masks(page)] == mine
    other.close()


def test_thousands_of_photos_are_listed_and_few_are_fetched(
    serve_folder: Callable[..., Any], visit: Callable[..., Page], tmp_path: Path
) -> None:
    photo = cv2.imencode(".jpg", np.full((24, 32, 3), 90, np.uint8))[1].tobytes()
    for k in range(3000):
        (tmp_path / f"{k}.jpg").write_bytes(photo)
    with serve_folder(tmp_path) as address:
        page = visit(at=address)
        expect(page.locator("#strip li")).to_have_count(3000)
        expect(page.locator("#facts")).to_contain_text("0.jpg ·")
        row = page.locator("#strip li").nth(1500).element_handle()
        page.keyboard.press("b")
        drag(page, (100.5, 100.5), (200.5, 100.5))
        expect(page.locator("#saved")).to_have_text("Saved")
        page.keyboard.press("n")
        expect(page.locator("#facts")).to_contain_text("1.jpg ·")
        assert row.evaluate("(row) => row.isConnected")  # the strip was not built anew
        expect(page.locator("#strip button").first).to_have_attribute("data-state", "work")
        asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        assert 2 <= sum("/v1/project/photo" in url for url in asked) < 60
        assert sum(url.endswith("/v1/project") for url in asked) == 1
