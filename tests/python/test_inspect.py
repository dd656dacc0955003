# SPDX-License-Identifier: Apache-2.0
"""inspect: the command's JSON document, as a dict."""

import json
import re

import onnx
import pytest
import padbatch
from padbatch._spelling import with_keywords

from support_models import DATA, FASTER, FASTER_TWO, MASK, SSD, command


def spelled(value):
    """A document of the command with keywords for flags, wherever they are."""
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return with_keywords(value) if isinstance(value, str) else value


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


@pytest.mark.parametrize("model, options, arguments", [
    (FASTER, {}, []),
    (FASTER, {"dynamic_batch": True, "max_detections": "batch", "expose": "min_score"},
     ["--dynamic-batch", "--max-detections", "batch", "--expose", "min_score"]),
    (FASTER_TWO, {"classes": [1]}, ["--classes", "1"]),
    (MASK, {"masks": "roi", "layout": "mmdeploy", "min_score": 0.1},
     ["--masks", "roi", "--to", "mmdeploy", "--min-score", "0.1"]),
    (SSD, {}, []),
], ids=lambda value: getattr(value, "stem", None))
def test_the_document_is_the_commands(model, options, arguments):
    printed, _ = command("--inspect", "--json", *arguments, model)
    wanted = spelled(json.loads(printed))
    found = padbatch.inspect(model, **options)
    assert found == wanted
    assert not any(re.search(r"--[a-z]", text) for text in texts(found))
    assert padbatch.inspect(model.read_bytes(), **options) == {**wanted, "file": None}
    assert padbatch.inspect(onnx.load(model), **options) == {**wanted, "file": None}


def test_a_refused_model(tmp_path):
    padbatch.pad_outputs(FASTER, tmp_path / "padded.onnx")
    printed, said = command("--inspect", "--json", tmp_path / "padded.onnx", code=5)
    with pytest.raises(padbatch.Error) as caught:
        padbatch.inspect(tmp_path / "padded.onnx")
    error = caught.value
    assert error.kind == "refused" and error.document == spelled(json.loads(printed))
    assert str(error) == error.document["error"] and error.found in said


def test_errors_that_have_no_document(tmp_path):
    for model, options, kind in [(tmp_path / "none.onnx", {}, "io"), (b"junk", {}, "not_onnx"),
                                 (FASTER, {"max_detections": 0}, "usage"), (FASTER, {"batch": 2}, "usage")]:
        with pytest.raises(padbatch.Error) as caught:
            padbatch.inspect(model, **options)
        assert (caught.value.kind, caught.value.document) == (kind, None)
    with pytest.raises(padbatch.Error, match="leave model_name out"):
        padbatch.inspect(FASTER, model_name="detector")
    with pytest.raises(TypeError, match="an onnx.ModelProto"):
        padbatch.inspect(7)


def test_every_model_is_inspected_as_it_is_padded():
    """What the document says of the outputs is what the padded model has."""
    for model in sorted(DATA.glob("ssd*.onnx")):
        document = padbatch.inspect(model)
        outputs = onnx.load_from_string(padbatch.pad_outputs(model)).graph.output
        assert [output["name"] for output in document["outputs"]] + document["other_outputs"] == \
            [output.name for output in outputs]
