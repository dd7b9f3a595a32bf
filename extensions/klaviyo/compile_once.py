"""Each text of the template is compiled once, however often it is rendered.

Copier renders the name of each folder anew for every file in it, and the name of the answers file three
times for every file. Jinja compiles a text whenever it is rendered: a third of a copy went into that.
"""

from __future__ import annotations

from functools import cache
from types import CodeType

from jinja2 import Environment


def compile_once(environment: Environment) -> None:
    """Let an environment keep what it compiles, for as long as it is there itself."""
    compiled = cache(environment.compile)

    def compile_text(source: str, *of_file: str | None, **how: bool) -> str | CodeType:
        # Copier's `yield` tag is forgotten in this step, before the next text is rendered.
        environment.preprocess(source, *of_file)
        return compiled(source, *of_file, **how)

    environment.compile = compile_text  # type: ignore[method-assign, assignment]
