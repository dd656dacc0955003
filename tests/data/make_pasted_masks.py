#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes pasted_masks.bin: region masks, boxes, and the full masks that torchvision's `paste_masks_in_image` makes of
them, for the test of padbatch/detection/masks.hpp.

    apt-get install python3-torch python3-torchvision      # Debian 12: torch 1.13, torchvision 0.14.1
    /usr/bin/python3 make_pasted_masks.py

The file holds little-endian int32 and float32 values: for each case the numbers n, h, w, H, W, then boxes [n, 4],
region masks [n, h, w] and full masks [n, H, W]. Torch rounds as the processor and its own version suggest, so another
version makes a file that differs in the last bits. Therefore seeds are tried until no value of a full mask lies within
2e-6 of 0.5: whoever is right to 1.5e-6 then finds the same pixels to be part of the object.
"""

import argparse
import itertools
import pathlib

import numpy as np
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image

THRESHOLD, CLEARANCE = 0.5, 2e-6

# (h, w) of the region masks, (H, W) of the image, and boxes x1, y1, x2, y2. Of a box that lies outside, or is far from
# being one, torchvision makes an error or garbage, so there are none here.
CASES = (
    ((28, 28), (56, 72), (
        (10.3, 7.8, 51.6, 44.1),        # inside
        (0, 0, 72, 56),                 # the whole image
        (-30.5, -12.25, 20.75, 33.5),   # across the left and upper border
        (40.2, 30.9, 110.4, 90.3),      # across the right and lower border
        (-400, -300, 500, 420),         # far larger than the image
        (30.1, 20.2, 32.9, 22.4),       # smaller than the region mask
        (25.5, 15.5, 25.5, 40.5),       # without width
        (20, 10, 47.2, 37.2),           # grown, it is 30 pixels wide: the mask is not resized
        (68.4, 1.6, 72, 5.3),           # a corner
    )),
    ((14, 21), (40, 33), (
        (3.7, 2.9, 29.4, 38.6),         # torchvision grows boxes by the width of the mask alone
        (-5.5, 10.1, 12.2, 55.7),
        (15.3, 3.3, 16.1, 30.8),
    )),
)


def full_masks(regions, boxes, size):
    """What torchvision makes, [n, H, W]."""
    return paste_masks_in_image(torch.from_numpy(regions)[:, None], torch.from_numpy(boxes), size).numpy()[:, 0]


def make_case(region, size, boxes):
    """The values of one case."""
    boxes = np.array(boxes, np.float32)
    for seed in itertools.count():
        regions = np.random.RandomState(seed).random_sample((len(boxes), *region)).astype(np.float32)
        full = full_masks(regions, boxes, size)
        if np.abs(full - np.float32(THRESHOLD)).min() > CLEARANCE:
            break
    numbers = np.array((len(boxes), *region, *size), "<i4")
    return b"".join(values.tobytes() for values in (
        numbers, boxes.astype("<f4"), regions.astype("<f4"), full.astype("<f4")))


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "pasted_masks.bin")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    out.write_bytes(b"".join(make_case(*case) for case in CASES))
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
