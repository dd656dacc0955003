# SPDX-License-Identifier: Apache-2.0
"""How Python spells the options of the rewrite: as keywords. The library's texts name them in backquotes,
`max_detections` 20, and the command's as flags, --max-detections 20; here both become max_detections=20."""

from __future__ import annotations

import re
from collections.abc import Iterator

FIELDS = ("boxes", "labels", "scores", "masks", "keypoints", "keypoints_scores", "mask_coefficients")
COLUMNS = ("batch", "x1", "y1", "x2", "y2", "cx", "cy", "w", "h", "label", "score")

LAYOUTS = ("torchvision", "efficientnms", "yolov7", "mmdeploy", "tf-od", "ultralytics")

# The words that an option of words takes, with the placeholders that texts have for them.
WORDS = {
    "masks": ("full", "roi", "none"),
    "mask_type": ("float", "uint8", "bool"),
    "layout": LAYOUTS,
    "to": LAYOUTS,
    "count_type": ("int32", "int64", "float32"),
    "count_shape": ("B", "Bx1"),
    "label_type": ("int32", "int64", "float32"),
    "from_": ("auto", "fields", "torchvision", "flat", "nms", "padded", "raw"),
    "order": ("image", "field"),
    "box_format": ("xyxy", "xywh", "cxcywh", "yxyx"),
    "head": ("yolo", "yolo-seg", "yolo-pose", "yolo-objectness", "yolo-objectness-seg", "yolo-obb",
             "boxes-scores", "detr"),
    "nms": ("shifted", "class-by-class", "none"),
    "scores": ("sigmoid", "softmax", "none"),
}
FLAGS = ("class_agnostic", "dynamic_batch", "force", "multi_label", "normalized", "squeeze_masks")
NUMBERS = ("batch", "conf", "iou_threshold", "mask_threshold", "max_batch_size", "max_det", "max_detections",
           "min_score", "num_classes")
NAMES = ("batch_index", "count_output", "expose_per_image", "model_name", "per_image_input", "shared_input",
         "triton_repository")
LISTS = ("classes", "columns", "exclude_classes", "fields", "strides")
PAIRS = ("expose", "pad_value", "rename", "set")
EXTENTS = ("image_size", "keypoints")

_ALL_WORDS = frozenset(map(frozenset, WORDS.values()))

# Where the keyword is not the name in the text.
RENAMED = {"from": "from_", "normalised": "normalized"}
ALL = frozenset((*WORDS, *FLAGS, *NUMBERS, *NAMES, *LISTS, *PAIRS, *EXTENTS))

# What may follow an option of names in a sentence, and is no name.
_PROSE = frozenset("and are as for gives has in is makes multiplies names of or out says such to with which".split())

_OPTION = re.compile(r"`([a-z_]+)`|(?<![\w'`-])--([a-z][a-z-]*)")
_ALTERNATIVES = re.compile(r", | or ")
_NUMBER = re.compile(r"-?[0-9][0-9.e+-]*(?<![.,])|[NBST]\b|batch\b")
_EXTENTS = re.compile(r"([0-9]+)x([0-9]+)\b|([A-Z])x([A-Z])\b")
_QUOTED_NUMBER = re.compile(r" is '([^']*)'")
_PAIR = re.compile(r"'([^'=]*)=([^']*)'|([A-Za-z_]+)=(\.\.\.|(?:[^\s,;:?)]|[,;:?)](?=\S))*)")
_NAME = re.compile(r"'([^']*)'|[^\s,;:']+")
_LIST = re.compile(r"[a-z0-9_]+(?:,[a-z0-9_]+)*")
_PLACEHOLDER = re.compile(r"[A-Z]+$")


# Whole texts that speak of the command line.
_PHRASES = (
    (re.compile(r"^onnx-pad-outputs \[OPTIONS\] --triton-repository .*"),
     'pad_outputs(model, triton_repository="DIR", model_name="NAME")'),
    (re.compile(r"^onnx-pad-outputs \[OPTIONS\] .*"), "pad_outputs(model, output)"),
    (re.compile(r"(?<=-pad-value )([a-z_]+) is a word"), r"\1 is True or False"),
    (re.compile(r"^write, for example, (?:--image-size 640|640x640)$"), "write, for example, image_size=(640, 640)"),
    (re.compile(r"^write, for example, (?:--keypoints 640|17x3)$"), "write, for example, keypoints=(17, 3)"),
    (re.compile(r"^write (image)( if .*, or )(field)(?= if )"), r'write "\1"\2"\3"'),
    (re.compile(r"(?<=, or )the word (batch)$"), r'"\1"'),
    (re.compile(r", several with commas, or none$"), ', several in a list, or "none"'),
    (re.compile(r"^(height and width|their number and 2 or 3) with an x between them$"), r"\1"),
    (re.compile(r", separated by commas without spaces, such as ([a-z0-9,]+)$"),
     lambda found: ", such as " + _quoted(found[1].split(","))),
)


def with_keywords(text: str) -> str:
    """`text` with every option that it names spelled as a keyword, and its value as Python writes that; and with quotes
    around words, if it is all words of an option: full, roi or none."""
    words = _ALTERNATIVES.split(text)
    if frozenset(words) in _ALL_WORDS:
        return _either(words)
    return "".join(piece for piece, _ in pieces(text))


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of that text, and of each whether it is an option."""
    for phrase, instead in _PHRASES:
        text = phrase.sub(instead, text)
    at = 0
    while (option := _OPTION.search(text, at)) is not None:
        name = (option[1] or option[2]).replace("-", "_")
        name = RENAMED.get(name, name)
        if name not in ALL:
            yield text[at:option.end()], False
            at = option.end()
            continue
        yield text[at:option.start()], False
        word, at = _with_value(name, text, option.end())
        yield word, True
    yield text[at:], False


def _either(words: list[str]) -> str:
    """Words with quotes, as a sentence names the choices."""
    *first, last = (f'"{word}"' for word in words)
    return " or ".join([", ".join(first), last] if first else [last])


def _quoted(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _with_value(name: str, text: str, end: int) -> tuple[str, int]:
    """The keyword, with the value that follows at `end` if there is one; and where the text goes on."""
    if name in FLAGS:
        return f"{name}=True", end
    if name in (*NUMBERS, *EXTENTS) and (value := _QUOTED_NUMBER.match(text, end)) is not None:
        number = _EXTENTS.sub(r"(\1, \2)", value[1])
        return f"{name} is " + (number if number[:1] == "(" or _is_number(number) else f"'{number}'"), value.end()
    if end == len(text) or text[end] != " ":
        return name, end
    spell = next(spell for names, spell in _SPELLERS if name in names)
    spelled = spell(name, text, end + 1)
    return (name, end) if spelled is None else (f"{name}={spelled[0]}", spelled[1])


def _number(name: str, text: str, at: int) -> tuple[str, int] | None:
    value = _NUMBER.match(text, at)
    if value is None or value[0] == "batch" and not name.startswith("max_det"):
        return None
    return ('"batch"' if value[0] == "batch" else value[0]), value.end()


def _extents(name: str, text: str, at: int) -> tuple[str, int] | None:
    value = _EXTENTS.match(text, at)
    return None if value is None else ("({}, {})".format(*(n for n in value.groups() if n)), value.end())


def _word(name: str, text: str, at: int) -> tuple[str, int] | None:
    """One of the option's words, or several, as in `masks` roi or none."""
    words = "|".join(map(re.escape, sorted(WORDS[name], key=len, reverse=True)))
    value = re.compile(rf"(?:{words})(?![\w-])(?:(?:\|| or )(?:{words})(?![\w-]))*").match(text, at)
    return None if value is None else (re.sub(words, r'"\g<0>"', value[0]).replace("|", " or "), value.end())


def _list(name: str, text: str, at: int) -> tuple[str, int] | None:
    value = _LIST.match(text, at)
    if value is None:
        return None
    items = value[0].split(",")
    known = {"fields": FIELDS, "columns": COLUMNS}.get(name)
    if known is not None:
        return (_quoted(items), value.end()) if all(item in known for item in items) else None
    if name == "strides" and items == ["none"]:
        return '"none"', value.end()
    return (f"[{', '.join(items)}]", value.end()) if all(map(str.isdecimal, items)) else None


def _name(name: str, text: str, at: int) -> tuple[str, int] | None:
    value = _NAME.match(text, at)
    if value is None or value[0] in _PROSE:
        return None
    return (value[0] if value[1] is not None else f'"{value[0]}"'), value.end()


def _pair(name: str, text: str, at: int) -> tuple[str, int] | None:
    value = _PAIR.match(text, at)
    if value is None:
        word = re.compile(r"[A-Za-z_]+").match(text, at)
        if word is not None and name == "expose" and word[0] in ("min_score", "max_detections", "NAME"):
            return f'"{word[0]}"', word.end()
        if word is not None and word[0] in (*FIELDS, "num_detections", "detections_per_img"):
            return f'{{"{word[0]}": ...}}', word.end()
        return None
    key, said = (value[1], value[2]) if value[1] is not None else (value[3], value[4])
    if said in ("", "..."):
        said = "..."
    elif name == "rename" or name != "set" and said not in ("VALUE", "DEFAULT") and not _is_number(said):
        said = f'"{said}"'
    return f'{{"{key}": {said}}}', value.end()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_SPELLERS = ((WORDS, _word), (NUMBERS, _number), (EXTENTS, _extents), (LISTS, _list), (NAMES, _name), (PAIRS, _pair))
