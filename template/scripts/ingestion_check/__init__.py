"""The gates are in gates/; what they ask about the repo is in the other modules.

To add one: a function in the module that it belongs to, its place in `GATES`, and its title in the
table of ../check_ingestion.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from .accounts import FIRST
from .fields import DataSources
from .gate import Gate, Result, result
from .gates.config import (
    datasources_are_complete,
    events_have_no_field,
    fields_are_in_their_place,
    fields_have_both_names,
    load_files_are_complete,
    timestamps_have_one_form,
)
from .gates.each_account import (
    accounts_are_of_one_version,
    accounts_use_their_own,
    authentication_is_the_same,
    authentications_are_different,
)
from .gates.files import archive_is_small, files_are_used, files_can_be_read, files_exist
from .gates.log import (
    errors_are_logged,
    latest_tables_are_logged,
    loads_are_logged,
    log_rows_find_their_load,
    runs_are_logged,
)
from .gates.names import names_are_read_as_written
from .gates.queries import tables_are_spelt_right
from .gates.secrets import (
    credentials_stay_here,
    no_key_is_shared,
    no_token_is_shared,
)
from .gates.version_control import git_takes_our_files, github_finds_the_workflow, updates_are_finished
from .gates.workflows import (
    at_most_three_at_once,
    failures_are_contained,
    keys_are_known,
    schedules_are_single,
    variables_are_defined,
    windows_fall_back,
    workflows_run_in_utc,
)
from .problems import Problem
from .repo import Repo
from .tree import Folder, Rendered, Tree

__all__ = ["GATES", "Folder", "Rendered", "check", "report"]

GATES = (
    updates_are_finished,
    files_can_be_read,
    files_exist,
    files_are_used,
    accounts_use_their_own,
    keys_are_known,
    variables_are_defined,
    workflows_run_in_utc,
    schedules_are_single,
    tables_are_spelt_right,
    names_are_read_as_written,
    datasources_are_complete,
    timestamps_have_one_form,
    fields_have_both_names,
    fields_are_in_their_place,
    events_have_no_field,
    load_files_are_complete,
    authentication_is_the_same,
    authentications_are_different,
    loads_are_logged,
    runs_are_logged,
    latest_tables_are_logged,
    log_rows_find_their_load,
    errors_are_logged,
    at_most_three_at_once,
    failures_are_contained,
    windows_fall_back,
    credentials_stay_here,
    no_key_is_shared,
    no_token_is_shared,
    archive_is_small,
    git_takes_our_files,
    github_finds_the_workflow,
    accounts_are_of_one_version,
)


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
        return [Result("There are workflows", [missing])]
    repo, results = Repo(tree, data_sources, source), []
    for gate in gates:
        if tree.on_disk or not gate.needs_disk:
            results.append(result(gate, repo))
        if gate is files_can_be_read and results[-1].problems:
            break  # what cannot be read would be missed by every other gate
    return results


def report(results: Iterable[Result]) -> str:
    """A line a gate: it holds, or it fails, or it wants to be looked at; then a line a place."""
    lines = []
    for each in results:
        lines.append(f"{'✗' if each.failed else '!' if each.problems else '✓'} {each.name}")
        lines += [f"    {problem.path}:{problem.line}: {problem.text}" for problem in each.problems]
    return "\n".join(lines)
