"""Render what the template writes: where each file goes, and its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment
from jinja2.runtime import Context

from .answers import objects_to_load
from .ingestion_check.digdag_yaml import LOADER
from .ingestion_check.ignore_files import is_ignored


class RenderedFile(NamedTuple):
    """A file that Copier would write.

    Attributes:
        path: where, in the client's repo.
        source: what it is made of, in the template.
        scope: the variables that it is rendered with.
        environment: what renders it.
    """

    path: str
    source: str
    scope: dict[str, Any]
    environment: Environment

    def text(self) -> str:
        """Its text, in memory."""
        if self.source.endswith(".jinja"):
            return self.environment.get_template(self.source).render(self.scope)
        assert self.environment.loader
        return self.environment.loader.get_source(self.environment, self.source)[0]


def files_of_the_template(context: Context) -> Iterator[RenderedFile]:
    """Every file that the template has for these answers, except the credentials."""
    root = Path(context["_copier_conf"]["src_path"])
    for file in sorted((root / "template").rglob("*")):
        source = file.relative_to(root).as_posix()
        if not file.is_file() or "credentials_ingestion.json" in source or "__pycache__" in source:
            continue
        # A name with a yield tag is rendered once for each object, as Copier does it.
        variants = [{"object": each} for each in objects_to_load(context)] if "{% yield" in source else [{}]
        for variant in variants:
            scope = {**context.get_all(), **variant}
            names = source.removeprefix("template/").removesuffix(".jinja").split("/")
            parts = [_rendered(name, scope, context.environment) for name in names]
            if all(parts):  # Copier leaves out what has an empty part in its path
                yield RenderedFile("/".join(parts), source, scope, context.environment)


def _rendered(name: str, scope: dict[str, Any], environment: Environment) -> str:
    """The name of a file or a folder, rendered by itself as by Copier, so that it is compiled but once."""
    return environment.from_string(name).render(scope) if "{" in name else name


def files_that_stay(context: Context, files: list[RenderedFile]) -> set[str]:
    """Those of them that Copier leaves alone: another source's, and what the first account has for all."""
    text = (Path(context["_copier_conf"]["src_path"]) / "copier.yml").read_text("utf-8")
    settings = yaml.load(text, LOADER)
    names = [*settings["_exclude"], *settings["_skip_if_exists"]]
    patterns = "\n".join(context.environment.from_string(name).render(context.get_all()) for name in names)
    return {file.path for file in files if is_ignored(file.path, patterns)}
