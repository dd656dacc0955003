# SPDX-License-Identifier: Apache-2.0
"""padbatch.torchvision.export with every family of torchvision. The models are those of tests/data/make_exports.py:
tiny, with random weights that tell images apart."""

import copy
import inspect
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime
import padbatch
import pytest
import torch
import torchvision
from padbatch._torch import check, run, trace
from padbatch._torch.images import random_images
from padbatch.torchvision import TraceWarning, export
from torchvision.models import detection

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "data"))
import make_exports  # noqa: E402

SIZE = (64, 80)
FAMILIES = tuple(make_exports.FAMILIES)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def detector(family, limit=20):
    torch.manual_seed(20)
    return make_exports.detector(family, limit)


def quietly(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TraceWarning)
        return export(*arguments, **options)


def run_file(path, batch):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: batch})))


def state_of(model):
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    return [part.training for part in model.modules()], [p.requires_grad for p in model.parameters()], weights


def assert_same_state(model, state):
    training, gradients, weights = state
    assert [part.training for part in model.modules()] == training
    assert [p.requires_grad for p in model.parameters()] == gradients
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def assert_rows_of_module(model, path, images, fields=("boxes", "scores")):
    """The padded file beside the module itself, without the code under test. The scores of these images have gaps."""
    outputs = run_file(path, np.stack(images))
    with torch.no_grad():
        expected = model([torch.from_numpy(image) for image in images])
    for image, rows in enumerate(expected):
        count = int(outputs["num_detections"][image, 0])
        assert count == len(rows["scores"])
        for field in fields:
            assert np.allclose(outputs[field][image, :count], rows[field].numpy(), rtol=0, atol=1e-2)
            assert not outputs[field][image, count:].any()
    return outputs["num_detections"].ravel().tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(family, tmp_path):
    model = detector(family)
    images = random_images(5, *SIZE)
    with torch.no_grad():  # a threshold that leaves other numbers of rows in each image
        found = model([torch.from_numpy(image) for image in images])
        scores = torch.cat([rows["scores"] for rows in found]).sort()[0]
    middle = scores[int(len(scores) * 0.7):int(len(scores) * 0.9)]
    gap = int((middle[1:] - middle[:-1]).argmax())
    holder = getattr(model, "roi_heads", model)
    holder.score_thresh = float((middle[gap] + middle[gap + 1]) / 2)
    model.train()
    next(model.parameters()).requires_grad_(False)
    state, threshold = state_of(model), holder.score_thresh

    report = quietly(model, tmp_path / "out.onnx", SIZE)

    assert_same_state(model, state)
    assert holder.score_thresh == threshold
    assert report.family == family and report.path == str(tmp_path / "out.onnx") and report.form == "a batch"
    assert report.inputs == {"images": ("batch", 3, *SIZE)}
    assert report.outputs["num_detections"] == ("batch", 1) and report.outputs["boxes"] == ("batch", 20, 4)
    assert report.parameters["detections_per_img"] == 20
    assert report.parameters["score_thresh"] == pytest.approx(threshold)
    assert report.exporter.startswith("TorchScript") and torch.__version__ in report.exporter
    assert report.opset == onnx.load(str(tmp_path / "out.onnx")).opset_import[0].version

    result = report.check
    assert (result.images, result.batches, result.own_threshold) == (5, (1, 2, 5), False)
    assert result.matched == result.expected == result.found > 10 and result.counts == ()
    assert set(make_exports.FAMILIES[family][1]) - {"labels"} == set(result.largest)
    assert "5 images" in str(report)
    assert [path.name for path in tmp_path.iterdir()] == ["out.onnx"]
    counts = assert_rows_of_module(model.eval(), tmp_path / "out.onnx", images)
    assert len(set(counts)) > 1 and max(counts) > 0


def test_an_export_of_one_image_of_any_size(tmp_path):
    model = detector("Mask R-CNN")
    with pytest.warns(TraceWarning) as caught:
        report = export(model, tmp_path / "out.onnx", SIZE, dynamic_batch=False, dynamic_size=True)
    assert report.inputs == {"images": (1, 3, "height", "width")}
    assert report.check.images == 9 and set(report.check.batches) == {1} and len(report.check.batches) == 9
    texts = [str(warning.message) for warning in caught]
    assert any("one image at a time" in text for text in texts) and not any("and no others" in text for text in texts)
    for size in ((80, 64), (48, 96)):  # resized inside by min_size and max_size, as the module does
        image = random_images(1, *size)[0]
        outputs = run_file(tmp_path / "out.onnx", image[None])
        with torch.no_grad():
            rows = model([torch.from_numpy(image)])[0]
        assert outputs["num_detections"].tolist() == [[len(rows["scores"])]]
        assert outputs["masks"].shape[-2:] == size
        assert np.allclose(outputs["boxes"][0, :len(rows["boxes"])], rows["boxes"].numpy(), rtol=0, atol=1e-2)


@pytest.mark.parametrize("family", ["RetinaNet", "SSD300"])
def test_any_number_of_images_of_any_size(family, tmp_path):
    report = quietly(detector(family), tmp_path / "out.onnx", SIZE, dynamic_size=True)
    assert report.inputs == {"images": ("batch", 3, "height", "width")}
    assert report.check.images == 9 and report.check.batches == (1, 2, 5) * 3


def test_masks_of_regions(tmp_path):
    report = quietly(detector("Mask R-CNN"), tmp_path / "out.onnx", SIZE, masks="roi", max_detections=10)
    assert report.outputs["masks"] == ("batch", 10, 1, 28, 28)
    assert run_file(tmp_path / "out.onnx", np.stack(random_images(3, *SIZE)))["masks"].shape == (3, 10, 1, 28, 28)
    assert "masks" in report.check.largest  # those of the export, which are pasted


@pytest.mark.parametrize("options", [
    {"to": "efficientnms", "masks": "none"}, {"min_score": 0.4, "max_detections": "batch", "masks": "none"},
    {"mask_type": "uint8", "mask_threshold": 0.4, "squeeze_masks": True, "pad_value": {"labels": -1}},
    {"expose": "min_score", "classes": [1, 2], "rename": {"boxes": "xyxy"}, "masks": "roi"}])
def test_options_of_pad_outputs_are_checked_too(options, tmp_path):
    report = quietly(detector("Mask R-CNN", limit=10), tmp_path / "out.onnx", SIZE, **options)
    assert report.check.batches[:3] in ((1, 2, 5), (1, 1, 2)) and report.check.matched > 10
    session = onnxruntime.InferenceSession(str(tmp_path / "out.onnx"), providers=["CPUExecutionProvider"])
    assert {output.name for output in session.get_outputs()} == set(report.outputs)
    assert ("xyxy" in report.outputs) == ("rename" in options)


# ---------------------------------------------------------------------------------------------------------- wrapped


class Wrapped(torch.nn.Module):
    """A detector inside of a module of the kinds that users write."""

    def __init__(self, model, form):
        super().__init__()
        self.inner = torch.nn.ModuleDict({"detector": model})
        self.form = form

    def forward(self, images):
        model = self.inner["detector"]
        if self.form == "one image":
            return model([images])[0]
        if self.form == "uint8":  # [1, H, W, 3]
            images = images.permute(0, 3, 1, 2).float() / 255
        if self.form == "a list of images":
            assert isinstance(images, list)
        found = model(images)
        if self.form == "tuples":
            return tuple((image["boxes"], image["scores"], image["labels"]) for image in found)
        if self.form == "field by field":
            return [image["boxes"] for image in found], [image["labels"] for image in found], \
                [image["scores"] for image in found]
        if self.form == "boxes and scores":
            return found[0]["boxes"], found[0]["scores"]
        return found


@pytest.mark.parametrize("form", ["a batch", "a list of images", "one image", "tuples", "field by field",
                                  "boxes and scores"])
def test_wrapped(form, tmp_path):
    model = Wrapped(detector("SSDlite320"), form).train()
    report = quietly(model, tmp_path / "out.onnx", SIZE)
    assert model.training and model.inner["detector"].training
    assert report.form == (form if form in ("one image", "a list of images") else "a batch")
    assert report.inputs == {"images": ("batch", 3, *SIZE)}
    assert report.check.matched == report.check.expected > 10
    assert ("labels" in report.outputs) == (form != "boxes and scores")
    assert_rows_of_module(model.inner["detector"].eval(), tmp_path / "out.onnx", random_images(3, *SIZE))


def test_a_module_that_takes_bytes(tmp_path):
    images = [(image.transpose(1, 2, 0) * 255).astype(np.uint8) for image in random_images(5, *SIZE)]
    report = quietly(Wrapped(detector("SSDlite320"), "uint8"), tmp_path / "out.onnx", images=images)
    assert report.inputs == {"images": ("batch", *SIZE, 3)}
    assert report.check.own_threshold and report.check.matched == report.check.expected > 10
    assert run_file(tmp_path / "out.onnx", np.stack(images))["num_detections"].shape == (5, 1)


def test_compiled_and_parallel_modules_are_unwrapped(tmp_path):
    inner = detector("SSDlite320")
    model = torch.nn.DataParallel(inner) if not torch.cuda.is_available() else inner
    if hasattr(torch, "compile"):
        model = torch.compile(model)
    assert quietly(model, tmp_path / "out.onnx", SIZE, check=False).family.startswith("SSD")


def test_fine_tuned(tmp_path):
    model = detector("Faster R-CNN")
    torch.manual_seed(5)
    model.roi_heads.box_predictor = detection.faster_rcnn.FastRCNNPredictor(32, 3)
    model.roi_heads.score_thresh, model.roi_heads.nms_thresh, model.roi_heads.detections_per_img = 0.2, 0.3, 7
    model.transform.min_size = (32, 48, 64)
    with pytest.warns(TraceWarning, match=r"of the transform's min_size \(32, 48, 64\)"):
        report = export(model, tmp_path / "out.onnx", SIZE)
    assert report.outputs["boxes"] == ("batch", 7, 4)
    wanted = {"score_thresh": 0.2, "nms_thresh": 0.3, "detections_per_img": 7}
    assert {name: report.parameters[name] for name in wanted} == pytest.approx(wanted)
    assert report.check.matched > 10
    assert model.roi_heads.score_thresh == 0.2


# ----------------------------------------------------------------------------------------------------------- images


def test_the_images_of_the_caller_are_checked_with_the_threshold_of_the_module(tmp_path):
    model = detector("RetinaNet")
    images = [torch.from_numpy(image) for image in random_images(3, *SIZE)]
    threshold = model.score_thresh
    report = quietly(model, tmp_path / "out.onnx", images=images)
    assert report.check.own_threshold and report.check.score_thresh == threshold
    assert (report.check.images, report.check.batches) == (3, (1, 2, 5)) and report.check.matched > 3


def test_bytes_of_a_picture_are_divided_by_255(tmp_path):
    pictures = [(image.transpose(1, 2, 0) * 255).astype(np.uint8) for image in random_images(2, *SIZE)]
    report = quietly(detector("RetinaNet"), tmp_path / "out.onnx", SIZE, images=pictures)
    assert report.inputs == {"images": ("batch", 3, *SIZE)} and report.check.matched > 2


def test_images_without_detections_are_checked_with_another_threshold(tmp_path):
    model = detector("SSDlite320")
    model.score_thresh = 0.999
    report = quietly(model, tmp_path / "out.onnx", images=np.stack(random_images(2, *SIZE)))
    assert not report.check.own_threshold and report.check.score_thresh < 0.999 and report.check.matched > 5
    assert model.score_thresh == 0.999 and report.parameters["score_thresh"] == pytest.approx(0.999)


def test_a_module_that_finds_nothing_anyhow_is_said_to_be_unchecked(tmp_path):
    class Strict(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.detector = detector("SSDlite320")

        def forward(self, images):
            found = self.detector(images)[0]
            keep = found["scores"] > 1.5
            return tuple(found[field][keep] for field in ("boxes", "scores", "labels"))

    with pytest.warns(TraceWarning, match="finds nothing in the images"):
        report = export(Strict(), tmp_path / "out.onnx", SIZE, max_detections=20)
    assert report.check.matched == report.check.found == 0


# --------------------------------------------------------------------------------------------------------- warnings


def test_what_a_trace_makes_constant(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = export(detector("Faster R-CNN"), tmp_path / "out.onnx", SIZE, check=False)
    assert {warning.category for warning in caught} == {TraceWarning}
    assert {warning.filename for warning in caught} == {__file__}
    texts = tuple(str(warning.message) for warning in caught)
    assert texts == report.warnings and report.check is None and len(texts) == 2
    assert texts[0].startswith("the file takes images of 64 x 80 (height x width) and no others")
    assert "score_thresh=0.05" in texts[1] and "detections_per_img=20" in texts[1]


class Branching(torch.nn.Module):
    """Chooses by the pixels, which a trace cannot."""

    def __init__(self):
        super().__init__()
        self.detector = detector("SSDlite320")

    def forward(self, images):
        if images.mean() > 0.49:
            images = images * 0.5
        return self.detector(images)


def test_a_python_value_of_the_user_is_named_with_its_line(tmp_path):
    with pytest.warns(TraceWarning, match="Python value.*Converting a tensor to a Python boolean") as caught:
        export(Branching(), tmp_path / "out.onnx", SIZE, check=False)
    line = inspect.getsourcelines(Branching.forward)[1] + 1
    assert any(f"{__file__}:{line}:" in str(warning.message) for warning in caught)


# ---------------------------------------------------------------------------------------------- what fails the check


def fails(tmp_path, *arguments, **options):
    """The error of an export that leaves nothing behind."""
    with pytest.raises(padbatch.Error) as caught:
        quietly(arguments[0], tmp_path / "out.onnx", *arguments[1:], **options)
    assert list(tmp_path.iterdir()) == []
    assert caught.value.found and caught.value.expected and caught.value.remedy
    return caught.value


def test_a_branch_that_was_traced_away(tmp_path):
    bright, dark = (np.full((3, *SIZE), level, np.float32) * random_images(1, *SIZE)[0] for level in (1.3, 0.4))
    error = fails(tmp_path, Branching(), images=[bright, dark])
    assert error.kind == "different" and "test_torchvision_export.py" in error.remedy


@pytest.mark.parametrize("by", [0.02, 3.0])
def test_boxes_that_are_not_the_modules(by, tmp_path, monkeypatch):
    model = detector("Faster R-CNN").train()
    right = trace._trace

    def wrong(module, *arguments):
        other = copy.deepcopy(module)
        other.transform.image_mean = [0.001 * by] * 3
        right(other, *arguments)

    monkeypatch.setattr(trace, "_trace", wrong)
    error = fails(tmp_path, model, SIZE)
    assert error.kind == "different" and "does not find what the module finds" in error.found
    assert model.training and model.roi_heads.score_thresh == 0.05


def test_rows_that_the_file_has_in_another_order_of_classes(tmp_path, monkeypatch):
    right = check.module_rows
    monkeypatch.setattr(check, "module_rows", lambda *arguments: [
        {**rows, "labels": rows["labels"] + 1} for rows in right(*arguments)])
    error = fails(tmp_path, detector("SSDlite320"), SIZE)
    assert error.kind == "different" and "0 of the module's" in error.found


def tensors_of(graph):
    """The weights of a graph and of the bodies in it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from [attribute.t] if attribute.HasField("t") else []
            yield from tensors_of(attribute.g)


def test_a_padded_file_that_is_not_its_export(tmp_path, monkeypatch):
    right = run.pad_outputs

    def wrong(exported, path, **options):
        report = right(exported, path, **options)
        model = onnx.load(path)
        weights = [tensor for tensor in tensors_of(model.graph)
                   if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) > 100]
        for tensor in weights:
            values = onnx.numpy_helper.to_array(tensor) * np.float32(1 + 1e-6)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        assert weights
        onnx.save(model, path)
        return report

    monkeypatch.setattr(run, "pad_outputs", wrong)
    error = fails(tmp_path, detector("Faster R-CNN"), SIZE)
    assert error.kind == "different" and "of the padded model" in error.found


# ------------------------------------------------------------------------------------------------- what is refused


def test_what_is_not_a_detector(tmp_path):
    error = fails(tmp_path, torchvision.models.resnet18(weights=None), SIZE)
    assert error.kind == "refused" and "ResNet" in error.found and "FasterRCNN" in error.expected
    pair = torch.nn.ModuleList([detector("SSDlite320"), detector("SSDlite320")])
    assert "2 torchvision detectors" in fails(tmp_path, pair, SIZE).found
    scripted = torch.jit.script(torch.nn.Linear(2, 2))
    assert "compiled" in fails(tmp_path, scripted, SIZE).found
    with pytest.raises(TypeError, match="torch.nn.Module"):
        export(detector("SSDlite320").state_dict(), tmp_path / "out.onnx", SIZE)


@pytest.mark.parametrize("convert, what", [(torch.nn.Module.half, "float16"), (torch.nn.Module.double, "float64"),
                                           (lambda model: model.to("meta"), "the device meta")])
def test_models_of_another_type_or_device(convert, what, tmp_path):
    model = convert(detector("SSDlite320"))
    error = fails(tmp_path, model, SIZE)
    assert error.kind == "refused" and what in error.found and "export(" in error.remedy


@pytest.mark.parametrize("size", [(0, 80), (64, -1), (64, 1 << 20)])
def test_image_sizes_that_make_no_sense(size, tmp_path):
    assert fails(tmp_path, detector("SSDlite320"), size).kind == "usage"


@pytest.mark.parametrize("size", [64, "64x80", (64,), (64, 80, 3), (64.5, 80)])
def test_image_sizes_that_are_no_pair_of_int(size, tmp_path):
    with pytest.raises(TypeError, match="image_size"):
        export(detector("SSDlite320"), tmp_path / "out.onnx", size)


def test_images_that_make_no_sense(tmp_path):
    model, image = detector("SSDlite320"), random_images(1, *SIZE)[0]
    assert "neither" in fails(tmp_path, model).found
    for images in ([], [image, image[:, 1:]], [image[0]], [image.astype(np.float64)], [image.astype(np.int64)]):
        assert fails(tmp_path, model, images=images).kind == "usage"
    assert fails(tmp_path, model, (80, 64), images=[image]).kind == "usage"
    with pytest.raises(TypeError, match="images"):
        export(model, tmp_path / "out.onnx", images="picture.png")


def test_a_module_that_does_not_run(tmp_path):
    class Failing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.detector = detector("SSDlite320")

        def forward(self, images, sizes):
            return self.detector(images)

    model = Failing().train()
    error = fails(tmp_path, model, SIZE)
    assert error.kind == "refused" and "sizes" in error.found and model.training


def test_what_pytorch_does_not_export(tmp_path):
    model = detector("SSDlite320").train()
    error = fails(tmp_path, model, SIZE, opset=99)
    assert error.kind == "refused" and "opset 99" in error.found and torch.__version__ in error.found and model.training


@pytest.mark.skipif(trace.version_of(torchvision) >= (0, 15), reason="torchvision 0.15 exports RoiAlign for opset 16")
def test_an_opset_with_which_torchvision_is_wrong(tmp_path):
    assert "RoiAlign" in fails(tmp_path, detector("Faster R-CNN"), SIZE, opset=16).found
    assert quietly(detector("SSDlite320"), tmp_path / "out.onnx", SIZE, opset=16).opset == 16


def test_options_of_pad_outputs_that_are_refused(tmp_path):
    model = detector("SSDlite320")
    assert "model.roi_heads.score_thresh" in fails(tmp_path, model, SIZE, set={"score_thresh": 0.3}).remedy
    assert fails(tmp_path, model, SIZE, triton_repository=str(tmp_path), model_name="detector").kind == "usage"
    assert fails(tmp_path, model, SIZE, max_detections=0).kind == "usage"
    with pytest.raises(TypeError):
        export(model, tmp_path / "out.onnx", SIZE, no_option=1)


def test_a_file_that_exists(tmp_path):
    path = tmp_path / "out.onnx"
    path.write_bytes(b"mine")
    model = detector("SSDlite320")
    with pytest.raises(padbatch.Error) as caught:
        export(model, path, SIZE)
    assert caught.value.kind == "io" and path.read_bytes() == b"mine"
    assert quietly(model, path, SIZE, force=True, check=False).path == str(path) and path.stat().st_size > 1000


# ----------------------------------------------------------------------------------- PyTorch without its old exporter


def has_draft_export():
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        return False
    return trace.version_of(torch) >= (2, 9)


@pytest.mark.skipif(not has_draft_export(), reason="needs torch.export.draft_export and onnxscript")
def test_through_torch_export(tmp_path, monkeypatch):
    monkeypatch.setattr(trace, "has_torchscript_exporter", lambda: False)
    report = quietly(detector("SSDlite320"), tmp_path / "out.onnx", images=random_images(3, *SIZE))
    assert report.exporter.startswith("torch.export.draft_export") and report.check.matched > 5
    (tmp_path / "out.onnx").unlink()
    error = fails(tmp_path, detector("RetinaNet"), images=random_images(3, *SIZE))
    assert "dynamo=False" in error.remedy
    assert "dynamic_size" in fails(tmp_path, detector("SSDlite320"), SIZE, dynamic_size=True).found


def test_the_old_exporter_is_found():
    assert trace.has_torchscript_exporter() == (trace.version_of(torch) < (2, 16) or "dynamo" in inspect.signature(
        torch.onnx.export).parameters)
