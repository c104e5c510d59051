"""A run ends where it should, resumes exactly, and learns."""

import json
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.network import Architecture, build  # noqa: E402
from fastsam.network.refine import RefineNetwork  # noqa: E402
from fastsam.training import checkpoint  # noqa: E402
from fastsam.training.config import make_config, read_config  # noqa: E402
from fastsam.training.detector import Detector, train  # noqa: E402
from fastsam.training.optimiser import parameter_groups, rate_at  # noqa: E402
from fastsam.training.start import put_second, read_start  # noqa: E402
from fastsam.training.stop import Stopped, deferred  # noqa: E402
from fastsam.weights.catalogue import TRAINABLE  # noqa: E402
from fastsam.weights.convert import convert  # noqa: E402

CPU = torch.device("cpu")
BUNDLED = TRAINABLE["fastsam-tiny"]
SMALL: dict[str, Any] = {"imgsz": 64, "batch": 2, "photos": 12, "warmup": 4, "precision": "float32"}


def finish_run(config: Any, folder: Path, **options: Any) -> dict[str, Any]:
    for _ in train(config, folder, CPU, workers=0, **options):
        pass
    return checkpoint.load(folder / "last.pt")


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else bool(a == b)


def test_a_run_that_was_stopped_resumes_exactly(make_set: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config({**SMALL, "data": [str(make_set())]})
    straight = finish_run(config, tmp_path / "straight")
    for number, _ in enumerate(train(config, tmp_path / "stopped", CPU, 0, log_every=1, save_every=0), 1):
        if number == 3:
            break  # as a kill would: after the third step's checkpoint
    assert checkpoint.load(tmp_path / "stopped" / "last.pt")["step"] == 3
    with (tmp_path / "stopped" / "log.jsonl").open("a") as log:
        log.write('{"step": 4}\n{"st')  # logged before the kill, after the checkpoint
    assert same(straight, finish_run(config, tmp_path / "stopped", log_every=1))
    steps = [json.loads(line)["step"] for line in (tmp_path / "stopped" / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_a_run_on_a_device_that_holds_the_photos_ends_and_resumes_likewise(
    make_set: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastsam.training.detector.fits", lambda _photos, _cutouts, _device: True)
    config = make_config({**SMALL, "data": [str(make_set())]})
    straight = finish_run(config, tmp_path / "straight")
    for number, _ in enumerate(train(config, tmp_path / "stopped", CPU, 0, log_every=1, save_every=0), 1):
        if number == 3:
            break
    assert same(straight, finish_run(config, tmp_path / "stopped", log_every=1))


def test_the_log_counts_photos_to_the_end(make_set: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config({**SMALL, "data": [str(make_set())]})
    reports = list(train(config, tmp_path, CPU, workers=0, log_every=4))
    assert [r.seen for r in reports] == [2, 8, 12]  # the first tells at once how long it takes
    assert reports[0].left > 0
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["photos"] for line in lines] == [8, 12]
    assert lines[0].keys() >= {"score", "box", "distribution", "mask", "photos_per_second", "learning_rate"}
    assert (tmp_path / "final.pt").exists()


def test_other_settings_do_not_continue_a_run(make_set: Callable[..., Path], tmp_path: Path) -> None:
    given = {**SMALL, "data": [str(make_set())]}
    finish_run(make_config(given), tmp_path)
    for changed in ({"seed": 1}, {"photos": 10}, {"photos": 24, "rate": 1e-4}):
        with pytest.raises(ValueError, match=rf"other settings \({', '.join(changed)}\)"):
            finish_run(make_config({**given, **changed}), tmp_path)


def test_a_finished_run_is_lengthened(make_set: Callable[..., Path], tmp_path: Path) -> None:
    """From where it ended on, at the rate that the longer run has there."""
    given = {**SMALL, "data": [str(make_set())]}
    finish_run(make_config(given), tmp_path)
    longer = make_config({**given, "photos": 24})
    state = finish_run(longer, tmp_path, log_every=2)
    assert state["step"] == 12
    assert state["config"]["photos"] == 24
    assert checkpoint.load(tmp_path / "final.pt")["step"] == 12
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [6, 8, 10, 12]
    assert [line["learning_rate"] for line in lines[1:]] == [rate_at(step, longer) for step in (8, 10, 12)]
    assert lines[1]["learning_rate"] > lines[0]["learning_rate"]
    finish_run(longer, tmp_path)  # nothing is left to do


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_after_its_step_saved(
    make_set: Callable[..., Path], tmp_path: Path, number: signal.Signals
) -> None:
    config = make_config({**SMALL, "data": [str(make_set())]})
    straight = finish_run(config, tmp_path / "straight")
    before = signal.getsignal(number)
    reports = train(config, tmp_path / "run", CPU, 0)
    assert next(reports).seen == 2
    signal.raise_signal(number)
    with pytest.raises(Stopped) as stopped:
        next(reports)
    assert (stopped.value.number, stopped.value.seen, stopped.value.total) == (number, 4, 12)
    assert signal.getsignal(number) is before
    assert checkpoint.load(tmp_path / "run" / "last.pt")["step"] == 2
    assert not (tmp_path / "run" / "final.pt").exists()
    assert same(straight, finish_run(config, tmp_path / "run"))


def test_a_second_signal_ends_at_once() -> None:
    with deferred() as came:
        signal.raise_signal(signal.SIGINT)
        assert came == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with deferred() as came:
            signal.raise_signal(signal.SIGTERM)
        assert came == []
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_run_in_another_thread_leaves_signals_alone() -> None:
    def enter() -> list[int]:
        with deferred() as came:
            return came

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(enter).result() == []


def test_a_run_starts_from_a_checkpoint(make_set: Callable[..., Path], tmp_path: Path) -> None:
    state = finish_run(make_config({**SMALL, "data": [str(make_set())]}), tmp_path)
    learner = Detector(make_config({**SMALL, "start": str(tmp_path / "last.pt")}), CPU)
    assert same(dict(learner.network.state_dict()), dict(state["average"]))
    learner = Detector(make_config({**SMALL, "start": str(tmp_path / "final.pt")}), CPU)
    for name, value in learner.network.state_dict().items():
        torch.testing.assert_close(value, state["average"][name], rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match=r"final\.pt does not fit the network"):
        Detector(make_config({**SMALL, "start": str(tmp_path / "final.pt"), "network": {"backbone": "lite0"}}), CPU)


def test_masks_of_another_kind_begin_anew(make_set: Callable[..., Path], tmp_path: Path) -> None:
    small = {**SMALL, "network": {"backbone": "lite0"}}
    average = finish_run(make_config({**small, "data": [str(make_set())]}), tmp_path)["average"]
    other = {"network": {"backbone": "lite0", "mask_channels": 48, "placed": 1}, "start": str(tmp_path / "last.pt")}
    own = Detector(make_config({**small, **other}), CPU).network.state_dict()
    for name, value in average.items():
        made_masks = name.startswith(("head.cv4.", "head.proto."))
        assert own[name].shape != value.shape or torch.equal(own[name], value) or made_masks
        assert made_masks or own[name].shape == value.shape


def test_wider_towers_of_coefficients_begin_as_they_were(make_set: Callable[..., Path], tmp_path: Path) -> None:
    small = {"backbone": "lite0", "mask_channels": 16, "placed": 1}
    finish_run(make_config({**SMALL, "network": small, "data": [str(make_set())]}), tmp_path)
    narrow, wide = (
        Detector(
            make_config({**SMALL, "network": {**small, **more}, "start": str(tmp_path / "last.pt")}), CPU
        ).network.eval()
        for more in ({}, {"mask_towers": 40})
    )
    assert wide.head.cv4[0][0].conv.out_channels == 40
    assert wide.head.proto.cv1.conv.out_channels == 16
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(wide(images).coefficients, narrow(images).coefficients)
        torch.testing.assert_close(wide(images).prototypes, narrow(images).prototypes)


def test_a_run_starts_from_the_bundled_weights() -> None:
    start = read_start("fastsam-tiny")
    config = make_config({**SMALL, "network": start.architecture, "start": "fastsam-tiny"})
    own = Detector(config, CPU).network.state_dict()
    for name, value in start.entries.items():
        torch.testing.assert_close(own[name], value.to(own[name].dtype))


@pytest.mark.parametrize("kind", ["net.pt", "net.safetensors"])
def test_a_run_starts_from_the_ports_weights_with_scores_of_its_own(
    write_checkpoint: Callable[..., None], tmp_path: Path, kind: str
) -> None:
    torch.manual_seed(1)
    write_checkpoint(build(Architecture(classes=3)), tmp_path / "net.pt", {0: "cup", 1: "spoon", 2: "fork"})
    convert(tmp_path / "net.pt", tmp_path / "net.safetensors")
    start = read_start(str(tmp_path / kind))
    assert start.architecture == Architecture(classes=3)
    own = Detector(make_config({**SMALL, "start": str(tmp_path / kind)}), CPU).network.state_dict()
    assert torch.equal(own["model.22.cv2.0.0.conv.weight"], start.entries["model.22.cv2.0.0.conv.weight"])
    assert own["model.22.cv3.0.2.weight"].shape[0] == 1


def test_an_exported_file_cannot_be_trained_further(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"noise")
    with pytest.raises(ValueError, match=r"net\.onnx cannot be trained further"):
        read_start(str(tmp_path / "net.onnx"))


def test_the_rate_warms_up_and_falls_to_a_hundredth() -> None:
    config = make_config({**SMALL, "photos": 2000, "warmup": 200, "rate": 1.0})
    rates = [rate_at(step, config) for step in range(config.steps)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0)
    assert int(np.argmax(rates)) in (99, 100)
    assert rates[-1] == pytest.approx(0.01, abs=1e-4)
    assert (np.diff(rates[100:]) <= 0).all()


def test_the_average_follows_the_network(make_set: Callable[..., Path]) -> None:
    learner = Detector(make_config({**SMALL, "average": 0.5}), CPU)
    name = "model.0.conv.weight"
    before = learner.average.state_dict()[name].clone()
    learner.network.state_dict()[name].add_(1.0)
    learner.step = 10**6
    learner.follow()
    torch.testing.assert_close(learner.average.state_dict()[name], before + 0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"imgsz": 100}, "imgsz must be a multiple of 32, not 100"),
        ({"batch": 0}, "batch must be at least 1, not 0"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"policy": {"zooms": 1}}, r"\[policy\] unknown setting 'zooms': choose from colour"),
        ({"colour": 1}, r"colour belongs into the table \[policy\]"),
        ({"placed": 1}, r"placed belongs into the table \[network\]"),
        ({"imgsz": "320"}, "imgsz must be an integer, not '320'"),
        ({"batch": True}, "batch must be an integer, not True"),
        ({"rate": "fast"}, "rate must be a number, not 'fast'"),
        ({"holdout": 3}, "holdout must be a text, not 3"),
        ({"data": "folder"}, "data must be a list, not 'folder'"),
        ({"data": [1]}, "data, entry 1 must be a text, not 1"),
        ({"set_weights": {"red": "often"}}, r"\[set_weights\] red must be a number, not 'often'"),
        ({"gains": 3}, "gains must be a table, not 3"),
        ({"gains": {"quality": 2}}, r"\[gains\] quality must be 0 to 1, not 2"),
        ({"precision": "half"}, "unknown precision 'half'"),
        ({"policy": {"zoom": [0, 2]}}, r"\[policy\] zoom must be two positive numbers, the smaller first"),
        ({"policy": {"zoom": [1, 2, 3]}}, r"\[policy\] zoom must be a list of 2, not \[1, 2, 3\]"),
        ({"network": {"backbone": "resnet"}}, "unknown backbone 'resnet'"),
        ({"network": {"classes": 3}}, r"\[network\] classes must be 1, not 3"),
        ({"frozen": 5}, "frozen must be 0, not 5: the backbone yolov8 always learns"),
    ],
)
def test_settings_that_cannot_be_used_are_errors(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_config(settings)


def test_config_files_are_checked_by_name(tmp_path: Path) -> None:
    wrong = {
        "bach = 3": "unknown setting 'bach': choose from average, backbone_rate",
        'backbone = "lite0"': r"backbone belongs into the table \[network\]",
        "[policy]\nzooms = 1": r"\[policy\] unknown setting 'zooms'",
    }
    for content, message in wrong.items():
        (tmp_path / "a.toml").write_text(content)
        with pytest.raises(ValueError, match=rf"a\.toml: {message}"):
            read_config(tmp_path / "a.toml")


def test_what_is_frozen_is_not_among_what_learns() -> None:
    config = make_config({**SMALL, "network": {"backbone": "lite0"}, "frozen": 3, "backbone_rate": 0.25})
    network = build(config.network, config.frozen)
    groups = parameter_groups(network, config)
    shares = {parameter: group["share"] for group in groups for parameter in group["params"]}
    for name, parameter in network.named_parameters():
        still = name.startswith(
            ("backbone._conv_stem.", "backbone._bn0.", *(f"backbone._blocks.{k}." for k in range(3)))
        )
        never = name.endswith("_depthwise_conv.weight") or ".dfl." in name
        expected = None if still or never else 0.25 if name.startswith("backbone.") else 1.0
        assert shares.get(parameter) == expected, name
    assert {group["weight_decay"] for group in groups} == {config.decay, 0.0}
    assert all((p.ndim > 1) == (group["weight_decay"] > 0) for group in groups for p in group["params"])


def as_before(state: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint as it was written before `[network]`: its config named each knob of the network beside the rest."""
    network = {name: value for name, value in state["config"]["network"].items() if name != "classes"}
    rest = {name: value for name, value in state["config"].items() if name not in ("network", "synced")}
    return {**state, "config": {**rest, **network}}


def test_a_checkpoint_from_before_the_table_network_is_resumed_exactly(
    make_set: Callable[..., Path], tmp_path: Path
) -> None:
    network = {"backbone": "lite0", "mask_channels": 16, "placed": 1}
    config = make_config({**SMALL, "network": network, "data": [str(make_set())]})
    straight = finish_run(config, tmp_path / "straight")
    last = tmp_path / "stopped" / "last.pt"
    for number, _ in enumerate(train(config, last.parent, CPU, 0, log_every=1, save_every=0), 1):
        if number == 3:
            break
    old = as_before(torch.load(last, weights_only=True))
    assert old["config"]["mask_channels"] == 16
    torch.save(old, last)
    with pytest.raises(ValueError, match=r"other settings \(network\)"):
        finish_run(make_config({**SMALL, "data": config.data}), last.parent)
    assert same(straight, finish_run(config, last.parent))


def test_weights_from_before_the_table_network_are_read(tmp_path: Path) -> None:
    file = tmp_path / "final.pt"
    torch.save(as_before(torch.load(BUNDLED, weights_only=True)), file)
    assert "mask_towers" in torch.load(file, weights_only=True)["config"]
    state = checkpoint.load(file)
    config = make_config(state["config"])
    assert config.network == checkpoint.architecture_of(state, file)
    assert (config.network.backbone, config.network.mask_towers, config.imgsz) == ("lite0", 160, 640)


def test_bundled_weights_name_no_folder_of_a_machine() -> None:
    config = checkpoint.load(BUNDLED)["config"]
    assert "ade" in config["data"]
    assert not any("/" in str(folder) for name in ("data", "cutouts") for folder in config[name])


def test_weights_alone_are_not_taken_for_a_run(make_set: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config({**SMALL, "photos": 2, "data": [str(make_set())]})
    finish_run(config, tmp_path)
    (tmp_path / "final.pt").replace(tmp_path / "last.pt")
    with pytest.raises(ValueError, match=r"last\.pt holds only weights: .* --from"):
        finish_run(config, tmp_path)


def test_the_two_networks_are_not_taken_for_each_other(tmp_path: Path) -> None:
    torch.save({"architecture": {"network": "refiner"}, "average": {}}, tmp_path / "second.pt")
    with pytest.raises(ValueError, match=r"second\.pt holds a second network"):
        read_start(str(tmp_path / "second.pt"))
    with pytest.raises(ValueError, match=r"fastsam-tiny\.pt does not hold a second network"):
        put_second(str(BUNDLED), RefineNetwork())


def test_a_network_unknown_to_this_version_is_named(tmp_path: Path) -> None:
    torch.save({"architecture": {"backbone": "lite0", "wings": 2}, "average": {}}, tmp_path / "new.pt")
    with pytest.raises(ValueError, match=r"new\.pt holds a network that is unknown to this version.*wings"):
        read_start(str(tmp_path / "new.pt"))


def test_a_frozen_backbone_needs_weights() -> None:
    with pytest.raises(ValueError, match="a frozen backbone needs weights"):
        Detector(make_config({**SMALL, "network": {"backbone": "lite0"}, "frozen": 5}), CPU)


def test_files_that_are_no_checkpoint_are_named(tmp_path: Path) -> None:
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for name in ("noise.pt", "none.pt"):
        with pytest.raises(ValueError, match=name):
            checkpoint.load(tmp_path / name)
