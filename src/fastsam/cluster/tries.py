"""Photos that kill whoever opens them: a decoder's crash, more memory than there is. They must not stop a job.

Each part leaves a note while it is in the making. Where it was begun twice without coming to an end, its photos are
taken one by one, each noted before it is touched; one at which two processes ended is a failure. Called by `actor`.
"""

import json
from dataclasses import dataclass, field

from fastsam.cluster.storage import Place, delete, read_bytes, whole

TRIES = "_tries"
CAREFUL, GUILTY = 2, 2  # times a part was begun in vain; processes that ended at a photo


@dataclass
class Try:
    """One attempt at a part. tries: those before it; deaths: processes that ended, by the photo in their hands"""

    note: Place
    tries: int = 0
    deaths: dict[str, int] = field(default_factory=dict)

    @property
    def careful(self) -> bool:
        """Whether photos are to be taken one by one."""
        return self.tries >= CAREFUL

    @property
    def guilty(self) -> set[str]:
        """Photos that are not touched any more."""
        return {key for key, count in self.deaths.items() if count >= GUILTY}

    def take(self, key: str | None) -> None:
        """Notes the photo in hand, or with None that none is."""
        with whole(self.note) as file:
            file.write_text(json.dumps({"tries": self.tries + 1, "at": key, "deaths": self.deaths}))

    def end(self) -> None:
        """The part is done: the note goes."""
        delete(self.note)


def begin(output: Place, name: str) -> Try:
    """An attempt at that part, which knows of those before it."""
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
