# SPDX-License-Identifier: Apache-2.0
"""What the images of shapes show, and what the examples print and draw about them, for the tests."""

import json
import re

import numpy
from PIL import Image

# A box that is off by two pixels on each side of the smallest shape, 30 pixels wide, still has an IoU of 0.75.
LEAST_IOU = 0.7
ZOOM = 2  # the examples draw images this much larger
GAP, CAPTION = 24, 60  # around the drawn images, and below them
COLORS = 255 * numpy.array([[0.80, 0.10, 0.45], [0.05, 0.35, 0.85], [0.90, 0.35, 0.00], [0.00, 0.50, 0.35]])  # by label


def expected_images(data):
    """The images, each with its shapes."""
    return json.loads((data / "expected.json").read_text())["images"]


def iou(a, b):
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (area - width * height)


def printed_rows(printed, heading):
    """What the heading's groups matched, and the rows (label, score, box) that are printed below it."""
    section = re.search(rf"^{heading}\n((?:  .*\n)*)", printed, re.M)
    assert section, f"{heading} is not in\n{printed}"
    rows = []
    for row in section.groups()[-1].splitlines():
        label, score, left, right, top, bottom = re.fullmatch(
            r"  (\w+) +([\d.]+)  x ([\d.-]+) to ([\d.-]+), y ([\d.-]+) to ([\d.-]+)", row).groups()
        rows.append((label, float(score), tuple(map(float, (left, top, right, bottom)))))
    return [int(number) for number in section.groups()[:-1]], rows


def check_rows(name, rows, shapes):
    """Each row is one shape of the image, and each shape is a row."""
    assert len(rows) == len(shapes), f"{name}: {len(rows)} rows for {len(shapes)} shapes"
    left = list(shapes)
    for label, _, box in rows:
        match = max(left, key=lambda shape: iou(box, shape["box"]))
        assert match["class"] == label, f"{name}: a {match['class']} is called {label}"
        assert iou(box, match["box"]) >= LEAST_IOU, f"{name}: the box of a {label}, {box}, is not at {match['box']}"
        left.remove(match)


def panel_and_image(sheet, number, columns, image):
    """Panel `number` of a sheet, and its image as large as that, [H, W, 3] from 0 to 255. (Where nothing is drawn they
    differ by less than 10: two programs enlarge, and sheets have 52 levels for each channel.)"""
    original = Image.open(image).convert("RGB")
    width, height = original.width * ZOOM, original.height * ZOOM
    left = GAP + number % columns * (width + GAP)
    top = GAP + number // columns * (GAP + height + CAPTION)
    panel = Image.open(sheet).convert("RGB").crop((left, top, left + width, top + height))
    return [numpy.asarray(each, float) for each in (panel, original.resize((width, height), Image.BILINEAR))]
