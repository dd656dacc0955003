#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes soft_nms.bin: boxes, scores, and what soft non-maximum suppression leaves of them, by a plain loop in NumPy, for
the test of padbatch/detection/soft_nms.hpp.

    apt-get install python3-numpy      # Debian 12: NumPy 1.24
    /usr/bin/python3 make_soft_nms.py

The file holds little-endian values: for each case int32 n, int32 1 for Gaussian or 0 for linear, float64 threshold or
sigma, float32 floor, then boxes float32 [n, 4], scores float32 [n], int32 m, kept int32 [m], scores that are left float32
[m]. IoUs and products are float32; exp is float64, rounded to float32. Seeds are tried until no two scores that are left
at the same time, and no score and the floor, are closer than 1e-5 of them: whoever is right to that takes the rows in the
same order.
"""

import argparse
import itertools
import pathlib

import numpy as np

# Gaussian?, threshold or sigma, floor, n.
CASES = ((False, 0.3, 0.001, 60), (True, 0.5, 0.001, 60), (False, 0.5, 0.2, 90), (True, 0.1, 0.05, 90),
         (False, 0.0, 0.3, 40), (True, 3.0, 0.0, 25))
CLEARANCE = 1e-5


def scene(seed, n):
    """Boxes in clusters, some of them without area or inside out, and scores."""
    random = np.random.RandomState(seed)
    corners = random.randint(0, 4, (n, 2)) * 60 + random.uniform(-8, 8, (n, 2))
    boxes = np.concatenate([corners, corners + random.uniform(20, 70, (n, 2))], 1).astype(np.float32)
    boxes[3, 2:] = boxes[3, :2]
    boxes[7] = boxes[7, [2, 3, 0, 1]]
    return boxes, random.uniform(0.05, 1, n).astype(np.float32)


def iou_with(box, boxes):
    """The IoU of a box with each of some, in the order of torchvision's nms."""
    left_top = np.maximum(box[:2], boxes[:, :2])
    right_bottom = np.minimum(box[2:], boxes[:, 2:])
    width, height = np.maximum(right_bottom - left_top, np.float32(0)).T
    inter = width * height
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    with np.errstate(invalid="ignore"):
        return inter / (area + areas - inter)


def soft_nms(boxes, scores, gaussian, number, floor):
    """The rows that are kept and their scores, and how close a decision was."""
    scores = scores.copy()
    alive = scores >= floor
    kept, left, closest = [], [], np.inf
    while alive.any():
        order = np.sort(scores[alive])[::-1].astype(np.float64)
        if len(order) > 1:
            closest = min(closest, (order[0] - order[1]) / order[0])
        row = int(np.argmax(np.where(alive, scores, -1)))
        alive[row] = False
        kept.append(row)
        left.append(scores[row])
        iou = iou_with(boxes[row], boxes)
        if gaussian:
            part = np.exp(-(iou.astype(np.float64) ** 2) / number).astype(np.float32)
            part[np.isnan(iou)] = 1
        else:
            part = np.where(iou > number, np.float32(1) - iou, np.float32(1))
        scores = np.where(alive, scores * part, scores)
        if floor > 0 and alive.any():
            closest = min(closest, np.abs(scores[alive].astype(np.float64) / float(floor) - 1).min())
        alive &= scores >= floor
    return np.array(kept, "<i4"), np.array(left, "<f4"), closest


def make_case(gaussian, number, floor, n):
    """The values of one case."""
    floor = np.float32(floor)
    for seed in itertools.count():
        boxes, scores = scene(seed, n)
        kept, left, closest = soft_nms(boxes, scores, gaussian, number, floor)
        if closest > CLEARANCE:
            break
    return b"".join((
        np.array((n, gaussian), "<i4").tobytes(), np.array(number, "<f8").tobytes(), floor.astype("<f4").tobytes(),
        boxes.astype("<f4").tobytes(), scores.astype("<f4").tobytes(), np.array(len(kept), "<i4").tobytes(),
        kept.tobytes(), left.tobytes()))


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "soft_nms.bin")
    out = parser.parse_args().out
    out.write_bytes(b"".join(make_case(*case) for case in CASES))
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
