"""The popular port's side of `against_port.py`, run by the Python of the port's own environment.

    python port_side.py CHECKPOINT IMGSZ CONF IOU MAX_DET THREADS

Reads a photo's path a line; answers with a line of JSON: seconds to masks, seconds to RLE, the RLE, the scores.
"""

import json
import sys
import time

import torch
from pycocotools import mask as coco
from ultralytics import FastSAM

file, imgsz, conf, iou, max_det, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = FastSAM(file)
settings = {"imgsz": int(imgsz), "conf": float(conf), "iou": float(iou), "max_det": int(max_det)}
for line in sys.stdin:
    start = time.perf_counter()
    (result,) = model(line.strip(), retina_masks=True, verbose=False, device="cpu", **settings)
    masks = result.masks.data.cpu().numpy() if result.masks is not None else []
    found = time.perf_counter()
    packed = coco.encode(masks.astype("uint8").transpose(1, 2, 0).copy(order="F")) if len(masks) else []
    done = time.perf_counter()
    answer = {"masks": found - start, "rle": done - start, "network": result.speed["inference"] / 1000}
    answer["packed"] = [{"size": p["size"], "counts": p["counts"].decode()} for p in packed]
    print("answer " + json.dumps(answer), flush=True)
