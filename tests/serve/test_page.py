"""The page in Debian's Chromium: what a person does, and what they then see."""

import base64
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the serve extra is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from fastsam import FastSAM, Prompt
from fastsam.masks import rle

expect.set_options(timeout=30_000)  # a slow machine is no failure


@pytest.fixture
def page(visit: Callable[..., Page], examples: Path) -> Page:
    """A visitor who has opened coffee.png."""
    found = visit()
    upload(found, examples / "coffee.png")
    return found


def upload(page: Page, file: Path) -> None:
    page.set_input_files("#file", file)
    expect(page.locator("#facts")).to_contain_text(f"{file.name} ·")
    expect(page.locator("#list li").first).to_be_visible()


def at(page: Page, x: float, y: float, size: tuple[int, int] = (600, 400)) -> tuple[float, float]:
    """Where a pixel of the photo is on the screen."""
    box = page.locator("#picked").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / size[0], box["y"] + y * box["height"] / size[1]


def pixels(page: Page, canvas: str) -> np.ndarray:
    """A canvas as RGBA (H, W, 4)."""
    data = page.evaluate("(id) => document.getElementById(id).toDataURL('image/png')", canvas)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8), cv2.IMREAD_UNCHANGED)
    return picture[..., [2, 1, 0, 3]]


def picked(page: Page) -> np.ndarray:
    """What the answer covers, bool (H, W): its tint is blue, its line white."""
    rgba = pixels(page, "picked").astype(int)
    return ((rgba[..., 2] > 200) & (rgba[..., 3] > 80)) | ((rgba[..., :3] > 250).all(2) & (rgba[..., 3] == 255))


def view(page: Page, file: Path, model: FastSAM, cut: str = "") -> Any:
    """What the page's line of Python gives, without what it ends with."""
    code = page.inner_text("#code").replace(f'"{file.name}"', repr(str(file))).replace("FastSAM()", "model")
    names = {"model": model, "Prompt": Prompt}
    *before, last = code.removesuffix(cut).splitlines()
    exec("\n".join(before), names)
    return eval(last.removeprefix("mask = "), names)


def answered(page: Page) -> None:
    """Waits for the answer to the last prompt."""
    expect(page.locator("#picked")).to_have_attribute("aria-busy", "false")


def hold(page: Page) -> Callable[[], None]:
    """Keeps every answer back until the function that is given is called."""
    held: list[Any] = []
    page.route("**/select", lambda route: held.append(route))

    def release() -> None:
        for route in held:
            route.continue_()
        page.unroute("**/select")

    return release


def agree(mask: np.ndarray, other: np.ndarray) -> float:
    return float((mask & other).sum() / (mask | other).sum())


def test_everything_appears_after_an_upload(page: Page, model: FastSAM, examples: Path) -> None:
    segments = view(page, examples / "coffee.png", model)
    assert page.locator("#list li").count() == len(segments)
    assert page.inner_text("#count") == str(len(segments))
    tinted = pixels(page, "everything")[..., 3] > 0
    np.testing.assert_array_equal(tinted, segments.label_map() > 0)


def test_the_object_under_the_mouse_lights_up_without_a_request(page: Page, model: FastSAM, examples: Path) -> None:
    segments = view(page, examples / "coffee.png", model)
    labels, asked = segments.label_map(), []
    page.on("request", lambda request: asked.append(request.url))
    for x, y in ((300, 100), (300, 360), (20, 380)):
        page.mouse.move(*at(page, x + 0.5, y + 0.5))
        expect(page.locator("#picked")).to_be_visible()
        label = labels[y, x]
        if label:
            np.testing.assert_array_equal(picked(page), segments.masks[label - 1])
    assert asked == []


def test_a_click_answers_before_the_finger_is_up(page: Page, model: FastSAM, examples: Path) -> None:
    page.mouse.move(*at(page, 300.5, 100.5))
    page.mouse.down()
    answered(page)
    mask = view(page, examples / "coffee.png", model)
    assert agree(picked(page), mask) > 0.97  # the point's mark lies on it
    page.mouse.up()
    assert agree(picked(page), mask) > 0.97


def test_a_click_shows_the_mask_under_it_until_the_drawn_one_comes(page: Page, model: FastSAM, examples: Path) -> None:
    segments = view(page, examples / "coffee.png", model)
    release = hold(page)
    page.mouse.click(*at(page, 300.5, 100.5))
    expect(page.locator("#picked")).to_have_attribute("aria-busy", "true")
    rough = segments.masks[segments.label_map()[100, 300] - 1]
    assert agree(picked(page), rough) > 0.97
    assert pixels(page, "picked")[300, 20, 3] == 70  # not as under the mouse: what is beside it is darker
    expect(page.locator("#candidates")).to_contain_text("…")
    expect(page.locator("#answer")).to_be_empty()
    release()
    answered(page)
    exact = view(page, examples / "coffee.png", model)
    assert agree(picked(page), exact) > 0.97
    assert (exact != rough).any()
    expect(page.locator("#answer")).to_contain_text("drawn")


def test_a_further_click_corrects_the_answer(page: Page, model: FastSAM, examples: Path) -> None:
    asked: list[Any] = []
    page.on("request", lambda r: r.url.endswith("/select") and asked.append(r.post_data_json))
    page.mouse.click(*at(page, 300.5, 100.5))
    answered(page)
    first = picked(page)
    before = view(page, examples / "coffee.png", model)
    release = hold(page)
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, 20.5, 380.5))
    page.keyboard.up("Shift")
    expect(page.locator("#picked")).to_have_attribute("aria-busy", "true")
    assert agree(picked(page), first) > 0.97  # stays until its correction comes
    release()
    answered(page)
    (sent,) = asked[-1]["prompts"]
    assert (sent["points"], sent["labels"]) == ([[300.5, 100.5], [20.5, 380.5]], [1, 0])
    np.testing.assert_array_equal(rle.decode(sent["mask"]), before)
    assert page.inner_text("#code").count("\n") == 2
    corrected = view(page, examples / "coffee.png", model)
    assert agree(picked(page), corrected) > 0.97
    with page.expect_download() as download:
        page.click("[data-format=coco]")
    (annotation,) = json.loads(Path(download.value.path()).read_text())["annotations"]
    np.testing.assert_array_equal(rle.decode(annotation["segmentation"]), corrected)
    page.click("#undo")
    answered(page)
    np.testing.assert_array_equal(view(page, examples / "coffee.png", model), before)
    assert agree(picked(page), before) > 0.97
    page.click("#redo")
    answered(page)
    assert agree(picked(page), corrected) > 0.97


def test_exact_edges_can_be_switched_off(page: Page, model: FastSAM, examples: Path) -> None:
    page.mouse.click(*at(page, 300.5, 100.5))
    answered(page)
    assert "refine" not in page.inner_text("#code")
    exact = view(page, examples / "coffee.png", model)
    page.uncheck("#exact")
    answered(page)
    assert "refine=False" in page.inner_text("#code")
    plain = view(page, examples / "coffee.png", model)
    assert agree(picked(page), plain) > 0.97
    assert (plain != exact).any()
    expect(page.locator("#answer")).not_to_contain_text("%")
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, 20.5, 380.5))
    page.keyboard.up("Shift")
    answered(page)
    assert "Prompt" not in page.inner_text("#code")  # what was drawn before has no part in it
    assert agree(picked(page), view(page, examples / "coffee.png", model)) > 0.97
    page.click("#undo")
    page.click("#undo")
    expect(page.locator("#exact")).to_be_checked()


def test_every_mask_can_be_redrawn(page: Page, model: FastSAM, examples: Path) -> None:
    plain = view(page, examples / "coffee.png", model)
    page.mouse.click(*at(page, 300.5, 100.5))
    answered(page)
    with page.expect_response("**/v1/segment"):
        page.check("#redrawn")
    expect(page.locator("#working")).to_be_hidden()
    answered(page)
    expect(page.locator("#code")).to_contain_text("refine=True")
    assert agree(picked(page), view(page, examples / "coffee.png", model)) > 0.97  # the prompt stays
    page.click("#clear")
    segments = view(page, examples / "coffee.png", model)
    assert segments.to_rle() != plain.to_rle()
    assert page.inner_text("#count") == str(len(segments))
    np.testing.assert_array_equal(pixels(page, "everything")[..., 3] > 0, segments.label_map() > 0)
    with page.expect_download() as download:
        page.click("[data-format=coco]")
    saved = json.loads(Path(download.value.path()).read_text())["annotations"]
    assert [one["segmentation"] for one in saved] == segments.to_rle()
    with page.expect_response("**/v1/segment"):
        page.uncheck("#redrawn")
    expect(page.locator("#working")).to_be_hidden()
    assert page.inner_text("#count") == str(len(plain))
    expect(page.locator("#code")).not_to_contain_text("refine")


def test_candidates_are_listed_with_their_predicted_quality(page: Page, model: FastSAM, examples: Path) -> None:
    page.mouse.click(*at(page, 300.5, 100.5))
    answered(page)
    line = page.inner_text("#code")
    pick = view(page, examples / "coffee.png", model, cut=line[line.index("[0]", line.index("select")) :])[0]
    rows = page.locator("#candidates button")
    wanted = sorted(pick.candidates, key=lambda c: c.runs.area)
    assert rows.count() == len(wanted)
    for k, candidate in enumerate(wanted):
        expect(rows.nth(k)).to_contain_text(f"{candidate.runs.area} px")
        assert int(rows.nth(k).inner_text().split()[-1].rstrip("%")) == pytest.approx(100 * candidate.quality, abs=0.6)
        rows.nth(k).click()
        expect(rows.nth(k)).to_have_attribute("aria-pressed", "true")
        assert agree(picked(page), candidate.mask) > 0.9
        expect(page.locator("#answer")).to_contain_text("%")


def test_shift_takes_away(page: Page, model: FastSAM, examples: Path) -> None:
    page.uncheck("#exact")  # a drawn answer may keep what a person takes away
    page.mouse.click(*at(page, 300.5, 100.5))
    answered(page)
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, 300.5, 360.5))
    page.keyboard.up("Shift")
    expect(page.locator("#code")).to_contain_text("labels=[1, 0]")
    answered(page)
    mask = view(page, examples / "coffee.png", model)
    assert not mask[360, 300]


def test_a_drag_is_a_box(page: Page, model: FastSAM, examples: Path) -> None:
    page.mouse.move(*at(page, 172, 17))
    page.mouse.down()
    page.mouse.move(*at(page, 300, 200), steps=4)
    page.mouse.move(*at(page, 424, 320), steps=4)
    page.mouse.up()
    expect(page.locator("#code")).to_contain_text("boxes=")
    answered(page)
    assert agree(picked(page), view(page, examples / "coffee.png", model)) > 0.9  # the box is drawn over it
    page.click("#undo")  # the press that began it left nothing to undo
    expect(page.locator("#code")).not_to_contain_text("select")
    expect(page.locator("#undo")).to_be_disabled()


def test_words_find(page: Page, encoder: None, model: FastSAM, examples: Path) -> None:
    page.select_option("#level", "parts")  # all that may answer are listed
    page.fill("#text", "cup")
    page.press("#text", "Enter")
    expect(page.locator("#answer")).to_contain_text("for “cup”")
    found = view(page, examples / "coffee.png", model, cut="[0].mask")
    assert page.locator("#list button[aria-pressed=true]").count() == len(found[0].matches) > 0


def test_words_name(page: Page, encoder: None, model: FastSAM, examples: Path) -> None:
    def names() -> list[str]:
        return [row.split()[0] for row in page.locator("#list li").all_inner_texts()]

    everything = len(names())
    page.fill("#vocabulary", "cup, spoon, table")
    page.press("#vocabulary", "Enter")
    expect(page.locator("#list")).to_contain_text("cup")
    once = view(page, examples / "coffee.png", model)
    assert names() == [once.names[k] for k in once.classes]
    assert len(once) == everything
    page.check("#every")
    expect(page.locator("#code")).to_contain_text("all=True")
    expect(page.locator("#working")).to_be_hidden()
    every = view(page, examples / "coffee.png", model)
    assert names() == [every.names[k] for k in every.classes]
    assert (every.classes > 0).sum() > (once.classes > 0).sum()
    page.check("#only")
    only = view(page, examples / "coffee.png", model)
    assert names() == [only.names[k] for k in only.classes]
    assert len(only) == (every.classes > 0).sum() == int(page.inner_text("#count"))
    page.locator("#conf").fill("0.3")  # other masks stay, and have their names anew
    page.locator("#conf").dispatch_event("change")
    expect(page.locator("#working")).to_be_hidden()
    few = view(page, examples / "coffee.png", model)
    assert names() == [few.names[k] for k in few.classes]
    with page.expect_download() as download:
        page.click("[data-format=coco]")
    assert len(json.loads(Path(download.value.path()).read_text())["annotations"]) == len(few)


def test_tab_steps_from_part_to_whole(page: Page, model: FastSAM, examples: Path) -> None:
    page.select_option("#level", "parts")  # all that may answer
    segments = view(page, examples / "coffee.png", model)
    places = [(x + 0.5, y + 0.5) for y in range(20, 400, 40) for x in range(20, 600, 40)]
    several = (p for p in places if len(segments.select(points=[p], refine=model.refiner)[0].candidates) > 1)
    page.mouse.click(*at(page, *next(several)))
    expect(page.locator("#answer")).to_contain_text("from part to whole")
    number, n = (int(word) for word in re.findall(r"\((\d+) of (\d+)", page.inner_text("#answer"))[0])
    for _ in range(number - 1):
        page.keyboard.press("Shift+Tab")
    areas = []
    for _ in range(n):
        areas.append(int(picked(page).sum()))
        expect(page.locator("#picked")).to_be_focused()
        page.keyboard.press("Tab")
    assert areas == sorted(areas)
    expect(page.locator("#picked")).not_to_be_focused()  # beyond the last one Tab goes on as everywhere
    expect(page.locator("#answer")).to_contain_text(f"({n} of {n}")
    page.focus("#picked")
    page.keyboard.press("Escape")
    expect(page.locator("#clear")).to_be_disabled()


def test_sliders_act_at_once_and_can_be_undone(page: Page, model: FastSAM, examples: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    before = int(page.inner_text("#count"))
    for name, value in (("conf", "0.2"), ("iou", "0.5"), ("area", "70")):
        page.locator(f"#{name}").fill(value)
    segments = view(page, examples / "coffee.png", model)
    assert int(page.inner_text("#count")) == len(segments) < before
    assert asked == []
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert int(page.inner_text("#count")) == before
    for _ in range(3):
        page.keyboard.press("Control+Shift+Z")
    assert int(page.inner_text("#count")) == len(segments)


@pytest.mark.parametrize("photo", ["coffee.png", "rocket.jpg"])
def test_the_level_says_what_is_shown_saved_and_accepted(
    visit: Callable[..., Page], model: FastSAM, examples: Path, photo: str
) -> None:
    page = visit()
    upload(page, examples / photo)
    assert 'level="things"' in page.inner_text("#code")
    counts = []
    for level in ("parts", "things", "regions"):
        page.select_option("#level", level)
        segments = view(page, examples / photo, model)
        assert (f'level="{level}"' in page.inner_text("#code")) == (level != "parts")
        counts.append(len(segments))
        assert int(page.inner_text("#count")) == page.locator("#list li").count() == len(segments)
        np.testing.assert_array_equal(pixels(page, "everything")[..., 3] > 0, segments.label_map() > 0)
        with page.expect_download() as download:
            page.click("[data-format=coco]")
        saved = json.loads(Path(download.value.path()).read_text())["annotations"]
        assert [one["segmentation"] for one in saved] == segments.to_rle()
    assert counts[0] > counts[1] > counts[2] > 1
    page.click("#accept-all")
    expect(page.locator("#objects li")).to_have_count(counts[2])
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(page.locator("#level")).to_have_value("things")
    assert int(page.inner_text("#count")) == counts[1]


def test_a_prompt_is_answered_with_masks_that_the_level_hides(page: Page, model: FastSAM, examples: Path) -> None:
    page.uncheck("#exact")
    page.select_option("#level", "parts")
    everything = view(page, examples / "coffee.png", model)
    page.select_option("#level", "regions")
    shown = view(page, examples / "coffee.png", model).to_rle()
    for i, mask in enumerate(everything.masks):
        x0, y0, x1, y1 = (int(v) for v in np.clip(np.round(everything.boxes[i]), 1, [599, 399, 599, 399]))
        (pick,) = everything.select(boxes=[(x0, y0, x1, y1)], refine=False)
        if pick.how == "mask" and pick.index == i and rle.encode(mask) not in shown:
            break
    else:
        raise AssertionError("every mask of this photo is a region")
    page.mouse.move(*at(page, x0, y0))
    page.mouse.down()
    page.mouse.move(*at(page, x1, y1), steps=4)
    page.mouse.up()
    answered(page)
    assert "level" not in page.inner_text("#code")
    np.testing.assert_array_equal(view(page, examples / "coffee.png", model), mask)
    with page.expect_download() as download:
        page.click("[data-format=coco]")
    (saved,) = json.loads(Path(download.value.path()).read_text())["annotations"]
    np.testing.assert_array_equal(rle.decode(saved["segmentation"]), mask)


def test_colours_outlines_and_opacity(page: Page) -> None:
    first = pixels(page, "everything")
    page.get_by_text("Look", exact=True).click()
    page.uncheck("#outlines")
    plain = pixels(page, "everything")
    assert set(np.unique(plain[..., 3])) <= {0, 128}
    assert 255 in first[..., 3]
    page.locator("#opacity").fill("1")
    assert set(np.unique(pixels(page, "everything")[..., 3])) <= {0, 255}
    page.select_option("#colours", "size")
    assert (pixels(page, "everything") != plain).any()
    page.uncheck("#masks")
    assert not pixels(page, "everything").any()


def test_a_row_of_the_list_picks_its_mask(page: Page, model: FastSAM, examples: Path) -> None:
    page.locator("#conf").fill("0.02")
    page.locator("#iou").fill("0.5")  # rows' numbers are no longer places among the masks that stay
    page.locator("#area").fill("55")
    row = page.locator("#list button").nth(2)
    expect(row).to_contain_text("px")
    row.click()
    mask = view(page, examples / "coffee.png", model)
    assert f"{mask.sum()} px" in row.inner_text()
    np.testing.assert_array_equal(picked(page), mask)
    assert page.locator("#list button").nth(2).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize(
    ("format_", "how"),
    [
        ("cutouts", "click"),
        ("coco", "click"),
        ("coco", "plain"),
        ("coco", "box"),
        ("coco", "early"),
        ("labelme", "click"),
        ("png", "box"),
        ("overlay", "click"),
    ],
)
def test_files_hold_the_picked_mask_or_everything(
    page: Page, model: FastSAM, examples: Path, format_: str, how: str
) -> None:
    """What is shown, or will be in a moment, is what is saved."""
    segments = view(page, examples / "coffee.png", model)

    def save() -> bytes:
        with page.expect_download() as download:
            page.click(f"[data-format={format_}]")
        return Path(download.value.path()).read_bytes()

    everything = save()
    if how == "plain":
        page.uncheck("#exact")
    if how == "box":
        page.mouse.move(*at(page, 172, 17))
        page.mouse.down()
        page.mouse.move(*at(page, 424, 320), steps=4)
        page.mouse.up()
    else:
        page.mouse.click(*at(page, 300.5, 100.5))
    if how != "early":
        answered(page)
    one = save()
    mask = view(page, examples / "coffee.png", model)
    if format_ == "coco":
        assert len(json.loads(everything)["annotations"]) == len(segments)
        (annotation,) = json.loads(one)["annotations"]
        np.testing.assert_array_equal(rle.decode(annotation["segmentation"]), mask)
    elif format_ == "labelme":
        groups = {shape["group_id"] for shape in json.loads(everything)["shapes"]}
        assert len(groups) == len(segments)
        assert {shape["group_id"] for shape in json.loads(one)["shapes"]} == {0}
    else:
        assert everything[:4] == (b"PK\3\4" if format_ == "cutouts" else b"\x89PNG")
        picture = cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_UNCHANGED)
        if format_ == "png":
            np.testing.assert_array_equal(picture > 0, mask)
        elif format_ == "cutouts":
            assert picture.shape[2] == 4


@pytest.mark.parametrize("format_", ["coco", "labelme", "png", "overlay", "cutouts"])
def test_a_union_is_saved_as_it_is_shown(page: Page, model: FastSAM, examples: Path, format_: str) -> None:
    page.uncheck("#exact")
    page.select_option("#level", "parts")  # all that may answer
    segments = view(page, examples / "coffee.png", model)
    x0, y0, x1, y1 = box_of_a_union(segments)
    page.mouse.move(*at(page, x0, y0))
    page.mouse.down()
    page.mouse.move(*at(page, x1, y1), steps=4)
    page.mouse.up()
    expect(page.locator("#answer")).to_contain_text("union")
    answered(page)
    mask = view(page, examples / "coffee.png", model)
    assert agree(picked(page), mask) > 0.9  # the box is drawn over it
    with page.expect_download() as download:
        page.click(f"[data-format={format_}]")
    data = Path(download.value.path()).read_bytes()
    if format_ == "coco":
        (annotation,) = json.loads(data)["annotations"]
        np.testing.assert_array_equal(rle.decode(annotation["segmentation"]), mask)
        return
    if format_ == "labelme":
        saved = np.zeros(mask.shape, np.uint8)
        for shape in json.loads(data)["shapes"]:
            cv2.fillPoly(saved, [np.round(shape["points"]).astype(np.int32)], 1)
        assert agree(saved > 0, mask) > 0.8  # lines run through the centres of pixels
        return
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if format_ == "png":
        np.testing.assert_array_equal(picture > 0, mask)
    elif format_ == "cutouts":
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        extent = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
        assert np.abs(np.array(picture.shape[:2]) - extent).max() <= 8  # its edge is soft
    else:
        photo = cv2.imread(str(examples / "coffee.png"))
        changed = (picture != photo).any(2)
        assert changed[mask].mean() > 0.9
        outside = ~mask
        outside[y0 - 3 : y1 + 3, x0 - 3 : x1 + 3] = False  # where the box is drawn
        assert not changed[outside].any()


def box_of_a_union(segments: Any) -> tuple[int, int, int, int]:
    """A box that several masks of `segments` answer together, and no single one."""
    boxes = segments.boxes
    for i in range(len(boxes)):
        for j in range(i):
            both = np.concatenate((np.minimum(boxes[i, :2], boxes[j, :2]), np.maximum(boxes[i, 2:], boxes[j, 2:])))
            x0, y0, x1, y1 = (int(v) for v in np.clip(np.round(both), 1, [599, 399, 599, 399]))
            (pick,) = segments.select(boxes=[(x0, y0, x1, y1)], refine=False)
            if pick.how == "union":
                return x0, y0, x1, y1
    raise AssertionError("no two masks of this photo make a union")


def test_what_words_find_is_saved_with_their_name(page: Page, encoder: None, model: FastSAM, examples: Path) -> None:
    page.fill("#text", "cup")
    page.press("#text", "Enter")
    expect(page.locator("#answer")).to_contain_text("for “cup”")
    (pick,) = view(page, examples / "coffee.png", model, cut="[0].mask")
    with page.expect_download() as download:
        page.click("[data-format=coco]")
    saved = json.loads(Path(download.value.path()).read_text())
    names = {kind["id"]: kind["name"] for kind in saved["categories"]}
    assert {names[row["category_id"]] for row in saved["annotations"]} == {"cup"}
    for row, match in zip(saved["annotations"], pick.matches, strict=True):
        np.testing.assert_array_equal(rle.decode(row["segmentation"]), match.mask)


def test_errors_are_said_and_the_page_goes_on(page: Page, tmp_path: Path, examples: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image at all")
    page.set_input_files("#file", tmp_path / "broken.png")
    expect(page.locator("#error")).to_contain_text("broken.png: not an image")
    expect(page.locator("#error")).to_have_attribute("role", "alert")
    page.click("#error button")
    expect(page.locator("#error")).to_be_hidden()
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, 300.5, 100.5))
    page.keyboard.up("Shift")
    expect(page.locator("#error")).to_contain_text("click what you mean first")
    upload(page, examples / "rocket.jpg")


def test_a_photo_that_the_service_forgot_comes_back_by_itself(page: Page) -> None:
    # The route stays: taking it off could swallow what is on its way.
    gone = [{"status": 404, "json": {"detail": "gone"}}]
    page.route("**/select", lambda route: route.fulfill(**gone.pop()) if gone else route.continue_())
    with page.expect_response("**/v1/segment") as again:
        page.mouse.click(*at(page, 300.5, 100.5))
    assert again.value.status == 200
    expect(page.locator("#answer")).not_to_be_empty()


def test_a_photo_that_is_replaced_leaves_nothing_behind(page: Page, examples: Path, address: str) -> None:
    old = []
    page.on("request", lambda r: "/images/" in r.url and old.append(r.url.split("/images/")[1].split("/")[0]))
    page.route("**/select", lambda route: (page.wait_for_timeout(600), route.continue_()))
    page.mouse.click(*at(page, 300.5, 100.5))
    upload(page, examples / "chelsea.png")
    page.wait_for_timeout(1500)  # the late answer to the first photo has come by now
    expect(page.locator("#code")).not_to_contain_text("select")
    expect(page.locator("#answer")).to_be_empty()
    expect(page.locator("#error")).to_be_hidden()
    assert page.request.get(f"{address}/v1/images/{old[0]}").status == 404


def test_a_closed_page_forgets_its_photo(visit: Callable[..., Page], examples: Path, address: str) -> None:
    page = visit()
    with page.expect_response("**/v1/segment") as answer:
        upload(page, examples / "coffee.png")
    where = f"{address}/v1/images/{answer.value.json()['id']}"
    assert page.request.get(where).status == 200
    page.goto("about:blank")
    page.wait_for_timeout(500)
    assert page.request.get(where).status == 404


def test_gestures_that_are_no_box_leave_nothing(page: Page) -> None:
    page.mouse.move(*at(page, 100, 100))
    page.mouse.down()
    page.mouse.move(*at(page, 200, 100.0), steps=5)  # no height
    page.mouse.up()
    answered(page)
    expect(page.locator("#answer")).to_be_empty()
    expect(page.locator("#undo")).to_be_disabled()


def test_a_photo_dropped_before_the_network_is_loaded_waits_for_it(chromium: Any, address: str, examples: Path) -> None:
    page = chromium.new_page()
    page.route("**/v1/about", lambda route: (page.wait_for_timeout(700), route.continue_()))
    page.goto(address)
    upload(page, examples / "coffee.png")
    page.close()


def test_two_visitors_never_see_each_others_photo(visit: Callable[..., Page], examples: Path) -> None:
    one, other = visit(), visit()
    seen: dict[str, set[str]] = {"one": set(), "other": set()}
    one.on("request", lambda r: seen["one"].add(r.url))
    other.on("request", lambda r: seen["other"].add(r.url))
    one.set_input_files("#file", examples / "coffee.png")
    other.set_input_files("#file", examples / "chelsea.png")
    expect(one.locator("#facts")).to_contain_text("coffee.png")
    expect(other.locator("#facts")).to_contain_text("chelsea.png")
    one.mouse.click(*at(one, 300.5, 100.5))
    other.mouse.click(*at(other, 225.5, 150.5, (451, 300)))
    expect(one.locator("#answer")).not_to_be_empty()
    expect(other.locator("#answer")).not_to_be_empty()
    ids = [{url.split("/images/")[1].split("/")[0] for url in urls if "/images/" in url} for urls in seen.values()]
    assert all(len(own) == 1 for own in ids)
    assert ids[0] != ids[1]
    assert "chelsea" not in one.inner_text("body")
    assert "coffee.png" not in other.inner_text("body")


def test_the_keyboard_does_all_of_it(page: Page) -> None:
    page.focus("#picked")
    for _ in range(6):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).not_to_be_empty()
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, canvas[tabindex]')].filter((e) => !e.hidden && !(
        e.innerText?.trim() || e.getAttribute('aria-label') || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert unnamed == []


def test_it_fits_a_phone_and_the_dark(visit: Callable[..., Page], examples: Path) -> None:
    page = visit(390, 844, has_touch=True, color_scheme="dark")
    upload(page, examples / "coffee.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(int(v) for v in back[4:-1].split(",")) < 150
    page.touchscreen.tap(*at(page, 300.5, 100.5))
    expect(page.locator("#answer")).not_to_be_empty()
    page.click("#negative")
    page.touchscreen.tap(*at(page, 300.5, 360.5))
    expect(page.locator("#code")).to_contain_text("labels=[1, 0]")


def test_progress_is_shown(visit: Callable[..., Page], examples: Path) -> None:
    page = visit()
    said = page.evaluate_handle(
        """() => { const seen = []; new MutationObserver(() => seen.push([document.getElementById('doing').textContent,
        document.getElementById('working').hidden])).observe(document.getElementById('working'),
        { subtree: true, childList: true, attributes: true, characterData: true }); return seen; }"""
    )
    upload(page, examples / "coffee.png")
    seen = [tuple(entry) for entry in said.json_value()]
    assert ("Sending…", False) in seen
    assert ("Looking for objects…", False) in seen
    assert seen[-1][1]  # and gone at the end


def test_the_line_of_python_is_copied(visit: Callable[..., Page], examples: Path) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    upload(page, examples / "coffee.png")
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.inner_text("#code")


def test_dark_and_light_change_at_a_click(visit: Callable[..., Page]) -> None:
    page = visit(color_scheme="light")
    colours = []
    for _ in range(3):
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.click("#theme")
    assert colours[0] == colours[2] != colours[1]


def test_dropped_and_pasted_photos_are_taken(visit: Callable[..., Page], examples: Path) -> None:
    page = visit()
    data = list((examples / "chelsea.png").read_bytes())
    script = """([kind, name, data]) => {
      const held = new DataTransfer();
      held.items.add(new File([new Uint8Array(data)], name, { type: 'image/png' }));
      const event = kind === 'drop' ? new DragEvent('drop', { dataTransfer: held, bubbles: true })
        : new ClipboardEvent('paste', { clipboardData: held, bubbles: true });
      document.body.dispatchEvent(event);
    }"""
    for kind in ("drop", "paste"):
        page.evaluate(script, [kind, f"{kind}ped.png", data])
        expect(page.locator("#facts")).to_contain_text(f"{kind}ped.png")


def test_an_example_is_one_click_away(visit: Callable[..., Page]) -> None:
    page = visit()
    page.click("[data-example='rocket.jpg']")
    expect(page.locator("#list li").first).to_be_visible()


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder to take the docs' pictures to")
def test_screenshots(visit: Callable[..., Page], examples: Path) -> None:
    folder = Path(os.environ["SCREENSHOTS"])
    for name, how in (
        ("page", {}),
        ("page-dark", {"color_scheme": "dark"}),
        ("page-phone", {"width": 390, "height": 844}),
    ):
        page = visit(**how)
        upload(page, examples / "coffee.png")
        if name != "page":
            page.mouse.click(*at(page, 220.5, 170.5))
            expect(page.locator("#answer")).not_to_be_empty()
        page.screenshot(path=folder / f"{name}.png")
