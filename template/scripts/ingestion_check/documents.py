"""Read each file of a repo once, and say what it says, or why it cannot be read."""

from __future__ import annotations

import json
from typing import Any

import yaml

from . import credentials
from .digdag_yaml import Map, Reader
from .ignore_files import is_ignored
from .problems import Place, Problem, place_in
from .tree import Tree

IGNORE_FILE = "ingestion/.digdagignore"
MAX_FILE = 1_000_000


class Documents:
    """What each file says by itself. A path is the one in the repo, with slashes.

    Attributes:
        tree: the files.
        problems: what is wrong with files as such: with every one that was read so far.
        pushed: what `td wf push` takes: no dot-files, and nothing that .digdagignore names.
        credentials: their entries, none if they cannot be read; None, if they are no map.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.problems: list[Problem] = []
        self._texts: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        visible = [path for path in tree.paths("ingestion") if "/." not in path]
        self.pushed = [path for path in visible if not self.is_kept_from_push(path)]
        self.credentials = self._read_credentials()

    def text(self, path: str) -> str:
        """A file's text; empty, if it is none."""
        if path not in self._texts:
            found, self._texts[path] = self.tree.start(path, MAX_FILE + 1), ""
            try:
                if len(found) > MAX_FILE:
                    self.problems.append(Problem(path, 1, "is larger than 1 MB, too much for Digdag to read"))
                else:
                    self._texts[path] = found.decode("utf-8-sig").replace("\r\n", "\n")
            except UnicodeDecodeError as error:
                line = found.count(b"\n", 0, error.start) + 1
                self.problems.append(Problem(path, line, "is not UTF-8, save it as UTF-8"))
        return self._texts[path]

    def value(self, path: str) -> Any:
        """What a YAML file says; an empty map, if it cannot be read; None, if it says nothing."""
        if path not in self._values:
            self._values[path] = Map(Place(path, 1))  # so that a file that includes itself finds an end
            reader = Reader(path, self.text(path), self.value)
            try:
                self._values[path] = reader.read()
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                mark = getattr(error, "problem_mark", None)
                line = min(mark.line, self.text(path).rstrip().count("\n")) + 1 if mark else 1
                why = getattr(error, "problem", None) or " ".join(str(error).split())
                self.problems.append(Problem(path, line, f"cannot be read: {why}"))
            self.problems += reader.problems
        return self._values[path]

    def map(self, path: str) -> Map:
        """What a YAML file says; an empty map, if it says no map."""
        return self.value(path) if isinstance(self.value(path), Map) else Map(Place(path, 1))

    def is_kept_from_push(self, path: str) -> bool:
        """Whether .digdagignore names a file."""
        return is_ignored(path.removeprefix("ingestion/"), self.text(IGNORE_FILE))

    def in_credentials(self, key: str) -> Place:
        """Where an entry of the credentials stands."""
        text = self.text(credentials.PATH)
        return place_in(credentials.PATH, text, max(text.rfind(json.dumps(key)), 0))

    def _read_credentials(self) -> list[tuple[str, Any]] | None:
        text = self.text(credentials.PATH)
        try:
            return credentials.entries(text) if text else []
        except ValueError as error:
            line = getattr(error, "lineno", 1)
            self.problems.append(Problem(credentials.PATH, line, f"is not JSON: {error}"))
            return []
