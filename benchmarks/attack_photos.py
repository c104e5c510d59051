"""Damages photos of every kind and reads them, in a process of bounded memory: python benchmarks/attack_photos.py 2000

A damaged photo must be read or refused with UsageError; anything else, a crash of the interpreter included, is printed
with the number that makes it again. Prints what was tried, the longest time of a photo and the most memory.
"""

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import time
import warnings
from importlib.util import find_spec

import cv2
import numpy as np
from PIL import Image

from fastsam import UsageError
from fastsam.image.read import decode

PIXELS = 20_000_000  # the limit that is tried
MEMORY = 3 << 30  # bytes of address space; libraries and threads take a third of it


def originals() -> list[bytes]:
    """Small photos of every kind that is read."""
    rows, columns = np.mgrid[0:40, 0:56]
    colours = np.stack((columns * 4, rows * 5, 255 - columns * 2), 2).astype(np.uint8)
    photo, exif, found = Image.fromarray(colours), Image.Exif(), []
    exif[0x0112] = 6

    def keep(image: Image.Image, kind: str, **options: object) -> None:
        data = io.BytesIO()
        image.save(data, kind, **options)
        found.append(data.getvalue())

    keep(photo, "jpeg", exif=exif)
    keep(photo, "jpeg", progressive=True)
    keep(photo.convert("CMYK"), "jpeg")
    keep(photo, "png", exif=exif)
    for mode in ("RGBA", "P", "LA", "1"):
        keep(photo.convert(mode), "png")
    more = {"save_all": True, "append_images": [photo.rotate(90, expand=False)]}
    for kind in ("png", "webp", "gif", "avif"):
        keep(photo, kind, **more)
    keep(photo, "webp", exif=exif, lossless=True)
    keep(photo, "avif", exif=exif)
    keep(photo.convert("RGBA"), "avif")
    keep(photo.convert("RGBA"), "jpeg2000")
    for kind in ("bmp", "ppm", "mpo"):
        keep(photo, kind)
    keep(photo.quantize(), "bmp")
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "jpeg", "packbits", "zstd", "lzma"):
        keep(photo, "tiff", compression=compression)
    keep(photo.convert("1"), "tiff", compression="group4")
    keep(photo.convert("CMYK"), "tiff")
    keep(photo.convert("F"), "tiff")
    for pixels, suffix in ((colours.astype(np.uint16) * 257, ".png"), (colours.astype(np.float32) / 255, ".tiff")):
        found.append(cv2.imencode(suffix, pixels)[1].tobytes())
    if find_spec("tifffile"):
        import tifffile

        for options in ({}, {"tile": (16, 16)}, {"planarconfig": "separate"}):
            data = io.BytesIO()
            bands = np.concatenate((colours, colours[..., :2]), axis=2)
            bands = bands.transpose(2, 0, 1) if options.get("planarconfig") else bands
            tifffile.imwrite(data, bands, photometric="rgb", compression="zlib", **options)
            found.append(data.getvalue())
    if find_spec("pillow_heif"):
        import pillow_heif

        data = io.BytesIO()
        pillow_heif.from_pillow(photo).save(data)
        found.append(data.getvalue())
    return found


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A copy that lies, is cut, or holds parts twice."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(min(len(made), rng.choice((64, 512, len(made))))) if made else 0
        way = rng.randrange(6)
        if way == 0:
            made[at : at + 1] = bytes([rng.randrange(256)])
        elif way == 1:
            size = rng.choice((1, 2, 4, 8))
            made[at : at + size] = rng.choice((b"\xff", b"\0", b"\x7f", b"\x80")) + rng.choice((b"\xff", b"\0")) * (
                size - 1
            )
        elif way == 2:
            made = made[: rng.randrange(len(made) + 1)] if rng.random() < 0.3 else made
        elif way == 3:
            other = rng.randrange(len(made) + 1)
            made[at:at] = made[other : other + rng.randrange(64)]
        elif way == 4:
            del made[at : at + rng.randrange(1, 16)]
        else:
            made[at : at + 4] = rng.randrange(1 << rng.choice((8, 16, 24, 32))).to_bytes(
                4, rng.choice(("big", "little"))
            )
        if not made:
            break
    return bytes(made)


def work(start: int, count: int) -> None:
    """Tries some numbers, and says of each that it begins and how it ended."""
    files = originals()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    for number in range(start, start + count):
        rng = random.Random(number)
        data = damaged(files[number % len(files)], rng)
        print(json.dumps({"begin": number}), flush=True)
        before, how = time.process_time(), "read"
        try:
            decode(data, PIXELS)
        except UsageError as error:
            how = "refused" if "\n" not in str(error) else f"a line that is none: {error}"
        except BaseException as error:
            how = f"{type(error).__name__}: {error}"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(json.dumps({"how": how, "seconds": time.process_time() - before, "memory": memory}), flush=True)


def main() -> int:
    """Runs workers until all numbers are tried; one that dies costs its one number."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--worker", action="store_true")
    given = parser.parse_args()
    if given.worker:
        work(given.start, given.count)
        return 0
    total: dict[str, float] = {"tried": 0, "read": 0, "refused": 0, "wrong": 0, "longest": 0.0, "memory": 0}
    end, at = given.start + given.count, given.start
    while at < end:
        command = [sys.executable, __file__, str(end - at), "--start", str(at), "--worker"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            assert child.stdout is not None
            began = None
            for said in map(json.loads, child.stdout):
                if "begin" in said:
                    began = said["begin"]
                    continue
                total["tried"] += 1
                total[said["how"] if said["how"] in ("read", "refused") else "wrong"] += 1
                if said["how"] not in ("read", "refused"):
                    print(f"{began}: {said['how']}", file=sys.stderr)
                total["longest"] = max(total["longest"], said["seconds"])
                total["memory"] = max(total["memory"], said["memory"])
                began, at = None, at + 1
        if began is not None or child.returncode:
            total["tried"], total["wrong"], at = total["tried"] + 1, total["wrong"] + 1, at + 1
            print(f"{began}: the process ended with {child.returncode}", file=sys.stderr)
    print(json.dumps(total))
    return 1 if total["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
