# SPDX-License-Identifier: Apache-2.0
"""Operations on boxes beside plain NumPy in float32: the same bits."""

import numpy as np
import pytest

from padbatch import ops

f32 = np.float32


def random_boxes(seed, n):
    random = np.random.default_rng(seed)
    boxes = random.uniform(-50, 700, (n, 4)).astype(f32)  # inverted ones too
    boxes[: n // 2, 2:] = boxes[: n // 2, :2] + np.abs(boxes[: n // 2, 2:])
    if n > 8:
        boxes[3] = 0
        boxes[4, 1] = np.nan
        boxes[5] = boxes[6]
        boxes[7, 2] = np.inf
    return boxes


def same(found, expected):
    """Equal, bit for bit; but a zero may have either sign, and NaN any bits."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def to_corners(boxes, form):
    a, b, c, d = boxes.T
    return {"xyxy": (a, b, c, d), "xywh": (a, b, a + c, b + d), "yxyx": (b, a, d, c),
            "cxcywh": (a - f32(0.5) * c, b - f32(0.5) * d, a + f32(0.5) * c, b + f32(0.5) * d)}[form]


def from_corners(corners, form):
    a, b, c, d = corners
    return np.stack({"xyxy": (a, b, c, d), "xywh": (a, b, c - a, d - b), "yxyx": (b, a, d, c),
                     "cxcywh": ((a + c) / f32(2), (b + d) / f32(2), c - a, d - b)}[form], 1)


def plain_area(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def plain_pairs(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, f32(0))
    inter = sides[..., 0] * sides[..., 1]
    union = plain_area(a)[:, None] + plain_area(b)[None] - inter
    hull = np.maximum(np.maximum(a[:, None, 2:], b[None, :, 2:]) - np.minimum(a[:, None, :2], b[None, :, :2]), f32(0))
    hull = hull[..., 0] * hull[..., 1]
    iou = inter / union
    return iou, iou - (hull - union) / hull


SIZES = [0, 1, 3, 8, 17, 100]
quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NaN and infinity are among the numbers


@quiet
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("in_fmt", ["xyxy", "xywh", "cxcywh", "yxyx"])
def test_formats(n, in_fmt):
    boxes = random_boxes(n, n)
    for out_fmt in ("xyxy", "xywh", "cxcywh", "yxyx"):
        expected = boxes if in_fmt == out_fmt else from_corners(to_corners(boxes, in_fmt), out_fmt)
        found = ops.box_convert(boxes, in_fmt, out_fmt)
        same(found, expected)
        assert not np.shares_memory(found, boxes)


@quiet
@pytest.mark.parametrize("n", SIZES)
def test_changes(n):
    boxes = random_boxes(n, n)
    size = np.array([640, 480, 640, 480], f32)
    same(ops.clip_boxes_to_image(boxes, (480, 640)), np.minimum(np.maximum(boxes, f32(0)), size))
    same(ops.normalize_boxes(boxes, (480, 640)), boxes / size)
    same(ops.unnormalize_boxes(boxes, (480, 640)), boxes * size)
    same(ops.resize_boxes(boxes, (480, 640), (800, 1066)), boxes * (np.array([1066, 800] * 2, f32) / size))
    same(ops.scale_boxes(boxes, 0.1, 3), boxes * np.array([0.1, 3] * 2, f32))
    same(ops.shift_boxes(boxes, 0.1, -3), boxes + np.array([0.1, -3] * 2, f32))


@quiet
@pytest.mark.parametrize("n", SIZES)
def test_areas_and_overlaps(n):
    a = random_boxes(n, n)
    same(ops.box_area(a), plain_area(a))
    for m in (0, 1, 9, 60):
        b = random_boxes(m + 1000, m)
        iou, giou = plain_pairs(a, b)
        same(ops.box_iou(a, b), iou)
        same(ops.generalized_box_iou(a, b), giou)
    same(ops.box_iou(a, a), plain_pairs(a, a)[0])


@quiet
@pytest.mark.parametrize("n", SIZES)
def test_dropping(n):
    boxes = random_boxes(n, n)
    sides = boxes[:, 2:] - boxes[:, :2]
    for least in (0, 10.5, 300):
        same(ops.remove_small_boxes(boxes, least), np.flatnonzero((sides >= f32(least)).all(1)))
    same(ops.remove_degenerate_boxes(boxes), np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1)))


def test_large_arrays():
    boxes = random_boxes(7, 30000)
    with np.errstate(all="ignore"):
        same(ops.box_area(boxes), plain_area(boxes))
        same(ops.shift_boxes(boxes[::2], 1, 2), boxes[::2] + np.array([1, 2, 1, 2], f32))
        same(ops.box_iou(boxes[:300], boxes[500:800]), plain_pairs(boxes[:300], boxes[500:800])[0])


def test_letterbox():
    lb = ops.Letterbox((1080, 1920), (640, 640))
    assert (lb.source, lb.resized, lb.size) == ((1080, 1920), (360, 640), (640, 640))
    assert (lb.left, lb.top, lb.right, lb.bottom) == (0, 140, 0, 140)
    assert lb.gain_x == lb.gain_y == 640 / 1920
    assert ops.Letterbox((1080, 1920), (640, 640), auto_pad=True).size == (384, 640)
    assert ops.Letterbox((1080, 1920), (640, 640), auto_pad=True, stride=10).size == (360, 640)
    small = ops.Letterbox((10, 20), (64, 64), scaleup=False)
    assert small.resized == (10, 20) and (small.top, small.left) == (27, 22)
    odd = ops.Letterbox((333, 517), (640, 640), side_ratios=True)
    assert (odd.gain_y, odd.gain_x) == (odd.resized[0] / 333, odd.resized[1] / 517)
    assert "(1080, 1920) in (640, 640)" in repr(lb)
    with pytest.raises(AttributeError):
        lb.left = 3


@quiet
@pytest.mark.parametrize("n", SIZES)
def test_boxes_of_a_letterbox(n):
    boxes = random_boxes(n, n)
    lb = ops.Letterbox((427, 640), (480, 608))
    gain, shift = f32(lb.gain_x), np.array([lb.left, lb.top] * 2, f32)
    same(ops.letterbox_boxes(boxes, lb), boxes * gain + shift)
    limit = np.array([640, 427] * 2, f32)
    same(ops.unletterbox_boxes(boxes, lb), np.minimum(np.maximum((boxes - shift) / gain, f32(0)), limit))


BOXES = np.array([[0, 0, 10, 10]], f32)


@pytest.mark.parametrize("call, kind, text", [
    (lambda: ops.box_convert(BOXES, "xyxy", "xy"), ValueError, "out_fmt is 'xy'; expected one of 'xyxy', 'xywh'"),
    (lambda: ops.box_convert(BOXES, 3, "xyxy"), ValueError, "in_fmt is 3; expected one of"),
    (lambda: ops.normalize_boxes(BOXES, (0, 5)), ValueError, "an image is 0 pixels high and 5 wide"),
    (lambda: ops.resize_boxes(BOXES, (0, 5), (5, 5)), ValueError, "an image is 0 pixels high"),
    (lambda: ops.box_iou(BOXES, BOXES[0]), ValueError, r"boxes2 has the shape \[4\]; expected \[n, 4\]"),
    (lambda: ops.box_iou(BOXES.astype(int), BOXES), TypeError, r"boxes1 is int64 \[1, 4\]; expected float32"),
    (lambda: ops.remove_small_boxes(BOXES, float("nan")), ValueError, "the least size is"),
    (lambda: ops.letterbox_boxes(BOXES, (640, 640)), TypeError, "expected a padbatch.ops.Letterbox"),
    (lambda: ops.Letterbox((0, 5), (640, 640)), ValueError, "the image is 0 pixels high"),
    (lambda: ops.Letterbox((5, 5), (640, 640), stride=0), ValueError, "the stride is 0; expected 1 to"),
    (lambda: ops.Letterbox((5, 5), (640, 640), stride=1.5), TypeError, "stride is 1.5; expected a whole number"),
])
def test_what_is_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
