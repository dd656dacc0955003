# SPDX-License-Identifier: Apache-2.0
"""COCO's run lengths of masks, as pycocotools.mask makes and reads them.

A mask is a dict `{"size": [height, width], "counts": ...}`. Its pixels are read column by column, from the top down;
counts are the lengths of runs of equal pixels, the first of zeros. They are COCO's compressed string, or a list of
numbers. All functions take both, strings as str or bytes, and refuse what is no mask of that size with a ValueError.

What is different from pycocotools.mask:

| | pycocotools | here |
|---|---|---|
| masks | `[H, W, n]` in Fortran's order, uint8 | `[n, H, W]`, as models give them, uint8 or bool |
| counts that are made | bytes | str, which JSON takes; bytes or a list with `counts=bytes`, `counts=list` |
| pixels of 2, 3, ... | a run begins where the byte changes | all that are not 0 belong to the object |
| `area` | uint32 | int64 |
| `toBbox` | | `to_bbox` |
| `iou` of boxes | | `padbatch.ops.box_iou` |
| masks of several sizes in `iou`, `merge`, `decode` | an IoU of -1, an empty union | ValueError |
| `frPyObjects` | makes run lengths of polygons | is not here: the functions take what pycocotools makes |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from padbatch import _arrays
from padbatch.ops._masks import checked_threshold, element_name

__all__ = ["Rle", "area", "decode", "encode", "encode_regions", "iou", "merge", "to_bbox"]

Rle = dict[str, Any]
"""`{"size": [height, width], "counts": str, bytes or a list of numbers}`"""

_FORMS = {str: 0, bytes: 1, list: 2}


def _form(counts: type) -> int:
    if counts not in (str, bytes, list):
        raise ValueError(f"counts is {counts!r}; expected str, bytes or list, the type that counts get")
    return _FORMS[counts]


def encode(masks: Any, *, counts: type = str) -> Any:
    """The run lengths of full masks.

    Args:
        masks: [n, H, W] or [n, 1, H, W], uint8 or bool, of NumPy or torch; or one mask, [H, W].
        counts: the type that counts get: str, bytes or list.

    Returns:
        A list of n dicts; a dict of one mask [H, W].
    """
    form = _form(counts)
    if len(getattr(masks, "shape", ())) == 2:
        return _arrays.rle_encode(masks[None], form)[0]
    return _arrays.rle_encode(masks, form)


def encode_regions(
    masks: Any,
    boxes: Any,
    image_size: tuple[int, int],
    *,
    threshold: float = 0.5,
    counts: type = str,
) -> list[Rle]:
    """The run lengths of what `paste_masks` makes of region masks, pixel by pixel, without making it.

    Costs what is inside the boxes.

    Args:
        masks: [n, h, w] or [n, 1, h, w], probabilities, float32.
        boxes: [n, 4], x1, y1, x2, y2 in pixels of the image, float32.
        image_size: (height, width).
        threshold: a pixel belongs to the object from this probability on, above 0 and up to 1.
        counts: the type that counts get: str, bytes or list.

    Returns:
        A list of n dicts: `encode(paste_masks(masks, boxes, image_size, threshold=threshold))`.
    """
    return _arrays.rle_encode_regions(masks, boxes, image_size, checked_threshold(threshold), _form(counts))


def decode(rles: Rle | Sequence[Rle], *, dtype: Any = np.uint8) -> np.ndarray[Any, Any]:
    """The pixels of masks, 0 and 1.

    Args:
        rles: masks of one size, one or more; or one dict.
        dtype: uint8 or bool.

    Returns:
        [n, H, W]; [H, W] of one dict.
    """
    as_bool = dtype is bool
    if not as_bool and dtype is not np.uint8:
        name = element_name(dtype)
        if name not in ("uint8", "bool"):
            raise ValueError(f"dtype is {name}; expected uint8 or bool")
        as_bool = name == "bool"
    if isinstance(rles, dict):
        return _arrays.rle_decode([rles], as_bool)[0]
    return _arrays.rle_decode(rles, as_bool)


def merge(rles: Sequence[Rle], intersect: bool = False, *, counts: type = str) -> Rle:
    """The union of masks of one size, or their intersection.

    Args:
        rles: one mask or more.
        intersect: whether a pixel has to be in all masks, and not in any.
        counts: the type that counts get: str, bytes or list.
    """
    return _arrays.rle_merge(_listed("rles", rles), bool(intersect), _form(counts))[0]


@overload
def area(rles: Rle) -> int: ...
@overload
def area(rles: Sequence[Rle]) -> np.ndarray[Any, Any]: ...
def area(rles: Rle | Sequence[Rle]) -> int | np.ndarray[Any, Any]:
    """The number of pixels of each object.

    Args:
        rles: masks, also of several sizes; or one dict.

    Returns:
        [n], int64; an int of one dict.
    """
    if isinstance(rles, dict):
        return int(_arrays.rle_areas([rles])[0])
    return _arrays.rle_areas(rles)


def to_bbox(rles: Rle | Sequence[Rle]) -> np.ndarray[Any, Any]:
    """The smallest box around each object, as COCO has boxes; all 0 for an empty mask.

    Runs of length 0 do not count. (Pycocotools takes them for pixels; `encode` makes none but the first.)

    Args:
        rles: masks, also of several sizes; or one dict.

    Returns:
        [n, 4], float64: x, y, width and height in pixels; [4] of one dict.
    """
    if isinstance(rles, dict):
        return _arrays.rle_boxes([rles])[0]
    return _arrays.rle_boxes(rles)


def iou(dt: Sequence[Rle], gt: Sequence[Rle], pyiscrowd: Any = None) -> np.ndarray[Any, Any]:
    """How much each detection and each truth overlap: pixels in both masks / pixels in either.

    0 where masks share no pixel. As pycocotools computes it, to the last bit.

    Args:
        dt, gt: detections and truths, masks of one size.
        pyiscrowd: [G], 1 for a truth that is a crowd, else 0: there, pixels in both / pixels of the detection.

    Returns:
        [D, G], float64.
    """
    crowds = None if pyiscrowd is None else np.asanyarray(pyiscrowd)
    return _arrays.rle_iou(_listed("dt", dt), _listed("gt", gt), crowds)


def _listed(name: str, rles: Sequence[Rle]) -> Sequence[Rle]:
    if isinstance(rles, dict):
        raise TypeError(f"{name} is one mask; expected a list of them: put it into one")
    return rles
