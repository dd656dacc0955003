# SPDX-License-Identifier: Apache-2.0
"""How padbatch.ops takes arrays, and what it returns."""

import ctypes
import gc
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from padbatch import _arrays, ops

BOXES = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [0, 0, 10, 9], [30, 30, 40, 50]], np.float32)
SCORES = np.array([0.5, 0.75, 0.7, 0.1], np.float32)
KEPT = [1, 3]


class Exporter:
    """An array of a library that is not known: it has DLPack and nothing else."""

    def __init__(self, array, device=1):
        self.array = array
        self.device = device

    def __dlpack__(self, **options):
        options.pop("max_version", None)
        if options:
            raise TypeError(options)
        capsule = self.array.__dlpack__()
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype = ctypes.c_void_p
        pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
        ctypes.c_int32.from_address(pointer(capsule, b"dltensor") + 8).value = self.device  # behind the data pointer
        return capsule

    def __dlpack_device__(self):
        return self.device, 0


def unaligned(array):
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def in_record(array):
    """Elements that are a number of bytes apart which is no multiple of their size."""
    records = np.empty(array.shape, np.dtype([("value", array.dtype), ("other", np.uint8)]))
    records["value"] = array
    return records["value"]


LAYOUTS = {
    "contiguous": lambda x: x,
    "columns of more": lambda x: np.concatenate((x, x), -1)[..., :x.shape[-1]],
    "columns first": np.asfortranarray,
    "every second": lambda x: np.repeat(x, 2, 0)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "unaligned": unaligned,
    "in records": in_record,
    "a subclass": lambda x: x.view(type("Mine", (np.ndarray,), {})),
    "a memoryview": memoryview,
    "DLPack alone": Exporter,
}


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    given = LAYOUTS[layout](BOXES)
    assert ops.nms(given, LAYOUTS[layout](SCORES), 0.5).tolist() == KEPT
    assert ops.box_area(given).tolist() == [100, 90, 90, 200]
    shifted = ops.shift_boxes(given, 1, 0)
    assert type(shifted) is np.ndarray and shifted.flags.c_contiguous and shifted.flags.owndata
    np.testing.assert_array_equal(shifted, BOXES + np.float32([1, 0, 1, 0]))
    np.testing.assert_array_equal(np.asarray(given) if layout != "DLPack alone" else given.array, BOXES)


def test_broadcast_and_read_only():
    np.testing.assert_array_equal(ops.box_area(np.broadcast_to(BOXES[0], (3, 4))), [100, 100, 100])
    assert ops.nms(read_only(BOXES), read_only(SCORES), 0.5).tolist() == KEPT
    assert ops.batched_nms(read_only(BOXES), read_only(SCORES), read_only(np.arange(4)), 0.5).tolist() == [1, 2, 0, 3]


def test_more_axes():
    batch = np.stack((BOXES, BOXES + 1, BOXES + 2))
    np.testing.assert_array_equal(ops.clip_boxes_to_image(batch, (9, 8)), batch.clip(0, [8, 9, 8, 9]))
    np.testing.assert_array_equal(ops.clip_boxes_to_image(batch[:, ::-2], (9, 8)), batch[:, ::-2].clip(0, [8, 9, 8, 9]))
    assert ops.scale_boxes(BOXES[0], 2, 3).tolist() == [0, 0, 20, 30]
    assert ops.scale_boxes(np.empty((2, 0, 4), np.float32), 2, 3).shape == (2, 0, 4)
    with pytest.raises(ValueError, match="boxes has 9 axes; expected at most 8: reshape it"):
        ops.scale_boxes(np.zeros((1,) * 8 + (4,), np.float32), 2, 3)


@pytest.mark.parametrize("given, text", [
    ([[0, 0, 1, 1]], "boxes is of type list; expected a NumPy array or a tensor in host memory"),
    (None, "boxes is of type NoneType; expected a NumPy array"),
    (BOXES.astype(np.float64), r"boxes is float64 \[4, 4\]; expected float32: convert it with .astype\(numpy.float32\)"),
    (BOXES.astype(np.float16), "boxes is float16"),
    (BOXES.astype(np.int64), "boxes is int64"),
    (BOXES.astype(">f4"), "boxes has elements of type >f4; expected numbers or bools in the machine's byte order"),
    (BOXES.astype(np.complex64), "boxes has elements of type <c8"),
    (BOXES.astype(str), "boxes has elements of type <U"),
    (BOXES.astype(object), "boxes has elements of type"),
    (BOXES.astype("M8[s]"), "boxes has elements of type <M8"),
    (Exporter(BOXES.astype(np.complex64)), "boxes has elements that are neither real numbers"),
])
def test_types_that_are_refused(given, text):
    with pytest.raises(TypeError, match=text):
        ops.nms(given, SCORES, 0.5)


@pytest.mark.parametrize("device, number", [(2, 2), (10, 10), (8, 8)])
def test_memory_of_a_device(device, number):
    with pytest.raises(ValueError, match=f"boxes is in the memory of a device, number {number} of DLPack; expected host"):
        ops.nms(Exporter(BOXES, device), SCORES, 0.5)
    assert ops.nms(Exporter(BOXES, 3), SCORES, 0.5).tolist() == KEPT  # pinned by CUDA, in host memory


@pytest.mark.parametrize("call, kind, text", [
    (lambda: ops.nms(BOXES[:, :3], SCORES, 0.5), ValueError, r"boxes has the shape \[4, 3\]; expected \[n, 4\]"),
    (lambda: ops.nms(BOXES[None], SCORES, 0.5), ValueError, r"boxes has the shape \[1, 4, 4\]"),
    (lambda: ops.nms(BOXES, SCORES[:, None], 0.5), ValueError, r"scores has the shape \[4, 1\]; expected \[n\]"),
    (lambda: ops.nms(BOXES, np.float32(1), 0.5), ValueError, r"scores has the shape \[\]"),
    (lambda: ops.nms(BOXES, SCORES[:3], 0.5), ValueError, "there are 4 boxes, but 3 scores"),
    (lambda: ops.nms(BOXES, SCORES, "0.5"), TypeError, "iou_threshold is '0.5'; expected a number"),
    (lambda: ops.nms(BOXES, SCORES, None), TypeError, "iou_threshold is None; expected a number"),
    (lambda: ops.nms(BOXES, SCORES, 0.5, at_most=1.5), TypeError, "at_most is 1.5; expected a whole number"),
    (lambda: ops.nms(BOXES, SCORES, 0.5, at_most=-1), ValueError, "at_most is -1; expected 0 or more"),
    (lambda: ops.clip_boxes_to_image(BOXES, 5), TypeError, r"size is 5; expected \(height, width\)"),
    (lambda: ops.clip_boxes_to_image(BOXES, (5, 6, 7)), TypeError, r"size is \(5, 6, 7\)"),
    (lambda: ops.clip_boxes_to_image(BOXES, (5, 6.5)), TypeError, "two whole numbers"),
    (lambda: ops.clip_boxes_to_image(BOXES, (5, -6)), ValueError, "0 or more pixels"),
    (lambda: ops.clip_boxes_to_image(BOXES, (5, 10**30)), ValueError, "expected numbers from 0 to 2147483647"),
    (lambda: ops.clip_boxes_to_image(BOXES[:, 1:], (5, 6)), ValueError, r"\[4, 3\]; expected the shape \[..., 4\]"),
    (lambda: ops.clip_boxes_to_image(np.zeros((), np.float32), (5, 6)), ValueError, r"expected the shape \[..., 4\]"),
    (lambda: ops.scale_boxes(BOXES, 1e39, 1), ValueError, "sx is 1e[+]39; expected a number that float32 can hold"),
    (lambda: ops.scale_boxes(BOXES, float("inf"), 1), ValueError, "expected a finite number"),
])
def test_arguments_that_are_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_scalars_of_other_libraries():
    assert ops.nms(BOXES, SCORES, np.float32(0.5), at_most=np.int64(1)).tolist() == [1]
    assert ops.nms(BOXES, SCORES, np.array(0.5)).tolist() == KEPT
    np.testing.assert_array_equal(ops.clip_boxes_to_image(BOXES, np.array([5, 6])), BOXES.clip(0, [6, 5, 6, 5]))


def test_labels_of_every_integer_type():
    labels = [1, 1, 0, 1]
    for kind in "bBhHiIlLqQ?fd":
        assert ops.batched_nms(BOXES, SCORES, np.array(labels).astype(kind), 0.5).tolist() == [1, 2, 3], kind
    for wrong in (0.5, np.nan, np.inf, 2.0**63):
        with pytest.raises(ValueError, match=r"idxs\[2\] is .*; expected a whole number within int64"):
            ops.batched_nms(BOXES, SCORES, np.array([0, 0, wrong, 0]), 0.5)
    with pytest.raises(ValueError, match=r"idxs\[0\] is 18446744073709551615"):
        ops.batched_nms(BOXES, SCORES, np.full(4, 2**64 - 1, np.uint64), 0.5)
    assert ops.batched_nms(BOXES, SCORES, np.full(4, 2**63 - 1, np.uint64), 0.5, definition="per_class").tolist() == KEPT
    with pytest.raises(TypeError, match="idxs is float16"):
        ops.batched_nms(BOXES, SCORES, np.zeros(4, np.float16), 0.5)


def test_masked_arrays_are_refused():
    """Their masks would be lost."""
    masked = np.ma.array(BOXES, mask=BOXES > 9)
    for call in (
        lambda: ops.box_area(masked),
        lambda: ops.nms(BOXES, np.ma.array(SCORES), 0.5),
        lambda: ops.rle.encode(np.ma.ones((1, 2, 2), bool)),
        lambda: ops.paste_masks(np.ones((4, 8, 8), np.float32), BOXES, (9, 9), out=np.ma.zeros((4, 9, 9), np.float32)),
        lambda: ops.rle.iou(*2 * [ops.rle.encode(np.ones((1, 2, 2), bool))], np.ma.array([1], mask=[True])),
    ):
        with pytest.raises(TypeError, match="is a masked array; expected all elements to count"):
            call()


def test_arrays_that_are_refused_are_not_held():
    """Whose memory had been asked for already."""
    many_axes = np.zeros((1,) * 9 + (4,), np.float32)
    before = sys.getrefcount(many_axes)
    for _ in range(10):
        with pytest.raises(ValueError, match="10 axes; expected at most 8"):
            ops.box_area(many_axes)
    assert sys.getrefcount(many_axes) == before


def test_a_side_whose_index_empties_the_mask():
    class Emptying:
        def __index__(self):
            mask.clear()
            gc.collect()
            return 2

    mask = {"counts": "".join("13"), "size": [Emptying(), 2]}
    assert ops.rle.area(mask) == 3


def test_nothing_is_held():
    class Mine(np.ndarray):
        pass

    for make in (lambda: BOXES.copy().view(Mine), lambda: Exporter(BOXES.copy())):
        boxes = make()
        gone = weakref.ref(boxes)
        before = sys.getrefcount(boxes)
        result = ops.scale_boxes(boxes, 1, 1)
        with pytest.raises(ValueError):
            ops.nms(boxes, SCORES[:1], 0.5)
        assert sys.getrefcount(boxes) == before
        del boxes
        gc.collect()
        assert gone() is None
        np.testing.assert_array_equal(result, BOXES)  # its memory is its own
    lent = bytearray(BOXES.tobytes())
    with memoryview(lent) as view, view.cast("f", (4, 4)) as boxes:
        assert ops.nms(boxes, SCORES, 0.5).tolist() == KEPT
    lent.clear()  # refused while the memory is lent


def test_other_threads_go_on():
    random = np.random.default_rng(1)
    corners = random.uniform(0, 4000, (30000, 2))
    boxes = np.concatenate((corners, corners + 10), 1).astype(np.float32)
    scores = random.uniform(0, 1, 30000).astype(np.float32)
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        for _ in range(20):  # a busy machine may not run the other thread at once
            start = time.perf_counter()
            ops.nms(boxes, scores, 0.5)
            end = time.perf_counter()
            quarter = (end - start) / 4
            if any(start + quarter < at < end - quarter for at in ticks):
                break
        else:
            pytest.fail("no other thread ran while nms did")
    finally:
        done.set()
        thread.join()


def test_threads_do_not_share_memory():
    random = np.random.default_rng(2)
    boxes = [np.concatenate((x, x + 30), 1).astype(np.float32) for x in random.uniform(0, 200, (4, 500, 2))]
    scores = random.uniform(0, 1, (4, 500)).astype(np.float32)
    expected = [ops.nms(boxes[k], scores[k], 0.4).tolist() for k in range(4)]
    wrong = []

    def work(k):
        for _ in range(50):
            if ops.nms(boxes[k], scores[k], 0.4).tolist() != expected[k]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_first_calls_of_several_threads():
    """What is looked up at the first call is looked up by Python's code, during which other threads make theirs."""
    script = """if True:
        import faulthandler, sys, threading
        import numpy as np
        import padbatch
        from padbatch import ops

        faulthandler.dump_traceback_later(20, exit=True)
        sys.setswitchinterval(1e-6)
        box = np.ones((1, 4), np.float32)
        start = threading.Barrier(8)

        def work():
            start.wait()
            ops.box_area(box), padbatch.pad(boxes=[box])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        """
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_what_is_public_is_documented():
    for name in ops.__all__:
        assert getattr(ops, name).__doc__, name
    assert _arrays.__doc__
