"""Read YAML as Digdag does, and keep the line of each thing in it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import lru_cache
from posixpath import dirname, join, normpath
from typing import Any

import yaml

from .plain_scalars import reading
from .problems import Place, Problem

# The same as SafeLoader, in C, where PyYAML was built with it.
LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_VALUES = 100_000
MAX_DEPTH = 100


class Text(str):
    """A scalar as it is written, which knows its lines, and whether it stands in quotes."""

    place: Place
    lines: list[str]
    is_quoted = False

    @property
    def read_as(self) -> str:
        """What Digdag makes of it."""
        return str(self) if self.is_quoted else reading(self)

    def at(self, part: str) -> Place:
        """Where a part of this text stands."""
        offset = next((number for number, line in enumerate(self.lines) if part in line), 0)
        return Place(self.place.path, self.place.line + offset)

    @property
    def included(self) -> str:
        """The file that this text names, if it is an include."""
        return normpath(join(dirname(self.place.path), self))


class Map(dict[Any, Any]):
    """A map whose keys know where they stand. What is missing, or of another kind, reads as empty."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.includes: list[Text] = []

    def add(self, other: Any) -> None:
        """Take over what another map says."""
        for key, value in other.items() if isinstance(other, dict) else ():
            self.pop(key, None)  # the key too is replaced, and with it its place
            self[key] = value

    def at(self, key: str) -> Place:
        """Where a key stands, or what may be meant by it; else where the map begins."""
        close = [key] if key in self else difflib.get_close_matches(key, self, 1, 0.85)
        return next((known.place for known in self if known in close), self.place)

    def text(self, key: str) -> str:
        return self[key] if isinstance(self.get(key), str) else ""

    def section(self, key: str) -> Map:
        """The map under a key."""
        return self[key] if isinstance(self.get(key), Map) else Map(self.at(key))

    def sections(self, key: str) -> list[Map]:
        """The maps in the list under a key."""
        found = self.get(key)
        return [item for item in found if isinstance(item, Map)] if isinstance(found, list) else []


def parts(value: Any) -> Iterator[Any]:
    """A value, and all that is in it."""
    yield value
    for part in value.values() if isinstance(value, Map) else value if isinstance(value, list) else ():
        yield from parts(part)


def texts(value: Any) -> list[Text]:
    """All scalars in a value."""
    return [part for part in parts(value) if isinstance(part, Text)]


@lru_cache(maxsize=1000)  # of most files both before they are written and after
def _composed(source: str) -> yaml.Node | None:
    """What a text says as YAML; None, if it says nothing."""
    node: yaml.Node | None = yaml.compose(source, Loader=LOADER)
    return node


class Reader:
    """Reads one file as Digdag does: a scalar stays text, an include is merged into its map.

    Attributes:
        problems: what is wrong with keys, where the file can be read all the same.
    """

    def __init__(self, path: str, source: str, include: Callable[[str], Any]) -> None:
        self.path, self.source, self.include = path, source, include
        self.lines = source.split("\n")
        self.left = MAX_VALUES  # anchors can make a small file a huge one
        self.problems: list[Problem] = []

    def read(self) -> Any:
        """What the file says; None, if it says nothing.

        Raises:
            yaml.YAMLError, ValueError, RecursionError: it is no YAML, or too much of it.
        """
        node = _composed(self.source)
        return self._value(node, MAX_DEPTH) if node else None

    def _value(self, node: yaml.Node, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth < 0:
            why = "it is nested too deeply, or its anchors make it too large"
            raise yaml.MarkedYAMLError(problem=why, problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._map(node, depth - 1)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, depth - 1) for item in node.value]
        first, last = node.start_mark.line, node.end_mark.line
        text = Text("" if node.tag.endswith(":null") else node.value)
        text.place, text.lines = Place(self.path, first + 1), self.lines[first : last + 1]
        text.is_quoted = isinstance(node, yaml.ScalarNode) and bool(node.style)
        return text

    def _map(self, node: yaml.MappingNode, depth: int) -> Map:
        found, own = Map(Place(self.path, node.start_mark.line + 1)), set()
        for key_node, value_node in node.value:
            key, value = self._value(key_node, depth), self._value(value_node, depth)
            if key_node.tag == "!include" and isinstance(value, Text):
                found.includes.append(value)
                found.add(self.include(value.included))
            elif key_node.tag.endswith(":merge"):
                for merged in value if isinstance(value, list) else [value]:
                    found.add(merged)
            elif not isinstance(key, Text) or key in own:
                line = key_node.start_mark.line + 1
                self.problems.append(Problem(self.path, line, f"{key} is in this map twice, or is no key"))
            else:
                own.add(key)
                found.add({key: value})
        return found
