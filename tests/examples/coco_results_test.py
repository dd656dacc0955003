#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the example on the images of shapes, and lets pycocotools read and judge its results.

    coco_results_test.py EXAMPLE REPOSITORY FOLDER

The padded model is FOLDER/shapes_regions.onnx.
"""

import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True

import numpy  # noqa: E402

from shapes import COLORS, ZOOM, panel_and_image  # noqa: E402

try:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ImportError as error:
    sys.exit(f"this test needs pycocotools ({error}): scripts/cocotools-root DEST fetches it, and CMake is told of it"
             " with -DPADBATCH_COCOTOOLS_ROOT=DEST")

# How well the model does on these three images, less what another processor may round differently. (Of the 10 IoU
# thresholds for AP, the highest are 0.9 and 0.95, where half a pixel at the edges of the smallest shapes matters.)
LEAST_AP = {"bbox": 0.85, "segm": 0.8}


def judge(truth, results, kind):
    """COCO's numbers for boxes or masks."""
    evaluation = COCOeval(truth, results, kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats


def main():
    example, root, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    data = root / "examples" / "data"
    written, drawn = folder / "coco_results.json", folder / "coco_results.png"
    subprocess.run([example, folder / "shapes_regions.onnx", data / "annotations.json", written, drawn], check=True)

    truth = COCO(str(data / "annotations.json"))
    results = truth.loadRes(str(written))
    images, rows = truth.dataset["images"], json.loads(written.read_text())
    assert [len(results.getAnnIds(image["id"])) for image in images] == [0, 2, 6]
    for kind, least in LEAST_AP.items():
        stats = judge(truth, results, kind)
        assert stats[1] > 0.999, f"AP of {kind} at an IoU of 0.5: {stats[1]}"
        assert stats[0] > least, f"AP of {kind}: {stats[0]}"

    for row in rows:
        mask = results.annToMask(row)
        assert mask.shape == (images[0]["height"], images[0]["width"])
        x, y, width, height = row["bbox"]
        columns, lines = numpy.flatnonzero(mask.any(0)), numpy.flatnonzero(mask.any(1))
        # Masks are of whole pixels, and the boxes' edges are up to two cells of 1/28 of the box beside them.
        found = numpy.array([columns[0], lines[0], columns[-1] + 1, lines[-1] + 1])
        slack = 1 + 2 / 28 * max(width, height)
        assert (abs(found - [x, y, x + width, y + height]) <= slack).all(), f"{row['bbox']} has a mask at {found}"

    # Shapes are tinted; what is far from them is as it was. Tags are 22 pixels high, and wider than shapes.
    for number, image in enumerate(images):
        panel, original = panel_and_image(drawn, number, len(images), data / image["file_name"])
        far = numpy.ones(panel.shape[:2], bool)
        for shape in truth.loadAnns(truth.getAnnIds(image["id"])):
            mask = truth.annToMask(shape).astype(bool).repeat(ZOOM, 0).repeat(ZOOM, 1)
            tint = 0.55 * original + 0.45 * COLORS[shape["category_id"]]
            tinted = abs(panel - tint).max(2) < 10
            # The outline, 2 pixels wide, and the frame are drawn over the edges.
            assert tinted[mask].mean() > 0.75, f"{image['file_name']}: shape {shape['id']} is not tinted"
            x, y, width, height = (int(place) * ZOOM for place in shape["bbox"])
            far[max(y - 30, 0):y + height + 30, max(x - 100, 0):x + width + 150] = False
        assert abs(panel - original)[far].max(initial=0) < 10, f"{image['file_name']}: something is drawn beside shapes"


if __name__ == "__main__":
    main()
