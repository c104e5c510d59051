"""The consumer's file, which mypy checks strictly, uses the whole public surface and runs."""

import ast
import runpy
from pathlib import Path

import fastsam
from fastsam import FastSAM

FILE = Path(__file__).parent / "consumer.py"


def test_it_uses_every_public_name() -> None:
    used = {node.id for node in ast.walk(ast.parse(FILE.read_text())) if isinstance(node, ast.Name)}
    assert set(fastsam.__all__) <= used


def test_it_runs(examples: Path, tmp_path: Path, model: FastSAM) -> None:
    consumer = runpy.run_path(str(FILE))
    segments = consumer["everything"](examples / "coffee.png")
    assert len(consumer["results"](segments, tmp_path)) == len(segments)
    assert consumer["asking"](segments)[285, 365]
    assert consumer["one_object"](segments).shape[2] == 4
    assert consumer["mistakes"](model).startswith("nowhere.jpg: ")
