"""Writes a video, frame by frame: a file that plays everywhere, one with alpha, or a folder of PNG files.

Enters: RGB or RGBA frames. Leaves: a file that is there whole or not at all. What was there before stays until the new
one is complete; if the caller stops early, by Ctrl-C or an error, the file holds the frames until then.

H.264 and alpha need PyAV (the `video` extra). OpenCV writes the rest, and MPEG-4 Part 2 in place of H.264.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from fastsam.errors import UsageError, require
from fastsam.files import growing, make_folder
from fastsam.files import write as write_file

UInt8 = npt.NDArray[np.uint8]
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
FOURCC = {".webm": "VP90", ".avi": "MJPG"}  # what OpenCV writes; mp4v for the others
ALPHA = {".webm": ("libvpx-vp9", "yuva420p"), ".mov": ("prores_ks", "yuva444p10le")}  # for browsers, for editors
QUALITY = {  # of PyAV's encoders: without visible loss, and fast enough to keep up with the network
    "libx264": {"crf": "18", "preset": "veryfast"},
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1", "auto-alt-ref": "0"},
    "prores_ks": {"profile": "4444"},
}
LONGEST = 16384  # pixels of a side that H.264 and VP9 take


class Encoder(Protocol):
    """What puts frames into one open file."""

    def add(self, pixels: UInt8) -> None:
        """Adds a frame (H, W, 3) or (H, W, 4)."""
        ...

    def close(self) -> None:
        """Completes the file."""
        ...


@dataclass
class Writer:
    """A video in the making.

    file: what it becomes; rate: frames per second; alpha: whether frames are RGBA; frames: how many it has
    """

    file: Path
    rate: float
    alpha: bool = False
    frames: int = 0
    size: tuple[int, int] | None = None
    encoder: Encoder | None = field(default=None, repr=False)
    part: Path | None = field(default=None, repr=False)

    def write(self, pixels: UInt8) -> None:
        """Adds a frame: uint8 RGB (H, W, 3), or RGBA (H, W, 4) with `alpha`. Raises UsageError for another size."""
        channels = 4 if self.alpha else 3
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != channels:
            raise UsageError(
                f"{self.file}: a frame must be uint8 (H, W, {channels}), not {pixels.dtype} {pixels.shape}"
            )
        size = (pixels.shape[0], pixels.shape[1])
        if self.size is None:
            self.size = size
            self.encoder = self._open(size)
        if size != self.size:
            raise UsageError(f"{self.file}: frame {self.frames} is {size[1]} x {size[0]} pixels, not {self.size[1]} x "
                             f"{self.size[0]} as the first one")  # fmt: skip
        assert self.encoder is not None
        self.encoder.add(pixels)
        self.frames += 1

    def close(self) -> None:
        """Completes the file."""
        if self.encoder is not None:
            self.encoder.close()

    def _open(self, size: tuple[int, int]) -> Encoder:
        if self.part is None:
            return Pictures(self.file)
        if max(size) > LONGEST:
            raise UsageError(f"{self.file}: {size[1]} x {size[0]} pixels are too many for a video: shrink the frames")
        suffix = self.file.suffix.lower()
        if suffix == ".avi" or not (self.alpha or has_h264()):
            return OpenCV(self.part, FOURCC.get(suffix, "mp4v"), self.rate, size)
        codec, layout = ALPHA[suffix] if self.alpha else ("libvpx-vp9" if suffix == ".webm" else "libx264", "yuv420p")
        return PyAV(self.part, codec, layout, self.rate, size)


@contextmanager
def writer(file: Path, rate: float, *, alpha: bool = False) -> Iterator[Writer]:
    """A video to write frames to.

    file: its suffix names the container (`SUFFIXES`); a name without suffix is a folder of PNG files, one per frame
    rate: frames per second
    alpha: frames are RGBA, which .webm (VP9), .mov (ProRes 4444) and PNG can hold

    If the block raises, what was written until then is kept, and the error goes on.

    Raises UsageError if the suffix cannot be written or holds no alpha, if PyAV is needed and missing, if the folder
    cannot be written to, or if no frame was written; OSError if the disk is full.
    """
    check(file, alpha)
    if not file.suffix:
        yield Writer(file, rate, alpha)
        return
    with growing(file, lambda part: Writer(file, rate, alpha, part=part)) as made:
        yield made


def check(file: Path, alpha: bool = False) -> None:
    """Raises UsageError if such a file cannot be written; see `writer`."""
    suffix = file.suffix.lower()
    if file.is_dir() and suffix:
        raise UsageError(f"{file} is a folder: choose another name")
    if file.is_file() and not suffix:
        raise UsageError(f"{file} is a file, and a folder of PNG files was asked for: choose another name")
    if suffix and suffix not in SUFFIXES:
        raise UsageError(f"{file}: a video ends in {', '.join(SUFFIXES)}, not {suffix}")
    if alpha and suffix:
        if suffix not in ALPHA:
            raise UsageError(f"{file}: {suffix} holds no transparency: use .webm, .mov, or a folder for PNG files")
        require("av", "video")


def has_h264() -> bool:
    """Whether PyAV is there."""
    return find_spec("av") is not None


class Pictures:
    """A folder of PNG files: 000000.png, 000001.png, ..."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.frames = make_folder(folder), 0

    def add(self, pixels: UInt8) -> None:
        """Writes a frame as a file of its own."""
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR)
        write_file(self.folder / f"{self.frames:06d}.png", cv2.imencode(".png", bgr)[1].tobytes())
        self.frames += 1

    def close(self) -> None:
        """Nothing: every file is complete."""


class OpenCV:
    """OpenCV's writer. It needs sides of even length."""

    def __init__(self, file: Path, code: str, rate: float, size: tuple[int, int]) -> None:
        height, width = even(size)
        self.stream = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*code), rate, (width, height))
        if not self.stream.isOpened():
            raise UsageError(f"{file.suffix} cannot be written by this OpenCV: {WITH_AV}")

    def add(self, pixels: UInt8) -> None:
        """Encodes a frame."""
        self.stream.write(cv2.cvtColor(padded(pixels), cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Completes the file."""
        self.stream.release()


class PyAV:
    """FFmpeg through PyAV. The colours are BT.601 and say so, which every player reads the same way."""

    def __init__(self, file: Path, codec: str, layout: str, rate: float, size: tuple[int, int]) -> None:
        av: Any = require("av", "video")
        self.av, self.layout = av, layout
        options = {"movflags": "+faststart"} if file.suffix.lower() in (".mp4", ".m4v", ".mov") else {}
        self.file = av.open(str(file), "w", options=options)
        try:
            self.stream = self.file.add_stream(codec, rate=Fraction(rate).limit_denominator(1001))
        except (av.FFmpegError, ValueError):
            self.file.close()
            raise UsageError(f"this PyAV has no encoder {codec}: pip install --upgrade av") from None
        height, width = even(size)
        self.stream.height, self.stream.width, self.stream.pix_fmt = height, width, layout
        self.stream.options = QUALITY[codec]
        self.stream.thread_type = "AUTO"
        context = self.stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 6, 1, 13

    def add(self, pixels: UInt8) -> None:
        """Encodes a frame."""
        kind = "rgba" if pixels.shape[2] == 4 else "rgb24"
        frame = self.av.VideoFrame.from_ndarray(np.ascontiguousarray(padded(pixels)), format=kind)
        frame = frame.reformat(format=self.layout, dst_colorspace="ITU601", dst_color_range="MPEG")
        self.file.mux(self.stream.encode(frame))

    def close(self) -> None:
        """Completes the file."""
        try:
            self.file.mux(self.stream.encode())
        finally:
            self.file.close()


WITH_AV = "pip install 'fast-segment-anything[video]'"


def even(size: tuple[int, int]) -> tuple[int, int]:
    """Both sides rounded up to even numbers, which codecs with halved colours need."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def padded(pixels: UInt8) -> UInt8:
    """The frame with its last row and column repeated where a side is odd."""
    down, across = pixels.shape[0] % 2, pixels.shape[1] % 2
    if not (down or across):
        return pixels
    return np.pad(pixels, ((0, down), (0, across), (0, 0)), "edge")
