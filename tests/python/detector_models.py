# SPDX-License-Identifier: Apache-2.0
"""Small detectors of tests/data, padded, and images in which they find something."""

import functools
import json
import pathlib
import sys

import onnxruntime

import padbatch

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
sys.path.insert(0, str(DATA))

from scenes import scene  # noqa: E402

FIXTURES = {entry["file"]: entry for entry in json.loads((DATA / "manifest.json").read_text())["fixtures"]}


@functools.lru_cache(maxsize=None)
def _padded(file, options):
    return padbatch.pad_outputs(str(DATA / file), **{k: dict(v) if isinstance(v, tuple) else v for k, v in options})


def _key(value):
    return tuple(value.items()) if isinstance(value, dict) else value


def padded(file, **options):
    """A model of tests/data, padded: its bytes."""
    return _padded(file, tuple(sorted((k, _key(v)) for k, v in options.items())))


@functools.lru_cache(maxsize=None)
def session(model):
    """A session of a model's bytes; without optimiser, since most of the time of a small model goes into it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def detector(file, class_names=None, batch_size=None, **options):
    """A detector of tests/data."""
    return padbatch.Detector(session(padded(file, **options)), class_names=class_names, batch_size=batch_size)


def image(seed, size=(64, 80)):
    """A float image [H, W, 3]."""
    return scene(seed, *size).transpose(1, 2, 0)


def images(seeds, size=(64, 80)):
    return [image(seed, size) for seed in seeds]
