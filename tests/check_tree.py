#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the structure of the tree: that no include runs up or in a circle, that the tests mirror the sources, and that
each source file has its licence and each header its guard.

    check_tree.py [ROOT]
    check_tree.py --self-test    makes a small tree, breaks it in each way, and sees that it is found

The layers are read from docs/design.md. Under "### Layers", the table `| layer | headers |` names every header of
include/padbatch, as `name` or `folder/name`; a header includes what stands in its own row or above it. Under
"### Rooms", the table `| room | holds |` does the same for onnx_tools: its rows are folders (`model/`) or files
(`rewrite`), and a folder's other cells name each of its sources once, without extension. What stands in parentheses is
explanation. Whatever the rows say, nothing includes itself by a detour; a .cpp counts as one with the .hpp of its name.
"""

import argparse
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = pathlib.PurePosixPath("include/padbatch")
MODULES = pathlib.PurePosixPath("python/src")
TOOLS = pathlib.PurePosixPath("onnx_tools")
TESTS = pathlib.PurePosixPath("tests")

# Sources without a test of their name, and the test that does that work.
TESTED_BY = {
    "include/padbatch/padbatch.hpp": "tests/umbrella_test.cpp",
}


class Tree:
    """A tree of files; paths are relative to its root."""

    def __init__(self, root):
        self.root = root
        self.files = sorted(self.find(root))
        self.names = {str(path) for path in self.files}

    def find(self, folder):
        for entry in folder.iterdir():
            # Not what git, builds and editors keep here.
            if entry.name.startswith(".") or entry.name in ("build", "__pycache__") or entry.is_symlink():
                continue
            if entry.is_dir():
                if not (entry / "CMakeCache.txt").exists():
                    yield from self.find(entry)
            else:
                yield pathlib.PurePosixPath(entry.relative_to(self.root).as_posix())

    def under(self, folder, *suffixes):
        return [path for path in self.files if folder in path.parents and path.suffix in suffixes]

    def text(self, path):
        return (self.root / path).read_text(errors="replace")


# --- includes


def included(tree, path):
    """(line number, path in the tree) of each include of padbatch or onnx_tools; the path need not exist."""
    text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment.group().count("\n"), tree.text(path), flags=re.DOTALL)
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if not found:
            continue
        beside = path.parent / found.group(2)
        if found.group(1) == '"' and str(beside) in tree.names:
            yield number, beside
        elif found.group(2).startswith("padbatch/"):
            yield number, HEADERS.parent / found.group(2)
        elif found.group(2).startswith("onnx_tools/"):
            yield number, pathlib.PurePosixPath(found.group(2))


def unit(path):
    """What a file is part of: x.hpp and x.cpp are one."""
    return str(path.with_suffix(""))


def table(tree, heading, columns):
    """The rows of the table under a heading of docs/design.md: lists of cells. None if there is no such table."""
    design = "docs/design.md"
    text = tree.text(design) if design in tree.names else ""
    section = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    rows = re.search(rf"^\| *{columns[0]} *\| *{columns[1]}\b.*\n\|[-| :]+\n((?:\|.*\n?)*)",
                     section.group(1) if section else "", re.MULTILINE)
    return [row.strip().strip("|").split("|") for row in rows.group(1).strip().split("\n")] if rows else None


def names_in(text):
    return re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", text))


def header_layers(tree):
    """(number of the row of each header, findings)"""
    rows = table(tree, "Layers", ("layer", "headers"))
    if rows is None:
        return {}, ["docs/design.md: there is no table '| layer | headers |' under '### Layers'"]
    layers, findings = {}, []
    for number, row in enumerate(rows):
        for name in names_in("|".join(row[1:])):
            path = str(HEADERS / f"{name}.hpp")
            if path in layers:
                findings.append(f"docs/design.md, Layers: `{name}` stands there twice")
            if path not in tree.names:
                findings.append(f"docs/design.md, Layers: `{name}` is not a header: there is no {path}")
            layers[path] = number
    for path in tree.under(HEADERS, ".hpp"):
        if str(path) not in layers:
            name = path.relative_to(HEADERS).with_suffix("")
            findings.append(f"docs/design.md, Layers: {path} is missing; add `{name}` to a row")
    return layers, findings


def room_layers(tree):
    """(number of the row of each source of onnx_tools, findings)"""
    rows = table(tree, "Rooms", ("room", "holds"))
    if rows is None:
        return {}, ["docs/design.md: there is no table '| room | holds |' under '### Rooms'"]
    layers, findings, listed = {}, [], set()
    for number, row in enumerate(rows):
        for room in names_in(row[0]):
            if room.endswith("/"):
                folder = TOOLS / room
                units = {unit(path) for path in tree.under(folder, ".hpp", ".cpp")}
                named = [str(folder / name) for name in names_in("|".join(row[1:]))]
            else:
                folder = TOOLS
                units = named = [str(TOOLS / re.sub(r"\.[hc]pp$", "", room))]
            for name in named:
                if name in listed:
                    findings.append(f"docs/design.md, Rooms: `{name}` stands there twice")
                if not {f"{name}.hpp", f"{name}.cpp"} & tree.names:
                    findings.append(f"docs/design.md, Rooms: `{room}` names {name}, and there is no such source")
                listed.add(name)
            for name in sorted(set(units) - set(named)):
                findings.append(f"docs/design.md, Rooms: the row of `{room}` does not name "
                                f"`{pathlib.PurePosixPath(name).relative_to(folder)}`")
            for path in (f"{name}{suffix}" for name in units for suffix in (".hpp", ".cpp")):
                layers[path] = number
    for path in tree.under(TOOLS, ".hpp", ".cpp"):
        if str(path) not in layers:
            findings.append(f"docs/design.md, Rooms: {path} is in none of the rooms")
    return layers, findings


def check_includes(tree):
    headers, findings = header_layers(tree)
    rooms, more = room_layers(tree)
    findings += more
    graph = {}
    for path in tree.under(HEADERS, ".hpp") + tree.under(TOOLS, ".hpp", ".cpp"):
        for line, target in included(tree, path):
            where = f"{path}:{line}: includes {target}"
            if str(target) not in tree.names:
                findings.append(f"{where}, which does not exist")
                continue
            if unit(target) != unit(path):
                graph.setdefault(unit(path), set()).add(unit(target))
            elif target == path:
                findings.append(f"{where}: itself")
            for layers, what in ((headers, "Layers"), (rooms, "Rooms")):
                if layers.get(str(target), -1) > layers.get(str(path), sys.maxsize):
                    findings.append(f"{where}, which stands below it in docs/design.md, {what}: the include runs up")
            if HEADERS in path.parents and TOOLS in target.parents:
                findings.append(f"{where}: headers know nothing of onnx_tools")
    return findings + [f"a circle of includes: {' -> '.join(circle)}" for circle in circles(graph)]


def circles(graph):
    """One circle for each edge that closes one, depth first."""
    done, found = set(), []

    def visit(node, path):
        path.append(node)
        for other in sorted(graph.get(node, ())):
            if other in path:
                circle = path[path.index(other):]
                first = circle.index(min(circle))
                found.append([*circle[first:], *circle[:first], circle[first]])
            elif other not in done:
                visit(other, path)
        path.pop()
        done.add(node)

    for node in sorted(graph):
        if node not in done:
            visit(node, [])
    return found


# --- the mirror of the tests


def named_after(tree, test, folder):
    """The source that x_test.cpp or x_*_test.cpp is named after: the longest name in `folder`, or in its detail/. None
    if there is none."""
    words = test.name.removesuffix("_test.cpp").split("_")
    for n in range(len(words), 0, -1):
        stem = "_".join(words[:n])
        for source in (folder / stem, folder / "detail" / stem):
            if {f"{source}.hpp", f"{source}.cpp"} & tree.names:
                return str(source)
    return None


def check_mirror(tree, tested_by):
    findings = []
    tested = set()
    for test in tree.under(TESTS, ".cpp"):
        if not test.name.endswith("_test.cpp") or TESTS / TOOLS / "engines" in test.parents:
            continue
        is_tool = TESTS / TOOLS in test.parents
        inside = test.parent.relative_to(TESTS)
        source = named_after(tree, test, inside if is_tool else HEADERS / inside)
        tested.add(source)
        if source is None and is_tool:
            findings.append(f"{test} is named after no source: {inside} has none whose name it begins with")

    missing = set()
    for path in tree.under(TOOLS, ".hpp", ".cpp") + tree.under(HEADERS, ".hpp"):
        inside = path.relative_to(HEADERS) if HEADERS in path.parents else path
        # A header in adapters/eigen/ is part of adapters/eigen.hpp.
        whole = inside.parent if f"{HEADERS / inside.parent}.hpp" in tree.names else inside.with_suffix("")
        test = TESTS / f"{whole}_test.cpp"
        source = str(HEADERS / whole) if HEADERS in path.parents else str(whole)
        second = path.suffix == ".cpp" and str(path.with_suffix(".hpp")) in tree.names
        if source in tested or second or path.name == "main.cpp" or "detail" in inside.parts:
            continue
        missing.add(str(path))
        if str(path) not in tested_by:
            findings.append(f"{path} has no test: {test} or {test.name.replace('_test.cpp', '_*_test.cpp')} is missing")
    for source, test in tested_by.items():
        for path in (source, test):
            if path not in tree.names:
                findings.append(f"tests/check_tree.py: TESTED_BY names {path}, which does not exist")
        if source in tree.names and source not in missing:
            findings.append(f"tests/check_tree.py: TESTED_BY names {source}, which has a test of its name: remove it "
                            "there")
    return findings


# --- each file by itself


def check_licences(tree):
    for path in tree.files:
        is_source = path.suffix in (".cpp", ".hpp", ".py", ".cmake") or path.name == "CMakeLists.txt" or \
            path.parts[0] == "scripts"
        if is_source and not any("SPDX-License-Identifier: Apache-2.0" in line
                                 for line in tree.text(path).split("\n")[:2]):
            yield f"{path}: 'SPDX-License-Identifier: Apache-2.0' is in neither of its first two lines"


def check_guards(tree):
    for path in tree.files:
        if path.suffix != ".hpp":
            continue
        inside = path
        for folder, name in ((HEADERS, ""), (MODULES, "python")):
            if folder in path.parents:
                inside = name / path.relative_to(folder)
        guard = "PADBATCH_" + re.sub(r"[^A-Z0-9]+", "_", str(inside).upper())
        directives = re.findall(r"^[ \t]*#[ \t]*(.*?)[ \t]*$", tree.text(path), re.MULTILINE)
        if directives[:2] != [f"ifndef {guard}", f"define {guard}"] or not directives[-1].startswith("endif"):
            yield f"{path}: its guard is not {guard}, by its path"


def findings_of(root, tested_by):
    tree = Tree(root)
    return [*check_includes(tree), *check_mirror(tree, tested_by), *check_licences(tree), *check_guards(tree)]


# --- the test of this script

SPDX = "SPDX-License-Identifier: Apache-2.0"


def small_header(guard, *includes):
    lines = "".join(f"#include <{name}>\n" for name in includes)
    return f"// {SPDX}\n#ifndef {guard}\n#define {guard}\n{lines}#endif\n"


GOOD = {
    "docs/design.md": "### Layers\n\n| layer | headers |\n|---|---|\n| low (not `high`) | `low` (`x`), `detail/d` |\n"
                      "| high | `high` |\n| others | `adapters/lib`, `adapters/lib/part` |\n\n### Rooms\n\n"
                      "| room | holds |\n|---|---|\n| `error.hpp` | errors |\n| `model/` | `graph`, `sub/deep` |\n"
                      "| `rewrite` | the entry |\n| `cli/` | `main` | `options` |\n\n## After\n",
    "include/padbatch/low.hpp": small_header("PADBATCH_LOW_HPP", "padbatch/detail/d.hpp", "vector"),
    "include/padbatch/detail/d.hpp": small_header("PADBATCH_DETAIL_D_HPP"),
    "include/padbatch/high.hpp": small_header("PADBATCH_HIGH_HPP", "padbatch/low.hpp"),
    "include/padbatch/adapters/lib.hpp": small_header("PADBATCH_ADAPTERS_LIB_HPP", "padbatch/high.hpp"),
    "include/padbatch/adapters/lib/part.hpp": small_header("PADBATCH_ADAPTERS_LIB_PART_HPP",
                                                           "padbatch/adapters/lib.hpp"),
    "onnx_tools/error.hpp": small_header("PADBATCH_ONNX_TOOLS_ERROR_HPP"),
    "onnx_tools/rewrite.hpp": small_header("PADBATCH_ONNX_TOOLS_REWRITE_HPP", "onnx_tools/model/graph.hpp"),
    "onnx_tools/rewrite.cpp": f"// {SPDX}\n#include <onnx_tools/rewrite.hpp>\n#include <padbatch/high.hpp>\n",
    "onnx_tools/model/graph.hpp": small_header("PADBATCH_ONNX_TOOLS_MODEL_GRAPH_HPP"),
    "onnx_tools/model/graph.cpp": f'// {SPDX}\n#include "graph.hpp"\n#include <onnx_tools/model/sub/deep.hpp>\n',
    "onnx_tools/model/sub/deep.hpp": small_header("PADBATCH_ONNX_TOOLS_MODEL_SUB_DEEP_HPP", "onnx_tools/error.hpp"),
    "onnx_tools/cli/options.cpp": f"// {SPDX}\n#include <onnx_tools/rewrite.hpp>\n",
    "onnx_tools/cli/main.cpp": f"// {SPDX}\n",
    "tests/low_test.cpp": f"// {SPDX}\n",
    "tests/all_test.cpp": f"// {SPDX}\n",
    "tests/adapters/lib_test.cpp": f"// {SPDX}\n",
    "tests/onnx_tools/error_test.cpp": f"// {SPDX}\n",
    "tests/onnx_tools/rewrite_errors_test.cpp": f"// {SPDX}\n",
    "tests/onnx_tools/model/graph_test.cpp": f"// {SPDX}\n",
    "tests/onnx_tools/model/sub/deep_test.cpp": f"// {SPDX}\n",
    "tests/onnx_tools/cli/options_test.cpp": f"// {SPDX}\n",
    "tests/onnx_tools/engines/runtime_test.cpp": f"// {SPDX}\n",
    "scripts/test": f"#!/bin/sh\n# {SPDX}\n",
    "CMakeLists.txt": f"# {SPDX}\n",
    "build/CMakeLists.txt": "no source of the tree",
    "out/CMakeCache.txt": "",
    "out/made.py": "no source of the tree",
}
GOOD_TESTED_BY = {"include/padbatch/high.hpp": "tests/all_test.cpp"}

# What is done to the good tree: {path: (text to replace, new text)}, or a file's whole text, or None to remove it; and
# what each finding must say, in order.
FAULTS = [
    ({"include/padbatch/low.hpp": ("padbatch/detail/d.hpp", "padbatch/high.hpp")},
     ["low.hpp:4: includes include/padbatch/high.hpp, which stands below",
      "circle of includes: include/padbatch/high -> include/padbatch/low -> include/padbatch/high"]),
    ({"include/padbatch/detail/d.hpp": ("#endif", "#include <padbatch/low.hpp>\n#endif")},
     ["circle of includes: include/padbatch/detail/d -> include/padbatch/low -> include/padbatch/detail/d"]),
    ({"include/padbatch/low.hpp": ("<vector>", "<padbatch/low.hpp>")},
     ["low.hpp:5: includes include/padbatch/low.hpp: itself"]),
    ({"include/padbatch/low.hpp": ("<vector>", "<padbatch/gone.hpp>")}, ["gone.hpp, which does not exist"]),
    ({"include/padbatch/high.hpp": ("padbatch/low.hpp", "onnx_tools/error.hpp")},
     ["headers know nothing of onnx_tools"]),
    ({"onnx_tools/model/graph.cpp": ("onnx_tools/model/sub/deep", "onnx_tools/rewrite")},
     ["graph.cpp:3: includes onnx_tools/rewrite.hpp, which stands below",
      "circle of includes: onnx_tools/model/graph -> onnx_tools/rewrite -> onnx_tools/model/graph"]),
    ({"onnx_tools/model/sub/deep.hpp": ("onnx_tools/error", "onnx_tools/model/graph")},
     ["circle of includes: onnx_tools/model/graph -> onnx_tools/model/sub/deep -> onnx_tools/model/graph"]),
    ({"onnx_tools/error.hpp": ("#endif", '#include "model/graph.hpp"\n#endif')},
     ["error.hpp:4: includes onnx_tools/model/graph", "circle of includes"]),
    ({"docs/design.md": ("`low` (`x`), ", "")}, ["low.hpp is missing; add `low` to a row"]),
    ({"docs/design.md": ("`high` |\n| others", "`high`, `low` |\n| others")}, ["Layers: `low` stands there twice"]),
    ({"docs/design.md": ("`low` (`x`)", "`low`, `x`")}, ["Layers: `x` is not a header"]),
    ({"docs/design.md": ("### Layers", "### Floors")}, ["no table '| layer | headers |'"]),
    ({"docs/design.md": ("| room | holds |", "| folder | holds |")}, ["no table '| room | holds |'"]),
    ({"docs/design.md": ("`graph`, `sub/deep`", "`graph`")}, ["the row of `model/` does not name `sub/deep`"]),
    ({"docs/design.md": ("`graph`, ", "`graph`, `tree`, ")},
     ["names onnx_tools/model/tree, and there is no such source"]),
    ({"docs/design.md": ("`graph`, ", "`graph`, `graph`, ")}, ["Rooms: `onnx_tools/model/graph` stands there twice"]),
    ({"docs/design.md": ("| `rewrite` | the entry |\n", "")}, ["rewrite.cpp is in none of the rooms",
                                                              "rewrite.hpp is in none of the rooms"]),
    ({"tests/low_test.cpp": None}, ["low.hpp has no test: tests/low_test.cpp or low_*_test.cpp is missing"]),
    ({"tests/adapters/lib_test.cpp": None}, ["adapters/lib/part.hpp has no test", "adapters/lib.hpp has no test"]),
    ({"tests/onnx_tools/model/graph_test.cpp": None}, ["model/graph.hpp has no test"]),
    ({"tests/onnx_tools/cli/options_test.cpp": None}, ["cli/options.cpp has no test"]),
    ({"tests/onnx_tools/rewrite_errors_test.cpp": None, "tests/onnx_tools/rewritten_test.cpp": f"// {SPDX}\n"},
     ["rewritten_test.cpp is named after no source", "onnx_tools/rewrite.hpp has no test"]),
    ({"tests/low_test.cpp": None, "tests/low_er_test.cpp": f"// {SPDX}\n",
      "include/padbatch/detail/low_er.hpp": small_header("PADBATCH_DETAIL_LOW_ER_HPP"),
      "docs/design.md": ("`detail/d`", "`detail/d`, `detail/low_er`")}, ["low.hpp has no test"]),
    ({"tests/onnx_tools/graph_test.cpp": f"// {SPDX}\n"}, ["onnx_tools/graph_test.cpp is named after no source"]),
    ({"tests/high_test.cpp": f"// {SPDX}\n"}, ["high.hpp, which has a test of its name: remove it there"]),
    ({"tests/all_test.cpp": None}, ["TESTED_BY names tests/all_test.cpp, which does not exist"]),
    ({"scripts/test": ("#!/bin/sh\n", "#!/bin/sh\n\n")},
     ["scripts/test: 'SPDX-License-Identifier: Apache-2.0' is in neither"]),
    ({"CMakeLists.txt": "project(x)\n"}, ["CMakeLists.txt: 'SPDX"]),
    ({"bench/time.py": "\n"}, ["bench/time.py: 'SPDX"]),
    ({"include/padbatch/low.hpp": ("define PADBATCH_LOW_HPP", "define PADBATCH_LOW_HP")},
     ["low.hpp: its guard is not PADBATCH_LOW_HPP"]),
    ({"python/src/_part/low.hpp": small_header("PADBATCH_LOW_HPP")}, ["guard is not PADBATCH_PYTHON_PART_LOW_HPP"]),
    ({"onnx_tools/error.hpp": small_header("PADBATCH_ERROR_HPP")}, ["guard is not PADBATCH_ONNX_TOOLS_ERROR_HPP"]),
    ({"tests/plain.hpp": f"// {SPDX}\n#pragma once\n"}, ["tests/plain.hpp: its guard is not PADBATCH_TESTS_PLAIN_HPP"]),
]


def with_changes(changes):
    files = dict(GOOD)
    for path, change in changes.items():
        if isinstance(change, tuple):
            assert files[path].count(change[0]) == 1, (path, change)
            files[path] = files[path].replace(*change)
        elif change is None:
            del files[path]
        else:
            files[path] = change
    return files


def self_test():
    failures = 0
    for changes, expected in [({}, []), *FAULTS]:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in with_changes(changes).items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            found = findings_of(pathlib.Path(folder), GOOD_TESTED_BY)
        if len(found) != len(expected) or not all(text in finding for text, finding in zip(expected, found)):
            print(f"{changes or 'the good tree'}:\n  expected {expected}\n  found {found}")
            failures += 1
    print(f"{len(FAULTS)} faults were tried, {failures} trials failed")
    return 1 if failures else 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    arguments.add_argument("root", nargs="?", type=pathlib.Path, default=ROOT)
    arguments.add_argument("--self-test", action="store_true")
    given = arguments.parse_args()
    if given.self_test:
        return self_test()
    findings = findings_of(given.root.resolve(), TESTED_BY)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
