"""Find the variables in the `${...}` of workflows and of the files that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .digdag import JAVASCRIPT

# The inside of a `${...}`, with braces in it, and its end if there is one. `${secret:...}` is another thing.
EXPRESSION = re.compile(r"\$\{(?![a-z]+:)([^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*)(\}?)")
_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(?<=[(,=:!&|?])\s*/(?:[^/\\\n]|\\.)+/\w*")
_NAME = re.compile(r"(?<![\w$.])[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")


def variables(text: str) -> Iterator[tuple[int, str]]:
    """The variables that a text uses, with properties, like datasource.table_name, and their offsets.

    An empty name stands for a `${` without a variable, or without an end.
    """
    for expression in EXPRESSION.finditer(text):
        start, code = expression.start(1), expression[1]
        if not expression[2]:
            yield start, ""
            return  # from here on, text and code cannot be told apart
        if not code.strip():
            yield start, ""
        if len(code) > 2000 or re.search(r"\bfunction\b|\bvar\b|=>", code):
            continue  # a program, with variables of its own
        code = _LITERAL.sub(lambda found: "0" * len(found[0]), code)
        for found in _NAME.finditer(code):
            name, before, after = found[0], code[: found.start()].rstrip(), code[found.end() :].lstrip()
            root = name.split(".")[0]
            is_key = before.endswith(("{", ",")) and after.startswith(":")
            is_tested = re.search(rf"\btypeof\s*\(?\s*{re.escape(root)}\b", code)
            if after.startswith("(") and "." in name:
                name = name.rpartition(".")[0]  # what stood last is a method
            if not (root in JAVASCRIPT or is_key or is_tested):
                yield start + found.start(), name
