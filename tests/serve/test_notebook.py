"""The notebook runs from top to bottom, and its pictures are small."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

BOOK = Path(__file__).parents[2] / "examples" / "fastsam.ipynb"


def pictures(book: Any) -> list[bytes]:
    found = [o["data"] for cell in book.cells if cell.cell_type == "code" for o in cell.outputs if "data" in o]
    return [base64.b64decode(data["image/jpeg"]) for data in found if "image/jpeg" in data]


def test_it_runs(encoder: None, tmp_path: Path) -> None:
    book = nbformat.read(BOOK, as_version=4)
    assert "%pip install" in book.cells[1].source
    del book.cells[1]  # what it installs is being tested
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = pictures(book)
    assert len(shown) == 5
    plain, *picked = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in shown)
    assert all((plain != other).any() for other in picked)
    assert (tmp_path / "coffee.npz").exists()


def test_its_pictures_are_small() -> None:
    book = nbformat.read(BOOK, as_version=4)
    assert len(pictures(book)) == 5
    assert all(len(data) < 100_000 for data in pictures(book))
