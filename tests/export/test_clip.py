"""CLIP's towers, tokens and pictures are those of transformers' CLIP, with random weights of the true architecture."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fastsam import Segments, UsageError
from fastsam.words import clip

torch = pytest.importorskip("torch", reason="the export extra is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

TEXTS = [
    "a photo of a dog.",
    "The  YELLOW dog!",
    "it's 2 o'clock, isn't it?",
    "Straße, naïve café",
    "x" * 300,
    "日本 🙂",
]


def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """All bytes, as CLIP writes them, and some merges."""
    from fastsam.export.clip import BEGIN, END, byte_letters

    merges = [("t", "h"), ("th", "e</w>"), ("d", "o"), ("do", "g</w>"), ("p", "h"), ("ph", "o"), ("o", "w</w>")]
    letters = byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges), BEGIN, END]
    return {word: k for k, word in enumerate(words)}, merges


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: ViT-B/32's measures, random weights, a small vocabulary."""
    folder = tmp_path_factory.mktemp("clip")
    words, merges = vocabulary()
    torch.manual_seed(0)
    config = transformers.CLIPConfig(
        text_config={"vocab_size": len(words), "bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1},
        vision_config={"patch_size": 32},
    )
    model = transformers.CLIPModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # as they start, all texts would have nearly the same vector
            parameter.mul_(3.0 if parameter.ndim > 1 else 1.0)
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    return folder


@pytest.fixture(scope="module")
def towers(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> clip.Clip:
    from fastsam.export.clip import convert

    target = tmp_path_factory.mktemp("towers")
    convert(folder, target)
    assert sorted(f.name for f in target.iterdir()) == sorted(clip.FILES)
    return clip.load(target)


def test_tokens_are_the_same(folder: Path, towers: clip.Clip) -> None:
    theirs = transformers.CLIPTokenizer.from_pretrained(folder)
    for text in TEXTS:
        expected = theirs(text, truncation=True, max_length=77)["input_ids"]
        assert towers.tokens(text) == expected, text


def test_text_vectors_are_the_same(folder: Path, towers: clip.Clip) -> None:
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    batch = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=77, return_tensors="pt")
    with torch.no_grad():
        expected = model.text_projection(model.text_model(**batch).pooler_output)
    expected = torch.nn.functional.normalize(expected, dim=-1).numpy()
    ours = np.stack([towers.read(text) for text in TEXTS])
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    assert np.abs(expected[0] - expected[1]).max() > 0.01  # they differ at all


def test_picture_vectors_are_the_same(folder: Path, towers: clip.Clip) -> None:
    model = transformers.CLIPModel.from_pretrained(folder).eval()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3)).astype(np.uint8)
    pictures[1] //= 3
    seen = np.stack([normalised(picture) for picture in pictures])
    with torch.no_grad():
        pooled = model.vision_model(torch.from_numpy(seen)).pooler_output
        expected = torch.nn.functional.normalize(model.visual_projection(pooled), dim=-1).numpy()
    np.testing.assert_allclose(towers.look(pictures), expected, atol=1e-3)
    assert np.abs(expected[0] - expected[1]).max() > 0.01


def normalised(picture: np.ndarray) -> np.ndarray:
    """As transformers prepares a picture of the right size."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil()(picture, return_tensors="np")["pixel_values"][0]


class Holder(torch.nn.Module):
    """A program with a tower's numbers under the authors' names."""

    def __init__(self, tower: torch.nn.Module) -> None:
        super().__init__()
        self.visual = torch.nn.Module()
        self.visual.proj = torch.nn.Parameter(tower.proj.detach().half())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_the_published_names_give_the_same_towers(folder: Path, towers: clip.Clip, tmp_path: Path) -> None:
    """As the authors' file has them: TorchScript, or a plain dictionary."""
    from fastsam.export import clip as export

    entries, _ = export.read_folder(folder)
    words, merges = vocabulary()
    image, text = export.towers(entries, {}, words[export.END])
    torch.save(entries, tmp_path / "plain.pt")
    torch.jit.script(Holder(image)).save(tmp_path / "scripted.pt")
    assert export.read_published(tmp_path / "plain.pt").keys() == entries.keys()
    read = export.read_published(tmp_path / "scripted.pt")
    np.testing.assert_allclose(read["visual.proj"].numpy(), entries["visual.proj"].numpy(), atol=1e-3)
    np.testing.assert_array_equal(image.proj.detach().numpy(), entries["visual.proj"].numpy())
    tokens = torch.tensor([export.make_tokenizer(words, merges).encode(TEXTS[0]).ids])
    with torch.no_grad():
        np.testing.assert_allclose(text(tokens)[0].numpy(), towers.read(TEXTS[0]), atol=1e-3)


def test_words_are_answered_through_the_towers(towers: clip.Clip) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (80, 90, 3)).astype(np.uint8)
    masks = np.zeros((2, 80, 90), bool)
    masks[0, 10:40, 10:40] = masks[1, 50:70, 50:80] = True
    segments = Segments.from_masks(photo, masks)
    chances = towers.chances(segments.sight.through(towers), ["dog", "the cat"])
    assert chances.shape == (2, 2)
    assert ((chances >= 0) & (chances <= 1)).all()
    together = towers.chances(segments.sight.through(towers), ["dog", "the cat"], among=True)
    assert (together.sum(1) <= 1 + 1e-5).all()


@pytest.fixture
def published() -> None:
    """Skips where the vocabulary of CLIP's authors is not installed."""
    if not (find_spec("open_clip") or find_spec("clip")):
        pytest.skip("CLIP's vocabulary is not installed: pip install --no-deps open_clip_torch")


@pytest.mark.usefixtures("published")
def test_the_published_vocabulary_gives_the_published_tokens() -> None:
    """The ids that the authors' own README shows for such a sentence begin at 49406 and end with 49407."""
    from fastsam.export.clip import make_tokenizer, published_vocabulary

    tokenizer = make_tokenizer(*published_vocabulary())
    assert tokenizer.get_vocab_size() == 49408
    assert tokenizer.encode("a photo of a cat").ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer.encode("A  photo of a DOG").ids == [49406, 320, 1125, 539, 320, 1929, 49407]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("content", [b"", b"noise" * 50])
def test_a_file_that_is_no_clip_is_named(tmp_path: Path, content: bytes) -> None:
    from fastsam.export.clip import convert

    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(UsageError, match=r"bad\.pt"):
        convert(tmp_path / "bad.pt", tmp_path / "out")


def test_a_folder_without_towers_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lacks image\.onnx"):
        clip.load(tmp_path)
