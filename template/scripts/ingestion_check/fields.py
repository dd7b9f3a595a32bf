"""Give each field its two names: the table's and the connector's."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Names(NamedTuple):
    """A field's two names; both None where every run loads everything.

    Attributes:
        table: what SQL finds in the table.
        connector: what the connector calls it, which it takes as `incremental_field`.
    """

    table: str | None
    connector: str | None


class DataSource(NamedTuple):
    """What is known of one of the connector's data sources.

    Attributes:
        name: what the connector calls it.
        object: what people call it.
        changed: the field that says when a record last changed; the incremental side goes by it.
        created: the field that says when a record came into being; the backfill goes by it.
        takes_field: whether the connector takes `incremental_field`; of the others it knows the field.
    """

    name: str
    object: str
    changed: Names
    created: Names
    takes_field: bool


class DataSources:
    """The data sources that are known."""

    def __init__(self, sources: Iterable[DataSource]) -> None:
        self.sources = {source.name: source for source in sources}

    def names(self, source: str, backfill: bool) -> Names | None:
        """The names of the field that a side goes by; None for a data source that is not known."""
        known = self.sources.get(source)
        return known and (known.created if backfill else known.changed)

    def takes_field(self, source: str) -> bool:
        """Whether the load file of a data source has `incremental_field`."""
        return source not in self.sources or self.sources[source].takes_field

    def meant(self, name: str) -> str:
        """The data source that a name probably means; empty, if it may well be one that is not known."""
        of_people = {source.object: source.name for source in self.sources.values()}
        if name in self.sources:
            return name
        return of_people.get(name) or "".join(difflib.get_close_matches(name, self.sources, 1, 0.85))


def wrong_names(given: Names, right: Names | None) -> Iterator[tuple[str, str]]:
    """Which of a field's names is wrong, "table" or "connector", and what it should be.

    Args:
        given: the names to judge; none at all is right, every run then loads everything.
        right: what they should be; None where that is not known, and any two names will do.
    """
    if not any(given):
        return
    if not given.table or right and given.table != right.table:
        yield "table", right and right.table or "the table's name"
    if not given.connector or right and given.connector != right.connector:
        yield "connector", right and right.connector or "the connector's name"
