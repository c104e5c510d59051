"""Batches made on the training device, from photos and masks that stay in its memory.

Enters: `Samples` and a `Store` of their photos. Leaves: the same `Batch`es as `loader.batches`, up to interpolation.
Only plans are made on the CPU. Used if everything fits.

Scaling is separable: a picture is resampled by one matrix from the left and one from the right. Photos are interpolated
bilinearly; masks and cut-outs are averaged exactly: a cell's value is the share of it that the object covers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from fastsam.training.augment import MIN_SIDE, MIN_VISIBLE, PADDING, order_of_choice
from fastsam.training.data import AnnotatedPhoto
from fastsam.training.loader import Batch, Samples
from fastsam.training.plan import Pasting, Placement, Plan
from fastsam.training.store import FINE, Array, Store
from fastsam.training.world import ALONE, World

GRID = 2  # input pixels per cell while masks are cut and hidden; prototypes have 4


def batches(samples: Samples, kept: Store, batch: int, first: int, last: int, world: World = ALONE) -> Iterator[Batch]:
    """Batches number `first` to `last` - 1 of `batch` samples each, or this process's share of them."""
    for k in range(first, last):
        yield make_batch(samples, kept, world.share(range(k * batch, (k + 1) * batch)))


def make_batch(samples: Samples, kept: Store, numbers: Sequence[int]) -> Batch:
    """The samples of the given numbers."""
    plans = [samples.plan(i) for i in numbers]
    size = samples.size
    images = draw_photos(kept, plans, size)
    objects = list_objects(kept, plans)
    masks = draw_masks(kept, objects, size)
    boxes = paste_all(kept, plans, images, masks, objects)
    choice, dropped = choose(objects, boxes, masks, plans, samples.policy.max_objects)
    cells = F.avg_pool2d(masks, 2)
    owners = torch.from_numpy(objects.owners[choice]).to(masks.device)
    chosen = torch.from_numpy(choice).to(masks.device)
    known = torch.from_numpy(known_ground(samples.photos, plans, size)).to(masks.device)
    known |= _union(cells[chosen], owners, len(plans))
    rest = torch.from_numpy(dropped).to(masks.device)
    known &= ~_union(cells[rest], torch.from_numpy(objects.owners[dropped]).to(masks.device), len(plans))
    return Batch(
        images=images.round_().to(torch.uint8),
        boxes=torch.from_numpy(boxes[choice]).to(masks.device),
        masks=(cells[chosen] * 255).round_().to(torch.uint8),
        weights=torch.from_numpy(objects.weights[choice]).to(masks.device),
        owners=owners,
        known=known,
    )


@dataclass(frozen=True)
class Objects:
    """The objects of a batch, sample by sample: regions in the order of photos, then pastings.

    owners: (T,) sample; regions: (T,) region, -1 for a pasting; flips: (T,) mirrored
    boxes: (T, 4) xyxy whole, in input pixels; windows: (T, 4) what may be seen of it
    full: (T,) grid cells of the whole object, 0 for a pasting; weights: (T,); ignored: (T,)
    """

    owners: npt.NDArray[np.int64]
    regions: npt.NDArray[np.int64]
    flips: npt.NDArray[np.bool_]
    boxes: Array
    windows: Array
    full: Array
    weights: Array
    ignored: npt.NDArray[np.bool_]


def list_objects(kept: Store, plans: Sequence[tuple[list[int], Plan]]) -> Objects:
    """Every object of which something may be seen."""
    owners, regions, flips, boxes, windows = [], [], [], [], []
    for b, (photos, plan) in enumerate(plans):
        for photo, placement in zip(photos, plan.placements, strict=True):
            numbers = np.arange(kept.first[photo], kept.first[photo + 1])
            seen = placement.visible
            window = np.array([seen.x0, seen.y0, seen.x1, seen.y1], np.float32)
            placed = _placed(kept, numbers, photo, placement)
            there = (np.minimum(placed[:, 2:], window[2:]) > np.maximum(placed[:, :2], window[:2])).all(1)
            n = int(there.sum())
            owners.append(np.full(n, b))
            regions.append(numbers[there])
            flips.append(np.full(n, placement.flip))
            boxes.append(placed[there])
            windows.append(np.tile(window, (n, 1)))
        for pasting in plan.pastings:
            box = np.array([*pasting.corner, *np.add(pasting.corner, pasting.size)], np.float32)
            owners.append(np.array([b]))
            regions.append(np.array([-1]))
            flips.append(np.array([pasting.flip]))
            boxes.append(box[None])
            windows.append(box[None])
    region, box = np.concatenate(regions), np.concatenate(boxes)
    facts = np.where((region >= 0)[:, None], kept.facts[region] if len(kept.facts) else 0, (0, 1, 0))
    return Objects(
        owners=np.concatenate(owners),
        regions=region,
        flips=np.concatenate(flips),
        boxes=box,
        windows=np.concatenate(windows),
        full=(facts[:, 0] * (box[:, 2:] - box[:, :2]).prod(1) / GRID**2).astype(np.float32),
        weights=facts[:, 1].astype(np.float32),
        ignored=facts[:, 2] > 0,
    )


def _placed(kept: Store, numbers: npt.NDArray[np.int64], photo: int, placement: Placement) -> Array:
    """Boxes of regions on the canvas."""
    width, height = placement.photo
    boxes = kept.regions[numbers]
    if placement.flip:
        boxes = np.stack((width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]), 1)
    scale = np.array([placement.size[0] / width, placement.size[1] / height] * 2, np.float32)
    return np.asarray(boxes * scale + np.array(placement.corner * 2, np.float32), np.float32)


def draw_photos(kept: Store, plans: Sequence[tuple[list[int], Plan]], size: int) -> Tensor:
    """(B, 3, S, S) float images 0..255 of the plans' photos in their colours, grey where no photo is."""
    device = kept.pixels.device
    work = precision(device)
    placements = [p for _, plan in plans for p in plan.placements]
    photos = torch.tensor([k for chosen, _ in plans for k in chosen], device=device)
    owners = torch.tensor([b for b, (chosen, _) in enumerate(plans) for _ in chosen], device=device)
    side = kept.pixels.shape[2]
    columns = torch.from_numpy(np.stack([interpolation(p, 0, size, side) for p in placements])).to(device, work)
    rows = torch.from_numpy(np.stack([interpolation(p, 1, size, side) for p in placements])).to(device, work)
    drawn = rows[:, None] @ (kept.pixels[photos].to(work) / 255) @ columns[:, None].mT
    cover = (rows.sum(2)[:, :, None] * columns.sum(2)[:, None, :])[:, None]
    images = torch.full((len(plans), 3, size, size), float(PADDING), device=device)
    images.index_add_(0, owners, drawn.float() * 255 - cover.float() * PADDING)
    for b, (_, plan) in enumerate(plans):
        if plan.colour is not None:
            colour = torch.from_numpy(plan.colour).to(device)
            images[b] = (torch.einsum("ij,jhw->ihw", colour[:, :3], images[b]) + colour[:, 3, None, None]).clamp(0, 255)
    return images


def precision(device: torch.device) -> torch.dtype:
    """What matrices are multiplied in: half precision if the device has units for it."""
    return torch.float16 if device.type == "cuda" else torch.float32


def interpolation(placement: Placement, axis: int, size: int, side: int) -> Array:
    """(size, side) weights of a photo's columns (axis 0) or rows (1) in each canvas pixel; none outside the window."""
    length, new = placement.photo[axis], placement.size[axis]
    seen = placement.visible
    low, high = (seen.x0, seen.x1) if axis == 0 else (seen.y0, seen.y1)
    pixels = np.arange(low, high)
    at = (pixels + 0.5 - placement.corner[axis]) * length / new - 0.5
    if axis == 0 and placement.flip:
        at = length - 1 - at
    at = np.clip(at, 0, length - 1)
    below = np.minimum(np.floor(at).astype(int), max(0, length - 2))
    weights = np.zeros((size, side), np.float32)
    weights[pixels, below] = 1 - (at - below)
    weights[pixels, np.minimum(below + 1, length - 1)] += at - below
    return weights


def draw_masks(kept: Store, objects: Objects, size: int) -> Tensor:
    """(T, S / 2, S / 2) shares 0..1 of the grid's cells that each region covers; 0 for pastings."""
    device = kept.bits.device
    work = precision(device)
    masks = torch.zeros(len(objects.owners), size // GRID, size // GRID, device=device, dtype=work)
    for part in np.array_split(np.flatnonzero(objects.regions >= 0), max(1, len(objects.owners) // 512)):
        packed = kept.bits[torch.from_numpy(objects.regions[part]).to(device)]
        shifts = torch.arange(7, -1, -1, device=device, dtype=torch.uint8)
        fine = ((packed[..., None] >> shifts) & 1).flatten(2).to(work)
        boxes, windows = objects.boxes[part], objects.windows[part]
        columns = shares(boxes[:, ::2], windows[:, ::2], size // GRID, GRID, objects.flips[part])
        rows = shares(boxes[:, 1::2], windows[:, 1::2], size // GRID, GRID, np.zeros(len(part), bool))
        drawn = torch.from_numpy(rows).to(device, work) @ fine @ torch.from_numpy(columns).to(device, work).mT
        masks[torch.from_numpy(part).to(device)] = drawn
    return masks


def shares(spans: Array, limits: Array, cells: int, cell: int, flips: npt.NDArray[np.bool_]) -> Array:
    """(K, cells, 256) share of each cell of `cell` pixels under each of 256 equal slices of a span.

    spans: (K, 2) first and last pixel edge; limits: (K, 2) edges beyond which nothing is seen
    flips: (K,) the first slice lies at the end
    """
    edges = spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * np.linspace(0, 1, FINE + 1, dtype=np.float32)
    edges = np.clip(edges, limits[:, :1], limits[:, 1:])
    starts, ends = edges[:, None, :-1], edges[:, None, 1:]
    first = (np.arange(cells, dtype=np.float32) * cell)[None, :, None]
    overlap = np.maximum(0, np.minimum(ends, first + cell) - np.maximum(starts, first)) / cell
    overlap[flips] = overlap[flips, :, ::-1]
    return np.asarray(overlap, np.float32)


def paste_all(
    kept: Store, plans: Sequence[tuple[list[int], Plan]], images: Tensor, masks: Tensor, objects: Objects
) -> Array:
    """Pastes cut-outs into images and masks, in place; returns boxes (T, 4) of what is seen of each object.

    A box is exact if the whole object is seen, else that of the cells it covers by more than half.
    """
    low, high = objects.windows[:, [0, 1, 0, 1]], objects.windows[:, [2, 3, 2, 3]]
    whole = (objects.boxes == np.clip(objects.boxes, low, high)).all(1)
    slots = np.flatnonzero(objects.regions < 0)
    pastings = [(b, p) for b, (_, plan) in enumerate(plans) for p in plan.pastings]
    for slot, (b, pasting) in zip(slots, pastings, strict=True):
        alpha = paste(kept, images[b], pasting)
        mine = np.flatnonzero(objects.owners[:slot] == b)
        cover = F.avg_pool2d(alpha[None, None], GRID)[0, 0].to(masks.dtype)
        if len(mine):
            hidden = torch.from_numpy(mine).to(masks.device)
            under = masks[hidden]
            whole[mine[((under > 0) & (cover > 0)).any(-1).any(-1).cpu().numpy()]] = False
            masks[hidden] = torch.minimum(under, 1 - cover)
        masks[slot] = cover
        whole[slot] = False
    return np.where(whole[:, None], objects.boxes, boxes_of(masks > 0.5) * np.float32(GRID)).astype(np.float32)


def paste(kept: Store, image: Tensor, pasting: Pasting) -> Tensor:
    """Pastes one cut-out into an image (3, S, S), in place; returns its alpha (S, S), 0..1."""
    size = image.shape[1]
    (left, top), (w, h) = pasting.corner, pasting.size
    spans = np.array([[left, left + w], [top, top + h]], np.float32)
    weights = shares(spans, spans, size, 1, np.array([pasting.flip, False]))
    columns, rows = torch.from_numpy(weights).to(image.device)
    colours, opacity = (rows @ kept.rgba[pasting.cutout].float() @ columns.T).split([3, 1])
    alpha: Tensor = opacity[0] / 255
    image[:] = (image * (1 - alpha) + colours * alpha * pasting.gain).clamp(0, 255)
    return alpha


def boxes_of(masks: Tensor) -> Array:
    """(T, 4) xyxy, in cells, of bool masks (T, h, w); zeros for an empty one."""
    edges = []
    for on in (masks.any(1), masks.any(2)):
        first = on.to(torch.uint8).argmax(1)
        last = on.shape[1] - on.flip(1).to(torch.uint8).argmax(1)
        edges += [first, torch.where(on.any(1), last, first)]
    x0, x1, y0, y1 = edges
    return torch.stack((x0, y0, x1, y1), 1).float().cpu().numpy()


def choose(
    objects: Objects, boxes: Array, masks: Tensor, plans: Sequence[tuple[list[int], Plan]], most: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of the objects to learn and of those that are left out, by the rule of `augment.finish`."""
    areas = masks.sum((1, 2), dtype=torch.float32).cpu().numpy()
    sides = (boxes[:, 2:] - boxes[:, :2]).min(1)
    good = ~objects.ignored & (sides >= MIN_SIDE) & (areas > 0) & (areas >= MIN_VISIBLE * objects.full)
    kept, dropped = [], []
    for b, (_, plan) in enumerate(plans):
        mine = np.flatnonzero(objects.owners == b)
        mine = mine[order_of_choice(len(mine), most, plan.lottery)]
        taken = mine[good[mine]]
        kept.append(taken[:most])
        dropped += [mine[~good[mine]], taken[most:]]
    return np.concatenate(kept), np.concatenate(dropped)


def known_ground(
    photos: Sequence[AnnotatedPhoto], plans: Sequence[tuple[list[int], Plan]], size: int
) -> npt.NDArray[np.bool_]:
    """(B, S / 4, S / 4): False under photos that are not annotated completely."""
    known = np.ones((len(plans), size // 4, size // 4), bool)
    for b, (chosen, plan) in enumerate(plans):
        for photo, placement in zip(chosen, plan.placements, strict=True):
            if not photos[photo].complete:
                known[b][placement.visible.cells] = False
    return known


def _union(cells: Tensor, owners: Tensor, n: int) -> Tensor:
    """(n, h, w) whether some mask of each owner covers the cell by half."""
    counts = torch.zeros(n, *cells.shape[1:], device=cells.device)
    return counts.index_add_(0, owners, (cells > 127 / 255).float()) > 0
