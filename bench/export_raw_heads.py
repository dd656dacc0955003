#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports the heads that raw_head_cost.py pads, with random weights and 640x640 pixels:

    raw_yolov8n.onnx       Ultralytics' YOLOv8n of 80 classes by its own exporter, for one image
    raw_yolov8n_any.onnx   the same for any number of images of any size
    raw_detr.onnx          DETR with a ResNet-50 and 100 queries of 91 classes, for one image
    raw_images.npy         the images that they are run on

    PYTHON bench/export_raw_heads.py --out FOLDER

PYTHON is that of the environment that tests/real_exporters.py makes for `ultralytics`.

Random weights give all anchors much the same score. So the statistics of YOLO's batch norms become those of the images,
and its class scores are moved and stretched, all by the same two numbers, until of the anchors in all images 1% have a best
score above 0.25, and 40% one above 0.001.
"""

import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "data")]

import numpy  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402

from make_exports import quiet, scene  # noqa: E402
from real_raw_heads import spread_out  # noqa: E402

SIZE = 640
SHARES = {0.25: 0.01, 0.001: 0.4}  # of anchors with a better score


class Detr(torch.nn.Module):
    """The net of the paper, without its auxiliary outputs."""

    def __init__(self, queries=100, width=256, logits=92):
        super().__init__()
        resnet = torchvision.models.resnet50(weights=None).eval()
        self.backbone = torch.nn.Sequential(*list(resnet.children())[:-2])
        self.narrow = torch.nn.Conv2d(2048, width, 1)
        # In evaluation it would be fused nodes that have no ONNX. Without dropout, that makes no difference.
        self.transformer = torch.nn.Transformer(width, 8, 6, 6, dropout=0.0, batch_first=True).train()
        self.places = torch.nn.Parameter(torch.rand(1, (SIZE // 32) ** 2, width))
        self.queries = torch.nn.Parameter(torch.rand(1, queries, width))
        self.classes = torch.nn.Linear(width, logits)
        self.boxes = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 4))

    def forward(self, images):
        seen = self.narrow(self.backbone(images)).flatten(2).transpose(1, 2) + self.places
        found = self.transformer(seen, self.queries.expand(images.shape[0], -1, -1))
        return self.classes(found), self.boxes(found).sigmoid()


def export_detr(path, images):
    torch.manual_seed(21)
    torch.onnx.export(Detr(), (images[:1],), str(path), opset_version=14, input_names=["images"],
                      output_names=["logits", "pred_boxes"], training=torch.onnx.TrainingMode.PRESERVE)


def export_yolo(path, images):
    from ultralytics import YOLO

    torch.manual_seed(9)
    model = YOLO("yolov8n.yaml")
    net = model.model
    spread_out(net, images, 0)
    best = net(images)[1]["scores"].amax(1).flatten()
    wanted = [float(torch.logit(torch.tensor(score))) for score in SHARES]
    shown = [float(best.quantile(1 - share)) for share in SHARES.values()]
    factor = (wanted[0] - wanted[1]) / (shown[0] - shown[1])
    for layers in net.model[-1].cv3:
        layers[-1].weight *= factor
        layers[-1].bias.fill_(wanted[0] - factor * shown[0])
    for name, any_size in (("raw_yolov8n", False), ("raw_yolov8n_any", True)):
        made = model.export(format="onnx", imgsz=SIZE, dynamic=any_size, device="cpu")
        pathlib.Path(made).replace(path / (name + ".onnx"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    quiet()
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_CONFIG_DIR=str(out))
    images = numpy.stack([scene(seed, SIZE, SIZE) for seed in (2, 3, 4, 1)])
    numpy.save(out / "raw_images.npy", images)
    with torch.no_grad():
        export_yolo(out, torch.from_numpy(images))
    export_detr(out / "raw_detr.onnx", torch.from_numpy(images))  # with gradients, for the same reason


if __name__ == "__main__":
    main()
