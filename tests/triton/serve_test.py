#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves padded and unpadded models with a real Triton server, and holds what clients get against ONNX Runtime.

    serve_test.py ROOT COMMAND EXPORT RAGGED WORK

ROOT is what scripts/triton-root made, whose Python runs this; COMMAND is onnx-pad-outputs; EXPORT a detection model for
one image, whose height and width are open; RAGGED a model for any number of images of 64 x 80 whose first output has the
rows of all of them together, each beginning with the number of its image. Beside EXPORT are the folders with exports of
other forms. Everything is written to the folder WORK.

The server's backend for ONNX Runtime is the one in backend/model.py. Four requests are in flight at a time, and a queue
delay in a copy of the configuration makes certain that the server joins them.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy
import onnxruntime
import tritonclient.grpc
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

import forms

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 60
REQUEST_SECONDS = 60
HEIGHT, WIDTH = 64, 80
# The images of the requests that come together, and how long the server waits for the last of them. It waits no longer
# than until they are as many as it may join.
TOGETHER = (1, 2, 1, 3)
QUEUE_DELAY = "dynamic_batching { max_queue_delay_microseconds: 10000000 }"
ROUNDS = 4


def free_ports(count):
    """Ports that nothing listens on, at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Server:
    """A running server. When the block ends by an exception, the log is printed; the server ends in any case."""

    def __init__(self, root, repository, work):
        self.root, self.repository, self.log = root, repository, work / "server.log"
        self.backends = work / "backends"
        self.backends.mkdir()
        (self.backends / "python").symlink_to(root / "pytriton/tritonserver/backends/python")
        (self.backends / "onnxruntime").mkdir()
        shutil.copy(HERE / "backend/model.py", self.backends / "onnxruntime")
        self.process = self.client = None

    def __enter__(self):
        http, grpc = free_ports(2)
        # The Python in the server takes its packages from the first python3 that it finds.
        environment = dict(os.environ, PATH=f"{self.root / 'venv/bin'}:{os.environ['PATH']}")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.root / "pytriton/tritonserver/bin/tritonserver", f"--model-repository={self.repository}",
                 f"--backend-directory={self.backends}", "--http-address=127.0.0.1", f"--http-port={http}",
                 "--grpc-address=127.0.0.1", f"--grpc-port={grpc}", "--allow-metrics=false"],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True)
        self.client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{grpc}")
        try:
            self.wait()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def wait(self):
        """Returns when the server is ready."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(InferenceServerException):
                if self.client.is_server_ready():
                    return
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}"
            assert time.monotonic() < deadline, f"the server is not ready after {START_SECONDS} seconds"
            time.sleep(0.1)

    def __exit__(self, kind, *_):
        self.client.close()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with contextlib.suppress(ProcessLookupError):  # the server's helpers, where it left some
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if kind is not None:
            print(f"the server's log:\n{self.log.read_text(errors='replace')}")

    def send(self, model, images, **others):
        """Sends a request and returns at once, with what `receive` takes. Other inputs are given by name."""
        return self.send_inputs(model, {"images": images, **others})

    def send_inputs(self, model, inputs):
        """The same, with all inputs by name."""
        tensors = []
        for name, array in inputs.items():
            tensors.append(tritonclient.grpc.InferInput(name, array.shape, np_to_triton_dtype(array.dtype)))
            tensors[-1].set_data_from_numpy(array)
        answers = []
        self.client.async_infer(model, tensors, lambda result, error: answers.append((result, error)),
                                client_timeout=REQUEST_SECONDS)
        return answers

    @staticmethod
    def receive(answers):
        """The outputs of a request by their names."""
        deadline = time.monotonic() + REQUEST_SECONDS
        while not answers:
            assert time.monotonic() < deadline, "no answer"
            time.sleep(0.005)
        result, error = answers[0]
        if error is not None:
            raise error
        return {output.name: result.as_numpy(output.name) for output in result.get_response().outputs}

    def infer(self, model, images, **others):
        """The outputs of a request that comes alone."""
        return self.receive(self.send(model, images, **others))

    def refusal(self, model, images):
        """The message of a request that must fail."""
        try:
            self.infer(model, images)
        except InferenceServerException as error:
            return error.message()
        raise AssertionError(f"{model} takes {images.shape}")


def picture(seed, height=HEIGHT, width=WIDTH):
    """An image [3, height, width] with some rectangles; seed 0 is black."""
    image = numpy.zeros((3, height, width), numpy.float32)
    if seed == 0:
        return image
    random = numpy.random.default_rng(seed)
    image += random.random((3, 1, 1), numpy.float32) / 2
    for _ in range(random.integers(1, 7)):
        top, left = random.integers(0, height - 8), random.integers(0, width - 8)
        bottom, right = top + random.integers(8, height), left + random.integers(8, width)
        image[:, top:bottom, left:right] = random.random((3, 1, 1), numpy.float32)
    return image + random.random(image.shape, numpy.float32) / 8


def pictures(seeds, *size):
    """Images as a batch [n, 3, height, width]."""
    return numpy.stack([picture(seed, *size) for seed in seeds])


class Direct:
    """A model in ONNX Runtime, without a server."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def infer(self, images, **others):
        """The outputs by their names."""
        return self.infer_inputs({"images": images, **others})

    def infer_inputs(self, inputs):
        """The same, with all inputs by name."""
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, inputs)))

    def config(self, name, max_batch_size):
        """A configuration for the model as it is, as somebody might write it who does not know of ragged outputs."""
        config = model_config_pb2.ModelConfig(name=name, backend="onnxruntime", max_batch_size=max_batch_size)
        types = {"tensor(float)": model_config_pb2.TYPE_FP32, "tensor(int64)": model_config_pb2.TYPE_INT64}
        for tensors, entries in ((self.session.get_inputs(), config.input),
                                 (self.session.get_outputs(), config.output)):
            for tensor in tensors:
                dims = [extent if isinstance(extent, int) else -1 for extent in tensor.shape]
                entries.add(name=tensor.name, data_type=types[tensor.type], dims=dims[1:] if max_batch_size else dims)
        return text_format.MessageToString(config)


def require_equal(got, expected, what):
    """The same outputs: names, types, shapes and bytes."""
    assert got.keys() == expected.keys(), f"{what}: outputs {sorted(got)}, expected {sorted(expected)}"
    for name, array in expected.items():
        assert (got[name].dtype, got[name].shape) == (array.dtype, array.shape), \
            f"{what}: {name} is {got[name].dtype}{got[name].shape}, expected {array.dtype}{array.shape}"
        assert got[name].tobytes() == array.tobytes(), f"{what}: {name} has other values"


def place(repository, name, model, config):
    """Puts a model into a repository."""
    (repository / name / "1").mkdir(parents=True)
    shutil.copy(model, repository / name / "1" / "model.onnx")
    (repository / name / "config.pbtxt").write_text(config)


def executions(server, model):
    """How many images a model was given so far, and in how many runs."""
    (statistics,) = server.client.get_inference_statistics(model).model_stats
    return statistics.inference_count, statistics.execution_count


def check_config(server, repository):
    """What the command wrote is a configuration, and the server has understood the same."""
    config = text_format.Parse((repository / "detector/config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    served = server.client.get_model_config("detector").config
    assert config.max_batch_size == sum(TOGETHER) and config.HasField("dynamic_batching"), config
    for field in ("name", "backend", "max_batch_size", "input", "output"):
        assert getattr(config, field) == getattr(served, field), f"{field}: {config}\nbut the server has\n{served}"
    assert served.HasField("dynamic_batching")


def check_alone(server, direct):
    """Requests of all sizes and batches, and none at a time."""
    for seeds, size in (((1,), (64, 80)), ((2, 0, 3), (64, 80)), ((4, 5), (80, 64)), (range(7), (48, 48))):
        images = pictures(seeds, *size)
        require_equal(server.infer("detector", images), direct.infer(images), f"{len(images)} images of {size}")


def check_joined(server, direct):
    """Requests that the server joins to one batch each get what they get alone."""
    counts = []
    seed = 0
    for round_number in range(ROUNDS):
        requests = []
        for size in TOGETHER:
            requests.append(pictures(range(seed, seed + size)))
            seed += size
        before = executions(server, "joined")
        answers = [server.send("joined", images) for images in requests]
        got = [server.receive(answer) for answer in answers]
        after = executions(server, "joined")
        assert (after[0] - before[0], after[1] - before[1]) == (sum(TOGETHER), 1), \
            f"the server did not join the requests: {before} images and runs before, {after} after"
        for images, outputs in zip(requests, got):
            expected = direct.infer(images)
            require_equal(outputs, expected, f"round {round_number}, the request of {len(images)}")
            counts += expected["num_detections"].ravel().tolist()
    print(f"joined, {ROUNDS} times {TOGETHER} images in one run each; rows of the images: {counts}")
    assert len(set(counts)) > 2 and min(counts) == 0, "all images have as many rows: the test shows little"


def choice(scores, rows):
    """What a request chooses for each of its images."""
    return {"min_score": numpy.array(scores, numpy.float32).reshape(-1, 1),
            "max_detections": numpy.array(rows, numpy.int32).reshape(-1, 1)}


def check_chosen(server, direct, fixed):
    """Requests that choose scores and rows for each of their images are joined, and each gets what it has chosen."""
    scores = numpy.concatenate([fixed.infer(pictures((seed,)))["scores"][0] for seed in range(sum(TOGETHER))])
    middle = float(numpy.median(scores[scores > 0]))
    requests = [choice([0], [100]), choice([middle, 0], [100, 1]), choice([2], [-1]), choice([0, middle, -1], [2, 2, 0])]
    images, seed = [], 0
    for size in TOGETHER:
        images.append(pictures(range(seed, seed + size)))
        seed += size
    before = executions(server, "chosen")
    answers = [server.send("chosen", each, **chosen) for each, chosen in zip(images, requests)]
    got = [server.receive(answer) for answer in answers]
    after = executions(server, "chosen")
    assert (after[0] - before[0], after[1] - before[1]) == (sum(TOGETHER), 1), f"{before}, then {after}"
    for number, (each, chosen, outputs) in enumerate(zip(images, requests, got)):
        require_equal(outputs, direct.infer(each, **chosen), f"the request {number} with choices of its own")
        everything = fixed.infer(each)
        for image, (score, rows) in enumerate(zip(chosen["min_score"][:, 0], chosen["max_detections"][:, 0])):
            count = everything["num_detections"][image, 0]
            high = everything["scores"][image, :count] >= score
            expected = min(int(high.sum()), max(int(rows), 0))
            assert outputs["num_detections"][image, 0] == expected, f"request {number}, image {image}: {expected} rows"
    print(f"chosen, {TOGETHER} images in one run; rows: {[each['num_detections'].ravel().tolist() for each in got]}")


def check_settings(server, direct):
    """One number for all images of a request, which the server then joins with no other."""
    images = pictures((1, 2))
    for rows in (100, 1):
        setting = {"max_detections": numpy.array([rows], numpy.int32)}
        outputs = server.infer("settings", images, **setting)
        require_equal(outputs, direct.infer(images, **setting), f"{rows} rows at most")
        assert outputs["num_detections"].max() <= rows, outputs["num_detections"]
    try:
        server.infer("settings", images)
    except InferenceServerException as error:
        print(f"settings, without the number: {error.message()}")
        return
    raise AssertionError("a request without a number is answered")


def check_original(server, direct):
    """The export as it was takes one image a request, and nothing else."""
    images = pictures((1, 2))
    require_equal(server.infer("original", images[:1]), direct.infer(images[:1]), "the original, one image")
    message = server.refusal("original", images)
    print(f"the original, two images: {message}")
    assert "unexpected shape for input 'images'" in message, message


def check_ragged(server, direct):
    """Rows of all images together are cut by the number of images, with an error only where they are too few."""
    name = direct.session.get_outputs()[0].name
    images = [pictures((seed,)) for seed in range(20)]
    images = [image for image in images if len(direct.infer(image)[name]) > 1][:2]
    rows = [direct.infer(image)[name] for image in images]
    got = server.infer("ragged", images[0])[name]
    print(f"ragged, one image: {len(got)} of {len(rows[0])} rows")
    require_equal({name: got}, {name: rows[0][:1]}, "ragged, one image")

    answers = [server.send("ragged_joined", image) for image in images]
    got = [server.receive(answer)[name] for answer in answers]
    # Whichever request was the first in the batch, the other one gets its second row.
    first = 0 if numpy.array_equal(got[0], rows[0][:1]) else 1
    require_equal({name: got[first]}, {name: rows[first][:1]}, "ragged, the first of two requests joined")
    require_equal({name: got[1 - first]}, {name: rows[first][1:2]}, "ragged, the second of two requests joined")
    assert not numpy.array_equal(got[1 - first][:, 1:], rows[1 - first][:1, 1:]), "this row is its own"
    print(f"ragged, two requests joined: the second gets a row of image {got[1 - first][0, 0]:g}, and is image 1")

    message = server.refusal("ragged", pictures((0,)))
    print(f"ragged, an image without rows: {message}")
    assert "failed to split the output tensor" in message, message


def inputs_of_form(session, seeds):
    """Images, and what else an export takes for each of them."""
    inputs = {}
    for tensor in session.get_inputs():
        if tensor.name == "scale_factor":
            inputs[tensor.name] = numpy.array([[0.5 + seed / 4, 2 - seed / 32] for seed in seeds], numpy.float32)
        else:
            inputs[tensor.name] = pictures(seeds) / 2  # of which these detectors find fewer
    return inputs


def check_forms(server, data):
    """Requests for models of every form are joined, and each gets what plain code reads in the original export."""
    for name, (export, _, _) in forms.FORMS.items():
        original = Direct(data / export)
        requests, seed = [], 0
        for size in TOGETHER:
            requests.append(inputs_of_form(original.session, range(seed, seed + size)))
            seed += size
        before = executions(server, name)
        answers = [server.send_inputs(name, inputs) for inputs in requests]
        got = [server.receive(answer) for answer in answers]
        after = executions(server, name)
        assert (after[0] - before[0], after[1] - before[1]) == (sum(TOGETHER), 1), f"{name}: {before}, then {after}"
        counts = []
        for number, (inputs, outputs) in enumerate(zip(requests, got)):
            expected = forms.expected(name, original.infer_inputs, inputs)
            require_equal(outputs, expected, f"{name}, the request {number}")
            counts += expected["num_detections"].ravel().tolist()
        print(f"{name}, {TOGETHER} images in one run; rows: {counts}")
        assert len(set(counts)) > 2 and min(counts) == 0, f"{name}: all images have as many rows"


def main():
    root, command, export, ragged, work = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    repository = work / "repository"
    subprocess.run([command, "--quiet", "--dynamic-batch", "--triton-repository", repository, "--model-name",
                    "detector", "--max-batch-size", str(sum(TOGETHER)), export], check=True)
    model, config = repository / "detector/1/model.onnx", (repository / "detector/config.pbtxt").read_text()
    assert config.count("dynamic_batching { }") == 1, config
    place(repository, "joined", model,
          config.replace('name: "detector"', 'name: "joined"').replace("dynamic_batching { }", QUEUE_DELAY))
    subprocess.run([command, "--quiet", "--dynamic-batch", "--expose-per-image", "min_score", "--expose-per-image",
                    "max_detections", "--triton-repository", repository, "--model-name", "chosen", "--max-batch-size",
                    str(sum(TOGETHER)), export], check=True)
    config = repository / "chosen/config.pbtxt"
    config.write_text(config.read_text().replace("dynamic_batching { }", QUEUE_DELAY))
    subprocess.run([command, "--quiet", "--dynamic-batch", "--expose", "max_detections", "--triton-repository",
                    repository, "--model-name", "settings", "--max-batch-size", "0", export], check=True)
    forms.write_repository(command, export.parent, repository, sum(TOGETHER))
    for name in forms.FORMS:
        config = repository / name / "config.pbtxt"
        config.write_text(config.read_text().replace("dynamic_batching { }", QUEUE_DELAY))
    detector, original, flat = Direct(model), Direct(export), Direct(ragged)
    place(repository, "original", export, original.config("original", 0))
    place(repository, "ragged", ragged, flat.config("ragged", 8))
    place(repository, "ragged_joined", ragged, flat.config("ragged_joined", 2) + QUEUE_DELAY)
    with Server(root, repository, work) as server:
        check_config(server, repository)
        check_alone(server, detector)
        check_joined(server, detector)
        check_chosen(server, Direct(repository / "chosen/1/model.onnx"), detector)
        check_settings(server, Direct(repository / "settings/1/model.onnx"))
        check_original(server, original)
        check_ragged(server, flat)
        check_forms(server, export.parent)


if __name__ == "__main__":
    main()
