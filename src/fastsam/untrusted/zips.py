"""Zips, whose directory may lie: about sizes, names and places.

Enters: a file and its budget. Leaves: members by name, each read whole and no longer than it may be.
"""

import io
import zipfile
from typing import BinaryIO

from fastsam.untrusted.budget import Budget
from fastsam.untrusted.shown import shown

MOST_DIRECTORY = 4 << 20  # bytes; that of the largest published network has 0.1 MB


class Bounded:
    """A file that is asked for no more than `most` bytes at a time: what a zip says of its directory is no reason."""

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
    """The members of a zip. Raises UsageError for too many or two of one name, BadZipFile for what is no zip."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self.budget = budget
        bounded = Bounded(file, budget)
        self.unread = bounded.size  # bytes that members may still take: those that overlap end here
        archive = zipfile.ZipFile(bounded)
        budget.spend("members", len(archive.infolist()))
        self.members = {member.filename: member for member in archive.infolist()}
        if len(self.members) != len(archive.infolist()):
            budget.refuse("two members of its zip have one name")
        archive.fp, self.archive = file, archive  # of members, `read` knows what they may take

    def read(self, name: str, most: int, packed: bool = False) -> bytes:
        """A member of at most `most` bytes, compressed only if it may be `packed`.

        Raises UsageError for any other, KeyError if there is none, and what `zipfile` raises if it is damaged.
        """
        member = self.members[name]
        stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
        if not stored and not (packed and member.compress_type == zipfile.ZIP_DEFLATED):
            self.budget.refuse(f"{shown(name)} in it is compressed")
        self.unread -= member.compress_size
        if member.file_size > most or self.unread < 0 or member.flag_bits & 1:
            self.budget.refuse(f"{shown(name)} in it says that it has {member.file_size} bytes: too large or not whole")
        return self.archive.read(member)
