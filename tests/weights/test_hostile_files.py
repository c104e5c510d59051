"""Broken and hostile files are refused with one line; nothing in them is executed, and none takes much."""

import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastsam import UsageError
from fastsam.untrusted.budget import LIMITS
from fastsam.weights.torchfile import opened
from fastsam.weights.yolo import read_checkpoint


def read(file: Path) -> Any:
    """The value of a file of torch.save."""
    with opened(file) as content:
        return content.root


def array(file: Path) -> np.ndarray:
    """The numbers of the tensor that a file of torch.save holds."""
    with opened(file) as content:
        return content.array(content.root, "it")


def pack(file: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED, **storages: bytes) -> Path:
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/byteorder", b"little")
        for key, data in storages.items():
            archive.writestr(f"net/data/{key}", data)
    return file


def word(text: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text


def call(name: bytes, *arguments: bytes) -> bytes:
    """A pickle that calls a name ("module name") with strings."""
    return b"\x80\x02c" + name.replace(b" ", b"\n") + b"\n(" + b"".join(map(word, arguments)) + b"tR."


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


def test_names_are_shown_without_codes_that_a_terminal_obeys(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read(pack(tmp_path / "evil.pt", b"\x80\x02cos\x1b[2J\xe2\x80\xae\xc2\xa0\nsystem\r\n."))
    assert str(error.value).isprintable()
    assert r"os\x1b[2J\u202e\xa0.system\r" in str(error.value)
    long = word(b"a" * 5000)
    with pytest.raises(UsageError) as error:
        read(pack(tmp_path / "evil.pt", b"\x80\x04" + long + long + b"\x93."))
    assert len(str(error.value)) < 200 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".", "BYTEARRAY8"),  # a bytearray of a terabyte
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "numbers a value 2147483647"),  # a memo of two thousand million places
        (b"\x80\x02(i__main__\nX\n.", "INST"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02\x0e.", "instruction 0e"),
        (b"\x80\x00.", "protocol 0"),
        (b"\x80\x02N", "damaged"),
        (b"", "damaged"),
        (b"\x80\x02X\xff\xff\xff\xff.", "damaged"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "damaged"),
        (b"\x80\x02}(K\x01u.", "damaged"),
        (b"\x80\x02h\x00.", "damaged"),
        (b"\x80\x02t.", "damaged"),
        (b"\x80\x02" + b"(" * 100_000 + b"." * 3, "nested too deeply"),
    ],
)
def test_instructions_beyond_plain_values_are_refused(tmp_path: Path, pickled: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read(pack(tmp_path / "evil.pt", pickled))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_read_as_python_wrote_them(tmp_path: Path, protocol: int) -> None:
    shared = ["x"]
    value = {"a": [1, 300, 70_000, -5, 1 << 70, 1.5, None, True, False], 7: ("ü", b"\0\xff"), "b": (shared, shared, ()),
             "c": {}, "d": (1, 2, 3, 4)}  # fmt: skip
    if protocol == 2:
        value[7] = ("ü",)  # bytes are a call there
    got = read(pack(tmp_path / "v.pt", pickle.dumps(value, protocol)))
    assert got == value
    assert got["b"][0] is got["b"][1]
    assert read(pack(tmp_path / "s.pt", pickle.dumps({3}, protocol))) == [3]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_torch_saves_is_read_without_its_classes(tmp_path: Path, protocol: int) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    network = torch.nn.Conv2d(3, 4, 3)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    value = {"network": network, "entries": network.state_dict(), "optimizer": optimizer.state_dict(),
             "set": {1}, "fitness": np.float64(0.5), "where": Path("a/b"),
             "size": torch.Size([1, 2]), "on": torch.device("cpu")}  # fmt: skip
    torch.save(value, tmp_path / "net.pt", pickle_protocol=protocol)
    with opened(tmp_path / "net.pt") as content:
        kinds = {name: type(found).__name__ for name, found in content.root.items()}
        entries = {name: content.array(found, name) for name, found in content.root["entries"].items()}
    assert kinds == {"network": "Record", "entries": "dict", "optimizer": "dict", "set": "list", "fitness": "Record",
                     "where": "Record", "size": "tuple", "on": "Record"}  # fmt: skip
    for name, values in network.state_dict().items():
        np.testing.assert_array_equal(entries[name], values.numpy())


@pytest.mark.parametrize(
    "target",
    [
        b"ctorch._utils\n_rebuild_tensor_v2\n",  # a function
        b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ",  # a storage
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
        b"X\x03\x00\x00\x00cpuK\x04tQK\x00)) tR".replace(b" ", b""),  # a tensor
        b"X\x01\x00\x00\x00a",
        b"K\x01",
        b"]",
    ],
)
def test_nothing_but_records_and_mappings_can_be_given_a_state(tmp_path: Path, target: bytes) -> None:
    build = b"\x80\x02" + target + b"}X\x06\x00\x00\x00valuesK\x01sb."
    with pytest.raises(UsageError, match=r"gives a \w+ a state"):
        read(pack(tmp_path / "evil.pt", build, **{"0": bytes(16)}))


@pytest.mark.parametrize(
    "key", [b")", b"N", b"\x88", b"G" + bytes(8), b"]", b"C\x01a", b"\x8a\x01\xff", b"\x8a\x05" + b"\x7f" * 5]
)
def test_keys_are_words_and_small_numbers(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(UsageError, match="as a key"):
        read(pack(tmp_path / "evil.pt", b"\x80\x02}" + key + b"Ns."))


def test_values_nested_a_million_times_neither_crash_nor_are_compared(tmp_path: Path) -> None:
    deep = b")" + b"\x85" * 900_000
    read(pack(tmp_path / "deep.pt", b"\x80\x02" + deep + b"."))
    with pytest.raises(UsageError, match="has a tuple as a key"):
        read(pack(tmp_path / "deep.pt", b"\x80\x02}" + deep + b"Ns."))
    file = pack(tmp_path / "deep.pt", b"\x80\x02}" + word(b"model") + deep + b"s.")
    with pytest.raises(UsageError, match="neither a model nor its moving average"):
        read_checkpoint(file)
    lists = b"]q\x00" + b"]h\x00a" * 200_000  # lists that hold each other, and one that holds itself
    read(pack(tmp_path / "deep.pt", b"\x80\x02" + lists + b"h\x00h\x00a."))


def test_a_nested_pickle_stays_bytes(tmp_path: Path) -> None:
    inner = call(b"os system", b"true")
    data = b"\x80\x03C" + bytes([len(inner)]) + inner + b"."
    assert read(pack(tmp_path / "nested.pt", data)) == inner


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    for content in (b"", b"PK", b"PK\x03\x04 not a zip", np.random.default_rng(0).bytes(4000)):
        (tmp_path / "net.pt").write_bytes(content)
        with pytest.raises(UsageError, match=r"net\.pt"):
            read_checkpoint(tmp_path / "net.pt")


# Zips whose directory lies


def test_compressed_members_are_refused(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "bomb.pt", pickle.dumps({}, 2) + b" " * 10_000_000, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(UsageError, match="compressed"):
        read(bomb)


def test_members_that_lie_about_their_size_are_refused(tmp_path: Path) -> None:
    file = pack(tmp_path / "lies.pt", b"\x80\x02N.")
    content = file.read_bytes()
    entry = content.index(b"PK\x01\x02")
    huge = struct.pack("<II", 0x7FFFFFF0, 0x7FFFFFF0)
    file.write_bytes(content[: entry + 20] + huge + content[entry + 28 :])
    with pytest.raises(UsageError, match="states 2147483632 bytes"):
        read(file)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    file = pack(tmp_path / "twice.pt", b"\x80\x02N.")
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("net/data.pkl", b"\x80\x02K\x01.")
    with pytest.raises(UsageError, match="two members of its zip have the same name"):
        read(file)


def test_too_many_members_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    many = {f"{k}": b"" for k in range(LIMITS["members"])}
    with pytest.raises(UsageError, match="more than 20000 members"):
        read(pack(tmp_path / "many.pt", b"\x80\x02N.", **many))
    entry = b"PK\x01\x02" + bytes(42)  # a hundred thousand of the shortest entries
    directory = entry * 100_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0, 0, len(directory), 0, 0)
    (tmp_path / "wide.pt").write_bytes(directory + end)
    with pytest.raises(UsageError, match="its directory takes more than"):
        read(tmp_path / "wide.pt")


# Tensors

STORAGE = b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
TENSOR = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n" + STORAGE


@pytest.mark.parametrize(
    ("rest", "good"),
    [
        (b"K\x00(K\x02K\x02t(K\x02K\x01t\x89}tR.", True),
        (b"K\x01(K\x02K\x02t(K\x02K\x01t\x89}tR.", False),  # begins too late
        (b"K\x00(K\x03K\x02t(K\x02K\x01t\x89}tR.", False),  # too many rows
        (b"K\x00(K\x02K\x02t(J\xff\xff\xff\xffK\x01t\x89}tR.", False),  # goes backwards
        (b"J\xff\xff\xff\xff(K\x02K\x02t(K\x02K\x01t\x89}tR.", False),  # begins before
        (b"K\x00(J\x00\x00\x00\x7fJ\x00\x00\x00\x7ft(K\x00K\x00t\x89}tR.", False),  # as large as a house, of one number
        (b"K\x00(K\x04t(\x8a\x09" + b"\x00" * 8 + b"\x01t\x89}tR.", False),  # a stride of 2^64
        (b"\x8a\x09" + b"\x00" * 8 + b"\x01(K\x01t(K\x01t\x89}tR.", False),  # an offset of 2^64
        (b"K\x00(K\x02K\x02t(K\x01t\x89}tR.", False),  # more sides than strides
        (b"K\x00(G@\x00\x00\x00\x00\x00\x00\x00t(K\x01t\x89}tR.", False),  # a side of 2.0
        (b"K\x00" + b"(" + b"K\x01" * 9 + b"t(" + b"K\x01" * 9 + b"t\x89}tR.", False),  # nine sides
        (b"K\x00(\x88t(K\x01t\x89}tR.", False),  # a side of True
    ],
)
def test_a_tensor_stays_within_its_storage(tmp_path: Path, rest: bytes, good: bool) -> None:
    values = np.arange(4, dtype="<f4")
    file = pack(tmp_path / "t.pt", TENSOR + rest, **{"0": values.tobytes()})
    if good:
        np.testing.assert_array_equal(array(file), values.reshape(2, 2))
    else:
        with pytest.raises(UsageError, match=r"t\.pt is refused"):
            array(file)


def test_a_storage_is_as_long_as_it_says(tmp_path: Path) -> None:
    good = TENSOR + b"K\x00(K\x04t(K\x01t\x89}tR."
    for storages, reason in (
        ({"0": bytes(12)}, "12 bytes for 4 numbers"),
        ({"0": bytes(20)}, "20 bytes"),
        ({}, "is missing"),
    ):
        with pytest.raises(UsageError, match=reason):
            array(pack(tmp_path / "t.pt", good, **storages))


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.15625, 3e38], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2")
    pickled = (TENSOR + b"K\x00(K\x04t(K\x01t\x89}tR.").replace(b"FloatStorage", b"BFloat16Storage")
    np.testing.assert_allclose(array(pack(tmp_path / "b.pt", pickled, **{"0": halves.tobytes()})), values, rtol=1e-2)


# Little files that want much: each in a process of 2 GB


def network(parameters: bytes, modules: bytes = b"}") -> bytes:
    """A pickle of a checkpoint whose model has these parameters and modules."""
    state = b"}(" + word(b"_parameters") + parameters + word(b"_modules") + modules + b"u"
    return b"\x80\x02}" + word(b"model") + b"cultralytics.nn.tasks\nSegmentationModel\n)\x81" + state + b"bs."


def tensor(key: bytes, count: int, shape: tuple[int, ...], kind: bytes = b"HalfStorage") -> bytes:
    """The instructions of a tensor that is stored whole."""

    def number(value: int) -> bytes:
        return b"\x8a\x08" + value.to_bytes(8, "little")

    strides = [int(np.prod([float(s) for s in shape[k + 1 :]])) for k in range(len(shape))]
    stored = b"((" + word(b"storage") + b"ctorch\n" + kind + b"\n" + word(key) + word(b"cpu") + number(count) + b"tQ"
    sides, steps = (b"(" + b"".join(map(number, values)) + b"t" for values in (shape, strides))
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + stored + b"K\x00" + sides + steps + b"\x89}tR"


def shared_modules(levels: int, names: int) -> bytes:
    """Modules, each of which has the next one under many names: names ** levels ways to the last."""
    layer = b"ctorch.nn.modules.container\nSequential\n)\x81"
    inner = layer + b"}" + word(b"_modules") + b"}sb"
    for _ in range(levels):
        parts = b"".join(word(b"%d" % k) + (b"h\x07" if k else inner + b"q\x07") for k in range(names))
        inner = layer + b"}" + word(b"_modules") + b"}(" + parts + b"usb"
    return b"}(" + word(b"0") + inner + b"u"


BIG = 8 << 20  # numbers
ONE = tensor(b"0", BIG, (BIG,)) + b"q\x01"


def many(key: str, count: int, first: bytes, again: bytes) -> bytes:
    return b"}(" + b"".join(word(b"%s%d" % (key.encode(), k)) + (again if k else first) for k in range(count)) + b"u"


WANT_MUCH = {
    "2000 tensors in bfloat16 of one storage": (
        network(many("b", 2000, tensor(b"0", BIG, (BIG,), b"BFloat16Storage"),
                     tensor(b"0", BIG, (BIG,), b"BFloat16Storage"))), 2 * BIG, "bytes"),
    "3000 parameters of one tensor": (network(many("p", 3000, ONE, b"h\x01")), 2 * BIG, "bytes"),
    "12 ** 11 ways to a module": (network(b"}", shared_modules(11, 12)), 0, "model.22.cv3.0.2.weight is missing"),
    "a tensor of 2 ** 40 rows without columns": (
        network(b"}(" + word(b"model.22.cv3.0.2.weight") + tensor(b"0", 4, (1 << 40, 0)) + b"u"), 8,
        "the invalid shape"),
    "1.6 million names": (b"\x80\x04\x8c\x05torch\x94\x8c\x04Size\x94" + b"h\x00h\x01\x93" * 1_000_000 + b".", 0,
                          "1000000 instructions"),
    "1.6 million views of one storage": (
        b"\x80\x02" + ONE + b"(" + b"h\x01" * 1_600_000 + b"t.", 2 * BIG, "1000000 instructions"),
    "a million states of many attributes": (
        b"\x80\x02" + many("a", 5000, b"N", b"N") + b"q\x00cargparse\nNamespace\n)\x81" + b"h\x00b" * 400_000 + b".",
        0, "1000000 objects"),
    "a hundred thousand tensors": (
        b"\x80\x02" + b"ctorch._utils\n_rebuild_tensor_v2\nq\x00" + STORAGE[1:] + b"q\x01"
        + b"h\x00(h\x01K\x00))tR" * 30_000 + b".", 16, "20000 tensors"),
    "a name that grows from part to part": (
        network(b"}", b"}" + word(b"a" * 1_000_000) + b"ctorch.nn.modules.container\nSequential\n)\x81s"), 0,
        "too long a name"),
}  # fmt: skip

BOUNDED = """
import resource, sys
from pathlib import Path
from fastsam import UsageError
from fastsam.weights import catalogue, graph
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (2 << 30) - (200 << 20),) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (15, 15))
file = Path(sys.argv[1])
try:
    catalogue.build(file, catalogue.read(file))
except UsageError as error:
    print(error)
"""


def in_bounds(file: Path) -> str:
    """What is said of a file in a process of 2 GB and ten seconds of its own."""
    done = subprocess.run([sys.executable, "-c", BOUNDED, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("what", WANT_MUCH)
def test_what_wants_much_is_refused_within_ten_seconds_and_2_gb(tmp_path: Path, what: str) -> None:
    pickled, stored, reason = WANT_MUCH[what]
    line = in_bounds(pack(tmp_path / "much.pt", pickled, **{"0": bytes(stored)}))
    assert reason in line
    assert line.count("\n") == 1


def test_a_part_that_two_names_have_is_seen_once(tmp_path: Path) -> None:
    weight = tensor(b"0", 4, (1, 4, 1, 1), b"FloatStorage")
    layer = (
        b"ctorch.nn.modules.conv\nConv2d\n)\x81}" + word(b"_parameters") + b"}" + word(b"weight") + weight + b"ssbq\x05"
    )
    modules = b"}(" + word(b"model.22.cv3.0.2") + layer + word(b"again") + b"h\x05u"
    found = read_checkpoint(pack(tmp_path / "net.pt", network(b"}", modules), **{"0": bytes(16)}))
    assert list(found.entries) == ["model.22.cv3.0.2.weight"]


# Numbers


@pytest.fixture
def altered(write_checkpoint: Callable[..., None], tmp_path: Path) -> Callable[..., Path]:
    """Writes a network of which one module's numbers are changed."""
    from fastsam.network import Architecture, build

    def write(change: Callable[[Any], None]) -> Path:
        network: Any = build(Architecture())
        change(network)
        write_checkpoint(network, tmp_path / "net.pt")
        return tmp_path / "net.pt"

    return write


def test_weights_that_are_not_finite_or_of_another_shape_are_refused(
    altered: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from fastsam import FastSAM

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = altered(lambda n: n.model[4].cv1.conv.weight.data[0].fill_(float("nan")))
    with pytest.raises(UsageError, match=r"model\.4\.cv1\.conv\.weight has values that are not finite"):
        read_checkpoint(file)
    file = altered(lambda n: setattr(n.model[4].cv1.conv, "weight", torch.nn.Parameter(torch.zeros(7, 5, 1, 1))))
    for runtime in ("onnx", "torch"):
        with pytest.raises(UsageError, match=r"shape"):
            FastSAM(file, runtime=runtime)
    for odd in ({"average": {}, "architecture": [1]}, {"ema": torch.zeros(3)}, {"model": 3}, [1, 2]):
        torch.save(odd, tmp_path / "odd.pt")
        with pytest.raises(UsageError, match=r"odd\.pt (is not a YOLOv8-seg checkpoint|has the backbone)"):
            read_checkpoint(tmp_path / "odd.pt")
    torch.save({"epoch": 1, "model": {"a": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(UsageError, match="neither a model nor its moving average"):
        read_checkpoint(tmp_path / "other.pt")


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_batch_norms_that_make_no_numbers_are_refused(
    altered: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    from fastsam import FastSAM

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = altered(lambda n: n.model[2].cv1.bn.running_var.fill_(-1))
    with pytest.raises(UsageError, match=r"model\.2\.cv1\.bn\.running_var has variances below 0"):
        FastSAM(file, runtime=runtime)

    def huge(network: Any) -> None:
        network.model[2].cv1.bn.weight.data.fill_(60_000)
        network.model[2].cv1.bn.running_var.fill_(0)
        for layer in (network.model[0], network.model[1]):
            layer.bn.weight.data.fill_(60_000)
            layer.bn.running_var.fill_(0)
            layer.conv.weight.data.fill_(60_000)
        network.model[2].cv1.conv.weight.data.fill_(60_000)
        network.model[3].conv.weight.data.fill_(60_000)
        network.model[3].bn.weight.data.fill_(60_000)
        network.model[3].bn.running_var.fill_(0)

    with pytest.raises(UsageError, match="not finite"):  # each is a number; what comes of them is none
        FastSAM(altered(huge), runtime=runtime)


def test_a_folded_batch_norm_is_finite() -> None:
    from fastsam.weights.folding import FoldingError, folded

    entries = {"a.conv.weight": np.full((2, 1, 1, 1), 1000, np.float32), "a.bn.bias": np.zeros(2, np.float32)}
    entries |= {"a.bn.weight": np.full(2, 3e38, np.float32), "a.bn.running_mean": np.zeros(2, np.float32)}
    entries |= {"a.bn.running_var": np.ones(2, np.float32)}
    with pytest.raises(FoldingError, match=r"a\.bn gives values that are not finite"):
        folded(entries, "a")
    for name, shape in (("a.bn.weight", (3,)), ("a.bn.bias", (2, 1)), ("a.conv.weight", (2,))):
        with pytest.raises(FoldingError, match=name.split(".")[1]):
            folded(entries | {name: np.ones(shape, np.float32)}, "a")


# Files of other kinds


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
            r"saved by torch before 1\.6",
        ),
        (pickle.dumps({"model": 1}), "bare pickle"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"<HTML lang=en>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS"),
        (b"", "empty"),
    ],
)
def test_files_of_other_kinds_are_called_by_their_name(tmp_path: Path, content: bytes, said: str) -> None:
    from fastsam import FastSAM
    from fastsam.weights.convert import read_any

    (tmp_path / "net.pt").write_bytes(content)
    for attempt in (lambda: FastSAM(tmp_path / "net.pt"), lambda: read_any(tmp_path / "net.pt"),
                    lambda: FastSAM(tmp_path / "net.pt", runtime="torch")):  # fmt: skip
        with pytest.raises(UsageError, match=said) as error:
            attempt()
        assert str(error.value).isprintable()


def test_the_old_form_of_torch_is_told_how_to_be_converted(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    from fastsam import FastSAM

    torch.save({"model": 1}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(UsageError, match=r"torch\.save\(torch\.load\(FILE, weights_only=False\), NEW\)"):
        FastSAM(tmp_path / "old.pt")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        for name in ("net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"):
            archive.writestr(name, b"\x80\x02N.")
    with pytest.raises(UsageError, match="TorchScript"):
        FastSAM(tmp_path / "script.pt")


def test_a_path_that_no_file_can_have_is_one_line(tmp_path: Path) -> None:
    from fastsam import FastSAM

    for name in ("a\0b.pt", "a" * 5000, str(tmp_path)):
        with pytest.raises(UsageError, match="unknown model"):
            FastSAM(name)
    (tmp_path / "closed.pt").write_bytes(b"PK")
    (tmp_path / "closed.pt").chmod(0)
    if not os.access(tmp_path / "closed.pt", os.R_OK):  # root reads everything
        with pytest.raises(UsageError, match=r"closed\.pt cannot be read"):
            FastSAM(tmp_path / "closed.pt")


# Damage


@pytest.fixture(scope="module")
def small() -> bytes:
    return (Path(__file__).parents[1] / "fixtures" / "part.pt").read_bytes()


def test_a_piece_of_a_network_is_read_as_the_port_saved_it(fixtures: Path) -> None:
    found = read_checkpoint(fixtures / "part.pt")
    assert (found.names, found.imgsz, found.port, len(found.entries)) == (("cup", "spoon"), 256, True, 44)
    assert found.entries["model.22.cv3.0.2.weight"].shape == (2, 4, 1, 1)
    assert found.entries["model.0.conv.weight"].std() > 0.05


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_ends_in_a_value_or_in_one_line(small: bytes, tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(small) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "damaged.pt"
    file.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))] if data.draw(st.booleans()) else damaged)
    line = ""
    try:
        read_checkpoint(file)
    except UsageError as error:
        line = str(error)
    assert "\n" not in line
