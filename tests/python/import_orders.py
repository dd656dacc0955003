# SPDX-License-Identifier: Apache-2.0
"""Imports libraries that each bring a protobuf or ONNX of their own, in every order, and uses each in every order.

usage: import_orders.py MODEL NAME...

NAME is onnx, onnxruntime, torch or padbatch. MODEL is an export with inputs of fixed sizes. Each order has a process of
its own, forked from one that has imported all but the last: a fork saves importing what orders have in common. Prints
the number of orders; a process that fails or dies ends this one, with its order.
"""

import importlib
import os
import sys
import traceback

import numpy  # which has no protobuf, and which all of them import


def use_padbatch(model):
    import padbatch

    padded = padbatch.pad_outputs(model)
    assert padbatch.inspect(model)["outputs"], "inspect found no outputs"
    try:
        padbatch.pad_outputs(b"no model")
    except padbatch.Error:
        pass  # an exception thrown and caught in the module
    else:
        raise AssertionError("pad_outputs took what is no model")
    return padded


def use_onnx(model, padded):
    import onnx

    for data in (model, padded):
        read = onnx.load_model_from_string(data)
        onnx.checker.check_model(read)
        assert onnx.load_model_from_string(read.SerializeToString()) == read


def use_onnxruntime(_, padded):
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(padded, options, providers=["CPUExecutionProvider"])
    images = {i.name: numpy.zeros(i.shape, numpy.float32) for i in session.get_inputs()}
    found = session.run(["num_detections"], images)
    assert found[0].shape[1] == 1, found


def use_torch(*_):
    import torch

    values = torch.arange(6.0).reshape(2, 3)
    assert (values @ values.T).tolist() == [[5.0, 14.0], [14.0, 50.0]]


def use(order, model):
    """Uses what is imported, in this order too, as far as each needs the padded model."""
    padded = use_padbatch(model)
    uses = {"onnx": use_onnx, "onnxruntime": use_onnxruntime, "torch": use_torch, "padbatch": lambda *_: None}
    for name in order:
        uses[name](model, padded)
    assert use_padbatch(model) == padded, "padbatch made something else after the others ran"


def started(order, left, model):
    """Forks a process that goes through the orders that begin with this one; returns its number and a pipe."""
    read, write = os.pipe()
    child = os.fork()
    if child != 0:
        os.close(write)
        return child, read
    status = 1
    try:
        importlib.import_module(order[-1])
        os.write(write, str(orders(order, left, model)).encode())
        status = 0
    except SystemExit as error:
        print(error, file=sys.stderr)
    except BaseException:  # the child must end here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def finished(order, left, child, pipe):
    """Waits for such a process, and returns how many orders there were."""
    with open(pipe, "rb") as file:
        count = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        how = f"died of signal {-status}" if status < 0 else f"failed with status {status}"
        sys.exit(f"{', '.join(order)}{' and then the others' if left else ''}: {how}")
    return int(count)


def orders(order, left, model):
    """Goes through the orders that begin with this one, and returns how many there are."""
    if not left:
        use(order, model)
        return 1
    branches = [([*order, name], [other for other in left if other != name]) for name in left]
    if not order:  # what can run at the same time, without too many processes
        children = [started(*branch, model) for branch in branches]
        return sum(finished(*branch, *child) for branch, child in zip(branches, children))
    return sum(finished(*branch, *started(*branch, model)) for branch in branches)


def main(path, *names):
    with open(path, "rb") as file:
        print(orders([], names, file.read()))


if __name__ == "__main__":
    main(*sys.argv[1:])
