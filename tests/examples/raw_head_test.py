#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the example on the images of shapes. It finds them, as the graph does that onnx-pad-outputs makes of the head.

    raw_head_test.py EXAMPLE REPOSITORY FOLDER DRAW_DETECTIONS

The graph is FOLDER/shapes_head.onnx; DRAW_DETECTIONS runs it.
"""

import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True

import numpy  # noqa: E402

from shapes import COLORS, ZOOM, check_rows, expected_images, panel_and_image, printed_rows  # noqa: E402


LABELS = ["circle", "square", "triangle"]


def main():
    example, root, folder, other = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4]
    data = root / "examples" / "data"
    expected = expected_images(data)
    files = [data / image["file"] for image in expected]
    drawn = folder / "raw_head.png"

    def run(*command):
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    printed = run(example, data / "shapes_head.onnx", drawn, *files)
    print(printed)
    padded = run(other, data / "shapes_head.onnx", folder / "shapes_head.onnx", folder / "raw_head_padded.png", *files)
    for number, image in enumerate(expected):
        name = re.escape(image["file"])
        (kept, candidates), rows = printed_rows(printed, rf"{name}: (\d+) of (\d+) candidates are kept")
        assert kept == len(rows) <= candidates
        assert kept < candidates or not kept, "nothing is suppressed"
        check_rows(image["file"], rows, image["shapes"])
        (real,), graph_rows = printed_rows(padded, rf"{name}: (\d+) of \d+ rows are real")
        assert rows == graph_rows and real == kept, f"{image['file']}: {rows} here, {graph_rows} in the graph"
        # Candidates are above, what is kept below.
        for panel in (number, number + len(expected)):
            pixels, original = panel_and_image(drawn, panel, len(expected), files[number])
            assert rows or abs(pixels - original).max() < 10, f"{image['file']} has nothing, and something is drawn"
            for label, _, box in rows:
                left, top, right, bottom = (int(numpy.floor(place * ZOOM + 0.5)) for place in box)
                edge = numpy.concatenate([pixels[top:bottom, left], pixels[bottom - 1, left:right]])
                framed = abs(edge - COLORS[LABELS.index(label)]).max(1) < 5
                assert framed.mean() > 0.7, f"{image['file']}: the box {box} is not drawn in panel {panel}"


if __name__ == "__main__":
    main()
