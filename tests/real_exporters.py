#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports small detectors with the exporters that people use, pads them, and holds the result against the original.

    real_exporters.py paddle|transformers|ultralytics COMMAND FOLDER

COMMAND is onnx-pad-outputs. The exporter's packages are installed into a virtual environment in FOLDER, once; where that
is impossible, the exit status is 77. The weights are random, and no weights are loaded from anywhere.

    paddle         a net that ends in PaddleDetection's multiclass_nms3, by paddle2onnx: rows and their number
    transformers   RT-DETR with its post-processing, by torch.onnx.export: rows that are padded already; DETR and RT-DETR
                   as they are: raw heads
    ultralytics    YOLOv8 and YOLO11 with boxes, masks and keypoints: raw heads, known by their metadata; and turned boxes
"""

import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True

SKIPPED = 77
HEIGHT, WIDTH = 64, 96
PACKAGES = {
    # The last versions that go together; all but Paddle's export with Debian's PyTorch. (Ultralytics' is under the AGPL:
    # this test runs it, and nothing of it goes into padbatch.)
    "paddle": ("paddlepaddle==3.3.1", "paddle2onnx==2.1.0", "onnxruntime"),
    "transformers": ("transformers==4.44.2", "onnxruntime"),
    "ultralytics": ("ultralytics-opencv-headless==8.4.190", "numpy==1.26.4", "onnx==1.17.0", "onnxslim==0.1.98",
                    "onnxruntime"),
}


# ------------------------------------------------------------------------------------------------------ the exports


def export_paddle(path):
    """Boxes from the edges of cells, scores of three classes, and the NonMaxSuppression of PaddleDetection."""
    import paddle
    import paddle2onnx
    from paddle import nn

    class Net(nn.Layer):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2D(3, 8, 7, stride=4, padding=3, bias_attr=False)
            self.middle = nn.Conv2D(8, 16, 3, stride=2, padding=1, bias_attr=False)
            self.head = nn.Conv2D(16, 7, 1)

        def forward(self, image, scale_factor):
            raw = self.head(nn.functional.relu(self.middle(nn.functional.relu(self.stem(image * 4)))))
            raw = paddle.transpose(raw.flatten(2), [0, 2, 1])
            y, x = paddle.meshgrid(paddle.arange(HEIGHT // 8, dtype="float32"),
                                   paddle.arange(WIDTH // 8, dtype="float32"))
            centers = (paddle.stack([x, y], -1).reshape([1, -1, 2]) + 0.5) * 8
            edges = nn.functional.sigmoid(raw[:, :, 0:4]) * 16
            boxes = paddle.concat([centers - edges[:, :, 0:2], centers + edges[:, :, 2:4]], -1)
            scale_y, scale_x = paddle.split(scale_factor, 2, axis=-1)
            boxes = boxes / paddle.concat([scale_x, scale_y, scale_x, scale_y], -1).reshape([-1, 1, 4])
            scores = paddle.transpose(nn.functional.sigmoid(raw[:, :, 4:7]), [0, 2, 1])
            rows, _, count = paddle._C_ops.multiclass_nms3(boxes, scores, None, 0.5, 1000, 100, 0.6, True, 1.0, -1)
            return rows, count

    paddle.seed(3)
    net = Net()
    net.eval()
    stem = str(path.with_suffix(""))
    specs = [paddle.static.InputSpec([1, 3, HEIGHT, WIDTH], "float32", "image"),
             paddle.static.InputSpec([1, 2], "float32", "scale_factor")]
    paddle.jit.save(net, stem, input_spec=specs)
    # The usual folding of constants would install further packages.
    paddle2onnx.export(stem + ".json", stem + ".pdiparams", str(path), opset_version=16, optimize_tool="None")


def export_transformers(path):
    """RT-DETR, with what its image processor does afterwards (post_process_object_detection) in a wrapper."""
    import torch
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

    classes, rows = 5, 20
    backbone = RTDetrResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 32, 64], depths=[1, 1, 1, 1],
                                  layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    config = RTDetrConfig(
        backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, encoder_hidden_dim=32,
        encoder_in_channels=[32, 32, 64], encoder_layers=1, encoder_ffn_dim=32, encoder_attention_heads=4, d_model=32,
        num_queries=30, decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=1,
        decoder_attention_heads=4, num_labels=classes, num_denoising=0, anchor_image_size=[HEIGHT, WIDTH])

    class Wrapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = RTDetrForObjectDetection(config)

        def forward(self, images, orig_target_sizes):
            found = self.model(pixel_values=images)
            x, y, w, h = found.pred_boxes.unbind(-1)
            boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)
            boxes = boxes * orig_target_sizes.repeat(1, 2).unsqueeze(1)
            scores, index = torch.topk(found.logits.sigmoid().flatten(1), rows, dim=-1)
            labels = index % classes
            index = torch.div(index, classes, rounding_mode="floor")
            return labels, boxes.gather(1, index.unsqueeze(-1).repeat(1, 1, 4)), scores

    torch.manual_seed(5)
    names = ("images", "orig_target_sizes", "labels", "boxes", "scores")
    with torch.no_grad():
        sizes = torch.tensor([[WIDTH, HEIGHT]] * 2, dtype=torch.float32)
        torch.onnx.export(Wrapped().eval(), (torch.rand(2, 3, HEIGHT, WIDTH), sizes), str(path), opset_version=16,
                          input_names=names[:2], output_names=names[2:], dynamic_axes={name: {0: "N"} for name in names})


# ------------------------------------------------------------------------------------------------- the comparison


def session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(model, inputs):
    names = [output.name for output in model.get_outputs()]
    return dict(zip(names, model.run(names, inputs)))


def pictures(count):
    """Noise of several strengths, and one image that is black."""
    import numpy

    random = numpy.random.default_rng(7)
    images = random.random((count, 3, HEIGHT, WIDTH), numpy.float32)
    return images * numpy.linspace(0, 1, count, dtype=numpy.float32).reshape(-1, 1, 1, 1)


def rows_of_paddle(outputs):
    """Rows [n, 6] of one image: label, score, box."""
    rows, counts = (value for _, value in sorted(outputs.items()))
    assert counts.tolist() == [len(rows)]
    return rows[:, 2:6], rows[:, 0], rows[:, 1]


def rows_of_transformers(outputs):
    """The rows of one image; all are real."""
    return outputs["boxes"][0], outputs["labels"][0], outputs["scores"][0]


def compare(name, command, path):
    """Pads the export, runs both, and demands the rows that the original gives for each image alone."""
    import numpy

    images = pictures(6)
    factors = numpy.array([[0.5 + i / 4, 2 - i / 8] for i in range(6)], numpy.float32)
    inputs = {"paddle": {"image": images, "scale_factor": factors},
              "transformers": {"images": images, "orig_target_sizes": factors * 100}}[name]
    read = {"paddle": rows_of_paddle, "transformers": rows_of_transformers}[name]
    original = session(path)
    expected = [read(run(original, {key: value[i:i + 1] for key, value in inputs.items()})) for i in range(6)]
    counts = [len(scores) for _, _, scores in expected]
    print(f"{name}: rows of the images: {counts}")
    assert max(counts) > 10
    any_batch = ["--dynamic-batch"] if name == "paddle" else []
    for options in ([], ["--layout", "efficientnms"], ["--min-score", "0.6"]):
        for most in (5, 120):
            padded = path.with_name("padded.onnx")
            subprocess.run([command, "--quiet", "--force", "--max-detections", str(most), *any_batch, *options, path,
                            padded], check=True)
            model = session(padded)
            for batch in (slice(0, 1), slice(0, 6), slice(3, 5)):
                got = run(model, {key: value[batch] for key, value in inputs.items()})
                layout = ("num_detections", "detection_boxes", "detection_classes", "detection_scores") \
                    if "efficientnms" in options else ("num_detections", "boxes", "labels", "scores")
                got = [got[each] for each in layout]
                for image, (boxes, labels, scores) in enumerate(expected[batch]):
                    order = numpy.argsort(-scores, kind="stable")
                    if "--min-score" in options:
                        order = order[scores[order] >= numpy.float32(0.6)]
                    order = order[:most]
                    count = int(got[0][image, 0])
                    assert count == len(order), f"{name} {options}: {count} rows, not {len(order)}"
                    rows = numpy.argsort(-got[3][image, :count], kind="stable")  # where there is room, as they stand
                    for part, right in zip(got[1:], (boxes, labels, scores)):
                        tolerance = 1e-4 if right.dtype == numpy.float32 else 0
                        close = numpy.allclose(part[image, :count][rows], right[order], tolerance, tolerance)
                        assert close and not part[image, count:].any(), f"{name} {options}: image {image} differs"
    print(f"{name}: padded as the original gives them")


# ---------------------------------------------------------------------------------------------------------- the test


def prepare(name, folder):
    """The interpreter of an environment with the exporter's packages, or nothing with the reason."""
    venv = folder / "venv"
    python = venv / "bin/python"
    ready = venv / "ready"
    if ready.exists() and ready.read_text() == repr(PACKAGES[name]):
        return python, ""
    site = [] if name == "paddle" else ["--system-site-packages"]
    for step in ([sys.executable, "-m", "venv", "--clear", *site, venv],
                 [python, "-m", "pip", "install", "--quiet", *PACKAGES[name]]):
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            return None, done.stdout[-2000:]
    ready.write_text(repr(PACKAGES[name]))
    return python, ""


def test(name, command, folder):
    """What is run inside of the environment."""
    import real_raw_heads

    if name != "ultralytics":
        path = folder / "export.onnx"
        {"paddle": export_paddle, "transformers": export_transformers}[name](path)
        compare(name, command, path)
    if name != "paddle":
        getattr(real_raw_heads, name)(command, folder)


def main():
    if sys.argv[1] == "--inside":
        test(sys.argv[2], sys.argv[3], pathlib.Path.cwd())
        return 0
    name, command, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve() / sys.argv[1]
    folder.mkdir(parents=True, exist_ok=True)
    python, why = prepare(name, folder)
    if python is None:
        print(f"skipped: the packages {', '.join(PACKAGES[name])} cannot be installed here:\n{why}")
        return SKIPPED
    offline = {"HF_HUB_OFFLINE": "1", "PIP_NO_INDEX": "1", "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false",
               "YOLO_CONFIG_DIR": str(folder)}
    inside = [python, pathlib.Path(__file__).resolve(), "--inside", name, pathlib.Path(command).resolve()]
    return subprocess.run(inside, env={**os.environ, **offline}, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
