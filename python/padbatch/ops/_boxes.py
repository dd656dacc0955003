# SPDX-License-Identifier: Apache-2.0
"""Boxes: formats, borders, sizes, areas and overlaps."""

from __future__ import annotations

from typing import Literal

from padbatch import _arrays
from padbatch._arrays import Letterbox as Letterbox  # public by way of padbatch.ops
from padbatch.ops._typing import ArrayT

BoxFormat = Literal["xyxy", "xywh", "cxcywh", "yxyx"]


def box_convert(boxes: ArrayT, in_fmt: BoxFormat, out_fmt: BoxFormat) -> ArrayT:
    """Boxes in another format, as `torchvision.ops.box_convert`.

    By way of corners: width = x2 - x1, centre = (x1 + x2) / 2, x1 = centre - 0.5 * width, x2 = x1 + width. Between
    equal formats nothing changes.

    Args:
        boxes: [..., 4], float32.
        in_fmt, out_fmt: "xyxy" (two corners), "xywh" (a corner and the size, COCO's), "cxcywh" (the centre and the
            size, YOLO's) or "yxyx" (two corners, TensorFlow's; torchvision does not have it).

    Returns:
        New boxes of the same shape.
    """
    return _arrays.box_convert(boxes, in_fmt, out_fmt)


def clip_boxes_to_image(boxes: ArrayT, size: tuple[int, int]) -> ArrayT:
    """Corners moved into the image, x to [0, width] and y to [0, height], as `torchvision.ops.clip_boxes_to_image`.

    NaN stays NaN.

    Args:
        boxes: [..., 4], x1, y1, x2, y2 in pixels, float32.
        size: (height, width) of the image.

    Returns:
        New boxes of the same shape.
    """
    return _arrays.clip_boxes_to_image(boxes, size)


def resize_boxes(boxes: ArrayT, original_size: tuple[int, int], new_size: tuple[int, int]) -> ArrayT:
    """Boxes of an image that was resized: x * (new width / original width), y * (new height / original height), where
    the ratios are float32.

    Args:
        boxes: [..., 4], x1, y1, x2, y2 in pixels, float32.
        original_size, new_size: (height, width). A side of the first has 1 pixel or more.

    Returns:
        New boxes of the same shape.

    Source: `resize_boxes`, torchvision/models/detection/transform.py.
    """
    return _arrays.resize_boxes(boxes, original_size, new_size)


def normalize_boxes(boxes: ArrayT, size: tuple[int, int]) -> ArrayT:
    """Pixels to parts of the image: x / width, y / height, as DETR's `Normalize`.

    Args:
        boxes: [..., 4], numbers in the order x, y, x, y (xyxy, xywh, cxcywh), float32.
        size: (height, width), 1 pixel or more.

    Returns:
        New boxes of the same shape.
    """
    return _arrays.normalize_boxes(boxes, size)


def unnormalize_boxes(boxes: ArrayT, size: tuple[int, int]) -> ArrayT:
    """Parts of the image to pixels: x * width, y * height, as DETR's `PostProcess`.

    Args:
        boxes: [..., 4], numbers in the order x, y, x, y (xyxy, xywh, cxcywh), float32.
        size: (height, width), 1 pixel or more.

    Returns:
        New boxes of the same shape.
    """
    return _arrays.unnormalize_boxes(boxes, size)


def scale_boxes(boxes: ArrayT, sx: float, sy: float) -> ArrayT:
    """x and widths times `sx`, y and heights times `sy`.

    Args:
        boxes: [..., 4], numbers in the order x, y, x, y (xyxy, xywh, cxcywh), float32.
        sx, sy: finite numbers, used as float32.

    Returns:
        New boxes of the same shape.
    """
    return _arrays.scale_boxes(boxes, sx, sy)


def shift_boxes(boxes: ArrayT, dx: float, dy: float) -> ArrayT:
    """Corners plus `dx` and `dy`.

    Args:
        boxes: [..., 4], x1, y1, x2, y2, float32.
        dx, dy: finite numbers of pixels, used as float32.

    Returns:
        New boxes of the same shape.
    """
    return _arrays.shift_boxes(boxes, dx, dy)


def box_area(boxes: ArrayT) -> ArrayT:
    """Areas, (x2 - x1) * (y2 - y1), as `torchvision.ops.box_area`.

    Args:
        boxes: [n, 4], x1, y1, x2, y2, float32.

    Returns:
        [n], float32. Inverted boxes have areas of either sign.
    """
    return _arrays.box_area(boxes)


def box_iou(boxes1: ArrayT, boxes2: ArrayT) -> ArrayT:
    """Intersection over union of each box of the first with each of the second, as `torchvision.ops.box_iou`:
    inter / (area + area - inter), in float32. 0 / 0 is NaN.

    Args:
        boxes1: [n, 4], x1, y1, x2, y2, float32.
        boxes2: [m, 4], the same.

    Returns:
        [n, m], float32.
    """
    return _arrays.box_iou(boxes1, boxes2)


def generalized_box_iou(boxes1: ArrayT, boxes2: ArrayT) -> ArrayT:
    """Generalised IoU, as `torchvision.ops.generalized_box_iou`: IoU - (hull - union) / hull, where the hull is the
    smallest box around both.

    Args:
        boxes1: [n, 4], x1, y1, x2, y2, float32.
        boxes2: [m, 4], the same.

    Returns:
        [n, m], float32.
    """
    return _arrays.generalized_box_iou(boxes1, boxes2)


def remove_small_boxes(boxes: ArrayT, min_size: float) -> ArrayT:
    """The numbers of boxes with x2 - x1 >= `min_size` and y2 - y1 >= `min_size`, as
    `torchvision.ops.remove_small_boxes`. Boxes with NaN are left out.

    Args:
        boxes: [n, 4], x1, y1, x2, y2, float32.
        min_size: a finite number of pixels, used as float32.

    Returns:
        [k], int64, ascending.
    """
    return _arrays.remove_small_boxes(boxes, min_size)


def remove_degenerate_boxes(boxes: ArrayT) -> ArrayT:
    """The numbers of boxes with x2 > x1 and y2 > y1: without those that are inverted, have no area or contain NaN.

    Args:
        boxes: [n, 4], x1, y1, x2, y2, float32.

    Returns:
        [k], int64, ascending.
    """
    return _arrays.remove_degenerate_boxes(boxes)


def letterbox_boxes(boxes: ArrayT, letterbox: Letterbox) -> ArrayT:
    """Corners in the image to corners in the letterbox: x * gain_x + left, y * gain_y + top, as Ultralytics does with
    the labels of its training data.

    Args:
        boxes: [..., 4], x1, y1, x2, y2 in pixels of the image, float32.
        letterbox: how the image was fitted: `Letterbox((1080, 1920), (640, 640))`.

    Returns:
        New boxes of the same shape, in pixels of the model's input.
    """
    return _arrays.letterbox_boxes(boxes, letterbox)


def unletterbox_boxes(boxes: ArrayT, letterbox: Letterbox) -> ArrayT:
    """Corners that a model found in the letterbox to corners in the image: (x - left) / gain_x, clipped to [0, width],
    and the same for y, as `scale_boxes` in ultralytics/utils/ops.py. NaN stays NaN.

    Args:
        boxes: [..., 4], x1, y1, x2, y2 in pixels of the model's input, float32.
        letterbox: how the image was fitted: `Letterbox((1080, 1920), (640, 640))`.

    Returns:
        New boxes of the same shape, in pixels of the image.
    """
    return _arrays.unletterbox_boxes(boxes, letterbox)
