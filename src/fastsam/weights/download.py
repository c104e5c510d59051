"""Models that others published: their addresses, checksums, and download.

Enters: the name of a model. Leaves: its file in the user's cache folder.

The checksums are those of the files that the authors and Ultralytics released.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fastsam.errors import UsageError
from fastsam.files import make_folder, write
from fastsam.untrusted.shown import reason

CHUNK = 1 << 18  # bytes
TIMEOUT = 20  # seconds without a byte
NOTICE = (
    "{name} was published by the authors of FastSAM (Zhao et al. 2023), trained on 2% of SA-1B, whose licence is for "
    "research. The original repository was under Apache-2.0; repositories that distribute the file today state "
    "AGPL-3.0. It is not part of this package: check its terms before you use it."
)


@dataclass(frozen=True)
class Published:
    """A file to download. bytes: its size; sha256: of its content; mirrors: addresses, tried in turn."""

    file: str
    bytes: int
    sha256: str
    mirrors: tuple[str, ...]
    licence: str = "see its notice"
    source: str = "Zhao et al. 2023"
    about: str = NOTICE

    @property
    def notice(self) -> str:
        """The notice shown before the first download."""
        return self.about.format(name=self.file)


HUB = "https://huggingface.co"
ASSETS = "https://github.com/ultralytics/assets/releases/download"
PUBLISHED = {
    "fastsam-s": Published(
        "FastSAM-s.pt",
        23_851_578,
        "c9f78716a81c7aff0d608ccc73e1b82ab3aaad86005049f6a92106a0be6d0844",
        (f"{ASSETS}/v8.4.0/FastSAM-s.pt", f"{HUB}/Uminosachi/FastSAM/resolve/main/FastSAM-s.pt"),
    ),
    "fastsam-x": Published(
        "FastSAM-x.pt",
        144_943_063,
        "c0be4e7ddbe4c15333d15a859c676d053c486d0a746a3be6a7a9790d52a9b6d7",
        (
            f"{HUB}/spaces/An-619/FastSAM/resolve/main/weights/FastSAM.pt",
            f"{HUB}/Uminosachi/FastSAM/resolve/main/FastSAM-x.pt",
            f"{ASSETS}/v8.4.0/FastSAM-x.pt",
        ),
    ),
}

# Compares words with pictures; converted to two networks after the download.
CLIP = Published(
    "ViT-B-32.pt",
    353_976_522,
    "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    (
        "https://openaipublic.azureedge.net/clip/models/"
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt",
    ),
    licence="MIT",
    source="Radford et al. 2021",
    about="{name} was published by OpenAI (Radford et al. 2021) under the MIT licence; its model card warns of biases.",
)
FILES = {**PUBLISHED, "clip": CLIP}


def cache() -> Path:
    """The user's cache folder."""
    import pooch

    return Path(pooch.os_cache("fastsam"))


def present(name: str) -> Path | None:
    """The file of a published model; None if it was not downloaded yet."""
    file = cache() / FILES[name].file
    return file if file.is_file() else None


def take(name: str, file: Path) -> Path:
    """Copies a model's file from this machine into the cache.

    Raises UsageError if the file does not exist or has other content.
    """
    import pooch

    if not file.is_file():
        raise UsageError(f"{file} not found: give the path of the file that you downloaded")
    model = FILES[name]
    if (found := pooch.file_hash(str(file))) != model.sha256:
        raise UsageError(f"{file} is not {model.file}: its sha256 is {found}, not {model.sha256}")
    write(cache() / model.file, file.read_bytes())
    return cache() / model.file


def fetch(name: str, progress: Callable[[int], None], say: Callable[[str], None]) -> Path:
    """Downloads a model into the cache, from the first mirror with the right content.

    An interrupted download is resumed. progress: called with the number of bytes so far; say: called with the reason
    when a mirror fails. Raises UsageError if all mirrors fail.
    """
    import pooch
    import requests

    model = FILES[name]
    file = make_folder(cache()) / model.file
    part = file.with_suffix(".part")
    for address in model.mirrors:
        try:
            # The resumed part may belong to another file. Then the same address is asked for the whole file.
            for _ in range(2 if part.exists() else 1):
                for done in pull(address, part, model.bytes):
                    progress(done)
                if (found := pooch.file_hash(str(part))) == model.sha256:
                    os.replace(part, file)
                    return file
                part.unlink()
            say(f"{address}: the content has the sha256 {found}, not {model.sha256}")
        except (requests.RequestException, OSError) as error:
            say(f"{address}: {failure(error)}")
    raise UsageError(
        f"{model.file} could not be downloaded: check the connection and try again, or use a file that you have: "
        f"fastsam weights get {name} --from {model.file}"
    )


def pull(address: str, part: Path, most: int) -> Iterator[int]:
    """Downloads the rest of an address to `part`, and yields the number of bytes so far. Restarts if it must.

    most: size of the file. Raises OSError for an answer that is too long or ends early, and what `requests` raises.
    """
    import requests

    have = part.stat().st_size if part.exists() else 0
    if have >= most:
        yield have
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        resumed = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not resumed and 0 <= int(answer.headers.get("Content-Length", most)) < most:
            raise OSError(f"its file has {answer.headers['Content-Length']} bytes, not {most}")
        have = have if resumed else 0
        with part.open("ab" if resumed else "wb") as out:
            for chunk in answer.iter_content(CHUNK):
                have += len(chunk)
                if have > most:
                    break
                out.write(chunk)
                yield have
    if have > most:
        part.unlink()
        raise OSError(f"more than the {most} bytes that the file has")
    if have < most:
        raise OSError(f"the answer ended after {have} of {most} bytes")


def failure(error: Exception) -> str:
    """One line that says why a download failed."""
    import requests

    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    return reason(error)
