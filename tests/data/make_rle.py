#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes rle.txt: masks and what pycocotools makes of them, for the test of padbatch/detection/rle.hpp.

    python3 -m pip install pycocotools numpy      # pycocotools 2.0.11
    python3 make_rle.py

Each line holds words:
    mask H W PIXELS STRING AREA X Y WIDTH HEIGHT    PIXELS: hexadecimal, rows of bits, the first pixel highest
    merged any|all N STRING                         of the first N masks of 24 x 37
    iou CROWD VALUE...                              of the first 6 of these with all others; CROWD: a digit for each;
                                                    [6, others] of C's hexadecimal floating point
    runs H W STRING COUNT...                        large counts
"""

import argparse
import pathlib

import numpy as np
from pycocotools import mask as coco

SAME = (24, 37)


def blobs(random, h, w):
    """Some ellipses, with or without noise."""
    y, x = np.mgrid[0:h, 0:w]
    mask = np.zeros((h, w), bool)
    for _ in range(random.randint(1, 4)):
        cy, cx = random.uniform(-2, h + 2), random.uniform(-2, w + 2)
        ry, rx = random.uniform(1, h / 2 + 2), random.uniform(1, w / 2 + 2)
        mask |= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
    if random.randint(0, 3) == 0:
        mask ^= random.random_sample((h, w)) < 0.05
    return mask


def masks(random):
    """All masks: of the same size first."""
    made = [blobs(random, *SAME) for _ in range(16)]
    made.append(np.zeros(SAME, bool))
    made.append(np.ones(SAME, bool))
    made.append(random.random_sample(SAME) < 0.5)
    for h, w in ((1, 1), (1, 9), (9, 1), (8, 8), (64, 64), (65, 63), (7, 130), (130, 7), (3, 3)):
        made.append(blobs(random, h, w))
        made.append(random.random_sample((h, w)) < 0.5)
        made.append(np.ones((h, w), bool))
    stripes = np.zeros((10, 12), bool)
    stripes[:, 3:5] = stripes[:, 7:] = True      # runs of whole columns
    made.append(stripes)
    made.append(~stripes)
    made.append(stripes[:, ::-1].copy())
    return made


def encode(mask):
    """Its run lengths."""
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


def lines():
    """The text."""
    random = np.random.RandomState(17)
    made = masks(random)
    same = []
    for mask in made:
        rle = encode(mask)
        box = [int(value) for value in coco.toBbox(rle)]
        yield ["mask", *mask.shape, np.packbits(mask, axis=1).tobytes().hex(), rle["counts"].decode(),
               int(coco.area(rle)), *box]
        if mask.shape == SAME:
            same.append(rle)
    for n in (1, 2, 3, 5, 16):
        yield ["merged", "any", n, coco.merge(same[:n], intersect=False)["counts"].decode()]
        yield ["merged", "all", n, coco.merge(same[:n], intersect=True)["counts"].decode()]
    others = same[6:]
    crowd = [int(k % 3 == 0) for k in range(len(others))]
    values = coco.iou(same[:6], others, crowd)
    yield ["iou", "".join(map(str, crowd)), *(float(value).hex() for value in values.ravel())]
    for h, w, counts in ((65536, 65535, [0, 65536 * 65535]), (65536, 65535, [65536 * 65535]),
                         (65535, 65537, [1, 2, 3, 2**31 + 5, 7, 0]),
                         (50000, 40000, [0, 1, 1999999000, 15, 16, 30, 31, 32, 48, 827])):
        counts[-1] = h * w - sum(counts[:-1]) if len(counts) > 2 else counts[-1]
        rle = coco.frPyObjects({"size": [h, w], "counts": counts}, h, w)
        yield ["runs", h, w, rle["counts"].decode(), *counts]


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "rle.txt")
    out = parser.parse_args().out
    out.write_text("".join(" ".join(map(str, line)) + "\n" for line in lines()))
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
