# SPDX-License-Identifier: Apache-2.0
"""Suppression of boxes that overlap better ones."""

from __future__ import annotations

from typing import Literal

from padbatch import _arrays
from padbatch.ops._typing import ArrayT


def nms(boxes: ArrayT, scores: ArrayT, iou_threshold: float, *, at_most: int | None = None) -> ArrayT:
    """Non-maximum suppression: the numbers of the boxes to keep, as `torchvision.ops.nms` returns them.

    Boxes are taken in the order of their scores, the highest first; of equal scores the earlier is first, and NaN is
    below every number. A box is kept unless its IoU with one kept before it is over the threshold. The IoU is a
    float32, inter / (area + area - inter), compared as a double. One that is no number, such as 0 / 0 of boxes without
    area, suppresses nothing. (Torchvision takes a score of NaN for the highest. All else is the same, bit for bit.)

    Args:
        boxes: [n, 4], x1, y1, x2, y2 in pixels, float32.
        scores: [n], float32.
        iou_threshold: from 0 to 1.
        at_most: stop after so many boxes.

    Returns:
        [k], int64, in the order of the scores.

    Raises:
        TypeError: an argument is no array, or not float32. Nothing is rounded to float32 here, since boxes that are
            rounded may keep other rows.
        ValueError: shapes that do not fit, a threshold out of range, memory of a GPU.

    Source: `nms_kernel_impl`, torchvision/csrc/ops/cpu/nms_kernel.cpp.
    """
    return _arrays.nms(boxes, scores, iou_threshold, at_most)


def batched_nms(
    boxes: ArrayT,
    scores: ArrayT,
    idxs: ArrayT,
    iou_threshold: float,
    *,
    definition: Literal["torchvision", "per_class", "coordinate_trick"] | float = "torchvision",
    at_most: int | None = None,
) -> ArrayT:
    """Non-maximum suppression of each class by itself: the numbers of the boxes to keep.

    There are two definitions, which differ by rounding and for boxes with negative coordinates:

    - "per_class": class by class, exactly. Torchvision's `_batched_nms_vanilla`, which it uses for more than 1000 boxes.
    - "coordinate_trick": all boxes at once, after they were moved by class * (largest coordinate + 1), in float32.
      Torchvision's `_batched_nms_coordinate_trick`, which it uses for up to 1000 boxes and in models that it exports.
    - "torchvision", the default: the one of the two that `torchvision.ops.batched_nms` uses for so many boxes on a CPU;
      the result is torchvision's (which, for more than 1000 boxes, leaves the order of equal scores open; here the
      earlier box is first).
    - a number: boxes are moved by class * so many pixels, in float32. 7680 is that of Ultralytics' exports.

    Args:
        boxes: [n, 4], x1, y1, x2, y2 in pixels, float32.
        scores: [n], float32.
        idxs: [n], the class of each box: integers of any type, or floats that are whole numbers.
        iou_threshold: from 0 to 1.
        definition: see above.
        at_most: stop after so many boxes, of all classes together.

    Returns:
        [k], int64, in the order of the scores.

    Raises:
        TypeError, ValueError: as `nms`.

    Source: torchvision/ops/boxes.py; Ultralytics' `non_max_suppression`.
    """
    return _arrays.batched_nms(boxes, scores, idxs, iou_threshold, definition, at_most)


def soft_nms(
    boxes: ArrayT,
    scores: ArrayT,
    *,
    sigma: float | None = None,
    iou_threshold: float | None = None,
    score_floor: float = 0.001,
    at_most: int | None = None,
) -> tuple[ArrayT, ArrayT]:
    """Soft suppression: boxes that overlap a better one are not dropped, but lose a part of their score.

    The box with the highest score is taken, the earlier of equal ones; then the scores of all that are left decay, and
    so on. Give one of `sigma` and `iou_threshold`:

    - `sigma`: score * exp(-iou^2 / sigma). The authors use 0.5.
    - `iou_threshold`: score * (1 - iou) where the IoU is over the threshold, from 0 to 1.

    Boxes whose score is below the floor are dropped, before the first is taken and after each; so is NaN.

    Args:
        boxes: [n, 4], x1, y1, x2, y2 in pixels, float32.
        scores: [n], float32.
        sigma: at least 1e-30.
        iou_threshold: from 0 to 1.
        score_floor: 0 or more.
        at_most: stop after so many boxes.

    Returns:
        The numbers of the boxes, [k], int64, in the order in which they were taken, and what was left of the score of
        each then, [k], float32.

    Raises:
        TypeError: both or neither of `sigma` and `iou_threshold` are given; or as `nms`.
        ValueError: as `nms`; `sigma` or `score_floor` is out of range.

    Source: Bodla, Singh, Chellappa, Davis: Soft-NMS, 2017, section 3; widths are x2 - x1.
    """
    if (sigma is None) == (iou_threshold is None):
        found = "neither sigma nor iou_threshold" if sigma is None else "both sigma and iou_threshold"
        raise TypeError(f"soft_nms was given {found}; expected one: sigma=0.5 for exp(-iou^2 / sigma), "
                        "iou_threshold=0.3 for 1 - iou")
    indices, left = _arrays.soft_nms(boxes, scores, iou_threshold, sigma, score_floor, at_most)
    return indices, left
