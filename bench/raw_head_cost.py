#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the nodes cost that onnx-pad-outputs appends to a raw head, beside the head's own time and beside selecting in the
program that runs the head.

    PYTHON bench/raw_head_cost.py COMMAND FOLDER [ROUNDS]

COMMAND is onnx-pad-outputs. FOLDER has what bench/export_raw_heads.py makes, and PYTHON is the one that ran that.

Before anything is timed, what is padded is compared with what the program selects. Then each round runs every variant once,
in an order shuffled anew. Prints two Markdown tables: whole models, and the appended nodes alone beside one copy of what the
head gives. All are medians over the rounds, also of the ratio to the head in the same round.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import cv2
import numpy
import onnx.utils
import onnxruntime
import torch


class Program:
    """A model in ONNX Runtime, with inputs that stay the same."""

    def __init__(self, path, values):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # which would take others' cores
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {each.name: values[each.name] for each in self.session.get_inputs()}

    def run(self):
        return self.session.run(None, self.inputs)

    def named(self):
        return dict(zip([each.name for each in self.session.get_outputs()], self.run()))


# ------------------------------------------------------------------------------------------------- in the program


def by_ultralytics(conf, multi_label=False):
    import torchvision  # noqa: F401, whose NonMaxSuppression Ultralytics takes if it is there
    from ultralytics.utils.nms import non_max_suppression

    def select(head):
        return non_max_suppression(torch.from_numpy(head), conf, 0.7, multi_label=multi_label)

    return select


def by_opencv(conf):
    """numpy and OpenCV's NonMaxSuppression, which goes class by class."""
    def select(head):
        images = []
        for columns in head:
            best = columns[4:].max(0)
            candidates = numpy.flatnonzero(best > conf)
            labels = columns[4:, candidates].argmax(0)
            centers, sizes = columns[:2, candidates].T, columns[2:4, candidates].T
            corners = centers - sizes / 2
            kept = cv2.dnn.NMSBoxesBatched(numpy.concatenate([corners, sizes], 1), best[candidates], labels, conf, 0.7)
            kept = numpy.asarray(kept, numpy.int64)[:300]
            images.append((corners[kept], (centers + sizes / 2)[kept], best[candidates][kept], labels[kept]))
        return images

    return select


def by_numpy(logits, boxes):
    """What DETR's image processor does: the best class of each query but the last."""
    powers = numpy.exp(logits - logits.max(-1, keepdims=True))
    scores = (powers / powers.sum(-1, keepdims=True))[..., :-1]
    half = boxes[..., 2:] / 2
    corners = numpy.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], -1) * numpy.float32(640)
    return corners, scores.argmax(-1), scores.max(-1)


# --------------------------------------------------------------------------------------------------- the variants


class Benchmark:
    def __init__(self, command, folder, rounds, scratch):
        self.command, self.folder, self.rounds, self.scratch = command, folder, rounds, scratch
        self.whole, self.alone = [], []

    def padded(self, name, options, given):
        """The padded model, and the appended nodes alone, which read what the head gives."""
        path, nodes = self.scratch / "padded.onnx", self.scratch / "nodes.onnx"
        subprocess.run([self.command, "--quiet", "--force", *options.split(), self.folder / name, path], check=True)
        model = Program(path, given)
        outputs = [each.name for each in model.session.get_outputs()]
        onnx.utils.extract_model(str(path), str(nodes), list(given), outputs)
        return model, Program(nodes, given)

    def measure(self, title, name, images, choices, peers):
        """Times the head, `choices` (options of the command), and `peers` (name to what is done with the outputs)."""
        head = Program(self.folder / name, {"images": images})
        given = {"images": images, **head.named()}
        variants = {"the head": head.run}
        counts = {}
        for options in choices:
            model, nodes = self.padded(name, options, given)
            counts[f"padded, `{options}`"] = " + ".join(str(count) for count in model.named()["num_detections"][:, 0])
            variants[f"padded, `{options}`"] = model.run
            variants[f"nodes of `{options}`"] = nodes.run
            self.agree(options, model.named(), given, peers)
        for peer, select in peers.items():
            variants[f"head, then {peer}"] = lambda select=select: select(*head.run())
        values = [value for key, value in given.items() if key != "images"]
        copies = [numpy.empty_like(value) for value in values]
        variants["limit"] = lambda: [numpy.copyto(to, value) for to, value in zip(copies, values)]
        times = {variant: [] for variant in variants}
        order = list(variants)
        generator = random.Random(1)
        for counted in [False] + [True] * self.rounds:
            generator.shuffle(order)
            for variant in order:
                start = time.perf_counter()
                variants[variant]()
                if counted:
                    times[variant].append(time.perf_counter() - start)
        for variant, seconds in times.items():
            of_head = statistics.median(a / b for a, b in zip(seconds, times["the head"]))
            milliseconds = statistics.median(seconds) * 1e3
            if variant.startswith("nodes of "):
                limit = statistics.median(times["limit"]) * 1e3
                self.alone.append(f"| {title} | {variant[9:]} | {milliseconds:.2f} | {of_head:.1%} | {limit:.2f} |")
            elif variant != "limit":
                self.whole.append(f"| {title if variant == 'the head' else ''} | {variant} | {milliseconds:.1f} | "
                                  f"{of_head:.3f} | {counts.get(variant, '')} |")

    @staticmethod
    def agree(options, got, given, peers):
        """Demands the rows that Ultralytics selects, or DETR's queries."""
        for peer, select in peers.items():
            if peer == f"Ultralytics' non_max_suppression, `{options}`":
                for image, rows in enumerate(select(given["output0"])):
                    count = int(got["num_detections"][image, 0])
                    parts = [got["boxes"], got["scores"][..., None], got["labels"][..., None]]
                    mine = numpy.concatenate([part[image, :count] for part in parts], 1)
                    assert numpy.array_equal(mine, rows.numpy()), f"{peer}: other rows"
            elif peer == "numpy":
                best = -numpy.sort(-select(given["logits"], given["pred_boxes"])[2], 1)
                assert numpy.allclose(best, got["scores"], 0, 1e-6), "numpy: other scores"  # an exponential, rounded


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 31
    os.environ.update(YOLO_OFFLINE="true", YOLO_CONFIG_DIR=str(folder))  # Ultralytics writes its settings there
    images = numpy.load(folder / "raw_images.npy")
    choices = ["--conf 0.25", "--conf 0.001"]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        bench = Benchmark(sys.argv[1], folder, rounds, pathlib.Path(scratch))
        peers = {f"Ultralytics' non_max_suppression, `--conf {conf}`": by_ultralytics(conf) for conf in (0.25, 0.001)}
        opencv = {f"numpy and NMSBoxesBatched, `--conf {conf}`": by_opencv(conf) for conf in (0.25, 0.001)}
        many = {f"Ultralytics' non_max_suppression, `--conf {conf} --multi-label`": by_ultralytics(conf, True)
                for conf in (0.25, 0.001)}
        bench.measure("YOLOv8n, one image", "raw_yolov8n.onnx", images[:1],
                      choices + [f"{each} --multi-label" for each in choices], {**peers, **opencv, **many})
        bench.measure("YOLOv8n of any size, one image", "raw_yolov8n_any.onnx", images[:1], choices, {})
        bench.measure("the same, four images", "raw_yolov8n_any.onnx", images, choices, {**peers, **opencv})
        bench.measure("DETR, one image", "raw_detr.onnx", images[:1], ["--from raw --head detr --scores softmax"],
                      {"numpy": by_numpy})
    print("| 640x640 | variant | ms | ratio to the head | rows |\n|---|---|---|---|---|", *bench.whole, sep="\n")
    print("\n| appended nodes alone | options | ms | of the head's time | limit, ms |\n|---|---|---|---|---|", *bench.alone,
          sep="\n")


if __name__ == "__main__":
    main()
