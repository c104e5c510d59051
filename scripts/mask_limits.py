"""What limits masks: their prototypes' grid, the prototypes, or the coefficients.

    python scripts/mask_limits.py CHECKPOINT FOLDER... --only configs/dev-split.txt [--imgsz N]

Of each annotated object the candidate that answers best is taken (IoU of boxes to the sixth, times the root of its
score). Of those whose box has IoU 0.7, by the object's size in input pixels, prints the mean IoU of the network's own
mask, of its box as a mask, of the true mask drawn on the prototypes' grid, and of the best coefficients for its
prototypes, fitted to the true mask within the box. Needs the train and eval extras.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from fastsam.evaluation.overlaps import box_overlaps
from fastsam.evaluation.prompts import box, iou
from fastsam.evaluation.sets import read_sets
from fastsam.export.onnx import load_network
from fastsam.image.letterbox import prepare
from fastsam.image.read import read_image
from fastsam.network.head import decode_boxes
from fastsam.training.positional import place

SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 10**9)}
RIGHT = 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", type=Path)
    parser.add_argument("--imgsz", type=int, default=512)
    given = parser.parse_args()
    network, architecture = load_network(given.checkpoint)
    rows = []
    for one in read_sets(given.folders, only=given.only):
        for photo in one.photos:
            pixels = read_image(one.file(photo))
            letterbox, images = prepare(pixels, given.imgsz)
            with torch.no_grad():
                raw = place(network(torch.from_numpy(images)), network.head.dfl(), architecture.placed)
                boxes = decode_boxes(raw.distributions, raw.anchors, raw.strides, network.head.dfl())[0].numpy()
            (left, top), (width, height) = letterbox.pad, letterbox.content
            for annotation, mask in zip(one.annotations(photo), one.masks(photo, pixels.shape[:2]), strict=True):
                wanted = np.zeros(letterbox.input, np.float32)
                scaled = cv2.resize(mask.astype(np.float32), (width, height))
                wanted[top : top + height, left : left + width] = scaled
                if "score" not in annotation and (wanted > 0.5).sum() >= 4:
                    rows.append(limits(raw, boxes, wanted))
    found = np.array(rows)
    print("size      objects   box right   own mask   its box   on the grid   best coefficients")
    for name, (low, high) in SIZES.items():
        sized = found[(found[:, 0] >= low) & (found[:, 0] < high)]
        right = sized[sized[:, 1] >= RIGHT]
        print(
            f"{name:8} {len(sized):8} {len(right) / max(1, len(sized)):11.2f}",
            *[f"{v:11.3f}" for v in right[:, 2:].mean(0)],
        )


def limits(raw: object, boxes: np.ndarray, wanted: np.ndarray) -> tuple[float, ...]:
    """Size, IoU of the box, then of the own mask, the box, the true mask on the grid, and the best coefficients."""
    truth = wanted > 0.5
    overlap = box_overlaps(np.array([box(truth)]), boxes)[0]
    k = int(np.argmax(overlap**6 * raw.scores[0, :, 0].sigmoid().sqrt().numpy()))
    prototypes, own = raw.prototypes[0], raw.coefficients[0, k]
    inside = within(boxes[k], wanted.shape)
    on_grid = cv2.resize(wanted, prototypes.shape[:0:-1], interpolation=cv2.INTER_AREA)
    masks = (
        enlarged(torch.tensordot(own, prototypes, 1).numpy(), wanted.shape) > 0,
        np.ones_like(inside),
        enlarged(on_grid, wanted.shape) > 0.5,
        enlarged(fitted(own, prototypes, on_grid, boxes[k]), wanted.shape) > 0,
    )
    return float(truth.sum()), float(overlap[k]), *(iou(mask & inside, truth) for mask in masks)


def within(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose centres a box holds."""
    rows, columns = np.arange(shape[0])[:, None] + 0.5, np.arange(shape[1]) + 0.5
    return (columns >= corners[0]) & (columns < corners[2]) & (rows >= corners[1]) & (rows < corners[3])


def enlarged(cells: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(cells, shape[::-1])


def fitted(own: torch.Tensor, prototypes: torch.Tensor, wanted: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Logits of the coefficients that agree best with a mask on the prototypes' cells under a box."""
    limits = np.array(wanted.shape[::-1])
    x0, y0 = np.clip(np.floor(corners[:2] / 4).astype(int), 0, limits - 1)
    x1, y1 = np.clip(np.ceil(corners[2:] / 4).astype(int), (x0 + 1, y0 + 1), limits)
    maps = prototypes[:, y0:y1, x0:x1].flatten(1)
    scale = maps.abs().amax(1).clamp(min=1e-3)
    goal = torch.from_numpy(wanted[y0:y1, x0:x1].flatten())
    weights = (own * scale).clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([weights], max_iter=40)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = (
            F.binary_cross_entropy_with_logits((weights / scale) @ maps, goal)
            + 1e-3 * (weights / scale).square().mean()
        )
        value.backward()
        return value

    optimiser.step(loss)
    return torch.tensordot((weights / scale).detach(), prototypes, 1).numpy()


if __name__ == "__main__":
    main()
