# SPDX-License-Identifier: Apache-2.0
"""Full-size masks, and what can be measured of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from padbatch import _arrays
from padbatch.ops._typing import ArrayT

_TYPES = {"float32": 0, "uint8": 1, "bool": 2}
_KNOWN = {bool: 2, np.bool_: 2, np.uint8: 1, np.float32: 0, **_TYPES}
_KNOWN |= {np.dtype(name): number for name, number in _TYPES.items()}


def element_name(dtype: Any) -> str:
    """The name of NumPy's or torch's element type, such as "float32"."""
    text = str(dtype)
    if text.startswith("torch."):
        return text[len("torch."):]
    try:
        return np.dtype(dtype).name
    except TypeError:
        return repr(dtype)


def checked_threshold(threshold: float) -> float:
    """A threshold of probabilities. Raises ValueError for another number."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold!r}; expected a number above 0 and up to 1, since masks are "
                         "probabilities, which are 0 outside the boxes")
    return float(threshold)


def _type_number(dtype: Any) -> int:
    try:
        return _KNOWN[dtype]
    except (KeyError, TypeError):
        pass
    name = element_name(dtype)
    if name not in _TYPES:
        raise ValueError(f"dtype is {name}; expected float32, for the values themselves, or uint8 or bool, for 0 and 1")
    return _TYPES[name]


def paste_masks(
    masks: ArrayT,
    boxes: ArrayT,
    image_size: tuple[int, int],
    *,
    threshold: float | None = None,
    dtype: Any = None,
    out: ArrayT | None = None,
) -> ArrayT:
    """Full-size masks from region masks, the last step of a Mask R-CNN: resized to their boxes, pasted into the image.

    The formula is that of torchvision's `paste_masks_in_image`, whose versions differ from one another by about 1e-6. A
    box that covers no pixel of the image, or is not finite, gives a mask of zeros.

    Args:
        masks: [n, h, w] or [n, 1, h, w], probabilities, float32; h and w are 28 in most models.
        boxes: [n, 4], x1, y1, x2, y2 in pixels of the image, float32.
        image_size: (height, width).
        threshold: a pixel belongs to the object from this probability on, above 0 and up to 1. 0.5 unless given.
        dtype: float32 for the probabilities themselves; uint8 or bool for 1 where they reach the threshold. Without it,
            bool if there is a threshold, else float32.
        out: memory to write to, contiguous, of the result's shape and one of these types.

    Returns:
        [n, height, width], or [n, 1, height, width] if `masks` have the 1 too: `out`, or new memory, which is touched
        inside the boxes only; the system zeroes the rest when it is read.

    Raises:
        TypeError: arrays of other types.
        ValueError: shapes that do not go together, a threshold that is out of range or for float masks, an `out` that
            cannot be written or overlaps what is read.
    """
    if out is not None and not hasattr(out, "dtype"):
        raise TypeError(f"out is of type {type(out).__name__}; expected a NumPy array or a tensor")
    if dtype is None:
        dtype = out.dtype if out is not None else "float32" if threshold is None else "bool"
    elif out is not None:
        raise ValueError(f"dtype is {element_name(dtype)}, and out has a type of its own; expected one of the two: "
                         "leave dtype out")
    number = _type_number(dtype)
    if number == 0 and threshold is not None:
        raise ValueError(f"threshold is {threshold!r}, but float masks are the probabilities themselves; expected "
                         "uint8 or bool masks, or no threshold")
    least = 0.5 if threshold is None else checked_threshold(threshold)
    if out is not None:
        _arrays.paste_masks_out(masks, boxes, out, image_size, least)
        return out
    return _arrays.paste_masks(masks, boxes, image_size, number, least)


def paste_masks_in_image(masks: ArrayT, boxes: ArrayT, img_shape: tuple[int, int], padding: int = 1) -> ArrayT:
    """`paste_masks` by the name that torchvision has for it.

    Values differ by up to 1.5e-6 from torchvision's, whose own versions differ by as much.

    Args:
        masks: [n, 1, h, w], probabilities, float32.
        boxes: [n, 4], x1, y1, x2, y2 in pixels of the image, float32.
        img_shape: (height, width).
        padding: the cells of zeros around each region mask: 1, as in torchvision's models.

    Returns:
        [n, 1, height, width], float32.

    Raises:
        TypeError, ValueError: as `paste_masks`; another padding than 1.

    Source: torchvision/models/detection/roi_heads.py.
    """
    if padding != 1:
        raise ValueError(f"padding is {padding!r}; expected 1, as in torchvision's models")
    if len(getattr(masks, "shape", ())) == 3:
        raise ValueError(f"masks have the shape {list(masks.shape)}; expected [n, 1, h, w]: for [n, h, w] take "
                         "paste_masks")
    return paste_masks(masks, boxes, img_shape)


def masks_to_boxes(masks: ArrayT) -> ArrayT:
    """The tight box around each mask, as `torchvision.ops.masks_to_boxes`.

    x2 and y2 are the last pixels themselves, so that a mask of one pixel has a box without width. The box of an empty
    mask is 0, 0, 0, 0. (Torchvision raises an error.)

    Args:
        masks: [n, H, W] or [n, 1, H, W], bool, uint8 or float32. Pixels that are not 0 belong to the object.

    Returns:
        [n, 4], float32: the first and the last column and row with such a pixel, as x1, y1, x2, y2.
    """
    return _arrays.masks_to_boxes(masks)


def mask_areas(masks: ArrayT) -> ArrayT:
    """The number of pixels of each mask that are not 0.

    Args:
        masks: [n, H, W] or [n, 1, H, W], bool, uint8 or float32.

    Returns:
        [n], int64.
    """
    return _arrays.mask_areas(masks)


def prototype_masks(
    prototypes: ArrayT,
    coefficients: ArrayT,
    boxes: ArrayT,
    image_size: tuple[int, int],
    *,
    dtype: Any = bool,
) -> ArrayT:
    """Masks of a YOLO segmentation model: cut to the boxes at the resolution of the prototypes, then resized.

    A mask is the sum of the prototypes, each times its coefficient, resized (bilinear) to the image, where it is above
    0. Sums add in the order of the prototypes, in float32: PyTorch's differ by up to 2e-6 of sums near 1.

    Args:
        prototypes: [P, h, w], those of one image, float32.
        coefficients: [n, P], float32: `mask_coefficients` of `decode_head`.
        boxes: [n, 4], x1, y1, x2, y2 in pixels, float32.
        image_size: (height, width) of the model's input.
        dtype: bool or uint8; float32 for the sums themselves, 0 outside the boxes.

    Returns:
        [n, height, width].

    Raises:
        TypeError, ValueError: arrays of other types; shapes that do not go together.

    Source: `process_mask(..., upsample=True)`, ultralytics/utils/ops.py, release 8.3.0.
    """
    return _arrays.prototype_masks(prototypes, coefficients, boxes, image_size, _type_number(dtype), False)


def prototype_masks_native(
    prototypes: ArrayT,
    coefficients: ArrayT,
    boxes: ArrayT,
    image_size: tuple[int, int],
    *,
    dtype: Any = bool,
) -> ArrayT:
    """Masks of a YOLO segmentation model: resized to the original image, without its letterbox, then cut to the boxes.

    Args:
        prototypes, coefficients, dtype: as for `prototype_masks`.
        boxes: [n, 4], x1, y1, x2, y2 in pixels of the original image, float32.
        image_size: (height, width) of the original image. The border that letterboxing added to it is left out of the
            prototypes.

    Returns:
        [n, height, width].

    Raises:
        TypeError, ValueError: as `prototype_masks`.

    Source: `process_mask_native`, ultralytics/utils/ops.py, release 8.3.0. (`process_mask` of release 8.4.190 is this
    with the size of the model's input.)
    """
    return _arrays.prototype_masks(prototypes, coefficients, boxes, image_size, _type_number(dtype), True)
