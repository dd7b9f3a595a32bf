"""Look at git: at what it leaves out, and at what an update left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..documents import MAX_FILE
from ..gate import gate
from ..problems import Problem
from ..repo import SIGNATURE, Repo

WORKFLOW = ".github/workflows/check.yml"
_MARK = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
_NEEDED = re.compile(
    r"ingestion/(?:.*/)?klaviyo_[^/]*\.(dig|sql|ya?ml)|scripts/(check_ingestion|ingestion_check/(gates/)?\w+)\.py"
    r"|\.copier-answers[^/]*\.yml"
)


@gate("No update was left half done", needs_disk=True, any_version=True)
def update_finished(repo: Repo) -> Iterator[Problem]:
    """Where client and template changed the same lines, an update leaves both, for the client to choose."""
    for file in repo.tree.shared:
        content = repo.tree.start(file, MAX_FILE)
        for found in _MARK.finditer(content):
            why = (
                "you and the template changed this: choose between what <<<<<<< and >>>>>>> mark, git add it"
            )
            yield Problem(file, content.count(b"\n", 0, found.start()) + 1, why)
            break
    for file in (file for file in repo.tree.paths() if file.endswith(".rej")):
        yield Problem(
            file, 1, f"could not be merged: edit {file.removesuffix('.rej')} by hand, then delete this"
        )


@gate("Git ignores no file that the ingestion needs", needs_disk=True, is_note=True, any_version=True)
def git_takes_files(repo: Repo) -> Iterator[Problem]:
    """The user's own ignore file, with *.sql say, keeps files out of each commit; a clone lacks them then."""
    run = {file for step in repo.steps for file in step.files}
    for file in repo.tree.paths():
        if (file in run or _NEEDED.fullmatch(file)) and repo.tree.is_git_ignored(file):
            yield Problem(file, 1, "git ignores this (git check-ignore -v says why): git add --force it")


@gate("GitHub finds the workflow that runs the check", needs_disk=True, is_note=True, any_version=True)
def github_workflow(repo: Repo) -> Iterator[Problem]:
    """GitHub reads workflows in the root of a git repository alone, and says nothing of any other."""
    if repo.tree.place_in_git and SIGNATURE in repo.documents.text(WORKFLOW):
        folder = repo.tree.place_in_git.rstrip("/")
        why = (
            f"GitHub looks in the repository's root alone: git mv this there, with `defaults: {{run: "
            f"{{working-directory: {folder}}}}}` above `jobs:`; or copier update --trust -d ci=none"
        )
        yield Problem(WORKFLOW, 1, why)
