"""What a network's file says of it is believed once it is seen to be so."""

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from fastsam import FastSAM, UsageError
from fastsam.runtimes.settings import Settings, read_settings


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        ({"imgsz": "640"}, 'imgsz must be an integer from 32 to 16384, not "640"'),
        ({"imgsz": 640.0}, "imgsz must be .* not 640.0"),
        ({"imgsz": True}, "imgsz must be .* not true"),
        ({"imgsz": 10**9}, "imgsz must be .* not 1000000000"),
        ({"conf": [1]}, r"conf must be a number from 0 to 1, not \[1\]"),
        ({"conf": -0.1}, "conf must be .* not -0.1"),
        ({"iou": float("nan")}, "iou must be .* not NaN"),
        ({"max_det": 0}, "max_det must be .* not 0"),
        ({"margin": 1e30}, "margin must be .* not 1e"),
        ({"soft": float("inf")}, "soft must be .* not Infinity"),
        ({"soft": 10**400}, "soft must be .* not 1000"),
        ({"placed": 100}, "placed must be an integer from 0 to 64, not 100"),
        ({"port": 1}, "port must be true or false, not 1"),
        ({"names": "object"}, 'names must be a list of 1 to 10000 words, not "object"'),
        ({"names": []}, "names"),
        ({"names": [1]}, "names"),
        ({"names": None}, "names must be .* not null"),
        ([], "settings are damaged"),
        (3, "settings are damaged"),
    ],
)
def test_settings_of_another_kind_are_refused_by_name(stored: Any, line: str) -> None:
    with pytest.raises(UsageError, match=line) as error:
        read_settings({"fastsam": json.dumps(stored)}, Path("net.onnx"))
    assert str(error.value).startswith("net.onnx: ")
    assert len(str(error.value)) < 300


def test_settings_that_are_no_json_are_refused() -> None:
    for text in ("{", "[" * 100_000, "\x1b"):
        with pytest.raises(UsageError, match="settings are damaged"):
            read_settings({"fastsam": text}, Path("net.onnx"))


def test_settings_become_what_they_are() -> None:
    stored = {"names": ["a", "b\n"], "conf": 1, "iou": 0, "imgsz": 320, "architecture": {"x": 1}}
    settings = read_settings({"fastsam": json.dumps(stored)}, Path("net.onnx"))
    assert settings == Settings(("a", r"b\n"), 320, 1.0, 0.0)
    assert (type(settings.conf), type(settings.iou)) == (float, float)
    assert read_settings({}, Path("net.onnx")) == Settings()


def network(
    candidates: list[int],
    prototypes: list[int],
    value: float = 0.0,
    kind: int = TensorProto.FLOAT,
    takes: tuple[int | None, ...] | None = (None, 3, None, None),
    **stored: Any,
) -> bytes:
    """Outputs of fixed shapes, whatever the picture. takes: sides of the input, those that are fixed; None: any"""
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, takes)
    nodes, outputs = [], []
    for name, shape in (("candidates", candidates), ("prototypes", prototypes)):
        filled = helper.make_tensor(f"{name}_value", kind, [1], [value])
        size = helper.make_tensor(f"{name}_shape", TensorProto.INT64, [len(shape)], shape)
        nodes.append(helper.make_node("Constant", [], [f"{name}_size"], value=size))
        nodes.append(helper.make_node("ConstantOfShape", [f"{name}_size"], [name], value=filled))
        outputs.append(helper.make_tensor_value_info(name, kind, None))
    model = helper.make_model(
        helper.make_graph(nodes, "it", [images], outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    helper.set_model_props(model, {"fastsam": json.dumps(stored)})
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (network([1, 37], [1, 32, 16, 16]), r"must give candidates as float32 with 3 axes, not float32 \(1, 37\)"),
        (network([1, 37, 84, 1], [1, 32, 16, 16]), "float32 with 3 axes"),
        (network([1, 37, 84], [32, 16, 16]), "prototypes as float32 with 4 axes, not float32"),
        (network([1, 37, 84], [1, 32, 16, 16], kind=TensorProto.DOUBLE), "with 3 axes, not float64"),
        (network([1, 36, 84], [1, 32, 16, 16]), "do not fit 1 classes and 0 positional features"),
        (network([1, 37, 84], [1, 32, 16, 16], names=["a", "b"]), "do not fit 2 classes"),
        (network([1, 37, 84], [1, 32, 16, 16], placed=2), "2 positional features"),
        (network([2, 37, 84], [1, 32, 16, 16]), "do not fit"),
        (network([1, 37, 84], [1, 32, 0, 16]), "do not fit"),
        (network([1, 37, 84], [1, 32, 16, 16], float("nan")), "not finite"),
        (network([1, 37, 84], [1, 32, 16, 16], float("inf")), "not finite"),
        (network([1, 37, 84], [1, 32, 16, 16], imgsz="640"), "imgsz"),
    ],
)
def test_outputs_that_are_not_those_of_a_network_of_ours_are_refused(
    tmp_path: Path, content: bytes, reason: str, runtime: str
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra is not installed")
    (tmp_path / "it.onnx").write_bytes(content)
    with pytest.raises(UsageError, match=reason) as error:
        FastSAM(tmp_path / "it.onnx", runtime=runtime, threads=1)
    assert "it.onnx" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize(
    ("takes", "reason"),
    [
        ((2, 3, None, None), "cannot be run on a picture of 64 x 64 pixels"),
        ((None, 3, 96, None), "cannot be run on a picture of 64 x 64 pixels"),
        ((None, 3, None, 96), "cannot be run on a picture of 64 x 64 pixels"),
        ((None, 3, 64, 96), "inputs of 64 x 96"),
        ((1, 3, 64, 64), "inputs of 64 x 64"),
    ],
)
def test_inputs_with_fixed_sides_are_refused(tmp_path: Path, takes: tuple[int, ...], reason: str, runtime: str) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra is not installed")
    (tmp_path / "it.onnx").write_bytes(network([1, 37, 84], [1, 32, 16, 16], takes=takes))
    with pytest.raises(UsageError, match=reason if runtime == "onnx" else "inputs of one size") as error:
        FastSAM(tmp_path / "it.onnx", runtime=runtime, threads=1)
    assert "it.onnx" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_input_of_any_rank_is_tried(tmp_path: Path) -> None:
    (tmp_path / "it.onnx").write_bytes(network([1, 37, 84], [1, 32, 16, 16], takes=None))
    assert FastSAM(tmp_path / "it.onnx", threads=1).settings.names == ("object",)
    pytest.importorskip("openvino", reason="the openvino extra is not installed")
    with pytest.raises(UsageError, match=r"it\.onnx is not a network that OpenVINO can load"):
        FastSAM(tmp_path / "it.onnx", runtime="openvino", threads=1)


def test_a_graph_that_fails_on_a_picture_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "it.onnx").write_bytes(network([1, 37, -5], [1, 32, 16, 16]))
    with pytest.raises(UsageError, match=r"it\.onnx"):
        FastSAM(tmp_path / "it.onnx", threads=1)


def test_outputs_that_fit_are_taken(tmp_path: Path) -> None:
    (tmp_path / "it.onnx").write_bytes(network([1, 38, 84], [1, 32, 16, 16], names=["a", "b"], imgsz=64))
    model = FastSAM(tmp_path / "it.onnx", threads=1)
    assert model.settings.names == ("a", "b")
