"""Keeps photos that kill their process (a decoder's crash, not enough memory) from stopping a job.

Each part has a note while it is being made. If it was begun twice without being finished, its photos are processed one
by one, and each is noted first. A photo at which two processes died is a failure.
"""

import json
from dataclasses import dataclass, field

from fastsam.cluster.storage import Place, delete, read_bytes, whole

TRIES = "_tries"
CAREFUL, GUILTY = 2, 2  # failed attempts before photos go one by one; deaths at a photo before it is a failure


@dataclass
class Try:
    """One attempt at a part. tries: number of attempts before it; deaths: number of died processes per photo"""

    note: Place
    tries: int = 0
    deaths: dict[str, int] = field(default_factory=dict)

    @property
    def careful(self) -> bool:
        """Whether photos must be processed one by one."""
        return self.tries >= CAREFUL

    @property
    def guilty(self) -> set[str]:
        """Photos that are skipped as failures."""
        return {key for key, count in self.deaths.items() if count >= GUILTY}

    def take(self, key: str | None) -> None:
        """Notes the current photo, or None."""
        with whole(self.note) as file:
            file.write_text(json.dumps({"tries": self.tries + 1, "at": key, "deaths": self.deaths}))

    def end(self) -> None:
        """Removes the note, because the part is finished."""
        delete(self.note)


def begin(output: Place, name: str) -> Try:
    """A new attempt at a part, with the counts of earlier attempts."""
    this = Try(output / TRIES / f"{name}.json")
    try:
        before = json.loads(read_bytes(this.note))
        this.tries, this.deaths = before["tries"], before["deaths"]
        if before["at"] is not None:
            this.deaths[before["at"]] = this.deaths.get(before["at"], 0) + 1
    except (OSError, ValueError, KeyError, TypeError):  # the first attempt
        pass
    this.take(None)
    return this
