#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a small torchvision Mask R-CNN to find circles, squares and triangles, and exports it to ONNX.

    apt-get install python3-torch python3-torchvision python3-onnx python3-pil    # Debian 12
    /usr/bin/python3 train_shapes.py              # exports shapes.pt, draws the test images: seconds
    /usr/bin/python3 train_shapes.py --train      # trains shapes.pt first: about a quarter of an hour on two cores
    /usr/bin/python3 train_shapes.py --check 300  # also reports how well it does on 300 fresh scenes
"""

import argparse
import colorsys
import json
import logging
import pathlib
import time
import warnings

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.models import detection
from torchvision.models.detection import anchor_utils, faster_rcnn, mask_rcnn
from torchvision.ops import MultiScaleRoIAlign, box_iou

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = ("background", "circle", "square", "triangle")  # by label
HEIGHT, WIDTH = 192, 256
LIMIT = 20  # rows an image can have at most
TEST_IMAGES = {"empty.png": (9, 0), "two.png": (54, 2), "six.png": (568, 6)}  # seed, shapes


# --------------------------------------------------------------------------------------------------------- scenes


def color(rng, saturation, value):
    """A random colour of any hue, saturation and value out of the given ranges."""
    return np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value)))


def distance(label, dx, dy, radius, angle):
    """Signed distance from a shape's edge in pixels, negative inside; `radius` reaches the corners."""
    if label == 1:
        return np.hypot(dx, dy) - 0.88 * radius
    sides = 4 if label == 2 else 3
    turns = angle + 2 * np.pi / sides * np.arange(sides)
    return np.max([np.cos(turn) * dx + np.sin(turn) * dy for turn in turns], 0) - radius * np.cos(np.pi / sides)


def places(rng, shapes):
    """Centers and radii of shapes that lie inside the image and scarcely overlap."""
    chosen = []
    while len(chosen) < shapes:
        radius = rng.uniform(15, 42)
        x, y = rng.uniform(radius, WIDTH - radius), rng.uniform(radius, HEIGHT - radius)
        if all(np.hypot(x - x2, y - y2) > 0.9 * (radius + radius2) for x2, y2, radius2 in chosen):
            chosen.append((x, y, radius))
    return chosen


def scene(rng, shapes, noise):
    """A picture uint8 [H, W, 3] of so many shapes, their labels [n], boxes [n, 4] and visible masks [n, H, W]."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    angle, base = rng.uniform(0, 2 * np.pi), color(rng, (0.08, 0.3), (0.72, 0.97))
    ramp = (np.cos(angle) * x / WIDTH + np.sin(angle) * y / HEIGHT)[..., None]
    picture = base + 0.12 * ramp * (color(rng, (0.2, 0.8), (0.6, 1.0)) - 0.75)
    labels, masks = rng.integers(1, len(CLASSES), shapes), []
    for label, (cx, cy, radius) in zip(labels, places(rng, shapes)):
        turn, paint = rng.uniform(0, 2 * np.pi), color(rng, (0.5, 0.9), (0.45, 0.95))
        shadow = distance(label, x - cx - 2.5, y - cy - 3.5, radius, turn)
        picture *= 1 - 0.25 * np.clip(0.5 - shadow / 7, 0, 1)[..., None]
        edge = distance(label, x - cx, y - cy, radius, turn)
        shade = 1 - 0.12 * ((x - cx) + (y - cy))[..., None] / radius  # lit from the upper left
        cover = np.clip(0.5 - edge, 0, 1)[..., None]
        picture = cover * paint * shade + (1 - cover) * picture
        masks = [mask & (edge > 0) for mask in masks] + [edge <= 0]
    picture += rng.normal(0, noise, (HEIGHT, WIDTH, 1))
    boxes = [[np.flatnonzero(mask.any(0))[0], np.flatnonzero(mask.any(1))[0],
              np.flatnonzero(mask.any(0))[-1] + 1, np.flatnonzero(mask.any(1))[-1] + 1] for mask in masks]
    return ((np.clip(picture, 0, 1) * 255).round().astype(np.uint8), labels,
            np.array(boxes, float).reshape(-1, 4), np.array(masks, bool).reshape(-1, HEIGHT, WIDTH))


def tensor(picture):
    """The model's view of a picture: float32 [3, H, W] from 0 to 1."""
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


def random_scene(rng):
    """A tensor and torchvision's target of a scene with none to six shapes."""
    picture, labels, boxes, masks = scene(rng, int(rng.integers(0, 7)), rng.uniform(0, 0.04))
    return tensor(picture), {"labels": torch.from_numpy(labels), "boxes": torch.from_numpy(boxes).float(),
                             "masks": torch.from_numpy(masks.astype(np.uint8))}


# ---------------------------------------------------------------------------------------------------------- model


def block(inputs, outputs, stride=1):
    """Convolution, normalisation, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Trunk(nn.Module):
    """Five layers down to stride 16, and back up to one feature map at stride 4."""

    out_channels = 32

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(block(3, 16, 2), block(16, 32, 2))
        self.coarse = nn.Sequential(block(32, 48, 2), block(48, 64, 2), block(64, 64), nn.Conv2d(64, 32, 1),
                                    nn.Upsample(scale_factor=4, mode="nearest"))
        self.merge = block(32, 32)

    def forward(self, images):
        fine = self.fine(images)
        return {"0": self.merge(fine + self.coarse(fine))}


def detector():
    """A Mask R-CNN with small parts."""
    channels, width = Trunk.out_channels, 64
    return detection.MaskRCNN(
        Trunk(), min_size=HEIGHT, max_size=WIDTH, image_mean=[0.5] * 3, image_std=[0.25] * 3,
        rpn_anchor_generator=anchor_utils.AnchorGenerator(((26, 42, 68),), ((1.0,),)),
        rpn_pre_nms_top_n_train=300, rpn_pre_nms_top_n_test=200, rpn_post_nms_top_n_train=100,
        rpn_post_nms_top_n_test=60, rpn_batch_size_per_image=64,
        box_roi_pool=MultiScaleRoIAlign(["0"], 5, 2), box_head=faster_rcnn.TwoMLPHead(channels * 25, width),
        box_predictor=faster_rcnn.FastRCNNPredictor(width, len(CLASSES)), box_batch_size_per_image=32,
        box_score_thresh=0.6, box_nms_thresh=0.5, box_detections_per_img=LIMIT,
        mask_roi_pool=MultiScaleRoIAlign(["0"], 14, 2), mask_head=mask_rcnn.MaskRCNNHeads(channels, (32, 32), 1),
        mask_predictor=mask_rcnn.MaskRCNNPredictor(32, 32, len(CLASSES)))


def train(model, steps, batch=6):
    """Trains on scenes that are never seen twice."""
    rng = np.random.default_rng(1)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.1)
    start = time.monotonic()
    model.train()
    for step in range(1, steps + 1):
        losses = model(*zip(*[random_scene(rng) for _ in range(batch)]))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            parts = "  ".join("%s %.3f" % (name.replace("loss_", ""), loss) for name, loss in losses.items())
            print("step %4d  %4.0f s  %s" % (step, time.monotonic() - start, parts), flush=True)


@torch.no_grad()
def check(model, scenes):
    """Prints how well the model does on fresh scenes; a row is right if its label is and its box has IoU 0.7."""
    rng = np.random.default_rng(2)
    right, rows, shapes, exact, scores, mask_ious = 0, 0, 0, 0, [], []
    for _ in range(scenes):
        image, truth = random_scene(rng)
        found = model([image])[0]
        hits = set()
        for row, iou in enumerate(box_iou(found["boxes"], truth["boxes"])):
            best = int(iou.argmax()) if len(iou) else -1
            if best in hits or best < 0 or iou[best] < 0.7 or found["labels"][row] != truth["labels"][best]:
                continue
            hits.add(best)
            scores.append(float(found["scores"][row]))
            mask, true = found["masks"][row, 0] > 0.5, truth["masks"][best] > 0
            mask_ious.append(float((mask & true).sum() / (mask | true).sum()))
        right, rows, shapes = right + len(hits), rows + len(found["labels"]), shapes + len(truth["labels"])
        exact += len(hits) == len(found["labels"]) == len(truth["labels"])
    print("%d fresh scenes, %d shapes: precision %.4f, recall %.4f, %d scenes exactly right" %
          (scenes, shapes, right / max(rows, 1), right / max(shapes, 1), exact))
    print("of the right rows: mean score %.3f (lowest %.3f), mean IoU of masks %.3f (lowest %.3f)" %
          (np.mean(scores), min(scores), np.mean(mask_ious), min(mask_ious)))


# ---------------------------------------------------------------------------------------------------------- files


def run_lengths(mask):
    """A mask's run lengths as in COCO's annotations: column by column, beginning with those that are not in it."""
    pixels = mask.T.ravel()
    starts = [0, *(np.flatnonzero(pixels[1:] != pixels[:-1]) + 1), pixels.size]
    return [0] * int(pixels[0]) + np.diff(starts).tolist()


def annotations(scenes):
    """The truth as COCO has it, of (name of the file, labels, boxes, masks) of each scene."""
    entries = []
    for image, (_, labels, boxes, masks) in enumerate(scenes, 1):
        for label, (left, top, right, bottom), mask in zip(labels.tolist(), boxes.tolist(), masks):
            entries.append({"id": len(entries) + 1, "image_id": image, "category_id": label, "iscrowd": 0,
                            "area": int(mask.sum()), "bbox": [left, top, right - left, bottom - top],
                            "segmentation": {"size": [HEIGHT, WIDTH], "counts": run_lengths(mask)}})
    images = [{"id": image, "file_name": scene[0], "height": HEIGHT, "width": WIDTH}
              for image, scene in enumerate(scenes, 1)]
    categories = [{"id": label, "name": name} for label, name in enumerate(CLASSES) if label]
    return {"images": images, "categories": categories, "annotations": entries}


def draw_test_images(folder):
    """Writes the test images, and what is in them as expected.json and annotations.json; returns them as tensors."""
    images, entries, scenes = [], [], []
    for name, (seed, shapes) in TEST_IMAGES.items():
        picture, labels, boxes, masks = scene(np.random.default_rng(seed), shapes, 0.003)
        Image.fromarray(picture).save(folder / name, optimize=True)
        images.append(tensor(picture))
        scenes.append((name, labels, boxes, masks))
        truth = ",\n".join('      {"label": %d, "class": "%s", "box": %s}' %
                           (label, CLASSES[label], [int(edge) for edge in box]) for label, box in zip(labels, boxes))
        entries.append('    {"file": "%s", "shapes": [%s]}' % (name, truth and "\n" + truth + "\n    "))
    (folder / "expected.json").write_text('{\n  "images": [\n' + ",\n".join(entries) + "\n  ]\n}\n")
    parts = ("%s: [\n%s\n]" % (json.dumps(key), ",\n".join(map(json.dumps, part)))
             for key, part in annotations(scenes).items())
    (folder / "annotations.json").write_text("{" + ",\n".join(parts) + "}\n")
    return images


def export(model, images, path):
    """Writes the model for so many images, with the names of the classes in its metadata."""
    import onnx
    torch.onnx.export(model, (torch.stack(images),), str(path), opset_version=13, input_names=["images"],
                      output_names=["boxes", "labels", "scores", "masks"])
    file = onnx.load(str(path))
    file.metadata_props.add(key="classes", value=",".join(CLASSES))
    onnx.save(file, str(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder to write into (default: this one)")
    parser.add_argument("--train", action="store_true", help="train, rather than read DIR/shapes.pt")
    parser.add_argument("--steps", type=int, default=3000, help="how long to train")
    parser.add_argument("--check", type=int, metavar="N", default=0, help="report the quality on N fresh scenes")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = detector()
    if options.train:
        train(model, options.steps)
        torch.save(model.state_dict(), options.out / "shapes.pt")
    model.load_state_dict(torch.load(options.out / "shapes.pt"))
    model.eval()
    if options.check:
        check(model, options.check)
    images = draw_test_images(options.out)
    for name, found in zip(TEST_IMAGES, model(images)):
        rows = zip(found["labels"].tolist(), found["scores"].tolist())
        print(name, ", ".join("%s %.3f" % (CLASSES[label], score) for label, score in rows) or "nothing")
    export(model, images[1:2], options.out / "shapes_b1.onnx")
    export(model, images, options.out / "shapes_b3.onnx")


if __name__ == "__main__":
    main()
