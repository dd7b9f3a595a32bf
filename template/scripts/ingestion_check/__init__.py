"""Ask the gates in gates/ about a repo; what they ask of its files is in the other modules.

To add a gate: a function in one of the modules in gates/, with a title.
"""

from __future__ import annotations

from collections.abc import Iterable

from .accounts import FIRST
from .fields import DataSources
from .gate import Gate, Result, result
from .gates import GATES
from .problems import Problem
from .repo import Repo
from .silences import SILENCES
from .tree import Folder, Rendered, Tree

__all__ = ["GATES", "Folder", "Rendered", "check", "report"]


def check(
    tree: Tree, data_sources: DataSources, gates: Iterable[Gate] = GATES, source: str = FIRST
) -> list[Result]:
    """What each gate finds.

    Args:
        tree: the repo. Of files yet to be written the gates that need git or the credentials are left out.
        data_sources: the data sources that are known.
        gates: those to ask, in their order.
        source: the account whose version these gates are of; in a repo's own check it is the first.
    """
    if not tree.has_folder("ingestion"):
        missing = Problem("ingestion", 1, f"there is no such folder in {tree}")
        return [Result("workflows", "There are workflows", [missing])]
    repo, results = Repo(tree, data_sources, source), []
    for gate in gates:
        if tree.on_disk or not gate.needs_disk:
            results.append(result(gate, repo))
        if gate.id == "files-readable" and results[-1].problems:
            break  # what cannot be read would be missed by every other gate
    return results


def report(results: Iterable[Result]) -> str:
    """A line a gate: it holds, fails, is to be looked at, or is silenced; then a line a place."""
    lines, silenced = [], []
    for each in results:
        mark = "✗" if each.failed else "!" if each.problems else "-" if each.silenced else "✓"
        lines.append(f"{mark} {each.title} [{each.id}]")
        lines += [f"    {problem.path}:{problem.line}: {problem.text}" for problem in each.problems]
        silenced += [each.id] if each.silenced else []
    if silenced:
        lines.append(f"{len(silenced)} silenced in {SILENCES}: {', '.join(silenced)}")
    return "\n".join(lines)
