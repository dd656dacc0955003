# SPDX-License-Identifier: Apache-2.0
"""Padding from Python, beside a plain loop in NumPy: equal bytes."""

import threading

import numpy as np
import pytest

import padbatch

TYPES = [np.float32, np.float16, np.float64, np.int64, np.int32, np.uint8, np.bool_, np.complex128, np.dtype(">f4")]
ROWS = [(), (1,), (4,), (17, 3), (1, 5, 6), (0,), (2, 0, 3)]


def plain_pad(lists, capacity=None, pad_values=None, keep=None):
    """`keep(i)` are the rows that an image keeps, in order."""
    kept = {name: [x if keep is None else x[keep(i)] for i, x in enumerate(images)] for name, images in lists.items()}
    counts = [len(x) for x in next(iter(kept.values()))]
    m = max(counts) if capacity is None else capacity
    made = {}
    for name, images in kept.items():
        made[name] = np.full((len(images), m, *images[0].shape[1:]), (pad_values or {}).get(name, 0), images[0].dtype)
        for i, x in enumerate(images):
            made[name][i, : len(x)] = x
    return np.array(counts, np.int32), made


def check(found, expected):
    counts, fields = expected
    assert found.counts.dtype == np.int32 and np.array_equal(found.counts, counts)
    assert list(found.fields) == list(fields)
    for name, values in fields.items():
        got = found[name]
        assert got is getattr(found, name) and got.dtype == values.dtype and got.shape == values.shape
        assert got.tobytes() == values.tobytes() and got.flags.writeable and got.flags.c_contiguous
    assert found.capacity == next(iter(fields.values())).shape[1]


def random_rows(random, n, row, dtype):
    values = random.integers(0, 2, (n, *row)) if dtype == np.bool_ else random.integers(0, 100, (n, *row))
    values = values.astype(dtype)
    form = random.integers(6)
    if form == 1:  # columns of wider rows
        wide = np.zeros((n, *row, 3), dtype)
        wide[..., 1] = values
        return wide[..., 1]
    if form == 2:  # some of the rows
        many = np.zeros((2 * n + 1, *row), dtype)
        many[1::2] = values
        return many[1::2]
    if form == 3:
        return np.asfortranarray(values)
    if form == 4:  # backwards
        return values[::-1].copy()[::-1]
    if form == 5:  # not aligned to its elements
        memory = np.zeros(values.nbytes + 1, np.uint8)
        memory[1:] = np.frombuffer(values.tobytes(), np.uint8)
        return memory[1:].view(values.dtype).reshape(values.shape) if values.size else values
    return values


def random_lists(seed):
    random = np.random.default_rng(seed)
    batch = int(random.integers(1, 8))
    counts = random.integers(0, 9, batch)
    lists = {}
    for f in range(int(random.integers(1, 4))):
        dtype = np.dtype(TYPES[random.integers(len(TYPES))])
        row = ROWS[random.integers(len(ROWS))]
        lists[f"field{f}"] = [random_rows(random, int(n), row, dtype) for n in counts]
    return random, lists, counts


@pytest.mark.parametrize("seed", range(80))
def test_lists(seed):
    random, lists, counts = random_lists(seed)
    capacity = None if random.integers(2) else int(max(counts) + random.integers(3))
    pad_values = {name: 1 for name in lists if random.integers(2)}
    check(
        padbatch.pad(capacity=capacity, pad_values=pad_values or None, **lists), plain_pad(lists, capacity, pad_values)
    )


@pytest.mark.parametrize("seed", range(20))
def test_truncate(seed):
    _, lists, _ = random_lists(seed)
    check(padbatch.pad(capacity=2, overflow="truncate", **lists), plain_pad(lists, 2, keep=lambda i: slice(2)))


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_top_scores(seed, dtype):
    random, lists, counts = random_lists(seed)
    lists["scores"] = [random.integers(0, 5, n).astype(dtype) / 4 for n in counts]  # many are equal
    for scores in lists["scores"]:
        scores[random.random(len(scores)) < 0.1] = np.nan

    def best(i):
        scores = lists["scores"][i]
        order = np.argsort(-np.nan_to_num(scores.astype(np.float64), nan=-1), kind="stable")
        return np.sort(order[:3])

    check(padbatch.pad(capacity=3, overflow="top_scores", **lists), plain_pad(lists, 3, keep=best))


def test_top_scores_with_columns_and_batch_index():
    random = np.random.default_rng(3)
    ids = random.integers(0, 3, 50)
    rows = np.column_stack([ids, random.integers(0, 100, (50, 5)), random.permutation(50)]).astype(np.float32)
    found = padbatch.pad(
        rows=rows,
        columns=("batch", "x1", "y1", "x2", "y2", "label", "score"),
        batch_size=3,
        capacity=5,
        overflow="top_scores",
    )
    for i, image in enumerate(found):
        mine = rows[ids == i]
        mine = mine[np.sort(np.argsort(-mine[:, 6])[:5])]
        assert np.array_equal(image.boxes, mine[:, 1:5]) and np.array_equal(image.scores, mine[:, 6])


@pytest.mark.parametrize("seed", range(40))
def test_offsets_and_batch_index(seed):
    random, lists, counts = random_lists(seed)
    expected = plain_pad(lists)
    values = {name: np.concatenate(images, dtype=images[0].dtype) for name, images in lists.items()}
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype([np.int32, np.int64][seed % 2])
    check(padbatch.pad(offsets=offsets, **values), expected)
    check(padbatch.pad(offsets=offsets.tolist(), **values), expected)

    ids = np.repeat(np.arange(len(counts)), counts)
    order = random.permutation(len(ids))
    back = np.argsort(ids[order], kind="stable")
    mixed = {name: x[order] for name, x in values.items()}
    sorted_again = {name: np.split(x[back], offsets[1:-1]) for name, x in mixed.items()}
    ids = ids[order].astype([np.int32, np.int64, np.float32][seed % 3])
    ids = ids[:, None] if seed % 5 == 0 else ids
    check(padbatch.pad(batch_index=ids, batch_size=len(counts), **mixed), plain_pad(sorted_again))


def test_columns():
    rows = np.array([[1, 10, 20, 30, 40, 7, 0.5], [0, 1, 2, 3, 4, 8, 0.25], [1, 5, 6, 7, 8, 9, 0.125]], np.float32)
    names = ("batch", "x1", "y1", "x2", "y2", "label", "score")
    found = padbatch.pad(rows=rows, columns=names, batch_size=3)
    assert found.counts.tolist() == [1, 2, 0] and found.labels.dtype == np.int64
    assert found[1].boxes.tolist() == [[10, 20, 30, 40], [5, 6, 7, 8]] and found[1].labels.tolist() == [7, 9]
    assert found[0].scores.tolist() == [0.25] and len(found[2]) == 0

    ragged = padbatch.pad(rows=rows[:, 1:], columns=names[1:], offsets=[0, 2, 3])
    assert ragged[0].boxes.tolist() == [[10, 20, 30, 40], [1, 2, 3, 4]] and ragged[1].labels.tolist() == [9]
    images = padbatch.pad(rows=[rows[:2, 1:], rows[:0, 1:], rows[2:, 1:]], columns=names[1:])
    assert images.counts.tolist() == [2, 0, 1] and images[2].scores.tolist() == [0.125]

    other = ("score", "cx", "cy", "h", "w")  # not side by side in this order
    centers = padbatch.pad(rows=np.array([[0.5, 10, 20, 6, 4]], np.float32), columns=other, offsets=[0, 1])
    assert centers[0].boxes.tolist() == [[8, 17, 12, 23]] and list(centers.fields) == ["boxes", "scores"]
    assert centers.boxes.dtype == np.float32


def test_large_outputs_are_zero_behind_the_rows():
    random = np.random.default_rng(5)
    masks = [random.integers(0, 256, (n, 1, 100, 90)).astype(np.uint8) for n in (3, 0, 40)]
    check(padbatch.pad(capacity=60, masks=masks), plain_pad({"masks": masks}, 60))
    check(
        padbatch.pad(capacity=60, masks=masks, pad_values={"masks": 3}), plain_pad({"masks": masks}, 60, {"masks": 3})
    )


def test_round_trip_and_read_only_images():
    lists = {"boxes": [np.ones((2, 4), np.float32), np.zeros((0, 4), np.float32)]}
    batch = padbatch.pad(**lists, capacity=3)
    assert [image.boxes.tolist() for image in batch] == [x.tolist() for x in lists["boxes"]]
    assert not batch[0].boxes.flags.writeable and np.shares_memory(batch[0].boxes, batch.boxes)
    assert batch.counts.shape == (2,)


@pytest.mark.parametrize("dtype, value, error", [
    (np.float32, None, TypeError), (np.float32, "1", TypeError), (np.int32, [1], TypeError),
    (np.float32, 1e300, ValueError), (np.float16, 70000, ValueError), (np.float32, 1j, ValueError),
    (np.int32, np.nan, ValueError), (np.uint8, 256, ValueError), (np.bool_, 2, ValueError),
])  # fmt: skip
def test_pad_values_that_do_not_fit(dtype, value, error):
    with pytest.raises(error, match="the pad value .*expected (a number|one that does)"):
        padbatch.pad(scores=[np.zeros(1, dtype)], capacity=2, pad_values={"scores": value})


def test_pad_values_are_rounded():
    for dtype, value in ((np.float32, 0.1), (np.float16, np.inf), (np.complex64, 0.1j), (np.float32, 2**24 + 1)):
        found = padbatch.pad(scores=[np.zeros(1, dtype)], capacity=2, pad_values={"scores": value}).scores
        assert found[0, 1] == np.array(value).astype(dtype)


def test_pad_values_are_bytes_of_the_type():
    scores = [np.array([0.5], np.float32), np.zeros(0, np.float32)]
    found = padbatch.pad(scores=scores, pad_values={"scores": -0.0}).scores
    assert np.signbit(found[1, 0]) and np.isnan(padbatch.pad(scores=scores, pad_values={"scores": np.nan}).scores[1, 0])


def test_threads():
    random = np.random.default_rng(9)
    lists = {"boxes": [random.random((n, 4), np.float32) for n in random.integers(0, 50, 64)]}
    expected = plain_pad(lists)
    wrong = []

    def work():
        for _ in range(20):
            found = padbatch.pad(**lists)
            if found.boxes.tobytes() != expected[1]["boxes"].tobytes():
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def f32(*shape):
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        ({}, TypeError, "pad.. got no fields"),
        ({"boxes": []}, ValueError, "boxes has no images"),
        ({"boxes": f32(2, 3, 4)}, TypeError, r"boxes is an array \[2, 3, 4\]; expected a list"),
        ({"boxes": "abc"}, TypeError, "boxes is a str; expected a list"),
        ({"boxes": [[1, 2, 3, 4]]}, TypeError, "boxes of image 0 is a list; expected a NumPy array"),
        ({"boxes": [f32(2, 4)], "scores": [f32(2), f32(1)]}, ValueError, "scores has 2 images, but boxes has 1"),
        (
            {"boxes": [f32(2, 4), f32(1, 4)], "scores": [f32(2), f32(2)]},
            ValueError,
            "image 1 has 2 rows of scores, but 1 of boxes",
        ),
        ({"boxes": [f32(2, 4), f32(0)]}, ValueError, r"boxes of image 1 has the shape \[0\]; expected \[n, 4\]"),
        (
            {"masks": [f32(1, 2, 3), f32(1, 3, 2)]},
            ValueError,
            r"masks of image 1 has the shape \[1, 3, 2\]; expected \[n, 2, 3\]",
        ),
        ({"scores": [f32(2), np.zeros(2)]}, ValueError, "scores of image 1 is float64, but of image 0 it is float32"),
        ({"scores": [np.float32(1)]}, TypeError, "scores of image 0 is a float32"),
        ({"scores": [f32()]}, ValueError, "scores of image 0 is a single number"),
        ({"scores": [np.array([None])]}, TypeError, "scores has elements of type object"),
        (
            {"scores": [f32(1), f32(5)], "capacity": 4},
            ValueError,
            "image 1 has 5 rows, and the capacity is 4: make it larger, or say which rows to keep with overflow=",
        ),
        ({"scores": [f32(1)], "capacity": -1}, ValueError, "capacity is -1"),
        ({"scores": [f32(1)], "overflow": "drop"}, ValueError, "overflow is 'drop'; expected 'error', 'truncate'"),
        ({"boxes": [f32(1, 4)], "overflow": "top_scores", "capacity": 1}, ValueError, "no field 'scores'"),
        (
            {"scores": [np.zeros(3, np.int32)], "overflow": "top_scores", "capacity": 1},
            ValueError,
            "the scores are int32",
        ),
        ({"scores": [f32(1)], "pad_values": {"score": 1}}, ValueError, "pad_values names 'score'.*fields are scores"),
        (
            {"labels": [np.zeros(1, np.uint8)], "pad_values": {"labels": -1}},
            ValueError,
            "pad value -1 of labels does not fit",
        ),
        (
            {"labels": [np.zeros(1, np.int64)], "pad_values": {"labels": 0.5}},
            ValueError,
            "pad value 0.5 of labels does not",
        ),
        ({"scores": f32(3), "offsets": [0, 2]}, ValueError, "scores has 3 rows; expected 2, the last offset"),
        ({"scores": f32(3), "offsets": [0, 2, 1, 3]}, ValueError, "offsets decrease from 2 to 1 at image 1"),
        ({"scores": f32(3), "offsets": [1, 3]}, ValueError, r"offsets is \[1, 3\]; expected .* first of them 0"),
        ({"scores": f32(3), "offsets": []}, ValueError, "offsets is"),
        ({"scores": f32(3), "offsets": [0, 3], "batch_size": 1}, ValueError, "offsets are given together"),
        ({"scores": f32(3), "batch_index": [0, 0, 1]}, ValueError, "batch_size is missing"),
        (
            {"scores": f32(3), "batch_index": [0, 0, 2], "batch_size": 2},
            ValueError,
            "the batch index of row 2 is 2; expected a whole number from 0 to 1",
        ),
        ({"scores": f32(3), "batch_index": [0, -1, 1], "batch_size": 2}, ValueError, "the batch index of row 1 is -1"),
        ({"scores": f32(3), "batch_index": [0, 0.5, 1], "batch_size": 2}, ValueError, "batch_index has 0.5 at .1."),
        (
            {"scores": f32(3), "batch_index": [0, 1], "batch_size": 2},
            ValueError,
            "scores has 3 rows; expected 2, one for",
        ),
        ({"scores": [f32(3)], "batch_size": 2}, ValueError, "batch_size says how many"),
        ({"rows": f32(3, 7)}, ValueError, "rows= and columns= together"),
        (
            {"rows": f32(3, 6), "columns": ("x1", "y1", "x2", "y2", "score"), "offsets": [0, 3]},
            ValueError,
            r"rows has the shape \[3, 6\]; expected \[n, 5\]",
        ),
        (
            {"rows": f32(3, 5), "columns": ("x1", "y1", "x2", "y2", "class"), "offsets": [0, 3]},
            ValueError,
            "columns is",
        ),
        ({"rows": f32(3, 5), "columns": ("x1", "y1", "x2", "y2", "x1"), "offsets": [0, 3]}, ValueError, "columns is"),
        (
            {"rows": f32(3, 5), "columns": ("x1", "y1", "x2", "y2", "batch"), "offsets": [0, 3]},
            ValueError,
            "the rows have a column batch",
        ),
        (
            {"rows": f32(3, 5) + 0.5, "columns": ("x1", "y1", "x2", "y2", "label"), "offsets": [0, 3]},
            ValueError,
            "the column label has 0.5",
        ),
    ],
)
def test_what_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        padbatch.pad(**arguments)


B = np.ones((2, 4), np.float32)


@pytest.mark.parametrize(
    "given, meant",
    [
        ({"boxes": [B], "capcity": 3}, "capacity"),
        ({"boxes": [B], "capcity": [3]}, "capacity"),
        ({"capacty": np.int64(3), "boxes": [B]}, "capacity"),
        ({"boxes": [B], "pad_value": {"boxes": -1}}, "pad_values"),
        ({"boxes": [B], "overflows": "truncate"}, "overflow"),
        ({"boxes": B, "offset": [0, 2]}, "offsets"),
        ({"boxes": B, "offset": np.array([0, 2])}, "offsets"),
        ({"boxes": B, "offsets": [0, 2], "capcity": 3}, "capacity"),
        ({"boxes": B, "batch_idx": np.array([0, 0]), "batch_size": 1}, "batch_index"),
        ({"boxes": B, "batch_index": [0, 0], "batchsize": 1}, "batch_size"),
        ({"rows": B, "colums": ("x1", "y1", "x2", "y2")}, "columns"),
        ({"row": B, "columns": ("x1", "y1", "x2", "y2")}, "rows"),
    ],
    ids=str,
)
def test_a_misspelt_keyword_is_named(given, meant):
    with pytest.raises(TypeError, match=rf"is no keyword of pad\(\).*did you mean {meant}=\?$"):
        padbatch.pad(**given)


def test_fields_may_have_names_like_keywords():
    batch = padbatch.pad(row=[B], batch_sizes=[B[:, 0]])
    assert batch.row.shape == (1, 2, 4) and batch.batch_sizes.shape == (1, 2)
    with pytest.raises(ValueError, match="image 0 has 1 rows of offset"):  # an error of the field, not of its name
        padbatch.pad(boxes=[B], offset=[B[:1]])
    assert padbatch.pad(boxes=B, offset=B, offsets=[0, 2]).offset.shape == (1, 2, 4)


def test_fields_with_names_of_attributes_are_refused():
    names = {name for kind in (padbatch.Padded, padbatch.Image) for name in dir(kind)}
    assert {"counts", "capacity", "fields", "size", "keys", "count", "index", "region_masks", "to_coco"} <= names
    for name in names - set(padbatch.pad.__kwdefaults__):
        with pytest.raises(ValueError, match=f"a field is named '{name}', as an attribute of padbatch"):
            padbatch.pad(**{name: [B]})
        with pytest.raises(ValueError, match=f"a field is named '{name}'.*give it another name"):
            padbatch.pad(boxes=B, **{name: B}, offsets=[0, 2])
