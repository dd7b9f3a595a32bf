"""What the template writes: where each file goes, and its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment
from jinja2.runtime import Context

from .answers import objects_to_load
from .ingestion_check.ignore_files import is_ignored


class FileToWrite(NamedTuple):
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


def files_to_write(context: Context) -> Iterator[FileToWrite]:
    """Every file that Copier would write, except the credentials."""
    excluded = "\n".join(_patterns(context, "_exclude"))
    return (file for file in _files(context) if not is_ignored(file.path, excluded))


def _files(context: Context) -> Iterator[FileToWrite]:
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
            path = source.removeprefix("template/").removesuffix(".jinja")
            path = context.environment.from_string(path).render(scope)
            if all(path.split("/")):  # Copier leaves out what has an empty part in its path
                yield FileToWrite(path, source, scope, context.environment)


def files_that_stay(context: Context) -> set[str]:
    """The files that Copier leaves as they are: another source's, and what the first account has for all."""
    patterns = [*_patterns(context, "_exclude"), *_patterns(context, "_skip_if_exists")]
    return {file.path for file in _files(context) if is_ignored(file.path, "\n".join(patterns))}


def _patterns(context: Context, setting: str) -> list[str]:
    """The patterns of files in a setting of copier.yml, with these answers."""
    settings = yaml.safe_load((Path(context["_copier_conf"]["src_path"]) / "copier.yml").read_text("utf-8"))
    return [context.environment.from_string(each).render(context.get_all()) for each in settings[setting]]
