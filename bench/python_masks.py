#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops' masks, run lengths and raw heads beside torchvision, pycocotools and torch, from Python, in one process:
rounds in a shuffled order, medians of times and of the ratios within a round. Results are compared first.

    python -m pip install .. torch torchvision pycocotools
    python python_masks.py [--rounds N] [--masks N] [--threads N]

Prints a Markdown table. --threads is of torch; padbatch takes one.
"""

import argparse
import random
import statistics
import time

import numpy as np
import torch
import torchvision
from pycocotools import mask as coco
from torchvision.models.detection.roi_heads import paste_masks_in_image

from padbatch import ops
from padbatch.ops import heads, rle


def region_masks(n, height, width):
    """Smooth objects [n, 1, 28, 28], and boxes of 20 to 400 pixels a side, all inside."""
    source = np.random.RandomState(1)
    y, x = np.mgrid[0:28, 0:28] / 13.5 - 1
    masks = [1 / (1 + np.exp(6 * ((x / a) ** 2 + (y / b) ** 2 - 1) + 3 * np.sin(6 * x + c)))
             for a, b, c in source.uniform(0.5, 1.2, (n, 3))]
    sides = source.uniform(20, 400, (n, 2))
    corners = source.uniform(0, 1, (n, 2)) * ((width, height) - sides)
    return np.array(masks, np.float32)[:, None], np.concatenate((corners, corners + sides), 1).astype(np.float32)


def same(one, other, tolerance=0.0):
    """Fails unless two results are the same."""
    difference = np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64)).max(initial=0)
    if not difference <= tolerance:
        raise SystemExit(f"results differ by {difference}")


def mask_tasks(n, size):
    """What is timed, as (name, ours, theirs)."""
    regions, boxes = region_masks(n, *size)
    tensors = torch.from_numpy(regions), torch.from_numpy(boxes)
    out = torch.empty(n, 1, *size)
    same(ops.paste_masks(*tensors, size), paste_masks_in_image(*tensors, size), 1.5e-6)
    text = f"{n} masks of {size[0]}x{size[1]}"
    yield (f"paste_masks, float32, {text}", lambda: ops.paste_masks(*tensors, size),
           lambda: paste_masks_in_image(*tensors, size))
    yield (f"paste_masks, float32, into `out`, {text}", lambda: ops.paste_masks(*tensors, size, out=out),
           lambda: paste_masks_in_image(*tensors, size))
    yield (f"paste_masks, float32, and a sum of all pixels, {text}", lambda: ops.paste_masks(*tensors, size).sum(),
           lambda: paste_masks_in_image(*tensors, size).sum())
    yield (f"paste_masks, bool, {text}", lambda: ops.paste_masks(*tensors, size, threshold=0.5),
           lambda: paste_masks_in_image(*tensors, size) >= 0.5)
    full = ops.paste_masks(regions[:, 0], boxes, size, threshold=0.5)
    fortran = np.asfortranarray(full.transpose(1, 2, 0).astype(np.uint8))
    runs, their_runs = rle.encode(full), coco.encode(fortran)
    if [each["counts"].encode() for each in runs] != [each["counts"] for each in their_runs]:
        raise SystemExit("strings differ")
    yield f"rle.encode, {text}", lambda: rle.encode(full), lambda: coco.encode(fortran)
    yield (f"rle.encode of [n, H, W], {text}", lambda: rle.encode(full),
           lambda: coco.encode(np.asfortranarray(full.transpose(1, 2, 0).astype(np.uint8))))
    yield (f"rle.encode_regions, {text}", lambda: rle.encode_regions(regions, boxes, size),
           lambda: coco.encode(np.asfortranarray(
               (paste_masks_in_image(*tensors, size)[:, 0] >= 0.5).numpy().transpose(1, 2, 0).astype(np.uint8))))
    same(rle.decode(runs), coco.decode(their_runs).transpose(2, 0, 1))
    yield f"rle.decode, {text}", lambda: rle.decode(runs), lambda: coco.decode(their_runs)
    crowd = [0] * n
    same(rle.iou(runs, runs, crowd), coco.iou(their_runs, their_runs, crowd))
    yield f"rle.iou, {n}x{n}", lambda: rle.iou(runs, runs, crowd), lambda: coco.iou(their_runs, their_runs, crowd)
    same(rle.area(rle.merge(runs)), coco.area(coco.merge(their_runs)))
    yield f"rle.merge of {n}", lambda: rle.merge(runs), lambda: coco.merge(their_runs)
    same(rle.area(runs), coco.area(their_runs))
    yield f"rle.area of {n}", lambda: rle.area(runs), lambda: coco.area(their_runs)
    same(rle.to_bbox(runs), coco.toBbox(their_runs))
    yield f"rle.to_bbox of {n}", lambda: rle.to_bbox(runs), lambda: coco.toBbox(their_runs)
    tensor = torch.from_numpy(full)
    same(ops.masks_to_boxes(tensor), torchvision.ops.masks_to_boxes(tensor))
    yield (f"masks_to_boxes, {text}", lambda: ops.masks_to_boxes(tensor),
           lambda: torchvision.ops.masks_to_boxes(tensor))


def head_task():
    """A head of [1, 84, 8400], beside the usual code in torch."""
    source = np.random.RandomState(2)
    head = source.uniform(0, 0.1, (1, 84, 8400)).astype(np.float32)
    head[:, :2] = source.uniform(0, 640, (1, 2, 8400))
    head[:, 2:4] = source.uniform(20, 100, (1, 2, 8400))
    chosen = source.permutation(8400)[:400]
    head[0, 4 + source.randint(0, 80, 400), chosen] = source.permutation(400) / 800 + 0.3
    tensor = torch.from_numpy(head)

    def theirs():
        rows = tensor[0].T
        scores, labels = rows[:, 4:].max(1)
        kept = scores > 0.25
        boxes, scores, labels = rows[kept, :4], scores[kept], labels[kept]
        boxes = torchvision.ops.box_convert(boxes, "cxcywh", "xyxy")
        kept = torchvision.ops.nms(boxes + labels[:, None] * 7680, scores, 0.7)[:300]
        return boxes[kept], scores[kept], labels[kept]

    described = heads.yolov8(80)
    same(ops.decode_head(tensor, described)[0].scores, theirs()[1])
    yield "decode_head, [1, 84, 8400], 400 candidates", lambda: ops.decode_head(tensor, described), theirs


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--masks", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("| | padbatch, ms | peer, ms | peer / padbatch |\n| --- | --- | --- | --- |")
    for name, ours, theirs in [*mask_tasks(arguments.masks, (800, 1333)), *mask_tasks(5, (480, 640)), *head_task()]:
        times = {ours: [], theirs: []}
        for turn in range(arguments.rounds + 1):
            for each in random.sample(list(times), 2):
                start = time.perf_counter()
                each()
                if turn:
                    times[each].append(time.perf_counter() - start)
        ratio = statistics.median(b / a for a, b in zip(times[ours], times[theirs]))
        print(f"| {name} | {statistics.median(times[ours]) * 1e3:.3f} | {statistics.median(times[theirs]) * 1e3:.3f} | "
              f"{ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
