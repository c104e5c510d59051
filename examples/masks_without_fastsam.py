"""Points and boxes on a file of `fastsam export MODEL FILE --with-masks`, with ONNX Runtime, NumPy and OpenCV alone.

    fastsam export fastsam-tiny masks.onnx --with-masks
    python masks_without_fastsam.py masks.onnx photo.jpg --point 300,200 --box 180,10,430,250

Writes picked.png: the answers in colour on the photo in grey. The rule is that of `segments.select(refine=False)`. A
point means the mask in whose middle it lies and that is sure of it, a small mask before a large one. A box means the
mask whose own box has the greatest IoU with it, at least one half. `select` also unites masks if none fits alone.

The same takes as many lines in C++, C#, JavaScript or Java: whatever runs ONNX.
"""

import argparse
import json

import cv2
import numpy as np
import onnxruntime


def prepare(photo, longest):
    """The input (1, 3, h, w) 0..1 with the photo in its middle; factor and shift that map x, y of the photo into it."""
    ratio = longest / max(photo.shape[:2])
    h, w = (max(1, round(side * ratio)) for side in photo.shape[:2])
    top, left = (round(-side % 32 / 2 - 0.1) for side in (h, w))
    canvas = np.full((h + -h % 32, w + -w % 32, 3), 114, np.uint8)
    canvas[top : top + h, left : left + w] = cv2.resize(photo, (w, h))
    frame = np.array([w / photo.shape[1], h / photo.shape[0]]), np.array([left, top])
    return canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255, frame


def full_size(mask, frame, size):
    """Logits (h, w) on cells of 4 input pixels -> those of the photo (H, W), bilinear. Above 0 is the mask."""
    factor, shift = frame
    to_cells = np.column_stack((np.diag(factor / 4), (factor / 2 + shift) / 4 - 0.5))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask, to_cells, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


def by_point(boxes, scores, masks, frame, point, size):
    """The mask that a point x, y of the photo means; None if no mask holds it."""
    if not (0 <= point[0] < size[1] and 0 <= point[1] < size[0]):
        return None
    cell = ((np.floor(point) + 0.5) * frame[0] + frame[1]) / 4 - 0.5
    x, y = cell.astype(np.float32).reshape(2, 1, 1)
    at = np.array([cv2.remap(m, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0, 0] for m in masks])
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-9)
    away = (point * frame[0] + frame[1] - centres) / sides
    central = np.exp(-0.5 * (away**2).sum(1) / 0.3**2)
    small = sides.prod(1) ** -0.1
    ranks = np.where(at > 0, scores**0.25 * (1 / (1 + np.exp(-np.clip(at, 0, 50)))) ** 2 * central * small, 0)
    return int(ranks.argmax()) if ranks.any() else None


def by_box(boxes, frame, box):
    """The mask whose box has the greatest IoU with a box of the photo; None if that IoU is below one half."""
    box = (box.reshape(2, 2) * frame[0] + frame[1]).reshape(4)
    w, h = (np.minimum(boxes[:, k + 2], box[k + 2]) - np.maximum(boxes[:, k], box[k]) for k in (0, 1))
    shared = np.maximum(w, 0) * np.maximum(h, 0)
    iou = shared / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[2:] - box[:2]).prod() - shared)
    return int(iou.argmax()) if iou.max(initial=0) >= 0.5 else None


def numbers(words, n, what):
    """Each word as n numbers, separated by commas."""
    try:
        return [np.array([float(v) for v in word.split(",")]).reshape(n) for word in words]
    except ValueError:
        raise SystemExit(f"--{what} must be {n} numbers with commas between them") from None


parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("photo")
parser.add_argument("--point", action="append", default=[])
parser.add_argument("--box", action="append", default=[])
arguments = parser.parse_args()
points, wanted = numbers(arguments.point, 2, "point"), numbers(arguments.box, 4, "box")
photo = cv2.imread(arguments.photo)
if photo is None:
    raise SystemExit(f"{arguments.photo} is not a photo that can be read")
try:
    session = onnxruntime.InferenceSession(arguments.model)
except Exception as error:
    raise SystemExit(f"{arguments.model} is not a file that ONNX Runtime can load: {error}") from None
settings = json.loads(session.get_modelmeta().custom_metadata_map.get("fastsam", "{}"))
if not settings.get("masks"):
    raise SystemExit(f"{arguments.model} has no masks inside: fastsam export MODEL {arguments.model} --with-masks")
images, frame = prepare(np.ascontiguousarray(photo[..., ::-1]), settings["imgsz"])
boxes, scores, masks = session.run(["boxes", "scores", "masks"], {"images": images})
size = photo.shape[:2]
picks = [by_point(boxes, scores, masks, frame, point, size) for point in points]
picks += [by_box(boxes, frame, box) for box in wanted]
grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
picture = 128 + grey // 2  # pale, so that the answers stand out
for pick in picks:
    print("no match" if pick is None else f"mask {pick}, score {scores[pick]:.2f}")
    if pick is not None:
        mask = full_size(masks[pick], frame, size) > 0
        picture[mask] = photo[mask]
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, (0, 0, 255), max(1, round(max(size) / 400)))
cv2.imwrite("picked.png", picture)
