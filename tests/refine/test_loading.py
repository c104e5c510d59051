"""What is taken for a second network, and what is said of anything else."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fastsam import UsageError
from fastsam.refine.crop import SIZES
from fastsam.refine.network import BUNDLED, load, shared

AXIS = {"axes": [1], "keepdims": 1}
FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8


def network(rank: int = 4, kind: int = BYTE, told: object = (0.5, 2.0), cells: int = 1, each: int = 4) -> bytes:
    """Masks are the maps, qualities their means; of another rank or kind it is no second network.

    cells: of the maps, for one of the masks; each: how many qualities a crop has, 4 or 1
    """
    images = helper.make_tensor_value_info("images", kind, [None] * rank)
    maps = helper.make_tensor_value_info("maps", FLOAT, [None, 4, None, None])
    masks = helper.make_tensor_value_info("masks", FLOAT, [None, 4, None, None])
    quality = helper.make_tensor_value_info("quality", FLOAT, [None, each])
    nodes = [
        helper.make_node("AveragePool", ["maps"], ["masks"], kernel_shape=[cells] * 2, strides=[cells] * 2),
        helper.make_node("ReduceMean", ["maps"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node(
            "Identity" if each == 4 else "ReduceMean", ["means"], ["quality"], **({} if each == 4 else AXIS)
        ),
    ]
    graph = helper.make_graph(nodes, "second", [images, maps], [masks, quality])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"fastsam": json.dumps({"told": told})})
    return bytes(model.SerializeToString())


def test_crops_of_several_sizes_are_answered_in_order(tmp_path: Path) -> None:
    file = tmp_path / "second.onnx"
    file.write_bytes(network())
    refiner = load(file, threads=1)
    assert refiner.told == (0.5, 2.0)
    sizes = [96, 128, 96, 192, 128]
    maps = [np.full((4, s // 2, s // 2), 0.1 * k, np.float32) for k, s in enumerate(sizes)]
    logits, quality = refiner.run([np.zeros((s, s, 3), np.uint8) for s in sizes], maps)
    for k, (own, said) in enumerate(zip(logits, maps, strict=True)):
        np.testing.assert_array_equal(own, said[0])
        np.testing.assert_allclose(quality[k], 0.1 * k, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (network(rank=3), "not a second network"),
        (network(kind=FLOAT), "not a second network"),
        (network(told="much"), "settings are damaged"),
        (network(told=[1.0]), "settings are damaged"),
        (network(told=[1.0, float("nan")]), "settings are damaged"),
        (network(told="12"), "settings are damaged"),
        (network(told=[1, True]), "settings are damaged"),
        (network(told=[1, 10**400]), "settings are damaged"),
        (network(cells=2), r"gives masks \(1, 4, 24, 24\)"),
        (network(each=1), r"qualities \(1, 1\)"),
        (network()[:100], "is not an ONNX file"),
        (b"<html>", "is a web page"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_second_network_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "it.onnx"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message) as error:
        load(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.onnx"):
        load(tmp_path / "nowhere.onnx")


def test_the_bundled_network_is_small_and_takes_every_size() -> None:
    assert BUNDLED.stat().st_size < 3.5e6
    onnx.checker.check_model(onnx.load(BUNDLED))
    images = [np.full((s, s, 3), 90, np.uint8) for s in SIZES]
    logits, quality = shared(1).run(images, [np.zeros((4, s // 2, s // 2), np.float32) for s in SIZES])
    assert [own.shape for own in logits] == [(s // 2, s // 2) for s in SIZES]
    assert ((quality >= 0) & (quality <= 1)).all()
    assert shared(1) is shared(1)
