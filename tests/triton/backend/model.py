# SPDX-License-Identifier: Apache-2.0
"""Triton's ONNX Runtime backend, as far as these tests need it, in Python.

Triton takes a backend that is written in Python, and the server that can be installed without a GPU brings none for ONNX
Runtime. The server's own part (requests, their batching, the check of shapes, the responses) is the real one; this does
what the real backend does with a batch: it joins the inputs of the requests along dimension 0, runs the model once, and
cuts each output along dimension 0 by the sizes of the requests.
"""

import json
import pathlib

import numpy
import onnxruntime
import triton_python_backend_utils as pb_utils


def shape_of(tensor):
    """What ONNX Runtime says of a tensor's shape, -1 for each extent that is not known."""
    return [extent if isinstance(extent, int) else -1 for extent in tensor.shape]


def require_same_dims(tensor, config, batched, exact):
    """A configuration must say of a tensor what the model says: of an output exactly, of an input it may say more."""
    shape = shape_of(tensor)
    reshape = config.get("reshape")
    dims = [int(extent) for extent in (reshape["shape"] if reshape else config["dims"])]
    if batched and (not shape or shape[0] != -1):
        raise pb_utils.TritonModelException(
            f"tensor '{tensor.name}': for the model to support batching the first dimension must be -1, not {shape}")
    expected = [-1, *dims] if batched else dims
    if len(shape) != len(expected) or any(
            model != wanted and (exact or model != -1) for model, wanted in zip(shape, expected)):
        raise pb_utils.TritonModelException(
            f"tensor '{tensor.name}': the model has {shape}, the configuration {expected}")


class TritonPythonModel:
    """One model of a repository."""

    def initialize(self, args):
        """Loads the model and holds its configuration against it."""
        config = json.loads(args["model_config"])
        path = pathlib.Path(args["model_repository"], args["model_version"], "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.batched = config["max_batch_size"] > 0
        for kind, tensors in (("input", self.session.get_inputs()), ("output", self.session.get_outputs())):
            configs = {each["name"]: each for each in config[kind]}
            if configs.keys() != {tensor.name for tensor in tensors}:
                raise pb_utils.TritonModelException(f"the configuration has other {kind}s than the model")
            for tensor in tensors:
                require_same_dims(tensor, configs[tensor.name], self.batched, exact=kind == "output")

    def execute(self, requests):
        """Answers the requests that the server has put together."""
        if self.batched:
            return self.run(requests)
        return [response for request in requests for response in self.run([request])]

    def run(self, requests):
        """Answers requests with one run of the model."""
        names = [tensor.name for tensor in self.session.get_inputs()]
        inputs = {name: [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
                  for name in names}
        outputs = self.session.run(None, {name: numpy.concatenate(parts) if self.batched else parts[0]
                                          for name, parts in inputs.items()})
        outputs = dict(zip((tensor.name for tensor in self.session.get_outputs()), outputs))
        first = 0
        responses = []
        for part in inputs[names[0]]:
            end = first + len(part)
            short = next((name for name, output in outputs.items() if self.batched and len(output) < end), None)
            if short is not None:
                error = f"failed to split the output tensor '{short}' in responses: expected batch size of at least " \
                        f"{end} in model output, got {len(outputs[short])}"
                responses.append(pb_utils.InferenceResponse(error=pb_utils.TritonError(error)))
            else:
                responses.append(pb_utils.InferenceResponse(
                    [pb_utils.Tensor(name, output[first:end] if self.batched else output)
                     for name, output in outputs.items()]))
            first = end
        return responses
