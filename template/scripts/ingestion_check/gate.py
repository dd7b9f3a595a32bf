"""Define what a gate is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from .problems import Place, Problem

if TYPE_CHECKING:
    from .repo import Repo

Finder = Callable[["Repo"], Iterator[Problem]]


class Gate(NamedTuple):
    """One thing that must hold in a repo.

    Attributes:
        id: what it is called in the report and in the client's .check_ingestion.yml. It never changes.
        title: what holds, as the report says it.
        find: finds the places where it does not hold; its docstring says why it should.
        needs_disk: whether it asks git, or reads the credentials: it cannot judge files yet to be written.
        is_note: whether what it finds may be meant, and so fails nothing.
        any_version: whether it holds for what another version of the template made, too.
        guards_keys: whether it keeps keys from others, and so can be silenced in named files only.
    """

    id: str
    title: str
    find: Finder
    needs_disk: bool
    is_note: bool
    any_version: bool
    guards_keys: bool


class Result(NamedTuple):
    """What a gate found: one problem a line, since others in the same line may follow from it.

    Attributes:
        silenced: how many more there are that the client has silenced.
    """

    id: str
    title: str
    problems: list[Problem]
    is_note: bool = False
    silenced: int = 0

    @property
    def failed(self) -> bool:
        return bool(self.problems) and not self.is_note


# All gates, once the modules in gates/ are imported.
GATES: list[Gate] = []


def gate(
    title: str,
    needs_disk: bool = False,
    is_note: bool = False,
    any_version: bool = False,
    guards_keys: bool = False,
) -> Callable[[Finder], Gate]:
    """Make a gate of the function that finds its problems, and keep it; the function's name is its ID."""

    def keep(find: Finder) -> Gate:
        name = find.__name__.replace("_", "-")
        GATES.append(Gate(name, title, find, needs_disk, is_note, any_version, guards_keys))
        return GATES[-1]

    return keep


def result(of: Gate, repo: Repo) -> Result:
    """What a gate finds in a repo, in the order of the files and lines."""
    found: dict[Place, Problem] = {}
    for problem in of.find(repo):
        if not of.any_version and repo.accounts.is_of_another_version(problem.path):
            continue  # account_versions says so
        found.setdefault(Place(problem.path, problem.line), problem)
    told = [found[place] for place in sorted(found) if not repo.silences.hide(of, place.path)]
    return Result(of.id, of.title, told, of.is_note, len(found) - len(told))
