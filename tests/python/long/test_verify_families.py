# SPDX-License-Identifier: Apache-2.0
"""verify on every export in tests/data: each family, outputs image by image and field by field, fixed and any batch."""

import pathlib
import sys

import pytest
import padbatch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support_models import DATA, FASTER, FASTER_TWO, MASK, MASK_TWO, SSD  # noqa: E402

SMALL = {"size": (160, 192)}
ALL = sorted(DATA.glob("*.onnx"))


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.stem)
def test_every_export_is_equal(model):
    found = padbatch.verify(model, padbatch.pad_outputs(model), **SMALL)
    assert found.skipped == 0 and len(found.rows) == sum(found.batches)


@pytest.mark.parametrize("model", [model for model in ALL if "_b1_" in model.stem], ids=lambda model: model.stem)
def test_every_export_of_one_image_is_equal_for_any(model):
    found = padbatch.verify(model, padbatch.pad_outputs(model, dynamic_batch=True), **SMALL)
    assert found.batches == (1, 2, 5) and any(found.rows)


# One of each family, for a fixed number of images or any.
EQUAL = [
    (FASTER, {}),
    (FASTER, {"dynamic_batch": True, "expose_per_image": ["min_score", "max_detections"], "rename": {"boxes": "b"}}),
    (DATA / "faster_rcnn_tv014_b1_tensor_op11_initializer_inputs.onnx", {"dynamic_batch": True}),
    (DATA / "faster_rcnn_tv029_b2_list_op17_half.onnx", {"layout": "tf-od", "max_detections": 7}),
    (FASTER_TWO, {"max_detections": "batch", "expose": {"min_score": 0.1, "max_detections": None}}),
    (MASK, {"dynamic_batch": True, "masks": "roi", "max_detections": "batch", "min_score": 0.42}),
    (MASK_TWO, {"layout": "mmdeploy", "mask_type": "uint8", "mask_threshold": 0.55}),
    (DATA / "mask_rcnn_tv029_b2_list_op16_field.onnx", {"masks": "none", "layout": "ultralytics"}),
    (DATA / "mask_rcnn_tv014_b2_list_op11.onnx", {"max_detections": 9, "pad_value": {"masks": 0.5}}),
    (DATA / "keypoint_rcnn_tv014_b1_tensor_op13.onnx", {"dynamic_batch": True}),
    (DATA / "retinanet_tv029_b1_tensor_op18_features.onnx", {"dynamic_batch": True, "layout": "efficientnms"}),
    (DATA / "fcos_tv029_b1_list_op14_onnxsim.onnx", {"dynamic_batch": True, "exclude_classes": [1]}),
    (DATA / "ssd300_tv029_b2_list_op21_field_draft.onnx",
     {"count_type": "int64", "count_shape": "B", "label_type": "int32", "pad_value": {"labels": -1}}),
    (SSD, {"dynamic_batch": True, "classes": [1, 2]}),
]
UNSEEN = ("min_score", "classes", "exclude_classes", "pad_value", "mask_threshold")


@pytest.mark.parametrize("model, options", EQUAL, ids=lambda value: getattr(value, "stem", None) or ",".join(value))
def test_options(model, options):
    told = {name: value for name, value in options.items() if name in UNSEEN}
    found = padbatch.verify(model, padbatch.pad_outputs(model, **options), **SMALL, **told)
    assert any(found.rows) and found.bytes > 0
