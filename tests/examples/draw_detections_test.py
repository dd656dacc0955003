#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the demo's steps and holds what is printed and drawn against the shapes that the test images were made of.

    draw_detections_test.py COMMAND EXAMPLE REPOSITORY FOLDER
"""

import json
import pathlib
import re
import subprocess
import sys

from PIL import Image, ImageChops, ImageStat

# A box that is off by two pixels on each side of the smallest shape, 30 pixels wide, still has an IoU of 0.75.
LEAST_IOU = 0.7


def iou(a, b):
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (area - width * height)


def check_rows(name, rows, shapes):
    """Each row is one shape of the image, and each shape is a row."""
    assert len(rows) == len(shapes), f"{name}: {len(rows)} rows for {len(shapes)} shapes"
    left = list(shapes)
    for label, box in rows:
        match = max(left, key=lambda shape: iou(box, shape["box"]))
        assert match["class"] == label, f"{name}: a {match['class']} is called {label}"
        assert iou(box, match["box"]) >= LEAST_IOU, f"{name}: the box of a {label}, {box}, is not at {match['box']}"
        left.remove(match)


def main():
    command, example, root, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    data = root / "examples" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    expected = json.loads((data / "expected.json").read_text())["images"]
    padded, drawn = folder / "padded.onnx", folder / "demo.png"
    subprocess.run([command, "--quiet", "--force", data / "shapes_b3.onnx", padded], check=True)
    printed = subprocess.run([example, data / "shapes_b3.onnx", padded, drawn, *(data / i["file"] for i in expected)],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    print(printed)
    for image in expected:
        section = re.search(rf"^{re.escape(image['file'])}: (\d+) of 20 rows are real\n((?:  .*\n)*)", printed, re.M)
        rows = []
        for row in section.group(2).splitlines():
            label, _, left, right, top, bottom = re.fullmatch(
                r"  (\w+) +([\d.]+)  x ([\d.]+) to ([\d.]+), y ([\d.]+) to ([\d.]+)", row).groups()
            rows.append((label, tuple(map(float, (left, top, right, bottom)))))
        assert int(section.group(1)) == len(rows)
        check_rows(image["file"], rows, image["shapes"])
    # The README's picture. Another processor may round a mask's edge differently, so not byte for byte.
    pictures = [Image.open(path).convert("RGB") for path in (drawn, root / "docs" / "demo.png")]
    assert pictures[0].size == pictures[1].size
    difference = max(ImageStat.Stat(ImageChops.difference(*pictures)).mean)
    assert difference < 0.5, f"the picture differs from docs/demo.png by {difference} of 255 on average"


if __name__ == "__main__":
    main()
