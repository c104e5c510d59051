"""`fastsam eval follow`."""

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
from cyclopts import Parameter
from rich.table import Table

from fastsam.cli import flags
from fastsam.cli.evaluate.flags import segmenter
from fastsam.cli.evaluate.report import figure, progress
from fastsam.cli.figures import show, write_json
from fastsam.cli.flags import Segmenting
from fastsam.evaluation.video import Clip, centre, contour, mean, read_sequences, region
from fastsam.files import make_folder
from fastsam.follow.eye import Eye, load
from fastsam.follow.follower import Follower
from fastsam.follow.search import Find
from fastsam.image.read import read_image
from fastsam.prompts import Prompt

UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
SHOWN = 6  # frames per sequence in a picture
WIDTH = 320  # pixels of each


def follow(
    folder: Path,
    /,
    *,
    use: Segmenting = flags.AS_STORED,
    from_: Annotated[list[Literal["mask", "click"]] | None, Parameter(name="--from", negative="")] = None,
    refiner: Annotated[Path | None, flags.REFINER] = None,
    pictures: Path | None = None,
    json_file: Annotated[Path | None, flags.JSON_FILE] = None,
) -> int:
    """Follow the object of the first frame through each sequence: J and F of DAVIS, 0 to 1, and frames per second.

    Parameters
    ----------
    folder
        Folder of sequences: folders with photos and, for each, a PNG of the same name that is not black on the object.
    from_
        How the object is shown in the first frame: its true mask, or a click on its middle; both by default.
    pictures
        Folder for a picture per sequence, with the found mask in red and the true one in green.
    """
    clips = read_sequences(folder)
    find, eye = segmenter(use), load(refiner, use.running.threads)
    rows: dict[str, Any] = {}
    for how in from_ or ("mask", "click"):
        table = Table("from", "sequence", "frames", "J", "F", "lost", "frames/s")
        rows[how] = {}
        for clip in progress(clips, how):
            row, frames = followed(clip, how, find, eye)
            rows[how][clip.name] = row
            cells = (figure(row["J"], 3), figure(row["F"], 3), str(row["lost"]), f"{row['rate']:.1f}")
            table.add_row(how, clip.name, str(row["frames"]), *cells)
            if pictures is not None:
                make_folder(pictures)
                cv2.imwrite(str(pictures / f"{clip.name}-{how}.jpg"), np.hstack(frames)[..., ::-1])
        both = [float(np.mean([row[name] for row in rows[how].values()])) for name in ("J", "F")]
        table.add_row(how, "mean", "", *(figure(v, 3) for v in both), "", "")
        show(table)
    write_json(json_file, rows)
    return 0


def followed(clip: Clip, how: str, find: Find, eye: Eye) -> tuple[dict[str, Any], list[UInt8]]:
    """The figures of a sequence, and a few of its frames with both masks."""
    truth = clip.mask(0)
    prompt = Prompt(mask=truth) if how == "mask" else Prompt(points=[centre(truth)])
    follower = Follower(find, clip.frames[0], prompt, eye=eye)
    regions, contours, lost, seconds, frames = [1.0], [1.0], 0, 0.0, []
    every = max(1, len(clip.frames) // SHOWN)
    for k in range(1, len(clip.frames)):
        pixels, truth = read_image(clip.frames[k]), clip.mask(k)
        began = time.perf_counter()
        (pick,) = follower.step(pixels)
        seconds += time.perf_counter() - began
        found = np.zeros(truth.shape, bool) if pick.mask is None else pick.mask
        lost += pick.mask is None
        regions.append(region(found, truth))
        contours.append(contour(found, truth))
        if k % every == 0:
            frames.append(both_drawn(pixels, found, truth))
    row = {"frames": len(clip.frames), "J": mean(regions), "F": mean(contours), "lost": lost}
    return row | {"rate": (len(clip.frames) - 1) / seconds}, frames


def both_drawn(pixels: UInt8, found: Bool, truth: Bool) -> UInt8:
    """A frame with the outline of the true mask in green and of the found one in red."""
    picture = np.ascontiguousarray(pixels)
    for mask, colour in ((truth, (0, 220, 0)), (found, (255, 0, 0))):
        rings, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, rings, -1, colour, 2)
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    return np.asarray(cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
