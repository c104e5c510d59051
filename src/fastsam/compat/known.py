"""The attributes of other libraries' classes, and what each does here: the table of `docs/switching.md`.

Enters: a class and a missing attribute. Leaves: an error of one line that says what to use instead.

`scripts/switching_table.py` writes the page from it, and `tests/compat/test_known.py` checks it against the classes.
"""

from dataclasses import dataclass, field
from typing import Any

from fastsam.errors import UsageError


class NotHereError(UsageError, AttributeError):
    """An attribute that another library's class has and ours does not. The text says what to use instead."""


@dataclass(frozen=True)
class Interface:
    """The public attributes of one class of another library.

    whose: the library; works: names, separated by spaces; differs: the difference, by names; absent: what to use
    instead, by names; own: attributes that only our class has
    """

    whose: str
    works: str
    differs: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)


class Known:
    """A class whose missing attributes raise an error that says what to use instead."""

    def __getattr__(self, name: str) -> Any:
        raise missing(type(self).__name__, name)


def missing(kind: str, name: str) -> AttributeError:
    """The error for an attribute that our class `kind` does not have."""
    interface = INTERFACES.get(kind)
    if interface is not None:
        for names, instead in interface.absent.items():
            if name in names.split():
                return NotHereError(f"{kind}.{name} of {interface.whose} is not here: {instead}")
    return AttributeError(f"{kind!r} object has no attribute {name!r}")


HELD = "cpu cuda numpy to"
TRAIN = "train with `fastsam train`, see docs/training.md"
INTERFACES = {
    "FastSAM": Interface(
        "Ultralytics and the published code",
        "fuse eval cpu cuda half float task device",
        {
            "predict": "the call itself takes the same. Each prompt has its own mask, drawn unless `refine=False`; "
            "`imgsz`, `conf`, `iou` and `max_det` default to those stored with the weights; URLs of files are "
            "refused; `save=True` writes a video as pictures",
            "track": "by masks, motion and colours, whatever `tracker` says; `persist` and `stream` are as there; what "
            "appears in one frame alone is left out; prompts are refused",
            "names": "a copy: changing it changes nothing",
            "to": "an error for a device that is missing; a dtype has no effect on the network",
            "info": "returns and prints one line with classes and default settings; it counts no layers",
            "model": "`fastsam.FastSAM`, not a torch module",
            "ckpt_path model_name": "what the model was made from",
        },
        {
            "export": "run `fastsam export FILE`; every exported file is a model with prompts",
            "train trainer tune": TRAIN,
            "val metrics benchmark": "measure with `fastsam eval` and `fastsam bench`, see docs/evaluation.md",
            "embed": "name masks with `fastsam.FastSAM()(photo).name(words)`",
            "calibrate": "run `fastsam export FILE --int8`",
            "load ckpt reset_weights save": "pass the file to the constructor; convert with `fastsam weights convert`",
            "predictor": "use FastSAMPredictor from fastsam.compat",
            "add_callback callbacks clear_callback reset_callbacks": "take results one by one with stream=True",
            "cfg overrides task_map transforms is_triton_model": "pass keywords to the call",
            "forward parameters named_parameters modules named_modules children named_children state_dict "
            "load_state_dict buffers named_buffers requires_grad_ zero_grad apply type register_forward_hook bfloat16 "
            "double compile training": "not a torch module; `fastsam weights convert` writes safetensors",
        },
    ),
    "FastSAMPredictor": Interface(
        "Ultralytics and the published code",
        "set_prompts setup_model",
        {
            "prompt": "a list of Results, one per photo; each prompt has its own mask, drawn unless `refine=False`",
            "args": "the keywords as a dictionary",
            "model": "the FastSAM of fastsam.compat, None before the first call",
        },
        {
            "postprocess construct_result construct_results preprocess pre_transform inference scale_fill "
            "get_obj_feats": "call the predictor; `fastsam.model.run` has the steps",
            "setup_source stream_inference predict_cli": "call the predictor, with stream=True for an iterator",
            "save_predicted_images show write_results": "use save(), show() and save_txt() of Results",
            "add_callback run_callbacks callbacks": "take results one by one with stream=True",
            "results batch dataset device imgsz done_warmup seen plotted_img save_dir source_type data_path transforms "
            "vid_writer windows clip": "the call returns everything",
        },
    ),
    "Results": Interface(
        "Ultralytics and the published code",
        f"{HELD} boxes masks names new orig_img orig_shape path summary to_json to_csv save_txt save_crop verbose "
        "probs keypoints obb depth semantic_mask",
        {
            "plot": "every mask has its own colour, with `color_mode='class'` every class; masks are outlined; "
            "`font` has no effect",
            "save": "always writes the photo's size",
            "show": "needs Pillow",
            "save_dir": "None unless the call wrote something",
            "speed": "postprocess includes prompts and drawing",
            "to_df": "a pandas table instead of polars; pandas must be installed",
        },
        {
            "update": "results cannot be changed: select with results[index], or use "
            "fastsam.Segments.from_masks(photo, masks)",
            "tojson": "use to_json()",
            "to_sql to_xml to_html": "use to_df() and the methods of its table",
            "pandas": "use to_df()",
            "render": "use plot()",
            "crop": "use save_crop(folder)",
            "xyxy xyxyn xywh xywhn": "use boxes.xyxy, boxes.xywh and so on",
        },
        {
            "prompts": "(N,) the number of the prompt that each mask answers",
            "segments": "the same answer as `fastsam.Segments`",
        },
    ),
    "Boxes": Interface(
        "Ultralytics and the published code",
        f"{HELD} cls conf data id is_track orig_shape shape xywh xywhn xyxy xyxyn",
        {},
        {"boxes": "use data"},
    ),
    "Masks": Interface(
        "Ultralytics and the published code",
        f"{HELD} orig_shape xyn",
        {
            "data": "always at the photo's size, uint8 0 or 1",
            "shape": "(N, height, width) of the photo",
            "xy": "parts are joined by the same cuts; the first vertex may differ",
        },
        {"masks": "use data", "segments": "use xyn, or xy in pixels"},
    ),
    "FastSAMPrompt": Interface(
        "the published code",
        "img device results",
        {
            "everything_prompt": "uint8 0 or 1 instead of float32",
            "box_prompt": "one mask per box that matches, in order, float32; a box without a match has no row: "
            "`prompts` of the stack says which box each row answers",
            "point_prompt": "one object that all points mean, not every mask beneath them; no match: an empty stack",
            "text_prompt": "no match: an empty stack",
            "plot": "`output_path` is a file, `output` a folder; the picture has the photo's size",
            "plot_to_result": "the picture has the photo's size; small masks lie on large ones",
        },
        {
            "ori_img": "use img, which is RGB",
            "img_path": "keep the path yourself; img has the pixels",
            "filter_masks": "use fastsam.Segments.filter(inside=0.8)",
            "fast_show_mask fast_show_mask_gpu": "use plot_to_result(annotations)",
            "retrieve": "use text_prompt(text)",
        },
        {"refine": "whether answers are drawn", "segments": "what was found, as `fastsam.Segments`"},
    ),
    "FastSAMDecoder": Interface(
        "the published code",
        "model device image image_embedding retina_masks",
        {
            "box_prompt point_prompt": "as in FastSAMPrompt",
            "run_encoder": "the Results of the photo",
            "run_decoder": "without a prompt everything answers; takes words too",
            "conf iou imgsz": "None unless given: then those stored with the weights",
        },
        {},
        {"refine": "whether answers are drawn", "text_prompt": "words, as in FastSAMPrompt"},
    ),
    "SamPredictor": Interface(
        "Segment Anything",
        "set_image predict reset_image is_image_set original_size device",
        {
            "model": "a `fastsam.FastSAM`",
            "predict_torch": "prompts in photo pixels; returns arrays that take a tensor's calls",
            "transform": "leaves prompts in photo pixels",
        },
        {
            "features get_image_embedding input_size orig_h orig_w input_h input_w": "no embedding is computed; "
            "`segments` holds what was found",
            "set_torch_image": "use set_image(pixels), uint8 (H, W, 3)",
        },
        {
            "mask_threshold": "0.0, the logit above which a pixel belongs to a mask",
            "refine": "whether answers are drawn",
            "segments": "what was found in the photo, as `fastsam.Segments`",
        },
    ),
    "SamAutomaticMaskGenerator": Interface(
        "Segment Anything",
        "generate crop_n_layers crop_nms_thresh crop_overlap_ratio min_mask_region_area output_mode",
        {
            "pred_iou_thresh": "off by default; if given, masks are drawn: the minimum of their predicted IoU",
            "stability_score_thresh": "off by default; if given, masks are drawn: the minimum of their stability",
            "stability_score_offset": "in SAM's logits; one of SAM's counts as a quarter of one of ours",
            "box_nms_thresh": "defaults to that stored with the weights",
        },
        {
            "predictor": "use SamPredictor(model)",
            "point_grids points_per_batch crop_n_points_downscale_factor": "no grid of points: everything is "
            "found at once",
            "postprocess_small_regions": "pass min_mask_region_area",
        },
        {"model": "the `fastsam.FastSAM`", "refine": "whether masks are drawn"},
    ),
}
