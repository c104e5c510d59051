"""Draw on a video

Every frame with its objects in one colour each, as a new video, and how long each object was there. `fastsam segment
VIDEO -o OUT --track` draws without a script; this is where to begin for anything else.

    python cookbook/segment_video.py VIDEO [-o segmented.mp4] [--imgsz 320]

A camera's number or an address (rtsp, http) works too, until Ctrl-C.
"""

import argparse
from collections import Counter

import cv2
import numpy as np

from fastsam import FastSAM

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("video")
parser.add_argument("-o", "--output", default="segmented.mp4")
parser.add_argument("--imgsz", type=int, default=320)
given = parser.parse_args()
source = int(given.video) if given.video.isdigit() else given.video
rate = cv2.VideoCapture(source).get(cv2.CAP_PROP_FPS) or 25.0

colours = np.random.default_rng(0).integers(40, 255, (256, 3), np.uint8)  # by id
writer, frames, there = None, 0, Counter()
try:
    for _, segments in FastSAM().track(source, imgsz=given.imgsz):
        height, width = segments.size
        if writer is None:
            code = cv2.VideoWriter_fourcc(*("MJPG" if given.output.endswith(".avi") else "mp4v"))
            writer = cv2.VideoWriter(given.output, code, rate, (width, height))
        objects = segments.filter(area=(height * width / 1000, height * width / 2))
        ids = np.concatenate(([0], objects.tracks))[objects.label_map()]  # of each pixel; 0: no object
        frame = segments.photo[..., ::-1]
        tint = np.where(ids[..., None] > 0, colours[ids % 256], frame)
        writer.write(cv2.addWeighted(np.ascontiguousarray(frame), 0.5, tint, 0.5, 0))
        there.update(objects.tracks.tolist())
        frames += 1
except KeyboardInterrupt:
    pass
if writer is not None:
    writer.release()
print(f"{given.output}: {frames} frames, {len(there)} objects")
for number, count in there.most_common(5):
    print(f"object {number}: {count / rate:.1f} s")
