"""How long a click on the page waits for its drawn mask, in Chromium: from the button's release to the painted answer.

    python benchmarks/page_clicks.py PHOTO [--clicks 60] [--threads N] [--json FILE]

Starts `fastsam serve` and opens the photo. Needs the serve extra, playwright and Chromium.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from serving import served

WARM = 5  # first clicks that do not count
WATCH = """() => {
  window.waits = [];
  let since = null;
  const picked = document.getElementById('picked');
  picked.addEventListener('pointerup', () => { since = performance.now(); }, true);
  new MutationObserver(() => {
    if (picked.getAttribute('aria-busy') !== 'false' || since === null) return;
    const from = since;
    since = null;
    requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - from), 0));
  }).observe(picked, { attributes: true, attributeFilter: ['aria-busy'] });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--clicks", type=int, default=60)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with served(*(("--threads", str(given.threads)) if given.threads else ())) as (address, _):
        waits = measured(address, given.photo, given.clicks)
    low, median, high = (float(v) for v in np.percentile(waits[WARM:], (10, 50, 90)))
    print(f"{len(waits) - WARM} clicks: median {median:.1f} ms, 10th {low:.1f}, 90th percentile {high:.1f}")
    if given.json:
        given.json.write_text(json.dumps({"p10": low, "median": median, "p90": high}, indent=2) + "\n")


def measured(address: str, photo: Path, clicks: int) -> list[float]:
    """Milliseconds that each of some clicks waited, each upon a photo without other prompts."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    rng = np.random.default_rng(0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector("#working", state="hidden")
        page.set_input_files("#file", photo)
        page.wait_for_function("name => document.getElementById('facts').textContent.includes(name)", arg=photo.name)
        page.evaluate(WATCH)
        frame = page.locator("#photo").bounding_box()
        assert frame is not None
        for k in range(clicks + WARM):
            page.keyboard.press("Escape")
            x, y = rng.uniform(0.1, 0.9, 2)
            page.mouse.click(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])
            page.wait_for_function("k => window.waits.length > k", arg=k)
        waits: list[float] = page.evaluate("window.waits")
        browser.close()
    return waits


if __name__ == "__main__":
    main()
