#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps tests/texts.txt, which holds every text that a user can see: help, reports, warnings and errors of the command
and of the library, statuses and static assertions of the headers. There they can be read, and a change reviewed, as a
whole.

    texts.py            compares the file with the sources, and prints what differs
    texts.py --write    writes it again

The texts are read from the C++ sources without compiling them: every string literal that has words in it is there, by
file and in order. What C++ puts between two literals stands in braces, as in `{name} has {n} rows`, and alternatives as
{one|the other}. The parts of an error are told apart by the names that the function called gives its parameters.
"""

import argparse
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("onnx_tools", "include/padbatch")
TARGET = "tests/texts.txt"

HEAD = """\
Every text of help, report and error, by file. Generated from the sources: change it there, then run
tests/texts.py --write. {...} is filled in by the program; {one|other} is one of several texts.
"""

TOKEN = re.compile(r"""
    (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<space>\s+)
  | (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^\s()\\]*)\((?P<inside>.*?)\)(?P=mark)")
  | (?P<string>(?:u8|[uUL])?"(?P<content>(?:\\.|[^"\\\n])*)")
  | (?P<char>(?:u8|[uUL])?'(?:\\.[^']*|[^'\\])')
  | (?P<number>\.?\d(?:'?[\w.]|(?<=[eEpP])[+-])*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>::|->|[-+*/%&|^]=|==|!=|<=|>=|&&|\|\||<<|\+\+|--|\.\.\.|.)
""", re.VERBOSE | re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
CLOSES = {"(": ")", "[": "]", "{": "}"}
# Wrappers that say nothing about the text.
WRAPPERS = ({"std", "::", "string"}, {"std", "::", "to_string"}, {"std", "::", "string_view"})
PART_NAMES = {"remedy": "what to do"}


class Token:
    def __init__(self, kind, text, position):
        self.kind, self.text, self.position = kind, text, position


class Literal:
    kind, text = "literal", '""'

    def __init__(self, value, position, source):
        self.value, self.position, self.source = value, position, source
        self.shown = False

    def has_words(self):
        return re.search(r"[A-Za-z]", self.value) is not None and re.search(r"\s", self.value) is not None


class Group:
    """What stands between two brackets; opener "#" is a preprocessor directive."""
    kind, text = "group", ""

    def __init__(self, opener, position):
        self.opener, self.position, self.inside = opener, position, []
        self.is_signature = False

    def is_block(self):
        return self.opener == "#" or self.opener == "{" and any(t.text == ";" or is_block(t) for t in self.inside)


def is_group(token, opener):
    return token.kind == "group" and token.opener == opener


def is_block(token):
    return token.kind == "group" and token.is_block()


def unescaped(content):
    def one(match):
        return ESCAPES.get(match.group(1), match.group())
    return re.sub(r"\\(.)", one, content)


def lexed(source):
    """The tokens of a file, flat; each directive is one group."""
    tokens, position, fresh_line = [], 0, True
    while position < len(source):
        if fresh_line and (directive := re.compile(r"[ \t]*#(?:\\\n|[^\n])*").match(source, position)):
            text = directive.group().replace("\\\n", "  ")
            group = Group("#", position)
            if not re.match(r"\s*#\s*include\b", text):
                group.inside = lexed(text.replace("#", " ", 1))
                for token in group.inside:
                    token.position += position
            tokens.append(group)
            position = directive.end()
            continue
        match = TOKEN.match(source, position)
        kind = match.lastgroup if match.lastgroup not in ("mark", "inside", "content") else \
            ("raw" if match.group("raw") else "string")
        if kind == "raw":
            tokens.append(Literal(match.group("inside"), position, match.group()))
        elif kind == "string":
            tokens.append(Literal(unescaped(match.group("content")), position, match.group()))
        elif kind not in ("comment", "space"):
            tokens.append(Token(kind, match.group(), position))
        fresh_line = kind == "space" and "\n" in match.group() or (fresh_line and kind in ("space", "comment"))
        position = match.end()
    return tokens


def nested(tokens):
    """The tokens of a file with what stands in brackets as groups."""
    top = Group("{", 0)
    stack = [top]
    for token in tokens:
        if token.kind == "sign" and token.text in CLOSES:
            group = Group(token.text, token.position)
            stack[-1].inside.append(group)
            stack.append(group)
        elif token.kind == "sign" and token.text in CLOSES.values():
            # Branches of #if may open a bracket twice: what does not fit is passed over.
            if len(stack) > 1 and CLOSES[stack[-1].opener] == token.text:
                stack.pop()
        else:
            stack[-1].inside.append(token)
    return top


def split(tokens, *signs):
    parts = [[]]
    for token in tokens:
        if token.kind == "sign" and token.text in signs:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def statements(block):
    """The statements of a block; the blocks of an `if`, of a function and so on end one."""
    part = []
    for i, token in enumerate(block.inside):
        if token.kind == "sign" and token.text == ";":
            yield part
            part = []
            continue
        part.append(token)
        after = block.inside[i + 1] if i + 1 < len(block.inside) else None
        if is_block(token) and not (after is not None and (after.text in (",", ".") or is_group(after, "("))):
            yield part
            part = []
    yield part


def code(tokens):
    """C++ code, short."""
    text, before = "", None
    for at, token in enumerate(tokens):
        if token.kind == "literal":
            piece = token.source
            token.shown = True
        elif token.kind == "group":
            if is_block(token):
                piece = "{…}"
            else:
                piece = token.opener + code(token.inside) + CLOSES.get(token.opener, "")
        elif token.text == ",":
            piece = ", "
        elif token.text in ("==", "!=", "&&", "||", "?", "+", "-", ":", "<=", ">=", "/", "%") and before is not None:
            piece = f" {token.text} "
        else:
            piece = token.text
        words = before is not None and before.kind in ("name", "number") and token.kind in ("name", "number", "literal")
        text += (" " if words else "") + piece
        before = tokens[at]
    return text.strip()


def without_wrapper(tokens):
    """What std::string(...) or std::to_string(...) holds, or the tokens themselves."""
    while len(tokens) == 4 and {t.text for t in tokens[:3]} in WRAPPERS and is_group(tokens[3], "("):
        tokens = tokens[3].inside
    while len(tokens) == 1 and is_group(tokens[0], "("):
        tokens = tokens[0].inside
    return tokens


def has_text(tokens):
    """Whether an expression is a text with a literal of its own in it, not only in the arguments of a call."""
    if any(token.kind == "literal" for token in tokens):
        return True
    for operand in split(tokens, "+", "?", ":"):
        inner = without_wrapper(operand)
        if inner is not operand and has_text(inner):
            return True
    return False


def alternatives(tokens):
    """`a` and `b` of `condition ? a : b`, with the alternatives of b; or None."""
    first = next((i for i, t in enumerate(tokens) if t.kind == "sign" and t.text == "?"), None)
    if first is None:
        return None
    depth = 0
    for i in range(first + 1, len(tokens)):
        if tokens[i].kind == "sign" and tokens[i].text == "?":
            depth += 1
        elif tokens[i].kind == "sign" and tokens[i].text == ":":
            if depth == 0:
                rest = tokens[i + 1:]
                return [tokens[first + 1:i], *(alternatives(rest) or [rest])]
            depth -= 1
    return None


def text_of(tokens):
    """An expression as a text."""
    tokens = without_wrapper(tokens)
    choices = alternatives(tokens)
    if choices is not None:
        return "{" + "|".join(text_of(choice) for choice in choices) + "}"
    operands = split(tokens, "+")
    if len(operands) > 1:
        return "".join(text_of(operand) for operand in operands)
    if tokens and all(token.kind == "literal" or re.fullmatch(r"[A-Z_0-9]+", token.text) for token in tokens) and \
            any(token.kind == "literal" for token in tokens):
        return "".join(show(token) if token.kind == "literal" else "{" + token.text + "}" for token in tokens)
    return "{" + code(tokens) + "}"


def show(literal):
    literal.shown = True
    return literal.value


def words_in(tokens):
    """Whether a text with words, shown by no other entry, stands in an expression."""
    return any(token.kind == "literal" and token.has_words() and not token.shown or
               token.kind == "group" and words_in(token.inside) for token in tokens)


def literals_in(tokens):
    for token in tokens:
        if token.kind == "literal":
            yield token
        elif token.kind == "group":
            yield from literals_in(token.inside)


def called(tokens, at):
    """The name in front of the group tokens[at]: `f(`, `f<T>(` or `T{`; or None."""
    before = at - 1
    if before >= 0 and tokens[before].text == ">":
        depth = 0
        while before >= 0:
            depth += {">": 1, "<": -1}.get(tokens[before].text, 0)
            before -= 1
            if depth == 0:
                break
    return tokens[before].text if before >= 0 and tokens[before].kind == "name" else None


def parameter_names(group):
    """The names of a list of parameters, or None if a group is no such list."""
    names = []
    for parameter in split(group.inside, ","):
        declared = parameter
        for i, token in enumerate(parameter):
            if token.text == "=":
                declared = parameter[:i]
                break
        if len(declared) < 2 or declared[-1].kind != "name" or declared[-2].text in ("::", ".", "->", "return"):
            return None
        if any(t.kind not in ("name", "sign") or t.kind == "sign" and t.text not in ("::", "<", ">", "&", "&&", "*",
                                                                                    "...") for t in declared):
            return None
        names.append(declared[-1].text)
    return names or None


def find_signatures(tokens, signatures):
    """Notes the names of the parameters of each function and named lambda, by its name and their number."""
    for at, token in enumerate(tokens):
        if token.kind != "group":
            continue
        find_signatures(token.inside, signatures)
        if token.opener != "(":
            continue
        name = None
        if at >= 2 and tokens[at - 1].kind == "name":
            is_type = tokens[at - 2].kind == "name" and tokens[at - 2].text not in ("return", "throw", "else", "new")
            if is_type or tokens[at - 2].text in (">", "&", "*"):
                name = tokens[at - 1].text
        elif at >= 3 and is_group(tokens[at - 1], "[") and tokens[at - 2].text == "=":
            name = tokens[at - 3].text
        names = parameter_names(token) if name is not None else None
        if names is not None:
            token.is_signature = True
            signatures.setdefault((name, len(names)), names)


class Reader:
    """Collects the entries of one file: (position, lines)."""

    def __init__(self, signatures):
        self.signatures, self.entries = signatures, []

    def add(self, position, text):
        lines = ("- " + text.strip("\n").replace("\n", "\n  ")).split("\n")
        self.entries.append((position, "\n".join(line.rstrip() for line in lines)))

    def read(self, file):
        for statement in statements(file):
            self.read_item(statement)
        for literal in literals_in(file.inside): # what no rule above has shown
            if literal.has_words() and not literal.shown:
                self.add(literal.position, show(literal))
        return [text for _, text in sorted(self.entries, key=lambda entry: entry[0])]

    def read_item(self, item):
        """A statement or an argument."""
        if not words_in(item):
            return
        if len(item) == 1 and is_group(item[0], "#"):
            directive = item[0].inside
            if directive[0].text == "error":
                self.add(item[0].position, "#error: " + text_of(directive[1:]))
            else:
                self.read_item(directive)
            return
        start = 0
        for i, token in enumerate(item):
            if token.kind == "sign" and token.text in ("=", "+="):
                start = i + 1
            elif token.text in ("return", "throw", "else"):
                start = i + 1
            elif token.text == ":" and item[0].text in ("case", "default"):
                self.read_item(item[i + 1:])
                return
        expression = item[start:]
        if expression and has_text(expression) and not any(is_block(t) for t in expression):
            self.add(expression[0].position, text_of(expression))
            return
        for at, token in enumerate(item):
            if token.kind == "group":
                self.read_group(token, called(item, at))

    def read_group(self, group, name):
        if group.is_signature:
            for parameter in split(group.inside, ","):
                self.read_item(parameter)
            return
        if group.is_block():
            if group.opener == "#":
                self.read_item(group.inside)
                return
            for statement in statements(group):
                self.read_item(statement)
            return
        arguments = split(group.inside, ",")
        if not self.read_error(group, arguments, name):
            for argument in arguments:
                self.read_item(argument)

    def read_error(self, group, arguments, name):
        """Reads the arguments of a call that makes an error, or of one whose parameters have names; False if they are
        none."""
        first = [token.text for token in arguments[0]] if arguments else []
        if first[:2] == ["status_code", "::"] or first[-3:-1] == ["status_code", "::"]:
            if len(arguments) < 2 or not has_text(arguments[1]) or not words_in(arguments[1]):
                return False
            values = iter([text_of(value) for value in arguments[2:]])
            text = re.sub(r"\{\}", lambda place: next(values, place.group()), text_of(arguments[1]))
            self.add(group.position, f"status_code::{first[-1]}: {text}")
            return True
        if first[:2] == ["failure", "::"] and len(arguments) == 2 and is_group(arguments[1][-1], "{"):
            return self.add_parts(group, split(arguments[1][-1].inside, ","), ["found", "expected", "remedy"])
        if name == "problem":
            return self.add_parts(group, arguments, ["found", "expected", "remedy"])
        if name == "static_assert" and len(arguments) > 1 and has_text(arguments[-1]):
            self.add(group.position, "static_assert: " + text_of(arguments[-1]))
            return True
        names = self.signatures.get((name, len(arguments)))
        if names and "remedy" in names:
            return self.add_parts(group, arguments, names)
        if names and len(names) > 1:
            for label, argument in zip(names, arguments):
                if has_text(argument) and words_in(argument) and not any(is_block(t) for t in argument):
                    self.add(argument[0].position, f"{name}, {label}: {text_of(argument)}")
                else:
                    self.read_item(argument)
            return True
        return False

    def add_parts(self, group, arguments, names):
        if len(arguments) != len(names) or any(is_block(t) for argument in arguments for t in argument):
            return False
        parts = [(PART_NAMES.get(name, name) + ":", argument) for name, argument in zip(names, arguments)
                 if name in ("found", "expected", "remedy") or has_text(argument)]
        width = max(len(label) for label, _ in parts) + 1
        lines = []
        for label, argument in parts:
            text = text_of(argument).strip("\n").replace("\n", "\n" + " " * width)
            lines.append(label.ljust(width) + text)
        self.add(group.position, "\n".join(lines))
        return True


def sources(root):
    for folder in FOLDERS:
        yield from sorted(file for file in (root / folder).rglob("*") if file.suffix in (".cpp", ".hpp"))


def generated(root):
    files = {file.relative_to(root).as_posix(): nested(lexed(file.read_text())) for file in sources(root)}
    everywhere = {}
    of_file = {}
    for path in sorted(files):
        of_file[path] = {}
        find_signatures(files[path].inside, of_file[path])
        everywhere = of_file[path] | everywhere
    parts = [HEAD]
    for path in sorted(files):
        entries = Reader(everywhere | of_file[path]).read(files[path])
        if not entries:
            continue
        text = "\n".join(entries)
        for literal in literals_in(files[path].inside):
            require_shown(path, literal, text)
        parts.append(f"\n== {path}\n\n{text}\n")
    return "".join(parts)


def require_shown(path, literal, text):
    """Fails if a literal with words is not in the texts of its file: a defect of this script."""
    if literal.has_words():
        squeezed = re.sub(r"\s+", " ", text)
        for piece in re.split(r"\{\}|\n", literal.value):
            if re.sub(r"\s+", " ", piece.strip()) not in squeezed and literal.source not in text:
                sys.exit(f"{path}: tests/texts.py loses the text {piece!r}; correct the script")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    arguments.add_argument("--write", action="store_true", help=f"write {TARGET} again")
    arguments.add_argument("--root", type=pathlib.Path, default=ROOT, help="of the tree")
    given = arguments.parse_args()
    target = given.root / TARGET
    now = generated(given.root)
    if given.write:
        target.write_text(now)
        return 0
    before = target.read_text() if target.exists() else ""
    if before == now:
        return 0
    sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), now.splitlines(True), TARGET, "the sources"))
    print(f"{TARGET} does not hold the texts of the sources: run tests/texts.py --write and read the diff")
    return 1


if __name__ == "__main__":
    sys.exit(main())
