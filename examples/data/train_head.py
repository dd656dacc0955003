#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a small detector in the manner of YOLO on the scenes of train_shapes.py, and exports its raw head to ONNX.

    apt-get install python3-torch python3-torchvision python3-onnx python3-pil    # Debian 12
    /usr/bin/python3 train_head.py    # some minutes on one core

The output is [B, 4 + C, A] as of YOLOv8: center and size of each anchor's box in pixels, then a score for each class.
Nothing is suppressed. The metadata are those that such exports have, and the names of the classes.
"""

import argparse
import pathlib
import sys
import time

sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torchvision.ops import box_convert, box_iou, generalized_box_iou_loss  # noqa: E402

from train_shapes import CLASSES, HEIGHT, HERE, TEST_IMAGES, WIDTH, block, random_scene, scene, tensor  # noqa: E402

NAMES = CLASSES[1:]  # by label, which begins with 0
STRIDE = 8


class Head(nn.Module):
    """One anchor for each cell of 8 x 8 pixels."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(block(3, 12, 2), block(12, 16, 2), block(16, 24, 2))
        self.coarse = nn.Sequential(block(24, 32, 2), block(32, 32, 2), block(32, 32), nn.Conv2d(32, 24, 1),
                                    nn.Upsample(scale_factor=4, mode="nearest"))
        self.merge = block(24, 24)
        self.edges = nn.Conv2d(24, 4, 1)  # how far the left, upper, right and lower edge are, in cells
        self.classes = nn.Conv2d(24, len(NAMES), 1)
        nn.init.constant_(self.classes.bias, -4.0)  # most anchors see nothing
        y, x = torch.meshgrid(torch.arange(HEIGHT // STRIDE), torch.arange(WIDTH // STRIDE), indexing="ij")
        self.register_buffer("cells", torch.stack([x, y]).reshape(1, 2, -1) + 0.5)

    def raw(self, images):
        """Corners in pixels [B, 4, A] and logits [B, C, A]."""
        fine = self.fine(images * 4 - 2)
        maps = self.merge(fine + self.coarse(fine))
        edges = nn.functional.softplus(self.edges(maps)).flatten(2)
        corners = torch.cat([self.cells - edges[:, :2], self.cells + edges[:, 2:]], 1) * STRIDE
        return corners, self.classes(maps).flatten(2)

    def forward(self, images):
        corners, logits = self.raw(images)
        low, high = corners[:, :2], corners[:, 2:]
        return torch.cat([(low + high) / 2, high - low, logits.sigmoid()], 1)


def targets(head, truth):
    """What the anchors of one image are to find: labels [A], -1 for nothing, and corners [A, 4]."""
    labels = torch.full((head.cells.shape[2],), -1)
    corners = torch.zeros(head.cells.shape[2], 4)
    centers = head.cells[0].T * STRIDE
    for label, box in zip(truth["labels"], truth["boxes"]):
        middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        near = ((centers - middle).abs() < (size / 4).clamp(min=STRIDE / 2)).all(1)
        labels[near], corners[near] = label - 1, box
    return labels, corners


def loss_of(head, images, truths):
    corners, logits = head.raw(images)
    found, wanted = corners.transpose(1, 2).flatten(0, 1), logits.transpose(1, 2).flatten(0, 1)
    labels, boxes = (torch.cat(parts) for parts in zip(*[targets(head, truth) for truth in truths]))
    some = labels >= 0
    # A score is to be the IoU of its box, so that the best box of a shape has the highest.
    quality = torch.zeros(len(labels))
    quality[some] = box_iou(found[some].detach(), boxes[some]).diagonal()
    each = nn.functional.one_hot(labels.clamp(min=0), len(NAMES)) * quality[:, None]
    number = some.sum().clamp(min=1)
    of_classes = nn.functional.binary_cross_entropy_with_logits(wanted, each, reduction="sum") / number
    return of_classes + 2 * generalized_box_iou_loss(found[some], boxes[some], reduction="sum") / number


def train(head, steps, batch):
    """Trains on scenes that are never seen twice."""
    rng = np.random.default_rng(3)
    optimizer = torch.optim.AdamW(head.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps, pct_start=0.1)
    start = time.monotonic()
    head.train()
    for step in range(1, steps + 1):
        images, truths = zip(*[random_scene(rng) for _ in range(batch)])
        loss = loss_of(head, torch.stack(images), truths)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(head.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            print("step %4d  %4.0f s  loss %.3f" % (step, time.monotonic() - start, loss), flush=True)


def export(head, images, path):
    import onnx
    torch.onnx.export(head, (images,), str(path), opset_version=13, input_names=["images"], output_names=["output0"],
                      dynamic_axes={"images": {0: "batch"}, "output0": {0: "batch"}})
    file = onnx.load(str(path))
    entries = {"task": "detect", "stride": str(STRIDE), "imgsz": str([HEIGHT, WIDTH]),
               "names": str(dict(enumerate(NAMES))), "args": "{'nms': False}", "classes": ",".join(NAMES)}
    for key, value in entries.items():
        file.metadata_props.add(key=key, value=value)
    onnx.save(file, str(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder to write into (default: this one)")
    parser.add_argument("--steps", type=int, default=2000, help="how long to train")
    options = parser.parse_args()
    torch.manual_seed(0)
    head = Head()
    train(head, options.steps, 8)
    head.eval()
    images = torch.stack([tensor(scene(np.random.default_rng(seed), shapes, 0.003)[0])
                          for seed, shapes in TEST_IMAGES.values()])
    with torch.no_grad():
        for name, columns in zip(TEST_IMAGES, head(images)):
            scores, labels = columns[4:].max(0)
            sure = (scores > 0.25).nonzero()[:, 0]
            print(name, len(sure), "candidates")
            for anchor in sure[scores[sure].argsort(descending=True)][:12]:
                box = box_convert(columns[:4, anchor], "cxcywh", "xyxy").round().int().tolist()
                print("   %s %.3f %s" % (NAMES[labels[anchor]], scores[anchor], box))
    export(head, images, options.out / "shapes_head.onnx")


if __name__ == "__main__":
    main()
