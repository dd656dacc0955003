# SPDX-License-Identifier: Apache-2.0
"""verify: finds what is equal equal, and every kind of damage."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import padbatch
from onnx import helper, numpy_helper

from support_models import DATA, FASTER, MASK, SSD, SSD_TWO

SMALL = {"size": (160, 192), "batches": (1, 2), "draws": 2}
FLAT = DATA / "other" / "flat_pt113_any_op12_end2end.onnx"
RAW = DATA / "raw" / "yolo_b1_op17.onnx"
JOINED = DATA / "loose" / "torchvision_joined_op13.onnx"
SCALED = DATA / "loose" / "scaled_op11.onnx"

# The long test has all families.
EQUAL = [
    (SSD, {"dynamic_batch": True, "expose_per_image": ["min_score", "max_detections"], "rename": {"boxes": "b"}}),
    (SSD_TWO, {"max_detections": "batch", "layout": "ultralytics"}),
    (SCALED, {"max_detections": 20, "dynamic_batch": True}),  # inputs of each image, and one that all share
    (SSD, {"layout": "tf-od", "count_type": "int64", "count_shape": "B", "label_type": "int32",
           "pad_value": {"labels": -1}}),
    (MASK, {"dynamic_batch": True, "masks": "roi", "max_detections": "batch", "min_score": 0.42}),
]
# What a padded model does not show.
UNSEEN = ("min_score", "classes", "exclude_classes", "pad_value", "mask_threshold")


@pytest.mark.parametrize("model, options", EQUAL, ids=lambda value: getattr(value, "stem", None) or ",".join(value))
def test_padded_models_are_equal(model, options):
    told = {name: value for name, value in options.items() if name in UNSEEN}
    padded = padbatch.pad_outputs(model, **options)
    found = padbatch.verify(model, padded, **SMALL, **told)
    assert found.bytes > 0 and len(found.rows) == sum(found.batches)
    assert any(found.rows), "no detection: this shows nothing"
    if options.get("dynamic_batch"):
        assert set(found.batches) == {1, 2}
    assert str(sum(found.rows)) in str(found)
    if told:  # without them, the difference is found, or what is chosen at the cut is not known
        with pytest.raises(padbatch.Error) as caught:
            padbatch.verify(model, padded, **SMALL)
        assert caught.value.kind == "different" and "min_score" in caught.value.remedy


def test_random_images_are_those_of_the_seed():
    padded = padbatch.pad_outputs(SSD)
    first, again, other = (padbatch.verify(SSD, padded, **SMALL, seed=seed) for seed in (1, 1, 2))
    assert first == again and first.rows != other.rows


def images(count, height=64, width=80):
    random = np.random.default_rng(5)
    return random.random((count, 3, height, width), dtype=np.float32)


def test_images_of_the_user(tmp_path):
    some = images(3)
    fixed, dynamic = padbatch.pad_outputs(SSD), padbatch.pad_outputs(SSD, dynamic_batch=True)
    as_array = padbatch.verify(SSD, fixed, some)
    assert as_array == padbatch.verify(SSD, fixed, list(some))
    assert as_array == padbatch.verify(SSD, fixed, [{"images": image[np.newaxis]} for image in some])
    assert len(as_array.rows) == 3
    assert padbatch.verify(SSD, dynamic, some, batches=[3]).batches == (3,)
    assert padbatch.verify(SSD_TWO, padbatch.pad_outputs(SSD_TWO), images(4)).batches == (2, 2)
    for wrong, why in [(some.astype(np.float64), "float64"), (some[0, 0], r"float32 \[1, 80\]"),
                       (some[:, :1], r"\[1, 1,"),
                       ([], "nothing in it"), (7, "type int"), ([{"image": some[:1]}], "no 'images'")]:
        with pytest.raises(padbatch.Error, match=why) as caught:
            padbatch.verify(SSD, fixed, wrong)
        assert caught.value.kind == "usage"
    with pytest.raises(padbatch.Error, match="takes 2 at a time"):
        padbatch.verify(SSD_TWO, padbatch.pad_outputs(SSD_TWO), images(3))
    with pytest.raises(padbatch.Error, match="batches is"):
        padbatch.verify(SSD, dynamic, some, batches=(0,))


def test_images_of_several_sizes_run_apart():
    some = [*images(2), *images(1, 96, 64)]
    found = padbatch.verify(FASTER, padbatch.pad_outputs(FASTER, dynamic_batch=True), some, batches=(2,))
    assert found.batches == (2, 2)


def test_images_without_detections_are_said():
    found = padbatch.verify(SSD, padbatch.pad_outputs(SSD, min_score=1), **SMALL, min_score=1)
    assert set(found.rows) == {0} and "shows little" in str(found)


def node_that_makes(graph, name):
    return next(node for node in graph.node if name in node.output)


def add_one_to_counts(model):
    node = node_that_makes(model.graph, "num_detections")
    node.output[list(node.output).index("num_detections")] = "right"
    model.graph.initializer.append(numpy_helper.from_array(np.array(1, np.int32), "one"))
    model.graph.node.append(helper.make_node("Add", ["right", "one"], ["num_detections"]))


def change(name, with_node):
    """Puts a node in front of an output."""
    def damage(model):
        node = node_that_makes(model.graph, name)
        node.output[list(node.output).index(name)] = "right"
        model.graph.node.append(with_node(name))
    return damage


def swap_images(model):
    """The rows of the first image come out as the second's."""
    concat = node_that_makes(model.graph, "boxes")
    while concat.op_type != "Concat":
        concat = node_that_makes(model.graph, concat.input[0])
    assert len(concat.input) % 2 == 0
    half = len(concat.input) // 2
    names = list(concat.input)
    del concat.input[:]
    concat.input.extend(names[half:] + names[:half])


def flip_a_byte(model):
    """In the number that fills the padding."""
    for node in model.graph.node:
        if (node.op_type == "ConstantOfShape" and node.attribute
                and node.attribute[0].t.data_type == onnx.TensorProto.FLOAT):
            data = bytearray(numpy_helper.to_array(node.attribute[0].t).tobytes())
            last = node
    data[2] ^= 1
    last.attribute[0].t.CopyFrom(numpy_helper.from_array(np.frombuffer(bytes(data), np.float32), "value"))


def swap_names(model):
    """The metadata say that the labels of another kind are the count's neighbours: boxes and scores change names."""
    for entry in model.metadata_props:
        if entry.key == "padbatch.fields":
            entry.value = entry.value.replace("boxes=boxes", "boxes=scores").replace("scores=scores", "scores=boxes")


DAMAGE = {
    "count off by one": (SSD, add_one_to_counts, "num_detections"),
    "images swapped": (SSD_TWO, swap_images, "boxes"),
    "a byte of the padding": (SSD, flip_a_byte, "row"),
    "scores rounded": (SSD, change("scores", lambda name: helper.make_node("Floor", ["right"], [name])), "scores"),
    "boxes negated": (SSD, change("boxes", lambda name: helper.make_node("Neg", ["right"], [name])), "boxes"),
    "another type": (SSD, change("labels", lambda name: helper.make_node("Cast", ["right"], [name], to=6)), None),
    "fields swapped": (SSD, swap_names, None),
    "fails to run": (SSD, change("boxes", lambda name: helper.make_node("Reshape", ["right", "scores"], [name])), None),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(name):
    model, damage, place = DAMAGE[name]
    padded = padbatch.pad_outputs(onnx.load(model))
    padbatch.verify(model, padded, **SMALL)
    damage(padded)
    with pytest.raises(padbatch.Error) as caught:
        padbatch.verify(model, padded, **SMALL)
    error = caught.value
    assert error.kind in ("different", "usage", "refused") and (place is None or error.kind == "different")
    if place is not None:
        assert place in error.found and ", run " in error.found
    assert "--" not in str(error)


def test_a_minus_zero_is_a_difference():
    """Bytes are compared, not numbers."""
    padded = padbatch.pad_outputs(SSD, pad_value={"boxes": -0.0})
    with pytest.raises(padbatch.Error, match="boxes"):
        padbatch.verify(SSD, padded, **SMALL)
    padbatch.verify(SSD, padded, **SMALL, pad_value={"boxes": -0.0})


def test_what_cannot_be_compared_is_refused():
    plain = padbatch.pad_outputs(SSD)
    for original, padded, options, why in [
            (SSD, SSD, {}, "no 'padbatch.version'"),
            (plain, plain, {}, "already padded"),
            (SSD, padbatch.pad_outputs(SSD, set={"nms_thresh": 0.3}), {"set": {"nms_thresh": 0.3}}, "set changes"),
            (FLAT, padbatch.pad_outputs(FLAT, max_detections=20), {}, "of the form flat"),
            (RAW, padbatch.pad_outputs(RAW), {}, "of the form raw"),
            (JOINED, padbatch.pad_outputs(JOINED, dynamic_batch=True), {}, "no output of the export, but a part"),
            (SSD, plain, {"normalized": True}, "convert boxes"),
            (SSD, plain, {"box_format": "xywh"}, "convert boxes")]:
        with pytest.raises(padbatch.Error, match=why) as caught:
            padbatch.verify(original, padded, **SMALL, **options)
        assert caught.value.kind == "refused"
    with pytest.raises(TypeError, match="there is no option 'min_scor'"):
        padbatch.verify(SSD, plain, min_scor=0.5)


def test_rows_that_the_export_cut_are_not_compared():
    """With a higher limit the padded model may have rows that the export does not tell."""
    cut = DATA / "ssd300_tv014_b1_list_op12.onnx"
    some = {**SMALL, "draws": 6}
    with pytest.raises(padbatch.Error, match="cuts the rows of an image to 10") as caught:
        padbatch.verify(cut, padbatch.pad_outputs(cut, max_detections=50), **SMALL)
    assert caught.value.kind == "refused"
    known = DATA / "faster_rcnn_tv029_b1_list_op13.onnx"
    found = padbatch.verify(known, padbatch.pad_outputs(known, max_detections=50), **some)
    assert 0 < found.skipped == 6 - len(found.batches) and "not compared" in str(found)


def run_command(*arguments):
    return subprocess.run([sys.executable, "-m", "padbatch.verify", *map(str, arguments)], capture_output=True,
                          text=True)


def test_the_command(tmp_path):
    padbatch.pad_outputs(SSD, tmp_path / "padded.onnx", classes=[1])
    np.save(tmp_path / "images.npy", images(2))
    done = run_command(SSD, tmp_path / "padded.onnx", "--classes", 1, "--images", tmp_path / "images.npy")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("equal: ") and " in 2 runs of 1, 1 images" in done.stdout
    done = run_command(SSD, tmp_path / "padded.onnx", "--images", tmp_path / "images.npy")
    assert done.returncode == 1 and "expected: " in done.stderr and done.stdout == ""
    assert run_command(SSD, tmp_path / "padded.onnx", "--images", tmp_path / "none.npy").returncode == 2


def test_the_name_is_always_the_function():
    program = """
import importlib, sys
import padbatch
assert "padbatch.verify" not in sys.modules
function = padbatch.verify
import padbatch.verify
from padbatch import verify
assert padbatch.verify is verify is function and callable(function)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("missing, options", [("onnxruntime", {}), ("onnx", {"masks": "roi"})])
def test_missing_packages_are_named(monkeypatch, missing, options):
    model = MASK if options else SSD
    padded = padbatch.pad_outputs(model, **options)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=f"pip install {missing}"):
        padbatch.verify(model, padded, **SMALL)
