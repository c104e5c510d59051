"""Reads zips whose directory may be wrong about sizes, names and offsets.

Enters: a file and its budget. Leaves: members by name, each read whole, within its limit.
"""

import io
import zipfile
from typing import BinaryIO

from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import shown

MOST_DIRECTORY = 4 << 20  # maximum bytes; the directory of the largest published network has 0.1 MB


class Bounded:
    """A file that never reads more than `MOST_DIRECTORY` bytes at a time, whatever size the zip's directory states."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self.file, self.budget = file, budget
        self.size = file.seek(0, io.SEEK_END)
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises UsageError if they are too many."""
        left = max(0, self.size - self.file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > MOST_DIRECTORY:
            self.budget.refuse(f"its directory takes more than {MOST_DIRECTORY} bytes")
        return self.file.read(wanted)


class Zip:
    """The members of a zip. Raises UsageError for too many members or a repeated name, BadZipFile for other files."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self.budget = budget
        bounded = Bounded(file, budget)
        self.unread = bounded.size  # bytes that members may still take, which also stops members that overlap
        archive = zipfile.ZipFile(bounded)
        budget.spend("members", len(archive.infolist()))
        self.members = {member.filename: member for member in archive.infolist()}
        if len(self.members) != len(archive.infolist()):
            budget.refuse("two members of its zip have the same name")
        archive.fp, self.archive = file, archive  # of members, `read` knows what they may take

    def read(self, name: str, most: int, packed: bool = False) -> bytes:
        """The bytes of a member. most: maximum bytes; packed: whether it may be compressed

        Raises UsageError beyond these, KeyError if the member is missing, and what `zipfile` raises for damage.
        """
        member = self.members[name]
        stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
        if not stored and not (packed and member.compress_type == zipfile.ZIP_DEFLATED):
            self.budget.refuse(f"{shown(name)} in it is compressed")
        self.unread -= member.compress_size
        if member.file_size > most or self.unread < 0 or member.flag_bits & 1:
            self.budget.refuse(f"{shown(name)} in it states {member.file_size} bytes: it is too large or not whole")
        return self.archive.read(member)
