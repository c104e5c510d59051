"""Programs as people write them for the published code, Ultralytics and Segment Anything: only the import differs."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fastsam import FastSAM as OwnFastSAM
from fastsam.compat import FastSAM, FastSAMPredictor, FastSAMPrompt, SamAutomaticMaskGenerator, SamPredictor


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """BGR, as OpenCV reads it."""
    return cv2.imread(str(Path(__file__).parents[2] / "examples" / "coffee.png"))


def test_boxes_are_drawn_with_opencv(photo: np.ndarray) -> None:
    model, image = FastSAM(), photo.copy()
    results = model(image, stream=True, imgsz=224)
    drawn = 0
    for r in results:
        for box in r.boxes:
            x1, y1, x2, y2 = box.xyxy[0]
            x1, y1, x2, y2 = int(x1), int(y1), int(x2), int(y2)
            cv2.rectangle(image, (x1, y1), (x2, y2), (255, 0, 255), 3)
            label = f"{model.names[int(box.cls[0])]} {round(float(box.conf[0]), 2)}"
            cv2.putText(image, label, (x1, y1), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 0, 0), 2)
            drawn += 1
    assert drawn > 3
    assert (image != photo).any()


def test_masks_are_cut_out_one_by_one(photo: np.ndarray) -> None:
    """As in Ultralytics' guide on isolating objects."""
    model = FastSAM()
    parts = []
    for r in model.predict(photo, imgsz=224):
        img = np.copy(r.orig_img)
        for c in r:
            assert c.names[c.boxes.cls.tolist().pop()] == "object"
            b_mask = np.zeros(img.shape[:2], np.uint8)
            contour = c.masks.xy.pop()
            contour = contour.astype(np.int32)
            contour = contour.reshape(-1, 1, 2)
            cv2.drawContours(b_mask, [contour], -1, (255, 255, 255), cv2.FILLED)
            isolated = np.dstack([img, b_mask])
            x1, y1, x2, y2 = c.boxes.xyxy.cpu().numpy().squeeze().astype(np.int32)
            parts.append(isolated[y1:y2, x1:x2])
    assert len(parts) > 3
    assert all(part.shape[2] == 4 and part.size for part in parts)


def test_masks_are_stacked_and_merged(photo: np.ndarray) -> None:
    results = FastSAM()(photo, imgsz=224)
    masks, boxes = results[0].masks.data, results[0].boxes.data
    clss = boxes[:, 5]
    people = masks[(clss == 0).nonzero()[0]]
    merged = people.any(dim=0).int() * 255
    assert merged.cpu().numpy().max() == 255
    areas = [int(m.sum().item()) for m in masks]
    assert areas == masks.cpu().numpy().reshape(len(masks), -1).sum(1).tolist()
    resized = cv2.resize(masks[0].cpu().numpy().astype("uint8"), (photo.shape[1], photo.shape[0]))
    assert resized.shape == photo.shape[:2]


def test_a_tracker_loop_reads_arrays(photo: np.ndarray) -> None:
    rows = []
    for result in FastSAM()([photo, photo], imgsz=224):
        detections = result.boxes.data.cpu().numpy()
        rows += [[int(x1), int(y1), int(x2 - x1), int(y2 - y1), s] for x1, y1, x2, y2, s, _ in detections.tolist()]
        ids = result.boxes.id.int().cpu().tolist() if result.boxes.is_track else []
        assert ids == []
    assert len(rows) > 6


def test_the_two_steps_of_ultralytics_documentation(photo: np.ndarray) -> None:
    overrides = {
        "conf": 0.05,
        "task": "segment",
        "mode": "predict",
        "model": "fastsam-tiny",
        "save": False,
        "imgsz": 512,
    }
    predictor = FastSAMPredictor(overrides=overrides)
    everything_results = predictor(photo)
    bbox_results = predictor.prompt(everything_results, bboxes=[[180, 10, 430, 250]])
    point_results = predictor.prompt(everything_results, points=[300, 200])
    both = predictor.prompt(everything_results[0], points=[[300, 200]], labels=[1], bboxes=[[180, 10, 430, 250]])
    assert [len(r) for r in (*bbox_results, *point_results, *both)] == [1, 1, 2]
    assert bbox_results[0].masks.data[0, 130, 300] == 1
    assert predictor.prompt(everything_results) == everything_results
    predictor.set_prompts({"bboxes": [180, 10, 430, 250]})
    assert predictor(photo)[0].prompts.tolist() == [0]


def test_the_published_prompt_class_takes_results(photo: np.ndarray, tmp_path: Path) -> None:
    model = FastSAM()
    everything_results = model(photo, device="cpu", retina_masks=True, imgsz=512, conf=0.05, iou=0.9)
    prompt_process = FastSAMPrompt(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB), everything_results, device="cpu")
    ann = prompt_process.everything_prompt()
    assert ann.cpu().numpy().shape == everything_results[0].masks.data.shape
    ann = prompt_process.box_prompt(bbox=[180, 10, 430, 250])
    if len(ann) == 0:
        raise AssertionError("nothing there")
    turned = cv2.warpAffine(ann[0], cv2.getRotationMatrix2D((300, 200), 30, 1), (600, 400))
    assert turned.max() == 1
    ann = prompt_process.point_prompt(points=[[300, 160]], pointlabel=[1])
    prompt_process.plot(annotations=ann, output=str(tmp_path), bbox=[180, 10, 430, 250])
    assert (tmp_path / "image0.jpg").exists()
    for mask in prompt_process.box_prompt(bboxes=[[0, 0, 3, 3], [180, 10, 430, 250]]):
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        assert cv2.boundingRect(contours[0])[2] > 0  # no row without a pixel


def test_boxes_from_a_detector_are_segmented_as_with_sam(photo: np.ndarray) -> None:
    """As programs that give a text detector's boxes to SAM have it."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    predictor = SamPredictor(OwnFastSAM())
    image = cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)
    predictor.set_image(image)
    boxes = torch.tensor([[0.3, 0.03, 0.7, 0.6], [0.0, 0.0, 0.2, 0.2]]) * torch.tensor([600, 400, 600, 400])
    transformed_boxes = predictor.transform.apply_boxes_torch(boxes, image.shape[:2]).to("cpu")
    masks, scores, _ = predictor.predict_torch(
        point_coords=None, point_labels=None, boxes=transformed_boxes, multimask_output=False
    )
    assert masks.shape == (2, 1, 400, 600)
    shown = np.zeros_like(image)
    for mask in masks:
        colour = np.array([30, 144, 255])
        shown[mask.cpu().numpy()[0]] = colour
    assert shown.any()
    assert torch.as_tensor(scores).shape == (2, 1)


def test_everything_of_sams_notebook(photo: np.ndarray) -> None:
    mask_generator = SamAutomaticMaskGenerator(
        model=OwnFastSAM(),
        points_per_side=32,
        pred_iou_thresh=0.86,
        stability_score_thresh=0.92,
        crop_n_layers=0,
        crop_n_points_downscale_factor=2,
        min_mask_region_area=100,
    )
    masks: list[dict[str, Any]] = mask_generator.generate(cv2.cvtColor(photo, cv2.COLOR_BGR2RGB))
    assert masks
    keys = ["segmentation", "area", "bbox", "predicted_iou", "point_coords", "stability_score", "crop_box"]
    assert list(masks[0]) == keys
    ordered = sorted(masks, key=lambda x: x["area"], reverse=True)
    img = np.ones((*ordered[0]["segmentation"].shape, 4))
    for one in ordered:
        img[one["segmentation"]] = [*np.random.default_rng(0).random(3), 0.35]
    assert (img[..., 3] < 1).any()
