"""Read which gates the client silences, and in which files."""

from __future__ import annotations

from typing import Any

from .digdag_yaml import Map, Text, texts
from .gate import Gate
from .ignore_files import is_ignored

# The client's own file: the template has none, so no update touches it.
SILENCES = ".check_ingestion.yml"


class Silences:
    """What the file says under `ignore`: gates' IDs, each alone or with its files.

    Attributes:
        given: each ID with its files, as patterns of .gitignore; without any it is silenced everywhere.
    """

    def __init__(self, ignore: Any) -> None:
        self.given: list[tuple[Text, list[Text]]] = []
        for item in ignore if isinstance(ignore, list) else [ignore]:
            if isinstance(item, Text):
                self.given.append((item, []))
            elif isinstance(item, Map):
                self.given += [(gate, [file for file in texts(item[gate]) if file]) for gate in item]

    def hide(self, gate: Gate, path: str) -> bool:
        """Whether nobody wants to know what a gate finds in a file."""
        named = [files for name, files in self.given if name == gate.id]
        if gate.guards_keys:
            return any(path in files for files in named)
        return any(is_ignored(path, "\n".join(files or ["*"])) for files in named)
