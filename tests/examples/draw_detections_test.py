#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the demo's last step and holds what is printed and drawn against the shapes that the test images were made of.

    draw_detections_test.py EXAMPLE REPOSITORY FOLDER

The padded model is FOLDER/shapes.onnx.
"""

import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True

from PIL import Image, ImageChops, ImageStat  # noqa: E402

from shapes import check_rows, expected_images, printed_rows  # noqa: E402


def main():
    example, root, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    data = root / "examples" / "data"
    expected = expected_images(data)
    drawn = folder / "demo.png"
    printed = subprocess.run([example, data / "shapes_b3.onnx", folder / "shapes.onnx", drawn,
                              *(data / image["file"] for image in expected)],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    print(printed)
    for image in expected:
        (real,), rows = printed_rows(printed, rf"{re.escape(image['file'])}: (\d+) of 20 rows are real")
        assert real == len(rows)
        check_rows(image["file"], rows, image["shapes"])
    # The README's picture. Another processor may round a mask's edge differently, so not byte for byte.
    pictures = [Image.open(path).convert("RGB") for path in (drawn, root / "docs" / "demo.png")]
    assert pictures[0].size == pictures[1].size
    difference = max(ImageStat.Stat(ImageChops.difference(*pictures)).mean)
    assert difference < 0.5, f"the picture differs from docs/demo.png by {difference} of 255 on average"


if __name__ == "__main__":
    main()
