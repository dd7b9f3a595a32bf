"""Compile each text of the template once, however often it is rendered.

Copier renders the name of each folder anew for every file in it, and the name of the answers file three
times for every file; an update renders each file two or three times, in an environment of its own each time.
Jinja compiles a text whenever it is rendered: a third of a copy went into that.
"""

from __future__ import annotations

from types import CodeType

from jinja2 import Environment

# This module is executed for each version of the template (../load.py), so that all environments that
# it meets have the same settings and tags: a text means the same in each of them.
compiled: dict[tuple[str, str | None], CodeType] = {}


def use_compile_cache(environment: Environment) -> None:
    """Let an environment take what it, or another one of the same version, compiled."""
    compile_now = environment.compile
    environment.optimized = False  # what it would save in two renderings costs more to work out

    def compile_text(source: str, name: str | None = None, filename: str | None = None) -> CodeType:
        # Copier's `yield` tag is forgotten in this step, before the next text is rendered.
        environment.preprocess(source, name, filename)
        if (source, name) not in compiled:
            compiled[source, name] = compile_now(source, name, filename)
        return compiled[source, name]

    environment.compile = compile_text  # type: ignore[method-assign, assignment]
