"""The networks are the published ones: counts of parameters and entries, shapes, decoding."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from fastsam.network import Architecture, build  # noqa: E402
from fastsam.network.head import decode_boxes  # noqa: E402

COUNTS = {  # size: parameters with 80 classes, with 1, state-dict entries
    "n": (3_409_968, 3_263_811, 417),
    "s": (11_821_056, 11_790_483, 417),
    "m": (27_285_968, 27_240_227, 537),
    "l": (45_997_728, 45_936_819, 657),
    "x": (71_827_888, 71_751_811, 657),
}


@pytest.mark.parametrize("size", COUNTS)
def test_sizes_have_the_published_numbers_of_parameters_and_entries(size: str) -> None:
    for classes, expected in zip((80, 1), COUNTS[size][:2], strict=True):
        network = build(Architecture("yolov8", size, classes))
        assert sum(p.numel() for p in network.parameters()) == expected
        assert len(network.state_dict()) == COUNTS[size][2]


MASKS = [("yolov8", (0, 0, 0, 32)), ("lite0", (0, 0, 0, 32)), ("lite0", (48, 0, 2, 40)), ("lite0", (48, 64, 2, 40))]


@pytest.mark.parametrize(("backbone", "masks"), MASKS)
def test_outputs_have_the_documented_shapes(backbone: str, masks: tuple[int, int, int, int]) -> None:
    network = build(Architecture(backbone, "n", 3, 26, *masks)).eval()
    raw = network(torch.zeros(2, 3, 64, 96))
    anchors = 8 * 12 + 4 * 6 + 2 * 3
    assert raw.distributions.shape == (2, anchors, 4 * 26)
    assert raw.scores.shape == (2, anchors, 3)
    placed, coefficients = masks[2:]
    assert raw.prototypes.shape == (2, coefficients - 5 * placed - min(placed, 1), 16, 24)
    candidates, prototypes = network.head.decode(raw)
    assert candidates.shape == (2, 4 + 3 + coefficients, anchors)
    assert prototypes is raw.prototypes


def test_anchors_are_cell_centres_level_by_level_and_row_by_row() -> None:
    raw = build(Architecture()).eval()(torch.zeros(1, 3, 64, 96))
    assert raw.anchors[:2].tolist() == [[4, 4], [12, 4]]
    assert raw.anchors[12].tolist() == [4, 12]
    assert raw.anchors[96].tolist() == [8, 8]
    assert raw.anchors[-1].tolist() == [80, 48]
    assert raw.strides.unique().tolist() == [8, 16, 32]


def test_boxes_are_the_means_of_their_distributions() -> None:
    logits = torch.full((1, 1, 4 * 16), -100.0)
    for side, distance in enumerate((1, 2, 3, 4)):
        logits[0, 0, side * 16 + distance] = 100.0
    box = decode_boxes(logits, torch.tensor([[100.0, 50.0]]), torch.tensor([8.0]), torch.arange(16.0))
    np.testing.assert_allclose(box[0, 0], [92, 34, 124, 82])


def test_other_masks_need_the_other_backbone() -> None:
    with pytest.raises(ValueError, match="need the backbone lite0"):
        build(Architecture(placed=1))


@pytest.mark.parametrize("masks", [(0, 0, 6, 32), (-4, 0, 0, 32), (0, -4, 0, 32), (0, 0, -1, 32), (0, 0, 0, 0)])
def test_masks_that_cannot_be_made_are_refused(masks: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"must (not be negative: -|be at least \d+, not )"):
        build(Architecture("lite0", "n", 1, 16, *masks))


def test_a_frozen_backbone_gets_no_gradient_and_keeps_its_statistics() -> None:
    network = build(Architecture("lite0"), frozen=5).train()
    before = {k: v.clone() for k, v in network.backbone.state_dict().items()}
    raw = network(torch.rand(2, 3, 64, 64))
    (raw.scores.sum() + raw.prototypes.sum()).backward()
    for name, value in network.backbone.state_dict().items():
        assert torch.equal(value, before[name])
    assert network.backbone._blocks[4]._project_conv.weight.grad is None
    assert network.backbone._conv_stem.weight.grad is None
    assert network.backbone._blocks[5]._project_conv.weight.grad is not None


def test_lite_convolutions_pad_as_tensorflow_does() -> None:
    from fastsam.network.lite import SameConv

    conv = SameConv(1, 1, 3, 2, bias=False)
    conv.weight.data.fill_(1.0)
    out = conv(torch.ones(1, 1, 4, 4))[0, 0]
    assert out.tolist() == [[9, 6], [6, 4]]  # nothing added above or on the left


def test_unknown_names_are_errors_that_list_the_known() -> None:
    with pytest.raises(ValueError, match="unknown network size 'q'"):
        build(Architecture("yolov8", "q"))
    with pytest.raises(ValueError, match="unknown backbone 'resnet'"):
        build(Architecture("resnet"))
    with pytest.raises(ValueError, match="classes must be at least 1, not 0"):
        build(Architecture(classes=0))
