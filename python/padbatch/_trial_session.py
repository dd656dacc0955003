# SPDX-License-Identifier: Apache-2.0
"""Models in ONNX Runtime, for verify, and what they say about themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from padbatch._errors import Error
from padbatch._rewriting import Model, Source

_TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
          "tensor(bool)": "bool", **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint")
                                     for bits in (8, 16, 32, 64)}}


def needed(name: str, what_for: str) -> Any:
    """A module that not everybody has."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{what_for} needs the package {name}, which cannot be imported ({error}); "
                          f"install it: pip install {name}", name=name) from error


@dataclass(frozen=True)
class Value:
    """An input or output. Extents are numbers, symbols or None."""

    name: str
    shape: tuple[Any, ...]
    dtype: str


class TrialSession:
    """A model that runs. ONNX Runtime prints nothing."""

    def __init__(self, which: str, model: Model, providers: Sequence[Any] | None, *, optimised: bool = True):
        runtime = needed("onnxruntime", "verify")
        self.which = which
        source = Source(model)
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # nobody waits for microseconds
        if not optimised:
            options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session = runtime.InferenceSession(
                source.data if source.in_memory else os.fsdecode(source.data), options,
                providers=list(providers or ["CPUExecutionProvider"]))
        except Exception as error:  # of ONNX Runtime, which has a class for each of its codes
            raise self._failed("load", error) from error
        self.inputs = [self._value(value) for value in self._session.get_inputs()]
        self.more_inputs = [self._value(value) for value in self._session.get_overridable_initializers()]
        self.values = {value.name: self._value(value) for value in self._session.get_outputs()}
        self.outputs = list(self.values)
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    @staticmethod
    def _value(value: Any) -> Value:
        return Value(value.name, tuple(value.shape), _TYPES.get(value.type, value.type))

    def _failed(self, verb: str, error: Exception) -> Error:
        what = " ".join(str(error).split())
        return Error(f"ONNX Runtime does not {verb} the {self.which} model: {what[:500]}", "two models that run",
                     "if the original runs and the padded one does not, report this, with both models"
                     if self.which == "padded" else "correct the export, or give images that it takes",
                     "different" if self.which == "padded" else "refused")

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            return dict(zip(self.outputs, self._session.run(self.outputs, dict(arrays))))
        except Exception as error:
            raise self._failed("run", error) from error

    def told_options(self, inputs: Sequence[str]) -> dict[str, Any]:
        """The options that a padded model's metadata and inputs tell; `inputs` are those of its export."""
        told = self.metadata
        if "padbatch.version" not in told:
            raise Error("the padded model has no 'padbatch.version' in its metadata",
                        "a model that pad_outputs or onnx-pad-outputs wrote",
                        "give the two models in order: the export, and what was made of it", "refused")
        most = told.get("padbatch.max_detections", "")
        options: dict[str, Any] = {
            "layout": told.get("padbatch.layout", "torchvision"),
            "max_detections": int(most) if most.isdecimal() else most or None,
            "dynamic_batch": told.get("padbatch.batch") == "dynamic",
        }
        for value in (*self.inputs, *self.more_inputs):
            if value.name in ("min_score", "max_detections") and value.name not in inputs:
                options.setdefault("expose_per_image" if len(value.shape) > 1 else "expose", []).append(value.name)
        return options

    def told_names(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The options that the names of its outputs tell, for an export that `document` is of."""
        told = self.metadata
        names = {}
        for key in ("padbatch.fields", "padbatch.columns"):
            for entry in filter(None, told.get(key, "").split(",")):
                kinds, _, name = entry.partition("=")
                names[kinds.replace("normalised_boxes", "boxes")] = name
        options: dict[str, Any] = {"rename": {kinds.split("+")[0]: name for kinds, name in names.items()}}
        if "padbatch.count" in told:
            options["rename"]["num_detections"] = told["padbatch.count"]
        if "masks" in document["images"][0]:
            options["masks"] = told.get("padbatch.masks", "full") if "masks" in names else "none"
        return options

    def told_types(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The options that the types and shapes of the outputs tell, where they are not those of `document`."""
        told: dict[str, Any] = {}
        for output in document["outputs"]:
            value = self.values.get(output["name"])
            if value is None:
                continue
            kinds = output["fields"]
            if kinds == ["num_detections"]:
                if value.dtype != output["type"]:
                    told["count_type"] = value.dtype
                if len(value.shape) != len(output["shape"]):
                    told["count_shape"] = "B" if len(value.shape) == 1 else "Bx1"
            if kinds == ["labels"] and value.dtype != output["type"]:
                told["label_type"] = value.dtype
            if kinds == ["masks"]:
                if value.dtype != output["type"]:
                    told["mask_type"] = value.dtype
                if len(value.shape) < len(output["shape"]):
                    told["squeeze_masks"] = True
        return told


def with_region_masks(original: Model, document: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """The export with the masks that it pastes as further outputs, and their names, image by image."""
    onnx = needed("onnx", 'verify of a model with masks="roi"')
    source = Source(original)
    model = onnx.load_from_string(source.data) if source.in_memory else onnx.load(os.fsdecode(source.data))
    makers = {name: node for node in model.graph.node for name in node.output}
    names = []
    for fields in document["images"]:
        name = _pasted_from(fields["masks"], makers)
        if name is None:
            raise Error(f"nothing shows what the masks {fields['masks']!r} of the export are pasted from",
                        "a Loop that reads what a Pad makes of them, as torchvision's exports have it",
                        "compare the results by other means", "refused")
        if name not in names and all(name != output.name for output in model.graph.output):
            model.graph.output.append(onnx.ValueInfoProto(name=name))
        names.append(name)
    return model.SerializeToString(), names


def _pasted_from(name: str, makers: Mapping[str, Any]) -> str | None:
    """What a Pad reads that is in front of the loop that pastes the masks `name`: going up from them to the first loop,
    and from what that and its body read to the first Pad."""
    level, seen = [name], set()
    found_loop = False
    while level:
        above = []
        for value in level:
            node = makers.get(value)
            if node is None or value in seen:
                continue
            seen.add(value)
            if found_loop and node.op_type == "Pad":
                return node.input[0]
            if node.op_type == "Loop" and not found_loop:
                found_loop = True
                above = [read for read in (*_captured(node), *node.input) if read]
                break
            above += [read for read in node.input if read]
        level = above
    return None


def _captured(node: Any) -> list[str]:
    """What the graphs inside a node read of those outside."""
    read = []
    for attribute in node.attribute:
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            made = {value.name for value in (*graph.input, *graph.initializer)}
            made.update(name for inside in graph.node for name in inside.output)
            for inside in graph.node:
                read += [name for name in (*inside.input, *_captured(inside)) if name and name not in made]
    return read
