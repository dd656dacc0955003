# SPDX-License-Identifier: Apache-2.0
"""Images that are PIL's."""

import numpy as np
import PIL.Image
import pytest

from detector_models import detector, images

MODEL = "faster_rcnn_tv029_b1_tensor_op16.onnx"


def test_rgb_pictures_are_taken_as_arrays_are():
    detect = detector(MODEL, dynamic_batch=True)
    scenes = [(scene * 255).astype(np.uint8) for scene in images([4, 6, 2])]
    found = detect([PIL.Image.fromarray(scene) for scene in scenes])
    assert sum(map(len, found)) > 0
    for image, plain in zip(found, detect(scenes)):
        assert image.boxes.tobytes() == plain.boxes.tobytes() and image.scores.tobytes() == plain.scores.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"])
def test_other_modes_are_refused(mode):
    with pytest.raises(ValueError, match=rf"image 0 is an image of mode '{mode}'; expected 'RGB'"):
        detector(MODEL)([PIL.Image.new(mode, (80, 64))])
