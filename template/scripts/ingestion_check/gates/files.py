"""Look at the files: that they can be read, are there, are used, and fit into the archive."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator

from ..digdag_yaml import Map, Text, parts
from ..expectations import nearest
from ..expressions import EXPRESSION
from ..gate import GATES, gate
from ..problems import Place, Problem
from ..repo import Repo
from ..silences import SILENCES
from ..steps import Step

MAX_ARCHIVE = 2_000_000


@gate("YAML, JSON and .dig files can be read, and have no key twice", any_version=True)
def files_readable(repo: Repo) -> Iterator[Problem]:
    """Digdag parses every .dig of a project: one that is broken keeps all others from running.

    What cannot be read would be missed by every other gate, so none of them is asked then.
    """
    for file in repo.documents.pushed:
        if file.endswith((".yml", ".yaml", ".dig")):
            repo.documents.value(file)
        if file.endswith(".dig") and not isinstance(repo.documents.value(file), Map):
            yield Problem(file, 1, "must be a map of tasks")
    keys = [key for key, _ in repo.documents.credentials or ()]
    for key in (key for key in keys if keys.count(key) > 1):
        yield repo.documents.in_credentials(key).problem(f"{key} is here twice: keep one")
    for file in repo.queries:
        repo.documents.text(file)
    yield from repo.documents.problems


@gate("Files that a workflow or a datasource names are there", any_version=True)
def files_exist(repo: Repo) -> Iterator[Problem]:
    """A file that is missing, or not pushed, ends a run only when its task comes, hours later perhaps.

    Another version may call workflows and datasources otherwise; what its workflows name must be there.
    """
    known = [each for each in repo.accounts if not repo.accounts.is_of_another_version(each.datasources)]
    named = [(Place(account.datasources, 1), account.datasources) for account in known]
    for account in known:
        for name, workflow in account.lists.items():
            named.append((repo.documents.map(account.datasources).at(name), f"ingestion/{workflow}.dig"))
    for _, entry in repo.entries:
        if entry.text("config_file") and repo.accounts.of(entry.place.path) in known:
            named.append((entry.at("config_file"), f"ingestion/config/{entry.text('config_file')}"))
    for step in repo.steps:
        # Of another version's, here: its datasources may be elsewhere, and name them from elsewhere.
        is_said_above = step.account in known
        left = step.command if is_said_above else step.command.replace("${datasource.config_file}", "")
        if "${" not in left:
            named += [(step.body.at(step.operator), file) for file in step.files]
    # A neighbour's too, which could keep the whole project from running.
    named += [(name.place, name.included) for name in includes(repo.workflows)]
    for place, file in named:
        if not repo.tree.has_file(file):
            yield place.problem(f"{file} is not there{nearest(file, repo.documents.pushed)}")
        elif file not in repo.documents.pushed:
            why = "it is outside of ingestion/, or in .digdagignore"
            yield place.problem(f"{file} is not pushed to TD: {why}")


@gate("Each Klaviyo file is used")
def files_used(repo: Repo) -> Iterator[Problem]:
    """What nothing names is a leftover, or is misspelt where it should be named."""
    used = {
        *(account.datasources for account in repo.accounts),
        *(name.included for name in includes(repo.workflows)),
    }
    used |= {file for root in repo.workflows for step in root.walk() for file in step.files}
    patterns = [EXPRESSION.sub("*", file) for file in used]
    for file in repo.documents.pushed:
        is_for_people = file.endswith(".sql") and "${" not in repo.documents.text(file)
        if (
            re.search(r"/klaviyo_[^/]*\.(sql|ya?ml)$", file)
            and not is_for_people
            and not any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns)
        ):
            yield Problem(file, 1, "no workflow and no datasource names this file: name it, or delete it")


@gate("The gates that .check_ingestion.yml silences exist", is_note=True, any_version=True)
def silenced_gates(repo: Repo) -> Iterator[Problem]:
    """A gate that is misspelt there is still asked; so is one that guards keys, unless files are named."""
    gates = {each.id: each for each in GATES}
    if repo.tree.has_file(SILENCES) and not repo.silences.given:
        yield Problem(SILENCES, 1, "must have `ignore:`, with a list of gates")
    for name, files in repo.silences.given:
        if name not in gates:
            yield name.place.problem(f"there is no gate {name}{nearest(name, gates)}")
        elif gates[name].guards_keys and not files:
            yield name.place.problem(f"{name} guards keys: name each file, as in `- {name}: [notes.md]`")


@gate("The archive is small enough to push", any_version=True)
def archive_size(repo: Repo) -> Iterator[Problem]:
    """TD limits a project's archive, to 2 MB at the least: one export left in ingestion/ is more."""
    sizes = {file: repo.tree.size(file) for file in repo.documents.pushed}
    if sum(sizes.values()) > MAX_ARCHIVE:
        largest = max(sizes, key=lambda file: sizes[file])
        size = f"{sum(sizes.values()) / 1e6:.1f} MB"
        yield Problem(largest, 1, f"all files together are {size}, TD takes 2: add some to .digdagignore")


def includes(workflows: Iterable[Step]) -> list[Text]:
    """What workflows include, each with what it includes."""
    maps = [part for root in workflows for part in parts(root.body) if isinstance(part, Map)]
    return [name for found in maps for name in found.includes]
