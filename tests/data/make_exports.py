#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small torchvision detection models to ONNX, for the tests.

The models are torchvision's own detection classes with tiny trunks and heads and random weights from a fixed
seed. Two versions of torchvision make the committed set, one after the other, into the same folder:

    apt-get install python3-torch python3-torchvision python3-onnx      # Debian 12: torch 1.13, torchvision 0.14.1
    /usr/bin/python3 make_exports.py

    python3 -m venv venv                                                # Python 3.12
    venv/bin/pip install torch==2.15.0 torchvision==0.29.2 onnx==1.23.2 onnxruntime==1.32.0 onnxsim==0.8.1 \
        onnxscript==0.7.2
    venv/bin/python make_exports.py

manifest.json describes every file of the folder. The row counts in it are those of ONNX Runtime; where Python
has no onnxruntime they are null, until a run of a Python that has it fills them in. So run Debian's first.

    make_exports.py --list                            # what would be made
    make_exports.py --only 'mask_rcnn*'               # some of it
    make_exports.py --set matrix --out matrix         # every family, input, batch size, order; not committed
"""

import argparse
import dataclasses
import fnmatch
import inspect
import itertools
import pathlib
import sys

sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from torch import nn  # noqa: E402
from torchvision.models import detection  # noqa: E402
from torchvision.models.detection import (  # noqa: E402
    anchor_utils, faster_rcnn, fcos, keypoint_rcnn, mask_rcnn, retinanet, ssdlite)
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign  # noqa: E402

from exports import make, open_session, quiet  # noqa: E402
from scenes import scene  # noqa: E402

VERSION = "tv%s%02d" % tuple(map(int, torchvision.__version__.split(".")[:2]))
HERE = pathlib.Path(__file__).resolve().parent

# Family: its part of the file name, the fields of one image as torchvision orders them, its default row limit.
RCNN, ONE_STAGE = ("boxes", "labels", "scores"), ("boxes", "scores", "labels")
FAMILIES = {
    "Faster R-CNN": ("faster_rcnn", RCNN, 100),
    "Mask R-CNN": ("mask_rcnn", RCNN + ("masks",), 100),
    "Keypoint R-CNN": ("keypoint_rcnn", RCNN + ("keypoints", "keypoints_scores"), 100),
    "RetinaNet": ("retinanet", ONE_STAGE, 300),
    "FCOS": ("fcos", ONE_STAGE, 100),
    "SSD300": ("ssd300", ONE_STAGE, 200),
    "SSDlite320": ("ssdlite320", ONE_STAGE, 300),
}


# ---------------------------------------------------------------------------------------------------- test images


def images_of(fixture, seeds):
    """The model's argument: one tensor [B, 3, H, W] or a list of B tensors [3, H, W]."""
    images = [torch.from_numpy(scene(seed, *size)) for seed, size in zip(seeds, fixture.sizes)]
    return torch.stack(images) if fixture.input == "tensor" else images


def scenes_to_run(batch):
    """Scene seeds of every run: two of scenes, one with a black image among them (batch > 1), one all black."""
    runs = [list(range(first, first + batch)) for first in (1, 1 + batch, max(3, 2 * batch))]
    if batch > 1:
        runs[2][batch // 2] = 0
    return runs + [[0] * batch]


# --------------------------------------------------------------------------------------------------------- models


class Trunk(nn.Module):
    """Three convolutions without bias, so that black stays zero; feature maps at strides 8 and 16."""

    def __init__(self, channels, pyramid):
        super().__init__()
        self.out_channels = channels
        self.stem = nn.Conv2d(3, 8, 7, stride=4, padding=3, bias=False)
        self.middle = nn.Conv2d(8, channels, 3, stride=2, padding=1, bias=False)
        self.top = nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False)
        self.pyramid = FeaturePyramidNetwork([channels, channels], channels) if pyramid else None

    def forward(self, images):
        middle = self.middle(self.stem(images).relu()).relu()
        maps = {"0": middle, "1": self.top(middle).relu()}
        return self.pyramid(maps) if self.pyramid else maps


def detector(family, limit):
    """A tiny detector of the family with random weights."""
    colors = {"image_mean": [0.0] * 3, "image_std": [0.25] * 3}
    anchors = anchor_utils.AnchorGenerator(((12, 24), (32, 48)), ((0.5, 1.0),) * 2)
    if family.endswith("R-CNN"):
        width, channels, classes = 32, 16, 2 if family == "Keypoint R-CNN" else 4
        align = [MultiScaleRoIAlign(["0", "1"], size, 2) for size in (3, 14, 14)]
        options = dict(
            colors, min_size=64, max_size=128, rpn_anchor_generator=anchors, box_detections_per_img=limit,
            rpn_pre_nms_top_n_test=200, rpn_post_nms_top_n_test=120, box_roi_pool=align[0],
            box_head=faster_rcnn.TwoMLPHead(channels * 9, width),
            box_predictor=faster_rcnn.FastRCNNPredictor(width, classes))
        trunk = Trunk(channels, pyramid=True)
        if family == "Faster R-CNN":
            model = detection.FasterRCNN(trunk, **options)
        elif family == "Mask R-CNN":
            model = detection.MaskRCNN(
                trunk, mask_roi_pool=align[1], mask_head=mask_rcnn.MaskRCNNHeads(channels, (8,), 1),
                mask_predictor=mask_rcnn.MaskRCNNPredictor(8, 8, classes), **options)
        else:
            model = detection.KeypointRCNN(
                trunk, keypoint_roi_pool=align[2],
                keypoint_head=keypoint_rcnn.KeypointRCNNHeads(channels, (8,)),
                keypoint_predictor=keypoint_rcnn.KeypointRCNNPredictor(8, 5), **options)
    elif family == "RetinaNet":
        head = retinanet.RetinaNetHead(8, 4, 3)
        model = detection.RetinaNet(Trunk(8, pyramid=True), 3, min_size=64, max_size=128, anchor_generator=anchors,
                                    head=head, detections_per_img=limit, **colors)
    elif family == "FCOS":
        centers = anchor_utils.AnchorGenerator(((12,), (32,)), ((1.0,),) * 2)
        head = fcos.FCOSHead(32, 1, 3, num_convs=1)
        model = detection.FCOS(Trunk(32, pyramid=False), 3, min_size=64, max_size=128, anchor_generator=centers,
                               head=head, detections_per_img=limit, **colors)
    else:
        boxes = anchor_utils.DefaultBoxGenerator([[2], [2, 3]], scales=[0.15, 0.35, 0.6])
        head, more = None, {}
        if family == "SSDlite320":
            head = ssdlite.SSDLiteHead([16, 16], boxes.num_anchors_per_location(), 4, nn.BatchNorm2d)
            more = {"nms_thresh": 0.55, "topk_candidates": 300}
        else:
            head = detection.ssd.SSDHead([16, 16], boxes.num_anchors_per_location(), 4)
        model = detection.ssd.SSD(Trunk(16, pyramid=False), boxes, (96, 96), 4, head=head, detections_per_img=limit,
                              **more, **colors)
    return enlivened(model.eval())


def enlivened(model):
    """The model with weights that tell images apart: fresh ones from the fixed seed, boxes close to the anchors."""
    torch.manual_seed(20)
    for name, parameter in model.named_parameters():
        regresses = any(part in name for part in ("bbox_pred", "bbox_reg", "regression_head"))
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=(0.3 if regresses else 1.4) / parameter[0].numel() ** 0.5)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
    for name, parameter in model.named_parameters():
        if name.endswith("box_predictor.cls_score.bias"):
            parameter.data[0] = 2.0  # background
        elif name.endswith("cls_logits.bias"):
            parameter.data.fill_(-2.0)
        elif name.endswith("cls_logits.weight"):
            parameter.data.mul_(0.3)  # sigmoids that saturate would tie
    return model


def parameter_of(model, name):
    """The object that holds a parameter of this name (of the detector or, with "rpn_", of its RPN), and its attribute."""
    if name.startswith("rpn_"):
        attribute = name[len("rpn_"):]
        return model.rpn, "_" + attribute if attribute.endswith("_top_n") else attribute
    return getattr(model, "roi_heads", model), name


def get_parameter(model, name):
    value = getattr(*parameter_of(model, name))
    return value["testing"] if isinstance(value, dict) else value


def set_parameters(model, values):
    for name, value in values.items():
        owner, attribute = parameter_of(model, name)
        if isinstance(getattr(owner, attribute), dict):
            value = {"training": value, "testing": value}
        setattr(owner, attribute, value)


def tune(model, fixture):
    """Sets a score threshold that makes the row counts of the runs differ.

    Rows come in descending score and a threshold only cuts the tail off, so one pass without a threshold tells
    the counts of all thresholds. Among the gaps between two scores the fixture's goal chooses: some image gets
    no row ("zero"), one row ("one") or as many as the limit ("full"), or as many different counts as can be.
    """
    set_parameters(model, {"score_thresh": 0.0})
    scores, black = [], []
    for seeds in fixture.runs:
        for seed, found in zip(seeds, model(images_of(fixture, seeds))):
            (scores if seed else black).append(found["scores"].double().numpy())
    pooled = np.unique(np.concatenate(scores + black))
    best = None
    for low, high in zip(pooled, pooled[1:]):
        threshold = float("%.5g" % ((low + high) / 2))
        if min(threshold - low, high - threshold) < 1e-4 * high:
            continue
        counts = [int((image > threshold).sum()) for image in scores]
        dark = sum(int((image > threshold).sum()) for image in black)
        wanted = {"zero": 0, "one": 1, "full": fixture.limit}.get(fixture.goal)
        met = wanted is None or (wanted in counts and max(counts) > min(counts))
        rank = (met, max(counts) > 0, dark == 0, len(set(counts)), high - low)
        if best is None or rank > best[0]:
            best = rank, threshold
    set_parameters(model, {"score_thresh": best[1]})


class Arranged(nn.Module):
    """A detector inside a wrapper of the kind users write."""

    def __init__(self, model, fixture):
        super().__init__()
        self.model, self.fixture = model, fixture

    def forward(self, images):
        found, fixture = self.model(images), self.fixture
        if fixture.wrap in ("half", "double"):
            cast = {torch.float32: getattr(torch, {"half": "float16", "double": "float64"}[fixture.wrap]),
                    torch.int64: torch.int32}
            found = [{field: image[field].to(cast[image[field].dtype]) for field in image} for image in found]
        if fixture.order == "image":
            rows = tuple(tuple(image[field] for field in fixture.fields) for image in found)
        else:
            rows = tuple([image[field] for image in found] for field in fixture.fields)
        if fixture.family == "Keypoint R-CNN":  # newer exporters refuse lists for this family
            rows = tuple(itertools.chain(*rows))
        return (rows, self.model.backbone(images)["0"]) if fixture.wrap == "features" else rows


# ------------------------------------------------------------------------------------------------------- fixtures


@dataclasses.dataclass
class Fixture:
    """One file to make."""

    family: str
    batch: int
    input: str  # "tensor" | "list"
    opset: int
    order: str = "image"  # "image" | "field"
    names: str = "first"  # output_names: "none" | "first" (image only) | "all"
    dynamic: str = ""  # dynamic_axes: "" | "size" (of the images) | "batch" | "all" (also erases the 4 of boxes)
    limit: int = 0  # 0: the family's default
    goal: str = "spread"  # see tune()
    wrap: str = ""  # "" | "boxes_scores" | "features" | "half" | "double"
    optimised: str = ""  # "" | "onnxruntime" | "onnxsim"
    draft: bool = False  # through torch.export.draft_export, rather than by the TorchScript exporter
    initializer_inputs: bool = False
    sizes: tuple = ()
    runs: tuple = ()  # scene seeds of every run; those of scenes_to_run() if empty

    def __post_init__(self):
        slug, self.fields, default = FAMILIES[self.family]
        self.limit = self.limit or default
        self.runs = self.runs or scenes_to_run(self.batch)
        ragged = self.input == "list"
        sizes = ((64, 80), (80, 64), (64, 64), (72, 96)) if ragged else ((64, 80),) * 4
        self.sizes = self.sizes or sizes[: self.batch]
        if self.wrap == "boxes_scores":
            self.fields = ("boxes", "scores")
        suffixes = ["field" if self.order == "field" else "", self.wrap, self.optimised, "draft" if self.draft else "",
                    "initializer_inputs" if self.initializer_inputs else ""]
        parts = [slug, VERSION, "b%d" % self.batch, self.input, "op%d" % self.opset] + suffixes
        self.file = "_".join(filter(None, parts)) + ".onnx"


def one(family, *options, **more):
    """A fixture for one image, run on more scenes: one image a run shows few row counts."""
    return Fixture(family, 1, *options, runs=tuple([seed] for seed in (1, 2, 3, 4, 5, 6, 0)), **more)


COMMITTED = {
    "tv014": [
        Fixture("Faster R-CNN", 1, "tensor", 11, initializer_inputs=True, goal="one"),
        Fixture("Faster R-CNN", 2, "list", 11),
        Fixture("Faster R-CNN", 2, "tensor", 12, wrap="boxes_scores", names="none", limit=5, goal="zero"),
        Fixture("Faster R-CNN", 3, "tensor", 13, order="field", names="all", dynamic="all", limit=10, goal="full"),
        Fixture("Mask R-CNN", 2, "list", 11, dynamic="size"),
        Fixture("Mask R-CNN", 3, "list", 14, order="field", names="none", limit=5, goal="full"),
        Fixture("Mask R-CNN", 2, "tensor", 16, names="all", limit=10, goal="one"),
        Fixture("Keypoint R-CNN", 2, "tensor", 11),
        Fixture("Keypoint R-CNN", 2, "list", 13, order="field", names="all", limit=10, goal="one"),
        Fixture("RetinaNet", 2, "tensor", 11, names="none", goal="full"),
        Fixture("RetinaNet", 3, "list", 16, order="field", names="all", limit=20, goal="full"),
        Fixture("FCOS", 2, "tensor", 12, dynamic="size"),
        Fixture("SSD300", 2, "list", 11),
        Fixture("SSD300", 4, "tensor", 16, order="field", names="all", limit=10, goal="full"),
        Fixture("SSDlite320", 2, "tensor", 13, dynamic="batch"),
        one("Faster R-CNN", "tensor", 14, wrap="boxes_scores", names="none", limit=5, goal="full"),
        one("Mask R-CNN", "list", 12, names="all", dynamic="all", limit=5, goal="full"),
        one("Keypoint R-CNN", "tensor", 13, names="none", limit=10, goal="full"),
        one("RetinaNet", "list", 16, limit=20, goal="full"),
        one("FCOS", "tensor", 11, dynamic="batch", goal="one"),
        one("SSD300", "list", 12, dynamic="size", limit=10, goal="full"),
        one("SSDlite320", "list", 17, names="all"),
    ],
    "tv029": [
        Fixture("Faster R-CNN", 2, "list", 17, wrap="half", names="none", limit=10, goal="one"),
        Fixture("Faster R-CNN", 2, "tensor", 18, wrap="features", names="all", dynamic="batch", goal="zero"),
        Fixture("Faster R-CNN", 4, "list", 20, order="field", names="all", dynamic="all", limit=5, goal="full"),
        Fixture("Mask R-CNN", 2, "list", 16, order="field", names="all", dynamic="all", limit=5, goal="one"),
        Fixture("Mask R-CNN", 2, "tensor", 17, optimised="onnxruntime", limit=10),
        Fixture("Mask R-CNN", 2, "list", 18, dynamic="size", goal="zero"),
        Fixture("Mask R-CNN", 1, "tensor", 20, limit=10, goal="one"),
        Fixture("Keypoint R-CNN", 3, "tensor", 17, order="field", names="none", limit=10, goal="full"),
        Fixture("Keypoint R-CNN", 2, "list", 20, goal="zero"),
        Fixture("RetinaNet", 2, "list", 11),
        Fixture("RetinaNet", 3, "tensor", 18, order="field", names="all", limit=50, goal="full"),
        Fixture("FCOS", 2, "list", 17, names="none"),
        Fixture("FCOS", 2, "tensor", 20, order="field", names="all", limit=5, goal="one"),
        Fixture("SSD300", 2, "tensor", 14, optimised="onnxsim"),
        Fixture("SSDlite320", 1, "tensor", 20, wrap="double", limit=20, goal="zero"),
        Fixture("SSDlite320", 3, "list", 18, order="field", names="all", limit=10, goal="full"),
        one("Faster R-CNN", "list", 13, limit=10, goal="full"),
        one("Faster R-CNN", "tensor", 16, names="all", dynamic="batch"),
        one("Mask R-CNN", "tensor", 17, names="all", dynamic="size", limit=10, goal="full"),
        one("Keypoint R-CNN", "list", 20, wrap="half", limit=5, goal="full"),
        one("RetinaNet", "tensor", 18, wrap="features", names="all", dynamic="size", goal="zero"),
        one("FCOS", "list", 14, optimised="onnxsim", limit=20, goal="full"),
        one("SSD300", "tensor", 12, optimised="onnxruntime", names="none", goal="one"),
        one("Faster R-CNN", "tensor", 20, draft=True, names="none", goal="zero"),
        Fixture("SSD300", 2, "list", 21, order="field", draft=True, names="all", limit=10, goal="full"),
    ],
}


def matrix():
    """Every family, input, batch size, order of outputs and three opsets, with limits and names in rotation."""
    opsets = (11, 14, 17) if VERSION == "tv014" else (11, 17, 20)
    goals = itertools.cycle(("spread", "one", "full", "zero", "spread"))
    names = itertools.cycle(("first", "none", "all", "first", "all", "none", "first"))
    limits = itertools.cycle((0, 5, 0, 10, 0, 50, 0, 1, 0, 20, 0))
    product = itertools.product(FAMILIES, ("tensor", "list"), range(1, 5), ("image", "field"), opsets)
    fixtures = [Fixture(family, batch, kind, opset, order, next(names), limit=next(limits), goal=next(goals))
                for family, kind, batch, order, opset in product]
    for fixture in fixtures:  # field by field, the names of one image would be those of other fields
        if fixture.order == "field" and fixture.names == "first":
            fixture.names = "all"
    return fixtures


# ----------------------------------------------------------------------------------------------------- the export


def axes_of(fixture, inputs, outputs):
    """The dynamic_axes argument."""
    axes = {}
    if fixture.dynamic:
        first = 1 if fixture.input == "list" else 2
        for name in inputs:
            axes[name] = {first: name + "_height", first + 1: name + "_width"}
        if fixture.dynamic == "batch":
            axes[inputs[0]][0] = "batch"
    for name in outputs if fixture.dynamic == "all" else ():
        axes[name] = [0, 1] if name.startswith("boxes") else [0]
    return axes


def tuned(fixture):
    """The fixture's detector, which has its score threshold."""
    torch.manual_seed(20)
    model = detector(fixture.family, fixture.limit)
    tune(model, fixture)
    return model


def example_with_rows(fixture, model):
    """Images in all of which the model finds as much as it can: torch.export builds 0 or 1 rows into the program."""
    seeds = sorted({seed for run in fixture.runs for seed in run})
    rows = [[len(found["scores"]) for found in model(images_of(fixture, [seed] * fixture.batch))] for seed in seeds]
    best = [max(range(len(seeds)), key=lambda i: rows[i][place]) for place in range(fixture.batch)]
    assert all(rows[i][place] > 1 for place, i in enumerate(best)), rows
    return (images_of(fixture, [seeds[i] for i in best]),)


def export_draft(fixture, model, module, path, **names):
    """Exports the module through torch.export, with its weights in the file."""
    import onnx
    import onnxscript.optimizer
    example = example_with_rows(fixture, model)
    program = torch.export.draft_export(module, example)
    made = torch.onnx.export(program, example, dynamo=True, opset_version=fixture.opset, optimize=False, verbose=False,
                             **names)
    # As torch.onnx.export does, but for the limit, which for images of a usual size keeps nodes as this does for these.
    onnxscript.optimizer.optimize_ir(made.model, output_size_limit=4096)
    proto = made.model_proto
    for holder in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input,
                   *proto.graph.output, *proto.graph.initializer):
        del holder.metadata_props[:]  # the stack that led to each node, five times as long as the rest
    for node in proto.graph.node:
        node.doc_string = ""
    onnx.save_model(proto, str(path))


def export(fixture, folder, settings=None):
    """Writes the fixture's file and returns its entry in the manifest, row counts still null.

    `settings` are values of the detector's parameters, other than those that it is made with.
    """
    model = tuned(fixture)
    threshold = get_parameter(model, "score_thresh")
    set_parameters(model, settings or {})
    plain = fixture.order == "image" and not fixture.wrap
    module = model if plain else Arranged(model, fixture).eval()
    inputs = ["images"] if fixture.input == "tensor" else ["image%d" % i for i in range(fixture.batch)]
    grid = [["%s_%d" % (field, i) for field in fixture.fields] for i in range(fixture.batch)]
    if fixture.order == "field":
        grid = zip(*grid)
    outputs = {"none": [], "first": list(fixture.fields), "all": list(itertools.chain(*grid))}[fixture.names]
    if fixture.wrap == "features" and fixture.names == "all":
        outputs.append("features")
    path = folder / fixture.file
    if fixture.draft:
        export_draft(fixture, model, module, path, input_names=inputs, output_names=outputs or None)
    else:
        options = {}
        if "dynamo" in inspect.signature(torch.onnx.export).parameters:
            options["dynamo"] = False
        torch.onnx.export(
            module, (images_of(fixture, range(1, fixture.batch + 1)),), str(path), opset_version=fixture.opset,
            input_names=inputs, output_names=outputs or None, dynamic_axes=axes_of(fixture, inputs, outputs) or None,
            keep_initializers_as_inputs=fixture.initializer_inputs, **options)
    optimise(path, fixture.optimised)

    import onnx
    names = [output.name for output in onnx.load(str(path)).graph.output]
    rows = fixture.batch * len(fixture.fields)
    return {
        "file": fixture.file, "family": fixture.family, "torchvision": torchvision.__version__.split("a")[0],
        "opset": fixture.opset, "batch": fixture.batch, "input": fixture.input, "image_sizes": fixture.sizes,
        "order": fixture.order, "fields": fixture.fields, "limit": fixture.limit, "score_threshold": threshold,
        "inputs": inputs, "outputs": names[:rows], "extra_outputs": names[rows:],
        "optimised_by": fixture.optimised or None,
        "runs": [{"scenes": seeds, "counts": None} for seeds in fixture.runs],
    }


def optimise(path, tool):
    """Rewrites the file with the tool, if any."""
    if tool == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    elif tool == "onnxsim":
        import onnx
        import onnxsim
        simple, same = onnxsim.simplify(onnx.load(str(path)))
        assert same
        onnx.save(simple, str(path))


def count_rows(entry, folder):
    """Runs the file in ONNX Runtime and fills in the row counts."""
    session = open_session(folder / entry["file"])
    batch, fields = entry["batch"], len(entry["fields"])
    for run in entry["runs"]:
        images = [scene(seed, *size) for seed, size in zip(run["scenes"], entry["image_sizes"])]
        images = [np.stack(images)] if entry["input"] == "tensor" else images
        rows = [output.shape[0] for output in session.run(entry["outputs"], dict(zip(entry["inputs"], images)))]
        table = np.reshape(rows, (batch, fields) if entry["order"] == "image" else (fields, batch))
        table = table if entry["order"] == "image" else table.T
        assert (table == table[:, :1]).all(), (entry["file"], rows)
        run["counts"] = [int(count) for count in table[:, 0]]


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder to write into (default: this one)")
    parser.add_argument("--set", choices=("committed", "matrix"), default="committed")
    parser.add_argument("--only", metavar="GLOB", default="*", help="make the files whose name matches")
    parser.add_argument("--list", action="store_true", help="print the names of the files and stop")
    options = parser.parse_args()
    if options.set == "matrix" and options.out == HERE:
        parser.error("--set matrix wants --out")
    if options.set == "committed" and VERSION not in COMMITTED:
        parser.error("the committed set is made with torchvision 0.14 and 0.29, this is " + torchvision.__version__)
    fixtures = COMMITTED[VERSION] if options.set == "committed" else matrix()
    fixtures = [fixture for fixture in fixtures if fnmatch.fnmatch(fixture.file, options.only)]
    if options.list:
        print("\n".join(fixture.file for fixture in fixtures))
        return
    quiet()
    make(fixtures, options.out, export, count_rows)


if __name__ == "__main__":
    main()
