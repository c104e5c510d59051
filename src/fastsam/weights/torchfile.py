"""Reads a file of torch.save with NumPy alone, without executing anything in it.

Enters: the path of a zip that torch.save wrote. Leaves: its value, in which tensors are descriptions and objects are
inert `Record`s; then the numbers of each tensor that is asked for.

The pickle may only mention names that occur in YOLOv8 checkpoints. No name is ever imported: each stands for a few
plain values here.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError
from fastsam.untrusted import unpickle
from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import reason, shown
from fastsam.untrusted.unpickle import Name, Record, Value
from fastsam.untrusted.zips import Zip

Array = npt.NDArray[Any]
MOST_PICKLE = 8 << 20  # maximum bytes; the pickle of the largest published network has 0.3 MB
MOST_AXES = 8
DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",  # upper halves of float32
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
# fmt: off
LAYERS = {
    "SegmentationModel", "Conv", "Concat", "C2f", "Bottleneck", "SPPF", "DFL", "Proto", "Segment", "Detect",
    "IterableSimpleNamespace",
}
TORCH_LAYERS = {
    "Sequential", "ModuleList", "Conv2d", "ConvTranspose2d", "BatchNorm2d", "SiLU", "MaxPool2d", "Upsample", "Identity",
}
# fmt: on
PLAIN = {
    Name("argparse", "Namespace"),
    Name("pathlib", "Path"),
    Name("pathlib", "PosixPath"),
    Name("pathlib", "WindowsPath"),
    Name("pathlib", "PurePosixPath"),
    Name("pathlib._local", "PosixPath"),
    Name("numpy", "dtype"),
    Name("numpy.core.multiarray", "scalar"),
    Name("numpy._core.multiarray", "scalar"),
    Name("_codecs", "encode"),
    Name("torch", "device"),
}
TENSOR, PARAMETER = Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_parameter")
SIZE, MAPPING = Name("torch", "Size"), Name("collections", "OrderedDict")
SETS = {Name("__builtin__", "set"), Name("builtins", "set")}
VALUES = {TENSOR, PARAMETER, SIZE, MAPPING, *SETS}  # these become values, not records


@dataclass(frozen=True, slots=True)
class Storage:
    """A block of numbers: a member of the zip, a kind in `DTYPES`, and the number of numbers it states."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A part of a storage: offset of its first number, shape, and strides, all counted in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """Its number of numbers."""
        return math.prod(self.shape)

    @property
    def end(self) -> int:
        """The offset after its last number."""
        last = sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        return self.offset + last + 1 if self.size else self.offset


@contextmanager
def opened(file: Path) -> Iterator["TorchFile"]:
    """Opens a file of torch.save for the time of the block.

    Raises UsageError for a file that torch.save did not write, that is damaged, that takes more memory than a
    checkpoint, or that contains anything but the values of a checkpoint. The error names the file and the reason.
    """
    try:
        with file.open("rb") as content:
            yield read(Zip(content, budget := Budget(str(file))), budget)
    except UsageError:
        raise
    except FileNotFoundError:
        raise UsageError(f"{file} not found: give a .pt, .safetensors or .onnx file") from None
    except Exception as error:  # a damaged zip can raise anything
        raise UsageError(f"{file} is not a valid torch.save checkpoint: {reason(error)}") from None


def read(archive: Zip, budget: Budget) -> "TorchFile":
    """The value in the zip."""
    pickles = [name for name in archive.members if re.fullmatch(r"[^/]+/data\.pkl", name)]
    folder = pickles[0].removesuffix("data.pkl") if pickles else ""
    if f"{folder}constants.pkl" in archive.members:
        raise UsageError(
            f"{budget.file} is a TorchScript program, which is never run: save the network itself with torch.save"
        )
    if len(pickles) != 1:
        raise UsageError(
            f"{budget.file} is not a valid torch.save checkpoint: its zip has {len(pickles)} pickles, not one"
        )
    if f"{folder}byteorder" in archive.members and archive.read(f"{folder}byteorder", 16) != b"little":
        raise UsageError(f"{budget.file} was written on a big-endian machine: save it again on another")
    data = archive.read(f"{folder}data.pkl", MOST_PICKLE)
    return TorchFile(archive, folder, budget, unpickle.load(data, budget, Names(budget)))


@dataclass(frozen=True)
class TorchFile:
    """The value `root` of a file whose zip is open."""

    archive: Zip
    folder: str
    budget: Budget
    root: Value
    storages: dict[str, bytes] = field(default_factory=dict)  # those that were read

    def array(self, tensor: Tensor, name: str) -> Array:
        """The numbers of a tensor; bfloat16 becomes float32. name: named in errors

        Raises UsageError if the tensor reaches beyond its storage.
        """
        storage, dtype = tensor.storage, np.dtype(DTYPES[tensor.storage.kind])
        data = self.numbers(storage.key)
        if len(data) != storage.count * dtype.itemsize:
            self.budget.refuse(f"storage {storage.key} has {len(data)} bytes for {storage.count} numbers of {dtype}")
        if tensor.end > storage.count or tensor.size > storage.count:
            self.budget.refuse(f"{shown(name)}, a tensor of shape {tensor.shape}, reaches beyond its storage")
        self.budget.spend("bytes", tensor.size * 4)
        values = np.frombuffer(data, dtype)[tensor.offset :]
        strides = tuple(stride * dtype.itemsize for stride in tensor.strides)
        view = np.lib.stride_tricks.as_strided(values, tensor.shape, strides, writeable=False)
        return widened(view) if storage.kind == "BFloat16Storage" else view

    def numbers(self, key: str) -> bytes:
        """The bytes of a storage, read once."""
        if key not in self.storages:
            name = f"{self.folder}data/{key}"
            if name not in self.archive.members:
                self.budget.refuse(f"the storage {key} is missing")
            size = self.archive.members[name].file_size
            self.budget.spend("bytes", size)
            self.storages[key] = self.archive.read(name, size)
        return self.storages[key]


@dataclass(frozen=True)
class Names:
    """The plain values that names and references in a checkpoint stand for."""

    budget: Budget

    def known(self, name: Name) -> None:
        """Raises UsageError for a name that does not occur in checkpoints."""
        ours = name.module.startswith("ultralytics.") and name.name in LAYERS
        layer = name.module.startswith("torch.nn.modules.") and name.name in TORCH_LAYERS
        kind = name.module == "torch" and name.name in DTYPES
        if not (ours or layer or kind or name in PLAIN or name in VALUES):
            self.budget.refuse(f"its pickle asks for {name}")

    def called(self, name: Name, arguments: tuple[Value, ...]) -> Value:
        """The value of a call: a tensor, a size, a mapping, a list instead of a set, or a record."""
        if name not in VALUES:
            return Record()
        if name == MAPPING and not arguments:
            return {}
        if name == TENSOR:
            return self.tensor(*arguments[:4])
        if arguments and (
            (name == PARAMETER and type(arguments[0]) is Tensor)
            or (name == SIZE and type(arguments[0]) is tuple)
            or (name in SETS and type(arguments[0]) is list)
        ):
            return arguments[0]
        return self.budget.refuse(f"its pickle makes a {name.name} from invalid arguments")

    def tensor(self, storage: Value = None, offset: Value = 0, shape: Value = (), strides: Value = ()) -> Tensor:
        """A tensor. Raises UsageError unless it is described by a storage and integers of at least 0."""
        self.budget.spend("tensors")
        lists = type(shape) is tuple and type(strides) is tuple and len(shape) == len(strides) <= MOST_AXES
        if type(storage) is not Storage or not lists or not all(map(whole, (offset, *shape, *strides))):
            self.budget.refuse("its pickle must describe a tensor by a storage and integers of at least 0")
        return Tensor(storage, offset, shape, strides)

    def referred(self, reference: Value) -> Storage:
        """The storage of a reference. Raises UsageError for any other reference."""
        if type(reference) is tuple and len(reference) == 5:
            kind, name, key, _, count = reference
            known = type(name) is Name and name.module == "torch" and name.name in DTYPES
            named = type(key) is str and re.fullmatch(r"[0-9A-Za-z_]{1,20}", key)
            if kind == "storage" and known and named and whole(count):
                return Storage(key, name.name, count)
        return self.budget.refuse("its pickle refers to something that is not a storage")


def widened(halves: Array) -> Array:
    """bfloat16 numbers, the upper halves of float32, as float32."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def whole(number: Value) -> bool:
    """Whether a value is an integer that can be an offset in memory."""
    return type(number) is int and 0 <= number < 1 << 48
