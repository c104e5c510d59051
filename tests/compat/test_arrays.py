"""`Array`: what code written for tensors does with results."""

import copy
import math
import pickle

import cv2
import numpy as np
import pytest

from fastsam.compat.arrays import Array, array, picked


@pytest.fixture
def conf() -> Array:
    return array(np.array([0.25, 0.75, 0.5], np.float32))


def test_one_element_is_a_number_whatever_its_shape() -> None:
    for values in (np.float32(2), np.array(2.0), np.array([2.0]), np.array([[2.0]])):
        one = array(values)
        assert (int(one), float(one), one.item(), round(one), f"{one.item():.1f}") == (2, 2.0, 2.0, 2, "2.0")
    for values in (np.zeros(2), np.zeros(0)):
        with pytest.raises(ValueError, match="size 1"):
            int(array(values))


def test_an_element_takes_the_calls_too_and_is_a_key(conf: Array) -> None:
    one = conf[1]
    assert (type(one), one.shape, one.cpu().item(), one.tolist(), f"{one:.2f}") == (Array, (), 0.75, 0.75, "0.75")
    assert math.ceil(one * 100) / 100 == 0.75
    assert one.detach().cpu().numpy().item() == 0.75
    assert {0: "object"}[array(np.array([0.0]))[0]] == "object"
    assert ["a", "b"][array(np.array([1]))[0]] == "b"
    assert [float(v) for v in conf] == [0.25, 0.75, 0.5]
    assert all(isinstance(v, Array) for v in conf)
    a, b, _ = conf
    assert (max(conf), min(a, b), sorted(conf)[0]) == (0.75, 0.25, 0.25)


def test_the_calls_of_tensors_are_taken(conf: Array) -> None:
    for same in (conf.cpu(), conf.cuda(), conf.detach(), conf.to("cpu"), conf.to("cuda:0"), conf.to(0)):
        assert same is conf
    assert type(conf.numpy()) is type(np.asarray(conf)) is np.ndarray
    assert conf.clone() is not conf
    assert [conf.float().dtype, conf.half().dtype, conf.double().dtype] == [np.float32, np.float16, np.float64]
    assert [conf.int().dtype, conf.long().dtype, conf.byte().dtype] == [np.int32, np.int64, np.uint8]
    assert [conf.bool().dtype, conf.to(np.uint8).dtype, conf.to(dtype="float64").dtype] == [bool, np.uint8, np.float64]
    assert (conf.unsqueeze(0).shape, conf.unsqueeze(-1).squeeze().shape, conf.numel(), conf.dim()) == (
        (1, 3),
        (3,),
        3,
        1,
    )
    masks = array(np.arange(24).reshape(2, 3, 4) % 5 == 0)
    assert masks.any(dim=0).shape == masks.permute(1, 2, 0).shape[:2] == (3, 4)
    assert masks.sum(dim=(1, 2)).tolist() == masks.numpy().sum((1, 2)).tolist()
    assert masks.float().mean(dim=0, keepdim=True).shape == (1, 3, 4)
    assert array(np.array([0.0, 2.0, 0.0])).unique().tolist() == [0.0, 2.0]
    assert conf.argsort(descending=True).tolist() == [1, 2, 0]
    assert masks.int().argmax(dim=-1).shape == (2, 3)


def test_it_is_an_ndarray_to_everything_else(conf: Array) -> None:
    assert conf[conf > 0.3].tolist() == [0.75, 0.5]
    assert type(conf * 2 + 1) is Array
    assert conf.sum().item() == 1.5
    assert (conf > 0.3).any()
    np.testing.assert_array_equal(conf[np.array([2, 0])], [0.5, 0.25])
    for again in (pickle.loads(pickle.dumps(conf)), copy.deepcopy(conf)):
        assert type(again) is Array
        np.testing.assert_array_equal(again, conf)
    mask = array(np.zeros((20, 30), np.uint8))
    mask[5:9, 6:16] = 1
    assert cv2.resize(mask, (15, 10)).shape == (10, 15)
    assert cv2.boundingRect(mask) == (6, 5, 10, 4)


def test_torch_takes_it_and_indexes_it(conf: Array) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for tensor in (torch.as_tensor(conf), torch.tensor(conf), torch.from_numpy(conf)):
        assert tensor.tolist() == conf.tolist()
    assert conf.to(torch.float64).dtype == np.float64
    assert conf.to("cuda:0", torch.float16).dtype == np.float16
    assert conf.to(torch.bool).dtype == bool
    assert conf.to(torch.device("cpu")) is conf
    assert conf[torch.tensor([True, False, True])].tolist() == [0.25, 0.5]
    assert conf[torch.tensor(1)].item() == 0.75


def test_what_an_index_means() -> None:
    for index, wanted in (
        (2, [2]), (-1, [4]), (slice(1, 3), [1, 2]), ([], []), ([3, 0], [3, 0]), (np.array([], int), []),
        ([True, False, False, True, False], [0, 3]), (array(np.arange(5) > 3), [4]), (array(np.array(1)), [1]),
    ):  # fmt: skip
        assert picked(5, index).tolist() == wanted, index
    with pytest.raises(IndexError):
        picked(5, 5)
