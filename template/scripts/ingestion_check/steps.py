"""Read workflows: their tasks, in the order in which they run, and the variables that each sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from posixpath import basename, dirname, join, normpath
from typing import NamedTuple

from .accounts import Account
from .digdag import ERROR_VARIABLES, TAKE_A_FILE, VARIABLES, is_task
from .digdag_yaml import Map, Text, texts
from .expectations import nearest
from .expressions import EXPRESSION
from .problems import Place


class Surroundings(NamedTuple):
    """What a workflow may refer to beside its own text.

    Attributes:
        account: whose workflow it is.
        datasources: the entries that its loops go through.
        keys: the keys of all entries, as a query that both lists share may ask for those of either.
        words: all words of our SQL: among them the columns and keys of JSON that later tasks see.
    """

    account: Account
    datasources: list[Map]
    keys: set[str]
    words: set[str]


class Step:
    """A workflow, a task of it, or a block like _do and _error: its map, and what it stands in.

    Attributes:
        workflow: the name of the workflow.
        account: whose workflow it is.
        above: the steps that this one stands in, the nearest first.
        in_loop: whether it is done for each of several values.
        object: the block that is done for each datasource, if this is it or stands in it.
    """

    def __init__(
        self, path: str, name: Text, body: Map, around: Surroundings, parent: Step | None = None
    ) -> None:
        self.path, self.name, self.body, self.around, self.parent = path, name, body, around, parent
        self.place = name.place if parent else Place(path, 1)
        self.workflow, self.account = basename(path).removesuffix(".dig"), around.account
        self.above: list[Step] = [parent, *parent.above] if parent else []
        self.operator: str = next((key for key in body if key.endswith(">")), "")
        self.command = body.text(self.operator)
        self.stores_results = body.text("store_last_results").lower() == "true"
        self.after_error: bool = name in ("_error", "_check") or bool(parent and parent.after_error)
        # The variables that a for_each> gives to its block, each with its values.
        self.items = parent.body.section("for_each>") if parent and name == "_do" else Map(self.place)
        self.in_loop: bool = bool(self.items or (parent and parent.in_loop))
        self.object: Step | None = self if "datasource" in self.items else parent and parent.object
        self.texts = [text for key, value in body.items() if not is_task(key) for text in texts(value)]
        steps = [(key, value) for key, value in body.items() if is_task(key) and isinstance(value, Map)]
        self.steps = [Step(path, key, value, around, self) for key, value in steps]

    def walk(self) -> Iterator[Step]:
        """This step and those in it, in the order in which they run."""
        yield self
        for step in self.steps:
            yield from step.walk()

    @property
    def files(self) -> list[str]:
        """The files that it names: if the datasources name them, all of theirs."""
        if self.operator not in TAKE_A_FILE or not self.command:
            return []
        names = [self.command]
        if "${datasource.config_file}" in self.command:
            chosen = [entry.text("config_file") for entry in self.around.datasources]
            names = [self.command.replace("${datasource.config_file}", name) for name in chosen if name]
        return [normpath(join(dirname(self.path), name)) for name in names]

    def logs(self, what: str) -> bool:
        """Whether it is, or is called, the log step of a start, a success or an error; or of either end."""
        begin, file = self.account.log_sql("").removesuffix(".sql"), self.account.log_sql(what)
        pattern = EXPRESSION.sub("*", self.command) if self.command.startswith(begin) else ""
        return self.name == f"+log_ingestion_{what}" or fnmatchcase(file, pattern)

    @cached_property
    def scope(self) -> list[set[str]]:
        """The variables that the tasks in it see, with their properties: Digdag's, and those of each step."""
        return [*(self.parent.scope if self.parent else [VARIABLES]), self._defined()]

    def _defined(self) -> set[str]:
        """The variables that it makes for the tasks in it."""
        found = {*_names_in(self.body.section("_export")), *self.items}
        if not self.parent:
            found |= {f"td.last_results.{word}" for word in self.around.words}
        if self.name == "_error":
            found |= ERROR_VARIABLES
        if self.name == "_do" and self.parent and self.parent.operator in ("loop>", "for_range>"):
            found |= {"i", "range"}
        for name, values in self.items.items():
            if isinstance(values, Text) and re.search(r"td\.last_results\.|_datasources\b", values):
                found |= {f"{name}.{key}" for key in self.around.words | self.around.keys}
        return found

    def undefined(self, name: str) -> str:
        """What is wrong with a variable that it uses; empty, if nothing is or if that cannot be told."""
        if not name:
            return "${ needs a variable, and a closing }"
        known = ""
        for part in name.split("."):
            above, known = known, f"{known}.{part}".lstrip(".")
            if not any(known in names for names in self.scope) and (above or part not in self.body):
                siblings = {one for names in self.scope for one in names if one.rpartition(".")[0] == above}
                return f"nothing defines {known} here{nearest(known, siblings)}" if siblings else ""
        return ""


def _names_in(value: Map, above: str = "") -> Iterator[str]:
    """The variables that a map defines, and their properties."""
    for key, part in value.items():
        yield above + key
        if isinstance(part, Map):
            yield from _names_in(part, f"{above}{key}.")
