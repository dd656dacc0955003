# SPDX-License-Identifier: Apache-2.0
"""Raw heads: what a YOLO or DETR gives that was exported without its post-processing.

A `Head` says what the numbers are and which detections are wanted; `decode_head` makes these. The words are those of
docs/raw-heads.md: B images, A anchors (or Q queries), C classes.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

__all__ = ["EVERY_SCORE", "Head", "boxes_scores", "detr_sigmoid", "detr_softmax", "yolov5", "yolov5_seg", "yolov8",
           "yolov8_pose", "yolov8_seg", "yolox"]

EVERY_SCORE = -3.4028234663852886e+38
"""As `score_above`: every number is a score, also those below 0."""

BOXES = ("xyxy", "xywh", "cxcywh", "yxyx")
SCORES = ("plain", "sigmoid", "softmax")
SUPPRESSIONS = ("shifted", "class_by_class", "all_together", "none")
_COUNTS = ("classes", "anchors", "coefficients", "points", "point_numbers", "height", "width", "at_most")
_FLAGS = ("anchors_last", "objectness", "last_is_none", "normalized", "every_class")
_WORDS = {"boxes": BOXES, "scores": SCORES, "suppression": SUPPRESSIONS}


def _whole(name: str, value: Any) -> int:
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        number = -1
    if not 0 <= number < 2**63:
        raise ValueError(f"{name} is {value!r}; expected a whole number from 0 on")
    return number


@dataclasses.dataclass(frozen=True, kw_only=True)
class Head:
    """What the numbers of a raw head are, and which detections are wanted.

    The columns of an anchor are, in this order: 4 of its box, 1 objectness if there is one, the classes, and what
    `coefficients` or `points` say. Make one with a function of this module, and change what differs:
    `dataclasses.replace(heads.yolov8(80), anchors_last=False)`. Raises ValueError for what is no such number or word.
    """

    classes: int
    """C, without the one that is none."""
    anchors: int = 0
    """A; 0 if any number will do."""
    anchors_last: bool = False
    """`[B, columns, A]` rather than `[B, A, columns]`. If boxes have an array of their own: of the scores."""
    objectness: bool = False
    """Whether all scores of an anchor are multiplied by an objectness. Class scores are then at most 1."""
    boxes: str = "cxcywh"
    """"xyxy", "xywh", "cxcywh" or "yxyx"."""
    scores: str = "plain"
    """What makes scores of the numbers: "plain" (they are scores), "sigmoid", or "softmax" over an anchor's classes."""
    last_is_none: bool = False
    """Whether there is one more class column, the last, which is none."""
    coefficients: int = 0
    """P, the mask coefficients behind the classes."""
    points: int = 0
    """K, the keypoints behind the classes."""
    point_numbers: int = 3
    """The numbers of a keypoint, 2 or 3."""
    normalized: bool = False
    """Whether boxes are fractions of an image of `height` and `width` pixels."""
    height: int = 0
    """Of the image that the model was given, in pixels; needed with `normalized` and `strides`."""
    width: int = 0
    strides: Sequence[int] = ()
    """If given, up to 8: boxes are offsets from grids of cells, (xy + cell) x stride and exp(wh) x stride."""
    score_above: float = 0.25
    """Scores must be above this; finite."""
    iou_above: float = 0.7
    """A box is dropped if its intersection over union with a better one is above this; from 0 to 1."""
    at_most: int = 300
    """The most detections of an image: the best."""
    suppression: str = "shifted"
    """Which boxes can drop each other: "shifted" (those that still overlap when label x 7680 is added to all
    coordinates, as Ultralytics does), "class_by_class", "all_together", "none"."""
    every_class: bool = False
    """Whether each class of an anchor can be a detection, and not only the best."""
    only: Sequence[int] = ()
    """The labels that are wanted; empty for all."""
    without: Sequence[int] = ()
    """The labels that are not wanted."""

    def __post_init__(self) -> None:
        for name in _COUNTS:
            object.__setattr__(self, name, _whole(name, getattr(self, name)))
        for name in _FLAGS:
            object.__setattr__(self, name, bool(getattr(self, name)))
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected {', '.join(map(repr, words[:-1]))} or "
                                 f"{words[-1]!r}")
        for name in ("strides", "only", "without"):
            object.__setattr__(self, name, tuple(_whole(f"{name}[{k}]", value)
                                                 for k, value in enumerate(getattr(self, name))))
        if len(self.strides) > 8 or 0 in self.strides:
            raise ValueError(f"strides are {self.strides}; expected up to 8 of them, each 1 or more")
        for name in ("score_above", "iou_above"):
            try:
                object.__setattr__(self, name, float(getattr(self, name)))
            except (TypeError, ValueError):
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected a number") from None


def yolov8(classes: int, **options: Any) -> Head:
    """`[B, 4 + C, A]` of YOLOv8 to 12: center and size in pixels, class scores. `options`: other fields of `Head`."""
    return Head(classes=classes, **{"anchors_last": True} | options)


def yolov8_seg(classes: int, coefficients: int = 32, **options: Any) -> Head:
    """The same with mask coefficients behind: `[B, 4 + C + P, A]`."""
    return yolov8(classes, coefficients=coefficients, **options)


def yolov8_pose(classes: int, points: int, point_numbers: int = 3, **options: Any) -> Head:
    """The same with K keypoints of 2 or 3 numbers behind: `[B, 4 + C + K * numbers, A]`."""
    return yolov8(classes, points=points, point_numbers=point_numbers, **options)


def yolov5(classes: int, **options: Any) -> Head:
    """`[B, A, 5 + C]` of YOLOv5 and YOLOv7: center and size in pixels, objectness, class scores."""
    return Head(classes=classes, **{"objectness": True} | options)


def yolov5_seg(classes: int, coefficients: int = 32, **options: Any) -> Head:
    """The same with mask coefficients behind: `[B, A, 5 + C + P]`."""
    return yolov5(classes, coefficients=coefficients, **options)


def yolox(classes: int, image_size: tuple[int, int], strides: Sequence[int] = (8, 16, 32), **options: Any) -> Head:
    """`[B, A, 5 + C]` of YOLOX, whose boxes nothing has decoded yet, for an image of (height, width) pixels."""
    height, width = image_size
    return yolov5(classes, height=height, width=width, strides=strides, **options)


def boxes_scores(classes: int, boxes: str = "xyxy", **options: Any) -> Head:
    """Boxes `[B, A, 4]` in pixels and class scores `[B, A, C]`, or both in one `[B, A, 4 + C]`."""
    return Head(classes=classes, boxes=boxes, **options)


def detr_sigmoid(classes: int, queries: int, image_size: tuple[int, int], **options: Any) -> Head:
    """Boxes `[B, Q, 4]`, centers and sizes as fractions of an image of (height, width) pixels, and logits `[B, Q, C]`.

    Deformable DETR, RT-DETR. The best pairs of query and class are taken, no more than queries; nothing is dropped.
    """
    height, width = image_size
    chosen = {"anchors": queries, "scores": "sigmoid", "normalized": True, "height": height, "width": width,
              "score_above": EVERY_SCORE, "suppression": "none", "every_class": True, "at_most": min(queries, 300)}
    return Head(classes=classes, **chosen | options)


def detr_softmax(classes: int, queries: int, image_size: tuple[int, int], **options: Any) -> Head:
    """The same with logits `[B, Q, C + 1]` for a softmax, whose last class is none: DETR.

    The best class of each query is taken.
    """
    chosen = {"scores": "softmax", "last_is_none": True, "every_class": False}
    return detr_sigmoid(classes, queries, image_size, **chosen | options)
