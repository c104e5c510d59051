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
    """The input (1, 3, h, w) 0..1, the photo in its middle; and what takes x, y of the photo there: factor, shift."""
    ratio = longest / max(photo.shape[:2])
    h, w = (max(1, round(side * ratio)) for side in photo.shape[:2])
    top, left = (round(-side % 32 / 2 - 0.1) for side in (h, w))
    canvas = np.full((h + -h % 32, w + -w % 32, 3), 114, np.uint8)
    canvas[top : top + h, left : left + w] = cv2.resize(photo, (w, h))
    frame = np.array([w / photo.shape[1], h / photo.shape[0]]), np.array([left, top])
    return canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255, frame


def full_size(mask, frame, size):
    """Logits (h, w) on cells of 4 input pixels -> bool (H, W) of the photo: bilinear, then above 0."""
    factor, shift = frame
    to_cells = np.column_stack((np.diag(factor / 4), (factor / 2 + shift) / 4 - 0.5))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, to_cells, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE) > 0


def by_point(masks, frame, point):
    """The smallest mask that holds a point x, y of the photo, None where none does."""
    x, y = np.clip((point * frame[0] + frame[1]) // 4, 0, [masks.shape[2] - 1, masks.shape[1] - 1]).astype(int)
    at = masks[:, y, x] > 0
    areas = np.where(at, (masks > 0).sum((1, 2)), np.iinfo(np.int64).max)
    return int(areas.argmin()) if at.any() else None


def by_box(boxes, frame, box):
    """The mask whose box has the greatest IoU with a box of the photo, None where none meets it."""
    box = (box.reshape(2, 2) * frame[0] + frame[1]).reshape(4)
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
if photo is None:
    raise SystemExit(f"{arguments.photo} is no photo that can be read")
images, frame = prepare(np.ascontiguousarray(photo[..., ::-1]), settings["imgsz"])
boxes, scores, masks = session.run(["boxes", "scores", "masks"], {"images": images})
picks = [by_point(masks, frame, np.array(p.split(","), float)) for p in arguments.point]
picks += [by_box(boxes, frame, np.array(b.split(","), float)) for b in arguments.box]
for pick in picks:
    print("no match" if pick is None else f"mask {pick}, score {scores[pick]:.2f}")
    if pick is not None:
        photo[full_size(masks[pick], frame, photo.shape[:2])] //= 2
cv2.imwrite("picked.png", photo)
