"""Makes what `src/fastsam/words/data` holds: the classifier of masks, and the vectors of its words.

    python scripts/make_words.py --pretrained FILE.pth --synsets FOLDER --holdout configs/dev-split.txt FOLDER...

FILE.pth is the one of docs/training.md; the folder of `imagenet_synsets.txt` and `imagenet_synset_to_lemma.txt` comes
with timm (`timm/data/_info`, Apache-2.0). The FOLDERs are training sets whose categories have names. Needs the `train`
and `text` extras and the MiniLM weights. Prints how often the right word is found on the held-out photos.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fastsam import FastSAM
from fastsam.evaluation.words import plain
from fastsam.export.graphs import halved
from fastsam.export.onnx import trace
from fastsam.files import whole
from fastsam.image.read import read_image
from fastsam.masks import rle
from fastsam.masks.runs import Crop
from fastsam.network.lite import LiteBackbone
from fastsam.runtimes.onnx import open_file
from fastsam.words import minilm
from fastsam.words.classifier import DATA, NOTHING, look
from fastsam.words.pooled import MAPS

MOST_MASKS = 600  # masks of one word
FEWEST_MASKS = 6  # of one word, each mask and its mirror image
LEAST_AREA = 300
LEAST_SCORE = 0.5
ALIKE, ALIEN = 0.6, 0.3  # IoU from which on a mask shows an object, and below which it shows none


class Lite(nn.Module):
    """EfficientNet-Lite0 with its own head: maps at strides 8, 16 and 32, features (N, 1280), ImageNet's logits."""

    def __init__(self, entries: dict[str, Tensor]) -> None:
        super().__init__()
        self.backbone = LiteBackbone()
        self._conv_head = nn.Conv2d(320, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=1e-3)
        self._fc = nn.Linear(1280, 1000)
        own = ("_conv_head", "_bn1", "_fc")
        self.load_state_dict({k if k.startswith(own) else f"backbone.{k}": v for k, v in entries.items()})

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        _, map8, map16, last = self.backbone(pictures)
        map32 = F.relu6(self._bn1(self._conv_head(last)))
        features = map32.mean((2, 3))
        return map8, map16, map32, features, self._fc(features)


def write_network(network: nn.Module, file: Path) -> None:
    """Writes the network as ONNX, float16 on disk, for pictures of any size that is a multiple of 32."""
    axes = {"pictures": {0: "n", 2: "height", 3: "width"}}
    axes |= {name: {0: "n", 2: f"rows{k}", 3: f"columns{k}"} for k, name in enumerate(MAPS)}
    axes |= {"features": {0: "n"}, "logits": {0: "n"}}
    model = trace(network, (torch.zeros(1, 3, 224, 224),), axes)
    with whole(file) as part:
        part.write_bytes(halved(model).SerializeToString())


def named_masks(folder: Path) -> Iterator[tuple[Path, list[tuple[str, dict]]]]:
    """Every photo of a set with its (word, annotation) pairs worth learning from."""
    content = json.loads((folder / "instances.json").read_text())
    names = {c["id"]: plain(c["name"]) for c in content["categories"]}
    owned: dict[int, list[tuple[str, dict]]] = {}
    for a in content["annotations"]:
        if not a.get("iscrowd") and a.get("score", 1) >= LEAST_SCORE and a["area"] >= LEAST_AREA:
            owned.setdefault(a["image_id"], []).append((names[a["category_id"]], a))
    images = content["images"]
    np.random.default_rng(0).shuffle(images)
    for image in images:
        yield folder / "images" / image["file_name"], owned.get(image["id"], [])


def samples(session: Any, folders: list[Path], most: int) -> tuple[np.ndarray, list[str], list[str]]:
    """What the linear layer sees of every mask, then of it mirrored; its word, and the `set/file` of its photo."""
    seen, words, photos, count = [], [], [], Counter()
    for folder in folders:
        for file, named in named_masks(folder):
            masks, kept = [], []
            for word, annotation in named:
                mask = rle.decode(annotation["segmentation"])
                if word and count[word] < most and mask.sum() >= LEAST_AREA:
                    count[word] += 1
                    masks.append(mask)
                    kept.append(word)
            photo = read_image(file) if masks else None
            for step in (1, -1) if masks else ():
                mirrored = np.ascontiguousarray(photo[:, ::step])
                seen += [rows for rows, _ in look(session, mirrored, [Crop((0, 0), mask[:, ::step]) for mask in masks])]
                words += kept
                photos += [f"{folder.name}/{file.name}"] * len(kept)
        print(folder, len(words), flush=True)
    return np.concatenate(seen), words, photos


def junk(session: Any, folder: Path) -> tuple[np.ndarray, list[str], list[str]]:
    """The same of the bundled network's masks on a fully annotated set: the word of the object that a mask shows, or
    `NOTHING` where it shows none; what lies between is left out."""
    model, seen, words, photos = FastSAM(), [], [], []
    for file, named in named_masks(folder):
        truth = [(word, rle.decode(annotation["segmentation"])) for word, annotation in named if word]
        segments, masks = model(file), []
        for mask in segments.masks:
            overlaps = [(mask & true).sum() / (mask | true).sum() for _, true in truth]
            best = int(np.argmax(overlaps)) if overlaps else -1
            if mask.sum() >= LEAST_AREA and truth and not ALIEN <= overlaps[best] < ALIKE:
                masks.append(Crop((0, 0), mask))
                words.append(truth[best][0] if overlaps[best] >= ALIKE else NOTHING)
                photos.append(f"{folder.name}/{file.name}")
        if masks:
            seen += [rows for rows, _ in look(session, segments.photo, masks)]
    print(folder, Counter(words).most_common(5), flush=True)
    return np.concatenate(seen), words, photos


def learn(seen: np.ndarray, words: list[str], penalty: float) -> tuple[list[str], dict[str, np.ndarray]]:
    """Logistic regression, rarer words weighing more: the words, and the layer's arrays."""
    count = Counter(words)
    known = sorted(w for w, n in count.items() if n >= FEWEST_MASKS)
    kept = [k for k, w in enumerate(words) if w in set(known)]
    goal = torch.tensor([known.index(words[k]) for k in kept])
    mean, deviation = seen[kept].mean(0), seen[kept].std(0) + 1e-3
    x = torch.from_numpy((seen[kept] - mean) / deviation).float()
    weights = torch.tensor([count[w] ** -0.5 for w in known])
    layer = nn.Linear(x.shape[1], len(known))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(layer(x), goal, weight=weights) + penalty * layer.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    layer_arrays = {"weight": layer.weight.detach().numpy(), "bias": layer.bias.detach().numpy()}
    return known, layer_arrays | {"mean": mean, "deviation": deviation}


def accuracy(seen: np.ndarray, words: list[str], known: list[str], layer: dict[str, np.ndarray]) -> float:
    """Share of masks whose word comes first."""
    logits = ((seen - layer["mean"]) / layer["deviation"]) @ layer["weight"].T + layer["bias"]
    return float(np.mean([known[k] == w for k, w in zip(logits.argmax(1), words, strict=True)]))


def imagenet_names(folder: Path) -> list[str]:
    """The first everyday name of each of ImageNet's thousand classes, in order."""
    lemmas = dict(line.split("\t") for line in (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    return [lemmas[s].split(",")[0] for s in (folder / "imagenet_synsets.txt").read_text().split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--pretrained", type=Path, required=True)
    parser.add_argument("--complete", type=Path, nargs="+", default=[], help="fully annotated ones among the folders")
    parser.add_argument("--synsets", type=Path, required=True)
    parser.add_argument("--holdout", type=Path, required=True)
    parser.add_argument("--penalty", type=float, default=[0.01, 0.02, 0.05], nargs="+")
    arguments = parser.parse_args()
    network = Lite(torch.load(arguments.pretrained, map_location="cpu", weights_only=True)).eval()
    DATA.mkdir(exist_ok=True)
    write_network(network, DATA / "lite0.onnx")
    session = open_file(DATA / "lite0.onnx")
    seen, words, photos = samples(session, arguments.folders, MOST_MASKS)
    for folder in arguments.complete:
        more = junk(session, folder)
        seen, words, photos = np.concatenate((seen, more[0])), words + more[1], photos + more[2]
    held = set(arguments.holdout.read_text().splitlines())
    out = np.array([p in held for p in photos])
    train = [w for w, o in zip(words, out, strict=True) if not o]
    test = [w for w, o in zip(words, out, strict=True) if o]
    found = {}
    for penalty in arguments.penalty:
        known, layer = learn(seen[~out], train, penalty)
        found[penalty] = accuracy(seen[out], test, known, layer)
        print(
            f"penalty {penalty}: {len(known)} words, {found[penalty]:.3f} of {len(test)} held-out rows right",
            flush=True,
        )
    known, layer = learn(seen, words, max(found, key=found.__getitem__))  # what was held out counts as well now
    names = [*known, *imagenet_names(arguments.synsets)]
    vectors = minilm.load().embed(names) * (np.array(names) != NOTHING)[:, None]  # no text means it
    arrays = layer | {"vectors": vectors}
    with whole(DATA / "words.npz") as part:
        np.savez_compressed(part, names=np.array(names), **{k: v.astype(np.float16) for k, v in arrays.items()})


if __name__ == "__main__":
    main()
