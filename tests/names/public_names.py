#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no name that the headers put into namespace padbatch is one of the standard library's or of
<sys/select.h>, and that SOURCE, where all of these are in scope, uses each of ours without qualifying it.

    public_names.py INCLUDE_FOLDER SOURCE COMPILER
    public_names.py INCLUDE_FOLDER --list
    public_names.py --self-test COMPILER

Names in namespaces of their own (t::, overflow::, contract::, those of adapters) collide with nothing: of these it is
the name of the namespace that counts. `detail` is not for users.
"""

import pathlib
import re
import subprocess
import sys

# What later libraries have besides: C++23's std::extents.
STANDARD = """
#include <bits/stdc++.h>
#include <sys/select.h>
namespace std { template <class Index, std::size_t...> class extents; }
"""

TOKEN = re.compile(r"[A-Za-z_]\w*|::|->|\[\[|\]\]|\.\.\.|[^\s\w]|\d[\w.']*")
CLOSING = {"(": ")", "{": "}", "[": "]", "[[": "]]"}


def tokens_of(text):
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r"^\s*#(?:[^\n]*\\\n)*[^\n]*", " ", text, flags=re.MULTILINE)
    text = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', " 0 ", text)
    return TOKEN.findall(text)


def group_end(tokens, at):
    """The position behind the group that opens at `at`."""
    depth, opener, closer = 0, tokens[at], CLOSING[tokens[at]]
    while True:
        depth += (tokens[at] == opener) - (tokens[at] == closer)
        at += 1
        if depth == 0:
            return at


def angle_end(tokens, at):
    """The same for a list of template parameters or arguments."""
    depth = 0
    while True:
        if tokens[at] in CLOSING:
            at = group_end(tokens, at)
            continue
        depth += (tokens[at] == "<") - (tokens[at] == ">")
        at += 1
        if depth == 0:
            return at


def names_in(tokens):
    """The names that these tokens, all within namespace padbatch, declare there."""
    at = 0
    while at < len(tokens):
        name, at = declaration(tokens, at)
        if name is not None:
            yield name


def declaration(tokens, at):
    """(its name or None, the position behind it)"""
    before, name, kind = None, None, tokens[at]
    while at < len(tokens):
        token = tokens[at]
        if token == ";":
            return (before if name is None else name) or None, at + 1
        if token == "template" and tokens[at + 1] == "<":
            at = angle_end(tokens, at + 1)
            kind = tokens[at]
        elif token == "requires" and tokens[at + 1] == "(":
            at = group_end(tokens, at + 1)
            kind = tokens[at] if name is None and before is None else kind
        elif token == "[[":
            at = group_end(tokens, at)
            kind = tokens[at] if before is None else kind
        elif token == "static_assert":
            while tokens[at] != ";":
                at += 1
            return None, at + 1
        elif token == "<" and before is not None and name is None:
            at = angle_end(tokens, at)
        elif token in ("(", "="):
            name = before if name is None else name
            at = group_end(tokens, at) if token == "(" else at + 1
        elif token == ":" and name is None:
            name, at = before, at + 1
        elif token == "{":
            name = before if name is None else name
            at = group_end(tokens, at)
            if kind in ("class", "struct", "enum"):
                continue
            if at < len(tokens) and tokens[at] == ";":
                at += 1
            return name or None, at
        elif token in CLOSING:
            at = group_end(tokens, at)
        else:
            if token == "operator":
                name = ""
            if name is None and re.match(r"[A-Za-z_]", token):
                before = token if tokens[at - 1] != "::" else ""  # "" is what has been declared elsewhere
            at += 1
    return name or None, at


def public_names(folder):
    found = {}
    for header in sorted(pathlib.Path(folder).rglob("*.hpp")):
        if {"detail", "adapters"} & set(header.relative_to(folder).parts):
            continue
        for name in names_of_header(header.read_text()):
            found.setdefault(name, header.relative_to(folder).as_posix())
    return found


def names_of_header(text):
    tokens = tokens_of(text)
    names, at = [], 0
    while at < len(tokens):
        if tokens[at:at + 2] != ["namespace", "padbatch"]:
            at += 1
            continue
        body = tokens.index("{", at)
        end = group_end(tokens, body)
        inner = [token for token in tokens[at + 2:body] if token not in ("::", "inline", "PADBATCH_ABI")]
        names += inner[:1] if inner else names_in(tokens[body + 1:end - 1])
        at = end
    return [name for name in names if name != "detail"]


def unqualified(text):
    tokens = tokens_of(text)
    return {token for before, token in zip([""] + tokens, tokens) if before not in ("::", ".", "->")}


def collisions(names, compiler):
    """What the compiler says of those names that the standard library has too; "" if there are none. A name stands for a
    class here, so that it is ambiguous, and no overload, where there is a function of this name."""
    ours = "".join(f"namespace ours {{ class {name}; }}\n" for name in names)
    uses = "".join(f"void use_{name}({name}*);\n" for name in names)
    source = f"{STANDARD}\n{ours}using namespace std;\nusing namespace ours;\n{uses}"
    done = subprocess.run([compiler, "-std=c++20", "-w", "-fsyntax-only", "-x", "c++", "-"], input=source,
                          capture_output=True, text=True, check=False)
    return done.stderr if done.returncode != 0 else ""


def self_test(compiler):
    text = """
        namespace padbatch::inline PADBATCH_ABI {
        namespace detail { struct hidden; void buried() {} }
        namespace t { struct inner {}; }
        struct one;
        template <class T, std::size_t... E> class two : private T { public: void member(); int x = 3; };
        enum class three : unsigned char { a, b };
        template <class T> concept four = requires(T t) { t.size(); };
        using five = two<int>;
        template <std::size_t N = (1 > 0)> inline constexpr two<five, N> six{};
        template <class T> inline constexpr bool seven = false;
        template <> inline constexpr bool seven<two<int>> = true;
        template <class... X> requires(sizeof...(X) > 0) [[nodiscard]] two<X...> eight(X&&... x) noexcept { return {}; }
        [[nodiscard]] inline const std::vector<int>& nine(int (&array)[3]);
        inline one::operator float() const { return 1; }
        inline int one::fifteen() { return 1; }
        template <class A> ten(A&&, int) -> ten<A>; // a guide
        static_assert(sizeof(one) == 16, "namespace { struct eleven; }");
        template <class T> struct twelve { static int y() { return 0; } } thirteen;
        }
        namespace padbatch::inline PADBATCH_ABI::fourteen { inline constexpr char key[] = "key"; }
    """
    expected = {"t", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "fourteen"}
    found = set(names_of_header(text)) - {"twelve", "thirteen"}
    used = unqualified('one(); std::two x; y.three; z->four; // five\n "six"')
    if found != expected or used & {"two", "three", "four", "five", "six"} or "one" not in used:
        print(f"wrong: {sorted(found ^ expected)} {sorted(used)}")
        return 1
    both = {"fill", "errc", "extents", "select", "merge", "timeval"}
    told = set(re.findall(r"reference to \W(\w+)\W is ambiguous", collisions(["padding", *both, "row_extents"], compiler)))
    if told != both:
        print(f"these collide: {sorted(both)}; the compiler says {sorted(told)}")
        return 1
    return 0


def main():
    if sys.argv[1] == "--self-test":
        return self_test(sys.argv[2])
    names = public_names(pathlib.Path(sys.argv[1]) / "padbatch")
    if sys.argv[2] == "--list":
        print("\n".join(f"{name:30} {header}" for name, header in sorted(names.items(), key=lambda item: item[::-1])))
        return 0
    missing = sorted(names.keys() - unqualified(pathlib.Path(sys.argv[2]).read_text()))
    for name in missing:
        print(f"{names[name]} declares padbatch::{name}, which {sys.argv[2]} does not use")
    print(f"{len(names)} public names, {len(missing)} of them not used")
    colliding = collisions(sorted(names), sys.argv[3])
    print(colliding)
    return 1 if missing or colliding or len(names) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
