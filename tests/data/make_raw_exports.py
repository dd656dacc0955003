#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small detectors without their post-processing to ONNX, for the tests.

Each ends as the exports of one project do, with its names, symbols and metadata; what is in front is that of
make_other_exports.py, with random weights, which find hundreds of boxes that overlap. The file `made.json` says of each
what its outputs are. `judged.json` has the numbers of a crowded head, and what torchvision.ops.nms keeps of them class by
class, and of all classes together.

    /usr/bin/python3 make_raw_exports.py              # Debian 12: torch 1.13
    make_raw_exports.py --only 'yolo_pose*'           # some of it
"""

import json
import sys
import types

sys.dont_write_bytecode = True

import numpy  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import nn  # noqa: E402

from exports import make_named, set_metadata  # noqa: E402
from make_exports import HERE  # noqa: E402
from make_other_exports import ANCHORS, BOXES, HEIGHT, STRIDE, WIDTH, Detector, batch_of  # noqa: E402

CLASSES = 3
NAMES = "{0: 'circle', 1: 'square', 2: 'cross'}"
ULTRALYTICS = {"names": NAMES, "author": "Ultralytics", "stride": str(STRIDE), "imgsz": str([HEIGHT, WIDTH]),
               "args": "{'nms': False}"}


class Raw(Detector):
    """The trunk, and `more` further numbers for each anchor."""

    kind = ""  # what --head calls it
    more = 0
    outputs = ["output0"]
    metadata = {}

    def __init__(self):
        super().__init__(types.SimpleNamespace(classes=CLASSES, initializers=False, limit=40, iou=0.45))
        self.further = nn.Conv2d(16, len(ANCHORS) * self.more, 1, bias=False) if self.more else None

    def numbers(self, layer, maps, of_anchor):
        """What a convolution gives for each anchor, [B, A, of_anchor]."""
        raw = layer(maps).reshape(maps.shape[0], len(ANCHORS), of_anchor, maps.shape[2], maps.shape[3])
        return raw.permute(0, 1, 3, 4, 2).reshape(maps.shape[0], BOXES, of_anchor)


class Yolo(Raw):
    """YOLOv8 to 12: columns in front of anchors."""

    kind = "yolo"
    metadata = {"task": "detect", **ULTRALYTICS}

    def columns(self, maps):
        boxes, scores = self.boxes_and_scores(maps)
        return [boxes, scores] + ([self.numbers(self.further, maps, self.more)] if self.more else [])

    def forward(self, images):
        return torch.cat(self.columns(self.features(images)), 2).transpose(1, 2)


class YoloSeg(Yolo):
    """The same with coefficients, and the prototypes that they belong to."""

    kind, more = "yolo-seg", 8
    outputs = ["output0", "output1"]
    metadata = {"task": "segment", **ULTRALYTICS}

    def __init__(self):
        super().__init__()
        self.prototypes = nn.Conv2d(16, self.more, 3, padding=1, bias=False)

    def forward(self, images):
        maps = self.features(images)
        return torch.cat(self.columns(maps), 2).transpose(1, 2), self.prototypes(maps)


class YoloPose(Yolo):
    """The same with keypoints."""

    kind, more = "yolo-pose", 15
    metadata = {"task": "pose", "kpt_shape": "[5, 3]", **ULTRALYTICS}


class YoloTransposed(Yolo):
    """Anchors in front of columns, and nothing that says what it is."""

    metadata = {}

    def forward(self, images):
        return torch.cat(self.columns(self.features(images)), 2)


class YoloObb(Yolo):
    """Turned boxes, which no NonMaxSuppression of ONNX takes."""

    kind, more = "yolo-obb", 1
    metadata = {"task": "obb", **ULTRALYTICS}


class YoloObjectness(Raw):
    """YOLOv5 and YOLOv7: anchors in front of columns, with an objectness."""

    kind = "yolo-objectness"
    metadata = {"names": NAMES, "stride": str(STRIDE)}

    def forward(self, images):
        raw = self.numbers(self.head, self.features(images), 5 + CLASSES)
        centers = self.centers + (raw[..., :2].sigmoid() - 0.5) * (2 * STRIDE)
        return torch.cat([centers, self.sizes * raw[..., 2:4].sigmoid() * 2, raw[..., 4:].sigmoid()], 2)


class Yolox(Raw):
    """YOLOX: two grids of cells, boxes as offsets from them that nothing decodes."""

    kind = "yolo-objectness"

    def forward(self, images):
        maps = self.features(images)
        coarse = nn.functional.avg_pool2d(maps, 2)
        rows = []
        for each in (maps, coarse):
            cells = each.shape[2] * each.shape[3]
            raw = self.head(each)[:, :5 + CLASSES].reshape(each.shape[0], 5 + CLASSES, int(cells)).transpose(1, 2)
            rows.append(torch.cat([raw[..., :2], raw[..., 2:4], raw[..., 4:].sigmoid()], 2))
        return torch.cat(rows, 1)


class BoxesScores(Raw):
    """Super-Gradients without post-processing: corners, and the scores of all classes."""

    kind = "boxes-scores"
    outputs = ["boxes", "scores"]

    def forward(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        return torchvision.ops.box_convert(boxes, "cxcywh", "xyxy"), scores


class DetrLogits(Raw):
    """DETR: centers and sizes in fractions of the image, and logits, whose last class is none."""

    kind = "detr"
    outputs = ["logits", "pred_boxes"]

    def forward(self, images):
        raw = self.numbers(self.head, self.features(images), 5 + CLASSES)
        boxes, _ = self.boxes_and_scores(self.features(images))
        return raw[..., 4:], boxes / torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])


class RtDetrSigmoid(DetrLogits):
    """RT-DETR with the activation in the model, and both in one output, as Ultralytics exported it."""

    kind = "boxes-scores"
    outputs = ["output0"]

    def forward(self, images):
        logits, boxes = super().forward(images)
        return torch.cat([boxes, logits[..., 1:].sigmoid()], 2)


# What is made, each with its opset and the number of images, 0 for any.
FILES = {
    "yolo_any_op12": (Yolo, 12, 0),
    "yolo_b1_op17": (Yolo, 17, 1),
    "yolo_transposed_any_op11": (YoloTransposed, 11, 0),
    "yolo_seg_any_op14": (YoloSeg, 14, 0),
    "yolo_pose_b2_op13": (YoloPose, 13, 2),
    "yolo_obb_any_op16": (YoloObb, 16, 0),
    "yolo_objectness_any_op12": (YoloObjectness, 12, 0),
    "yolox_any_op11": (Yolox, 11, 0),
    "boxes_scores_any_op14": (BoxesScores, 14, 0),
    "detr_logits_any_op14": (DetrLogits, 14, 0),
    "rtdetr_sigmoid_any_op16": (RtDetrSigmoid, 16, 0),
}


def export(name, folder):
    kind, opset, batch = FILES[name]
    torch.manual_seed(40 + opset)
    model = kind().eval()
    images = torch.from_numpy(batch_of(range(1, 1 + (batch or 2))))
    axes = {} if batch else {value: {0: "batch"} for value in ["images", *kind.outputs]}
    path = folder / (name + ".onnx")
    torch.onnx.export(model, (images,), str(path), opset_version=opset, input_names=["images"],
                      output_names=kind.outputs, dynamic_axes=axes)
    set_metadata(path, kind.metadata)
    return {"file": path.name, "kind": kind.__name__, "head": kind.kind, "batch": batch or None, "classes": CLASSES,
            "image_size": [HEIGHT, WIDTH], "outputs": kind.outputs}


def judge():
    """A head [anchors][4 + classes] whose scores all differ, and the anchors that torchvision keeps, the best first."""
    random = numpy.random.RandomState(7)
    anchors = 160
    places = random.randint(80, 480, (6, 2))[random.randint(0, 6, anchors)]
    centers = (places + random.randint(-12, 13, (anchors, 2))) / 8  # which float32 holds, and their halves too
    rows = numpy.hstack([centers, random.randint(96, 130, (anchors, 2)) / 8,
                         (1 + random.permutation(anchors * CLASSES).reshape(anchors, CLASSES)) / 512])
    head = torch.tensor(rows, dtype=torch.float32)
    boxes = torchvision.ops.box_convert(head[:, :4], "cxcywh", "xyxy")
    scores, labels = head[:, 4:].max(1)
    kept = []
    for iou in (0.3, 0.5, 0.7):
        for agnostic in (False, True):
            chosen = []
            for label in [None] if agnostic else range(CLASSES):
                some = torch.arange(anchors) if agnostic else torch.nonzero(labels == label)[:, 0]
                some = some[scores[some] > 0.25]
                chosen += some[torchvision.ops.nms(boxes[some], scores[some], iou)].tolist()
            kept.append({"iou_threshold": iou, "class_agnostic": agnostic,
                         "anchors": sorted(chosen, key=lambda anchor: -scores[anchor].item())})
    return {"head": rows.tolist(), "score": 0.25, "kept": kept}


@torch.no_grad()
def main():
    folder = make_named(FILES, HERE / "raw", __doc__, export)
    (folder / "judged.json").write_text(json.dumps(judge()) + "\n")


if __name__ == "__main__":
    main()
