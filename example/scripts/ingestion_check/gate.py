"""What a gate is, and what it finds."""

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
        title: what holds, as the report says it.
        find: finds the places where it does not hold; its docstring says why it should.
        needs_disk: whether it asks git, or reads the credentials: it cannot judge files yet to be written.
        is_note: whether what it finds may be meant, and so fails nothing.
        any_version: whether it holds for what another version of the template made, too.
    """

    title: str
    find: Finder
    needs_disk: bool
    is_note: bool
    any_version: bool


class Result(NamedTuple):
    """What a gate found: one problem a line, since others in the same line may follow from it."""

    name: str
    problems: list[Problem]
    is_note: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.problems) and not self.is_note


def gate(
    title: str, needs_disk: bool = False, is_note: bool = False, any_version: bool = False
) -> Callable[[Finder], Gate]:
    """Make a gate of the function that finds its problems."""
    return lambda find: Gate(title, find, needs_disk, is_note, any_version)


def result(of: Gate, repo: Repo) -> Result:
    """What a gate finds in a repo, in the order of the files and lines."""
    found: dict[Place, Problem] = {}
    for problem in of.find(repo):
        if not of.any_version and repo.is_of_another_version(problem.path):
            continue  # accounts_are_of_one_version says so
        found.setdefault(Place(problem.path, problem.line), problem)
    return Result(of.title, [found[place] for place in sorted(found)], of.is_note)
