"""Run-length encoding agrees with the COCO tools to the letter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from fastsam.masks import rle

MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.booleans())


@given(MASKS)
def test_strings_equal_the_coco_tools(mask: np.ndarray) -> None:
    expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    got = rle.encode(mask)
    assert got == {"size": expected["size"], "counts": expected["counts"].decode()}
    assert rle.area(got) == mask.sum()


@given(MASKS)
def test_decoding_gives_the_mask_back(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(rle.decode(rle.encode(mask)), mask)


@given(MASKS, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_crop_is_encoded_as_the_whole_mask(mask: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    whole = np.pad(mask, ((top, bottom), (left, right)))
    assert rle.encode(mask, (left, top), whole.shape) == rle.encode(whole)


@pytest.mark.parametrize("mask", [np.zeros((500, 700), bool), np.ones((500, 700), bool), np.eye(600, dtype=bool)])
def test_large_masks_agree(mask: np.ndarray) -> None:
    assert rle.encode(mask)["counts"] == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=30))
def test_any_counts_survive_the_string(counts: list[int]) -> None:
    assert rle.decompress(rle.compress([np.array(counts, np.int64)])[0]).tolist() == counts


def test_uncompressed_counts_are_read() -> None:
    assert rle.decode({"size": [2, 2], "counts": [1, 3]}).tolist() == [[False, True], [True, True]]


def test_runs_that_do_not_fit_the_size_are_refused() -> None:
    with pytest.raises(ValueError, match="must add up to 3 x 3"):
        rle.decode({"size": [3, 3], "counts": rle.encode(np.ones((2, 2), bool))["counts"]})
    with pytest.raises(ValueError, match="ends inside"):
        rle.decompress("o")
