"""Segment a video

Every frame with its masks drawn, as a new video. An object keeps its colour while its mask overlaps that of the frame
before; there is no other tracking.

    python cookbook/segment_video.py VIDEO [-o segmented.mp4] [--imgsz 320]

A camera's number or an address (rtsp, http) works too, until Ctrl-C.
"""

import argparse

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

colours = np.random.default_rng(0).integers(40, 255, (256, 3), np.uint8)  # by an object's number
writer, before, known, frames = None, None, 0, 0
try:
    for _, segments in FastSAM().stream(source, imgsz=given.imgsz):
        height, width = segments.size
        if before is None:
            code = cv2.VideoWriter_fourcc(*("MJPG" if given.output.endswith(".avi") else "mp4v"))
            writer, before = cv2.VideoWriter(given.output, code, rate, (width, height)), np.zeros(segments.size, int)
        numbers = np.zeros(segments.size, int)  # which object each pixel shows
        objects = segments.filter(area=(height * width / 1000, height * width / 2))
        for segment in objects[(-objects.masks.areas).argsort()]:
            mask = segment.mask
            number = np.bincount(before[mask]).argmax()  # of the object that most of it was
            if number == 0 or np.count_nonzero((before == number) & mask) * 4 < np.count_nonzero(before == number):
                known += 1
                number = known
            numbers[mask] = number
        tint = np.where(numbers[..., None] > 0, colours[numbers % 256], segments.photo[..., ::-1])
        writer.write(cv2.addWeighted(np.ascontiguousarray(segments.photo[..., ::-1]), 0.5, tint, 0.5, 0))
        before, frames = numbers, frames + 1
except KeyboardInterrupt:
    pass
if writer is not None:
    writer.release()
print(f"{given.output}: {frames} frames, {known} objects")
