"""CLIP's published file, or a Hugging Face folder, to two ONNX towers and a tokenizer that need no torch.

Enters: a file or folder. Leaves: a folder with `image.onnx`, `text.onnx`, `tokenizer.json` and `clip.json`, which
`words/clip` reads. Needs the `export` and `text` extras.
"""

import gzip
import json
import re
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fastsam.errors import UsageError, require
from fastsam.export.graphs import halved
from fastsam.export.onnx import trace
from fastsam.files import write
from fastsam.network.clip import DEVIATION, MEAN, ImageTower, TextTower, Tower
from fastsam.untrusted.shown import reason

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = "<|endoftext|>"
BEGIN = "<|startoftext|>"
MERGES = 48_894  # of the published vocabulary that CLIP uses
PACKAGES = ("open_clip", "clip")  # that carry the vocabulary: open_clip_torch, openai-clip
PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
# Hugging Face's names, and those that CLIP's authors published.
NAMES = (
    (r"^vision_model\.embeddings\.class_embedding", "visual.class_embedding"),
    (r"^vision_model\.embeddings\.patch_embedding", "visual.conv1"),
    (r"^vision_model\.embeddings\.position_embedding\.weight", "visual.positional_embedding"),
    (r"^vision_model\.pre_layrnorm", "visual.ln_pre"),
    (r"^vision_model\.post_layernorm", "visual.ln_post"),
    (r"^vision_model\.encoder\.layers", "visual.transformer.resblocks"),
    (r"^text_model\.embeddings\.token_embedding", "token_embedding"),
    (r"^text_model\.embeddings\.position_embedding\.weight", "positional_embedding"),
    (r"^text_model\.encoder\.layers", "transformer.resblocks"),
    (r"^text_model\.final_layer_norm", "ln_final"),
    (r"\.layer_norm([12])\.", r".ln_\1."),
    (r"\.self_attn\.", ".attn."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
)


def convert(source: Path, folder: Path) -> None:
    """Writes the towers and the tokenizer of `source` into `folder`.

    source: CLIP's published file (ViT-B-32.pt, ...), or a folder with config.json, weights and a tokenizer

    Raises UsageError for a source that is not a CLIP with a vision transformer, or lacks its tokenizer.
    """
    require("tokenizers", "text")
    if source.is_dir():
        entries, facts = read_folder(source)
        tokenizer = tokenizer_of_folder(source)
    else:
        entries, facts = read_published(source), {}
        tokenizer = make_tokenizer(*published_vocabulary())
    end = tokenizer.token_to_id(END)
    if end is None:
        raise UsageError(f"the tokenizer of {source} is not CLIP's: it lacks {END}")
    try:
        image, text = towers(entries, facts, end)
        scale = float(entries["logit_scale"].exp())
    except (KeyError, RuntimeError) as error:
        raise UsageError(f"{source} is not a CLIP with a vision transformer: {reason(error)}") from None
    size = round((len(image.positional_embedding) - 1) ** 0.5) * image.conv1.kernel_size[0]
    write_tower(image, torch.zeros(1, 3, size, size), "pictures", {0: "n"}, folder / "image.onnx")
    write_tower(text, torch.zeros(1, 8, dtype=torch.int64), "tokens", {0: "n", 1: "length"}, folder / "text.onnx")
    facts = {"size": size, "length": len(text.positional_embedding), "scale": scale}
    write(folder / "tokenizer.json", tokenizer.to_str())
    write(folder / "clip.json", json.dumps(facts))


def read_published(file: Path) -> dict[str, Tensor]:
    """The numbers of CLIP's published file (TorchScript), or of a state dictionary with its names."""
    if not file.is_file():
        raise UsageError(f"{file} not found")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces TorchScript's end
            entries = torch.jit.load(str(file), map_location="cpu").state_dict()  # type: ignore[no-untyped-call]  # torch has no types there
    except RuntimeError:
        try:
            entries = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:
            raise UsageError(f"{file} is not a CLIP file: {reason(error)}") from None
    return {name: value.float() for name, value in entries.items() if isinstance(value, Tensor)}


def read_folder(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The numbers of a Hugging Face folder under the published names, and its configs."""
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        raise UsageError(f"{folder} has no readable config.json: name the folder of a Hugging Face CLIP") from None
    if (folder / "model.safetensors").is_file():
        from safetensors.torch import load_file

        entries = load_file(folder / "model.safetensors")
    elif (folder / "pytorch_model.bin").is_file():
        entries = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    else:
        raise UsageError(f"{folder} holds neither model.safetensors nor pytorch_model.bin")
    prepared = folder / "preprocessor_config.json"
    config |= json.loads(prepared.read_text()) if prepared.is_file() else {}
    return dict(published_names({name: value.float() for name, value in entries.items()})), config


def published_names(entries: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """A Hugging Face CLIP's entries as CLIP's authors named them."""
    for name, value in entries.items():
        if name.endswith("position_ids"):
            continue
        if name == "visual_projection.weight":
            yield "visual.proj", value.T
        elif name == "text_projection.weight":
            yield "text_projection", value.T
        elif ".q_proj." in name:
            kind = name.rsplit(".", 1)[1]
            parts = [entries[name.replace("q_proj", f"{part}_proj")] for part in "qkv"]
            yield renamed(name.replace(f"q_proj.{kind}", f"in_proj_{kind}")), torch.cat(parts)
        elif ".k_proj." not in name and ".v_proj." not in name:
            yield renamed(name), value


def renamed(name: str) -> str:
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def towers(entries: dict[str, Tensor], config: dict[str, Any], end: int) -> tuple[ImageTower, TextTower]:
    """The two towers with their numbers. Raises KeyError and RuntimeError if they are not CLIP's."""
    visual = {name[7:]: value for name, value in entries.items() if name.startswith("visual.")}
    width, _, patch, _ = visual["conv1.weight"].shape
    space = visual["proj"].shape[1]
    size = round((len(visual["positional_embedding"]) - 1) ** 0.5) * patch
    colours = (config.get("image_mean", MEAN), config.get("image_std", DEVIATION))
    image = ImageTower(shape(visual, width, config.get("vision_config", {})), size, patch, space, *colours)
    image.load_state_dict(visual)
    words, width = entries["token_embedding.weight"].shape
    length = len(entries["positional_embedding"])
    text = TextTower(shape(entries, width, config.get("text_config", {})), words, length, space, end)
    text.load_state_dict({name: entries[name] for name in text.state_dict()})
    return image.eval(), text.eval()


def shape(entries: dict[str, Tensor], width: int, config: dict[str, Any]) -> Tower:
    """The measures of a tower: from its entries, and from a config if there is one."""
    depth = len({n.split(".")[2] for n in entries if n.startswith("transformer.resblocks.")})
    hidden = entries["transformer.resblocks.0.mlp.c_fc.weight"].shape[0]
    quick = config.get("hidden_act", "quick_gelu") == "quick_gelu"
    return Tower(width, depth, config.get("num_attention_heads", width // 64), hidden, quick)


def write_tower(tower: nn.Module, example: Tensor, name: str, free: dict[int, str], file: Path) -> None:
    """Writes a tower as ONNX, float16 on disk."""
    model = trace(tower, (example,), {name: free, "vectors": {0: "n"}})
    write(file, halved(model).SerializeToString())


def tokenizer_of_folder(folder: Path) -> "Tokenizer":
    """The tokenizer of a Hugging Face folder: tokenizer.json, or vocab.json and merges.txt."""
    from tokenizers import Tokenizer

    if (folder / "tokenizer.json").is_file():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    if not ((folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()):
        raise UsageError(f"{folder} holds neither tokenizer.json nor vocab.json and merges.txt")
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#version")]
    merges = [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]
    return make_tokenizer(json.loads((folder / "vocab.json").read_text(encoding="utf-8")), merges)


def published_vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The vocabulary and merges that CLIP's authors published, from the package that carries them."""
    places = [place for spec in map(find_spec, PACKAGES) if spec for place in spec.submodule_search_locations or ()]
    files = [file for place in places if (file := Path(place) / "bpe_simple_vocab_16e6.txt.gz").is_file()]
    if not files:
        raise UsageError("CLIP's vocabulary is needed once; a package has it: pip install --no-deps open_clip_torch")
    lines = gzip.decompress(files[0].read_bytes()).decode("utf-8").split("\n")[1 : MERGES + 1]
    merges = [(a, b) for a, b in (line.split() for line in lines)]
    letters = byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges), BEGIN, END]
    return {word: number for number, word in enumerate(words)}, merges


def byte_letters() -> list[str]:
    """A printable letter for each byte: printable bytes stand for themselves and come first, as in GPT-2."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(len(others))]


def make_tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> "Tokenizer":
    """CLIP's byte-pair tokenizer: lower case, spaces joined, `BEGIN` before and `END` after."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, unk_token=END, end_of_word_suffix="</w>", fuse_unk=False)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True), pre_tokenizers.ByteLevel(False)]
    )
    ends = [(BEGIN, vocabulary[BEGIN]), (END, vocabulary[END])]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A {END}", special_tokens=ends)
    return tokenizer
