"""Recognises files that are not networks by their first bytes, and says what to do.

Enters: a path. Leaves: its first bytes, or an error that says what the file is.
"""

from pathlib import Path

from fastsam.errors import UsageError

LOOKED_AT = 512  # number of bytes read
KINDS = {
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19": (
        "was saved by torch before 1.6, or in its old format: if you trust it, save it again with "
        "torch.save(torch.load(FILE, weights_only=False), NEW)"
    ),
    b"\x80": "is a bare pickle, which is never read: if you trust it, load it and save the network with torch.save",
    b"version https://git-lfs": "is a Git LFS pointer, not the file itself: run `git lfs pull`",
    b"\x89HDF": "is an HDF5 file: convert it to ONNX",
    b"\x1f\x8b": "is compressed by gzip: unpack it first",
    b"\x89PNG": "is a picture, not a network: give photos after the weights",
    b"\xff\xd8\xff": "is a picture, not a network: give photos after the weights",
}
PAGE = "is a web page, not a network: download the file itself, not the page about it"


def refuse_others(file: Path) -> bytes:
    """The first bytes of a file. Raises UsageError if it cannot be read or is clearly not a network."""
    try:
        with file.open("rb") as content:
            head = content.read(LOOKED_AT)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    if said := kind_of(head):
        raise UsageError(f"{file} {said}")
    return head


def kind_of(head: bytes) -> str:
    """What a file is, by its first bytes; empty if they do not tell."""
    if not head:
        return "is empty: download or save it again"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:9].lower().startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return PAGE
    return next((said for begin, said in KINDS.items() if head.startswith(begin)), "")
