# SPDX-License-Identifier: Apache-2.0
"""Detector, beside a session of ONNX Runtime that is fed and read by hand."""

import gc

import numpy as np
import onnx
import pytest

import padbatch
from detector_models import FIXTURES, detector, image, images, padded, session

ONE = "faster_rcnn_tv029_b1_tensor_op16.onnx"  # any size; 0, 1, 2, 3, 13, 0 and 4 rows in scenes 0 to 6
TWO = "faster_rcnn_tv029_b2_tensor_op18_features.onnx"  # any size
MASKS = "mask_rcnn_tv029_b1_tensor_op17.onnx"  # any size, a Mask R-CNN
FIXED = "faster_rcnn_tv014_b2_tensor_op12_boxes_scores.onnx"  # 64 x 80
LISTED = "mask_rcnn_tv014_b3_list_op14_field.onnx"  # 64 x 80, 80 x 64 and 64 x 64


def plain_run(model, feeds):
    """The rows of every image as the padded model gives them: copies."""
    names = [output.name for output in session(model).get_outputs()]
    outputs = dict(zip(names, session(model).run(names, feeds)))
    counts = outputs.pop("num_detections").reshape(-1)
    m = outputs["boxes"].shape[1]
    return [
        {name: x[i, :n].copy() for name, x in outputs.items() if x.ndim >= 2 and x.shape[:2] == (len(counts), m)}
        for i, n in enumerate(counts)
    ]


def plain_batch(scenes):
    """Images `[N, 3, H, W]`, written down differently than the detector does it."""
    return np.ascontiguousarray(np.moveaxis(np.stack(scenes), -1, 1), dtype=np.float32)


def same(found, expected):
    """Equal bytes in each field of every image."""
    assert len(found) == len(expected)
    for got, plain in zip(found, expected):
        for name, values in plain.items():
            assert got[name].dtype == values.dtype and got[name].shape == values.shape, name
            assert got[name].tobytes() == values.tobytes(), name


@pytest.mark.parametrize(
    "file",
    [
        FIXED,
        LISTED,
        TWO,
        "retinanet_tv029_b1_tensor_op18_features.onnx",
        "ssdlite320_tv029_b1_tensor_op20_double.onnx",
        "keypoint_rcnn_tv029_b1_list_op20_half.onnx",
    ],
)
def test_counts_are_those_of_the_export(file):
    fixture = FIXTURES[file]
    detect = detector(file)
    assert detect.batch == fixture["batch"] and set(detect.fields) == set(fixture["fields"])
    scenes = [seed for run in fixture["runs"] for seed in run["scenes"]]
    sizes = [size for run in fixture["runs"] for size in fixture["image_sizes"]]
    found = detect([image(seed, size) for seed, size in zip(scenes, sizes)])
    assert [len(x) for x in found] == [n for run in fixture["runs"] for n in run["counts"]]
    assert [x.size for x in found] == [tuple(size) for size in sizes]
    assert any(len(x) for x in found)


def test_rows_are_those_of_the_session():
    model = padded(ONE, dynamic_batch=True)
    scenes = images(range(7))
    found = padbatch.Detector(session(model))(scenes)
    assert [len(x) for x in found] == [0, 1, 2, 3, 13, 0, 4]
    same(found, plain_run(model, {"images": plain_batch(scenes)}))


def test_a_fixed_batch_is_filled_with_its_last_image():
    model = padded(TWO)
    scenes = images([4, 6, 2, 3, 4])
    found = padbatch.Detector(session(model))(scenes)
    runs = [plain_batch(part) for part in (scenes[:2], scenes[2:4], [scenes[4], scenes[4]])]
    expected = [row for run in runs for row in plain_run(model, {"images": run})][:5]
    same(found, expected)
    assert sum(len(x) for x in found) > 5


def test_images_of_several_sizes_keep_their_order():
    detect = detector(ONE, dynamic_batch=True)
    sizes = [(64, 80), (80, 64), (64, 80), (96, 72), (80, 64)]
    scenes = [image(seed, size) for seed, size in zip([4, 3, 6, 4, 6], sizes)]
    found = detect(scenes)
    assert [x.size for x in found] == sizes and len({len(x) for x in found}) > 2
    for got, scene in zip(
        found, scenes
    ):  # the loop of a dynamic batch runs image by image, so bits do not depend on it
        same([got], [dict(detect([scene])[0])])


def test_a_list_of_inputs_of_different_sizes():
    sizes = [(80, 64), (64, 64), (64, 80), (64, 80), (80, 64), (64, 80)]
    scenes = [image(seed, size) for seed, size in zip([3, 1, 2, 5, 4, 1], sizes)]
    model = padded(LISTED)
    found = padbatch.Detector(session(model))(scenes)

    def run(*three):
        return plain_run(model, {f"image{k}": plain_batch([scene])[0] for k, scene in enumerate(three)})

    first = run(scenes[2], scenes[0], scenes[1])
    second = run(scenes[3], scenes[4], np.zeros((64, 64, 3)))
    third = run(scenes[5], np.zeros((80, 64, 3)), np.zeros((64, 64, 3)))
    expected = [first[1], first[2], first[0], second[0], second[1], third[0]]
    for plain, (height, width) in zip(expected, sizes):
        assert plain["masks"].shape[-2:] == (80, 80)  # the largest of the batch; the rest is padding
        plain["masks"] = plain["masks"][..., :height, :width]
    same(found, expected)
    assert [x.masks.shape[-2:] for x in found] == sizes and sum(len(x) for x in found) > 3
    with pytest.raises(ValueError, match="image 0 is 64 x 72 .*takes 64 x 80 and 80 x 64 and 64 x 64 only: resize it"):
        padbatch.Detector(session(model))([image(1, (64, 72))])


def test_bytes_are_divided_by_255():
    detect = detector(ONE, dynamic_batch=True)
    pixels = [np.round(scene * 255).astype(np.uint8) for scene in images([4, 6])]
    as_bytes = detect(pixels)
    as_floats = detect([(x / np.float32(255)).astype(np.float32) for x in pixels])
    same(as_bytes, [dict(x) for x in as_floats])
    together = detect(np.moveaxis(np.stack(pixels), -1, 1))
    same(together, [dict(x) for x in as_floats])
    assert [len(x) for x in as_bytes] != [0, 0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_taken_as_they_are(dtype):
    detect = detector(ONE, dynamic_batch=True)
    scenes = images([4, 6, 2])  # multiples of 1/256, which all these types have
    expected = [dict(x) for x in detect(scenes)]
    same(detect([x.astype(dtype) for x in scenes]), expected)
    same(detect(plain_batch(scenes).astype(dtype)), expected)
    same(detect(plain_batch(scenes).astype(dtype)[:, ::-1].copy()[:, ::-1]), expected)
    same(detect(tuple(scenes)), expected)


def test_batch_size():
    detect = detector(ONE, dynamic_batch=True, batch_size=2)
    same(detect(images(range(7))), [dict(x) for x in detector(ONE, dynamic_batch=True)(images(range(7)))])


def test_no_images():
    for model in (padded(ONE, dynamic_batch=True), padded(TWO)):
        assert (
            padbatch.Detector(session(model))([]) == []
            and padbatch.Detector(session(model))(np.zeros((0, 3, 64, 80), np.float32)) == []
        )


@pytest.mark.parametrize("layout", ["efficientnms", "yolov7", "mmdeploy", "tf-od", "ultralytics"])
def test_layouts(layout):
    scenes = images(range(7))
    expected = detector(ONE, dynamic_batch=True)(scenes)
    found = detector(ONE, dynamic_batch=True, to=layout)(scenes)
    assert [len(x) for x in found] == [0, 1, 2, 3, 13, 0, 4]
    for got, plain in zip(found, expected):
        # tf-od divides by the image's size, and the detector multiplies again: two roundings of 2^-24 each.
        np.testing.assert_allclose(got.boxes, plain.boxes, rtol=2.0**-23 if layout == "tf-od" else 0, atol=0)
        assert got.boxes.dtype == np.float32 and not got.boxes.flags.writeable
        assert np.array_equal(got.scores, plain.scores) and np.array_equal(got.labels, plain.labels)


def test_names_and_types_of_outputs():
    model = padded(ONE, dynamic_batch=True)
    other = detector(
        ONE,
        dynamic_batch=True,
        rename={"boxes": "scores_", "num_detections": "n"},
        count_type="float32",
        count_shape="B",
    )
    same(other(images([4, 0])), [dict(x) for x in padbatch.Detector(session(model))(images([4, 0]))])


def test_views_are_read_only_and_keep_the_outputs():
    detect = detector(ONE, dynamic_batch=True)
    found = detect(images([4]))[0]
    boxes = found.boxes
    assert not boxes.flags.writeable and not boxes.flags.owndata
    before = boxes.tobytes()
    del detect, found
    gc.collect()
    others = [np.full_like(boxes, 7) for _ in range(100)]  # would take the memory, if it had been given back
    assert boxes.tobytes() == before and len(others) == 100 and any(before)
    with pytest.raises(ValueError, match="read-only"):
        boxes[0] = 0


def test_region_masks_are_pasted_on_demand():
    from padbatch import ops

    regions = detector(MASKS, dynamic_batch=True, masks="roi")
    full = detector(MASKS, dynamic_batch=True)
    sizes = [(64, 80), (64, 80), (80, 64), (96, 112)]
    scenes = [image(seed, size) for seed, size in zip([0, 3, 6, 3], sizes)]
    found, expected = regions(scenes), full(scenes)
    assert [len(x) for x in found] == [0, 3, 6, 6]
    for got, plain in zip(found, expected):
        assert got.region_masks.shape == (len(got), 1, 28, 28) and not got.region_masks.flags.writeable
        coco = got.to_coco(1)  # without pasting
        assert got.masks is got.masks and got.masks.shape == plain.masks.shape and not got.masks.flags.writeable
        # paste_masks promises torchvision's masks up to 1e-6 times a few roundings.
        np.testing.assert_allclose(got.masks, plain.masks, rtol=0, atol=2e-6)
        assert np.array_equal(got.masks, ops.paste_masks(got.region_masks, got.boxes, got.size))
        assert coco == got.to_coco(1)
        with pytest.raises(AttributeError, match="no region masks"):
            plain.region_masks
    assert full(scenes)[0].masks.shape == (0, 1, 64, 80) and found[0].masks.shape == (0, 1, 64, 80)


def test_squeezed_and_byte_masks():
    scenes = images([3, 4])
    expected = detector(MASKS, dynamic_batch=True)(scenes)
    found = detector(MASKS, dynamic_batch=True, mask_type="uint8", squeeze_masks=True)(scenes)
    for got, plain in zip(found, expected):
        assert got.masks.dtype == np.uint8 and np.array_equal(got.masks, plain.masks[:, 0] >= 0.5)
        assert got.to_coco(1) == plain.to_coco(1)


def test_further_inputs():
    scenes = images(range(7))
    everything = detector(ONE, dynamic_batch=True)(scenes)
    shared = detector(ONE, dynamic_batch=True, expose={"min_score": None, "max_detections": 20})
    found = shared(scenes, min_score=0.5)
    same(found, [{"boxes": x.boxes[x.scores >= np.float32(0.5)]} for x in everything])
    assert 0 < sum(len(x) for x in found) < 23
    for limit in (2, [2], np.array([2])):
        same(shared(scenes, min_score=0, max_detections=limit), [{"scores": x.scores[:2]} for x in everything])
    with pytest.raises(ValueError, match=r"the model's input 'min_score' \[1\] is missing; expected it as a keyword"):
        shared(scenes)
    with pytest.raises(TypeError, match="no input 'minscore' besides its images; it has min_score, max_detections"):
        shared(scenes, min_score=0, minscore=0)
    with pytest.raises(ValueError, match=r"min_score has the shape \[2\]; expected \[1\], or one number"):
        shared(scenes, min_score=[0, 1])
    with pytest.raises(ValueError, match="max_detections has 2.5"):
        shared(scenes, min_score=0, max_detections=2.5)


def test_an_input_with_a_number_for_each_image():
    sizes = [(64, 80), (80, 64), (64, 80), (80, 64), (64, 80)]
    scenes = [image(seed, size) for seed, size in zip([4, 5, 6, 3, 4], sizes)]
    everything = detector(ONE, dynamic_batch=True)(scenes)
    detect = detector(ONE, dynamic_batch=True, expose_per_image="min_score")
    least = np.array([0.4, 0.35, 0, 0.9, 0.45], np.float32)
    expected = [{"scores": x.scores[x.scores >= s]} for x, s in zip(everything, least)]
    same(detect(scenes, min_score=least[:, None]), expected)
    assert len({len(x["scores"]) for x in expected}) > 2
    same(detect(scenes, min_score=0.4), [{"scores": x.scores[x.scores >= np.float32(0.4)]} for x in everything])
    with pytest.raises(ValueError, match=r"min_score has the shape \[4, 1\]; expected \[5, 1\], one for each image"):
        detect(scenes, min_score=least[:4, None])


def test_sizes_for_each_image():
    file = "padded/rtdetr_any_op16.onnx"
    scenes = images([4, 3, 6])
    sizes = np.array([[80, 64], [800, 640], [1, 1]])
    found = detector(file)(scenes, orig_target_sizes=sizes)
    same(found, plain_run(padded(file), {"images": plain_batch(scenes), "orig_target_sizes": sizes}))
    alone = detector(file, batch_size=1)(scenes, orig_target_sizes=sizes)
    for got, plain in zip(alone, found):  # a batch of another size may be computed in another order
        np.testing.assert_allclose(got.boxes, plain.boxes, rtol=1e-5)
    assert found[1].boxes.max() > 100 > 2 > found[2].boxes.max()


@pytest.mark.parametrize("masks", ["full", "roi"])
def test_no_more_rows_than_needed(masks):
    detect = detector(MASKS, dynamic_batch=True, max_detections="batch", masks=masks)
    for scenes, rows in (([0, 0], [0, 0]), ([0, 4], [0, 10]), ([2, 3], [2, 3])):
        found = detect(images(scenes))
        assert [len(x) for x in found] == rows and [x.masks.shape for x in found] == [(n, 1, 64, 80) for n in rows]
        same(found, [dict(x) for x in detector(MASKS, dynamic_batch=True, masks=masks)(images(scenes))])


def without_metadata(model):
    proto = onnx.load_from_string(model)
    del proto.metadata_props[:]
    return proto.SerializeToString()


def test_a_model_without_metadata():
    model = padded(MASKS, dynamic_batch=True)
    bare = without_metadata(model)
    with pytest.raises(ValueError, match="neither 'padbatch.fields' nor 'padbatch.columns'; expected a model that"):
        padbatch.Detector(session(bare))
    names = {name: name for name in ("boxes", "labels", "scores")}
    told = padbatch.Detector(session(bare), count_output="num_detections", fields=names)
    same(
        told(images([4, 0])),
        [{name: x[name] for name in names} for x in padbatch.Detector(session(model))(images([4, 0]))],
    )
    with pytest.raises(ValueError, match="masks='full' or masks='roi' says whether"):
        padbatch.Detector(session(bare), count_output="num_detections", fields={**names, "masks": "masks"})
    with pytest.raises(ValueError, match="fields= is given without count_output="):
        padbatch.Detector(session(bare), fields=names)
    with pytest.raises(ValueError, match="no output 'n', which is to hold counts"):
        padbatch.Detector(session(bare), count_output="n", fields=names)
    with pytest.raises(ValueError, match="masks= goes with fields="):
        padbatch.Detector(session(model), masks="full")
    roi = without_metadata(padded(MASKS, dynamic_batch=True, masks="roi"))
    told = padbatch.Detector(
        session(roi), count_output="num_detections", fields={**names, "masks": "masks"}, masks="roi"
    )
    assert told(images([4]))[0].masks.shape[1:] == (1, 64, 80)


def test_class_names(monkeypatch):
    import sys
    import types

    monkeypatch.setitem(sys.modules, "supervision", types.SimpleNamespace(Detections=lambda **given: given))
    scenes = images([4])
    for names in (["ground", "cat", "dog"], {1: "cat", 2: "dog"}):
        found = detector(ONE, dynamic_batch=True, class_names=names)(scenes)[0]
        given = found.to_supervision()
        assert given["data"]["class_name"].tolist() == [names[k] for k in found.labels.tolist()] and len(found) == 13
    short = detector(ONE, dynamic_batch=True, class_names=["ground"])(scenes)[0]
    with pytest.raises(ValueError, match="class_names has no name for the label"):
        short.to_supervision()
