# SPDX-License-Identifier: Apache-2.0
"""Operations on the detections of an image, on NumPy arrays and CPU tensors.

    from padbatch.ops import nms, batched_nms    # in place of torchvision.ops

What goes in comes out: NumPy arrays give NumPy arrays, torch tensors give torch tensors (the first argument decides),
anything else with DLPack or the buffer protocol gives NumPy arrays. Results are new arrays that own their memory.
Arrays may be read-only and have any strides; those that are not contiguous are copied first. Tensors may require
gradients; results do not. Memory of a GPU is refused.

`rle` has COCO's run lengths, named as in pycocotools.mask; `heads` describes raw heads for `decode_head`.

Names and signatures are torchvision's where it has the operation. Other threads run while a long operation does: the
interpreter's lock is given up for more than some 300 boxes, or 64 kB of masks.
"""

from padbatch._arrays import Letterbox
from padbatch.ops import heads, rle
from padbatch.ops._boxes import (
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    generalized_box_iou,
    letterbox_boxes,
    normalize_boxes,
    remove_degenerate_boxes,
    remove_small_boxes,
    resize_boxes,
    scale_boxes,
    shift_boxes,
    unletterbox_boxes,
    unnormalize_boxes,
)
from padbatch.ops._decode import HeadDetections, decode_head
from padbatch.ops._masks import (
    mask_areas,
    masks_to_boxes,
    paste_masks,
    paste_masks_in_image,
    prototype_masks,
    prototype_masks_native,
)
from padbatch.ops._nms import batched_nms, nms, soft_nms

__all__ = [
    "HeadDetections",
    "Letterbox",
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "decode_head",
    "generalized_box_iou",
    "heads",
    "letterbox_boxes",
    "mask_areas",
    "masks_to_boxes",
    "nms",
    "normalize_boxes",
    "paste_masks",
    "paste_masks_in_image",
    "prototype_masks",
    "prototype_masks_native",
    "remove_degenerate_boxes",
    "remove_small_boxes",
    "resize_boxes",
    "rle",
    "scale_boxes",
    "shift_boxes",
    "soft_nms",
    "unletterbox_boxes",
    "unnormalize_boxes",
]

Letterbox.__module__ = __name__  # where it is public; its stub is where it is made
