# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops' masks: beside plain NumPy, and beside what torchvision and Ultralytics made (tests/data)."""

import pathlib
import threading

import numpy as np
import pytest

from padbatch import ops

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"

# What float32 can differ from sums in doubles: the rounding of three sums of numbers up to 1.
TWIN = 3e-7
# What torchvision's versions differ from one another, and 0.14.1 from the formula.
TORCHVISION = 1.5e-6


def twin_axis(low, high, growth):
    """The first pixel of the resized mask, and how many it has: torchvision's arithmetic, in float32."""
    low, high = np.float32(low), np.float32(high)
    half = (high - low) * np.float32(0.5) * growth
    centre = (high + low) * np.float32(0.5)
    first = int(centre - half)
    return first, max(int(centre + half) - first + 1, 0)


def twin_paste(masks, boxes, size):
    """Full masks [n, H, W] by the formula as it reads, with sums in doubles."""
    n, h, w = masks.shape
    full = np.zeros((n, *size))
    growth = np.float32((w + 2) / w)
    for each, box, mask in zip(full, boxes, masks):
        if not np.isfinite(box).all():
            continue
        cells = np.pad(mask.astype(np.float64), 1)
        places = []
        for low, high, count, pixels in ((box[1], box[3], h, size[0]), (box[0], box[2], w, size[1])):
            first, length = twin_axis(low, high, growth)
            inside = np.arange(max(first, 0), min(first + length, pixels))
            at = np.maximum((inside - first + 0.5) * float(np.float32(count + 2) / np.float32(length or 1)) - 0.5, 0)
            cell = np.minimum(at.astype(np.int64), count + 1)
            places.append((inside, cell, np.minimum(cell + 1, count + 1), at - cell))
        (y, top, bottom, down), (x, left, right, along) = places
        if len(y) and len(x):
            above = cells[top][:, left] * (1 - along) + cells[top][:, right] * along
            below = cells[bottom][:, left] * (1 - along) + cells[bottom][:, right] * along
            each[np.ix_(y, x)] = above * (1 - down)[:, None] + below * down[:, None]
    return full


def random_boxes(random, n, size):
    """Inside, across the borders, outside, without size, the wrong way round, far too large, not finite."""
    height, width = size
    x, y = random.uniform(0, width, n), random.uniform(0, height, n)
    kinds = (
        lambda x, y: (x, y, random.uniform(x, width), random.uniform(y, height)),
        lambda x, y: (x - width / 2, y - height / 2, x + width / 2, y + height / 2),
        lambda x, y: (x + width + 2, y, x + 2 * width + 2, y + height),
        lambda x, y: (x, y, x, y),
        lambda x, y: (x, y, x - 3, y - 2),
        lambda x, y: (x - 1000 * width, y - 50000, x + 500 * width, y + 80000),
        lambda x, y: (x, np.nan, np.inf, y),
    )
    return np.array([kinds[random.randint(len(kinds))](*at) for at in zip(x, y)], np.float32).reshape(n, 4)


@pytest.mark.parametrize("seed", range(40))
def test_paste_masks_is_the_formula(seed):
    random = np.random.RandomState(seed)
    n, h, w = random.randint(0, 7), *random.randint(1, 31, 2)
    size = tuple(map(int, random.randint(1, 90, 2)))
    masks = random.random_sample((n, h, w)).astype(np.float32)
    boxes = random_boxes(random, n, size)
    expected = twin_paste(masks, boxes, size)
    full = ops.paste_masks(masks, boxes, size)
    assert full.dtype == np.float32 and full.shape == (n, *size)
    assert np.abs(full - expected).max(initial=0) < TWIN
    # Zeros outside of the boxes are zeros, and not nearly so.
    assert not full[expected == 0][np.abs(full[expected == 0]) > TWIN].any()

    threshold = float(random.uniform(0.05, 1))
    decided = np.abs(expected - threshold) > TWIN
    for dtype in (np.uint8, bool):
        made = ops.paste_masks(masks, boxes, size, threshold=threshold, dtype=dtype)
        assert made.dtype == dtype and made.shape == (n, *size)
        assert (made == (expected >= threshold))[decided].all()
        assert np.array_equal(made, full >= np.float32(threshold))

    # The same into memory that is full of other values, with a dimension of 1, from arrays with gaps.
    wide = np.zeros((n, h, 2 * w, 1), np.float32)
    wide[:, :, ::2, 0] = masks
    gaps = wide[:, :, ::2].transpose(0, 3, 1, 2)
    gaps.flags.writeable = False
    for dtype in (np.float32, np.uint8, bool):
        out = np.ones((n, 1, *size), dtype)
        given = {} if dtype == np.float32 else {"threshold": threshold}
        assert ops.paste_masks(gaps, np.asfortranarray(boxes), size, out=out, **given) is out
        assert np.array_equal(out[:, 0], ops.paste_masks(masks, boxes, size, dtype=dtype, **given))
    assert np.array_equal(ops.paste_masks_in_image(gaps, boxes, size), full[:, None])


def read_pasted():
    """The cases of pasted_masks.bin: boxes, regions, full masks of torchvision 0.14.1."""
    values = np.frombuffer((DATA / "pasted_masks.bin").read_bytes(), "<i4")
    cases = []
    while len(values):
        n, h, w, height, width = map(int, values[:5])
        ends = np.cumsum([4 * n, n * h * w, n * height * width])
        parts = np.split(values[5:5 + ends[-1]].view("<f4"), ends[:-1])
        cases.append((parts[0].reshape(n, 4), parts[1].reshape(n, h, w), parts[2].reshape(n, height, width)))
        values = values[5 + ends[-1]:]
    return cases


def test_paste_masks_is_torchvisions():
    cases = read_pasted()
    assert [len(boxes) for boxes, _, _ in cases] == [9, 3]
    for boxes, regions, full in cases:
        made = ops.paste_masks(regions, boxes, full.shape[1:])
        assert np.abs(made - full).max() <= TORCHVISION
        # No value of the file is nearer to 0.5.
        assert np.array_equal(ops.paste_masks(regions, boxes, full.shape[1:], dtype="uint8"), full >= 0.5)
        assert np.array_equal(ops.paste_masks(regions, boxes, full.shape[1:], threshold=0.5), full >= 0.5)


def test_pasted_masks_own_their_memory():
    masks, boxes = np.full((2, 4, 4), 0.75, np.float32), np.array([[1, 1, 5, 5], [2, 2, 9, 9]], np.float32)
    full = ops.paste_masks(masks, boxes, (8, 8))
    expected = full.copy()
    del masks, boxes
    for _ in range(10):  # other masks, in other memory
        full[0] += ops.paste_masks(np.ones((2, 4, 4), np.float32), np.zeros((2, 4), np.float32), (8, 8))[1] * 0
    assert np.array_equal(full, expected) and full.max() == 0.75


def read_mask_values():
    """The cases of mask_values.bin, as make_mask_values.py writes them."""
    data = (DATA / "mask_values.bin").read_bytes()
    at = 0

    def take(dtype, *shape):
        nonlocal at
        values = np.frombuffer(data, dtype, int(np.prod(shape)), at).reshape(shape)
        at += values.nbytes
        return values

    while at < len(data):
        native, n, p, h, w, height, width, has_sums = map(int, take("<i4", 8))
        boxes, coefficients, prototypes = take("<f4", n, 4), take("<f4", n, p), take("<f4", p, h, w)
        sums = take("<f4", n, height, width) if has_sums else None
        bits = take("u1", n, height, (width + 7) // 8)
        yield (native, boxes, coefficients, prototypes, sums,
               np.unpackbits(bits, axis=-1, count=width).astype(bool), take("<f4", n, 4), take("<i4", n))


def test_prototype_masks_are_ultralytics():
    seen = []
    for native, boxes, coefficients, prototypes, sums, masks, tight, areas in read_mask_values():
        seen.append((native, sums is not None))
        make = ops.prototype_masks_native if native else ops.prototype_masks
        size = masks.shape[1:]
        made = make(prototypes, coefficients, boxes, size)
        assert made.dtype == bool and np.array_equal(made, masks)
        assert np.array_equal(make(prototypes, coefficients, boxes, size, dtype=np.uint8), masks)
        if sums is not None:  # PyTorch adds the products in another order
            assert np.abs(make(prototypes, coefficients, boxes, size, dtype=np.float32) - sums).max() < 2e-6
        assert np.array_equal(ops.masks_to_boxes(masks), tight)
        assert np.array_equal(ops.mask_areas(masks), areas)
        assert make(prototypes, coefficients[:0], boxes[:0], size).shape == (0, *size)
    assert sorted(seen) == [(0, False), (0, True), (1, False), (1, True)]


def twin_resize(values, height, width):
    """[h, w] resized, bilinear, align_corners=False, in doubles."""
    def axis(cells, pixels):
        at = np.maximum((np.arange(pixels) + 0.5) * (cells / pixels) - 0.5, 0)
        cell = at.astype(int)
        return cell, np.minimum(cell + 1, cells - 1), at - cell
    top, bottom, down = axis(values.shape[0], height)
    left, right, along = axis(values.shape[1], width)
    above = values[top][:, left] * (1 - along) + values[top][:, right] * along
    below = values[bottom][:, left] * (1 - along) + values[bottom][:, right] * along
    return above * (1 - down)[:, None] + below * down[:, None]


def twin_crop(values, box):
    y, x = np.mgrid[:values.shape[0], :values.shape[1]]
    return np.where((x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3]), values, 0)


@pytest.mark.parametrize("seed", range(20))
def test_prototype_masks_are_the_formula(seed):
    random = np.random.RandomState(seed)
    n, p, h, w = random.randint(0, 5), *random.randint(1, 12, 3)
    height, width = (int(side) for side in random.randint(1, 50, 2) + (h, w))
    prototypes = random.uniform(-1, 1, (p, h, w)).astype(np.float32)
    coefficients = random.uniform(-1, 1, (n, p)).astype(np.float32)
    boxes = random.uniform(-5, 60, (n, 4)).astype(np.float32)
    ratios = np.array([w / width, h / height] * 2, np.float32)
    made = ops.prototype_masks(prototypes, coefficients, boxes, (height, width), dtype="float32")
    for each, row, box in zip(made, coefficients, boxes):
        sums = np.tensordot(row.astype(np.float64), prototypes.astype(np.float64), 1)
        expected = twin_resize(twin_crop(sums, box * ratios), height, width)
        assert np.abs(each - expected).max() < 5e-6  # sums of up to 11 products of up to 1, in float32
    assert np.array_equal(ops.prototype_masks(prototypes, coefficients, boxes, (height, width)), made > 0)


@pytest.mark.parametrize("seed", range(20))
def test_boxes_and_areas_of_masks(seed):
    random = np.random.RandomState(seed)
    n, height, width = random.randint(0, 5), *random.randint(1, 70, 2)
    masks = random.random_sample((n, height, width)) < random.choice([0, 0.001, 0.05, 1])
    boxes = np.zeros((n, 4), np.float32)
    for box, mask in zip(boxes, masks):
        y, x = np.nonzero(mask)
        if len(x):
            box[:] = x.min(), y.min(), x.max(), y.max()
    scaled = masks * random.choice([1, 7, 255])
    for given in (masks, scaled.astype(np.uint8), scaled.astype(np.float32), masks[:, None],
                  np.asfortranarray(masks), masks[:, ::-1][:, ::-1]):
        made, areas = ops.masks_to_boxes(given), ops.mask_areas(given)
        assert made.dtype == np.float32 and np.array_equal(made, boxes)
        assert areas.dtype == np.int64 and np.array_equal(areas, masks.sum((1, 2)))


def test_threads_share_masks():
    random = np.random.RandomState(3)
    masks, boxes = random.random_sample((6, 28, 28)).astype(np.float32), random_boxes(random, 6, (200, 300))
    expected = ops.paste_masks(masks, boxes, (200, 300))
    wrong = []

    def work():
        for _ in range(5):
            if not np.array_equal(ops.paste_masks(masks, boxes, (200, 300)), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong


REGIONS, BOXES = np.zeros((2, 3, 3), np.float32), np.zeros((2, 4), np.float32)
READ_ONLY = np.zeros((2, 5, 6), np.float32)
READ_ONLY.flags.writeable = False
MISALIGNED = np.zeros(2 * 5 * 6 * 4 + 1, np.uint8)[1:].view(np.float32).reshape(2, 5, 6)
OVERLAP = np.zeros(2 * 5 * 6, np.float32)


@pytest.mark.parametrize("call, error, text", (
    (lambda: ops.paste_masks([[1.0]], BOXES, (5, 6)), TypeError, "masks is of type list"),
    (lambda: ops.paste_masks(REGIONS.astype("f8"), BOXES, (5, 6)), TypeError,
     "masks is float64 [2, 3, 3]; expected float32"),
    (lambda: ops.paste_masks(REGIONS[0], BOXES, (5, 6)), ValueError,
     "masks is float32 [3, 3]; expected masks of one size, [n, H, W] or [n, 1, H, W]"),
    (lambda: ops.paste_masks(np.zeros((2, 2, 3, 3), "f"), BOXES, (5, 6)), ValueError, "expected masks of one size"),
    (lambda: ops.paste_masks(np.zeros((2, 0, 3), "f"), BOXES, (5, 6)), ValueError,
     "masks is float32 [2, 0, 3]; expected masks of 1 pixel or more"),
    (lambda: ops.paste_masks(REGIONS, BOXES[:1], (5, 6)), ValueError, "boxes has 1 rows, but there are 2 masks"),
    (lambda: ops.paste_masks(REGIONS, BOXES[:, :3], (5, 6)), ValueError, "boxes has the shape [2, 3]; expected [n, 4]"),
    (lambda: ops.paste_masks(REGIONS, BOXES.astype(int), (5, 6)), TypeError, "boxes is int64 [2, 4]; expected float32"),
    (lambda: ops.paste_masks(REGIONS, BOXES, 5), TypeError, "image_size is 5; expected (height, width)"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5.0, 6)), TypeError, "image_size is (5.0, 6); expected (height, width)"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 0)), ValueError, "image_size is (5, 0); expected a height and"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (-5, 6)), ValueError, "image_size is (-5, 6)"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), threshold=0), ValueError, "threshold is 0; expected a number"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), threshold=float("nan")), ValueError, "threshold is nan"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), dtype="int32"), ValueError, "dtype is int32; expected float32"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), threshold=0.5, dtype="float32"), ValueError, "or no threshold"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), dtype=bool, out=np.zeros((2, 5, 6), bool)), ValueError,
     "out has a type of its own"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), out=np.zeros((2, 1, 5, 6), "f")), ValueError,
     "out is float32 [2, 1, 5, 6]; expected [2, 5, 6]"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), out=np.zeros((2, 6, 5), "f")), ValueError, "expected [2, 5, 6]"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), out=np.zeros((2, 5, 12), "f")[:, :, ::2]), ValueError,
     "expected row-major order"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), out=MISALIGNED), ValueError, "not aligned"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), out=memoryview(np.zeros((2, 5, 6), "f"))), TypeError,
     "out is of type memoryview; expected a NumPy array or a tensor"),
    (lambda: ops.paste_masks_in_image([[0.5]], BOXES, (5, 6)), TypeError, "masks is of type list"),
    (lambda: ops.paste_masks(REGIONS, BOXES, (5, 6), out=READ_ONLY), ValueError, "out cannot be written"),
    (lambda: ops.paste_masks(OVERLAP[:18].reshape(2, 3, 3), BOXES, (5, 6), out=OVERLAP.reshape(2, 5, 6)), ValueError,
     "overlap"),
    (lambda: ops.paste_masks_in_image(REGIONS, BOXES, (5, 6)), ValueError, "expected [n, 1, h, w]"),
    (lambda: ops.paste_masks_in_image(REGIONS[:, None], BOXES, (5, 6), padding=2), ValueError,
     "padding is 2; expected 1"),
    (lambda: ops.masks_to_boxes(REGIONS.astype(int)), TypeError, "expected bool or uint8 or float32"),
    (lambda: ops.mask_areas(REGIONS[0, 0]), ValueError, "expected masks of one size"),
    (lambda: ops.prototype_masks(REGIONS, BOXES, BOXES, (5, 6)), ValueError,
     "coefficients has the shape [2, 4]; expected [n, P]"),
    (lambda: ops.prototype_masks(REGIONS, BOXES[:, :2], BOXES[:1], (5, 6)), ValueError,
     "boxes has 1 rows, but there are 2 rows of coefficients"),
    (lambda: ops.prototype_masks(REGIONS[0], BOXES[:, :2], BOXES, (5, 6)), ValueError, "expected [P, h, w]"),
))
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)


def test_no_masks():
    for shape in ((0, 28, 28), (0, 0, 0), (0, 1, 28, 28)):
        masks, boxes = np.zeros(shape, np.float32), np.zeros((0, 4), np.float32)
        full = ops.paste_masks(masks, boxes, (5, 6))
        assert full.shape == (0, *shape[1:-2], 5, 6) and full.dtype == np.float32
        assert ops.paste_masks(masks, boxes, (5, 6), out=full) is full
        assert ops.paste_masks(masks, boxes, (5, 6), threshold=0.5).dtype == bool
        assert ops.masks_to_boxes(masks).shape == (0, 4) and ops.mask_areas(masks).shape == (0,)


def test_more_masks_than_memory():
    with pytest.raises((MemoryError, ValueError)):
        ops.paste_masks(REGIONS, BOXES, (2**31 - 1, 2**31 - 1))
