# SPDX-License-Identifier: Apache-2.0
"""Raw heads of Ultralytics' and transformers' own exporters, padded and held against plain loops and against what these
projects do after a head. real_exporters.py runs this inside of an environment that has their packages.

The weights are random. So that scores of all sizes come out, and boxes of several, the statistics of the batch norms are
those of noise, and what the last layers give is spread out.
"""

import json
import pathlib
import subprocess

import numpy

from real_exporters import run, session

HEIGHT, WIDTH = 96, 128
REFUSED = 5


def outputs_of(model, images):
    return run(model, {"images": images})


def pictures(count, height, width):
    """Noise of several strengths, in front of it an image that is black."""
    random = numpy.random.default_rng(7)
    strengths = numpy.linspace(0, 1, count, dtype=numpy.float32).reshape(-1, 1, 1, 1)
    return random.random((count, 3, height, width), numpy.float32) * strengths


# ------------------------------------------------------------------------------------- docs/raw-heads.md in a loop


def corners_of(boxes):
    """[A, 4] of centers and sizes as x1, y1, x2, y2."""
    half = boxes[:, 2:] * numpy.float32(0.5)
    return numpy.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], 1)


def overlaps(box, others):
    """The intersection over union of a box with each of the others."""
    extents = numpy.minimum(box[2:], others[:, 2:]) - numpy.maximum(box[:2], others[:, :2])
    both = numpy.where((extents > 0).all(1), extents[:, 0] * extents[:, 1], numpy.float32(0))
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return both / ((box[2] - box[0]) * (box[3] - box[1]) + areas - both)


def selected(corners, scores, conf=None, iou=0.7, most=300, nms="shifted", agnostic=False, multi_label=False, without=()):
    """Anchors and labels of an image's detections, the best first, and how many candidates there were. All numbers are
    float32; `corners` is [A, 4], `scores` [A, C]."""
    best = scores.argmax(1)
    pairs = [(anchor, label) for anchor, of_anchor in enumerate(scores)
             for label in (range(len(of_anchor)) if multi_label else [best[anchor]])
             if label not in without and (conf is None or of_anchor[label] > numpy.float32(conf))]
    pairs = sorted(pairs, key=lambda pair: -scores[pair])[:30000]
    kept = []
    boxes = numpy.empty((0, 4), numpy.float32)  # of those that are kept, moved apart by class
    for anchor, label in pairs:
        if len(kept) == most:
            break
        if nms != "none":
            box = corners[anchor]
            if nms == "shifted" and not agnostic:
                box = box + numpy.float32(7680) * numpy.float32(label)
            rivals = [agnostic or nms == "shifted" or label == other for _, other in kept]
            if (overlaps(box, boxes[rivals]) > numpy.float32(iou)).any():
                continue
            boxes = numpy.concatenate([boxes, box[None]])
        kept.append((anchor, label))
    anchors, labels = (numpy.array([pair[i] for pair in kept], numpy.int64) for i in (0, 1))
    return anchors, labels, len(pairs)


# ----------------------------------------------------------------------------------------------------- Ultralytics


def spread_out(net, images, scores):
    """Makes a random net give boxes of several sizes for such images, and scores around sigmoid(scores)."""
    import torch

    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the average of all images
        norm.reset_running_stats()
    net.train()
    with torch.no_grad():
        net(images)
        head = net.model[-1]
        for boxes, classes in zip(head.cv2, head.cv3):
            boxes[-1].weight *= 3
            classes[-1].bias.fill_(scores)
    net.eval()


def export_yolo(name, path, batch=0):
    """Ultralytics' export of its own `name`.yaml; of any number of images, or of `batch`."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(9)
    model = YOLO(name + ".yaml")
    spread_out(model.model, torch.rand(4, 3, HEIGHT, WIDTH), -4)
    made = model.export(format="onnx", imgsz=(HEIGHT, WIDTH), dynamic=batch == 0, batch=batch or 1, device="cpu")
    pathlib.Path(made).replace(path)


def fields_of_yolo(head, kind, classes):
    """Of one image's columns [columns, A] the corners, the scores, and the field that the rest is."""
    rows = head.T
    rest = rows[:, 4 + classes:]
    further = {"mask_coefficients": rest} if kind == "yolo-seg" else {}
    if kind == "yolo-pose":
        further = {"keypoints": rest.reshape(len(rows), -1, 3)}
    return corners_of(rows[:, :4]), rows[:, 4:4 + classes], further


# Options of the command, and what they mean to the loop; and to Ultralytics' non_max_suppression, unless that has none.
VARIANTS = [
    ([], {}, {}),
    (["--iou-threshold", "0.45", "--max-det", "20"], {"iou": 0.45, "most": 20}, {"iou_thres": 0.45, "max_det": 20}),
    (["--class-agnostic"], {"agnostic": True}, {"agnostic": True}),
    (["--nms", "class-by-class"], {"nms": "class-by-class"}, None),
    (["--multi-label"], {"multi_label": True}, {"multi_label": True}),
    (["--exclude-classes", "0,7"], {"without": (0, 7)}, None),
]


def confidence_of(scores):
    """A threshold that half of the anchors' best scores are above; scores are [B, C, A]."""
    return float(numpy.quantile(scores.max(1), 0.5))


def by_ultralytics(head, conf, classes, how):
    """Rows of each image: box, score, label and the rest."""
    import torch
    import torchvision  # noqa: F401, in whose NonMaxSuppression equal scores keep their order; Ultralytics uses it if so
    from ultralytics.utils.nms import non_max_suppression

    how = {"iou_thres": 0.7, **how}
    return [rows.numpy() for rows in non_max_suppression(torch.from_numpy(head.copy()), conf, nc=classes, **how)]


def heads_of(model, images, batch):
    """What the export gives for each image; of one image, if it takes no more."""
    if batch != 1:
        return outputs_of(model, images)
    of_images = [outputs_of(model, images[i:i + 1]) for i in range(len(images))]
    return {name: numpy.concatenate([each[name] for each in of_images]) for name in of_images[0]}


def require_rows(where, right, got, image):
    """Demands these rows of an image, bit by bit, and zeros behind them."""
    expected = len(right["scores"])
    count = int(got["num_detections"][image, 0])
    assert count == expected, f"{where}: {count} rows, not {expected}"
    for field, values in right.items():
        rows = got[field][image]
        assert numpy.array_equal(rows[:count], values), f"{where}: other {field}"
        assert not rows[count:].any(), f"{where}: {field} are not padded with 0"


def compare_yolo(name, command, path, kind, classes, batch):
    original = session(path)
    images = pictures(3 if batch == 3 else 6, HEIGHT, WIDTH)
    # Files of any number of images take any size too.
    parts = [images] if batch == 3 else [images, images[:1], images[2:4]] + [pictures(3, 64, 96)] * (batch == 0)
    conf = confidence_of(heads_of(original, images, batch)["output0"][:, 4:4 + classes])
    for options, meaning, theirs in VARIANTS if classes > 1 else VARIANTS[:2]:
        padded = path.with_name("padded.onnx")
        any_batch = ["--dynamic-batch"] if batch == 1 else []
        subprocess.run([command, "--quiet", "--force", "--conf", repr(conf), *any_batch, *options, path, padded],
                       check=True)
        model = session(padded)
        candidates = kept = 0
        for part in parts:
            raw, got = heads_of(original, part, batch), outputs_of(model, part)
            theirs_rows = None if theirs is None else by_ultralytics(raw["output0"], conf, classes, theirs)
            if "output1" in raw:
                assert numpy.array_equal(raw["output1"], got["mask_prototypes"]), f"{name}: other prototypes"
            for image, head in enumerate(raw["output0"]):
                where = f"{name}, {' '.join(options) or 'no options'}: image {image} of {len(part)}"
                corners, scores, further = fields_of_yolo(head, kind, classes)
                anchors, labels, of_image = selected(corners, scores, conf, **meaning)
                right = {"boxes": corners[anchors], "labels": labels, "scores": scores[anchors, labels],
                         **{field: values[anchors] for field, values in further.items()}}
                require_rows(where, right, got, image)
                if theirs is not None:
                    columns = [right["boxes"], right["scores"], labels, *(right[field] for field in further)]
                    rows = numpy.concatenate([values.reshape(len(anchors), -1) for values in columns], 1)
                    assert numpy.array_equal(rows, theirs_rows[image]), f"{where}: Ultralytics selects other rows"
                candidates, kept = candidates + of_image, kept + len(anchors)
        print(f"{name}, {' '.join(options) or 'no options'}: {kept} of {candidates} candidates")
        assert kept >= 40 and candidates >= 300 and candidates - kept >= 100


def require_kind(name, command, path, kind):
    """Demands that the file says itself which head it has."""
    shown = subprocess.run([command, "--inspect", "--json", path], stdout=subprocess.PIPE, check=False)
    assert shown.returncode == 0, f"{name}: --inspect ends with {shown.returncode}"
    found = json.loads(shown.stdout)
    assert found["form"] == "raw" and found["head"]["kind"] == kind, f"{name}: {found['form']}, {found['head']}"


def ultralytics(command, folder):
    """YOLO heads of any number of images, of three and of one, and those of turned boxes, which are refused."""
    path = folder / "export.onnx"
    for name, kind, classes in (("yolov8n", "yolo", 80), ("yolo11n", "yolo", 80), ("yolov8n-seg", "yolo-seg", 80),
                                ("yolo11n-seg", "yolo-seg", 80), ("yolov8n-pose", "yolo-pose", 1),
                                ("yolo11n-pose", "yolo-pose", 80)):
        for batch in (0, 3, 1):
            export_yolo(name, path, batch)
            title = f"{name}, batch of {batch or 'any size'}"
            compare_yolo(title, command, path, kind, classes, batch)
            require_kind(title, command, path, kind)
    for name in ("yolov8n-obb", "yolo11n-obb"):
        for batch in (0, 1):
            export_yolo(name, path, batch)
            done = subprocess.run([command, "--force", path, path.with_name("padded.onnx")], stderr=subprocess.PIPE,
                                  text=True, check=False)
            assert done.returncode == REFUSED and "turned by an angle" in done.stderr, done.stderr


# -------------------------------------------------------------------------------------------------- transformers

CLASSES, QUERIES = 5, 40


def make_detr():
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

    backbone = ResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 32, 64], depths=[1, 1, 1, 1], layer_type="basic",
                            out_features=["stage4"])
    model = DetrForObjectDetection(DetrConfig(
        backbone_config=backbone, backbone=None, use_timm_backbone=False, use_pretrained_backbone=False,
        num_queries=QUERIES, d_model=32, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=32, decoder_ffn_dim=32,
        encoder_attention_heads=4, decoder_attention_heads=4, num_labels=CLASSES))
    return model, model.class_labels_classifier


def make_rtdetr():
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

    backbone = RTDetrResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 32, 64], depths=[1, 1, 1, 1],
                                  layer_type="basic", out_features=["stage2", "stage3", "stage4"])
    model = RTDetrForObjectDetection(RTDetrConfig(
        backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, encoder_hidden_dim=32,
        encoder_in_channels=[32, 32, 64], encoder_layers=1, encoder_ffn_dim=32, encoder_attention_heads=4, d_model=32,
        num_queries=QUERIES, decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=1,
        decoder_attention_heads=4, num_labels=CLASSES, num_denoising=0, anchor_image_size=[HEIGHT, WIDTH]))
    return model, model.model.decoder.class_embed[0]


def export_queries(make, path, batch=0):
    """Logits and pred_boxes as they are; of any number of images, or of `batch`."""
    import torch

    class Raw(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, images):
            found = self.model(pixel_values=images)
            return found.logits, found.pred_boxes

    torch.manual_seed(5)
    model, classifier = make()
    raw = Raw(model.eval())
    images = torch.from_numpy(pictures(batch or 2, HEIGHT, WIDTH))
    names = ("images", "logits", "pred_boxes")
    with torch.no_grad():
        # As they are made, all queries are much alike, and of one class.
        for weights in model.parameters():
            if weights.dim() == 2:
                torch.nn.init.normal_(weights, std=0.3)
        classifier.weight *= 2
        classifier.bias -= raw(images)[0].mean((0, 1))
        torch.onnx.export(raw, (images,), str(path), opset_version=16, input_names=names[:1], output_names=names[1:],
                          dynamic_axes={} if batch else {name: {0: "N"} for name in names})


def corners_in_pixels(boxes):
    return corners_of(boxes * numpy.array([WIDTH, HEIGHT, WIDTH, HEIGHT], numpy.float32))


def by_transformers(processor, logits, boxes, conf):
    """What the image processor makes of the outputs, the best first: box, score, label."""
    import types

    import torch

    outputs = types.SimpleNamespace(logits=torch.from_numpy(logits), pred_boxes=torch.from_numpy(boxes))
    found = processor.post_process_object_detection(outputs, conf or 0, [(HEIGHT, WIDTH)] * len(boxes))
    rows = [(each["boxes"].numpy(), each["scores"].numpy(), each["labels"].numpy()) for each in found]
    return [[part[numpy.argsort(-scores, kind="stable")] for part in (boxes, scores, labels)]
            for boxes, scores, labels in rows]


def compare_queries(name, command, path, processor, activation, batch, threshold):
    """With all queries and with a limit below their number, with and without a threshold."""
    original = session(path)
    images = pictures(9, HEIGHT, WIDTH)[9 - (batch or 6):]  # without the black one, in which queries are alike
    for conf in (None, threshold):
        for most in (QUERIES, 12):
            padded = path.with_name("padded.onnx")
            chosen = [] if conf is None else ["--conf", str(conf)]
            subprocess.run([command, "--quiet", "--force", "--from", "raw", "--head", "detr", "--scores", activation,
                            "--max-det", str(most), *chosen, path, padded], check=True)
            model = session(padded)
            counts, found_labels = [], set()
            for part in (images,) if batch else (images, images[:1], images[2:4]):
                raw, got = outputs_of(original, part), outputs_of(model, part)
                theirs = by_transformers(processor, raw["logits"], raw["pred_boxes"], conf)
                for image, (logits, boxes) in enumerate(zip(raw["logits"], raw["pred_boxes"])):
                    where = f"{name}, score above {conf}, {most} rows: image {image} of {len(part)}"
                    if activation == "softmax":
                        powers = numpy.exp(logits - logits.max(1, keepdims=True))
                        scores = (powers / powers.sum(1, keepdims=True))[:, :-1]  # the last class is none
                    else:
                        scores = 1 / (1 + numpy.exp(-logits))
                    corners = corners_in_pixels(boxes)
                    queries, labels, _ = selected(corners, scores, conf, most=most, nms="none",
                                                  multi_label=activation == "sigmoid")
                    right = corners[queries], scores[queries, labels], labels
                    # Scores are rounded otherwise than by the engine, so their order is known only if they differ.
                    assert (numpy.diff(right[1]) < -1e-6).all(), f"{where}: choose another seed"
                    count = int(got["num_detections"][image, 0])
                    assert count == len(queries), f"{where}: {count} rows, not {len(queries)}"
                    counts.append(count)
                    found_labels.update(labels)
                    for field, values, by_them in zip(("boxes", "scores", "labels"), right, theirs[image]):
                        rows = got[field][image]
                        # One rounding of sizes up to 128, and of scores up to 1, at each of some steps.
                        tolerance = {"boxes": 1e-4, "scores": 1e-6, "labels": 0}[field]
                        for which, expected in (("loop", values), ("image processor", by_them[:most])):
                            close = numpy.allclose(rows[:count], expected, 0, tolerance)
                            assert len(expected) == count and close, f"{where}: {field} are not those of the {which}"
                        assert not rows[count:].any(), f"{where}: {field} are not padded with 0"
            assert len(found_labels) > 1 and (conf is None or most < QUERIES or 0 < min(counts) < QUERIES), counts
    print(f"{name}: padded as the loop and the image processor select")


def transformers(command, folder):
    """DETR of any number of images, and RT-DETR of two, whose file does not declare its shapes for any number."""
    from transformers import DetrImageProcessor, RTDetrImageProcessor

    path = folder / "export.onnx"
    export_queries(make_detr, path)
    compare_queries("DETR", command, path, DetrImageProcessor(), "softmax", 0, 0.43)
    export_queries(make_rtdetr, path, 2)
    compare_queries("RT-DETR", command, path, RTDetrImageProcessor(), "sigmoid", 2, 0.85)
