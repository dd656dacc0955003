#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small detectors that pad their rows themselves to ONNX, for the tests.

Each ends as the exports of one project do, with its names, symbols and metadata; what is in front is that of
make_other_exports.py, with random weights. The file `made.json` says of each what its outputs are.

    /usr/bin/python3 make_padded_exports.py           # Debian 12: torch 1.13
    make_padded_exports.py --only 'yolov10*'          # some of it
"""

import sys
import types

sys.dont_write_bytecode = True

import torch  # noqa: E402
import torchvision  # noqa: E402

from exports import make_named, set_metadata  # noqa: E402
from make_exports import HERE  # noqa: E402
from make_other_exports import HEIGHT, WIDTH, Detector, Suppress, batch_of  # noqa: E402

CLASSES = 3
IOU = 0.45
NAMES = "{0: 'circle', 1: 'square', 2: 'cross'}"


class Padded(Detector):
    """The trunk, and the score below which rows are dropped: one that leaves most images with rows and some full."""

    quantile = 0.9

    def __init__(self):
        super().__init__(types.SimpleNamespace(classes=CLASSES, initializers=False, limit=40, iou=IOU))

    def tune(self):
        scores = self.boxes_and_scores(self.features(torch.from_numpy(batch_of(range(1, 9)))))[1]
        self.least = float("%.4g" % scores.max(2)[0].flatten().quantile(self.quantile))


class UltralyticsNms(Padded):
    """Ultralytics' `nms=True`: a loop over the images of the batch that it is traced with.

    Each row ends with what a task other than detection adds, here nothing.
    """

    rows = 12
    outputs = ["output0"]
    metadata = {"task": "detect", "names": NAMES, "author": "Ultralytics", "stride": "8",
                "args": "{'batch': 2, 'nms': True}"}

    def forward(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        boxes = boxes @ self.to_corners
        scores, classes = scores.max(dim=-1)
        out = torch.zeros(images.shape[0], self.rows, 6)
        for i in range(images.shape[0]):
            mask = scores[i] > self.least
            box, score, cls = boxes[i][mask], scores[i][mask], classes[i][mask]
            keep = torchvision.ops.nms(box + cls.view(-1, 1).to(box.dtype) * 640.0, score, IOU)[:self.rows]
            dets = torch.cat([box[keep], score[keep].view(-1, 1), cls[keep].view(-1, 1).to(out.dtype),
                              box[keep][:, 4:]], dim=-1)
            out[i] = torch.nn.functional.pad(dets, (0, 0, 0, self.rows - dets.shape[0]))
        return out


class Yolov10(Padded):
    """YOLOv10's and YOLO26's head: the best pairs of box and class, without a NonMaxSuppression."""

    rows = 20
    outputs = ["output0"]
    metadata = {"task": "detect", "names": NAMES, "author": "Ultralytics", "stride": "8", "args": "{'nms': False}"}

    def forward(self, images):
        raw = self.head(self.features(images))
        raw = raw.reshape(raw.shape[0], len(self.centers[0]), 5 + CLASSES)
        low = self.centers - raw[..., 0:2].exp()
        high = self.centers + raw[..., 2:4].exp()
        boxes, scores = torch.cat([low, high], 2), raw[..., 5:].sigmoid()
        index = scores.amax(dim=-1).topk(self.rows)[1].unsqueeze(-1)
        boxes = boxes.gather(1, index.repeat(1, 1, 4))
        scores = scores.gather(1, index.repeat(1, 1, CLASSES))
        scores, index = scores.flatten(1).topk(self.rows)
        i = torch.arange(images.shape[0])[..., None]
        return torch.cat([boxes[i, torch.div(index, CLASSES, rounding_mode="floor")], scores[..., None],
                          (index % CLASSES)[..., None].float()], dim=-1)


class RtDetr(Padded):
    """RT-DETR with its post-processing: boxes in pixels of images whose sizes are a second input."""

    rows = 16
    outputs = ["labels", "boxes", "scores"]
    metadata = {}

    def forward(self, images, sizes):
        boxes, scores = self.boxes_and_scores(self.features(images))
        boxes = boxes / torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])
        boxes = torchvision.ops.box_convert(boxes, in_fmt="cxcywh", out_fmt="xyxy")
        boxes = boxes * sizes.repeat(1, 2).unsqueeze(1)
        scores, index = torch.topk(scores.flatten(1), self.rows, dim=-1)
        labels = index % CLASSES
        index = torch.div(index, CLASSES, rounding_mode="floor")
        return labels, boxes.gather(dim=1, index=index.unsqueeze(-1).repeat(1, 1, 4)), scores


class Mmdeploy(Padded):
    """MMDeploy: one NonMaxSuppression, its rows given to each image, and filled up with scores of 0, labels of -1."""

    rows = 10
    outputs = ["dets", "labels"]
    metadata = {}

    def padded(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        boxes, scores = boxes @ self.to_corners, scores.transpose(1, 2)
        picked = Suppress.apply(boxes, scores, torch.tensor([50]), torch.tensor([IOU]), torch.tensor([self.least]),
                                False)
        image, label, box = picked.unbind(1)
        dets = torch.cat([boxes[image, box], scores[image, label, box].unsqueeze(1)], 1)
        batch = torch.arange(images.shape[0]).unsqueeze(1)
        own = image == batch
        dets = dets.unsqueeze(0).repeat(images.shape[0], 1, 1)
        dets = dets.where(own.unsqueeze(-1), dets.new_zeros(1))
        labels = label.unsqueeze(0).repeat(images.shape[0], 1)
        labels = labels.where(own, labels.new_ones(1) * -1)
        # As many as the TopK below takes, whatever was found. (MMDeploy adds one row and takes fewer.)
        dets = torch.cat([dets, dets.new_zeros((images.shape[0], self.rows, 5))], 1)
        labels = torch.cat([labels, labels.new_ones((images.shape[0], self.rows)) * -1], 1)
        best = dets[:, :, -1].topk(self.rows, dim=1)[1]
        return dets[batch, best], labels[batch, best]

    def forward(self, images):
        return self.padded(images)


class Counted(Mmdeploy):
    """Names and types of TensorRT's EfficientNMS, by ordinary operators."""

    outputs = ["num_dets", "det_boxes", "det_scores", "det_classes"]

    def forward(self, images):
        dets, labels = self.padded(images)
        scores = dets[..., 4]
        return (scores > 0).sum(1, keepdim=True).int(), dets[..., :4], scores, labels.int()


class Detr(Padded):
    """A wrapper around DETR: the best class of each query; boxes are centers and sizes in fractions of the image."""

    rows = 160
    outputs = ["scores", "pred_labels", "pred_boxes"]
    metadata = {}

    def forward(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        scores, labels = scores.max(-1)
        return scores, labels, (boxes / 128).sigmoid()


# What is made, each with its opset and the number of images, 0 for any.
FILES = {
    "ultralytics_nms_b2_op12": (UltralyticsNms, 12, 2),
    "ultralytics_nms_any_op17": (UltralyticsNms, 17, 0),
    "yolov10_any_op13": (Yolov10, 13, 0),
    "yolov10_b1_op11": (Yolov10, 11, 1),
    "rtdetr_any_op16": (RtDetr, 16, 0),
    "mmdeploy_any_op11": (Mmdeploy, 11, 0),
    "counted_any_op17": (Counted, 17, 0),
    "detr_any_op14": (Detr, 14, 0),
}


def export(name, folder):
    kind, opset, batch = FILES[name]
    torch.manual_seed(30 + opset)
    model = kind().eval()
    model.tune()
    images = torch.from_numpy(batch_of(range(1, 1 + (batch or 2))))
    inputs = {"images": images}
    if kind is RtDetr:
        inputs["orig_target_sizes"] = torch.tensor([[WIDTH, HEIGHT]] * len(images))
    symbols = {"dets": {0: "batch", 1: "num_dets"}, "labels": {0: "batch", 1: "num_dets"}} if kind is Mmdeploy else {}
    axes = {} if batch else {value: symbols.get(value, {0: "batch"}) for value in [*inputs, *kind.outputs]}
    path = folder / (name + ".onnx")
    torch.onnx.export(model, tuple(inputs.values()), str(path), opset_version=opset, input_names=list(inputs),
                      output_names=kind.outputs, dynamic_axes=axes)
    set_metadata(path, kind.metadata)
    return {"file": path.name, "kind": kind.__name__, "batch": batch or None, "rows": kind.rows,
            "image_size": [HEIGHT, WIDTH], "outputs": kind.outputs}


@torch.no_grad()
def main():
    make_named(FILES, HERE / "padded", __doc__, export)


if __name__ == "__main__":
    main()
