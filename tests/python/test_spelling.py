# SPDX-License-Identifier: Apache-2.0
"""The texts of the rewrite as Python shows them: options are keywords, and what they propose can be typed."""

import ast
import inspect as python
import pathlib
import re

import pytest
import padbatch
from padbatch import _spelling
from padbatch._spelling import pieces, with_keywords

from support_models import FASTER, FASTER_TWO, MASK

TEXTS = pathlib.Path(__file__).resolve().parent.parent / "texts.txt"
# Those that only the command line can lead to.
OF_THE_COMMAND_LINE = {"onnx_tools/cli/help.cpp", "onnx_tools/cli/main.cpp", "onnx_tools/cli/inspect.cpp"}
ONLY_THERE = re.compile(r"--(?:inspect|json|quiet|version|help)\b|OUT|wrong usage|are named")


def variants(text):
    """A text with other stand-ins for what the program fills in, and each of several texts."""
    some = re.search(r"\{([^{}]*)\}", text)
    if some is None:
        return [text]
    stands_for = some[1].split("|") if "|" in some[1] and "||" not in some[1] else ["3", "boxes"]
    return [whole for part in stands_for[:3] for whole in variants(text[:some.start()] + part + text[some.end():])][:64]


def library_texts():
    file = None
    for line in TEXTS.read_text().splitlines():
        if line.startswith("== "):
            file = line[3:]
        elif file is not None and file.startswith("onnx_tools/") and file not in OF_THE_COMMAND_LINE:
            text = re.sub(r"^-? *(?:found|expected|what to do|what|text):? *", "", line)
            if re.search(r"`|--[a-z]", text) and not ONLY_THERE.search(text):
                yield file, text


def test_every_text_names_keywords_that_python_can_read():
    keywords = set(python.signature(padbatch.pad_outputs).parameters)
    read = 0
    for file, text in library_texts():
        for variant in variants(text):
            spelled = with_keywords(variant)
            assert not re.search(r"(?<![\w-])--[a-z]", spelled), (file, variant, spelled)
            assert not [word for word in re.findall(r"`(\w+)`", spelled) if word in keywords], (file, variant, spelled)
            for piece, is_option in pieces(variant):
                if is_option:
                    name = re.match(r"\w+", piece)[0]
                    assert name in keywords, (file, variant, piece)
                    if "=" in piece:
                        ast.parse(f"pad_outputs(model, {piece})", mode="eval")
                        read += 1
    assert read > 150


def test_words_are_those_of_the_command():
    """The words that an option is known to take here are all that the rewrite takes."""
    for name, words in _spelling.WORDS.items():
        with pytest.raises(padbatch.Error) as caught:
            padbatch.pad_outputs(FASTER, **{name: "no such word"})
        expected = re.split(r", | or ", caught.value.expected)
        assert sorted(map(ast.literal_eval, expected)) == sorted(words), name


@pytest.mark.parametrize("text, wanted", [
    ("leave `dynamic_batch` out", "leave dynamic_batch=True out"),
    ("pass `max_detections` N (or `max_detections` batch)", 'pass max_detections=N (or max_detections="batch")'),
    ("pass `batch` B; `batch` says 3", "pass batch=B; batch says 3"),
    ("`masks` roi or none, and --masks roi", 'masks="roi" or "none", and masks="roi"'),
    ("`order` image|field", 'order="image" or "field"'),
    ("`from` flat; --from: `from`", 'from_="flat"; from_: from_'),
    ("use --to tf-od; `layout` tf-odd", 'use to="tf-od"; layout tf-odd'),
    ("`normalised` and --normalized", "normalized=True and normalized=True"),
    ("`set` score_thresh=0.5; --set NAME=VALUE", 'set={"score_thresh": 0.5}; set={"NAME": VALUE}'),
    ("--rename boxes=b: --rename 'a'", 'rename={"boxes": "b"}: rename \'a\''),
    ("--pad-value labels=-1, --pad-value scores=nan", 'pad_value={"labels": -1}, pad_value={"scores": nan}'),
    ("`expose` min_score, `expose` min_score=0.5", 'expose="min_score", expose={"min_score": 0.5}'),
    ("`per_image_input` im_shape, or `shared_input` im_shape",
     'per_image_input="im_shape", or shared_input="im_shape"'),
    ("`batch_index` and `count_output` are both given", "batch_index and count_output are both given"),
    ("`columns` x1,y1,x2,y2 are; `columns` names the column",
     'columns=["x1", "y1", "x2", "y2"] are; columns names the column'),
    ("`strides` 8,16,32 or `strides` none", 'strides=[8, 16, 32] or strides="none"'),
    ("`keypoints` 17x3; --image-size HxW", "keypoints=(17, 3); image_size=(H, W)"),
    ("the output '--masks' and `boxes`", "the output '--masks' and `boxes`"),
    ("full, roi or none", '"full", "roi" or "none"'), ("none, sigmoid or softmax", '"none", "sigmoid" or "softmax"'),
    ("B or Bx1", '"B" or "Bx1"'), ("full or roi", "full or roi"),
    ("full, roi or none of them", "full, roi or none of them"),
    ("--masks is 'rio'", "masks is 'rio'"), ("--max-detections is 'two'", "max_detections is 'two'"),
    ("write image if they are, or field if not", 'write "image" if they are, or "field" if not'),
    ("--min-score is 'nan'", "min_score is nan"), ("--max-detections is ''", "max_detections is ''"),
    ("--max-detections is '-2'", "max_detections is -2"), ("--image-size is '0x640'", "image_size is (0, 640)"),
    ("a whole number from 1 to 9, or the word batch", 'a whole number from 1 to 9, or "batch"'),
    ("a whole number from 1, several with commas, or none", 'a whole number from 1, several in a list, or "none"'),
    ("dynamo=False, a--masks, --masks-x, `no_option`", "dynamo=False, a--masks, --masks-x, `no_option`"),
])
def test_spelling(text, wanted):
    assert with_keywords(text) == wanted


# Calls that are refused, on models that tell why.
REFUSED = [
    (FASTER, {"max_detections": 0}), (FASTER, {"min_score": 2}), (FASTER, {"layout": "efficientnm"}),
    (FASTER, {"to": "yolo7"}), (FASTER, {"from_": "flatt"}), (FASTER, {"rename": {"boxs": "b"}}),
    (FASTER, {"set": {"scor_thresh": 0.4}}), (FASTER, {"set": {"score_thresh": 4}}), (FASTER, {"expose": "min_scor"}),
    (FASTER, {"expose": {"min_score": 3}}), (FASTER, {"expose_per_image": "min_score"}),
    (FASTER, {"expose": "min_score", "min_score": 0.5}),
    (FASTER, {"set": {"detections_per_img": 3}, "max_detections": 4}), (FASTER, {"masks": "none"}),
    (FASTER, {"classes": [1], "exclude_classes": [2]}), (FASTER, {"strides": [8, 16]}), (FASTER, {"head": "yolo"}),
    (FASTER, {"from_": "raw"}), (FASTER, {"normalized": True}), (FASTER, {"box_format": "cxcywh"}),
    (FASTER, {"layout": "ultralytics", "label_type": "int32"}), (FASTER, {"layout": "mmdeploy", "count_type": "int64"}),
    (FASTER, {"model_name": "x"}), (FASTER, {"fields": ["boxes"], "columns": ["x1"]}), 
    (FASTER, {"from_": "flat", "order": "image"}), (FASTER, {"batch_index": "x", "from_": "fields"}),
    (FASTER, {"keypoints": (17, 5)}), (FASTER, {"image_size": (0, 640)}), (FASTER, {"count_output": "boxes"}),
    (FASTER_TWO, {"dynamic_batch": True}), (FASTER_TWO, {"batch": 3}),
    (MASK, {"masks": "none", "mask_type": "uint8"}), (MASK, {"masks": "roi", "mask_type": "uint8"}),
    (MASK, {"mask_threshold": 0.5}),
    (MASK, {"dynamic_batch": True, "shared_input": "images", "per_image_input": "images"}),
]
# What a reader of a form puts in.
FORMS = {"N": 20, "B": 2, "DIR": "models", "NAME": "boxes_out", "FIELD": "boxes", "VALUE": 0}


def ways_out(error, options):
    """The calls that an error's remedy proposes: each part of it that names options, followed to the letter."""
    leaves = False
    for part in re.split(r"; |, or |, and (?=also )", error.remedy):
        if part.startswith("if ") or " if " in part:
            continue
        changed, proposes = dict(options), False
        if re.search(r"\b(leave|add|use|pass|write|give|name|choose|export|mean|correct)\b", part):
            leaves = "leave" in part
        for clause in re.split(r" or (?=leave)", part):
            for piece, is_option in pieces_of(clause):
                name = re.match(r"\w+", piece)[0]
                if not is_option or name not in python.signature(padbatch.pad_outputs).parameters:
                    continue
                if leaves:
                    proposes |= changed.pop(name, None) is not None
                elif "=" in piece and "..." not in piece:
                    tree = ast.parse(f"f({piece})", mode="eval").body.keywords[0]
                    value = tree.value.values[0] if isinstance(tree.value, ast.BoolOp) else tree.value
                    changed[name] = eval(compile(ast.Expression(value), "remedy", "eval"), {}, dict(FORMS))
                    proposes = True
            if leaves and proposes:
                break
        if proposes:
            yield part, changed


def pieces_of(text):
    """The options in a text that is spelled already."""
    at = 0
    for found in re.finditer(r'\b([a-z_]+)=(\{[^}]*\}|\[[^]]*\]|\([^)]*\)|"[^"]*"(?: or "[^"]*")*|[\w.-]+)|\b[a-z_]+\b',
                             text):
        yield found[0], True
        at = found.end()


@pytest.mark.parametrize("model, options", REFUSED, ids=lambda value: getattr(value, "stem", None) or str(value)[:60])
def test_remedies_can_be_followed(tmp_path, monkeypatch, model, options):
    """Doing what a remedy says leads on: to a padded model, or at least past what was found."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(padbatch.Error) as caught:
        padbatch.pad_outputs(model, **options)
    assert not re.search(r"--[a-z]|`[a-z_]+`|onnx-pad-outputs", str(caught.value)), str(caught.value)
    followed = 0
    for part, changed in ways_out(caught.value, options):
        followed += 1
        try:
            padbatch.pad_outputs(model, **changed)
        except padbatch.Error as error:
            assert error.found != caught.value.found, (part, changed, str(error))
    general = re.search(r"leave (?:the option|it|one of them|the default) out|leave one|correct|choose|export|"
                        r"did you mean|say which|give another", caught.value.remedy)
    assert followed or general, caught.value.remedy
