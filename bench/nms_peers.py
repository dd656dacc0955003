#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nms and batched_nms beside torchvision's, in one process, in rounds with a shuffled order; medians of the ratios
within a round. Results are compared first.

    /usr/bin/python3 bench/nms_peers.py [ROUNDS]        # Debian's python3-torch and python3-torchvision, g++
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
import torchvision

HERE = pathlib.Path(__file__).resolve().parent


def library():
    folder = pathlib.Path(tempfile.mkdtemp())
    path = folder / "nms.so"
    subprocess.run(["g++", "-std=c++20", "-O2", "-shared", "-fPIC", f"-I{HERE.parent / 'include'}",
                    str(HERE / "nms_c.cpp"), "-o", str(path)], check=True)
    function = ctypes.CDLL(str(path)).padbatch_nms
    function.restype = ctypes.c_int64
    function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t, ctypes.c_double, ctypes.c_void_p]
    return function


def candidates(n, clustered):
    """Boxes, scores and labels: uniform in the image, or some 40 around each of n / 40 places, as detectors find."""
    source = np.random.RandomState(1)
    boxes = np.concatenate((source.uniform(0, 1000, (n, 2)), source.uniform(20, 100, (n, 2))), 1)
    if clustered:
        places = boxes[:n // 40 + 1]
        boxes = places[source.randint(0, len(places), n)] + source.uniform(-6, 6, (n, 4))
    boxes[:, 2:] += boxes[:, :2]
    scores = source.permutation(n) / n
    return boxes.astype(np.float32), scores.astype(np.float32), source.randint(0, 80, n)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    torch.set_num_threads(1)
    own = library()
    print("| | padbatch | torchvision | torchvision / padbatch |\n| --- | --- | --- | --- |")
    for n in (10, 1000, 10000):
        for clustered in (True, False):
            boxes, scores, labels = candidates(n, clustered)
            given = [torch.from_numpy(part) for part in (boxes, scores, labels)]
            kept = np.empty(n, np.int64)
            for name, peer, classes in (
                    ("nms", lambda: torchvision.ops.nms(given[0], given[1], 0.5), None),
                    ("batched_nms, 80 labels", lambda: torchvision.ops.batched_nms(*given, 0.5), labels)):
                pointers = [part.ctypes.data if part is not None else None for part in (boxes, scores, classes)]
                call = lambda: own(*pointers, n, 0.5, kept.ctypes.data)
                found = kept[:call()].copy()
                if not np.array_equal(found, peer().numpy()):
                    sys.exit(f"{name} of {n} boxes keeps other rows")
                times = {call: [], peer: []}
                for _ in range(rounds):
                    for each in random.sample(list(times), 2):
                        start = time.perf_counter()
                        each()
                        times[each].append(time.perf_counter() - start)
                ratio = statistics.median(b / a for a, b in zip(times[call], times[peer]))
                print(f"| {name}, {n} {'clustered' if clustered else 'uniform'} boxes | "
                      f"{statistics.median(times[call]) * 1e6:.0f} us | "
                      f"{statistics.median(times[peer]) * 1e6:.0f} us | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
