"""Points and boxes on a file of `fastsam export MODEL FILE --with-masks`, with ONNX Runtime, NumPy and OpenCV alone.

    fastsam export fastsam-tiny masks.onnx --with-masks
    python masks_without_fastsam.py masks.onnx photo.jpg --point 300,200 --box 180,10,430,250

Writes picked.png. Whatever runs ONNX (C++, C#, JavaScript, Java) does the same in as many lines.
"""

import argparse
import json

import cv2
import numpy as np
import onnxruntime


def prepare(photo, longest):
    """The input (1, 3, h, w) 0..1, sides multiples of 32, and input pixels per photo pixel."""
    scale = longest / max(photo.shape[:2])
    h, w = (max(1, round(side * scale)) for side in photo.shape[:2])
    canvas = np.full((-(-h // 32) * 32, -(-w // 32) * 32, 3), 114, np.uint8)
    canvas[:h, :w] = cv2.resize(photo, (w, h))
    return canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255, (w / photo.shape[1], h / photo.shape[0])


def full_size(mask, scale, size):
    """Logits (h, w) on cells of 4 input pixels -> bool (H, W) of the photo: bilinear, then above 0."""
    to_cells = np.array([[scale[0] / 4, 0, scale[0] / 8 - 0.5], [0, scale[1] / 4, scale[1] / 8 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, to_cells, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE) > 0


def by_point(masks, scale, x, y):
    """The smallest mask that holds a point of the photo, None where none does."""
    at = masks[:, int(y * scale[1] / 4), int(x * scale[0] / 4)] > 0
    areas = np.where(at, (masks > 0).sum((1, 2)), np.iinfo(np.int64).max)
    return int(areas.argmin()) if at.any() else None


def by_box(boxes, scale, box):
    """The mask whose box has the greatest IoU with a box of the photo, None where none meets it."""
    box = np.array(box) * [*scale, *scale]
    w, h = (np.minimum(boxes[:, k + 2], box[k + 2]) - np.maximum(boxes[:, k], box[k]) for k in (0, 1))
    shared = np.maximum(w, 0) * np.maximum(h, 0)
    iou = shared / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[2:] - box[:2]).prod() - shared)
    return int(iou.argmax()) if shared.any() else None


parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("photo")
parser.add_argument("--point", action="append", default=[])
parser.add_argument("--box", action="append", default=[])
arguments = parser.parse_args()
session = onnxruntime.InferenceSession(arguments.model)
settings = json.loads(session.get_modelmeta().custom_metadata_map["fastsam"])
photo = cv2.imread(arguments.photo)
images, scale = prepare(np.ascontiguousarray(photo[..., ::-1]), settings["imgsz"])
boxes, scores, masks = session.run(["boxes", "scores", "masks"], {"images": images})
picks = [by_point(masks, scale, *map(float, p.split(","))) for p in arguments.point]
picks += [by_box(boxes, scale, [float(v) for v in b.split(",")]) for b in arguments.box]
for pick in picks:
    print("no match" if pick is None else f"mask {pick}, score {scores[pick]:.2f}")
    if pick is not None:
        photo[full_size(masks[pick], scale, photo.shape[:2])] //= 2
cv2.imwrite("picked.png", photo)
