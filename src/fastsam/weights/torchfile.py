"""Reads a file of torch.save with NumPy alone, and executes nothing of it.

Enters: the path of a zip that torch.save wrote. Leaves: its dictionary, in which tensors are NumPy arrays and objects
are inert `Record`s. Called by `yolo`.

A pickle is a program. Of its instructions only those that build plain values are let through, of the names it may
reach for only the classes that a YOLOv8 checkpoint consists of, and each of these is replaced by a record that has no
code. A file is refused at the first instruction or name beyond that.
"""

import io
import math
import pickle
import pickletools
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError

Array = npt.NDArray[Any]
MOST_PICKLE = 8 << 20  # bytes; the pickle of the largest published network has 0.3 MB
# fmt: off
OPCODES = {
    "PROTO", "STOP", "FRAME", "MARK", "POP", "POP_MARK", "DUP",
    "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS",
    "EMPTY_DICT", "SETITEM", "SETITEMS", "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT", "MEMOIZE",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD", "BINPERSID",
}
LAYERS = {
    "SegmentationModel", "Conv", "Concat", "C2f", "Bottleneck", "SPPF", "DFL", "Proto", "Segment", "Detect",
    "IterableSimpleNamespace",
}
TORCH_LAYERS = {
    "Sequential", "ModuleList", "Conv2d", "ConvTranspose2d", "BatchNorm2d", "SiLU", "MaxPool2d", "Upsample", "Identity",
}
# fmt: on
DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
PLAIN = {
    ("argparse", "Namespace"),
    ("pathlib", "Path"),
    ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"),
    ("pathlib", "PurePosixPath"),
    ("pathlib._local", "PosixPath"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("_codecs", "encode"),
    ("torch", "device"),
}


class Record:
    """What stands for an object of the file: its attributes, and nothing that could run."""

    __slots__ = ("attributes",)
    attributes: dict[str, Any]

    def __new__(cls, *_: Any) -> "Record":
        record = super().__new__(cls)
        record.attributes = {}
        return record

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.attributes = state if isinstance(state, dict) else {}


class Mapping(dict[Any, Any]):
    """An OrderedDict of the file, without its attributes."""

    def __setstate__(self, state: Any) -> None:
        pass


@dataclass(frozen=True)
class Storage:
    """Numbers of one storage; `bfloat`: 16-bit patterns that are the upper halves of float32."""

    values: Array
    bfloat: bool


def read(file: Path) -> Any:
    """The value that torch.save wrote into `file`.

    Raises UsageError, one line that names the file and what is wrong, for a file that is no zip of torch.save, is
    damaged, or holds anything beyond the values of a checkpoint.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return Reader(file, archive).load()
    except UsageError:
        raise
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}") from None
    except RecursionError:
        raise UsageError(f"{file} is nested too deeply for a checkpoint") from None
    except Exception as error:  # a damaged pickle raises anything
        raise UsageError(
            f"{file} is no checkpoint of torch.save: {' '.join(str(error).split()) or 'damaged'}"
        ) from None


class Reader:
    """The zip of one file, while its pickle is read."""

    def __init__(self, file: Path, archive: zipfile.ZipFile) -> None:
        self.file, self.archive = file, archive
        self.storages: dict[str, Storage] = {}
        self.left = file.stat().st_size  # bytes that storages may still take: overlapping members end here
        pickles = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/data\.pkl", name)]
        if len(pickles) != 1:
            raise UsageError(f"{file} is no checkpoint of torch.save: it holds {len(pickles)} pickles, not one")
        self.folder = pickles[0].removesuffix("data.pkl")

    def load(self) -> Any:
        if f"{self.folder}byteorder" in self.archive.namelist() and self.member("byteorder", 16) != b"little":
            raise UsageError(f"{self.file} was written on a big-endian machine: save it again on another")
        data = self.member("data.pkl", MOST_PICKLE)
        self.inspect(data)
        return Unpickler(io.BytesIO(data), self).load()

    def member(self, name: str, most: int) -> bytes:
        """The bytes of a member, which torch never compresses."""
        info = self.archive.getinfo(self.folder + name)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise UsageError(f"{self.file}: {info.filename} is compressed, which torch.save never does")
        if info.file_size > most:
            raise UsageError(f"{self.file}: {info.filename} has {info.file_size} bytes, more than {most}")
        return self.archive.read(info)

    def inspect(self, data: bytes) -> None:
        """Raises UsageError at the first instruction that builds no plain value, or that asks for wild memory."""
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name not in OPCODES:
                raise UsageError(f"{self.file} is refused: its pickle has the instruction {opcode.name}")
            if opcode.name == "LONG_BINPUT" and int(argument or 0) > len(data):
                raise UsageError(f"{self.file} is refused: its pickle numbers a value {argument}")

    def storage(self, kind: str, key: str, count: int) -> Storage:
        """The numbers of storage `key`, read once."""
        if key not in self.storages:
            dtype = np.dtype(DTYPES[kind])
            data = self.member(f"data/{key}", self.left)
            self.left -= len(data)
            if len(data) != count * dtype.itemsize:
                raise UsageError(f"{self.file}: storage {key} has {len(data)} bytes for {count} numbers of {dtype}")
            self.storages[key] = Storage(np.frombuffer(data, dtype), kind == "BFloat16Storage")
        return self.storages[key]


class Unpickler(pickle.Unpickler):
    """Builds plain values and records."""

    def __init__(self, data: io.BytesIO, reader: Reader) -> None:
        super().__init__(data)
        self.reader = reader

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name of the pickle. Raises UsageError for one that no checkpoint needs."""
        if module == "torch" and name in DTYPES:
            return type(name, (Record,), {})
        if (module, name) in MAKERS:
            return MAKERS[module, name]
        ours = module.startswith("ultralytics.") and name in LAYERS
        if ours or (module.startswith("torch.nn.modules.") and name in TORCH_LAYERS) or (module, name) in PLAIN:
            return type(name, (Record,), {"__slots__": ()})
        raise UsageError(f"{self.reader.file} is refused: its pickle asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> Storage:
        kind, type_, key, _, count = pid
        if kind != "storage" or not isinstance(count, int) or not re.fullmatch(r"\w{1,20}", key):
            raise UsageError(f"{self.reader.file} is refused: it refers to {kind!r} {key!r}")
        return self.reader.storage(type_.__name__, key, count)


class Tensor:
    """torch._utils._rebuild_tensor_v2: an array of a storage."""

    __slots__ = ()

    def __call__(
        self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ) -> Array:
        """Raises ValueError where the array would reach beyond its storage."""
        values = storage.values
        if not (len(shape) == len(strides) <= 8) or min((offset, *shape, *strides)) < 0:
            raise ValueError(f"a tensor has shape {shape} and strides {strides}")
        count = math.prod(shape)
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if count > len(values) or (count and last >= len(values)):
            raise ValueError(f"a tensor of shape {shape} reaches beyond its storage")
        bytes_ = tuple(s * values.itemsize for s in strides)
        view = np.lib.stride_tricks.as_strided(values[offset:], shape, bytes_, writeable=False)
        return (view.astype(np.uint32) << 16).view(np.float32) if storage.bfloat else view

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a function cannot be given a state")


class First:
    """Returns its first argument: what torch._utils._rebuild_parameter and torch.Size make of it here."""

    __slots__ = ()

    def __call__(self, value: Any = (), *_: Any) -> Any:
        return value

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a function cannot be given a state")


MAKERS: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): Tensor(),
    ("torch._utils", "_rebuild_parameter"): First(),
    ("torch", "Size"): First(),
    ("collections", "OrderedDict"): Mapping,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
}
