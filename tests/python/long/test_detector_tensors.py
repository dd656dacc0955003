# SPDX-License-Identifier: Apache-2.0
"""Images that are PyTorch tensors."""

import numpy as np
import pytest
import torch

from detector_models import detector, images

MODEL = "faster_rcnn_tv029_b1_tensor_op16.onnx"


def test_tensors_are_taken_as_arrays_are():
    detect = detector(MODEL, dynamic_batch=True)
    scenes = images([4, 6, 2])
    expected = [x.boxes for x in detect(scenes)]
    batch = torch.stack([torch.from_numpy(scene.copy()).permute(2, 0, 1) for scene in scenes])
    for given in (batch, batch.double(), [image.permute(1, 2, 0) for image in batch]):
        found = detect(given)
        assert [x.boxes.tobytes() for x in found] == [boxes.tobytes() for boxes in expected]
        assert all(isinstance(x.boxes, np.ndarray) for x in found)
    pixels = (batch * 255).round().to(torch.uint8)
    as_floats = detect(pixels.float().div(255))  # torchvision's to_tensor
    assert [x.boxes.tobytes() for x in detect(pixels)] == [x.boxes.tobytes() for x in as_floats]


def test_what_is_refused():
    detect = detector(MODEL, dynamic_batch=True)
    with pytest.raises(ValueError, match=r"image 0 has the shape \[3, 64, 80\].*transpose"):
        detect([torch.zeros(3, 64, 80)])  # what torchvision's models take
    with pytest.raises(ValueError, match=r"images is in the memory of a device \(meta\).*\.cpu\(\)"):
        detect(torch.zeros(1, 3, 64, 80, device="meta"))
    with pytest.raises(ValueError, match="images is a tensor that requires a gradient"):
        detect(torch.zeros(1, 3, 64, 80, requires_grad=True))
