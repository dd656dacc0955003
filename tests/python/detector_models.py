# SPDX-License-Identifier: Apache-2.0
"""Small detectors of tests/data, padded, and images in which they find something."""

import functools
import json
import pathlib
import sys

import padbatch

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
sys.path.insert(0, str(DATA))

from scenes import scene  # noqa: E402

FIXTURES = {entry["file"]: entry for entry in json.loads((DATA / "manifest.json").read_text())["fixtures"]}


@functools.lru_cache(maxsize=None)
def _padded(file, options):
    return padbatch.pad_outputs(str(DATA / file), **dict(options))


def padded(file, **options):
    """A model of tests/data, padded: its bytes."""
    return _padded(file, tuple(sorted(options.items())))


def image(seed, size=(64, 80)):
    """A float image [H, W, 3]."""
    return scene(seed, *size).transpose(1, 2, 0)


def images(seeds, size=(64, 80)):
    return [image(seed, size) for seed in seeds]
