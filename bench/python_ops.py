#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops beside the libraries that Python has for the same, in one process, in rounds with a shuffled order;
medians, and medians of the ratios within a round. Results are compared first. One thread each.

    bench/python_ops.py [--rounds N] [SECTION...]       # padbatch, torch and torchvision importable

Each section is a function that yields a `Pair` for each row of its table.
"""

import argparse
import dataclasses
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from padbatch import ops


@dataclasses.dataclass
class Pair:
    """Two ways to do one thing. `same` says whether the results, own first, are equal."""

    name: str
    own: Callable[[], Any]
    peer: Callable[[], Any]
    same: Callable[[Any, Any], bool]
    peer_name: str = "torchvision"


def duration(call: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def repetitions(call: Callable[[], Any]) -> int:
    """How often to call for a millisecond at least, since a clock and its loop cost something too."""
    return max(1, min(1000, int(1e-3 / max(duration(call, 3), 1e-9))))


def measure(pair: Pair, rounds: int) -> str:
    if not pair.same(pair.own(), pair.peer()):
        sys.exit(f"{pair.name}: the results differ")
    calls = {"own": pair.own, "peer": pair.peer}
    times = {name: repetitions(call) for name, call in calls.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name in random.sample(list(calls), 2):
            taken[name].append(duration(calls[name], times[name]))
    ratio = statistics.median(b / a for a, b in zip(taken["own"], taken["peer"]))
    own, peer = (in_words(statistics.median(taken[name])) for name in ("own", "peer"))
    return f"| {pair.name} | {own} | {peer} ({pair.peer_name}) | {ratio:.1f} |"


def in_words(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size or unit == "us":
            return f"{seconds / size:.3g} {unit}"
    raise AssertionError


def candidates(n: int, clustered: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, scores and labels: uniform in the image, or some 40 around each of n / 40 places, as detectors find."""
    source = np.random.RandomState(1)
    boxes = np.concatenate((source.uniform(0, 1000, (n, 2)), source.uniform(20, 100, (n, 2))), 1)
    if clustered:
        places = boxes[:n // 40 + 1]
        boxes = places[source.randint(0, len(places), n)] + source.uniform(-6, 6, (n, 4))
    boxes[:, 2:] += boxes[:, :2]
    scores = source.permutation(n) / n
    return boxes.astype(np.float32), scores.astype(np.float32), source.randint(0, 80, n)


def equal(own: Any, peer: Any) -> bool:
    return np.array_equal(np.asarray(own), np.asarray(peer), equal_nan=True)


def suppression() -> Iterator[Pair]:
    import torch
    import torchvision
    for n in (10, 100, 1000, 10000):
        for clustered in (True, False):
            arrays = candidates(n, clustered)
            tensors = [torch.from_numpy(part) for part in arrays]
            what = f"{n} {'clustered' if clustered else 'uniform'} boxes"
            for kind, given in (("arrays", arrays), ("tensors", tensors)):
                yield Pair(f"nms, {what}, {kind}", lambda: ops.nms(given[0], given[1], 0.5),
                           lambda: torchvision.ops.nms(tensors[0], tensors[1], 0.5), equal)
            yield Pair(f"batched_nms, {what}, 80 labels, tensors", lambda: ops.batched_nms(*tensors, 0.5),
                       lambda: torchvision.ops.batched_nms(*tensors, 0.5), equal)


def boxes() -> Iterator[Pair]:
    import torch
    import torchvision
    for n in (10, 1000, 100000):
        given = candidates(n, False)[0]
        tensor = torch.from_numpy(given)
        for name, *arguments in (("box_convert", "xyxy", "cxcywh"), ("clip_boxes_to_image", (480, 640)), ("box_area",),
                                 ("remove_small_boxes", 30.0)):
            own, peer = getattr(ops, name), getattr(torchvision.ops, name)
            yield Pair(f"{name}, {n} boxes, tensors", lambda: own(tensor, *arguments),
                       lambda: peer(tensor, *arguments), equal)
        if n <= 1000:
            for name in ("box_iou", "generalized_box_iou"):
                own, peer = getattr(ops, name), getattr(torchvision.ops, name)
                yield Pair(f"{name}, {n} x {n} boxes, tensors", lambda: own(tensor, tensor),
                           lambda: peer(tensor, tensor), equal)


SECTIONS = {section.__name__: section for section in (suppression, boxes)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all of them if none")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"there are no sections {', '.join(sorted(unknown))}, but {', '.join(SECTIONS)}")
    import torch
    torch.set_num_threads(1)
    for name in options.sections or SECTIONS:
        print(f"\n| {name} | padbatch | peer | peer / padbatch |\n| --- | --- | --- | --- |")
        for pair in SECTIONS[name]():
            print(measure(pair, options.rounds), flush=True)


if __name__ == "__main__":
    main()
