#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small detectors that are not torchvision's to ONNX, for the tests.

Each has one NonMaxSuppression node for the whole batch. A "flat" model gathers what that node selected into one
output [n, columns], the rows of all images together, as exports of the YOLO family do; an "nms" model leaves the
node's indices to its user. Row counts, the two versions of PyTorch and the manifest are as in make_exports.py:

    /usr/bin/python3 make_other_exports.py            # Debian 12: torch 1.13
    venv/bin/python make_other_exports.py             # torch 2.15, with onnxruntime

    make_other_exports.py --list                      # what would be made
    make_other_exports.py --only 'nms*'               # some of it
"""

import argparse
import dataclasses
import fnmatch
import inspect
import pathlib
import sys

sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import nn  # noqa: E402

from exports import make, open_session, quiet  # noqa: E402
from make_exports import HERE, scene  # noqa: E402

VERSION = "pt%s%s" % tuple(torch.__version__.split(".")[:2])
HEIGHT, WIDTH, STRIDE = 64, 80, 8
ANCHORS = ((14.0, 18.0), (34.0, 26.0))  # width, height
BOX = ("x1", "y1", "x2", "y2")
BOXES = len(ANCHORS) * (HEIGHT // STRIDE) * (WIDTH // STRIDE)


# --------------------------------------------------------------------------------------------------------- models


class Suppress(torch.autograd.Function):
    """The NonMaxSuppression operator: rows (image, class, box), by image, then class, then falling score."""

    @staticmethod
    def forward(_, boxes, scores, limit, iou, threshold, center):
        rows = []
        for image, classes in enumerate(scores):
            corners = torchvision.ops.box_convert(boxes[image], "cxcywh", "xyxy") if center else boxes[image]
            for category, values in enumerate(classes):
                kept = torchvision.ops.nms(corners, values, float(iou))
                kept = kept[values[kept] > threshold][:int(limit)]
                rows += [(image, category, int(box)) for box in kept]
        return torch.tensor(rows, dtype=torch.int64).reshape(-1, 3)

    @staticmethod
    def symbolic(g, boxes, scores, limit, iou, threshold, center):
        return g.op("NonMaxSuppression", boxes, scores, limit, iou, threshold, center_point_box_i=int(center))


class Detector(nn.Module):
    """Three convolutions and one NonMaxSuppression; a subclass says what becomes of the rows.

    No convolution has a bias, so that black images give the same score to all boxes.
    """

    def __init__(self, fixture):
        super().__init__()
        self.fixture = fixture
        self.stem = nn.Conv2d(3, 8, 7, stride=4, padding=3, bias=False)
        self.middle = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.head = nn.Conv2d(16, len(ANCHORS) * (5 + fixture.classes), 1, bias=False)
        for weights in self.parameters():
            nn.init.normal_(weights, std=1.4 / weights[0].numel() ** 0.5)
        y, x = torch.meshgrid(torch.arange(HEIGHT // STRIDE), torch.arange(WIDTH // STRIDE), indexing="ij")
        cells = (torch.stack([x, y], -1).float() + 0.5) * STRIDE
        self.register_buffer("centers", cells.reshape(1, -1, 2).repeat(1, len(ANCHORS), 1))
        self.register_buffer("sizes", torch.tensor([ANCHORS]).repeat_interleave(BOXES // len(ANCHORS), 1))
        half = torch.eye(2) / 2
        self.register_buffer("to_corners", torch.cat([torch.eye(2).repeat(1, 2), torch.cat([-half, half], 1)]))

        # Buffers become initializers, other tensors become constants.
        hold = self.register_buffer if fixture.initializers else self.__setattr__
        hold("limit", torch.tensor([fixture.limit]))
        hold("iou", torch.tensor([fixture.iou]))
        hold("threshold", torch.tensor([0.0]))

    def features(self, images):
        """The feature map [B, 16, H / 8, W / 8]."""
        return self.middle(self.stem(images * 4).relu()).relu()

    def boxes_and_scores(self, maps):
        """Boxes [B, N, 4] as center and size, scores [B, N, classes]."""
        raw = self.head(maps)
        numbers = 5 + self.fixture.classes  # no -1 below: ONNX could not tell it for a batch of no images
        raw = raw.reshape(raw.shape[0], len(ANCHORS), numbers, raw.shape[2], raw.shape[3]).permute(0, 1, 3, 4, 2)
        raw = raw.reshape(raw.shape[0], BOXES, numbers)
        centers = self.centers + (raw[..., :2].sigmoid() - 0.5) * (2 * STRIDE)
        boxes = torch.cat([centers, self.sizes * raw[..., 2:4].sigmoid() * 2], 2)
        return boxes, raw[..., 4:5].sigmoid() * raw[..., 5:].sigmoid()

    def suppress(self, boxes, scores):
        center = self.fixture.format == "cxcywh"
        return Suppress.apply(boxes, scores, self.limit, self.iou, self.threshold, center)


class Flat(Detector):
    """The rows of all images in one output."""

    def select(self, maps):
        """For each row of the batch: the image, the box in corners, the class and the score."""
        boxes, scores = self.boxes_and_scores(maps)
        boxes = boxes @ self.to_corners
        if self.fixture.per_class:
            scores = scores.transpose(1, 2)
            image, category, box = self.suppress(boxes, scores).unbind(1)
            return image, boxes[image, box], category, scores[image, category, box]
        # One pass for all classes: boxes of different classes are moved so far apart that they never overlap.
        best, category = scores.max(2, keepdim=True)
        moved = boxes + category.float() * (2.0 * max(HEIGHT, WIDTH))
        selected = self.suppress(moved, best.transpose(1, 2))
        image, box = selected[:, 0], selected[:, 2]
        return image, boxes[image, box], category[image, box, 0], best[image, box, 0]

    def forward(self, images):
        fixture, maps = self.fixture, self.features(images)
        image, boxes, category, score = self.select(maps)
        if fixture.row_order == "score":
            order = score.sort(descending=True)[1]
            image, boxes, category, score = image[order], boxes[order], category[order], score[order]
        parts = {"batch": image.unsqueeze(1).float(), "x1": boxes, "class": category.unsqueeze(1).float(),
                 "score": score.unsqueeze(1)}
        rows = torch.cat([parts[name] for name in fixture.columns if name in parts], 1)
        found = {"detections": rows, "features": maps}
        if fixture.index:
            found["batch_index"] = image.to(getattr(torch, fixture.index))
        return tuple(found[name] for name in fixture.outputs)

    def rows(self, images):
        image, _, category, score = self.select(self.features(images))
        return image, category, score


class Indices(Detector):
    """The node's indices, and mostly what they point to."""

    def select(self, images):
        boxes, scores = self.boxes_and_scores(self.features(images))
        if self.fixture.format != "cxcywh":
            boxes = boxes @ self.to_corners
        if self.fixture.format == "yxyx":
            boxes = boxes[..., [1, 0, 3, 2]]
        scores = scores.transpose(1, 2)
        return {"boxes": boxes, "scores": scores, "selected_indices": self.suppress(boxes, scores)}

    def forward(self, images):
        found = self.select(images)
        return tuple(found[name] for name in self.fixture.outputs)

    def rows(self, images):
        found = self.select(images)
        image, category, box = found["selected_indices"].unbind(1)
        return image, category, found["scores"][image, category, box]


# ------------------------------------------------------------------------------------------------------- fixtures


@dataclasses.dataclass
class Fixture:
    """One file to make."""

    kind: str  # "flat" | "nms"
    opset: int
    batch: int = 0  # 0: any
    limit: int = 40  # max_output_boxes_per_class
    full: bool = False  # some image reaches the limit
    classes: int = 3
    columns: tuple = ("batch", *BOX, "class", "score")  # the four of the box together
    index: str = ""  # the element type of batch_index
    outputs: tuple = ("detections",)  # also "batch_index", "features"; for "nms" selected_indices, boxes, scores
    per_class: bool = False  # suppressed class by class, or once with the classes moved apart
    row_order: str = "image"  # "image" | "score": of the whole batch
    format: str = "xyxy"  # of the boxes that the node reads: "xyxy" | "yxyx" | "cxcywh"
    initializers: bool = False  # the node's limit and thresholds are initializers, or constants
    named: bool = True
    note: str = ""  # for the file's name
    iou: float = 0.45

    def __post_init__(self):
        self.per_class = self.per_class or self.kind == "nms"
        batch = "b%d" % self.batch if self.batch else "any"
        self.file = "_".join(filter(None, [self.kind, VERSION, batch, "op%d" % self.opset, self.note])) + ".onnx"
        if self.batch == 1:
            self.runs = [[1], [2], [3], [4], [5], [6], [0]]
        elif self.batch == 2:
            self.runs = [[1, 2], [3, 4], [5, 0], [6, 7], [0, 0]]
        else:
            self.runs = [[], [1], [0], [2, 3], [4, 0], [0, 5], [5, 6, 0, 7, 8], [3, 1, 4, 2, 6], [0] * 5]


SELECTED = ("selected_indices", "boxes", "scores")
COMMITTED = {
    "pt113": [
        Fixture("flat", 12, limit=5, full=True, note="end2end"),
        Fixture("flat", 11, batch=1, limit=20, named=False, note="end2end"),
        Fixture("flat", 11, columns=BOX + ("score", "class"), index="int64", outputs=("detections", "batch_index"),
                note="index_int64"),
        Fixture("flat", 13, columns=("class", "score") + BOX, index="int32", outputs=("batch_index", "detections"),
                limit=10, full=True, row_order="score", initializers=True, note="index_int32"),
        Fixture("nms", 11, outputs=SELECTED, format="cxcywh", limit=4, full=True, note="cxcywh"),
        Fixture("nms", 13, outputs=("boxes", "scores", "selected_indices"), format="yxyx", note="yxyx"),
    ],
    "pt215": [
        Fixture("flat", 17, limit=300, row_order="score", note="by_score", outputs=("detections", "features")),
        Fixture("flat", 14, limit=3, full=True, classes=4, per_class=True, note="per_class"),
        Fixture("flat", 16, batch=2, limit=10, full=True, note="end2end"),
        Fixture("flat", 18, columns=BOX + ("class", "score"), index="float32", outputs=("detections", "batch_index"),
                note="index_float32"),
        Fixture("nms", 17, outputs=SELECTED, limit=100, initializers=True, note="xyxy"),
        Fixture("nms", 18, outputs=SELECTED[:1], limit=6, full=True, classes=2, note="indices_only"),
    ],
}


def batch_of(scenes):
    """Images [B, 3, H, W]."""
    return np.stack([scene(seed, HEIGHT, WIDTH) for seed in scenes])


def tune(model, fixture):
    """Sets a score threshold that makes the row counts of the images differ.

    The node cuts each class at the limit, best rows first, so one pass without a threshold tells the counts of
    all thresholds. Among the gaps between two scores one is chosen that leaves black images without rows and,
    where it can be, another image too, and several classes; with `full`, some class of an image at the limit.
    """
    seeds = sorted({seed for run in fixture.runs for seed in run})
    image, category, score = (part.numpy() for part in model.rows(torch.from_numpy(batch_of(seeds))))
    cell = image if not fixture.per_class else image * fixture.classes + category
    pooled = np.unique(score.astype(np.float64))
    best = None
    for low, high in zip(pooled, pooled[1:]):
        threshold = float("%.5g" % ((low + high) / 2))
        if min(threshold - low, high - threshold) < 1e-4 * high:
            continue
        left = score > threshold
        counts = np.bincount(image[left], minlength=len(seeds))
        met = (np.bincount(cell[left]).max() == fixture.limit) == fixture.full
        rank = (counts[0] == 0, met, len(set(category[left])) > 1, (counts[1:] == 0).any(), len(set(counts)),
                high - low)
        if best is None or rank > best[0]:
            best = rank, threshold
    assert all(best[0][:3]), (fixture.file, best)
    model.threshold.fill_(best[1])
    return best[1]


# ----------------------------------------------------------------------------------------------------- the export


def export(fixture, folder):
    """Writes the fixture's file and returns its entry in the manifest, row counts still null."""
    torch.manual_seed(20 + fixture.opset)
    model = (Flat if fixture.kind == "flat" else Indices)(fixture).eval()
    threshold = tune(model, fixture)
    names = list(fixture.outputs) if fixture.named else []
    axes = {name: {0: "batch" if name in ("boxes", "scores", "features") else "rows"} for name in names}
    axes["images"] = {0: "batch"}
    if fixture.batch:
        axes = {name: of for name, of in axes.items() if "rows" in of.values()}
    options = {}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    images = torch.from_numpy(batch_of(range(1, 1 + (fixture.batch or 3))))
    path = folder / fixture.file
    torch.onnx.export(model, (images,), str(path), opset_version=fixture.opset, input_names=["images"],
                      output_names=names or None, dynamic_axes=axes, **options)

    import onnx
    graph = onnx.load(str(path)).graph
    outputs = [output.name for output in graph.output]
    named = dict(zip(fixture.outputs, outputs))
    node, = (node for node in graph.node if node.op_type == "NonMaxSuppression")
    classes = fixture.classes if fixture.per_class else 1
    entry = {
        "file": fixture.file, "kind": fixture.kind, "torch": torch.__version__.split("+")[0].split("a")[0],
        "opset": fixture.opset, "batch": fixture.batch or None, "input": "images", "image_size": [HEIGHT, WIDTH],
        "outputs": outputs, "classes": fixture.classes,
    }
    if fixture.kind == "flat":
        entry.update({
            "rows": named["detections"], "columns": fixture.columns, "row_order": fixture.row_order,
            "index": {"output": named["batch_index"], "type": fixture.index} if fixture.index else None,
            "extra_outputs": [named[name] for name in fixture.outputs if name == "features"],
        })
    else:
        entry["box_format"] = fixture.format
    entry["nms"] = {
        "selected": node.output[0], "boxes": node.input[0], "scores": node.input[1], "num_boxes": BOXES,
        "num_classes": classes, "center_point_box": int(fixture.format == "cxcywh"),
        "max_output_boxes_per_class": fixture.limit, "iou_threshold": fixture.iou, "score_threshold": threshold,
    }
    entry["max_rows"] = min(fixture.limit, BOXES) * classes
    entry["runs"] = [{"scenes": scenes, "counts": None} for scenes in fixture.runs]
    return entry


def image_of_rows(entry, found):
    """The image that each row belongs to."""
    if entry["kind"] == "nms":
        return found[entry["nms"]["selected"]][:, 0]
    if entry["index"]:
        return found[entry["index"]["output"]]
    return found[entry["rows"]][:, entry["columns"].index("batch")]


def count_rows(entry, folder):
    """Runs the file in ONNX Runtime, optimised and not, and fills in the row counts."""
    for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        session = open_session(folder / entry["file"], level)
        for run in entry["runs"]:
            images = batch_of(run["scenes"]) if run["scenes"] else np.zeros((0, 3, HEIGHT, WIDTH), np.float32)
            found = dict(zip(entry["outputs"], session.run(entry["outputs"], {entry["input"]: images})))
            counts = np.bincount(image_of_rows(entry, found).astype(int), minlength=len(images)).tolist()
            assert len(counts) == len(images) and run["counts"] in (None, counts), (entry["file"], level, run, counts)
            run["counts"] = counts


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "other",
                        help="folder to write into (default: other)")
    parser.add_argument("--only", metavar="GLOB", default="*", help="make the files whose name matches")
    parser.add_argument("--list", action="store_true", help="print the names of the files and stop")
    options = parser.parse_args()
    if VERSION not in COMMITTED:
        parser.error("the set is made with torch 1.13 and 2.15, this is " + torch.__version__)
    fixtures = [fixture for fixture in COMMITTED[VERSION] if fnmatch.fnmatch(fixture.file, options.only)]
    if options.list:
        print("\n".join(fixture.file for fixture in fixtures))
        return
    quiet()
    make(fixtures, options.out, export, count_rows)


if __name__ == "__main__":
    main()
