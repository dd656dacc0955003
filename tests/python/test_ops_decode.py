# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops.decode_head beside the definition as plain loops in float32."""

import dataclasses

import numpy as np
import pytest

from padbatch import ops
from padbatch.ops import heads

F = np.float32


def twin_boxes(head, numbers):
    """Corners in pixels of all anchors."""
    x, y, w, h = numbers.astype(F).T
    if head.strides:
        cells = np.concatenate([
            [(column, row, stride) for row in range(head.height // stride) for column in range(head.width // stride)]
            for stride in head.strides]).astype(F)
        x, y = (x + cells[:, 0]) * cells[:, 2], (y + cells[:, 1]) * cells[:, 2]
        w, h = np.exp(w) * cells[:, 2], np.exp(h) * cells[:, 2]
    corners = {"xyxy": (x, y, w, h), "yxyx": (y, x, h, w), "xywh": (x, y, x + w, y + h),
               "cxcywh": (x - w * F(0.5), y - h * F(0.5), x + w * F(0.5), y + h * F(0.5))}[head.boxes]
    return np.stack(corners, 1) * (np.array([head.width, head.height] * 2, F) if head.normalized else F(1))


def twin_scores(head, rows):
    """The scores of all anchors' classes."""
    first = 5 if head.objectness else 4
    numbers = rows[:, first:first + head.classes + head.last_is_none].astype(F)
    sigmoid = lambda x: F(1) / (F(1) + np.exp(-x))
    if head.scores == "sigmoid":
        numbers = sigmoid(numbers)
    elif head.scores == "softmax":
        numbers = np.exp(numbers - numbers.max(1, keepdims=True))
        numbers = numbers / numbers.sum(1, keepdims=True)
    if head.objectness:
        objectness = rows[:, 4:5].astype(F)
        numbers = numbers * (sigmoid(objectness) if head.scores == "sigmoid" else objectness)
    return numbers[:, :head.classes]


def twin_overlaps(boxes):
    """Intersection over union of all pairs; any two opposite corners make a box, and NaN overlaps nothing."""
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    sides = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    both = sides[..., 0] * sides[..., 1]
    areas = (high - low)[:, 0] * (high - low)[:, 1]
    return np.where((sides > 0).all(2), both / (areas[:, None] + areas - both), F(0))


def twin(head, rows):
    """The detections of one image [A, columns]: anchors, boxes, scores, labels."""
    with np.errstate(all="ignore"):
        boxes, scores = twin_boxes(head, rows[:, :4]), twin_scores(head, rows)
    if head.every_class:
        anchors, labels = (each.ravel() for each in np.indices(scores.shape))
    elif len(rows):
        anchors = np.arange(len(rows))
        labels = np.argmax(np.where(np.isnan(scores), F(-np.inf), scores), 1)
    else:
        anchors = labels = np.zeros(0, int)
    wanted = scores[anchors, labels] > F(head.score_above)
    wanted &= np.isin(labels, head.only or range(head.classes)) & ~np.isin(labels, head.without)
    anchors, labels = anchors[wanted], labels[wanted]
    order = np.argsort(-scores[anchors, labels], kind="stable")
    anchors, labels = anchors[order], labels[order]
    shift = labels.astype(F)[:, None] * F(7680) if head.suppression == "shifted" else F(0)
    with np.errstate(all="ignore"):
        drops = twin_overlaps(boxes[anchors] + shift) > F(head.iou_above)
    if head.suppression == "class_by_class":
        drops &= labels[:, None] == labels
    kept = []
    for k in range(len(anchors)):
        if head.suppression == "none" or not drops[k, kept].any():
            kept.append(k)
    anchors, labels = anchors[kept][:head.at_most], labels[kept][:head.at_most]
    return anchors, boxes[anchors], scores[anchors, labels], labels


def columns_of(head):
    return (4 + head.objectness + head.classes + head.last_is_none + head.coefficients +
            head.points * head.point_numbers)


def crowd(random, head, images, anchors):
    """Numbers [B, A, columns] of objects that overlap. No two scores are nearer than 1e-3 to each other."""
    rows = random.uniform(-3, 3, (images, anchors, columns_of(head)))
    first = 5 if head.objectness else 4
    scores = rows[..., first:first + head.classes + head.last_is_none]
    steps = random.permutation(scores.size).reshape(scores.shape) / scores.size
    scores[...] = steps if head.scores == "plain" else steps * 8 - 4
    if head.objectness:
        rows[..., 4] = random.permutation(images * anchors).reshape(images, anchors) / (images * anchors)
    if head.strides:
        rows[..., :4] = random.uniform(0, 1, (images, anchors, 4))
    else:
        places = random.uniform(20, 80, (images, 6, 2))
        at = np.take_along_axis(places, random.randint(0, 6, (images, anchors))[..., None], 1)
        low = at + random.uniform(-4, 4, at.shape)
        size = random.uniform(10, 30, at.shape)
        rows[..., :4] = np.concatenate((low, low + size if head.boxes in ("xyxy", "yxyx") else size), -1)
        if head.boxes == "yxyx":
            rows[..., :4] = rows[..., [1, 0, 3, 2]]
        if head.normalized:
            rows[..., :4] /= [head.width, head.height] * 2
    return rows.astype(F)


def check(found, head, numbers, exact):
    """Compares detections with the twin's."""
    assert len(found) == len(numbers)
    rows = 0
    for image, given in zip(found, numbers):
        anchors, boxes, scores, labels = twin(head, given.astype(F))
        rows += len(anchors)
        assert len(image) == len(anchors) and np.array_equal(image.labels, labels)
        assert (image.boxes.dtype, image.scores.dtype, image.labels.dtype) == (F, F, np.int64)
        assert image.boxes.shape == (len(anchors), 4)
        # An exp of NumPy's differs from the C library's in the last bits: a few 1e-7 of the number.
        tolerance = {"rtol": 0, "atol": 0} if exact else {"rtol": 2e-6, "atol": 1e-5}
        np.testing.assert_allclose(image.scores, scores, **tolerance)
        np.testing.assert_allclose(image.boxes, boxes, **tolerance)
        behind = given[anchors, columns_of(head) - head.coefficients - head.points * head.point_numbers:].astype(F)
        if head.coefficients:
            assert np.array_equal(image.mask_coefficients, behind[:, :head.coefficients])
        else:
            assert image.mask_coefficients is None
        if head.points:
            points = np.ones((len(anchors), head.points, 3), F)
            points[..., :head.point_numbers] = behind[:, head.coefficients:].reshape(
                len(anchors), head.points, head.point_numbers)
            assert np.array_equal(image.keypoints, points)
        else:
            assert image.keypoints is None
    return rows


HEADS = {
    "yolov8": (heads.yolov8(5), 60, True),
    "yolov8, anchors first": (heads.yolov8(5, anchors_last=False), 60, True),
    "yolov8_seg": (heads.yolov8_seg(3, 7), 60, True),
    "yolov8_pose": (heads.yolov8_pose(2, 4), 60, True),
    "yolov8_pose of two numbers": (heads.yolov8_pose(2, 4, 2), 60, True),
    "coefficients and keypoints": (heads.yolov8_seg(2, 3, points=2), 60, True),
    "yolov5": (heads.yolov5(4), 60, True),
    "yolov5_seg": (heads.yolov5_seg(4, 5), 60, True),
    "yolox": (heads.yolox(4, (32, 48), (8, 16), score_above=0.05, iou_above=0.25), 30, False),
    "boxes_scores": (heads.boxes_scores(4), 60, True),
    "boxes_scores, yxyx": (heads.boxes_scores(4, "yxyx"), 60, True),
    "boxes_scores, xywh in fractions": (heads.boxes_scores(4, "xywh", normalized=True, height=90, width=120), 60, True),
    "sigmoid": (heads.boxes_scores(4, scores="sigmoid"), 60, False),
    "detr_sigmoid": (heads.detr_sigmoid(4, 30, (90, 120)), 30, False),
    "detr_softmax": (heads.detr_softmax(4, 30, (90, 120)), 30, False),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("seed", range(4))
def test_heads(name, seed):
    head, anchors, exact = HEADS[name]
    random = np.random.RandomState(seed)
    numbers = crowd(random, head, 3, anchors)
    given = numbers.transpose(0, 2, 1) if head.anchors_last else numbers
    found = ops.decode_head(np.ascontiguousarray(given), head)
    assert check(found, head, numbers, exact) > 0
    if head.suppression != "none":  # it does drop something
        free = dataclasses.replace(head, suppression="none")
        assert check(ops.decode_head(given, free), free, numbers, exact) > sum(map(len, found))

    # With gaps, read-only, one image, and as two arrays: the same.
    wide = np.zeros((*given.shape[:2], 2 * given.shape[2]), F)
    wide[..., ::2] = given
    gaps = wide[..., ::2]
    gaps.flags.writeable = False
    for other in (ops.decode_head(gaps, head), [ops.decode_head(image, head)[0] for image in given]):
        for one, same in zip(found, other):
            assert all(np.array_equal(getattr(one, field), getattr(same, field))
                       for field in ("boxes", "scores", "labels"))
    scores = numbers[..., 4:].transpose(0, 2, 1) if head.anchors_last else numbers[..., 4:]
    for boxes in (numbers[..., :4], numbers[..., None, :4]):
        check(ops.decode_head((boxes, scores), head), head, numbers, exact)

    # Other types are converted to float32 first.
    for dtype in (np.float16, np.float64):
        converted = given.astype(dtype)
        rows = converted.transpose(0, 2, 1) if head.anchors_last else converted
        if dtype == np.float64 or exact:  # a sigmoid of half numbers can have equal scores but for its last bits
            check(ops.decode_head(converted, head), head, rows, exact)


@pytest.mark.parametrize("selection", (
    {"score_above": 0.6}, {"score_above": heads.EVERY_SCORE}, {"iou_above": 0.2}, {"iou_above": 0}, {"iou_above": 1},
    {"at_most": 3}, {"at_most": 0}, {"suppression": "class_by_class"}, {"suppression": "all_together"},
    {"suppression": "none"}, {"every_class": True}, {"only": [1, 3]}, {"without": (0,)},
    {"every_class": True, "only": [2]}, {"anchors": 60},
))
def test_selection(selection):
    random = np.random.RandomState(9)
    head = heads.yolov8(5)
    numbers = crowd(random, head, 2, 60)
    found = ops.decode_head(numbers.transpose(0, 2, 1), head, **selection)
    rows = check(found, dataclasses.replace(head, **selection), numbers, True)
    assert (rows == 0) == (selection.get("at_most") == 0)
    assert max(map(len, found)) <= selection.get("at_most", 300)


def test_strange_numbers():
    head = heads.boxes_scores(3, every_class=False)
    numbers = crowd(np.random.RandomState(5), head, 1, 40)
    numbers[0, 3, 4:] = np.nan, 0.9, np.nan
    numbers[0, 4, 4:] = np.nan
    numbers[0, 5] = np.nan, 1, 2, 3, 0.95, 0.1, 0.1
    numbers[0, 6] = 50, 60, 20, 30, 0.99, 0.1, 0.1   # the wrong way round
    numbers[0, 7] = 21, 31, 50, 60, 0.98, 0.1, 0.1   # and one that it drops
    numbers[0, 8:10, 4:] = 0.75                      # equal scores: the lower anchor, the lower class
    with np.errstate(invalid="ignore"):
        assert check(ops.decode_head(numbers, head), head, numbers, True) > 3
    assert not np.isclose(ops.decode_head(numbers, head)[0].scores, 0.98).any()


def test_nothing_there():
    head = heads.yolov8_seg(3, 2)
    for shape, images in (((0, 9, 10), 0), ((2, 9, 0), 2), ((9, 0), 1)):
        found = ops.decode_head(np.zeros(shape, F), head)
        assert len(found) == images
        for image in found:
            assert len(image) == 0 and image.boxes.shape == (0, 4) and image.mask_coefficients.shape == (0, 2)
    assert [len(image) for image in ops.decode_head(np.zeros((2, 9, 10), F), head)] == [0, 0]


def test_detections_own_their_memory():
    head = heads.yolov8(5)
    numbers = crowd(np.random.RandomState(1), head, 2, 60).transpose(0, 2, 1).copy()
    found = ops.decode_head(numbers, head)
    boxes, expected = found[1].boxes, found[1].boxes.copy()
    numbers[:] = 0
    del found, numbers
    for seed in range(5):
        ops.decode_head(crowd(np.random.RandomState(seed), head, 2, 60).transpose(0, 2, 1), head)
    assert len(expected) and np.array_equal(boxes, expected)


GIVEN = np.zeros((2, 9, 10), F)


@pytest.mark.parametrize("call, error, text", (
    (lambda: ops.decode_head(GIVEN, heads.yolov8(80)), ValueError,
     "the head has the shape [2, 9, 10], and so 9 columns; 80 classes and what else was said of it make 84"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(6)), ValueError, "correct the number of classes, or `anchors_last`"),
    (lambda: ops.decode_head(GIVEN[0, 0], heads.yolov8(5)), ValueError, "expected [B, columns, A]"),
    (lambda: ops.decode_head(GIVEN.astype(int), heads.yolov8(5)), TypeError, "expected float32, float16"),
    (lambda: ops.decode_head(GIVEN, "yolov8"), TypeError, "head is 'yolov8'; expected one of padbatch.ops.heads"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), conf=0.5), TypeError, "conf"),
    (lambda: ops.decode_head((GIVEN,), heads.yolov8(5)), ValueError, "output has 1 arrays"),
    (lambda: ops.decode_head((np.zeros((2, 9, 4), F), GIVEN), heads.yolov8(9)), ValueError, "the boxes have the shape"),
    (lambda: ops.decode_head([[1.0]] * 2, heads.yolov8(5)), TypeError, "boxes is of type list"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), anchors=11), ValueError,
     "the head has 10 anchors, but 11 were said"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), iou_above=1.5), ValueError, "`iou_above` is 1.5"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), score_above=float("inf")), ValueError, "`score_above` is inf"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), at_most=5.0), ValueError, "at_most is 5.0; expected a whole"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), score_above=float("nan")), ValueError, "`score_above` is nan"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), score_above=1e39), ValueError,
     "score_above is 1e+39; expected a number that float32"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), score_above="high"), ValueError, "score_above is 'high'"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), only=[5]), ValueError, "a label is 5, but the head has 5 classes"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), only=[1], without=[2]), ValueError, "leave one out"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), suppression="soft"), ValueError, "suppression is 'soft'"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), boxes="corners"), ValueError, "expected 'xyxy', 'xywh'"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), at_most=-1), ValueError, "at_most is -1; expected a whole number"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), normalized=True), ValueError, "give its height and width"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), last_is_none=True), ValueError, "is for scores of a softmax"),
    (lambda: ops.decode_head(GIVEN, heads.yolov8(5), strides=[8], height=32, width=32), ValueError, "has 16 cells"),
    (lambda: heads.yolov8(0.5), ValueError, "classes is 0.5; expected a whole number"),
    (lambda: ops.decode_head(np.zeros((2, 4, 10), F), heads.yolov8(0)), ValueError, "expected 1 class or more"),
    (lambda: heads.yolox(3, (32, 32), [8, 0]), ValueError, "strides are (8, 0)"),
    (lambda: heads.yolox(3, (32, 32), range(1, 10)), ValueError, "expected up to 8 of them"),
    (lambda: heads.yolov8_pose(2, 3, 4) and ops.decode_head(np.zeros((1, 18, 5), F), heads.yolov8_pose(2, 3, 4)),
     ValueError, "a keypoint has 4 numbers"),
))
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)
