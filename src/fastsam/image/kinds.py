"""Tells what kind of file something is. The content decides; the suffix counts only if the content is unclear.

Enters: the first bytes of a file, or its name. Leaves: the name of a kind.
"""

import struct
from pathlib import Path

HEAD = 512  # number of bytes that are enough to tell the kind
PHOTOS = ("jpeg", "png", "webp", "tiff", "bmp", "gif", "jp2", "pnm", "avif", "heif")
NAMED = "JPEG, PNG, WebP, TIFF, BMP, GIF, JPEG 2000, PNM, AVIF or HEIC"
CUT = "the image is cut short: download or copy it again"
DAMAGED = "the image is damaged or cut short: download or copy it again"
MANY = "the image has more parts than a photo needs: save it again in an image editor"
SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif"),
    *(".jp2", ".j2k", ".jpf", ".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".hif"),
}
VIDEO_SUFFIXES = {
    *(".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".wmv", ".asf", ".flv", ".ogv", ".3gp", ".3g2"),
    *(".mpg", ".mpeg", ".m2v", ".vob", ".mts", ".m2ts"),  # not .ts, which is more often source code
}
RAW_SUFFIXES = {  # raw files of cameras; many look like TIFF and contain a small preview
    *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".sr2", ".srf", ".orf", ".rw2", ".raf", ".pef", ".srw"),
    *(".3fr", ".iiq", ".kdc", ".dcr", ".mrw", ".erf", ".mef", ".mos", ".rwl", ".x3f"),
}
APPLE_DOUBLE = b"\x00\x05\x16\x07"
_STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\0\0\0\x0cjP  ", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"\x1a\x45\xdf\xa3", "video"),  # Matroska, WebM
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video"),  # ASF
    (b"\0\0\1\xba", "video"),  # MPEG program stream
    (b"\0\0\1\xb3", "video"),  # MPEG video
    (b"FLV\1", "video"),
    (b"OggS", "video"),
)
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF = {b"avif", b"avis"}
_SOUND = {b"M4A ", b"M4B ", b"crx "}  # `crx ` is a camera's raw file


def kind_of(head: bytes) -> str | None:
    """The kind of a file by its first `HEAD` bytes: one of `PHOTOS`, or `video`; None for anything else."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "video"}.get(head[8:12])
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n#" and len(head) > 3:
        return "pnm"
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # old QuickTime, which has no `ftyp`
        return "video"
    for at, step in ((0, 188), (4, 192)):  # MPEG transport stream, with bare packets or packets with a timestamp
        if len(head) > at + 2 * step and all(head[at + k * step] == 0x47 for k in range(3)):
            return "video"
    return None


def _of_brands(head: bytes) -> str | None:
    (size,) = struct.unpack(">I", head[:4])
    brands = [head[8:12], *(head[k : k + 4] for k in range(16, min(size, len(head)) - 3, 4))]
    if brands[0] in _SOUND:
        return None
    if _AVIF & set(brands):
        return "avif"
    return "heif" if _HEIF & set(brands) else "video"


def head_of(file: Path) -> bytes:
    """The first bytes of a regular file; empty if it cannot be read or is not a regular file."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as stream:
            return stream.read(HEAD)
    except (OSError, ValueError):
        return b""


def file_kind(file: Path) -> str | None:
    """Whether a file in a folder is a `photo` or a `video`, by its content; None if it is neither.

    Unknown content counts by a known suffix, so that a damaged photo is reported instead of skipped.
    """
    head = head_of(file)
    if head.startswith(APPLE_DOUBLE) or file.name.startswith(".") or file.suffix.lower() in RAW_SUFFIXES:
        return None
    return photo_or_video(head, file.suffix.lower())


def photo_or_video(head: bytes, suffix: str) -> str | None:
    """Whether a file is a `photo` or a `video`, by its first bytes, or by its suffix if the content is unknown."""
    kind = kind_of(head)
    if kind is not None:
        return "video" if kind == "video" else "photo"
    return "photo" if suffix in SUFFIXES else "video" if suffix in VIDEO_SUFFIXES else None
