# SPDX-License-Identifier: Apache-2.0
"""How padbatch.torchvision compares the rows of a module with those of a file: NumPy alone."""

import itertools

import numpy as np
import pytest
from padbatch._torch import compare
from padbatch._torch.compare import Comparison, match, overlaps, threshold_amid


def rows_of(random, count, classes=3):
    corners = random.uniform(0, 80, (count, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 40, (count, 2))], 1).astype(np.float32)
    return {"boxes": boxes, "labels": random.integers(0, classes, count),
            "scores": np.sort(random.random(count).astype(np.float32))[::-1]}


def plain_overlap(a, b):
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0


@pytest.mark.parametrize("seed", range(20))
def test_overlaps_are_those_of_a_plain_loop(seed):
    random = np.random.default_rng(seed)
    boxes, others = (rows_of(random, count)["boxes"].astype(np.float64) for count in random.integers(0, 12, 2))
    if len(boxes):
        boxes[0, 2:] = boxes[0, :2]  # no area
    found = overlaps(boxes, others)
    assert found.shape == (len(boxes), len(others))
    for i, j in itertools.product(range(len(boxes)), range(len(others))):
        assert found[i, j] == pytest.approx(plain_overlap(boxes[i], others[j]), abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_rows_in_another_order_find_each_other(seed):
    random = np.random.default_rng(seed)
    rows = rows_of(random, int(random.integers(1, 30)))
    rows["boxes"][0, 2:] = rows["boxes"][0, :2]
    order = random.permutation(len(rows["scores"]))
    left, right = match(rows, {field: values[order] for field, values in rows.items()})
    assert left.tolist() == list(range(len(order)))
    assert (order[right] == left).all()


def test_equal_boxes_go_to_the_nearest_score():
    box = np.array([[1, 2, 30, 40]] * 2, np.float32)
    rows = {"boxes": box, "labels": np.array([1, 1]), "scores": np.array([0.9, 0.3], np.float32)}
    left, right = match(rows, {**rows, "scores": np.array([0.3, 0.9], np.float32)})
    assert (left.tolist(), right.tolist()) == ([0, 1], [1, 0])


def test_another_label_or_box_is_another_row():
    rows = rows_of(np.random.default_rng(0), 4)
    rows["boxes"] += np.arange(4, dtype=np.float32)[:, None] * 200
    others = {field: values.copy() for field, values in rows.items()}
    others["labels"][0] += 1
    others["boxes"][1, 2] += 2
    assert match(rows, others)[0].tolist() == [2, 3]


def compared(change=None, rows=20, **more):
    """The verdict over one image whose rows, but for what `change` does to them, are the same on both sides."""
    random = np.random.default_rng(3)
    expected = {**rows_of(random, rows), **more}
    found = {field: values.copy() for field, values in expected.items()}
    comparison = Comparison()
    comparison.add(expected, change(found) or found if change else found)
    return comparison


def nudged(field, by, rows=slice(None)):
    def change(found):
        found[field] = found[field] + np.zeros_like(found[field])
        found[field][rows] += np.asarray(by).astype(found[field].dtype)
    return change


def test_equal_rows_are_equal():
    comparison = compared()
    assert comparison.verdict() == [] and comparison.matched == 20 and comparison.counts == []
    assert comparison.largest == {"boxes": 0.0, "scores": 0.0}


MASKS = np.random.default_rng(4).random((20, 1, 28, 28)).astype(np.float32)
KEYPOINTS = np.random.default_rng(5).random((20, 5, 3)).astype(np.float32) * 80
LOGITS = np.random.default_rng(6).normal(0, 4, (20, 5)).astype(np.float32)


@pytest.mark.parametrize("field, within, beyond", [
    ("boxes", 0.009, 0.011), ("scores", 0.9e-4, 1.1e-4), ("masks", 0.9e-3, 1.1e-3), ("keypoints_scores", 0.9e-3, 0.1)])
def test_matched_rows_may_differ_by_the_tolerance_and_not_by_more(field, within, beyond):
    fields = {"masks": MASKS, "keypoints": KEYPOINTS, "keypoints_scores": LOGITS}
    fields = {name: values for name, values in fields.items() if name in (field, field.replace("_scores", ""))}
    good = compared(nudged(field, within), **fields)
    assert good.verdict() == [] and good.largest[field] == pytest.approx(within, rel=0.05)
    for rows in (slice(None), slice(7, 8)):
        bad = compared(nudged(field, beyond, rows), **fields)
        assert [text.split()[0] for text in bad.verdict()] == [field]
    assert compared(nudged(field, np.nan, slice(7, 8)), **fields).verdict()


def test_a_few_rows_may_be_missing_and_many_may_not():
    few = compared(lambda found: {field: values[:18] for field, values in found.items()})
    assert few.verdict() == [] and few.counts == [(0, 20, 18)] and few.unmatched == 2
    many = compared(lambda found: {field: values[:10] for field, values in found.items()})
    assert many.verdict() == ["10 of the module's 20 rows and the file's 10 are the same"]
    assert compared(lambda found: {field: values[:0] for field, values in found.items()}).verdict()


def test_few_rows_of_which_none_is_the_same_are_a_difference():
    one, other = rows_of(np.random.default_rng(0), 1), rows_of(np.random.default_rng(1), 1)
    comparison = Comparison()
    comparison.add(one, other)
    assert comparison.verdict() == ["0 of the module's 1 rows and the file's 1 are the same"]
    comparison = Comparison()
    comparison.add(one, {field: values[:0] for field, values in other.items()})
    assert comparison.verdict() == []  # its score may be at the threshold


def test_no_rows_on_both_sides():
    comparison = compared(rows=0)
    assert comparison.verdict() == [] and (comparison.expected, comparison.found, comparison.matched) == (0, 0, 0)


def test_a_mask_may_be_elsewhere_only_if_its_box_is_at_the_edge_of_a_pixel():
    boxes = np.array([[0, 0, 28, 28]] * 20, np.float32)
    boxes[:, 2] += np.arange(20) * 28  # grown by 30/28, the right edge is 29, 59, ...: on the edge of a pixel
    labels = np.arange(20)

    def shifted(by):
        def change(found):
            found["boxes"] = found["boxes"] - np.float32([0, 0, by, 0])
            third = np.arange(20)[:, None, None, None] == 3
            found["masks"] = np.where(third, np.roll(found["masks"], 1, -1), found["masks"])
        return change

    rounded = compared(shifted(1e-3), masks=MASKS, boxes=boxes, labels=labels)
    assert rounded.verdict() == [] and rounded.moved == {"masks": 1}
    wrong = compared(shifted(0), masks=MASKS, boxes=boxes, labels=labels)
    assert wrong.moved == {} and [text.split()[0] for text in wrong.verdict()] == ["masks"]


def test_keypoints_may_jump_in_a_few_rows():
    few = compared(nudged("keypoints", 3, slice(4, 6)), keypoints=KEYPOINTS, keypoints_scores=LOGITS)
    assert few.verdict() == [] and few.moved == {"keypoints": 2}
    many = compared(nudged("keypoints", 3), keypoints=KEYPOINTS, keypoints_scores=LOGITS)
    assert many.verdict() == ["keypoints of 20 of 20 rows are elsewhere"]


def test_masks_of_bits_may_differ_in_a_hundredth_of_their_pixels():
    bits = MASKS > 0.3

    def flipped(pixels):
        def change(found):
            found["masks"] = found["masks"].copy()
            found["masks"].reshape(20, -1)[0, :pixels] ^= True
        return change

    assert compared(flipped(4), masks=bits).verdict() == []
    assert [text.split()[0] for text in compared(flipped(12), masks=bits).verdict()] == ["masks"]


def test_half_floats_may_differ_by_their_last_digit():
    box = np.array([[1, 2, 900, 800]], np.float16)
    rows = {"boxes": box, "scores": np.array([0.5], np.float16)}
    near, far = Comparison(), Comparison()
    near.add(rows, {**rows, "boxes": box + np.array([0, 0, 0.5, 0], np.float16)})
    far.add(rows, {**rows, "boxes": box + np.array([0, 0, 1.5, 0], np.float16)})
    assert near.verdict() == [] and near.matched == far.matched == 1
    assert [text.split()[0] for text in far.verdict()] == ["boxes"]


def test_other_shapes_are_a_difference():
    comparison = compared(lambda found: {**found, "masks": found["masks"][..., :27]}, masks=MASKS)
    assert "[1, 28, 27]" in comparison.verdict()[0]


@pytest.mark.parametrize("seed", range(10))
def test_the_threshold_leaves_about_half_of_the_rows_and_is_no_score(seed):
    random = np.random.default_rng(seed)
    scores = [np.append(random.random(30), 0).astype(np.float32) for _ in range(5)]
    threshold = threshold_amid([{"scores": image} for image in scores])
    every = np.concatenate(scores)
    assert threshold not in every and float(np.float32(threshold)) == threshold
    assert 0.3 * len(every) <= (every > threshold).sum() <= 0.7 * len(every)


@pytest.mark.parametrize("seed", range(10))
def test_the_threshold_leaves_no_image_all_of_its_rows(seed):
    random = np.random.default_rng(seed)
    scores = [0.1 * image + random.random(20).astype(np.float32) * (1 - 0.1 * image) for image in range(5)]
    threshold = threshold_amid([{"scores": image} for image in scores])
    counts = [int((image > threshold).sum()) for image in scores]
    assert max(counts) < 20 and sum(counts) > 10


@pytest.mark.parametrize("scores", [[], [[]], [[0.5]], [[0.5, 0.5]]])
def test_there_is_no_threshold_without_two_scores(scores):
    assert threshold_amid([{"scores": np.array(image, np.float32)} for image in scores or [[]]]) is None


def test_the_tolerances_are_those_of_the_documentation():
    import padbatch

    text = " ".join(padbatch.torchvision.export.__doc__.split())
    tolerances = compare.TOLERANCES
    assert f"boxes may differ by {tolerances['boxes']} pixels, scores by {tolerances['scores']:f}".rstrip("0") in text
    assert f"masks by {tolerances['masks']}" in text and compare.OVERLAP == 0.99
