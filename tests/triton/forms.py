# SPDX-License-Identifier: Apache-2.0
"""One export of each form, as serve_test.py serves them: what to type, and what plain code reads in its outputs.

The rows of an image are read as (box, label, score), in the order of the export's outputs.
"""

import pathlib
import subprocess

import numpy

MOST = 20  # rows of an image
FORMS = {}


def form(name, export, *options):
    """Registers what reads the rows of each image in the outputs of an export below tests/data."""
    def register(read):
        FORMS[name] = (export, options, read)
        return read
    return register


@form("flat", "lists/super_gradients_pt113_any_op14.onnx")
def read_flat(outputs, images):
    """Rows [n, 7]: the image, the box, the score, the label."""
    rows = outputs["graph2_flat_predictions"]
    return [[(row[1:5], row[6], row[5]) for row in rows if row[0] == image] for image in range(images)]


@form("counted", "lists/paddle_pt113_any_op11.onnx")
def read_counted(outputs, images):
    """Rows [n, 6]: label, score and box, and the number of rows of each image; a label of -1 is no detection."""
    rows, counts = outputs["multiclass_nms3_0.tmp_0"], outputs["multiclass_nms3_0.tmp_2"]
    assert len(counts) == images and counts.sum() == len(rows)
    parts = numpy.split(rows, numpy.cumsum(counts)[:-1])
    return [[(row[2:6], row[0], row[1]) for row in part if row[0] >= 0] for part in parts]


@form("selection", "other/nms_pt215_any_op17_xyxy.onnx")
def read_selection(outputs, images):
    """What a NonMaxSuppression selects of the boxes and scores."""
    boxes, scores = outputs["boxes"], outputs["scores"]
    return [[(boxes[image, box], label, scores[image, label, box])
             for of, label, box in outputs["selected_indices"] if of == image] for image in range(images)]


@form("padded", "padded/mmdeploy_any_op11.onnx")
def read_padded(outputs, images):
    """Rows [B, M, 5] and labels [B, M], of which the first -1 is the end."""
    found = []
    for rows, labels in zip(outputs["dets"], outputs["labels"]):
        count = list(labels).index(-1) if -1 in labels else len(labels)
        found.append([(row[:4], label, row[4]) for row, label in zip(rows[:count], labels)])
    return found


@form("raw", "raw/yolo_any_op12.onnx", "--conf", "0.5")
def read_raw(outputs, images):
    """A head [B, 4 + classes, A], of which nothing is selected: docs/raw-heads.md in a loop."""
    found = []
    for head in outputs["output0"]:
        centers, sizes, scores = head[:2].T, head[2:4].T, head[4:].T
        boxes = numpy.hstack([centers - sizes * numpy.float32(0.5), centers + sizes * numpy.float32(0.5)])
        labels, best = scores.argmax(1), scores.max(1)
        shifted = boxes + labels[:, None].astype(numpy.float32) * numpy.float32(7680)
        kept = []
        for anchor in sorted(numpy.flatnonzero(best > numpy.float32(0.5)), key=lambda anchor: -best[anchor]):
            if all(overlap(shifted[anchor], shifted[other]) <= numpy.float32(0.7) for other in kept):
                kept.append(anchor)
        found.append([(boxes[anchor], labels[anchor], best[anchor]) for anchor in kept])
    return found


def overlap(a, b):
    """The intersection over union of two boxes, in float32 like its arguments."""
    sides = numpy.minimum(a[2:], b[2:]) - numpy.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return numpy.float32(0)
    both = sides[0] * sides[1]
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


@form("loose", "loose/mmdeploy_op11.onnx", "--dynamic-batch")
def read_loose(outputs, images):
    """The rows of one image, [1, n, 5] and [1, n]."""
    assert images == 1
    return [[(row[:4], label, row[4]) for row, label in zip(outputs["dets"][0], outputs["labels"][0])]]


def write_repository(command, data, repository, max_batch_size):
    """Lets the command write a model of each form into a repository."""
    for name, (export, options, _) in FORMS.items():
        subprocess.run([command, "--quiet", "--max-detections", str(MOST), *options, "--triton-repository", repository,
                        "--model-name", name, "--max-batch-size", str(max_batch_size), pathlib.Path(data, export)],
                       check=True)


def expected(name, infer, inputs):
    """The padded outputs for these images, by what the export itself gives for all of them, or for one at a time."""
    _, options, read = FORMS[name]
    images = len(next(iter(inputs.values())))
    one = "--dynamic-batch" in options
    rows = []
    for first in range(images if one else 1):
        part = {key: array[first:first + 1] for key, array in inputs.items()} if one else inputs
        rows += read(infer(part), 1 if one else images)
    counts = numpy.array([[min(len(each), MOST)] for each in rows], numpy.int32)
    boxes = numpy.zeros((images, MOST, 4), numpy.float32)
    labels = numpy.zeros((images, MOST), numpy.int64)
    scores = numpy.zeros((images, MOST), numpy.float32)
    for image, each in enumerate(rows):
        best = each
        if name != "loose" or len(each) > MOST:
            best = sorted(each, key=lambda row: -row[2])  # equal ones stay in their order
        for place, (box, label, score) in enumerate(best[:MOST]):
            boxes[image, place], labels[image, place], scores[image, place] = box, label, score
    return {"num_detections": counts, "boxes": boxes, "labels": labels, "scores": scores}
