"""Saved segments that somebody made up are refused with one line; those that are read can be used."""

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest

from fastsam import Segments, UsageError
from fastsam.image.letterbox import fit
from fastsam.masks.drawn import collect
from fastsam.masks.lazy import from_grids, from_network

SIZE = (40, 60)
BOXES = np.array([[2, 3, 40, 30], [0, 0, 60, 40]], np.float32)


def segments(kind: str) -> Segments:
    """Two masks of a kind: `prototyped`, `drawn`, `given`."""
    rng = np.random.default_rng(0)
    scores, classes = np.array([0.9, 0.8], np.float32), np.zeros(2, np.int64)
    if kind == "given":
        return Segments.from_masks(np.zeros((*SIZE, 3), np.uint8), rng.random((2, *SIZE)) > 0.5)
    if kind == "drawn":
        logits = [rng.normal(size=(k, k)).astype(np.float32) for k in (6, 8)]
        return Segments(from_grids(collect(logits, np.array([[1, 2, 30]] * 2), SIZE)), scores, classes)
    box = fit(SIZE, 64)
    prototypes = rng.normal(size=(4, box.input[0] // 4, box.input[1] // 4)).astype(np.float32)
    coefficients = rng.normal(size=(2, 4)).astype(np.float32)
    return Segments(from_network(coefficients, prototypes, BOXES.copy(), box, BOXES.copy()), scores, classes)


def arrays(kind: str) -> dict[str, Any]:
    with np.load(io.BytesIO(segments(kind).to_npz())) as z:
        return dict(z)


def packed(values: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **values)
    return out.getvalue()


def refused(data: bytes, reason: str, **limits: int) -> None:
    with pytest.raises(UsageError, match=reason) as error:
        Segments.from_npz(data, name="it.npz", **limits)
    assert str(error.value).startswith("it.npz ")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("kind", ["prototyped", "drawn", "given"])
def test_what_was_saved_comes_back(kind: str) -> None:
    ours, back = segments(kind), Segments.from_npz(segments(kind).to_npz())
    np.testing.assert_array_equal(ours.masks.stack(), back.masks.stack())
    np.testing.assert_array_equal(ours.boxes, back.boxes)
    assert back.names == ours.names
    with pytest.raises(ValueError, match="read-only"):
        back.scores[0] = 1


def header(text: str, version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text.encode()


def with_member(kind: str, name: str, content: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A saved file in which one array's bytes are others."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed(arrays(kind)))) as source, zipfile.ZipFile(out, "w", compression) as target:
        for member in source.namelist():
            if member != f"{name}.npy":
                target.writestr(member, source.read(member))
        target.writestr(f"{name}.npy", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }", "bytes for 10000000000000 values"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "is an array of"),
        (f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({1 << 70},), }}", "bytes for a huge number values"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "is an array of object"),
        ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "is an array of complex64"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }", "not of f4 with 1 axes"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "is an array of"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': 3, }", "not a saved Segments file"),
        ("{'descr': 'x', 'fortran_order': False, 'shape': (1,), }", "not a saved Segments file"),
        ("(" * 5000, "not a saved Segments file"),
        ("[" * 200 + "]" * 200, "not a saved Segments file"),
        ("__import__('os')", "not a saved Segments file"),
        ("", "not a saved Segments file"),
    ],
)
def test_headers_that_lie_are_refused_before_memory_is_taken(text: str, reason: str) -> None:
    refused(with_member("given", "scores", header(text) + bytes(4)), reason)


def test_other_versions_and_kinds_of_zip_are_refused() -> None:
    for version in (b"\x03\x00", b"\x09\x09"):
        refused(
            with_member("given", "scores", header("{}", version)), "not a saved Segments file: it is written in version"
        )
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        refused(with_member("given", "scores", b"", method), "is compressed")
    data = bytearray(packed(arrays("given")))
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1  # says that it is encrypted
    refused(bytes(data), "it.npz")
    for content in (b"", b"PK\x05\x06" + bytes(18), b"<html>", b"\x93NUMPY\x01\x00"):
        refused(content, "it.npz is not a saved Segments file")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = with_member("given", "scores", bytes((1 << 20) + 1))
    assert len(bomb) < 1 << 16
    refused(bomb, "states 1048577 bytes", most=1 << 20)
    half = bytes(600_000)  # two of them are too much together
    shaped = header("{'descr': '<f4', 'fortran_order': False, 'shape': (150000,), }") + half
    both = {**arrays("given"), "classes": np.zeros(75_000, np.int64)}
    data = io.BytesIO(packed(both))
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.npy", shaped)
    refused(data.getvalue(), "in it states", most=1 << 20)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("given", {"extra": np.zeros(1)}, "has the unexpected member extra.npy"),
        ("given", {"\x1b[2J": np.zeros(1)}, r"unexpected member \\x1b\[2J"),
        ("given", {"scores": None}, "scores is missing"),
        ("given", {"starts": None}, "starts is missing"),
        ("given", {"format": np.int64(99)}, "has format 99"),
        ("given", {"format": np.array([4])}, "format is an array"),
        ("given", {"scores": np.array([np.nan, 0.5], np.float32)}, "scores has values that are not finite"),
        ("given", {"scores": np.array([2, 0.5], np.float32)}, "scores must be between 0 and 1"),
        ("given", {"scores": np.array([0.5], np.float32)}, "one score and one class per mask"),
        ("given", {"scores": np.array([0.9, 0.5])}, "scores is an array of float64"),
        ("given", {"classes": np.array([0, 1])}, "classes must be indices into its 1 names"),
        ("given", {"classes": np.array([0, -1])}, "classes must be indices into its 1 names"),
        ("given", {"classes": np.array([0.0, 1.0])}, "classes is an array of float64"),
        ("given", {"classes": np.array([0, 1 << 63], np.uint64)}, "classes is an array of uint64"),
        ("given", {"names": np.array([1])}, "names is an array of int64"),
        ("given", {"names": np.array(["a" * 5000])}, "names is an array"),
        ("given", {"names": np.zeros(0, "U4")}, "classes must be indices into its 0 names"),
        ("given", {"boxes": BOXES[:1]}, "do not fit"),
        ("given", {"boxes": BOXES[:, :3]}, "do not fit"),
        ("given", {"boxes": BOXES * np.float32(1e6)}, "boxes lie too far"),
        ("given", {"boxes": np.full((2, 4), np.inf, np.float32)}, "boxes has"),
        ("given", {"size": np.array([40, 60, 1])}, "not a saved Segments file"),
        ("given", {"size": np.array([1 << 40, 1 << 40])}, "a photo cannot have"),
        ("given", {"size": np.array([0, 60])}, "a photo cannot have"),
        ("given", {"size": np.array([20, 60])}, "must lie on the photo"),
        ("given", {"starts": np.array([0, (1 << 63) - 1, -(1 << 63)])}, "do not fit"),
        ("given", {"starts": np.array([0, 1 << 62, 5])}, "do not fit"),
        ("given", {"table": np.array([[5, 0, 2], [4, 0, 2]]), "starts": np.array([0, 2, 2])}, "not in order"),
        ("given", {"table": np.array([[5, 3, 5], [5, 0, 2]]), "starts": np.array([0, 2, 2])}, "not in order"),
        ("given", {"table": np.array([[5, 0, 3], [5, 2, 4]]), "starts": np.array([0, 2, 2])}, "not in order"),
        ("given", {"table": np.array([[5, 3, 3]]), "starts": np.array([0, 1, 1])}, "must lie on the photo"),
        ("given", {"table": np.array([[-1, 0, 3]]), "starts": np.array([0, 1, 1])}, "must lie on the photo"),
        ("given", {"table": np.zeros((0, 2), int), "starts": np.array([0, 0, 0])}, "do not fit"),
        ("drawn", {"squares": np.array([[1e7, 0, 30], [0, 0, 30]])}, "grids lie too far"),
        ("drawn", {"squares": np.array([[0, 0, np.nan], [0, 0, 30]])}, "not finite"),
        ("drawn", {"squares": np.array([[0, 0, 0.0], [0, 0, 30]])}, "side of a grid"),
        ("drawn", {"squares": np.array([[0, 0, -3.0], [0, 0, 30]])}, "side of a grid"),
        ("drawn", {"squares": np.array([[0, 0, 1e-300], [0, 0, 30]])}, "cells of grids must be"),
        ("drawn", {"squares": np.zeros((2, 4))}, "do not fit"),
        ("drawn", {"cells": np.array([6, 9])}, "do not fit"),
        ("drawn", {"cells": np.array([1 << 32, 8])}, "cells along a side"),
        ("drawn", {"cells": np.array([0, 10])}, "cells along a side"),
        ("drawn", {"cells": np.array([-6, 8])}, "cells along a side"),
        ("drawn", {"values": np.full(100, np.nan, np.float32)}, "not finite"),
        ("prototyped", {"letterbox_scale": np.array([np.nan, 1.0])}, "not finite"),
        ("prototyped", {"letterbox_scale": np.array([0.0, 0.0])}, "contradicts itself"),
        ("prototyped", {"letterbox_photo": np.array([1 << 40, 60])}, "a photo cannot have"),
        ("prototyped", {"letterbox_input": np.array([1 << 40, 1 << 40])}, "is impossible"),
        ("prototyped", {"letterbox_pad": np.array([-5, 0])}, "is impossible"),
        ("prototyped", {"letterbox_pad": np.array([1000, 0])}, "contradicts itself"),
        ("prototyped", {"letterbox_content": np.array([0, 0])}, "is impossible"),
        ("prototyped", {"prototypes": np.zeros((4, 0, 16), np.float32)}, "is impossible"),
        ("prototyped", {"prototypes": np.zeros((4, 7, 16), np.float32)}, "do not fit an input"),
        ("prototyped", {"prototypes": np.zeros((5, 12, 16), np.float32)}, "do not fit"),
        ("prototyped", {"windows": np.full((2, 4), 1e30, np.float32)}, "windows lie too far"),
    ],
)
def test_arrays_that_no_segments_have_are_refused(kind: str, changes: dict[str, Any], reason: str) -> None:
    values = {name: value for name, value in {**arrays(kind), **changes}.items() if value is not None}
    refused(packed(values), reason)


def test_objects_are_never_unpickled() -> None:
    values = arrays("given")
    out = io.BytesIO()
    np.savez_compressed(out, **{**values, "names": np.array([{"a": 1}], object)}, allow_pickle=True)
    refused(out.getvalue(), "names is an array of object")


def test_class_names_are_shown_without_codes() -> None:
    back = Segments.from_npz(packed({**arrays("given"), "names": np.array(["\x1b[2Jcup"])}))
    assert back.names == (r"\x1b[2Jcup",)
