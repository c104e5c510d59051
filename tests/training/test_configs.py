"""The configs in the repository can be used: their settings, what they start from, where their data is."""

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.training.config import Config, make_config, read_config
from fastsam.training.fields import tomllib
from fastsam.training.refine.config import RefineConfig
from fastsam.training.refine.config import make_config as make_refine_config

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.toml"))
HISTORY = (ROOT / "configs" / "history" / "README.md").read_text()


def config_of(file: Path) -> Config | RefineConfig:
    if "refine" in file.parts:
        return make_refine_config(read_config(file, RefineConfig))
    return make_config(read_config(file))


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.relative_to(ROOT / "configs").as_posix())
def test_every_config_can_be_used(file: Path) -> None:
    config = config_of(file)
    assert config.photos > 0
    assert config.holdout is not None
    assert (ROOT / config.holdout).is_file()


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.relative_to(ROOT / "configs").as_posix())
def test_what_a_config_starts_from_is_here_or_the_history_says_how_to_make_it(file: Path) -> None:
    start = config_of(file).start
    if start is None or (ROOT / start).is_file() or f"average_weights.py {start} " in HISTORY:
        return
    run = re.fullmatch(r"(runs/[a-z0-9-]+)/(last|final)\.pt", start)
    assert run, start
    made = re.search(rf"fastsam train (?:refine )?--config (\S+).* -o {re.escape(run[1])}\n", HISTORY)
    assert made, start
    assert (ROOT / made[1]).is_file()


def test_the_history_has_a_row_for_each_experiment() -> None:
    folder = ROOT / "configs" / "history"
    for file in folder.rglob("*.toml"):
        assert f"| [{file.relative_to(folder).as_posix()}]" in HISTORY, file


def test_a_config_builds_on_another(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("imgsz = 64\nbatch = 4\n[set_weights]\nred = 2.0\nblue = 2.0\n")
    (tmp_path / "mine.toml").write_text('base = "base.toml"\nbatch = 2\n[set_weights]\nblue = 3.0\n')
    config = make_config(read_config(tmp_path / "mine.toml"))
    assert (config.imgsz, config.batch, config.set_weights) == (64, 2, {"red": 2.0, "blue": 3.0})


def test_a_config_that_leads_back_to_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('base = "b.toml"')
    (tmp_path / "b.toml").write_text('base = "a.toml"')
    with pytest.raises(ValueError, match=r"a\.toml leads back to itself by its base"):
        read_config(tmp_path / "a.toml")


@pytest.mark.parametrize(
    ("value", "folder"), [(None, "../shared"), ("", "../shared"), ("/disk/photos", "/disk/photos"), ("/disk/", "/disk")]
)
def test_one_variable_says_where_the_material_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, folder: str
) -> None:
    monkeypatch.delenv("FASTSAM_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("FASTSAM_DATA", value)
    file = tmp_path / "a.toml"
    file.write_text('data = ["$FASTSAM_DATA/data/train/coco", "mine"]\npretrained = "$FASTSAM_DATA/x.pth"')
    settings = read_config(file)
    assert settings == {"data": [f"{folder}/data/train/coco", "mine"], "pretrained": f"{folder}/x.pth"}


def test_configs_name_the_material_by_the_variable_alone() -> None:
    for file in CONFIGS:
        for text in texts(tomllib.loads(file.read_text())):
            assert text.endswith(".toml") or not re.match(r"\.\.|/", text), (file, text)


def texts(value: Any) -> list[str]:
    """Every text in the value of a TOML file."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for v in value for text in texts(v)]
    return [value] if isinstance(value, str) else []
