# SPDX-License-Identifier: Apache-2.0
"""The rewrite of models: pad_outputs and inspect."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, Union, overload

from padbatch._errors import Error, PadWarning, misused
from padbatch._options import (BoxFormat, Choice, Column, CountShape, Expose, Field, Float, Form, Head, Int, Layout,
                               Masks, MaskType, Nms, NumberType, Order, Output, Path, Scores, arguments, path_bytes,
                               wrong_type)
from padbatch._spelling import with_keywords

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from padbatch._options import Options


class Message(Protocol):
    """A protobuf message in memory, such as ``onnx.ModelProto``."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802 (protobuf's name)


ModelMessage = TypeVar("ModelMessage", bound=Message)
Model = Union[Path, bytes, Message]

_MESSAGE_LIMIT = 2**31 - 1


class Source:
    """A model as it is given: by its path, as bytes, or as a message."""

    def __init__(self, model: Model):
        self.message: Any = None
        if isinstance(model, (str, os.PathLike)):
            self.in_memory, self.data = False, path_bytes("model", model)
        elif isinstance(model, (bytes, bytearray, memoryview)):
            self.in_memory, self.data = True, bytes(model)
        elif hasattr(model, "SerializeToString") and hasattr(type(model), "FromString"):
            self.in_memory, self.message = True, model
            self.data = self._serialized(model)
        else:
            raise wrong_type("model", model, "a path, the bytes of a model, or an onnx.ModelProto", '"detector.onnx"')

    @staticmethod
    def _serialized(message: Any) -> bytes:
        if not hasattr(message, "graph"):
            raise wrong_type("model", message, "an onnx.ModelProto", 'onnx.load("detector.onnx")')
        if message.ByteSize() > _MESSAGE_LIMIT:
            raise Error(f"the model has {message.ByteSize()} bytes, but a protobuf message must be smaller than 2 GiB",
                        "a model smaller than 2 GiB",
                        "save it with its weights as external data, and give its path and an output in the same folder",
                        "refused")
        return message.SerializeToString()

    def like(self, data: bytes) -> Any:
        """A padded model of the kind that was given."""
        return data if self.message is None else type(self.message).FromString(data)

    def document(self, text: str) -> dict[str, Any]:
        """A report as a dict, which names options as Python does."""
        document = _respelled(json.loads(text), ())
        document["file"] = None if self.in_memory else os.fsdecode(self.data)
        return document


# Where the report has sentences; other texts are names.
_SENTENCES = {("error",), ("evidence",), ("limit", "why_not"), ("fixed_parameters", "why"), ("rewrite", "steps"),
              ("serving_warnings", "as_it_is"), ("serving_warnings", "result")}


def _respelled(value, place):
    if isinstance(value, dict):
        return {key: _respelled(item, (*place, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_respelled(item, place) for item in value]
    return with_keywords(value) if isinstance(value, str) and place in _SENTENCES else value


@overload
def pad_outputs(model: Model, output: Path, **options: Unpack[Options]) -> dict[str, Any]: ...
@overload
def pad_outputs(model: Model, output: None = None, *, triton_repository: Path, model_name: str,
                max_batch_size: Int | None = None, **options: Unpack[Options]) -> dict[str, Any]: ...
@overload
def pad_outputs(model: ModelMessage, output: None = None, **options: Unpack[Options]) -> ModelMessage: ...
@overload
def pad_outputs(model: Path | bytes, output: None = None, **options: Unpack[Options]) -> bytes: ...
def pad_outputs(model, output=None, *,
                max_detections: Int | Literal["batch"] | None = None,
                min_score: Float | None = None,
                classes: Iterable[Int] | None = None,
                exclude_classes: Iterable[Int] | None = None,
                set: Mapping[str, Float] | None = None,  # noqa: A002 (the command's name)
                pad_value: Mapping[Field, Float | bool] | None = None,
                rename: Mapping[Output, str] | None = None,
                expose: Expose | None = None,
                expose_per_image: Choice | Iterable[Choice] | None = None,
                masks: Masks | None = None,
                mask_type: MaskType | None = None,
                mask_threshold: Float | None = None,
                squeeze_masks: bool = False,
                dynamic_batch: bool = False,
                per_image_input: str | Iterable[str] | None = None,
                shared_input: str | Iterable[str] | None = None,
                layout: Layout | None = None,
                count_type: NumberType | None = None,
                count_shape: CountShape | None = None,
                label_type: NumberType | None = None,
                triton_repository: Path | None = None,
                model_name: str | None = None,
                max_batch_size: Int | None = None,
                fields: Iterable[Field] | None = None,
                batch: Int | None = None,
                order: Order | None = None,
                from_: Form | None = None,
                columns: Iterable[Column] | None = None,
                batch_index: str | None = None,
                count_output: str | None = None,
                box_format: BoxFormat | None = None,
                normalized: bool = False,
                head: Head | None = None,
                iou_threshold: Float | None = None,
                nms: Nms | None = None,
                class_agnostic: bool = False,
                multi_label: bool = False,
                num_classes: Int | None = None,
                keypoints: tuple[Int, Int] | None = None,
                strides: Iterable[Int] | Literal["none"] | None = None,
                scores: Scores | None = None,
                image_size: tuple[Int, Int] | None = None,
                force: bool = False,
                to: Layout | None = None,
                conf: Float | None = None,
                max_det: Int | Literal["batch"] | None = None,
                normalised: bool = False):
    """Pads the outputs of a detection model that was exported to ONNX: one tensor per field for the whole batch, and
    ``num_detections``, int32 ``[B, 1]``, which says how many rows of each image are real.

    It does what the command ``onnx-pad-outputs`` does, and writes the same bytes. ``docs/onnx-pad-outputs.md`` says
    what is recognised and what comes out; every option of the command is a keyword here, and its words are str.

    >>> padbatch.pad_outputs("maskrcnn.onnx", "padded.onnx", max_detections=20, masks="roi")
    >>> model = padbatch.pad_outputs(onnx.load("maskrcnn.onnx"))

    Parameters
    ----------
    model : path, bytes or onnx.ModelProto
        A str or ``os.PathLike`` is the path of a file; bytes are what a file holds. It is not changed.
    output : path, optional
        The file to write: whole or not at all. It must not exist, unless ``force``. Without it the padded model is
        returned.
    max_detections : int or "batch"
        M: pad every image to so many rows, which becomes the model's limit. The default is the limit that the model
        has. ``"batch"`` pads to the largest count in the batch. (``max_det`` is another name.)
    min_score : float
        Drop rows whose score is below it; above 0, at most 1. (``conf`` is another name.)
    classes, exclude_classes : iterable of int
        Keep rows of these labels only, or drop them.
    set : dict of str to float
        Parameters of the model to set, as if it had been exported so, such as ``{"score_thresh": 0.3}``.
    pad_value : dict of field to number or bool
        What fills the padding of a field instead of 0.
    rename : dict of field or "num_detections" to str
        Names of outputs.
    expose : str, iterable of str, or dict of str to float or None
        Inputs to add, ``"min_score"`` (float32 ``[1]``) and ``"max_detections"`` (int32 ``[1]``); a dict gives
        defaults, which ONNX Runtime alone knows.
    expose_per_image : str or iterable of str
        The same for each image, ``[batch, 1]``, with ``dynamic_batch``.
    masks : "full", "roi" or "none"
        Pasted into the image; as the mask head makes them for the region of each box; or none.
    mask_type : "float", "uint8" or "bool"
        Probabilities, or 1 where they are at least ``mask_threshold``.
    mask_threshold : float
        The default is 0.5.
    squeeze_masks : bool
        Write masks as ``[B, M, H, W]`` instead of ``[B, M, 1, H, W]``.
    dynamic_batch : bool
        Turn an export of one image into a model of any number of images.
    per_image_input, shared_input : str or iterable of str
        With ``dynamic_batch``: inputs that belong to each image, or that all images share.
    layout : str
        Name, order and shape the outputs as a consumer expects them: ``"torchvision"``, ``"efficientnms"``,
        ``"yolov7"``, ``"mmdeploy"``, ``"tf-od"`` or ``"ultralytics"``. (``to`` is another name.)
    count_type, label_type : "int32", "int64" or "float32"
        The types of ``num_detections`` and of the labels.
    count_shape : "B" or "Bx1"
        The shape of ``num_detections``.
    triton_repository : path
        Write a model for Triton Inference Server into this model repository, instead of ``output``.
    model_name : str
        The model's name on the server.
    max_batch_size : int
        How many images the server may put together; the default is 8, and 0 turns batching off.
    fields : iterable of str
        The fields of one image, in the order of the outputs, where they are not recognised.
    batch : int
        The number of images.
    order : "image" or "field"
        Whether the outputs go image by image or field by field.
    from_ : str
        What the model outputs: ``"auto"``, ``"fields"`` (or ``"torchvision"``), ``"flat"``, ``"nms"``, ``"padded"`` or
        ``"raw"``.
    columns : iterable of str
        The columns of joined rows: names from batch, x1, y1, x2, y2, cx, cy, w, h, label and score.
    batch_index, count_output : str
        The output that says which image each row belongs to, and the one with the number of rows of each image.
    box_format : "xyxy", "xywh", "cxcywh" or "yxyx"
        What the boxes of the model are.
    normalized : bool
        They are fractions of the input's width and height. (``normalised`` is another name.)
    head, iou_threshold, nms, class_agnostic, multi_label, num_classes, keypoints, strides, scores, image_size
        For raw heads; ``docs/raw-heads.md`` says what they are. ``keypoints=(17, 3)``, ``image_size=(height, width)``,
        ``strides=[8, 16, 32]`` or ``"none"``.
    force : bool
        Replace ``output``, or the model in the repository, if it exists.

    Returns
    -------
    bytes or onnx.ModelProto or dict
        With an output or a repository: what was done, as ``inspect`` shows it. Its ``warnings`` are the texts of those
        below, and take the place of ``serving_warnings``. Otherwise the padded model: of the class that was given, or
        bytes, which are those that the command writes.

    Raises
    ------
    Error
        With what was found, what was expected and what to do. No file is written then.
    TypeError
        For a value of a wrong type. A bool is no int.

    Warns
    -----
    PadWarning
        Where the command prints a warning, each by itself, when the model is padded and written.
    """
    options = dict(locals())
    del options["model"], options["output"]
    source = Source(model)
    to_file = None if output is None else path_bytes("output", output)
    padded, report, said, serving = _module().pad(source.data, source.in_memory, to_file, arguments(options))
    texts = [with_keywords(text) for text in (*_paragraphs(said), *serving)]
    if padded is not None:
        result = source.like(padded)
    else:
        result = source.document(report)
        del result["serving_warnings"]
        result["warnings"] = texts
    _warn(texts)
    return result


def inspect(model: Model, **options: Unpack[Options]) -> dict[str, Any]:
    """What is recognised in a model, what ``pad_outputs`` would do with these options, and what a server would stumble
    over: the document that ``onnx-pad-outputs --inspect --json`` prints. Its sentences name options as keywords, and
    its ``file`` is None for a model in memory.

    Parameters
    ----------
    model : path, bytes or onnx.ModelProto
    **options
        Those of ``pad_outputs``, but those of a repository.

    Raises
    ------
    Error
        As ``pad_outputs``. The ``document`` of an error of kind ``"refused"`` is what is known about the model: its
        declared outputs, the warnings for a server, and the error's text.
    TypeError
        For a value of a wrong type.
    """
    for name in ("triton_repository", "model_name", "max_batch_size"):
        if options.get(name) is not None:
            raise misused(f"inspect writes nothing, but {name} is about a repository to write to",
                          "options of the model", f"leave {name} out")
    source = Source(model)
    report, refusal = _module().inspect(source.data, source.in_memory, arguments(options))
    document = source.document(report)
    if refusal is not None:
        refusal.document = document
        raise refusal
    return document


def _module():
    from padbatch import _rewrite  # not needed by those who only use arrays

    return _rewrite


def _warn(texts: list[str]) -> None:
    """Warns, at the line outside of this package that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "padbatch":
        level, frame = level + 1, frame.f_back
    for text in texts:
        warnings.warn(text, PadWarning, stacklevel=level)


def _paragraphs(said: str) -> list[str]:
    """The command's warnings: each begins with the word on a line, and may go on with lines that are indented."""
    return [" ".join(text.split()) for text in ("\n" + said).split("\nwarning: ")[1:]]
