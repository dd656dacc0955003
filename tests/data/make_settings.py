#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports the models of make_exports.py with other values of their parameters, for the tests of --set.

A pair is two exports of the same module: a file of make_exports.py, and one that differs from it in the values of some
parameters alone. Of the second, settings.json holds where its bytes differ, which are few. Every value changes what the
model finds in some of the scenes, and would do so without the pair's other values too.

    /usr/bin/python3 make_settings.py                 # Debian 12: torch 1.13, torchvision 0.14.1
    venv/bin/python make_settings.py                  # torch 2.15, torchvision 0.29.2

    make_settings.py --only 'mask_rcnn*'              # some of them
    make_settings.py --out DIR                        # the files of make_exports.py and the pairs, in another folder
    make_settings.py --set matrix --out DIR           # random values for the files of make_exports.py --set matrix
"""

import argparse
import difflib
import fnmatch
import itertools
import json
import pathlib
import random
import sys
import tempfile

sys.dont_write_bytecode = True

import torch  # noqa: E402
import torchvision  # noqa: E402

from exports import make, quiet  # noqa: E402
from make_exports import (  # noqa: E402
    COMMITTED, HERE, VERSION, count_rows, export, get_parameter, images_of, matrix, set_parameters, tuned)

PAIRS = {
    "faster_rcnn_tv014_b1_tensor_op11_initializer_inputs": [
        {"score_thresh": 0.1},
        {"rpn_pre_nms_top_n": 30},
        {"rpn_nms_thresh": 0.4, "rpn_score_thresh": 0.12},
    ],
    "faster_rcnn_tv014_b2_list_op11": [
        {"nms_thresh": 0.7},  # as the RPN's
        {"rpn_post_nms_top_n": 20},
        {"detections_per_img": 7, "score_thresh": 0.05, "nms_thresh": 0.7, "rpn_pre_nms_top_n": 40,
         "rpn_post_nms_top_n": 50, "rpn_nms_thresh": 0.6, "rpn_score_thresh": 0.13},
    ],
    "faster_rcnn_tv014_b2_tensor_op12_boxes_scores": [
        {"detections_per_img": 9, "score_thresh": 0.2},
        {"rpn_nms_thresh": 0.9, "rpn_post_nms_top_n": 200, "score_thresh": 0.05, "detections_per_img": 200},
    ],
    "faster_rcnn_tv014_b3_tensor_op13_field": [
        {"detections_per_img": 4},
        {"rpn_pre_nms_top_n": 300, "rpn_post_nms_top_n": 400, "score_thresh": 0.05, "detections_per_img": 300},
        {"rpn_score_thresh": 0.15},
    ],
    "faster_rcnn_tv014_b1_tensor_op14_boxes_scores": [
        {"detections_per_img": 1},
        {"score_thresh": 0.0, "rpn_post_nms_top_n": 30, "detections_per_img": 1000},  # 0 is the RPN's too
    ],
    "mask_rcnn_tv014_b2_list_op11": [
        {"score_thresh": 0.9},
        {"rpn_nms_thresh": 0.3, "detections_per_img": 5},
    ],
    "mask_rcnn_tv014_b3_list_op14_field": [
        {"detections_per_img": 8, "score_thresh": 0.25},
        {"rpn_pre_nms_top_n": 12},
    ],
    "mask_rcnn_tv014_b2_tensor_op16": [
        {"nms_thresh": 0.2, "score_thresh": 0.1},
        {"rpn_post_nms_top_n": 25},
    ],
    "mask_rcnn_tv014_b1_list_op12": [
        {"detections_per_img": 12, "score_thresh": 0.2},
        {"nms_thresh": 0.05, "score_thresh": 0.1, "detections_per_img": 20},
        {"rpn_score_thresh": 0.14, "rpn_pre_nms_top_n": 100, "score_thresh": 0.1, "detections_per_img": 20},
    ],
    "keypoint_rcnn_tv014_b2_tensor_op11": [
        {"score_thresh": 0.2, "rpn_nms_thresh": 0.5},
        {"rpn_pre_nms_top_n": 40},
    ],
    "keypoint_rcnn_tv014_b2_list_op13_field": [
        {"detections_per_img": 3},
        {"nms_thresh": 0.9, "score_thresh": 0.25},
    ],
    "keypoint_rcnn_tv014_b1_tensor_op13": [
        {"detections_per_img": 14, "score_thresh": 0.1},
        {"rpn_post_nms_top_n": 15, "rpn_score_thresh": 0.15},
    ],
    "retinanet_tv014_b2_tensor_op11": [
        {"topk_candidates": 25},
        {"score_thresh": 0.5, "nms_thresh": 0.3},
        {"detections_per_img": 77},
    ],
    "retinanet_tv014_b3_list_op16_field": [
        {"detections_per_img": 40, "score_thresh": 0.3},
        {"topk_candidates": 6, "score_thresh": 0.0},
    ],
    "retinanet_tv014_b1_list_op16": [
        {"topk_candidates": 3},
        {"nms_thresh": 0.8, "detections_per_img": 45},
        {"score_thresh": 0.1, "topk_candidates": 30, "nms_thresh": 0.1, "detections_per_img": 9},
    ],
    "fcos_tv014_b2_tensor_op12": [
        {"topk_candidates": 1},
        {"score_thresh": 0.2, "detections_per_img": 60},
    ],
    "fcos_tv014_b1_tensor_op11": [
        {"score_thresh": 0.2, "nms_thresh": 0.3, "detections_per_img": 250},
        {"topk_candidates": 20, "score_thresh": 0.0, "detections_per_img": 33},
    ],
    "ssd300_tv014_b2_list_op11": [
        {"topk_candidates": 9},
        {"score_thresh": 0.0, "topk_candidates": 500, "nms_thresh": 0.6, "detections_per_img": 2000},
    ],
    "ssd300_tv014_b4_tensor_op16_field": [
        {"detections_per_img": 21, "nms_thresh": 0.3},
        {"score_thresh": 0.8},
    ],
    "ssd300_tv014_b1_list_op12": [
        {"detections_per_img": 2},
        {"topk_candidates": 4, "score_thresh": 0.01},
    ],
    "ssdlite320_tv014_b2_tensor_op13": [
        {"score_thresh": 0.6, "topk_candidates": 35},
        {"nms_thresh": 0.2},
    ],
    "ssdlite320_tv014_b1_list_op17": [
        {"topk_candidates": 10},
        {"detections_per_img": 60, "nms_thresh": 0.9},
    ],
    "faster_rcnn_tv029_b2_list_op17_half": [
        {"score_thresh": 0.1, "detections_per_img": 30},
        {"rpn_nms_thresh": 0.4, "rpn_pre_nms_top_n": 50},
        {"nms_thresh": 0.2},
    ],
    "faster_rcnn_tv029_b2_tensor_op18_features": [
        {"rpn_score_thresh": 0.15},
        {"detections_per_img": 6, "nms_thresh": 0.9, "score_thresh": 0.2},
    ],
    "faster_rcnn_tv029_b4_list_op20_field": [
        {"detections_per_img": 11},
        {"score_thresh": 0.5, "rpn_post_nms_top_n": 40},
    ],
    "faster_rcnn_tv029_b1_list_op13": [
        {"score_thresh": 0.05, "detections_per_img": 50, "nms_thresh": 0.4},
        {"rpn_pre_nms_top_n": 260, "rpn_post_nms_top_n": 300, "score_thresh": 0.05, "detections_per_img": 200},
    ],
    "faster_rcnn_tv029_b1_tensor_op16": [
        {"rpn_nms_thresh": 0.5},
        {"score_thresh": 0.1, "rpn_score_thresh": 0.15},
    ],
    "mask_rcnn_tv029_b2_list_op16_field": [
        {"score_thresh": 0.3, "detections_per_img": 9},
        {"rpn_pre_nms_top_n": 20},
    ],
    "mask_rcnn_tv029_b2_tensor_op17_onnxruntime": [
        {"score_thresh": 0.1, "nms_thresh": 0.4},
        {"detections_per_img": 7},
        {"rpn_post_nms_top_n": 30, "rpn_nms_thresh": 0.6},
        {"rpn_pre_nms_top_n": 50},
    ],
    "mask_rcnn_tv029_b2_list_op18": [
        {"score_thresh": 0.0, "detections_per_img": 16},
        {"rpn_post_nms_top_n": 10},
    ],
    "mask_rcnn_tv029_b1_tensor_op20": [
        {"rpn_nms_thresh": 0.85, "score_thresh": 0.2},
        {"detections_per_img": 25, "score_thresh": 0.1},
    ],
    "mask_rcnn_tv029_b1_tensor_op17": [
        {"nms_thresh": 0.3, "score_thresh": 0.15, "detections_per_img": 25},
        {"rpn_pre_nms_top_n": 35, "rpn_score_thresh": 0.15},
    ],
    "keypoint_rcnn_tv029_b3_tensor_op17_field": [
        {"detections_per_img": 5},
        {"score_thresh": 0.1, "nms_thresh": 0.2},
    ],
    "keypoint_rcnn_tv029_b2_list_op20": [
        {"rpn_pre_nms_top_n": 25, "score_thresh": 0.2},
    ],
    "keypoint_rcnn_tv029_b1_list_op20_half": [
        {"detections_per_img": 8, "score_thresh": 0.1},
        {"rpn_post_nms_top_n": 12, "rpn_nms_thresh": 0.3},
    ],
    "retinanet_tv029_b2_list_op11": [
        {"topk_candidates": 5},
        {"score_thresh": 0.4, "detections_per_img": 50},
    ],
    "retinanet_tv029_b3_tensor_op18_field": [
        {"detections_per_img": 70, "nms_thresh": 0.7},
        {"topk_candidates": 20, "score_thresh": 0.3},
    ],
    "retinanet_tv029_b1_tensor_op18_features": [
        {"score_thresh": 0.2, "topk_candidates": 40},
        {"nms_thresh": 0.2},
    ],
    "fcos_tv029_b2_list_op17": [
        {"score_thresh": 0.29, "topk_candidates": 8},
        {"score_thresh": 0.2, "nms_thresh": 0.2, "detections_per_img": 300},
    ],
    "fcos_tv029_b2_tensor_op20_field": [
        {"detections_per_img": 8, "score_thresh": 0.3},
    ],
    "fcos_tv029_b1_list_op14_onnxsim": [
        {"topk_candidates": 5},
        {"nms_thresh": 0.2, "score_thresh": 0.2, "detections_per_img": 150},
        {"detections_per_img": 6},  # shared with something else
    ],
    "ssd300_tv029_b2_tensor_op14_onnxsim": [
        {"score_thresh": 0.57, "topk_candidates": 30},
        {"detections_per_img": 13},
    ],
    "ssd300_tv029_b1_tensor_op12_onnxruntime": [
        {"nms_thresh": 0.2, "topk_candidates": 17},
        {"score_thresh": 0.57},
        {"detections_per_img": 13},
    ],
    "ssdlite320_tv029_b1_tensor_op20_double": [
        {"score_thresh": 0.5, "detections_per_img": 31},
        {"topk_candidates": 7, "nms_thresh": 0.3},
    ],
    "ssdlite320_tv029_b3_list_op18_field": [
        {"detections_per_img": 4, "score_thresh": 0.8},
        {"nms_thresh": 0.3},
    ],
    "faster_rcnn_tv029_b1_tensor_op20_draft": [
        {"score_thresh": 0.1, "detections_per_img": 7},
        {"nms_thresh": 0.2, "score_thresh": 0.2},
    ],
    "ssd300_tv029_b2_list_op21_field_draft": [
        {"topk_candidates": 9},
        {"score_thresh": 0.6, "nms_thresh": 0.3},
    ],
}

# How much two exports of one module may differ. More means that they have other nodes (an image without any proposal
# leaves some out) or the same ones in another order.
MOST_BYTES = 2000
MOST_BYTES_OF_DRAFT = 10000  # torch.export numbers all values behind a constant that another one shares


def some_of_matrix():
    """A quarter of the matrix, less what the rewrite refuses: names of one image's fields on outputs in another order."""
    return [fixture for fixture in matrix()[::4] if fixture.order == "image" or fixture.names != "first"]


def drawn(model, fixture):
    """Random values for one to three parameters of the model."""
    draws = random.Random(fixture.file)
    ranges = {
        "detections_per_img": lambda: draws.randint(1, 2 * fixture.limit + 3),
        "score_thresh": lambda: round(get_parameter(model, "score_thresh") * draws.uniform(0.3, 1.1), 4),
        "nms_thresh": lambda: round(draws.uniform(0.05, 0.95), 3),
    }
    if hasattr(model, "rpn"):
        ranges.update({
            "rpn_pre_nms_top_n": lambda: draws.randint(5, 300),
            "rpn_post_nms_top_n": lambda: draws.randint(5, 200),
            "rpn_nms_thresh": lambda: round(draws.uniform(0.1, 0.95), 3),
            "rpn_score_thresh": lambda: round(draws.uniform(0.08, 0.16), 3),
        })
    else:
        ranges["topk_candidates"] = lambda: draws.randint(1, 500)
    while True:
        yield {name: ranges[name]() for name in draws.sample(sorted(ranges), draws.randint(1, 3))}


def found(model, fixture, settings):
    """What the model finds with these values in the scenes of each run."""
    before = {name: get_parameter(model, name) for name in settings}
    set_parameters(model, settings)
    runs = [model(images_of(fixture, seeds)) for seeds in fixture.runs]
    set_parameters(model, before)
    return runs


def same(some, others):
    """Whether the fields of all images are equal."""
    return all(torch.equal(image[field], other[field])
               for image, other in zip(some, others) for field in image)


def showing_runs(model, fixture, settings):
    """A few of the runs that together show each value: in some of them it changes what is found where the others are
    set already. None if there are none, and then what does not show."""
    other = found(model, fixture, settings)
    showing = {}
    for name in settings:
        without = found(model, fixture, {each: value for each, value in settings.items() if each != name})
        showing[name] = [i for i in range(len(other)) if not same(without[i], other[i])]
        if not showing[name]:
            return None, name
    runs = []
    for name in settings:
        if not set(runs) & set(showing[name]):
            most = max(showing[name], key=lambda i: sum(i in shown for shown in showing.values()))
            runs.append(most)
    return [fixture.runs[i] for i in sorted(runs)], None


def edits(before, after):
    """What turns some bytes into others: places in the old ones, how many go there, and what comes."""
    lines = [whole.split(b"\n") for whole in (before, after)]  # most fields of ONNX's messages begin with this byte
    starts = [list(itertools.accumulate((len(line) + 1 for line in part), initial=0)) for part in lines]
    changes = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, *lines).get_opcodes():
        if kind == "equal":
            continue
        first, last = starts[0][a], min(starts[0][b], len(before))
        old, new = before[first:last], after[starts[1][c]:starts[1][d]]
        if len(old) != len(new):
            changes.append([first, len(old), new])
            continue
        for differ, bytes_there in itertools.groupby(range(len(old)), key=lambda i: old[i] != new[i]):
            there = list(bytes_there)
            if differ:
                changes.append([first + there[0], len(there), new[there[0]:there[-1] + 1]])
    assert edited(before, changes) == after
    return [[first, removed, new.hex()] for first, removed, new in changes]


def edited(before, changes):
    made, place = b"", 0
    for first, removed, new in changes:
        made += before[place:first] + new
        place = first + removed
    return made + before[place:]


def folded(path, k):
    """Whether the file has a k of its TopKs as their constant rather than as one of two numbers whose smaller counts."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    numbers = {tensor.name: tensor for tensor in graph.initializer}
    numbers.update({node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"})
    joined = {node.output[0]: [numpy_helper.to_array(numbers[name]).tolist() for name in node.input if name in numbers]
              for node in graph.node if node.op_type == "Concat"}
    smaller = sum([k] in joined.get(node.input[0], []) for node in graph.node if node.op_type == "ReduceMin")
    smaller += sum(k == numpy_helper.to_array(numbers[name]) for node in graph.node if node.op_type == "Min"
                   for name in node.input if name in numbers)
    return smaller < sum(node.op_type == "TopK" for node in graph.node)


def pair(fixture, model, settings, base, runs, scratch):
    """The pair's description, or None if the two were traced differently."""
    export(fixture, scratch, settings)
    places = edits(base.read_bytes(), (scratch / fixture.file).read_bytes())
    if sum(removed + len(new) // 2 for _, removed, new in places) > (
            MOST_BYTES_OF_DRAFT if fixture.draft else MOST_BYTES):
        return None
    before = {name: get_parameter(model, name) for name in settings}
    refused = [name for name in settings
               if name in ("rpn_pre_nms_top_n", "topk_candidates") and folded(base, before[name])]
    return {"base": base.name, "before": before, "after": settings, "folded": refused, "scenes": runs,
            "edits": places}


def pairs_of(fixture, folder, scratch, chosen):
    """The pairs of a fixture whose file is in the folder."""
    model = tuned(fixture)
    base = folder / fixture.file
    pairs = []
    for settings in PAIRS[base.stem] if chosen else drawn(model, fixture):
        runs, unseen = showing_runs(model, fixture, settings)
        made = pair(fixture, model, settings, base, runs, scratch) if runs else None
        if made:
            pairs.append(made)
        elif chosen:
            why = "%s changes nothing" % unseen if unseen else "traced into other nodes"
            print("NOT MADE: %s, %s: %s" % (base.name, settings, why))
        if pairs and not chosen:
            break
    return pairs


def write(pairs, path):
    lines = ["    " + json.dumps(each) for each in sorted(pairs, key=lambda each: each["base"])]
    path.write_text('{\n  "pairs": [\n' + ",\n".join(lines) + "\n  ]\n}\n")


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="folder to write into (default: this one)")
    parser.add_argument("--set", choices=("committed", "matrix"), default="committed")
    parser.add_argument("--only", metavar="GLOB", default="*", help="make the pairs of files whose name matches")
    options = parser.parse_args()
    if options.set == "matrix" and options.out == HERE:
        parser.error("--set matrix wants --out")
    chosen = options.set == "committed"
    if chosen and VERSION not in COMMITTED:
        parser.error("the committed pairs are made with torchvision 0.14 and 0.29, this is " + torchvision.__version__)
    fixtures = [fixture for fixture in (COMMITTED[VERSION] if chosen else some_of_matrix())
                if fnmatch.fnmatch(fixture.file, options.only)]
    quiet()
    if options.out != HERE:
        make(fixtures, options.out, export, count_rows)
    listing = options.out / "settings.json"
    known = json.loads(listing.read_text())["pairs"] if listing.exists() else []
    made = []
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        for fixture in fixtures:
            print(fixture.file, "with other values", flush=True)
            if options.out == HERE:
                export(fixture, scratch)
                if (scratch / fixture.file).read_bytes() != (HERE / fixture.file).read_bytes():
                    sys.exit("%s does not come out the same here, so no pair can be made with it" % fixture.file)
            made += pairs_of(fixture, options.out, scratch, chosen)
    files = {each["base"] for each in made}
    write([each for each in known if each["base"] not in files] + made, listing)


if __name__ == "__main__":
    main()
