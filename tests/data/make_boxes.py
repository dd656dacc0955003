#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes boxes.bin: boxes, and what torchvision makes of them, for the tests of padbatch/detection/boxes.hpp and
padbatch/detection/box_iou.hpp.

    apt-get install python3-torch python3-torchvision      # Debian 12: torch 1.13, torchvision 0.14.1
    /usr/bin/python3 make_boxes.py

The file holds arrays: the number of values, a little-endian int32, then the values, little-endian float32, in the
order of `arrays`. Every operation is one rounding after the other, so other versions make the same file.
"""

import argparse
import pathlib

import numpy as np
import torch
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import boxes as ops

INF, NAN = float("inf"), float("nan")
ODD = (
    (0, 0, 640, 480),               # the whole image
    (10, 20, 10, 40),               # without width
    (10, 20, 10, 20),               # a point
    (50, 60, 20, 30),               # inverted
    (-30.5, -12.25, 20.75, 33.5),   # across the left and upper border
    (600.1, 400.2, 700.3, 500.4),   # across the right and lower border
    (1000, 1000, 1100, 1100),       # outside
    (NAN, 5, 30, 40),
    (5, 5, 30, NAN),
    (NAN, NAN, NAN, NAN),
    (-INF, 5, 30, 40),
    (5, 5, INF, INF),
    (-INF, -INF, INF, INF),
    (INF, 5, INF, 6),
    (1e-40, 2e-42, 3e-40, 1e-39),   # subnormal
    (1e30, 1e30, 3e38, 3e38),       # areas overflow
    (0.1, 0.1, 1.1, 1.1),           # not quite 1 wide in float
    (0, 0, 0.1, 0.1),               # 0.1 in float
    (-0.0, -0.0, 7, 9),
)


def some_boxes(random, n, odd):
    """Boxes of every kind, [n, 4] float32."""
    corner = random.uniform(-50, 640, (n, 2))
    size = random.exponential(80, (n, 2))
    boxes = np.concatenate((corner, corner + size), 1).astype(np.float32)
    boxes[: len(odd)] = np.array(odd, np.float32)
    return torch.from_numpy(boxes)


def arrays():
    """The arrays of the file, in order."""
    random = np.random.RandomState(17)
    a = some_boxes(random, 48, ODD)
    b = some_boxes(random, 37, ODD[::2])
    yield a
    yield b
    for from_, to in (("xyxy", "xywh"), ("xyxy", "cxcywh"), ("xywh", "xyxy"), ("xywh", "cxcywh"), ("cxcywh", "xyxy"),
                      ("cxcywh", "xywh")):
        yield ops.box_convert(a, from_, to)
    yield ops.clip_boxes_to_image(a, (480, 640))
    yield ops.clip_boxes_to_image(a, (0, 333))
    yield resize_boxes(a, (480, 640), (800, 1067))
    yield resize_boxes(a, (1067, 799), (333, 1))
    size = torch.tensor((640, 427, 640, 427), dtype=torch.float32)
    yield a / size
    yield a * size
    for least in (0, 0.1, 1, 30.7):
        yield ops.remove_small_boxes(a, least)
    yield ops.box_area(a)
    yield ops.box_iou(a, b)
    yield ops.generalized_box_iou(a, b)


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "boxes.bin")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    out.write_bytes(b"".join(np.array(values.numel(), "<i4").tobytes() + values.numpy().astype("<f4").tobytes()
                             for values in arrays()))
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
