#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes nms.bin: boxes, scores and labels, and which of them torchvision's nms and both forms of its batched_nms keep,
for the test of padbatch/detection/nms.hpp.

    apt-get install python3-torch python3-torchvision      # Debian 12: torch 1.13, torchvision 0.14.1
    /usr/bin/python3 make_nms.py

The file holds little-endian int32 and float32 values: for each case n, the threshold in thousandths, boxes [n, 4],
scores [n], labels [n] (int32), and then three lists, each with its length first: what `nms` keeps, what
`_batched_nms_vanilla` keeps and what `_batched_nms_coordinate_trick` keeps. Scores differ from one another, since
torch's order of equal ones is not defined. Some boxes are inverted, have no area, or are not finite.
"""

import argparse
import pathlib

import numpy as np
import torch
from torchvision.ops import boxes as ops


def rows(random, n, crowd, strange):
    """Boxes around `crowd` places, [n, 4]."""
    centres = random.uniform(0, 640, (crowd, 2))[random.randint(0, crowd, n)] + random.normal(0, 6, (n, 2))
    sizes = random.uniform(10, 90, (n, 2))
    boxes = np.concatenate((centres - sizes / 2, centres + sizes / 2), 1).astype(np.float32)
    if strange:
        boxes[3] = boxes[3][[2, 3, 0, 1]]                   # inverted in both directions: its area is positive
        boxes[5] = boxes[5][[2, 1, 0, 3]]                   # inverted in one
        boxes[7, 2:] = boxes[7, :2]                         # a point
        boxes[8] = boxes[7]                                 # the same point: 0 / 0
        boxes[11, 2] = boxes[11, 0]                         # a line
        boxes[13] = boxes[12]                               # the same box
        boxes[17] = (-np.inf, 0, np.inf, 50)
        boxes[19] = (0, 0, 3e38, 3e38)                      # an infinite area
    return boxes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).with_name("nms.bin"))
    output = parser.parse_args().output
    random = np.random.RandomState(7)
    data = []
    for n, crowd, threshold, strange in ((1, 1, 500, False), (40, 4, 500, True), (120, 9, 300, False),
                                         (160, 30, 700, False), (200, 12, 450, True), (64, 8, 0, False),
                                         (64, 8, 1000, True)):
        boxes = rows(random, n, crowd, strange)
        scores = (random.permutation(n).astype(np.float32) + 1) / np.float32(n + 1)
        labels = random.randint(0, 5, n).astype(np.int64)
        given = torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(labels)
        kept = [ops.nms(given[0], given[1], threshold / 1000), ops._batched_nms_vanilla(*given, threshold / 1000)]
        # Infinite coordinates make torchvision's distance infinite, and 0 * inf no number.
        kept.append(ops._batched_nms_coordinate_trick(*given, threshold / 1000))
        data += [np.array((n, threshold), "<i4"), boxes.astype("<f4"), scores.astype("<f4"), labels.astype("<i4")]
        for each in kept:
            data += [np.array([len(each)], "<i4"), each.numpy().astype("<i4")]
    output.write_bytes(b"".join(part.tobytes() for part in data))


if __name__ == "__main__":
    main()
