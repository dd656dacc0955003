# SPDX-License-Identifier: Apache-2.0
"""Compares a padded model with the export that it was made of:

    python -m padbatch.verify EXPORT.onnx PADDED.onnx [--images FILE.npy ...] [options]

Prints what was compared. The exit code is 0 if all bytes are equal, 1 if not or if the models cannot be compared, and 2
if the arguments make no sense. What the function padbatch.verify does, and its help says more.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from padbatch._errors import Error
from padbatch._verify import verify


def _extents(text: str) -> tuple[int, int]:
    height, width = text.split("x")
    return int(height), int(width)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _pair(text: str) -> tuple[str, float | bool]:
    field, value = text.split("=")
    if value in ("true", "false"):
        return field, value == "true"
    try:
        return field, int(value)
    except ValueError:
        return field, float(value)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m padbatch.verify", allow_abbrev=False,
                                     description="Compares a padded model with its export: runs both in ONNX Runtime, "
                                     "pads the export's outputs, and compares bytes.",
                                     epilog="Options of the rewrite are those that the padded model does not show.")
    parser.add_argument("original", metavar="EXPORT.onnx")
    parser.add_argument("padded", metavar="PADDED.onnx")
    parser.add_argument("--images", metavar="FILE.npy", nargs="+",
                        help="arrays [N, C, H, W] or [C, H, W] to run on, instead of random pictures")
    parser.add_argument("--batches", metavar="N,N,...", type=_numbers, default=(1, 2, 5),
                        help="images in a run, for a model of any number (1,2,5)")
    parser.add_argument("--draws", metavar="N", type=int, default=3, help="runs on random pictures (3)")
    parser.add_argument("--size", metavar="HxW", type=_extents, default=(480, 640),
                        help="the size of random pictures, for a model of any (480x640)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of random pictures")
    rewrite = parser.add_argument_group("the rewrite")
    rewrite.add_argument("--min-score", metavar="S", type=float)
    rewrite.add_argument("--classes", metavar="L,L,...", type=_numbers)
    rewrite.add_argument("--exclude-classes", metavar="L,L,...", type=_numbers)
    rewrite.add_argument("--mask-threshold", metavar="T", type=float)
    rewrite.add_argument("--pad-value", metavar="FIELD=VALUE", type=_pair, action="append")
    given = vars(parser.parse_args(arguments))
    given["pad_value"] = None if given["pad_value"] is None else dict(given["pad_value"])
    try:
        if given["images"] is not None:
            given["images"] = [image for file in given["images"] for image in _loaded(file)]
        print(verify(**given))
        return 0
    except (Error, ImportError) as error:
        print(f"padbatch.verify: {error}", file=sys.stderr)
        return 2 if getattr(error, "kind", None) == "usage" else 1


def _loaded(file: str) -> list[np.ndarray]:
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Error(f"cannot read {file!r}: {error}", "a file that numpy.save wrote", "correct the name or the file",
                    "usage") from error
    return list(array) if array.ndim == 4 else [array]


if __name__ == "__main__":
    sys.exit(main())
# padbatch.verify is the function, whether this module is imported or not.
sys.modules[__name__] = verify  # type: ignore[assignment]
