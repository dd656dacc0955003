# SPDX-License-Identifier: Apache-2.0
"""pad_outputs: every option of the command is a keyword, and what comes out are the command's bytes."""

import inspect as python
import os
import pickle
import re
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import onnx
import pytest
import padbatch
from padbatch._options import Options

from support_models import DATA, FASTER, FASTER_TWO, MASK, MASK_TWO, command

# What the command needs for being a program.
OF_A_PROGRAM = {"inspect", "json", "quiet", "version", "help"}


def keywords():
    return [name for name, parameter in python.signature(padbatch.pad_outputs).parameters.items()
            if parameter.kind == parameter.KEYWORD_ONLY]


def test_every_option_of_the_command_is_a_keyword():
    text, _ = command("--help")
    flags = {flag.replace("-", "_") for flag in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)}
    flags |= {"normalised"}  # which the help names in a sentence
    wanted = {"from_" if name == "from" else name for name in flags - OF_A_PROGRAM}
    assert set(keywords()) == wanted


def test_keywords_are_typed_documented_and_read():
    serving = {"triton_repository", "model_name", "max_batch_size"}
    assert set(Options.__annotations__) == set(keywords()) - serving
    assert set(padbatch._options._READERS) == set(keywords())
    documentation = padbatch.pad_outputs.__doc__
    for name in keywords():
        assert re.search(rf"(?<!\w){name}(?!\w)", documentation), name


# Options of Python, and what one would type.
SAME = [
    (FASTER, {}, []),
    (FASTER, {"max_detections": 20, "min_score": 0.5}, ["--max-detections", "20", "--min-score", "0.5"]),
    (FASTER, {"max_detections": np.int16(7), "min_score": np.float32(0.1)},
     ["--max-detections=7", f"--min-score={float(np.float32(0.1))!r}"]),
    (FASTER, {"max_det": "batch", "conf": 1}, ["--max-det", "batch", "--conf", "1"]),
    (FASTER, {"classes": np.array([2, 1])}, ["--classes", "2,1"]),
    (FASTER, {"exclude_classes": (n for n in (1,))}, ["--exclude-classes", "1"]),
    (FASTER, {"set": {"score_thresh": 0.25, "nms_thresh": np.float64(0.4)}},
     ["--set", "score_thresh=0.25", "--set", "nms_thresh=0.4"]),
    (FASTER, {"pad_value": {"labels": -1, "scores": float("nan"), "boxes": -0.0}, "rename": {"boxes": "Kästen 1"}},
     ["--pad-value", "labels=-1", "--pad-value", "scores=nan", "--pad-value", "boxes=-0.0",
      "--rename", "boxes=Kästen 1"]),
    (FASTER, {"expose": "min_score"}, ["--expose", "min_score"]),
    (FASTER, {"expose": {"min_score": 0.1, "max_detections": None}},
     ["--expose", "min_score=0.1", "--expose", "max_detections"]),
    (FASTER, {"dynamic_batch": np.True_, "expose_per_image": ["max_detections"], "per_image_input": "images"},
     ["--dynamic-batch", "--expose-per-image", "max_detections", "--per-image-input", "images"]),
    (FASTER, {"layout": "tf-od", "count_type": "int64", "count_shape": "Bx1"},
     ["--to", "tf-od", "--count-type", "int64", "--count-shape", "Bx1"]),
    (FASTER_TWO, {"fields": ["boxes", "labels", "scores"], "batch": 2, "order": "image", "from_": "fields",
                  "label_type": "int32", "to": "efficientnms"},
     ["--fields", "boxes,labels,scores", "--batch", "2", "--order", "image", "--from", "fields",
      "--label-type", "int32", "--to", "efficientnms"]),
    (MASK, {"masks": "roi", "squeeze_masks": True, "dynamic_batch": False, "min_score": None},
     ["--masks", "roi", "--squeeze-masks"]),
    (MASK_TWO, {"mask_type": "bool", "mask_threshold": 0.75, "pad_value": {"masks": True}},
     ["--mask-type", "bool", "--mask-threshold", "0.75", "--pad-value", "masks=true"]),
]


@pytest.mark.parametrize("model, options, arguments", SAME)
def test_bytes_are_those_of_the_command(tmp_path, model, options, arguments):
    command("--quiet", *arguments, model, tmp_path / "command.onnx")
    wanted = (tmp_path / "command.onnx").read_bytes()
    once = dict(options)
    if "exclude_classes" in options:
        once["exclude_classes"] = list(options["exclude_classes"])
    report = padbatch.pad_outputs(model, tmp_path / "python.onnx", **once)
    assert (tmp_path / "python.onnx").read_bytes() == wanted
    assert report["file"] == str(model) and report["outputs"] and "serving_warnings" not in report
    assert padbatch.pad_outputs(str(model), **once) == wanted
    assert padbatch.pad_outputs(model.read_bytes(), **once) == wanted
    assert padbatch.pad_outputs(bytearray(model.read_bytes()), **once) == wanted
    loaded = onnx.load(model)
    before = loaded.SerializeToString()
    padded = padbatch.pad_outputs(loaded, **once)
    assert type(padded) is onnx.ModelProto and padded.SerializeToString() == wanted
    assert loaded.SerializeToString() == before


RAW = sorted((DATA / "raw").glob("*.onnx"))


def test_options_of_raw_heads_are_read(tmp_path):
    """Those that the models above do not take: each refused one names the keyword, each taken one gives the bytes."""
    options = {"head": "yolo", "iou_threshold": 0.5, "nms": "class-by-class", "multi_label": True, "conf": 0.3,
               "max_det": 50, "scores": "none"}
    arguments = ["--head", "yolo", "--iou-threshold", "0.5", "--nms", "class-by-class", "--multi-label",
                 "--conf", "0.3", "--max-det", "50", "--scores", "none"]
    same = 0
    for model in RAW:
        try:
            padded = padbatch.pad_outputs(model, **options)
        except padbatch.Error as error:
            assert error.kind in ("usage", "refused")
            continue
        command("--quiet", "--force", *arguments, model, tmp_path / "out.onnx")
        assert padded == (tmp_path / "out.onnx").read_bytes()
        same += 1
    assert same > 0


WRONG_TYPES = [
    {"max_detections": True}, {"max_detections": 2.0}, {"min_score": "0.5"}, {"min_score": True}, {"classes": 3},
    {"classes": "1,2"}, {"classes": [1.5]}, {"set": "score_thresh=0.5"}, {"set": {"score_thresh": "0.5"}},
    {"set": {1: 0.5}}, {"set": {"score_thresh": True}}, {"pad_value": {"labels": "-1"}}, {"rename": {"boxes": 1}},
    {"rename": [("boxes", "b")]}, {"expose": 3}, {"expose": [3]}, {"expose_per_image": {"min_score": 0.5}},
    {"masks": None, "mask_type": bool}, {"squeeze_masks": 1}, {"dynamic_batch": "yes"}, {"layout": 7},
    {"fields": "boxes,labels,scores"}, {"fields": [1]}, {"batch": "2"}, {"columns": "x1,y1"}, {"keypoints": 17},
    {"keypoints": (17, 3, 1)}, {"image_size": (640.0, 640)}, {"strides": [8.0]}, {"triton_repository": 3},
    {"model_name": b"x"}, {"force": None, "normalized": 0}, {"per_image_input": 3}, {"max_batch_size": None, "head": 1},
]


@pytest.mark.parametrize("options", WRONG_TYPES, ids=str)
def test_wrong_types(options):
    with pytest.raises(TypeError) as caught:
        padbatch.pad_outputs(FASTER, **options)
    text = str(caught.value)
    assert any(name in text for name in options) and "; expected " in text and "; write, for example, " in text
    assert "--" not in text


@pytest.mark.parametrize("model", [None, 3, [b"x"], object(), np.zeros(3), onnx.TensorProto(), onnx.NodeProto])
def test_wrong_models(model):
    with pytest.raises(TypeError, match="expected .*an onnx.ModelProto"):
        padbatch.pad_outputs(model)


def test_unknown_keywords():
    with pytest.raises(TypeError, match="max_detection"):
        padbatch.pad_outputs(FASTER, max_detection=3)
    with pytest.raises(TypeError, match="there is no option 'max_detection'"):
        padbatch.inspect(FASTER, max_detection=3)


WRONG_VALUES = [
    ({"max_detections": 0}, "max_detections is 0", "max_detections=20"),
    ({"max_detections": 2**31}, "max_detections is 2147483648", "max_detections=20"),
    ({"max_detections": "bach"}, "max_detections is 'bach'", "max_detections=20"),
    ({"min_score": -1}, "min_score is -1", "min_score=0.5"),
    ({"masks": "rio"}, "masks is 'rio'", "choose"),
    ({"layout": "efficientnm"}, "layout is 'efficientnm'", 'layout="efficientnms"'),
    ({"to": "yolo7"}, "to is 'yolo7'", 'to="yolov7"'),
    ({"from_": "flatt"}, "from_ is 'flatt'", 'from_="flat"'),
    ({"rename": {"boxs": "b"}}, 'rename={"boxs": "b"}', 'rename={"boxes": "b"}'),
    ({"rename": {"boxes": "a,b"}}, "with a comma", "another name"),
    ({"rename": {"boxes": ""}}, "empty text", "leave the option out"),
    ({"rename": {"boxes": "a\0b"}}, "NUL", "correct the text"),
    ({"rename": {"boxes": "\ud800"}}, "not Unicode", "correct the text"),
    ({"rename": {"bo=xes": "b"}}, "has the key 'bo=xes'", "correct the name"),
    ({"set": {"scor_thresh": 0.4}}, 'set={"scor_thresh": 0.4}', 'set={"score_thresh": 0.4}'),
    ({"set": {"score_thresh": 4}}, "score_thresh", 'set={"score_thresh": 0.3}'),
    ({"expose": "score"}, "'score'", 'expose={"min_score": 0.5}'),
    ({"expose": "min_score=0.5"}, "'min_score=0.5'", 'expose={"min_score": 0.5}'),
    ({"expose": {"min_score": 3}}, 'expose={"min_score": 3}', 'expose={"min_score": 0.5}'),
    ({"expose_per_image": "min_score"}, 'expose_per_image="min_score"', "dynamic_batch=True"),
    ({"pad_value": {"labels": True}}, 'pad_value={"labels": ...} is True or False', "correct the value"),
    ({"pad_value": {"labels": 0.5}}, 'pad_value={"labels": 0.5}', "correct"),
    ({"classes": []}, "classes is empty", "leave the option out"),
    ({"classes": [1], "exclude_classes": [2]}, "classes is given together with exclude_classes", "leave out"),
    ({"conf": 0.5, "min_score": 0.5}, "conf is given together with min_score", "leave out conf or min_score"),
    ({"layout": "yolov7", "to": "yolov7"}, "to is given together with layout", "leave out to or layout"),
    ({"keypoints": (17, 5)}, "keypoints is (17, 5)", "keypoints=(17, 3)"),
    ({"image_size": (0, 640)}, "image_size is 0", "image_size=(640, 640)"),
    ({"fields": ["boxes,labels"]}, "with a comma", 'fields=["boxes", "labels", "scores"]'),
    ({"fields": ["boxs"]}, "there is no field 'boxs'", "'boxes'"),
    ({"fields": ["boxes"], "columns": ["x1"]}, "fields is given together with columns", "leave out fields or columns"),
    ({"from_": "flat", "batch": 2}, 'batch is given together with from_="flat"', "leave out batch or from_"),
    ({"model_name": "x"}, "model_name is given without triton_repository", 'triton_repository="DIR"'),
    ({"triton_repository": "x"}, "triton_repository is given without model_name", "model_name=\"faster_rcnn"),
    ({"mask_threshold": 0.5, "masks": "none"}, 'masks="none"', "leave"),
]


@pytest.mark.parametrize("options, found, remedy", WRONG_VALUES, ids=lambda value: str(value)[:50])
def test_wrong_values(tmp_path, options, found, remedy):
    model = FASTER if "mask_threshold" not in options else MASK
    with pytest.raises(padbatch.Error) as caught:
        padbatch.pad_outputs(model, **options)
    error = caught.value
    assert error.kind == "usage" and found in error.found and remedy in error.remedy
    assert str(error) == f"{error.found}\n  expected: {error.expected}\n  what to do: {error.remedy}"
    assert not re.search(r"--[a-z]|onnx-pad-outputs", str(error)), str(error)
    assert error.document is None


def test_errors_of_files(tmp_path):
    def kind_of(*arguments, **options):
        with pytest.raises(padbatch.Error) as caught:
            padbatch.pad_outputs(*arguments, **options)
        assert str(tmp_path) in caught.value.found or arguments[0] == b"" or isinstance(arguments[0], bytes)
        assert "--" not in str(caught.value)
        return caught.value.kind

    text = tmp_path / "text.onnx"
    text.write_text("<html>not found</html>")
    there = tmp_path / "there.onnx"
    there.write_bytes(b"mine")
    new = tmp_path / "new.onnx"
    assert kind_of(tmp_path / "none.onnx") == "io"
    assert kind_of(tmp_path) == "io"
    assert kind_of(text) == "not_onnx"
    assert kind_of(text.read_bytes()) == "not_onnx"
    assert kind_of(b"") == "not_onnx"
    assert kind_of(FASTER.read_bytes()[:-10000]) == "not_onnx"
    assert kind_of(FASTER, there) == "io" and there.read_bytes() == b"mine"
    assert kind_of(FASTER, tmp_path / "no" / "folder.onnx") == "io"
    with pytest.raises(padbatch.Error, match="input file itself"):
        mine = tmp_path / "mine.onnx"
        mine.write_bytes(FASTER.read_bytes())
        padbatch.pad_outputs(mine, mine, force=True)
    assert mine.read_bytes() == FASTER.read_bytes()
    for path in ("", "a\0b"):
        with pytest.raises(padbatch.Error):
            padbatch.pad_outputs(path)
        with pytest.raises(padbatch.Error):
            padbatch.pad_outputs(FASTER, path)
    padbatch.pad_outputs(FASTER, there, force=True)
    with pytest.raises(padbatch.Error) as caught:
        padbatch.pad_outputs(there, new)
    assert caught.value.kind == "refused" and not new.exists()
    assert sorted(os.listdir(tmp_path)) == ["mine.onnx", "text.onnx", "there.onnx"]


def test_paths_that_are_not_plain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = os.fsdecode(b"--caf\xe9 \n.onnx")
    with open(odd, "wb") as file:
        file.write(FASTER.read_bytes())
    report = padbatch.pad_outputs(odd, "-out=1.onnx")
    assert report["file"] == odd and os.path.exists("-out=1.onnx")
    with pytest.raises(padbatch.Error, match="already padded"):
        padbatch.pad_outputs("-out=1.onnx")


def external(folder):
    """A model that keeps its weights in another file."""
    path = folder / "model.onnx"
    onnx.save_model(onnx.load(FASTER), path, save_as_external_data=True, location="weights.bin", size_threshold=64)
    return path


def test_weights_outside_the_file(tmp_path):
    path = external(tmp_path)
    (tmp_path / "other").mkdir()
    without = onnx.load(path, load_external_data=False)
    for model, output, why in [(path, None, "returned without a file"),
                               (path.read_bytes(), tmp_path / "out.onnx", "given without that file"),
                               (without, tmp_path / "out.onnx", "given without that file"),
                               (path, tmp_path / "other" / "out.onnx", "in another folder"),
                               (path, tmp_path / "weights.bin", "weights")]:
        with pytest.raises(padbatch.Error, match=why):
            padbatch.pad_outputs(model, output, force=True)
    command("--quiet", path, tmp_path / "command.onnx")
    padbatch.pad_outputs(path, tmp_path / "python.onnx")
    wanted = (tmp_path / "command.onnx").read_bytes()
    assert (tmp_path / "python.onnx").read_bytes() == wanted
    assert padbatch.pad_outputs(without).SerializeToString() == wanted  # who has it knows where its weights are
    whole = onnx.load(path)  # weights included
    assert padbatch.pad_outputs(whole).SerializeToString() == padbatch.pad_outputs(whole.SerializeToString())


class Huge:
    """Stands for a model whose message would be too large to make."""

    graph = None

    def ByteSize(self):  # noqa: N802
        return 2**31

    def SerializeToString(self):  # noqa: N802
        raise AssertionError("too large")

    @classmethod
    def FromString(cls, data):  # noqa: N802
        raise AssertionError("too large")


def test_messages_over_two_gigabytes():
    with pytest.raises(padbatch.Error, match="2147483648 bytes") as caught:
        padbatch.pad_outputs(Huge())
    assert caught.value.kind == "refused" and "external data" in caught.value.remedy


def test_a_repository(tmp_path):
    report = padbatch.pad_outputs(FASTER.read_bytes(), triton_repository=tmp_path / "python", model_name="detector",
                                  max_batch_size=4, dynamic_batch=True)
    (tmp_path / "command").mkdir()
    _, said = command("--triton-repository", tmp_path / "command", "--model-name", "detector", "--max-batch-size", 4,
                      "--dynamic-batch", FASTER)
    for file in ("config.pbtxt", "1/model.onnx"):
        assert (tmp_path / "python" / "detector" / file).read_bytes() == \
            (tmp_path / "command" / "detector" / file).read_bytes()
    assert len(report["warnings"]) == said.count("warning: ")
    with pytest.raises(padbatch.Error, match="force=True") as caught:
        padbatch.pad_outputs(FASTER, triton_repository=tmp_path / "python", model_name="detector", dynamic_batch=True)
    assert caught.value.kind == "io"
    with pytest.raises(padbatch.Error, match="named as the file to write"):
        padbatch.pad_outputs(FASTER, "out.onnx", triton_repository=tmp_path / "python", model_name="detector")


def test_warnings_of_the_command_are_given(tmp_path):
    """Each is a warning, at the caller's line, whatever comes back; and the report has them."""
    _, said = command("--max-detections", 200000, MASK, tmp_path / "out.onnx")
    texts = []
    for model, output in ((MASK, tmp_path / "out2.onnx"), (MASK, None), (onnx.load(MASK), None)):
        with pytest.warns(padbatch.PadWarning) as caught:
            result, line = padbatch.pad_outputs(model, output, max_detections=200000), python.currentframe().f_lineno
        assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}
        texts.append([str(warning.message) for warning in caught])
        if output is not None:
            assert result["warnings"] == texts[0]
    assert len(texts[0]) == said.count("warning: ") > 0 and texts[1] == texts[2] == texts[0]
    assert "a smaller max_detections=N" in texts[0][0]


def test_warnings_are_at_the_line_of_who_calls_the_package():
    """A function of the package that pads a model, as export does, is not where they are."""
    inside = {"__name__": "padbatch._some", "padbatch": padbatch}
    exec("def pads(model):\n    return padbatch.pad_outputs(model, max_detections=200000)", inside)
    with pytest.warns(padbatch.PadWarning) as caught:
        line = inside["pads"](MASK) and python.currentframe().f_lineno
    assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}


def test_warnings_for_a_server_are_given(tmp_path):
    with pytest.warns(padbatch.PadWarning) as caught:
        report = padbatch.pad_outputs(FASTER, triton_repository=tmp_path, model_name="detector")
    assert [str(warning.message) for warning in caught] == report["warnings"] != []


def test_a_model_without_warnings_gives_none(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert padbatch.pad_outputs(FASTER, tmp_path / "out.onnx")["warnings"] == []


def test_other_threads_run_meanwhile():
    """The interpreter is free during the work: a thread counts on."""
    model = MASK.read_bytes()
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1
            time.sleep(0.0001)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1)  # so that the thread only runs when the work lets go of the interpreter
    thread = threading.Thread(target=count)
    try:
        thread.start()
        before = counted[0]
        padbatch.pad_outputs(model)
        done.set()
        assert counted[0] > before
    finally:
        done.set()
        sys.setswitchinterval(switch)
        thread.join()


def test_threads_get_what_one_gets():
    models = [FASTER, FASTER_TWO, MASK]
    wanted = [padbatch.pad_outputs(model) for model in models]
    found = {}

    def pad(i):
        found[i] = padbatch.pad_outputs(models[i % 3].read_bytes())

    threads = [threading.Thread(target=pad, args=(i,)) for i in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(9)] == wanted * 3


def test_nothing_is_printed_and_onnx_is_not_needed(tmp_path):
    program = f"""
import sys
sys.modules["onnx"] = sys.modules["onnxruntime"] = sys.modules["torch"] = None
import padbatch
model = open({str(FASTER)!r}, "rb").read()
padbatch.pad_outputs(model)
for bad in (model[:-1000], b"\\x08\\xff\\xff", b"junk", b""):
    try:
        padbatch.pad_outputs(bad)
    except padbatch.Error:
        continue
    raise SystemExit("not refused")
padbatch.pad_outputs({str(FASTER)!r}, {str(tmp_path / 'out.onnx')!r})
padbatch.inspect({str(MASK)!r})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_errors_can_be_pickled():
    error = padbatch.Error("a", "b", "c", "usage", {"d": 1})
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "a\n  expected: b\n  what to do: c"
    assert (again.kind, again.document) == ("usage", {"d": 1})


@pytest.mark.parametrize("layout, value, expected", [
    ("ultralytics", {"scores": 0.5}, "scores of 0 or less"), ("ultralytics", {"scores": np.inf}, "scores of 0 or less"),
    ("mmdeploy", {"scores": 1}, "scores of 0 or less"), ("mmdeploy", {"labels": 0}, "the layout's label -1"),
])
def test_padding_that_a_layout_without_counts_could_not_tell_from_detections(layout, value, expected):
    with pytest.raises(padbatch.Error, match="which has no counts") as failure:
        padbatch.pad_outputs(FASTER, layout=layout, pad_value=value)
    assert (failure.value.kind, failure.value.expected) == ("usage", expected)
    for other in ({"scores": -1, "labels": -1}, {"scores": np.nan}, {"boxes": 1}):
        padbatch.pad_outputs(FASTER, layout=layout, pad_value=other)
    padbatch.pad_outputs(FASTER, layout="yolov7", pad_value=value)
