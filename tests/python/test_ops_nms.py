# SPDX-License-Identifier: Apache-2.0
"""nms, batched_nms and soft_nms beside plain NumPy: the same rows, in the same order."""

import numpy as np
import pytest

from padbatch import ops

f32 = np.float32


def ious(box, boxes):
    """The IoU of one box with others, in float32, as nms has it: sides are not negative."""
    def area(b):
        return np.maximum(b[..., 2] - b[..., 0], f32(0)) * np.maximum(b[..., 3] - b[..., 1], f32(0))

    w = np.maximum(np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0]), f32(0))
    h = np.maximum(np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1]), f32(0))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return (w * h) / (area(box) + area(boxes) - w * h)


def plain_nms(boxes, scores, threshold):
    left = np.argsort(-scores, kind="stable")  # NaN is last
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        with np.errstate(invalid="ignore"):
            left = left[~(ious(boxes[best], boxes[left]).astype(np.float64) > threshold)]
    return kept


def plain_per_class(boxes, scores, labels, threshold):
    kept = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        kept.extend(rows[plain_nms(boxes[rows], scores[rows], threshold)])
    kept = np.sort(np.array(kept, np.int64))
    return kept[np.argsort(-scores[kept], kind="stable")].tolist()


def plain_shifted(boxes, scores, labels, threshold, distance=None):
    if distance is None:
        distance = boxes.max() if len(boxes) else f32(0)
        distance += f32(1)
    distance = f32(distance)
    return plain_nms(boxes + (labels.astype(f32) * distance)[:, None], scores, threshold)


def plain_soft(boxes, scores, decay, floor):
    score = scores.copy()
    left = [j for j in range(len(score)) if score[j] >= floor]
    rows, what = [], []
    while left:
        best = max(left, key=lambda j: (score[j], -j))
        rows.append(best)
        what.append(score[best])
        left.remove(best)
        if left:
            score[left] *= decay(ious(boxes[best], boxes[left]))
            left = [j for j in left if score[j] >= floor]
    return rows, np.array(what, f32)


def candidates(seed, n, kind):
    random = np.random.default_rng(seed)
    corners = random.uniform(-20, 100, (n, 2))
    boxes = np.concatenate((corners, corners + random.uniform(1, 60, (n, 2))), 1).astype(f32)
    scores = random.uniform(0, 1, n).astype(f32)
    labels = random.integers(-2, 3, n)
    if kind == "ties":
        boxes = np.round(boxes / 20) * f32(20)
        scores = np.round(scores * 4) / f32(4)
    if kind == "odd" and n:
        for value in (np.nan, np.inf, -np.inf, -0.0):
            boxes[random.integers(0, n), random.integers(0, 4)] = value
            scores[random.integers(0, n)] = value
        boxes[random.integers(0, n)] = boxes[random.integers(0, n)][[2, 3, 0, 1]]  # inverted
        boxes[random.integers(0, n), 2:] = boxes[random.integers(0, n), :2]
    return boxes, scores, labels


CASES = [(seed, n, kind) for kind in ("usual", "ties", "odd")
         for seed, n in enumerate((0, 1, 2, 7, 24, 49, 100, 300))]


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("seed, n, kind", CASES)
def test_suppression_is_that_of_plain_numpy(seed, n, kind):
    boxes, scores, labels = candidates(seed, n, kind)
    for threshold in (0.0, 0.3, 0.5, 1.0):
        expected = plain_nms(boxes, scores, threshold)
        kept = ops.nms(boxes, scores, threshold)
        assert kept.dtype == np.int64 and kept.tolist() == expected
        assert ops.nms(boxes, scores, threshold, at_most=3).tolist() == expected[:3]
        per_class = plain_per_class(boxes, scores, labels, threshold)
        assert ops.batched_nms(boxes, scores, labels, threshold, definition="per_class").tolist() == per_class
        assert ops.batched_nms(boxes, scores, labels, threshold, definition="per_class",
                               at_most=5).tolist() == per_class[:5]
        trick = plain_shifted(boxes, scores, labels, threshold)
        assert ops.batched_nms(boxes, scores, labels, threshold, definition="coordinate_trick").tolist() == trick
        assert ops.batched_nms(boxes, scores, labels, threshold).tolist() == trick
        far = plain_shifted(boxes, scores, labels, threshold, 7680)
        assert ops.batched_nms(boxes, scores, labels, threshold, definition=7680).tolist() == far


@pytest.mark.parametrize("n, kept", [(1000, [0]), (1001, [0, 1])])
def test_the_definition_follows_the_number_of_boxes(n, kept):
    # The second box is of another class, and 11 above and to the left of the first: the largest coordinate + 1. When it
    # is moved by that, it lies on the first. All others have no area.
    boxes = np.zeros((n, 4), f32)
    boxes[:2] = [[0, 0, 10, 10], [-11, -11, -1, -1]]
    scores = np.linspace(1, 0, n, dtype=f32)
    labels = (np.arange(n) == 1).astype(np.int64)
    found = ops.batched_nms(boxes, scores, labels, 0.5)
    assert found[:len(kept)].tolist() == kept and len(found) == n - 2 + len(kept)
    assert ops.batched_nms(boxes, scores, labels, 0.5, definition="per_class").tolist() == list(range(n))
    assert len(ops.batched_nms(boxes, scores, labels, 0.5, definition="coordinate_trick")) == n - 1


@pytest.mark.parametrize("seed, n", [(0, 0), (1, 1), (2, 9), (3, 40), (4, 120)])
@pytest.mark.parametrize("ties", [False, True])
def test_soft_suppression_is_that_of_plain_numpy(seed, n, ties):
    boxes, scores, _ = candidates(seed, n, "ties" if ties else "usual")
    if n > 5:
        scores[3] = np.nan
    for threshold in (0.0, 0.3):
        rows, left = plain_soft(boxes, scores, lambda iou: np.where(iou > threshold, f32(1) - iou, f32(1)), f32(0.05))
        found = ops.soft_nms(boxes, scores, iou_threshold=threshold, score_floor=0.05)
        assert found[0].dtype == np.int64 and found[0].tolist() == rows
        assert found[1].dtype == f32 and found[1].tobytes() == left.tobytes()
    for sigma in (0.5, 0.1):
        def decay(iou):
            return np.exp(-np.nan_to_num(iou).astype(np.float64)**2 / sigma).astype(f32)

        rows, left = plain_soft(boxes, scores, decay, f32(0.001))
        found = ops.soft_nms(boxes, scores, sigma=sigma)
        assert found[0].tolist() == rows
        # The exponential is within 1e-11 before it is rounded, so that a factor may be one float off in rare cases.
        np.testing.assert_allclose(found[1], left, rtol=1e-6, atol=0)
        most = ops.soft_nms(boxes, scores, sigma=sigma, at_most=4)
        assert most[0].tolist() == rows[:4] and most[1].tobytes() == found[1][:4].tobytes()


def test_soft_suppression_leaves_its_arguments():
    boxes, scores, _ = candidates(5, 50, "usual")
    before = boxes.copy(), scores.copy()
    ops.soft_nms(boxes, scores, sigma=0.5)
    np.testing.assert_array_equal(boxes, before[0])
    np.testing.assert_array_equal(scores, before[1])


@pytest.mark.parametrize("n", [70000])
def test_many_boxes(n):
    # On a grid, 10 apart, each twice: the second of each pair goes.
    places = np.arange(n // 2, dtype=f32)
    corners = np.stack((places % 300, places // 300), 1) * 10
    boxes = np.repeat(np.concatenate((corners, corners + 8), 1), 2, 0).astype(f32)
    scores = np.linspace(1, 0, n, dtype=f32)
    labels = np.zeros(n, np.int32)
    expected = np.arange(0, n, 2)
    np.testing.assert_array_equal(ops.nms(boxes, scores, 0.5, at_most=2000), expected[:2000])
    np.testing.assert_array_equal(ops.batched_nms(boxes, scores, labels, 0.5, at_most=2000), expected[:2000])


@pytest.mark.parametrize("call, kind, text", [
    (lambda b, s, k: ops.nms(b, s, 1.5), ValueError, "the IoU threshold is 1.5; expected a number from 0 to 1"),
    (lambda b, s, k: ops.nms(b, s, float("nan")), ValueError, "the IoU threshold is"),
    (lambda b, s, k: ops.batched_nms(b, s, k[:2], 0.5), ValueError, "there are 2 labels, but 3 scores"),
    (lambda b, s, k: ops.batched_nms(b, s, k, 0.5, definition="exact"), ValueError,
     "definition is 'exact'; expected one of 'torchvision', 'per_class', 'coordinate_trick'"),
    (lambda b, s, k: ops.batched_nms(b, s, k, 0.5, definition=None), ValueError, "definition is None; expected one of"),
    (lambda b, s, k: ops.batched_nms(b, s, k, 0.5, definition=float("inf")), ValueError, "expected a finite number"),
    (lambda b, s, k: ops.soft_nms(b, s), TypeError, "was given neither sigma nor iou_threshold; expected one"),
    (lambda b, s, k: ops.soft_nms(b, s, sigma=1, iou_threshold=1), TypeError, "was given both sigma and iou_threshold"),
    (lambda b, s, k: ops.soft_nms(b, s, sigma=0), ValueError, "sigma is 0; expected a finite number of at least 1e-30"),
    (lambda b, s, k: ops.soft_nms(b, s, iou_threshold=-1), ValueError, "the IoU threshold is -1"),
    (lambda b, s, k: ops.soft_nms(b, s, sigma=1, score_floor=-1), ValueError, "the floor of the scores is -1"),
])
def test_what_is_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call(*candidates(1, 3, "usual"))
