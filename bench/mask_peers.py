#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the operations of mask_bench.cpp cost with NumPy and PyTorch on one thread, for masks of one 640x640 image.

    apt-get install python3-torch      # Debian 12: torch 1.13
    /usr/bin/python3 mask_peers.py [--rounds N] [--masks N]

Prints a Markdown table of medians. The masks of prototypes are made by the operators that Ultralytics 8.3.0 uses in
`process_mask(..., upsample=True)`.
"""

import argparse
import statistics
import time

import numpy as np
import torch


def process_mask(prototypes, coefficients, boxes, side):
    """Sums, cut to the boxes, resized, and which are above 0."""
    cells = prototypes.shape[-1]
    masks = (coefficients @ prototypes.view(len(prototypes), -1)).view(-1, cells, cells)
    x1, y1, x2, y2 = torch.chunk((boxes * (cells / side))[:, :, None], 4, 1)
    x = torch.arange(cells, dtype=torch.float32)[None, None, :]
    y = torch.arange(cells, dtype=torch.float32)[None, :, None]
    masks = masks * ((x >= x1) * (x < x2) * (y >= y1) * (y < y2))
    return torch.nn.functional.interpolate(masks[None], (side, side), mode="bilinear", align_corners=False)[0].gt_(0.0)


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--masks", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    random = np.random.RandomState(1)
    side, count, n = 640, 32, arguments.masks
    floats = random.random_sample((n, side, side)).astype(np.float32)
    ones = (floats >= 0.5).astype(np.uint8)
    sizes = random.uniform(20, 400, (n, 2))
    corners = random.uniform(0, 1, (n, 2)) * (side - sizes)
    boxes = torch.from_numpy(np.concatenate([corners, corners + sizes], 1).astype(np.float32))
    coefficients = torch.from_numpy(random.uniform(-1, 1, (n, count)).astype(np.float32))
    prototypes = torch.from_numpy(random.uniform(-1, 1, (count, 160, 160)).astype(np.float32))
    tasks = {
        "float to bits: numpy.packbits(masks >= 0.5, axis=-1)": lambda: np.packbits(floats >= 0.5, axis=-1),
        "float to uint8: (masks >= 0.5).astype(uint8)": lambda: (floats >= 0.5).astype(np.uint8),
        "uint8 to bits: numpy.packbits(masks, axis=-1)": lambda: np.packbits(ones, axis=-1),
        "uint8 from bits: numpy.unpackbits": lambda bits=np.packbits(ones, axis=-1): np.unpackbits(bits, axis=-1),
        "masks of prototypes: process_mask": lambda: process_mask(prototypes, coefficients, boxes, side),
    }
    times = {name: [] for name in tasks}
    for turn in range(arguments.rounds + 1):
        for name in random.permutation(list(tasks)):
            start = time.perf_counter()
            tasks[name]()
            if turn:
                times[name].append(time.perf_counter() - start)
    print(f"{n} masks of {side}x{side}\n\n| | ms |\n|---|---|")
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values) * 1e3:.2f} |")


if __name__ == "__main__":
    main()
