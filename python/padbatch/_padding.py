# SPDX-License-Identifier: Apache-2.0
"""Ragged detections to padded batches."""

from __future__ import annotations

import difflib
import functools
import math
import numbers
import operator
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from padbatch import _arrays
from padbatch._images import Padded, check_names, whole_numbers
from padbatch._memory import host_array, host_numpy, is_tensor

_OVERFLOW = {"error": 0, "truncate": 1, "top_scores": 2}


def pad(
    *,
    capacity: int | None = None,
    overflow: str = "error",
    pad_values: Mapping[str, float] | None = None,
    offsets: Any = None,
    batch_index: Any = None,
    batch_size: int | None = None,
    rows: Any = None,
    columns: Sequence[str] | None = None,
    **fields: Any,
) -> Padded:
    """Pads detections, image by image, to one array `[B, M, ...]` for each field.

    What the fields are, each by a name of yours, which no attribute of `Padded` or `Image` has:

    - `pad(boxes=[a, b, c], scores=[d, e, f])`: a list with an array for each image, `[n, ...]`; n may be 0, and all
      fields of an image have the same.
    - `pad(boxes=values, scores=..., offsets=[0, 2, 2, 5])`: the rows of all images one after the other; those of image
      i are `values[offsets[i]:offsets[i + 1]]`. The first offset is 0, the last one the number of rows.
    - `pad(boxes=values, scores=..., batch_index=ids, batch_size=B)`: the rows of all images in any order; `ids` `[n]`
      are the image of each, from 0 to B - 1. The rows of an image keep their order.
    - `pad(rows=rows, columns=("batch", "x1", "y1", "x2", "y2", "label", "score"), batch_size=B)`: flat rows `[n, 7]`,
      whose columns are named as for `onnx-pad-outputs --columns`: `x1, y1, x2, y2`, or `cx, cy, w, h`, which becomes
      corners; `label`; `score`; and `batch`, or `offsets=` instead of it. Without both, `rows` is a list with an array
      for each image. The fields are `boxes`, `labels` (int64) and `scores`.

    Arrays are NumPy arrays or CPU tensors. What goes in comes out: element types stay, bytes are copied, and a field of
    tensors becomes a tensor. (No gradient passes: a tensor that requires one is refused.)

    `capacity` is M; None stands for the largest count of the batch. An image with more rows is refused, unless
    `overflow` is "truncate", which keeps its first M, or "top_scores", which keeps the M best by the field `scores`
    (float16, float32 or float64) in their order; of equal scores the earlier one wins, and NaN is the lowest.
    `pad_values={"labels": -1}` says what the padding of a field is; it is zero otherwise.

    Returns a `Padded`: `.counts` int32 `[B]`, and the fields, new arrays. Each row is read once, and each byte written
    once.

    Raises ValueError, with the field and the image, if numbers of images or rows differ, if rows of one field have
    several shapes or types, if an image has too many rows, or if a field has the name of an attribute of `Padded` or
    `Image`, such as `counts` or `size`; TypeError for what is no array, and for a keyword that is misspelt.
    """
    try:
        return _pad(capacity, overflow, pad_values, offsets, batch_index, batch_size, rows, columns, fields)
    except (TypeError, ValueError) as error:
        _check_keywords(fields, offsets is None and batch_index is None, error)
        raise


def _pad(
    capacity: int | None,
    overflow: str,
    pad_values: Mapping[str, float] | None,
    offsets: Any,
    batch_index: Any,
    batch_size: int | None,
    rows: Any,
    columns: Sequence[str] | None,
    fields: Mapping[str, Any],
) -> Padded:
    """`pad`, with the fields as one dict."""
    if overflow not in _OVERFLOW:
        raise ValueError(f"overflow is {overflow!r}; expected 'error', 'truncate' or 'top_scores'")
    if capacity is None:
        m = -1
    else:
        m = capacity.__index__()
        if not 0 <= m < 2**31:
            raise ValueError(f"capacity is {capacity}; expected 0 to {2**31 - 1}, or None for the largest count")
    if rows is not None or columns is not None:
        fields, batch_index = _split_columns(rows, columns, fields, offsets, batch_index)
    elif not fields:
        raise TypeError("pad() got no fields; expected some by name: pad(boxes=[a, b], scores=[c, d])")
    check_names(fields)
    names = tuple(fields)
    values = tuple(fields.values())
    if offsets is None and batch_index is None:
        if batch_size is not None:
            raise ValueError("batch_size says how many images a batch_index has; a list has as many as it is long")
        call: Any = _arrays.pad_lists
        before: tuple[Any, ...] = ()
        for value in values:
            if type(value) is not list:
                values = tuple(_as_list(value, name) for name, value in fields.items())
                break
        if not values[0]:
            raise ValueError(f"{names[0]} has no images, and so neither a type nor a shape; expected one or more")
    else:
        call, before = _flat_call(offsets, batch_index, batch_size)
        values = tuple(host_array(value, name) for name, value in fields.items())
    if pad_values is None:
        fills: tuple[Any, ...] = (None,) * len(names)
    else:
        fills = _fill_bytes(pad_values, fields)
    made = call(names, values, *before, m, _OVERFLOW[overflow], fills)
    if made is not None:
        counts, arrays = made
        return Padded(counts, arrays[0].shape[1], dict(zip(names, arrays)))
    return _pad_others(call, names, values, before, m, _OVERFLOW[overflow], fills)


def _check_keywords(fields: Mapping[str, Any], lists: bool, error: Exception) -> None:
    """Says so if an error comes from a keyword of `pad` that is misspelt, which makes it a field."""
    for name, value in fields.items():
        is_field = isinstance(value, Sequence) and any(map(_is_array, value)) if lists else _is_array(value)
        meant = difflib.get_close_matches(name, pad.__kwdefaults__ or (), 1, 0.75)
        if meant and not is_field:
            raise TypeError(
                f"{name} is no keyword of pad(), and {_kind(value)} is no field; expected "
                f"{'a list with an array for each image' if lists else 'an array with the rows of all images'} for a "
                f"field: did you mean {meant[0]}=?"
            ) from error


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) or is_tensor(x) or hasattr(x, "__dlpack_device__")


def _kind(value: Any) -> str:
    return f"an array {list(value.shape)}" if hasattr(value, "shape") else f"a {type(value).__name__}"


def _as_list(value: Any, name: str) -> list[Any]:
    """The images of a field. A single array is none: its first extent may as well be rows."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise TypeError(
            f"{name} is {_kind(value)}; expected a list with an array for each image, or all rows together with "
            "offsets= or batch_index="
        )
    return list(value)


def _flat_call(offsets: Any, batch_index: Any, batch_size: int | None) -> tuple[Any, tuple[Any, ...]]:
    """The native function for rows of all images, and its arguments between values and capacity."""
    if offsets is not None:
        if batch_index is not None or batch_size is not None:
            raise ValueError("offsets are given together with a batch index or batch_size; expected one of them")
        checked = _numbers(offsets, "offsets")
        if len(checked) == 0 or checked[0] != 0:
            raise ValueError(
                f"offsets is {checked[:3].tolist()}{'...' if len(checked) > 3 else ''}; expected B + 1 numbers, the "
                "first of them 0"
            )
        falls = np.diff(checked) < 0
        if falls.any():
            i = int(np.argmax(falls))
            raise ValueError(
                f"offsets decrease from {checked[i]} to {checked[i + 1]} at image {i}; expected where each image begins"
            )
        return _arrays.pad_ragged, (checked,)
    if batch_size is None:
        raise ValueError(
            "batch_size is missing: the last images may have no rows, so a batch index does not tell how many there are"
        )
    size = batch_size.__index__()
    if not 0 <= size < 2**31 - 1:
        raise ValueError(f"batch_size is {batch_size}; expected a number of images")
    return _arrays.pad_tagged, (_numbers(batch_index, "batch_index"), size)


def _numbers(values: Any, name: str) -> np.ndarray:
    """Whole numbers `[n]` as int64, contiguous."""
    array = np.asarray(values) if isinstance(values, (list, tuple)) else host_numpy(values, name)
    if array.size == 0 and isinstance(values, (list, tuple)):
        array = array.astype(np.int64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name} has the shape {list(array.shape)}; expected [n]")
    return np.ascontiguousarray(whole_numbers(array, name))


_BOXES: dict[tuple[str, ...], bool] = {("x1", "y1", "x2", "y2"): False, ("cx", "cy", "w", "h"): True}


def _split_columns(
    rows: Any, columns: Any, fields: Mapping[str, Any], offsets: Any, batch_index: Any
) -> tuple[dict[str, Any], Any]:
    """The fields that are columns of flat rows, and the batch index."""
    if rows is None or columns is None or fields:
        raise ValueError(
            "flat rows are given as rows= and columns= together, and without other fields: "
            "pad(rows=rows, columns=('batch', 'x1', 'y1', 'x2', 'y2', 'label', 'score'), batch_size=2)"
        )
    names = list(columns)
    box = next((box for box in _BOXES if set(box) <= set(names)), None)
    known = {"batch", "label", "score", *(box or ())}
    if box is None or len(set(names)) != len(names) or not set(names) <= known:
        raise ValueError(
            f"columns is {tuple(names)}; expected x1, y1, x2, y2 or cx, cy, w, h, and label, score and batch if rows "
            "have them, each once"
        )
    if "batch" in names and (offsets is not None or batch_index is not None):
        raise ValueError(
            "the rows have a column batch; offsets= or batch_index= would say the same again: leave it out"
        )
    if "batch" not in names and offsets is None and batch_index is None:
        images = _as_list(rows, "rows")
        split = [_fields_of(host_numpy(image, f"rows of image {i}"), names, box) for i, image in enumerate(images)]
        kinds = split[0] if split else {"boxes": None}
        return {kind: [fields[kind] for fields in split] for kind in kinds}, None
    array = host_numpy(rows, "rows")
    made = _fields_of(array, names, box)
    return made, array[:, names.index("batch")] if "batch" in names else batch_index


def _fields_of(array: np.ndarray, names: list[str], box: tuple[str, ...]) -> dict[str, Any]:
    """Views of the columns of `[n, k]` rows; labels as int64, and centers as corners."""
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ValueError(
            f"rows has the shape {list(array.shape)}; expected [n, {len(names)}], as many as columns= names"
        )
    places = [names.index(name) for name in box]
    first = places[0]
    adjacent = places == list(range(first, first + 4))
    boxes = array[:, first : first + 4] if adjacent else array[:, places]
    if _BOXES[box]:
        half = boxes[:, 2:] / 2
        boxes = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
    made: dict[str, Any] = {"boxes": boxes}
    if "label" in names:
        made["labels"] = whole_numbers(array[:, names.index("label")], "the column label")
    if "score" in names:
        made["scores"] = array[:, names.index("score")]
    return made


_UNFIT = "the pad value {} of {} does not fit its type; expected one that does"


def _fill_bytes(pad_values: Mapping[str, float], fields: Mapping[str, Any]) -> tuple[bytes | None, ...]:
    """The bytes of one element of padding for each field."""
    for name in pad_values:
        if name not in fields:
            raise ValueError(f"pad_values names {name!r}, which is no field; the fields are {', '.join(fields)}")
    fills: list[bytes | None] = []
    for name, value in fields.items():
        if name not in pad_values:
            fills.append(None)
            continue
        first = value[0] if isinstance(value, (list, tuple)) else value
        fill = pad_values[name]
        if is_tensor(first):
            whole = not first.dtype.is_floating_point
            try:
                made = sys.modules["torch"].full((1,), fill, dtype=first.dtype)
            except (RuntimeError, TypeError) as error:
                raise ValueError(_UNFIT.format(fill, name)) from error
            back = made.item()
            fills.append(_bits(made).tobytes())
        else:
            dtype = host_array(first, name).dtype
            whole = dtype.kind != "f" and dtype.kind != "c"
            if dtype.kind in "biufc" and not isinstance(fill, (numbers.Number, np.bool_)):
                raise TypeError(f"the pad value of {name} is {fill!r}; expected a number")
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of imaginary parts, which are compared below
                made = np.array(fill).astype(dtype)
            back = made.item()
            fills.append(made.tobytes())
        # A float may be rounded; it may not become infinite, or lose an imaginary part.
        fits = not whole and (
            isinstance(back, complex) or isinstance(fill, numbers.Real) and math.isinf(back) == math.isinf(fill)
        )
        if back != fill and not fits:
            raise ValueError(_UNFIT.format(fill, name))
    return tuple(fills)


def _bits(tensor: Any) -> np.ndarray:
    """A tensor's memory as a NumPy array; of integers as wide, for types that NumPy lacks."""
    torch = sys.modules["torch"]
    if tensor.numel() and not tensor.is_quantized and tensor.data_ptr() == 0:
        raise TypeError(f"a tensor {list(tensor.shape)} has no memory; expected one with numbers in host memory")
    tensor = tensor.resolve_conj().resolve_neg()  # views whose numbers are meant otherwise than they are stored
    made: np.ndarray = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return made


def _plain(values: list[Any], name: str) -> tuple[list[np.ndarray], Any]:
    """Arrays of one kind as NumPy arrays whose rows are blocks; and the tensors' type, or None."""
    tensors = [is_tensor(x) for x in values]
    if any(tensors) and not all(tensors):
        i = tensors.index(not tensors[0])
        raise TypeError(
            f"{name} of image {i} is a {type(values[i]).__name__}, but of image 0 it is a {type(values[0]).__name__}; "
            "expected arrays or tensors, not both"
        )
    if not all(tensors):
        arrays = [host_array(x, f"{name} of image {i}") for i, x in enumerate(values)]
        return [np.ascontiguousarray(x) if x.ndim else x for x in arrays], None
    for i, tensor in enumerate(values):
        host_array(tensor, f"{name} of image {i}")
        if tensor.requires_grad:
            raise ValueError(
                f"{name} of image {i} is a tensor that requires a gradient, which would be lost: give .detach()"
            )
        if tensor.dtype != values[0].dtype:
            raise ValueError(
                f"{name} of image {i} is {tensor.dtype}, but of image 0 it is {values[0].dtype}: give all images one "
                "element type, as .to does"
            )
    return [_bits(tensor.contiguous()) for tensor in values], values[0].dtype


@functools.lru_cache(maxsize=None)
def _numpy_type(dtype: Any) -> np.dtype:
    """The type that `_bits` gives a tensor of this one."""
    return _bits(sys.modules["torch"].empty(0, dtype=dtype)).dtype


_KIND = operator.attrgetter("dtype", "requires_grad", "is_cpu")


def _read_tensors(images: list[Any]) -> tuple[Any, ...] | None:
    """Addresses and shapes of plain contiguous tensors, all at once; None if some are to be looked at one by one.

    PyTorch takes as long to make an array of one tensor as the rest of the padding takes for it."""
    torch = sys.modules.get("torch")
    if torch is None or set(map(type, images)) != {torch.Tensor}:
        return None
    tensor, dtype = torch.Tensor, images[0].dtype
    try:
        if (
            dtype.is_complex
            or set(map(_KIND, images)) != {(dtype, False, True)}
            or not all(map(tensor.is_contiguous, images))
            or any(map(tensor.is_neg, images))  # of a view whose numbers are meant with the other sign
        ):
            return None
        shapes = list(map(tensor.size, images))
        like = np.empty((0, *shapes[0][1:]), _numpy_type(dtype))
        return like, list(map(tensor.data_ptr, images)), shapes, tuple(images)
    except (RuntimeError, TypeError):  # no memory of its own, no type of NumPy's
        return None


def _pad_others(
    call: Any, names: tuple[str, ...], values: tuple[Any, ...], before: tuple[Any, ...], *after: Any
) -> Padded:
    """What the native function does not read as it is: tensors, and rows that are not in one place."""
    lists = isinstance(values[0], list)
    if lists:
        read = [_read_tensors(images) for images in values]
        if None not in read:
            made = _arrays.pad_addresses(names, tuple(read), *after)
            if made is not None:
                return _as_tensors(names, made[0], made[1], [images[0].dtype for images in values])
    plain = [_plain(x if lists else [x], name) for name, x in zip(names, values)]
    counts, arrays = call(names, tuple(x if lists else x[0] for x, _ in plain), *before, *after)
    return _as_tensors(names, counts, arrays, [dtype for _, dtype in plain])


def _as_tensors(names: tuple[str, ...], counts: Any, arrays: list[Any], dtypes: list[Any]) -> Padded:
    """The batch, with tensors of the same memory for the fields that came as tensors of these types."""
    capacity = arrays[0].shape[1]
    for k, dtype in enumerate(dtypes):
        if dtype is not None:
            torch = sys.modules["torch"]
            made = torch.from_numpy(arrays[k])
            arrays[k] = made if made.dtype is dtype else made.view(dtype)
            counts = torch.from_numpy(counts) if type(counts) is np.ndarray else counts
    return Padded(counts, capacity, dict(zip(names, arrays)))
