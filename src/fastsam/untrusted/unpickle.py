"""An interpreter for pickles of plain values. It never imports a class and never calls anything.

Enters: the bytes of a pickle. Leaves: None, bool, int, float, str, bytes, tuple, list, dict, a `Record` per object, and
the values that `Meaning` returns for calls and references. Nothing recurses. Keys of dictionaries must be small
integers or words, which compare fast. Every instruction is counted.
"""

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from fastsam.untrusted.budget import LIMITS, Budget
from fastsam.untrusted.shown import shown

Value = Any
MOST_MARKS = 1000  # maximum nested marks; the published networks have 16
LARGEST_KEY = LIMITS["instructions"]  # maximum number as a key or as an index of the memo
LONGEST_NAME = 200  # maximum letters in the name of a class
PROTOCOLS = range(2, 6)
DAMAGED = (IndexError, KeyError, struct.error, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a class or a function in a pickle. It is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return shown(f"{self.module}.{self.name}", LONGEST_NAME)


@dataclass(frozen=True, eq=False, slots=True)
class Record:
    """Stands for an object, with its attributes."""

    state: dict[str, Value] = field(default_factory=dict, repr=False)


class Meaning(Protocol):
    """Decides what names and references in a pickle stand for. Each method raises UsageError for unknown ones."""

    def known(self, name: Name) -> None:
        """Checks a name that the pickle mentions."""

    def called(self, name: Name, arguments: tuple[Value, ...]) -> Value:
        """The value that a call stands for."""

    def referred(self, reference: Value) -> Value:
        """The value that a persistent id refers to."""


def load(data: bytes, budget: Budget, meaning: Meaning) -> Value:
    """The value of a pickle. Raises UsageError."""
    machine = Machine(data, budget, meaning)
    try:
        return machine.run()
    except DAMAGED:
        budget.refuse("its pickle is damaged")


class Machine:
    """The state of reading a pickle: its stack, its marks, its memo."""

    def __init__(self, data: bytes, budget: Budget, meaning: Meaning) -> None:
        self.data, self.at = data, 0
        self.budget, self.meaning = budget, meaning
        self.stack: list[Value] = []
        self.below: list[list[Value]] = []  # the values below each mark
        self.memo: dict[int, Value] = {}

    def run(self) -> Value:
        """Executes instructions until STOP."""
        while (code := self.take(1)) != b".":
            self.budget.spend("instructions")
            if code in CONSTANTS:
                self.stack.append(CONSTANTS[code])
            elif code in NUMBERS:
                self.stack.append(self.number(NUMBERS[code]))
            elif code in TUPLES:
                self.stack.append(tuple([self.stack.pop() for _ in range(TUPLES[code])][::-1]))
            elif code in TEXTS:
                self.stack.append(str(self.take(self.number(TEXTS[code])), "utf-8"))
            elif code in BYTES:
                self.stack.append(self.take(self.number(BYTES[code])))
            elif code in PUTS:
                self.put(self.number(PUTS[code]))
            elif code in GETS:
                self.stack.append(self.memo[self.number(GETS[code])])
            elif code in STEPS:
                STEPS[code](self)
            else:
                names = {op.code: op.name for op in pickletools.opcodes}
                letter = code.decode("latin-1")
                self.refuse(f"has the instruction {names.get(letter, code.hex())}")
        return self.stack.pop()

    def refuse(self, reason: str) -> NoReturn:
        self.budget.refuse(f"its pickle {reason}")

    def take(self, count: int) -> bytes:
        """The next bytes. Raises IndexError if there are fewer."""
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise IndexError
        self.at += count
        return taken

    def number(self, kind: str) -> Any:
        """The next number, in a format of `struct`."""
        return struct.unpack(kind, self.take(struct.calcsize(kind)))[0]

    def put(self, place: int) -> None:
        if place > LARGEST_KEY:
            self.refuse(f"numbers a value {place}")
        self.memo[place] = self.stack[-1]

    def line(self) -> str:
        """The text up to the next line break."""
        end = self.data.find(b"\n", self.at, self.at + LONGEST_NAME)
        if end < 0:
            raise IndexError
        return str(self.take(end + 1 - self.at)[:-1], "utf-8")

    def proto(self) -> None:
        if (version := self.take(1)[0]) not in PROTOCOLS:
            self.refuse(f"is of protocol {version}")

    def long(self) -> None:
        self.stack.append(int.from_bytes(self.take(self.take(1)[0]), "little", signed=True))

    def mark(self) -> None:
        if len(self.below) == MOST_MARKS:
            self.refuse("is nested too deeply")
        self.below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Value]:
        """The values above the last mark, which is removed."""
        above, self.stack = self.stack, self.below.pop()
        return above

    def tuple(self) -> None:
        values = self.marked()
        self.stack.append((*values,))

    def last(self, kind: type) -> Any:
        """The value on top of the stack, which must be of type `kind`."""
        if type(self.stack[-1]) is not kind:
            self.refuse(f"fills a {type(self.stack[-1]).__name__} like a {kind.__name__}")
        return self.stack[-1]

    def append(self) -> None:
        value = self.stack.pop()
        self.last(list).append(value)

    def appends(self) -> None:
        values = self.marked()
        self.last(list).extend(values)

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.fill([key, value])

    def fill(self, items: list[Value]) -> None:
        """Sets items of the dictionary on top of the stack. items: keys and values in turn"""
        if len(items) % 2:
            raise IndexError
        target = self.last(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not (type(key) is str or (type(key) is int and 0 <= key < LARGEST_KEY)):
                self.refuse(
                    f"has {shown(key)} as a key" if type(key) is int else f"has a {type(key).__name__} as a key"
                )
            target[key] = value

    def name(self, module: Value, name: Value) -> None:
        if type(module) is not str or type(name) is not str or len(module) + len(name) > LONGEST_NAME:
            self.refuse("names a class by no words")
        found = Name(module, name)
        self.meaning.known(found)
        self.stack.append(found)

    def stacked_name(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.name(module, name)

    def call(self) -> None:
        arguments, name = self.stack.pop(), self.stack.pop()
        if type(name) is not Name or type(arguments) is not tuple:
            self.refuse(f"calls a {type(name).__name__}")
        self.budget.spend("objects")
        self.stack.append(self.meaning.called(name, arguments))

    def build(self) -> None:
        """Sets the attributes of an object. Attributes of a dictionary are dropped; nothing else can have any."""
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is Record:
            attributes = state if type(state) is dict else {}
            self.budget.spend("objects", len(attributes))
            target.state.update((k, v) for k, v in attributes.items() if type(k) is str)
        elif type(target) is not dict:
            self.refuse(f"gives a {type(target).__name__} a state")

    def refer(self) -> None:
        self.stack.append(self.meaning.referred(self.stack.pop()))


CONSTANTS: dict[bytes, Value] = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
NUMBERS = {b"J": "<i", b"K": "<B", b"M": "<H", b"G": ">d"}  # BININT, BININT1, BININT2, BINFLOAT
TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
TEXTS = {b"X": "<I", b"\x8c": "<B"}  # BINUNICODE, SHORT_BINUNICODE: how the length is written
BYTES = {b"B": "<I", b"C": "<B"}  # BINBYTES, SHORT_BINBYTES
PUTS = {b"q": "<B", b"r": "<I"}  # BINPUT, LONG_BINPUT
GETS = {b"h": "<B", b"j": "<I"}  # BINGET, LONG_BINGET
STEPS: dict[bytes, Callable[[Machine], object]] = {
    b"\x80": Machine.proto,
    b"\x95": lambda m: m.take(8),  # FRAME, a hint about what follows
    b"\x8a": Machine.long,  # LONG1
    b"(": Machine.mark,
    b"t": Machine.tuple,
    b"]": lambda m: m.stack.append([]),
    b"\x8f": lambda m: m.stack.append([]),  # EMPTY_SET: nothing is hashed, a set stays a list
    b"\x90": Machine.appends,  # ADDITEMS
    b"}": lambda m: m.stack.append({}),
    b"a": Machine.append,
    b"e": Machine.appends,
    b"s": Machine.set_item,
    b"u": lambda m: m.fill(m.marked()),
    b"\x94": lambda m: m.put(len(m.memo)),  # MEMOIZE
    b"c": lambda m: m.name(m.line(), m.line()),  # GLOBAL
    b"\x93": Machine.stacked_name,
    b"R": Machine.call,  # REDUCE
    b"\x81": Machine.call,  # NEWOBJ: of a name, the same
    b"b": Machine.build,
    b"Q": Machine.refer,  # BINPERSID
}
