#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Operations on boxes beside torchvision's, in one process, in rounds with a shuffled order; medians of the ratios
within a round. Results are compared first, bit by bit.

    /usr/bin/python3 bench/boxes_peers.py [ROUNDS]        # Debian's python3-torch and python3-torchvision, g++
"""

import ctypes
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import boxes as ops

HERE = pathlib.Path(__file__).resolve().parent


def library():
    """The operations as C functions."""
    path = pathlib.Path(tempfile.mkdtemp()) / "boxes.so"
    subprocess.run(["g++", "-std=c++20", "-O2", "-shared", "-fPIC", f"-I{HERE.parent / 'include'}",
                    str(HERE / "boxes_c.cpp"), "-o", str(path)], check=True)
    found = ctypes.CDLL(str(path))
    found.boxes_small.restype = ctypes.c_size_t
    return found


def some_boxes(n, seed):
    """n boxes, [n, 4] float32."""
    source = np.random.RandomState(seed)
    corner = source.uniform(-20, 620, (n, 2))
    return np.concatenate((corner, corner + source.exponential(60, (n, 2))), 1).astype(np.float32)


def median_times(calls, rounds, repeats):
    """The seconds of each call in each round, in a shuffled order."""
    times = [[] for _ in calls]
    for _ in range(rounds):
        for k in random.sample(range(len(calls)), len(calls)):
            start = time.perf_counter()
            for _ in range(repeats):
                calls[k]()
            times[k].append((time.perf_counter() - start) / repeats)
    return times


def main():
    """Prints the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    torch.set_num_threads(1)
    own = library()
    size, pointer = ctypes.c_size_t, ctypes.c_void_p
    print("| | padbatch | torchvision | torchvision / padbatch |\n| --- | --- | --- | --- |")
    for n in (100, 1000, 10000):
        m = min(n, 1000)
        a, b = some_boxes(n, 1), some_boxes(m, 2)
        at, bt = torch.from_numpy(a), torch.from_numpy(b)
        pa, pb = pointer(a.ctypes.data), pointer(b.ctypes.data)
        numbers = np.empty(n, np.int64)
        boxes, areas, matrix = (np.empty(shape, np.float32) for shape in ((n, 4), n, (n, m)))
        pn, px, pr, pm = (pointer(memory.ctypes.data) for memory in (numbers, boxes, areas, matrix))
        cases = (
            ("convert, xyxy to cxcywh", lambda: own.boxes_convert(px, pa, size(n), 0, 2),
             lambda: ops.box_convert(at, "xyxy", "cxcywh"), lambda: boxes),
            ("convert, cxcywh to xyxy", lambda: own.boxes_convert(px, pa, size(n), 2, 0),
             lambda: ops.box_convert(at, "cxcywh", "xyxy"), lambda: boxes),
            ("clip", lambda: own.boxes_clip(px, pa, size(n)),
             lambda: ops.clip_boxes_to_image(at, (480, 640)), lambda: boxes),
            ("resize", lambda: own.boxes_resize(px, pa, size(n)),
             lambda: resize_boxes(at, (480, 640), (800, 1067)), lambda: boxes),
            ("remove small", lambda: own.boxes_small(pn, pa, size(n)),
             lambda: ops.remove_small_boxes(at, 30), lambda: numbers[:own.boxes_small(pn, pa, size(n))]),
            ("areas", lambda: own.boxes_areas(pr, pa, size(n)), lambda: ops.box_area(at), lambda: areas),
            (f"IoU with {m}", lambda: own.boxes_iou(pm, pa, size(n), pb, size(m)),
             lambda: ops.box_iou(at, bt), lambda: matrix),
            (f"GIoU with {m}", lambda: own.boxes_giou(pm, pa, size(n), pb, size(m)),
             lambda: ops.generalized_box_iou(at, bt), lambda: matrix),
        )
        for name, call, peer, result in cases:
            call()
            if result().tobytes() != peer().numpy().tobytes():
                sys.exit(f"{name} of {n} boxes gives another result")
            one, other = median_times((call, peer), rounds, 1 if "IoU" in name and n > 100 else 20)
            ratio = statistics.median(y / x for x, y in zip(one, other))
            print(f"| {name}, {n} boxes | {statistics.median(one) * 1e6:.1f} us | "
                  f"{statistics.median(other) * 1e6:.0f} us | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
