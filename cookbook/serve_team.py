"""Serve a team

One machine runs the network, everyone else asks it. On the server, with the `serve` extra:

    FASTSAM_TOKEN=secret fastsam serve --host 0.0.0.0 --allow-host NAME --workers 2

On the others, with the core install:

    FASTSAM_TOKEN=secret python cookbook/serve_team.py PHOTO... --address http://NAME:8000 [--box X1,Y1,X2,Y2]

Without --address it starts a service of its own for the time that it runs. Writes one mask per photo as a PNG.
"""

import argparse
import os
import re
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from fastsam.client import Client

COFFEE = Path(__file__).parent.parent / "examples" / "coffee.png"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("photos", nargs="*", type=Path, default=[COFFEE])
parser.add_argument("--address")
parser.add_argument("--box", default="180,10,430,250")
parser.add_argument("-o", "--output", type=Path, default=Path("."))
given = parser.parse_args()
token = os.environ.get("FASTSAM_TOKEN") or secrets.token_urlsafe()


def ask(photo: Path) -> str:
    """What a member of the team does: send a photo, ask about it, keep the mask."""
    kept = Client(given.address, token).segment(photo)
    (pick,) = kept.select(boxes=[[float(v) for v in given.box.split(",")]])
    if pick is None:
        return f"{photo}: nothing in the box"
    file = given.output / f"{photo.stem}-mask.png"
    cv2.imwrite(str(file), pick.mask.astype("uint8") * 255)
    return f"{photo}: {len(kept.segments)} objects, quality {pick.quality:.2f} -> {file}"


server = None
if given.address is None:
    command = [sys.executable, "-m", "fastsam", "serve", "--port", "0", "--no-browser", "--timeout", "600"]
    own = {**os.environ, "FASTSAM_TOKEN": token}
    server = subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    given.address = next(found[0] for line in server.stdout if (found := re.search(r"http://[\d.:]+\d", line)))
try:
    with ThreadPoolExecutor(4) as team:
        for said in team.map(ask, given.photos):
            print(said)
finally:
    if server is not None:
        server.terminate()
        server.wait()
