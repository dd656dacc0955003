#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs to make padded detections of a raw YOLO head, 84 x 8400, with numpy and torchvision.ops, beside `decode_head`.

    PYTHON bench/decode_peers.py DECODE_BENCH [ROUNDS]

DECODE_BENCH is the program of bench/decode_bench.cpp; PYTHON has numpy, torch and torchvision. The program writes its head
and what it selects from it (`--write FOLDER`), and times itself in each round (`--only-ours`), so that every round runs all
variants once, on one thread, in an order shuffled anew. Demands equal boxes, labels and scores before anything is timed.
Prints a Markdown table; ratios are medians of the ratios within a round.
"""

import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import torchvision

CLASSES, ANCHORS, CAPACITY = 80, 8400, 300


def padded(boxes, scores, labels):
    """As a program has them that goes on with tensors of one shape."""
    all_boxes = numpy.zeros((1, CAPACITY, 4), numpy.float32)
    all_scores = numpy.zeros((1, CAPACITY), numpy.float32)
    all_labels = numpy.zeros((1, CAPACITY), numpy.int64)
    n = min(len(scores), CAPACITY)
    all_boxes[0, :n], all_scores[0, :n], all_labels[0, :n] = boxes[:n], scores[:n], labels[:n]
    return all_boxes, all_scores, all_labels, n


def shifted_nms(boxes, scores, labels):
    """As Ultralytics does: one suppression, of boxes that are shifted by their class."""
    shift = labels[:, None].to(torch.float32) * 7680
    return torchvision.ops.nms(boxes + shift, scores, 0.7)


def by_numpy(head):
    """numpy up to the candidates, then torchvision."""
    scores = head[0, 4:]
    best = scores.max(0)
    places = numpy.flatnonzero(best > numpy.float32(0.25))
    labels = scores[:, places].argmax(0)
    best = best[places]
    centers, half = head[0, :2, places], head[0, 2:4, places] * numpy.float32(0.5)
    boxes = numpy.concatenate([centers - half, centers + half], 1)
    kept = shifted_nms(*map(torch.from_numpy, (boxes, best, labels))).numpy()
    return padded(boxes[kept], best[kept], labels[kept])


def by_numpy_of_all(head):
    """The same, but what is simplest to write: the transposed head, all labels, all boxes."""
    rows = head[0].T
    scores = rows[:, 4:]
    labels = scores.argmax(1)
    best = scores.max(1)
    half = rows[:, 2:4] * numpy.float32(0.5)
    boxes = numpy.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1)
    above = best > numpy.float32(0.25)
    boxes, best, labels = boxes[above], best[above], labels[above]
    kept = shifted_nms(*map(torch.from_numpy, (boxes, best, labels))).numpy()
    return padded(boxes[kept], best[kept], labels[kept])


def by_torch(head):
    """torch and torchvision's batched_nms, whose shift depends on the boxes."""
    rows = torch.from_numpy(head)[0]
    best, labels = rows[4:].max(0)
    above = best > 0.25
    best, labels, boxes = best[above], labels[above], rows[:4, above].T
    boxes = torchvision.ops.box_convert(boxes, "cxcywh", "xyxy")
    kept = torchvision.ops.batched_nms(boxes, best, labels, 0.7)
    return padded(boxes[kept].numpy(), best[kept].numpy(), labels[kept].numpy())


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15
    torch.set_num_threads(1)
    peers = {"numpy + torchvision.ops.nms": by_numpy, "numpy, all anchors, + torchvision.ops.nms": by_numpy_of_all,
             "torch + torchvision.ops.batched_nms": by_torch}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "--write", folder], check=True)
        head = numpy.fromfile(folder / "head", numpy.float32).reshape(1, 4 + CLASSES, ANCHORS)
        boxes = numpy.fromfile(folder / "boxes", numpy.float32).reshape(1, CAPACITY, 4)
        scores = numpy.fromfile(folder / "scores", numpy.float32).reshape(1, CAPACITY)
        labels = numpy.fromfile(folder / "labels", numpy.int64).reshape(1, CAPACITY)
    for peer, select in peers.items():
        got = select(head)
        for mine, theirs in zip((boxes, scores, labels), got):
            if not numpy.array_equal(mine, theirs):
                sys.exit(f"{peer} and padbatch differ")

    def ours():
        return float(subprocess.run([program, "--only-ours"], check=True, capture_output=True, text=True).stdout)

    def timed(select):
        def run():
            repeat = 10
            start = time.perf_counter()
            for _ in range(repeat):
                select(head)
            return (time.perf_counter() - start) / repeat * 1e6
        return run

    variants = {"padbatch": ours, **{peer: timed(select) for peer, select in peers.items()}}
    times = {variant: [] for variant in variants}
    order, generator = list(variants), random.Random(1)
    for counted in [False] + [True] * rounds:
        generator.shuffle(order)
        for variant in order:
            took = variants[variant]()
            if counted:
                times[variant].append(took)
    print(f"[1, 84, 8400], {int((scores != 0).sum())} detections\n\n| | us | padbatch is faster by |\n|---|---|---|")
    for variant, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, times["padbatch"]))
        print(f"| {variant} | {statistics.median(taken):.1f} | {ratio:.1f} |")


main()
