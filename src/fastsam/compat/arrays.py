"""`Array`: a NumPy array with the methods of a tensor, for code written for tensors.

Enters: arrays. Leaves: the same memory as `Array`. It is a subclass, not a wrapper: everything that accepts an
`ndarray` accepts it, including `torch.as_tensor` and OpenCV, and arithmetic keeps the type. Two things differ from an
`ndarray`. Indexing one element gives an array of dimension 0, which has these methods too. And `int` and `float` accept
an array of one element whatever its shape, as with a tensor.
"""

from collections.abc import Iterator
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt


class Array(np.ndarray[Any, Any]):
    """An `ndarray` with the methods of a tensor; `array` makes one."""

    def __getitem__(self, index: Any) -> Any:
        """Indexes as an `ndarray` does; one element is an array of dimension 0."""
        found = super().__getitem__(without_tensors(index))
        return array(found) if isinstance(found, np.generic) else found

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __index__(self) -> int:
        return self.item().__index__()  # type: ignore[no-any-return]  # TypeError unless it is an integer

    def __round__(self, digits: SupportsIndex | None = None) -> Any:
        return round(self.item()) if digits is None else round(self.item(), digits)

    def __hash__(self) -> int:  # type: ignore[override]  # a number is a key, as in names[class]
        return hash(self.item() if self.ndim == 0 else self.tobytes())

    def cpu(self) -> "Array":
        """Itself: everything is in memory."""
        return self

    def cuda(self, *_: Any, **__: Any) -> "Array":
        """Itself: arrays stay in memory, wherever the network runs."""
        return self

    def detach(self) -> "Array":
        """Itself: nothing is tracked."""
        return self

    def contiguous(self) -> "Array":
        """The same values in one block of memory."""
        return array(np.ascontiguousarray(self))

    def numpy(self) -> npt.NDArray[Any]:
        """The same memory as a plain `ndarray`."""
        return self.view(np.ndarray)

    def clone(self) -> "Array":
        """A copy."""
        return array(self.copy())

    def to(self, *what: Any, dtype: Any = None, **_: Any) -> "Array":
        """Converts to a NumPy or torch type if one is named; itself for a device."""
        for one in (*what, dtype):
            kind = kind_of(one)
            if kind is not None:
                return array(self.astype(kind))
        return self

    def float(self) -> "Array":
        """As float32."""
        return array(self.astype(np.float32))

    def half(self) -> "Array":
        """As float16."""
        return array(self.astype(np.float16))

    def double(self) -> "Array":
        """As float64."""
        return array(self.astype(np.float64))

    def int(self) -> "Array":
        """As int32, towards 0."""
        return array(self.astype(np.int32))

    def long(self) -> "Array":
        """As int64, towards 0."""
        return array(self.astype(np.int64))

    def byte(self) -> "Array":
        """As uint8."""
        return array(self.astype(np.uint8))

    def bool(self) -> "Array":
        """As bool."""
        return array(self.astype(np.bool_))

    def unsqueeze(self, dim: SupportsIndex) -> "Array":
        """With one more dimension at `dim`."""
        return array(np.expand_dims(self, dim))

    def permute(self, *dims: Any) -> "Array":
        """With its dimensions in another order."""
        return self.transpose(*dims)

    def unique(self) -> "Array":
        """The distinct values, in order."""
        return array(np.unique(self))

    def numel(self) -> Any:
        """The number of elements."""
        return self.size

    def dim(self) -> Any:
        """The number of dimensions."""
        return self.ndim

    def sum(self, *args: Any, dim: Any = None, **named: Any) -> Any:
        """`ndarray.sum`; `dim` is its `axis`."""
        return super().sum(*args, **with_axis(named, dim))

    def mean(self, *args: Any, dim: Any = None, **named: Any) -> Any:
        """`ndarray.mean`; `dim` is its `axis`."""
        return super().mean(*args, **with_axis(named, dim))

    def any(self, *args: Any, dim: Any = None, **named: Any) -> Any:
        """`ndarray.any`; `dim` is its `axis`."""
        return super().any(*args, **with_axis(named, dim))

    def all(self, *args: Any, dim: Any = None, **named: Any) -> Any:
        """`ndarray.all`; `dim` is its `axis`."""
        return super().all(*args, **with_axis(named, dim))

    def argmax(self, *args: Any, dim: Any = None, **named: Any) -> Any:
        """`ndarray.argmax`; `dim` is its `axis`."""
        return array(super().argmax(*args, **with_axis(named, dim)))

    def argsort(self, *args: Any, dim: Any = None, descending: Any = False, **named: Any) -> Any:
        """`ndarray.argsort`; `dim` is its `axis`, `descending` sorts the largest first."""
        return array(np.asarray(-self if descending else self).argsort(*args, **with_axis(named, dim)))

    def argmin(self, *args: Any, dim: Any = None, **named: Any) -> Any:
        """`ndarray.argmin`; `dim` is its `axis`."""
        return array(super().argmin(*args, **with_axis(named, dim)))


def array(values: Any) -> Array:
    """Values as an `Array`, with the same memory if they are an `ndarray`."""
    return np.asarray(values).view(Array)


def kind_of(what: Any) -> np.dtype[Any] | None:
    """The dtype that a NumPy type, a torch type or an array means; None for a device and anything else."""
    if isinstance(what, np.ndarray):
        return np.dtype(what.dtype)
    name, found = str(what).removeprefix("torch."), None
    if isinstance(what, (type, np.dtype)) or name[-2:] in ("16", "32", "64", "t8") or name == "bool":
        try:
            found = np.dtype(what if isinstance(what, type) else name)
        except TypeError:
            return None
    return found


def with_axis(named: dict[str, Any], dim: Any) -> dict[str, Any]:
    """The keywords of a NumPy reduction for torch's `dim`."""
    renamed = dict(named)
    if "keepdim" in renamed:
        renamed["keepdims"] = renamed.pop("keepdim")
    return renamed if dim is None else renamed | {"axis": dim}


def untensored(value: Any) -> Any:
    """A tensor as an array in memory, anything else as it is."""
    return np.asarray(value.detach().cpu()) if hasattr(value, "detach") and not isinstance(value, np.ndarray) else value


def without_tensors(value: Any) -> Any:
    """The same, and for a tuple each of its entries, because NumPy would read tensors element by element."""
    return tuple(without_tensors(one) for one in value) if isinstance(value, tuple) else untensored(value)


def picked(count: int, index: Any) -> npt.NDArray[np.int64]:
    """The indices below `count` that an index means: a number, a slice, a list, or an array of numbers or bool.

    Raises IndexError for an index out of range.
    """
    own = without_tensors(index)
    if isinstance(own, (list, tuple)):
        own = np.asarray(own, np.int64 if not len(own) else None)
    return np.atleast_1d(np.arange(count)[own])
