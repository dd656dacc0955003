# SPDX-License-Identifier: Apache-2.0
"""Results in the libraries that they are made for: supervision and pycocotools."""

import json

import numpy as np
import pycocotools.mask
import pytest
import supervision
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detector_models import detector, image

MASKS = "mask_rcnn_tv029_b1_tensor_op17.onnx"
KEYPOINTS = "keypoint_rcnn_tv029_b1_list_op20_half.onnx"
SIZES = [(64, 80), (64, 80), (80, 64), (96, 112)]
NAMES = ["ground", "cat", "dog"]


@pytest.fixture(scope="module", params=["roi", "full"])
def found(request):
    scenes = [image(seed, size) for seed, size in zip([0, 4, 6, 3], SIZES)]
    results = detector(MASKS, dynamic_batch=True, masks=request.param, class_names=NAMES)(scenes)
    assert [len(x) > 0 for x in results] == [False, True, True, True]
    return results


def test_supervision(found):
    for result, (height, width) in zip(found, SIZES):
        detections = result.to_supervision()
        assert isinstance(detections, supervision.Detections) and len(detections) == len(result)
        assert np.array_equal(detections.xyxy, result.boxes) and np.array_equal(detections.confidence, result.scores)
        assert np.array_equal(detections.class_id, result.labels)
        assert detections.mask.dtype == bool and detections.mask.shape == (len(result), height, width)
        assert np.array_equal(detections.mask, result.masks[:, 0] >= 0.5)
        assert list(detections.data["class_name"]) == [NAMES[k] for k in result.labels]


def test_supervision_draws_and_selects(found):
    result = found[1]
    detections = result.to_supervision()
    kept = detections[detections.confidence > np.median(result.scores)]
    assert 0 < len(kept) < len(result) and kept.mask.shape[0] == len(kept)
    picture = np.zeros((*result.size, 3), np.uint8)
    drawn = supervision.MaskAnnotator().annotate(picture.copy(), detections)
    drawn = supervision.LabelAnnotator().annotate(drawn, detections)
    assert drawn.any()
    merged = supervision.Detections.merge([detections, found[1].to_supervision()])
    assert len(merged) == 2 * len(result)
    assert len(found[0].to_supervision()) == 0 and len(detections.with_nms(0.5)) <= len(result)


def test_coco(found):
    for result, (height, width) in zip(found, SIZES):
        entries = json.loads(json.dumps(result.to_coco(5)))
        assert len(entries) == len(result)
        pixels = result.masks[:, 0] >= 0.5
        for entry, mask in zip(entries, pixels):
            assert entry["segmentation"]["size"] == [height, width]
            assert np.array_equal(pycocotools.mask.decode(entry["segmentation"]), mask)
            theirs = pycocotools.mask.encode(np.asfortranarray(mask.astype(np.uint8)))
            assert theirs["counts"].decode() == entry["segmentation"]["counts"]


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_coco_evaluates_results_as_their_own_truth(found, kind):
    categories = {1: 10, 2: 20}
    results, annotations, images = [], [], []
    for number, (result, (height, width)) in enumerate(zip(found, SIZES), 1):
        images.append({"id": number, "height": height, "width": width})
        for entry in result.to_coco(number, categories):
            area = float(pycocotools.mask.area(entry["segmentation"]))
            if area == 0:  # a mask that reaches one half nowhere is no truth
                continue
            results.append(entry)
            annotations.append({**entry, "id": len(annotations) + 1, "iscrowd": 0, "area": area})
    assert len(results) > 3
    truth = COCO()
    truth.dataset = {
        "images": images,
        "annotations": annotations,
        "info": {},
        "categories": [{"id": 10, "name": "cat"}, {"id": 20, "name": "dog"}],
    }
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(json.loads(json.dumps(results))), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] > 0.999  # everything is found where it is


def test_keypoints_as_coco():
    result = detector(KEYPOINTS)([image(seed) for seed in range(8)])
    result = max(result, key=len)
    assert len(result) > 0
    for entry, points in zip(json.loads(json.dumps(result.to_coco(1))), result.keypoints):
        assert np.array_equal(np.array(entry["keypoints"]).reshape(-1, 3), points.astype(np.float64))
