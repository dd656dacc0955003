# SPDX-License-Identifier: Apache-2.0
"""The options of the rewrite as keywords, each of its own type, and the command's arguments that say the same. Types
are checked here; what the values mean, the command's own parser checks."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict, Union

import numpy as np

from padbatch._errors import misused

Path: TypeAlias = Union[str, "os.PathLike[str]"]
Int: TypeAlias = Union[int, np.integer]
Float: TypeAlias = Union[float, np.floating, np.integer]
Field: TypeAlias = Literal["boxes", "labels", "scores", "masks", "keypoints", "keypoints_scores", "mask_coefficients"]
Output: TypeAlias = Union[Field, Literal["num_detections"]]
Column: TypeAlias = Literal["batch", "x1", "y1", "x2", "y2", "cx", "cy", "w", "h", "label", "score"]
Choice: TypeAlias = Literal["min_score", "max_detections"]
Layout: TypeAlias = Literal["torchvision", "efficientnms", "yolov7", "mmdeploy", "tf-od", "ultralytics"]
NumberType: TypeAlias = Literal["int32", "int64", "float32"]
Parameter: TypeAlias = str
Expose: TypeAlias = Union[Choice, Iterable[Choice], Mapping[Choice, Union[Float, None]]]
Masks: TypeAlias = Literal["full", "roi", "none"]
MaskType: TypeAlias = Literal["float", "uint8", "bool"]
CountShape: TypeAlias = Literal["B", "Bx1"]
Form: TypeAlias = Literal["auto", "fields", "torchvision", "flat", "nms", "padded", "raw"]
Order: TypeAlias = Literal["image", "field"]
BoxFormat: TypeAlias = Literal["xyxy", "xywh", "cxcywh", "yxyx"]
Head: TypeAlias = Literal["yolo", "yolo-seg", "yolo-pose", "yolo-objectness", "yolo-objectness-seg", "yolo-obb",
                          "boxes-scores", "detr"]
Nms: TypeAlias = Literal["shifted", "class-by-class", "none"]
Scores: TypeAlias = Literal["sigmoid", "softmax", "none"]


class Options(TypedDict, total=False):
    """The keywords of ``pad_outputs`` but those of a repository for a server. None is the same as leaving one out."""

    max_detections: Int | Literal["batch"] | None
    max_det: Int | Literal["batch"] | None
    min_score: Float | None
    conf: Float | None
    classes: Iterable[Int] | None
    exclude_classes: Iterable[Int] | None
    set: Mapping[str, Float] | None
    pad_value: Mapping[Field, Float | bool] | None
    rename: Mapping[Output, str] | None
    expose: Expose | None
    expose_per_image: Choice | Iterable[Choice] | None
    masks: Masks | None
    mask_type: MaskType | None
    mask_threshold: Float | None
    squeeze_masks: bool
    dynamic_batch: bool
    per_image_input: str | Iterable[str] | None
    shared_input: str | Iterable[str] | None
    layout: Layout | None
    to: Layout | None
    count_type: NumberType | None
    count_shape: CountShape | None
    label_type: NumberType | None
    fields: Iterable[Field] | None
    batch: Int | None
    order: Order | None
    from_: Form | None
    columns: Iterable[Column] | None
    batch_index: str | None
    count_output: str | None
    box_format: BoxFormat | None
    normalized: bool
    normalised: bool
    head: Head | None
    iou_threshold: Float | None
    nms: Nms | None
    class_agnostic: bool
    multi_label: bool
    num_classes: Int | None
    keypoints: tuple[Int, Int] | None
    strides: Iterable[Int] | Literal["none"] | None
    scores: Scores | None
    image_size: tuple[Int, Int] | None
    force: bool


def arguments(options: Mapping[str, Any]) -> list[bytes]:
    """The command's arguments for these keywords.

    Raises ``TypeError`` for a value of a wrong type or an unknown keyword, and ``Error`` for a text that cannot be one.
    """
    result = []
    for name, value in options.items():
        reader = _READERS.get(name)
        if reader is None:
            raise TypeError(f"there is no option {name!r}; expected one of {', '.join(_READERS)}; correct the name")
        if value is None:
            continue
        for text in reader(name, value):
            flag = "--" + name.rstrip("_").replace("_", "-")
            result.append(flag.encode() if text is True else flag.encode() + b"=" + text)
    return result


def is_text(value: object) -> bool:
    return isinstance(value, str)


def wrong_type(name: str, value: object, expected: str, example: str) -> TypeError:
    """The error for an argument of a wrong type."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return TypeError(f"{name} is {shown}, of type {type(value).__name__}; expected {expected}; "
                     f"write, for example, {example}")


def encoded(name: str, text: str) -> bytes:
    """A text as the command reads it."""
    if text == "":
        raise misused(f"{name} has an empty text", "a text", "give one, or leave the option out")
    if "\0" in text:
        raise misused(f"{name} has {text!r}, with a character NUL in it", "a text without that", "correct the text")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise misused(f"{name} has {ascii(text)}, which is not Unicode", "a text that UTF-8 can write",
                      "correct the text") from None


def path_bytes(name: str, path: Path) -> bytes:
    """The bytes that the system knows a path by."""
    fspath = os.fspath(path)
    if not isinstance(fspath, str) or fspath == "" or "\0" in fspath:
        if isinstance(fspath, str):
            raise misused(f"{name} is {fspath!r}", "the path of a file or folder", "name one")
        raise wrong_type(name, path, "a path as str or os.PathLike[str]", f'{name}="padded.onnx"')
    return os.fsencode(fspath)


Reader: TypeAlias = "Callable[[str, Any], Iterable[Any]]"


def _flag(name, value):
    if not isinstance(value, (bool, np.bool_)):
        raise wrong_type(name, value, "True or False", f"{name}=True")
    return [True] if value else []


def _is_int(value):
    return not isinstance(value, (bool, np.bool_)) and hasattr(type(value), "__index__")


def _is_float(value):
    return isinstance(value, (float, np.floating)) or _is_int(value)


def _number_text(value):
    """The shortest text that reads back as the same number."""
    return str(operator.index(value)) if _is_int(value) else repr(float(value))


def _int(example, word=None):
    def read(name, value):
        if word is not None and is_text(value):
            return [encoded(name, value)]
        if not _is_int(value):
            raise wrong_type(name, value, "an int" + (f' or "{word}"' if word else ""), f"{name}={example}")
        return [_number_text(value).encode()]
    return read


def _float(example):
    def read(name, value):
        if not _is_float(value):
            raise wrong_type(name, value, "a float", f"{name}={example}")
        return [_number_text(value).encode()]
    return read


def _text(example):
    def read(name, value):
        if not is_text(value):
            raise wrong_type(name, value, "a str", f'{name}="{example}"')
        return [encoded(name, value)]
    return read


def _path(name, value):
    if not isinstance(value, (str, os.PathLike)):
        raise wrong_type(name, value, "a path as str or os.PathLike[str]", f'{name}="models"')
    return [path_bytes(name, value)]


def _items(name, value, kind, example):
    """The items of an iterable, which a single text is not."""
    if is_text(value) or isinstance(value, (bytes, Mapping)) or not isinstance(value, Iterable):
        raise wrong_type(name, value, f"an iterable of {kind}", f"{name}={example}")
    items = list(value)
    if not items:
        raise misused(f"{name} is empty", f"at least one of {kind}", "give one, or leave the option out")
    return items


def _ints(example, word=None):
    def read(name, value):
        if word is not None and is_text(value):
            return [encoded(name, value)]
        items = _items(name, value, "int", example)
        for item in items:
            if not _is_int(item):
                raise wrong_type(f"an item of {name}", item, "an int", f"{name}={example}")
        return [",".join(map(_number_text, items)).encode()]
    return read


def _words(example):
    def read(name, value):
        items = _items(name, value, "str", example)
        for item in items:
            if not is_text(item):
                raise wrong_type(f"an item of {name}", item, "a str", f"{name}={example}")
            if "," in item:
                raise misused(f"{name} has {item!r}, with a comma", "one name in each item",
                              f"write, for example, {name}={example}")
        return [b",".join(encoded(name, item) for item in items)]
    return read


def _names(example):
    """One name, or several, each an argument of its own."""
    def read(name, value):
        if is_text(value):
            return [encoded(name, value)]
        items = _items(name, value, "str", f'"{example}"')
        for item in items:
            if not is_text(item):
                raise wrong_type(f"an item of {name}", item, "a str", f'{name}="{example}"')
        return [encoded(name, item) for item in items]
    return read


def _extents(example):
    def read(name, value):
        items = _items(name, value, "two int", example)
        if len(items) != 2 or not all(map(_is_int, items)):
            raise wrong_type(name, value, "two int", f"{name}={example}")
        return ["x".join(map(_number_text, items)).encode()]
    return read


def _pairs(example, value_text):
    """A dict, each item of which is an argument of its own."""
    def read(name, value):
        if not isinstance(value, Mapping):
            raise wrong_type(name, value, "a dict", f"{name}={example}")
        texts = []
        for key, item in value.items():
            if not is_text(key):
                raise wrong_type(f"a key of {name}", key, "a str", f"{name}={example}")
            if "=" in key:
                raise misused(f"{name} has the key {key!r}", "names without '='", "correct the name")
            text = value_text(f"{name}[{key!r}]", item, f"{name}={example}")
            texts.append(encoded(name, key) + (b"" if text is None else b"=" + text))
        return texts
    return read


def _new_name(name, value, example):
    if not is_text(value):
        raise wrong_type(name, value, "a str", example)
    if "," in value:
        raise misused(f"{name} is {value!r}, with a comma", "a name without one, which separates names in the metadata",
                      "choose another name")
    return encoded(name, value)


def _number_or_bool(name, value, example):
    if isinstance(value, (bool, np.bool_)):
        return b"true" if value else b"false"
    return _only_number(name, value, example)


def _only_number(name, value, example):
    if not _is_float(value):
        raise wrong_type(name, value, "a number", example)
    return _number_text(value).encode()


def _number_or_none(name, value, example):
    return None if value is None else _only_number(name, value, example)


def _exposed(name, value):
    """Names of choices; for `expose` perhaps with their defaults."""
    if isinstance(value, Mapping) and name == "expose":
        return _pairs('{"min_score": 0.5}', _number_or_none)(name, value)
    texts = _names("min_score")(name, value)
    for text in texts:
        if b"=" in text or b"," in text:
            raise misused(f"{name} has {text.decode()!r}, which is no name", "min_score or max_detections",
                          f'write, for example, {name}=["min_score", "max_detections"]'
                          + (' or expose={"min_score": 0.5}' if name == "expose" else ""))
    return texts


_READERS: dict[str, Reader] = {
    "max_detections": _int(20, "batch"),
    "max_det": _int(20, "batch"),
    "min_score": _float(0.5),
    "conf": _float(0.5),
    "classes": _ints("[1, 3]"),
    "exclude_classes": _ints("[1, 3]"),
    "set": _pairs('{"score_thresh": 0.3}', _only_number),
    "pad_value": _pairs('{"labels": -1}', _number_or_bool),
    "rename": _pairs('{"labels": "classes"}', _new_name),
    "expose": _exposed,
    "expose_per_image": _exposed,
    "masks": _text("roi"),
    "mask_type": _text("uint8"),
    "mask_threshold": _float(0.5),
    "squeeze_masks": _flag,
    "dynamic_batch": _flag,
    "per_image_input": _names("scale_factor"),
    "shared_input": _names("scale_factor"),
    "layout": _text("efficientnms"),
    "to": _text("efficientnms"),
    "count_type": _text("int64"),
    "count_shape": _text("B"),
    "label_type": _text("int32"),
    "triton_repository": _path,
    "model_name": _text("detector"),
    "max_batch_size": _int(8),
    "fields": _words('["boxes", "labels", "scores"]'),
    "batch": _int(2),
    "order": _text("image"),
    "from_": _text("flat"),
    "columns": _words('["x1", "y1", "x2", "y2", "score", "label"]'),
    "batch_index": _text("det_batch"),
    "count_output": _text("num_dets"),
    "box_format": _text("xywh"),
    "normalized": _flag,
    "normalised": _flag,
    "head": _text("yolo"),
    "iou_threshold": _float(0.5),
    "nms": _text("shifted"),
    "class_agnostic": _flag,
    "multi_label": _flag,
    "num_classes": _int(80),
    "keypoints": _extents("(17, 3)"),
    "strides": _ints("[8, 16, 32]", "none"),
    "scores": _text("sigmoid"),
    "image_size": _extents("(640, 640)"),
    "force": _flag,
}
