"""safetensors and ONNX files that lie are refused with one line that names file and entry."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fastsam import FastSAM, UsageError
from fastsam.untrusted import onnxfile
from fastsam.weights.convert import read_any
from fastsam.weights.yolo import SCORES

NUMBERS = np.ones((2, 4, 1, 1), np.float32)


def refused(file: Path, reason: str, attempt: Callable[[Path], Any] = read_any) -> None:
    with pytest.raises(UsageError, match=reason) as error:
        attempt(file)
    assert str(error.value).isprintable()
    assert file.name in str(error.value)
    assert len(str(error.value)) < 600


# safetensors


def write(file: Path, entries: dict[str, Any], data: bytes, metadata: Any = None) -> Path:
    """A safetensors file. entries: (dtype, shape, first, last) of each"""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    for name, (dtype, shape, first, last) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [first, last]}
    packed = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(packed)) + packed + data)
    return file


def test_every_plain_kind_of_number_is_read(tmp_path: Path) -> None:
    for dtype, numbers in (("F64", "<f8"), ("F32", "<f4"), ("F16", "<f2"), ("I32", "<i4"), ("U8", "u1")):
        data = NUMBERS.astype(numbers).tobytes()
        found = read_any(write(tmp_path / "a.safetensors", {SCORES: (dtype, [2, 4, 1, 1], 0, len(data))}, data))
        np.testing.assert_array_equal(found.entries[SCORES], NUMBERS)
    halves = (NUMBERS.view(np.uint32) >> 16).astype("<u2").tobytes()
    found = read_any(write(tmp_path / "a.safetensors", {SCORES: ("BF16", [2, 4, 1, 1], 0, len(halves))}, halves))
    np.testing.assert_array_equal(found.entries[SCORES], NUMBERS)


@pytest.mark.parametrize(
    ("entry", "data", "reason"),
    [
        (("F8_E4M3", [2, 4], 0, 8), bytes(8), "is of type F8_E4M3, not one of F64"),
        (("F8_E5M2", [2, 4], 0, 8), bytes(8), "is of type F8_E5M2"),
        (("F32", [], 0, 4), bytes(4), "number of classes"),
        (("F32", [0, 4], 0, 0), b"", "the invalid shape"),
        (("F32", [1 << 40, 0], 0, 0), b"", "the invalid shape"),
        (("F32", [1] * 100, 0, 4), bytes(4), "the invalid shape"),
        (("F32", [1 << 62, 1 << 62], 0, 4), bytes(4), "not a valid safetensors file"),
        (("F32", [1], 0, 1 << 62), bytes(4), "not a valid safetensors file"),
        (("F32", [1], 4, 0), bytes(4), "not a valid safetensors file"),
        (("F32", [-1], 0, 4), bytes(4), "not a valid safetensors file"),
        (("Q9", [1], 0, 4), bytes(4), "not a valid safetensors file"),
        (("F32", "one", 0, 4), bytes(4), "not a valid safetensors file"),
        (("F32", [20_000, 1, 1, 1], 0, 80_000), bytes(80_000), "number of classes"),
    ],
)
def test_entries_that_are_none_are_refused(tmp_path: Path, entry: Any, data: bytes, reason: str) -> None:
    refused(write(tmp_path / "it.safetensors", {SCORES: entry}, data), reason)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"fastsam": "[" * 100_000}, "metadata .* is damaged"),
        ({"fastsam": "3"}, "metadata .* is damaged"),
        ({"fastsam": '{"imgsz": -1}'}, "imgsz in .* not -1"),
        ({"fastsam": json.dumps({"imgsz": 1 << 70})}, "imgsz in .* not a huge number"),
        ({"fastsam": 3}, "not a valid safetensors file"),
    ],
)
def test_metadata_of_another_kind_is_refused(tmp_path: Path, metadata: Any, reason: str) -> None:
    entries = {SCORES: ("F32", [2, 4, 1, 1], 0, 32)}
    refused(write(tmp_path / "it.safetensors", entries, NUMBERS.tobytes(), metadata), reason)


def test_headers_that_are_deep_long_or_full_are_refused(tmp_path: Path) -> None:
    for header, reason in (
        (b'{"a":' * 200_000, "not a valid safetensors"),
        (b"{" + b" " * (5 << 20), "its header takes"),
    ):
        (tmp_path / "it.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"0")
        refused(tmp_path / "it.safetensors", reason)
    many = {f"{k}": ("U8", [0], 0, 0) for k in range(20_001)}
    refused(write(tmp_path / "it.safetensors", many, b""), "more than 20000 tensors")


def test_names_in_a_file_are_shown_without_codes(tmp_path: Path) -> None:
    entries = {"\x1b[2J\n" + "a" * 3000: ("F8_E4M3", [1], 0, 1)}
    refused(write(tmp_path / "it.safetensors", entries, b"0"), r"\\x1b\[2J\\naaa")


def test_class_names_are_kept_without_codes(tmp_path: Path) -> None:
    metadata = {"fastsam": json.dumps({"names": ["\x1b[31mcup", "👩‍🚀 ü"]})}
    entries = {SCORES: ("F32", [2, 4, 1, 1], 0, 32)}
    found = read_any(write(tmp_path / "it.safetensors", entries, NUMBERS.tobytes(), metadata))
    assert found.names == (r"\x1b[31mcup", "👩‍🚀 ü")


# ONNX


def model(*tensors: TensorProto, nodes: tuple[Any, ...] = ()) -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("images", "candidates")]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["images"], ["candidates"]), *nodes], "it", *[[e] for e in ends]
    )
    graph.initializer.extend(tensors)
    return helper.make_model(graph)


def external() -> TensorProto:
    tensor = TensorProto(name=SCORES, dims=[2], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def changed(**fields: Any) -> TensorProto:
    tensor = numpy_helper.from_array(NUMBERS, SCORES)
    for name, value in fields.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)
        else:
            setattr(tensor, name, value)
    return tensor


HOSTILE = {
    "numbers elsewhere": (model(external()), "is in another file, which is not read"),
    "an unknown type": (model(changed(data_type=77)), "of the unknown type 77"),
    "no type": (model(changed(data_type=0)), "of the unknown type 0"),
    "too few bytes": (model(changed(raw_data=b"abc")), "has 3 bytes for 8 numbers"),
    "a huge shape": (model(changed(dims=[1 << 40, 1 << 20])), "has 32 bytes for"),
    "a negative side": (model(changed(dims=[-1])), "has the shape"),
    "operators of others": (
        model(nodes=(helper.make_node("Evil", ["images"], ["x"], domain="ev\x1bil"),)), r"operators of ev\\x1bil"),
    "numbers elsewhere in a constant": (
        model(nodes=(helper.make_node("Constant", [], ["x"], value=external()),)), "is in another file"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_onnx_files_that_are_not_whole_are_refused_before_a_runtime_sees_them(tmp_path: Path, what: str) -> None:
    file = tmp_path / "it.onnx"
    content, reason = HOSTILE[what]
    file.write_bytes(content.SerializeToString())
    refused(file, reason)
    refused(file, reason, FastSAM)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    content = model(numpy_helper.from_array(NUMBERS, "model.name")).SerializeToString()
    (tmp_path / "it.onnx").write_bytes(content.replace(b"model.name", b"model.n\xffme"))
    refused(tmp_path / "it.onnx", "the name of a tensor in it is not text")


def test_tensors_of_other_fields_are_counted_too(tmp_path: Path) -> None:
    file = tmp_path / "it.onnx"
    few = TensorProto(name=SCORES, dims=[2, 4, 1, 1], data_type=TensorProto.FLOAT, float_data=[1.0])
    words = TensorProto(name=SCORES, dims=[1], data_type=TensorProto.STRING, string_data=[b"a"])
    for tensor, reason in ((few, "cannot be read"), (words, "no plain numbers")):
        file.write_bytes(model(tensor).SerializeToString())
        refused(file, reason)


def test_graphs_within_graphs_are_looked_at(tmp_path: Path) -> None:
    graph = model(external()).graph
    for _ in range(3):
        node = helper.make_node("If", ["images"], ["x"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "outer", [], [])
    (tmp_path / "it.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    refused(tmp_path / "it.onnx", "is in another file")
    for _ in range(9):
        graph = helper.make_graph([helper.make_node("If", ["images"], ["x"], then_branch=graph)], "outer", [], [])
    (tmp_path / "it.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    refused(tmp_path / "it.onnx", "nested too deeply")


def test_the_bundled_networks_are_whole() -> None:
    from fastsam.refine.network import BUNDLED as REFINE
    from fastsam.weights.catalogue import BUNDLED

    for file in (*BUNDLED.values(), REFINE):
        assert len(onnxfile.read(file).graph.node) > 100
