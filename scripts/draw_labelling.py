"""Draws docs/labelling.jpg and docs/labelling-corners.jpg: the page on a folder of photos, in Chromium; and with the
Python of an environment that has labelme, docs/labelling-labelme.jpg: what labelme shows of the same folder.

python scripts/draw_labelling.py [PYTHON]
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
SIZE = (600, 400)  # of coffee.png
UNTIMED = (
    "() => { const one = document.getElementById('facts'); one.textContent = one.textContent.split(' · net')[0]; }"
)
CLICKS = (("cup", (300, 100)), ("spoon", (385, 280)))
LABELME = """
import sys
from PyQt5 import QtWidgets
from labelme.app import MainWindow
app = QtWidgets.QApplication(sys.argv)
window = MainWindow(file_or_dir=sys.argv[1])
window.resize(1100, 700)
window.show()
app.processEvents()
window.grab().save(sys.argv[2], quality=85)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for photo in ("chelsea.png", "coffee.png", "rocket.jpg"):
            shutil.copy(ROOT / "examples" / photo, folder)
        words = [sys.executable, "-m", "fastsam", "label", folder, "--no-browser", "--port", "0"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                address = re.search(r"http://\S+", server.stdout.readline())
                assert address, "fastsam label says no address"
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(
                        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
                    )
                    draw(browser.new_page(viewport={"width": 1280, "height": 900}), address[0])
                    browser.close()
                if sys.argv[1:]:
                    picture = ROOT / "docs" / "labelling-labelme.jpg"
                    words = [sys.argv[1], "-c", LABELME, str(Path(folder) / "coffee.json"), str(picture)]
                    subprocess.run(words, check=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
            finally:
                server.terminate()


def draw(page: Page, address: str) -> None:
    """Labels a photo as a person would, and takes the pictures."""
    page.set_default_timeout(120_000)
    page.goto(address)
    page.locator("#list li").first.wait_for()
    page.locator("#strip button").nth(1).click()
    page.locator("#facts", has_text="coffee.png ·").wait_for()
    for k, (name, point) in enumerate(CLICKS):
        page.fill("#kind-name", name)
        page.press("#kind-name", "Enter")
        page.focus("#picked")
        page.keyboard.press(str(k + 1))
        pick(page, point)
        page.keyboard.press("Enter")
    page.evaluate(UNTIMED)  # how long the network took here says nothing
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    page.screenshot(path=ROOT / "docs" / "labelling.jpg", type="jpeg", quality=85)
    page.locator("#objects button").nth(1).click()
    page.keyboard.press("c")
    page.mouse.move(*at(page, 300, 150))
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(500)
    page.locator("#place").screenshot(path=ROOT / "docs" / "labelling-corners.jpg", type="jpeg", quality=85)


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the photo is on the screen."""
    box = page.locator("#picked").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / SIZE[0], box["y"] + y * box["height"] / SIZE[1]


def pick(page: Page, point: tuple[float, float]) -> None:
    """Clicks, and waits for the answer."""
    page.mouse.click(*at(page, *point))
    page.locator("#picked[aria-busy=false]").wait_for()


if __name__ == "__main__":
    main()
