"""Broken and hostile files are refused with one line; nothing in them is executed."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastsam import UsageError
from fastsam.weights.torchfile import read
from fastsam.weights.yolo import read_checkpoint


def pack(file: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED, **storages: bytes) -> Path:
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/byteorder", b"little")
        for key, data in storages.items():
            archive.writestr(f"net/data/{key}", data)
    return file


def call(name: bytes, *arguments: bytes) -> bytes:
    """A pickle that calls a name ("module name") with strings."""
    body = b"".join(b"X" + struct.pack("<I", len(a)) + a for a in arguments)
    return b"\x80\x02c" + name.replace(b" ", b"\n") + b"\n(" + body + b"tR."


@pytest.mark.parametrize(
    "name",
    [
        b"os system",
        b"posix system",
        b"builtins eval",
        b"builtins getattr",
        b"__builtin__ getattr",
        b"operator attrgetter",
        b"torch hub.load",
        b"torch _utils._rebuild_tensor_v2.__globals__",
        b"torch.nn.modules.container Sequential.__init__.__globals__",
        b"ultralytics.nn.tasks attempt_load_weights",
        b"collections OrderedDict.__class__",
        b"pickle loads",
    ],
)
def test_a_pickle_that_reaches_for_code_is_refused_by_name(tmp_path: Path, name: bytes) -> None:
    file = pack(tmp_path / "evil.pt", call(name, b"touch " + str(tmp_path / "owned").encode()))
    with pytest.raises(UsageError, match="is refused") as error:
        read(file)
    assert name.decode().replace(" ", ".") in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "owned").exists()


def test_names_made_at_run_time_are_refused_too(tmp_path: Path) -> None:
    stacked = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."
    with pytest.raises(UsageError, match=r"asks for os\.system"):
        read(pack(tmp_path / "evil.pt", stacked))


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".", "torch.save"),  # a bytearray of a terabyte
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "numbers a value"),  # a memo of two thousand million places
        (b"\x80\x02(i__main__\nX\n.", "INST"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02N", "torch.save"),
        (b"", "torch.save"),
        (b"\x80\x02" + b"(" * 100_000 + b"." * 3, "torch.save"),
    ],
)
def test_instructions_beyond_plain_values_are_refused(tmp_path: Path, pickled: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read(pack(tmp_path / "evil.pt", pickled))


def test_functions_of_ours_cannot_be_altered(tmp_path: Path) -> None:
    build = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x0c\x00\x00\x00__defaults__)s\x86b."
    with pytest.raises(UsageError, match=r"torch\.save"):
        read(pack(tmp_path / "evil.pt", build))


def test_a_nested_pickle_stays_bytes(tmp_path: Path) -> None:
    inner = call(b"os system", b"true")
    data = b"\x80\x03C" + bytes([len(inner)]) + inner + b"."
    assert read(pack(tmp_path / "nested.pt", data)) == inner


def test_compressed_members_are_refused(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "bomb.pt", pickle.dumps({}, 2) + b" " * 10_000_000, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(UsageError, match="compressed"):
        read(bomb)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    for content in (b"", b"PK", b"PK\x03\x04 not a zip", np.random.default_rng(0).bytes(4000)):
        (tmp_path / "net.pt").write_bytes(content)
        with pytest.raises(UsageError, match=r"net\.pt"):
            read_checkpoint(tmp_path / "net.pt")


TENSOR = (
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
    b"ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
)


@pytest.mark.parametrize(
    ("rest", "good"),
    [
        (b"K\x00(K\x02K\x02t(K\x02K\x01t\x89}tR.", True),
        (b"K\x01(K\x02K\x02t(K\x02K\x01t\x89}tR.", False),  # begins too late
        (b"K\x00(K\x03K\x02t(K\x02K\x01t\x89}tR.", False),  # too many rows
        (b"K\x00(K\x02K\x02t(J\xff\xff\xff\xffK\x01t\x89}tR.", False),  # goes backwards
        (b"K\x00(J\x00\x00\x00\x7fJ\x00\x00\x00\x7ft(K\x00K\x00t\x89}tR.", False),  # as large as a house, of one number
    ],
)
def test_a_tensor_stays_within_its_storage(tmp_path: Path, rest: bytes, good: bool) -> None:
    values = np.arange(4, dtype="<f4")
    file = pack(tmp_path / "t.pt", TENSOR + rest, **{"0": values.tobytes()})
    if good:
        np.testing.assert_array_equal(read(file), values.reshape(2, 2))
    else:
        with pytest.raises(UsageError, match=r"t\.pt"):
            read(file)


def test_weights_that_are_not_finite_or_of_another_shape_are_refused(
    write_checkpoint: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from fastsam import FastSAM
    from fastsam.network import Architecture, build

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network: Any = build(Architecture())
    network.model[4].cv1.conv.weight.data[0] = float("nan")
    write_checkpoint(network, tmp_path / "nan.pt")
    with pytest.raises(UsageError, match=r"model\.4\.cv1\.conv\.weight holds numbers that are not finite"):
        read_checkpoint(tmp_path / "nan.pt")
    network = build(Architecture())
    network.model[4].cv1.conv.weight = torch.nn.Parameter(torch.zeros(7, 5, 1, 1))
    write_checkpoint(network, tmp_path / "shape.pt")
    with pytest.raises(UsageError, match=r"shape\.pt"):
        FastSAM(tmp_path / "shape.pt")
    for odd in ({"average": {}, "architecture": [1]}, {"ema": torch.zeros(3)}, {"model": 3}, [1, 2]):
        torch.save(odd, tmp_path / "odd.pt")
        with pytest.raises(UsageError, match=r"odd\.pt is no YOLOv8-seg checkpoint"):
            read_checkpoint(tmp_path / "odd.pt")
    torch.save({"epoch": 1, "model": {"a": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(UsageError, match="neither a model nor its average"):
        read_checkpoint(tmp_path / "other.pt")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    out = io.BytesIO()
    torch.save({"model": None, "ema": None, "values": {f"v{k}": torch.rand(k) for k in range(5)}}, out)
    return out.getvalue()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_ends_in_a_value_or_in_one_line(small: bytes, tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(small) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "damaged.pt"
    file.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))] if data.draw(st.booleans()) else damaged)
    line = ""
    try:
        read(file)
    except UsageError as error:
        line = str(error)
    assert "\n" not in line
