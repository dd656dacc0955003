# SPDX-License-Identifier: Apache-2.0
"""Detections from raw heads."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Generic

from padbatch import _arrays
from padbatch.ops._typing import ArrayT
from padbatch.ops.heads import Head


@functools.lru_cache(maxsize=64, typed=True)
def _described(head: Head, **selection: Any) -> tuple[_arrays.DescribedHead, bool]:
    """The head with other values of some fields, and whether keypoints follow its labels."""
    changed = dataclasses.replace(head, **selection) if selection else head
    return _arrays.DescribedHead(changed), changed.points != 0 and changed.coefficients == 0


@dataclasses.dataclass(frozen=True, eq=False)
class HeadDetections(Generic[ArrayT]):
    """The detections of one image, the best first; `len` is how many. New arrays."""

    boxes: ArrayT
    """[n, 4], float32: x1, y1, x2, y2 in pixels of the model's input."""
    scores: ArrayT
    """[n], float32."""
    labels: ArrayT
    """[n], int64: the number of the class, from 0 on."""
    mask_coefficients: ArrayT | None = None
    """[n, P], float32, for `prototype_masks`; None if the head has none."""
    keypoints: ArrayT | None = None
    """[n, K, 3], float32: x, y in pixels and visibility, 1 where the head has none; None if the head has no points."""

    def __len__(self) -> int:
        return len(self.scores)


def decode_head(output: ArrayT | Sequence[ArrayT], head: Head, **selection: Any) -> list[HeadDetections[ArrayT]]:
    """The detections of each image, from what a model gave that was exported without its post-processing.

        for image in decode_head(output, heads.yolov8(80), score_above=0.4, at_most=100):
            print(image.boxes, image.scores, image.labels)

    The result is that of the graph that `onnx-pad-outputs --from raw` writes, the same rows in the same order, bit for
    bit. (Where a sigmoid, a softmax or YOLOX's exp is computed here, it is the C library's: scores then differ from an
    engine's in their last bits.)

    1. A score is the number, its sigmoid or softmax, times the objectness. The candidate of an anchor is its best
       class, the first of equal ones; with `every_class` each class is one. NaN is no score.
    2. Candidates are above `score_above`, with a label that `only` or `without` leaves. The best 30000 go on.
    3. Boxes become corners in pixels, and suppress each other as `suppression` says, where their IoU, a float32, is
       above `iou_above`.
    4. The best `at_most` are left, the best first.

    Args:
        output: [B, columns, A] or [B, A, columns]; or a pair (boxes, scores) of a head that has two, where boxes are
            [B, A, 4]. One image may come without its B. float32, float16, bfloat16 or float64, of NumPy or torch.
        head: what the numbers are, and which detections are wanted: `heads.yolov8(80)` and the like.
        selection: fields of `head` that are different in this call.

    Returns:
        B detections.

    Raises:
        TypeError: elements of another type, a field that `Head` does not have.
        ValueError: the output is not such a head, or a number of `head` is out of range.
    """
    if not isinstance(head, Head):
        raise TypeError(f"head is {head!r}; expected one of padbatch.ops.heads, such as heads.yolov8(80)")
    for name in {"only", "without", "strides"} & selection.keys():
        selection[name] = tuple(selection[name])
    described, points_follow = _described(head, **selection)
    scores = None
    if isinstance(output, (tuple, list)):
        if len(output) != 2:
            raise ValueError(f"output has {len(output)} arrays; expected one array, or two: (boxes, scores)")
        output, scores = output
    images = _arrays.decode_head(output, scores, described)
    if points_follow:
        return [HeadDetections(*fields, keypoints=points) for *fields, points in images]
    return [HeadDetections(*fields) for fields in images]
