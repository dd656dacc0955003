# SPDX-License-Identifier: Apache-2.0
"""Images of a padded batch: views, beside plain slices."""

import gc
import json
import weakref

import numpy as np
import pytest

import padbatch

COUNT_TYPES = [np.int32, np.int64, np.uint8, np.float32, np.float64]


def random_batch(seed):
    random = np.random.default_rng(seed)
    batch, capacity = (int(k) for k in random.integers(0, 6, 2))
    counts = random.integers(0, capacity + 1, batch)
    fields = {
        "boxes": random.random((batch, capacity, 4), np.float32),
        "labels": random.integers(-5, 90, (batch, capacity)),
        "masks": random.random((batch, capacity, 1, 3, 2)) > 0.5,
    }
    counts = counts.astype(COUNT_TYPES[seed % len(COUNT_TYPES)])
    return counts[:, None] if random.integers(2) else counts, fields


@pytest.mark.parametrize("seed", range(40))
def test_images_are_plain_slices(seed):
    counts, fields = random_batch(seed)
    found = padbatch.unpad(counts, **fields)
    assert len(found) == len(counts)
    for i, image in enumerate(found):
        n = int(counts.reshape(-1)[i])
        assert len(image) == n and list(dict(image)) == list(fields) == image.keys()
        for name, values in fields.items():
            view = image[name]
            assert view is getattr(image, name)
            assert view.dtype == values.dtype and np.array_equal(view, values[i, :n])
            assert np.shares_memory(view, values) or view.size == 0
            assert not view.flags.writeable
    assert all(values.flags.writeable for values in fields.values())  # the caller's arrays stay what they were


def test_the_batch_itself():
    boxes = np.zeros((2, 3, 4), np.float32)
    found = padbatch.unpad(np.array([[3], [0]]), boxes=boxes)
    assert found.capacity == 3 and found.counts.tolist() == [3, 0] and list(found.fields) == ["boxes"]
    assert np.shares_memory(found.boxes, boxes) and found["boxes"] is found.boxes and not found.boxes.flags.writeable
    assert [len(image) for image in found[::-1]] == [0, 3] and len(found[-2]) == 3
    assert dict(found[0]).keys() == {"boxes"} and "boxes" in found[0] and "scores" not in found[0]
    with pytest.raises(IndexError, match="no image 2"):
        found[2]
    with pytest.raises(KeyError, match="'scores'.*boxes"):
        found[0]["scores"]
    with pytest.raises(AttributeError, match="'scores'.*boxes"):
        found[0].scores
    with pytest.raises(AttributeError, match="'scores'.*boxes"):
        found.scores


def test_views_keep_the_memory_alive():
    boxes = np.zeros((2, 3, 4), np.float32)
    boxes += np.arange(24).reshape(2, 3, 4)
    gone = weakref.ref(boxes)
    view = padbatch.unpad([1, 2], boxes=boxes)[1].boxes
    del boxes
    gc.collect()
    assert gone() is not None and view.tolist() == [[12, 13, 14, 15], [16, 17, 18, 19]]
    del view
    gc.collect()
    assert gone() is None


def test_other_strides_and_counts_as_a_list():
    whole = np.arange(2 * 3 * 6, dtype=np.float32).reshape(2, 3, 6)
    first = padbatch.unpad([2, 3], boxes=whole[..., :4], scores=whole[..., 4], late=whole[:, ::-1, 5])[0]
    assert np.array_equal(first.boxes, whole[0, :2, :4]) and np.array_equal(first.scores, whole[0, :2, 4])
    assert np.array_equal(first.late, whole[0, [2, 1], 5])


class Exporter:
    """Something with DLPack alone, on a device of our choice."""

    def __init__(self, array, device=(1, 0)):
        self.array = array
        self.device = device

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


def test_dlpack():
    scores = np.random.default_rng(1).random((2, 3), np.float32)
    counts = Exporter(np.array([1, 3], np.int32))
    found = padbatch.unpad(counts, scores=Exporter(scores))
    assert np.shares_memory(found[1].scores, scores) and np.array_equal(found[1].scores, scores[1])
    with pytest.raises(ValueError, match=r"scores is in the memory of a device \(CUDA\).*expected memory of the host"):
        padbatch.unpad(counts, scores=Exporter(scores, (2, 0)))
    with pytest.raises(ValueError, match=r"counts is in the memory of a device \(ROCm\)"):
        padbatch.unpad(Exporter(np.array([1, 3]), (10, 0)), scores=scores)


@pytest.mark.parametrize(
    "counts, fields, error, text",
    [
        ([1, 4], {"scores": (2, 3)}, ValueError, "count of image 1 is 4; expected a whole number from 0 to 3"),
        ([-1, 0], {"scores": (2, 3)}, ValueError, "count of image 0 is -1"),
        ([1.0, 0.5], {"scores": (2, 3)}, ValueError, "count of image 1 is 0.5; expected a whole number"),
        ([1.0, np.nan], {"scores": (2, 3)}, ValueError, "count of image 1 is nan"),
        ([np.inf, 1.0], {"scores": (2, 3)}, ValueError, "count of image 0 is inf"),
        ([True, False], {"scores": (2, 3)}, TypeError, "counts has elements of type bool"),
        ([1, 2, 3], {"scores": (2, 3)}, ValueError, "there are 3 counts, but scores has 2 images"),
        ([[1, 2]], {"scores": (1, 3)}, ValueError, r"counts has the shape \[1, 2\]; expected \[B\] or \[B, 1\]"),
        (3, {"scores": (1, 3)}, TypeError, "counts is a int"),
        (
            [1, 2],
            {"boxes": (2, 3, 4), "scores": (2, 4)},
            ValueError,
            "scores has 2 images of 4 rows, but boxes has 2 of 3",
        ),
        ([1, 2], {"boxes": (2, 3, 4), "scores": (3, 3)}, ValueError, "scores has 3 images of 3 rows"),
        ([1, 2], {"scores": (2,)}, ValueError, r"scores has the shape \[2\]; expected \[B, M\]"),
        ([1, 2], {}, TypeError, "got no fields"),
    ],
)
def test_what_is_refused(counts, fields, error, text):
    with pytest.raises(error, match=text):
        padbatch.unpad(counts, **{name: np.zeros(shape, np.float32) for name, shape in fields.items()})


def test_counts_are_read_once():
    """They are checked then; a program that reuses their memory for the next run does not change the images."""
    counts = np.array([1, 2], np.int32)
    batch = padbatch.unpad(counts, scores=np.zeros((2, 3), np.float32))
    counts[:] = [-1, 7]
    assert [len(image) for image in batch] == [1, 2]
    assert batch.counts.tolist() == [1, 2]
    with pytest.raises(TypeError, match="float"):
        batch[1.5]


def test_what_is_no_array():
    with pytest.raises(TypeError, match="scores is a list; expected a NumPy array or a CPU tensor: np.asarray"):
        padbatch.unpad([1], scores=[[0.5]])
    with pytest.raises(TypeError, match="scores has elements of type object"):
        padbatch.unpad([1], scores=np.array([[0.5]], dtype=object))
    with pytest.raises(TypeError, match="scores is a masked array"):
        padbatch.unpad([1], scores=np.ma.zeros((1, 1)))


def detections():
    boxes = np.array([[[1, 2, 5, 10], [0, 0, 3, 3], [9, 9, 9, 9]]], np.float32)
    masks = np.zeros((1, 3, 1, 12, 6), np.float32)
    masks[0, 0, 0, 2:10, 1:5] = 0.5
    masks[0, 1, 0, :3, :3] = [0.4, 0.6, 1]
    fields = {
        "boxes": boxes,
        "labels": np.array([[3, 1, 7]]),
        "scores": np.array([[0.75, 0.5, 9]], np.float32),
        "masks": masks,
        "keypoints": np.arange(3 * 2 * 3, dtype=np.float32).reshape(1, 3, 2, 3),
    }
    return padbatch.unpad([2], **fields)[0]


def test_coco():
    import json

    found = detections().to_coco(42, categories={3: 30, 1: 10})
    assert json.loads(json.dumps(found)) == found
    assert [each["category_id"] for each in found] == [30, 10] and {each["image_id"] for each in found} == {42}
    assert found[0]["bbox"] == [1, 2, 4, 8] and found[1]["bbox"] == [0, 0, 3, 3]
    assert [each["score"] for each in found] == [0.75, 0.5]
    assert found[0]["keypoints"] == [0, 1, 2, 3, 4, 5] and found[1]["keypoints"] == [6, 7, 8, 9, 10, 11]
    # COCO's strings are checked by the tests of padbatch.ops.rle, and with pycocotools in long/test_consumers.py.
    from padbatch.ops import rle

    pixels = rle.decode([each["segmentation"] for each in found])
    assert np.array_equal(pixels.astype(bool), detections().masks[:, 0] >= 0.5)
    assert [each["segmentation"]["size"] for each in found] == [[12, 6], [12, 6]]
    assert type(found[0]["segmentation"]["counts"]) is str
    assert [each["category_id"] for each in detections().to_coco(1, [0, 11, 22, 33])] == [33, 11]
    assert [each["category_id"] for each in detections().to_coco(1)] == [3, 1]
    with pytest.raises(ValueError, match="categories has no category id for the label 3"):
        detections().to_coco(1, {1: 10})
    with pytest.raises(ValueError, match="no labels, which COCO's results need; they have boxes"):
        padbatch.unpad([1], boxes=np.zeros((1, 1, 4), np.float32))[0].to_coco(1)


def test_coco_of_other_types():
    image = detections()
    (first, *_), (other, *_) = image.to_coco(3), image.to_coco(np.int64(3), {k: np.int32(k) for k in range(100)})
    assert json.dumps(first) == json.dumps(other)
    with pytest.raises(TypeError, match="float"):
        image.to_coco(3, {k: k + 0.5 for k in range(100)})
    for threshold in (0, 1.5, np.nan):
        with pytest.raises(ValueError, match="mask_threshold is .*; expected a number above 0 and up to 1"):
            image.to_coco(3, mask_threshold=threshold)


def test_coco_of_labels_that_are_floats():
    batch = {"boxes": np.zeros((1, 2, 4), np.float32), "scores": np.ones((1, 2), np.float32)}
    image = padbatch.unpad([2], labels=np.array([[3, 5]], np.float32), **batch)[0]
    assert [each["category_id"] for each in image.to_coco(1)] == [3, 5]
    image = padbatch.unpad([2], labels=np.array([[3, 5.5]], np.float32), **batch)[0]
    with pytest.raises(ValueError, match="labels has 5.5 at .1.; expected whole numbers"):
        image.to_coco(1)


def test_an_image_without_detections():
    batch = padbatch.unpad(
        [0],
        boxes=np.zeros((1, 3, 4), np.float32),
        labels=np.zeros((1, 3), np.int64),
        scores=np.zeros((1, 3), np.float32),
        masks=np.zeros((1, 3, 1, 5, 4), np.float32),
    )
    assert batch[0].boxes.shape == (0, 4) and batch[0].masks.shape == (0, 1, 5, 4) and batch[0].to_coco(7) == []


class Detections:
    """The arguments that `supervision.Detections` takes; the real one is used in long/test_consumers.py."""

    def __init__(self, *, xyxy, mask, confidence, class_id, data):
        self.xyxy, self.mask, self.confidence, self.class_id, self.data = xyxy, mask, confidence, class_id, data


def test_supervision(monkeypatch):
    import types

    monkeypatch.setitem(__import__("sys").modules, "supervision", types.SimpleNamespace(Detections=Detections))
    image = detections()
    found = image.to_supervision()
    assert found.xyxy.dtype == np.float32 and np.array_equal(found.xyxy, image.boxes)
    assert found.confidence.tolist() == [0.75, 0.5] and found.class_id.tolist() == [3, 1] and found.data == {}
    assert found.mask.dtype == bool and np.array_equal(found.mask, image.masks[:, 0] >= 0.5)
    assert np.array_equal(image.to_supervision(mask_threshold=0.55).mask, image.masks[:, 0] >= 0.55)
    alone = padbatch.unpad([1], boxes=np.zeros((1, 1, 4), np.float64))[0].to_supervision()
    assert alone.mask is None and alone.confidence is None and alone.class_id is None and alone.xyxy.dtype == np.float32
    with pytest.raises(ValueError, match="the detections have no boxes; they have scores"):
        padbatch.unpad([1], scores=np.zeros((1, 1)))[0].to_supervision()


def test_supervision_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "supervision", None)
    with pytest.raises(ImportError, match="pip install supervision"):
        detections().to_supervision()


def test_an_image_is_not_iterable():
    """Neither over detections nor over names: len() counts the ones, [] takes the others."""
    (image,) = padbatch.unpad([2], boxes=np.zeros((1, 3, 4)))
    for use in (iter, list, reversed, lambda image: [*image], lambda image: dict(zip(image, range(2)))):
        with pytest.raises(TypeError, match="not iterable|not reversible"):
            use(image)
    assert "boxes" in image and 0 not in image and dict(image).keys() == {"boxes"}


def test_fields_with_names_of_attributes_are_refused():
    for name in {name for kind in (padbatch.Padded, padbatch.Image) for name in dir(kind)}:
        with pytest.raises(ValueError, match=f"a field is named '{name}', as an attribute of padbatch"):
            padbatch.unpad([2], boxes=np.zeros((1, 3, 4)), **{name: np.zeros((1, 3))})
