#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops and padbatch.pad beside the libraries that Python has for the same, in one process, in rounds with a
shuffled order; medians, and medians of the ratios within a round. Results are compared first. One thread each.

    bench/python_ops.py [--rounds N] [SECTION...]       # padbatch, torch, torchvision, pycocotools importable

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

import padbatch
from nms_peers import candidates
from padbatch import ops
from padbatch.ops import heads, rle


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


def region_masks(n: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth objects [n, 1, 28, 28], and boxes of 20 to 400 pixels a side, all inside, as in paste_bench.cpp."""
    source = np.random.RandomState(1)
    y, x = np.mgrid[0:28, 0:28] / 13.5 - 1
    masks = [1 / (1 + np.exp(6 * ((x / a) ** 2 + (y / b) ** 2 - 1) + 3 * np.sin(6 * x + c)))
             for a, b, c in source.uniform(0.5, 1.2, (n, 3))]
    sides = source.uniform(20, 400, (n, 2))
    corners = source.uniform(0, 1, (n, 2)) * ((width, height) - sides)
    return np.array(masks, np.float32)[:, None], np.concatenate((corners, corners + sides), 1).astype(np.float32)


def near(own: Any, peer: Any) -> bool:
    """Torchvision's versions differ from one another by as much."""
    return np.abs(np.asarray(own) - np.asarray(peer)).max() <= 1.5e-6


def nearly_all(own: Any, peer: Any) -> bool:
    """Pixels whose probability is within 1.5e-6 of the threshold may be decided otherwise: one in a million."""
    return (np.asarray(own) != np.asarray(peer)).mean() < 1e-6


def masks() -> Iterator[Pair]:
    import torch
    import torchvision
    from torchvision.models.detection.roi_heads import paste_masks_in_image
    for n, size in ((100, (800, 1333)), (10, (480, 640))):
        regions, corners = (torch.from_numpy(part) for part in region_masks(n, *size))
        out = torch.zeros(n, 1, *size)
        what = f"{n} masks of {size[0]}x{size[1]}"
        peer = lambda: paste_masks_in_image(regions, corners, size)
        yield Pair(f"paste_masks, {what}, float32", lambda: ops.paste_masks(regions, corners, size), peer, near)
        yield Pair(f"paste_masks, {what}, float32, into `out`",
                   lambda: ops.paste_masks(regions, corners, size, out=out), peer, near)
        yield Pair(f"paste_masks, {what}, float32, and all pixels are read",
                   lambda: ops.paste_masks(regions, corners, size).sum(), lambda: peer().sum(),
                   lambda own, peers: abs(own - peers) < 1e-4 * peers)
        yield Pair(f"paste_masks, {what}, bool", lambda: ops.paste_masks(regions, corners, size, threshold=0.5),
                   lambda: peer() >= 0.5, nearly_all)
        full = ops.paste_masks(regions, corners, size, threshold=0.5)[:, 0]
        yield Pair(f"masks_to_boxes, {what}", lambda: ops.masks_to_boxes(full),
                   lambda: torchvision.ops.masks_to_boxes(full), equal)


def run_lengths() -> Iterator[Pair]:
    import torch
    from pycocotools import mask as coco
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    def pair(name: str, own: Callable[[], Any], peer: Callable[[], Any]) -> Pair:
        return Pair(name, own, peer, equal, "pycocotools")

    def same_runs(own: Any, peer: Any) -> bool:
        return [each["counts"].encode() for each in own] == [each["counts"] for each in peer]

    for n, size in ((50, (800, 1333)), (10, (480, 640))):
        regions, corners = region_masks(n, *size)
        tensors = torch.from_numpy(regions), torch.from_numpy(corners)
        full = ops.paste_masks(regions[:, 0], corners, size, threshold=0.5)
        as_fortran = lambda given: np.asfortranarray(given.transpose(1, 2, 0).astype(np.uint8))
        fortran, runs = as_fortran(full), rle.encode(full)
        theirs = coco.encode(fortran)
        what = f"{n} masks of {size[0]}x{size[1]}"
        yield Pair(f"encode, {what}; peer: of masks in Fortran's order", lambda: rle.encode(full),
                   lambda: coco.encode(fortran), same_runs, "pycocotools")
        yield Pair(f"encode, {what}; peer: of masks [n, H, W]", lambda: rle.encode(full),
                   lambda: coco.encode(as_fortran(full)), same_runs, "pycocotools")
        yield Pair(f"encode_regions, {what}; peer: paste_masks_in_image first",
                   lambda: rle.encode_regions(regions, corners, size),
                   lambda: coco.encode(as_fortran((paste_masks_in_image(*tensors, size)[:, 0] >= 0.5).numpy())),
                   lambda own, peers: nearly_all(rle.decode(own), coco.decode(peers).transpose(2, 0, 1)),
                   "torchvision and pycocotools")
        yield Pair(f"decode, {what}", lambda: rle.decode(runs), lambda: coco.decode(theirs),
                   lambda own, peers: np.array_equal(own, peers.transpose(2, 0, 1)), "pycocotools")
        yield pair(f"iou, {n} x {n}", lambda: rle.iou(runs, runs), lambda: coco.iou(theirs, theirs, [0] * n))
        yield Pair(f"merge of {n}", lambda: rle.merge(runs), lambda: coco.merge(theirs),
                   lambda own, peers: same_runs([own], [peers]), "pycocotools")
        yield pair(f"area of {n}", lambda: rle.area(runs), lambda: coco.area(theirs))
        yield pair(f"to_bbox of {n}", lambda: rle.to_bbox(runs), lambda: coco.toBbox(theirs))


def raw_heads() -> Iterator[Pair]:
    import torch
    import torchvision
    source = np.random.RandomState(2)
    numbers = source.uniform(0, 0.1, (1, 84, 8400)).astype(np.float32)
    numbers[:, :2] = source.uniform(0, 640, (1, 2, 8400))
    numbers[:, 2:4] = source.uniform(20, 100, (1, 2, 8400))
    numbers[0, 4 + source.randint(0, 80, 400), source.permutation(8400)[:400]] = source.permutation(400) / 800 + 0.3
    given = torch.from_numpy(numbers)
    described = heads.yolov8(80)

    def peer() -> list[Any]:
        """As exporters' examples have it."""
        rows = given[0].T
        scores, labels = rows[:, 4:].max(1)
        kept = scores > 0.25
        corners, scores, labels = rows[kept, :4], scores[kept], labels[kept]
        corners = torchvision.ops.box_convert(corners, "cxcywh", "xyxy")
        kept = torchvision.ops.nms(corners + labels[:, None] * 7680.0, scores, 0.7)[:300]
        return [corners[kept], scores[kept], labels[kept]]

    yield Pair("decode_head, [1, 84, 8400], 400 candidates", lambda: ops.decode_head(given, described), peer,
               lambda own, peers: all(map(equal, (own[0].boxes, own[0].scores, own[0].labels), peers)),
               "torch and torchvision.ops.nms")


def padding() -> Iterator[Pair]:
    """Boxes, labels and scores of up to 100 rows for each image, and the counts of both."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    def same(own: padbatch.Padded, peer: Any) -> bool:
        found = (own.boxes, own.labels, own.scores, own.counts)
        return all(np.asarray(a).dtype == b.numpy().dtype and equal(a, b) for a, b in zip(found, peer))

    for images in (8, 512):
        source = np.random.default_rng(images)
        rows = source.integers(0, 101, images)
        arrays = {"boxes": [source.random((n, 4), np.float32) for n in rows],
                  "labels": [source.integers(0, 80, n) for n in rows],
                  "scores": [source.random(n, np.float32) for n in rows]}
        tensors = {name: [torch.from_numpy(part) for part in parts] for name, parts in arrays.items()}

        def peer() -> tuple[Any, ...]:
            counts = torch.tensor([len(part) for part in tensors["boxes"]], dtype=torch.int32)
            return *(pad_sequence(parts, batch_first=True) for parts in tensors.values()), counts

        for kind, given in (("arrays", arrays), ("tensors", tensors)):
            yield Pair(f"pad, {images} images, lists of {kind}", lambda: padbatch.pad(**given), peer, same, "pad_sequence")


SECTIONS = {section.__name__: section for section in (suppression, boxes, masks, run_lengths, raw_heads, padding)}


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
