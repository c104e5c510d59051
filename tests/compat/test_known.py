"""The table of what each class has is true, and docs/switching.md is made from it."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastsam import FastSAM as OwnFastSAM
from fastsam import Segments, UsageError, compat
from fastsam.compat.known import INTERFACES, Known, NotHereError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """One object of each class."""
    photo = np.full((40, 60, 3), 90, np.uint8)
    model = OwnFastSAM(threads=1)
    port = compat.FastSAM()
    (result,) = port(photo, imgsz=64)
    sam = compat.SamPredictor(model)
    sam.set_image(photo)
    made = (
        port,
        compat.FastSAMPredictor(),
        result,
        result.boxes,
        result.masks,
        compat.FastSAMPrompt(photo, result),
        compat.FastSAMDecoder(model),
        sam,
        compat.SamAutomaticMaskGenerator(model),
    )
    return {type(one).__name__: one for one in made}


@pytest.mark.parametrize("kind", INTERFACES)
def test_what_works_or_differs_is_there_and_nothing_else(kind: str, ours: dict[str, Any]) -> None:
    interface = INTERFACES[kind]
    listed = interface.works.split() + [n for names in (*interface.differs, *interface.own) for n in names.split()]
    assert len(listed) == len(set(listed))
    for name in listed:
        assert hasattr(ours[kind], name), f"{kind}.{name} stands in the table and is not there"
    public = {name for name in dir(ours[kind]) if not name.startswith("_")}
    assert public == set(listed)


@pytest.mark.parametrize("kind", INTERFACES)
def test_what_is_not_here_says_what_to_use(kind: str, ours: dict[str, Any]) -> None:
    for names, instead in INTERFACES[kind].absent.items():
        for name in names.split():
            assert not hasattr(ours[kind], name)
            with pytest.raises(NotHereError) as error:
                getattr(ours[kind], name)
            assert str(error.value).startswith(f"{kind}.{name} of ")
            assert str(error.value).endswith(instead)
            assert "\n" not in str(error.value)
            assert isinstance(error.value, UsageError)
    with pytest.raises(AttributeError, match=f"'{kind}' object has no attribute 'nonsense'"):
        _ = ours[kind].nonsense


# What Ultralytics 8.4.190, the published code and Segment Anything show of themselves.
THEIRS = {
    "FastSAM": "predict names to info model ckpt_path model_name task fuse eval cpu cuda half float track export train "
    "val tune benchmark embed calibrate load ckpt reset_weights save device predictor add_callback clear_callback "
    "reset_callbacks callbacks cfg overrides task_map transforms is_triton_model metrics trainer state_dict parameters",
    "FastSAMPredictor": "prompt set_prompts setup_model args model postprocess preprocess pre_transform inference "
    "construct_result construct_results get_obj_feats predict_cli run_callbacks save_predicted_images scale_fill show "
    "setup_source stream_inference write_results add_callback",
    "Results": "boxes cpu cuda depth keypoints masks names new numpy obb orig_img orig_shape path plot probs save "
    "save_crop save_dir save_txt semantic_mask show speed summary to to_csv to_df to_json update verbose",
    "Boxes": "cls conf cpu cuda data id is_track numpy orig_shape shape to xywh xywhn xyxy xyxyn",
    "Masks": "cpu cuda data numpy orig_shape shape to xy xyn",
    "FastSAMPrompt": "device results img ori_img img_path filter_masks plot plot_to_result fast_show_mask "
    "fast_show_mask_gpu retrieve box_prompt point_prompt text_prompt everything_prompt",
    "FastSAMDecoder": "model device retina_masks imgsz conf iou image image_embedding run_encoder run_decoder "
    "box_prompt point_prompt",
    "SamPredictor": "model transform set_image set_torch_image predict predict_torch get_image_embedding device "
    "reset_image is_image_set features orig_h orig_w input_h input_w original_size input_size",
    "SamAutomaticMaskGenerator": "generate postprocess_small_regions predictor point_grids points_per_batch "
    "pred_iou_thresh stability_score_thresh stability_score_offset box_nms_thresh crop_n_layers crop_nms_thresh "
    "crop_overlap_ratio crop_n_points_downscale_factor min_mask_region_area output_mode",
}


@pytest.mark.parametrize("kind", INTERFACES)
def test_the_table_knows_every_name_of_the_original(kind: str) -> None:
    interface = INTERFACES[kind]
    groups = (interface.works, *interface.differs, *interface.absent, *interface.own)
    assert set(THEIRS[kind].split()) <= {name for names in groups for name in names.split()}


def test_the_page_is_made_from_the_table() -> None:
    script = ROOT / "scripts" / "switching_table.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_names_beside_the_classes_are_refused_with_a_line() -> None:
    for name in ("YOLO", "SAM", "sam_model_registry"):
        with pytest.raises(ImportError, match=f"{name} is not in fastsam.compat: "):
            exec(f"from fastsam.compat import {name}")
    assert issubclass(compat.Results, Known)


def test_results_can_be_sent_to_another_process(make_segments: Callable[..., Segments]) -> None:
    segments = make_segments((40, 60), [(5.0, 5.0, 20.0, 30.0)], [0.9])
    result = compat.Results(np.zeros((40, 60, 3), np.uint8), "a.jpg", segments)
    assert result.masks.data.any()
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.masks.data, result.masks.data)
    np.testing.assert_array_equal(again.boxes.xyxy, result.boxes.xyxy)
