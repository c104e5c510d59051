"""Starts `fastsam serve` or `fastsam label` for the benchmarks beside this file, and Chromium for those of the page."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def served(*options: str, command: str = "serve") -> Iterator[tuple[str, int]]:
    """Address and process number of a service, which ends with the block. options: of the command"""
    words = [sys.executable, "-m", "fastsam", command, *options, "--no-browser", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found is not None
            yield found[0], server.pid
        finally:
            server.terminate()


@contextmanager
def visited(address: str, width: int = 1280, height: int = 900) -> Iterator[Any]:
    """The page of a service in Chromium, which is closed with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True)
        page.set_default_timeout(120_000)
        page.goto(address)
        page.locator("#working").wait_for(state="hidden")
        yield page
        browser.close()
