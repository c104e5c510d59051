"""Real files made wrong: each mutation follows from a seed and a number alone.

Enters: files' contents and a random generator. Leaves: the content of a file that lies, is damaged, or wants much.
"""

import io
import json
import pickletools
import struct
import warnings
import zipfile
from collections.abc import Callable
from itertools import pairwise
from random import Random

NUMBERS = [0, 1, 2, 3, 7, 8, 127, 255, 256, 65535, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]
LONGS = [*NUMBERS, -1, -2, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 200]
NAMES = [
    b"torch\nFloatStorage\n", b"torch\nHalfStorage\n", b"torch\nBFloat16Storage\n", b"torch\nSize\n",
    b"torch._utils\n_rebuild_tensor_v2\n", b"torch._utils\n_rebuild_parameter\n", b"collections\nOrderedDict\n",
    b"builtins\nset\n", b"builtins\neval\n", b"os\nsystem\n", b"torch.nn.modules.conv\nConv2d\n",
    b"ultralytics.nn.tasks\nSegmentationModel\n", b"numpy\ndtype\n", b"a\x1b[31m\nb\n",
]  # fmt: skip
WORDS = [
    b"storage",
    b"0",
    b"cpu",
    b"model",
    b"_modules",
    b"_parameters",
    b"_buffers",
    b"names",
    b"\x1b[2J",
    b"\xff",
    b"",
]


def integer(value: int) -> bytes:
    """The instruction that pushes a number."""
    size = value.bit_length() // 8 + 1
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def word(text: bytes) -> bytes:
    """The instruction that pushes a text."""
    return b"X" + struct.pack("<I", len(text)) + text


def instruction(rng: Random) -> bytes:
    """Any instruction, with any argument."""
    plain = [bytes([c]) for c in b"(0.12)N]}abdeostuRQ\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94"]
    made = [
        lambda: rng.choice(plain),
        lambda: rng.choice(plain),
        lambda: integer(rng.choice(LONGS)),
        lambda: word(rng.choice(WORDS)),
        lambda: b"c" + rng.choice(NAMES),
        lambda: rng.choice([b"h", b"q"]) + rng.randbytes(1),
        lambda: rng.choice([b"j", b"r"]) + struct.pack("<I", rng.choice(NUMBERS)),
        lambda: b"G" + rng.choice([rng.randbytes(8), struct.pack(">d", float("nan"))]),
        lambda: rng.choice([b"B", b"X", b"T", b"\x8d", b"\x96"]) + struct.pack("<I", rng.choice(NUMBERS)),
        lambda: rng.randbytes(1),
    ]
    return rng.choice(made)()


def instructions(pickled: bytes) -> list[bytes]:
    """A pickle's instructions, each with its argument."""
    places = [place for _, _, place in pickletools.genops(pickled)] + [len(pickled)]
    return [pickled[a:b] for a, b in pairwise(places)]


def flipped(content: bytes, rng: Random) -> bytes:
    """A few bytes changed, or runs of them."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4, 8, 32])):
        at = rng.randrange(len(changed))
        bit = bytes([changed[at] ^ 1 << rng.randrange(8)])
        changed[at : at + 1] = rng.choice([*[rng.randbytes(1), bit, b"\xff"] * 5, b""])
    return bytes(changed)


def cut(content: bytes, rng: Random) -> bytes:
    """The beginning, the end, or all but a piece of the middle."""
    a, b = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice([content[:a], content[b:], content[:a] + content[b:]])


def shuffled(pickled: bytes, rng: Random) -> bytes:
    """A pickle with some instructions changed, left out, doubled, exchanged or added."""
    steps = instructions(pickled)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        at, other = rng.randrange(len(steps)), rng.randrange(len(steps))
        kind = rng.randrange(6)
        if kind == 0:
            steps[at] = instruction(rng)
        elif kind == 1:
            del steps[at]
        elif kind == 2:
            steps[at:at] = steps[other : other + rng.choice([1, 2, 8, 64])]
        elif kind == 3:
            steps[at], steps[other] = steps[other], steps[at]
        elif kind == 4:
            steps[at:at] = [instruction(rng) for _ in range(rng.choice([1, 2, 8]))]
        else:
            steps = numbers_changed(steps, rng)
    return b"".join(steps)


def numbers_changed(steps: list[bytes], rng: Random) -> list[bytes]:
    """One of the numbers is another: a shape, a stride, an offset, a length, a place in the memo."""
    places = [k for k, step in enumerate(steps) if step[:1] in b"KMJhjqr"]
    at = rng.choice(places)
    if steps[at][:1] in b"KMJ":
        steps[at] = integer(rng.choice(LONGS))
    else:
        steps[at] = (b"j" if steps[at][:1] in b"hj" else b"r") + struct.pack("<I", rng.choice(NUMBERS))
    return steps


def repeated(pickled: bytes, rng: Random) -> bytes:
    """A pickle with one instruction, or a few, a great many times before its end."""
    piece = b"".join(instruction(rng) for _ in range(rng.choice([1, 2, 3])))
    return pickled[:-1] + piece * rng.choice([100, 10_000, 300_000]) + b"."


def members(archive: bytes) -> dict[str, bytes]:
    """The members of a zip."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(parts: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of members, of which two may have one name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in parts:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of two members of one name
                archive.writestr(zipfile.ZipInfo(name), content, compression)
    return out.getvalue()


def lying(archive: bytes, rng: Random) -> bytes:
    """A zip whose directory says other sizes, places, kinds or counts."""
    changed = bytearray(archive)
    entry = archive.find(b"PK\x01\x02")
    starts = []
    while entry >= 0:
        starts.append(entry)
        entry = archive.find(b"PK\x01\x02", entry + 4)
    end = archive.rfind(b"PK\x05\x06")
    for _ in range(rng.choice([1, 1, 2, 4])):
        if rng.random() < 0.7:
            at, size = rng.choice([(8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)])
            at += rng.choice(starts)
        else:
            at, size = rng.choice([(4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)])
            at += end
        value = rng.choice([*NUMBERS, int.from_bytes(changed[at : at + size], "little") + rng.choice([-1, 1, 64])])
        changed[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    return bytes(changed)


def rearranged(archive: bytes, rng: Random) -> bytes:
    """A zip with members doubled, left out, renamed, exchanged, compressed, or many more of them."""
    parts = list(members(archive).items())
    at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    kind = rng.randrange(6)
    if kind == 0:
        parts.append(parts[at])
    elif kind == 1:
        del parts[at]
    elif kind == 2:
        parts[at] = (rng.choice(["../x", "part/data.pkl", "other/data.pkl", "\x1b[2J", "a" * 999]), parts[at][1])
    elif kind == 3:
        parts[at], parts[other] = (parts[at][0], parts[other][1]), (parts[other][0], parts[at][1])
    elif kind == 4:
        return packed(parts, zipfile.ZIP_DEFLATED)
    else:
        parts += [(f"part/data/{k}", b"") for k in range(1000, 1000 + rng.choice([10, 3000]))]
    return packed(parts)


def of_pickle(archive: bytes, rng: Random, change: Callable[[bytes, Random], bytes]) -> bytes:
    """A zip of torch.save with a changed pickle, whole otherwise."""
    parts = members(archive)
    name = next(name for name in parts if name.endswith("data.pkl"))
    return packed(list({**parts, name: change(parts[name], rng)}.items()))


def of_member(archive: bytes, rng: Random, compression: int) -> bytes:
    """A zip of which one member's bytes are changed, whole otherwise."""
    parts = members(archive)
    name = rng.choice(list(parts))
    if parts[name]:
        head = rng.random() < 0.5 and len(parts[name]) > 128  # an array's header, more often than its numbers
        changed = flipped(parts[name][:128] if head else parts[name], rng)
        parts[name] = changed + (parts[name][128:] if head else b"")
    return packed(list(parts.items()), compression)


def of_header(content: bytes, rng: Random) -> bytes:
    """A safetensors file whose header says something else."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    name = rng.choice([name for name in header if name != "__metadata__"])
    kind = rng.randrange(6)
    if kind == 0:
        header[name]["dtype"] = rng.choice(["F8_E4M3", "F64", "I64", "BF16", "F4", "C64", "BOOL", "x\x1b", 3])
    elif kind == 1:
        header[name]["shape"] = rng.choice([[], [0], [1 << 40, 0], [-1], [1 << 63], 3, [[]], [1] * 100])
    elif kind == 2:
        header[name]["data_offsets"] = [rng.choice(LONGS), rng.choice(LONGS)]
    elif kind == 3:
        header["__metadata__"] = rng.choice([3, {"fastsam": 3}, {"fastsam": "[" * 9999}, {"fastsam": '{"imgsz": -1}'}])
    elif kind == 4:
        header["\x1b[2J" + name * 50] = header.pop(name)
    else:
        header = json.loads(json.dumps(header).replace(name, "x"))
    packed_header = json.dumps(header).encode()
    return struct.pack("<Q", rng.choice([len(packed_header)] * 5 + LONGS[:12])) + packed_header + content[8 + length :]


def mutated(kind: str, content: bytes, rng: Random) -> bytes:
    """A changed file of a kind: `pt`, `safetensors`, `onnx` or `npz`."""
    plain = [lambda: flipped(content, rng), lambda: cut(content, rng)]
    if kind == "pt":
        pickles = [
            lambda change=change: of_pickle(content, rng, change) for change in (shuffled, flipped, cut, repeated)
        ]
        zips = [lambda: lying(content, rng), lambda: rearranged(content, rng)]
        return rng.choice([*plain, *pickles[:1] * 5, *pickles, *zips, *zips])()
    if kind == "npz":
        deflated = [lambda: of_member(content, rng, zipfile.ZIP_DEFLATED)] * 4
        return rng.choice([*plain, *deflated, lambda: lying(content, rng), lambda: rearranged(content, rng)])()
    if kind == "safetensors":
        return rng.choice([*plain, *[lambda: of_header(content, rng)] * 4])()
    return rng.choice(plain)()
