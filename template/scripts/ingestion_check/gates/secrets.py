"""Look at the credentials: that TD can take them as secrets, and that nobody else gets them."""

from __future__ import annotations

from collections.abc import Iterator

from .. import credentials
from ..documents import IGNORE_FILE, MAX_FILE
from ..gate import gate
from ..problems import Problem
from ..repo import Repo


@gate(
    "Credentials are a flat map, ignored by git and by td wf push",
    needs_disk=True,
    any_version=True,
    guards_keys=True,
)
def credentials_file(repo: Repo) -> Iterator[Problem]:
    """Git and `td wf push` take the file unless they are told not to, and neither reads the other's list."""
    if not repo.tree.is_git_ignored(credentials.PATH):
        why = f"git must ignore {credentials.PATH}; if it is committed, git rm --cached it and get new keys"
        yield Problem(".gitignore", 1, why)
    if not repo.documents.is_kept_from_push(credentials.PATH):
        name = credentials.PATH.rpartition("/")[2]
        yield Problem(IGNORE_FILE, 1, f"must name {name}: td wf push does not read .gitignore")
    if repo.documents.credentials is None:
        yield Problem(credentials.PATH, 1, f'must be a map, {{"{credentials.ENTRY}": "pk_..."}}')
    for key, value in repo.documents.credentials or ():
        if not credentials.is_secret(key, value):
            why = f"{key}: td wf secrets takes text only, under names that begin with a letter"
            yield repo.documents.in_credentials(key).problem(why)


@gate("No file that git or td wf push takes holds a key", needs_disk=True, any_version=True, guards_keys=True)
def leaked_keys(repo: Repo) -> Iterator[Problem]:
    """A key that was pushed or committed once is in others' hands, and no later commit takes it back."""
    why = f"this is a key: keep keys in {credentials.PATH} only, and get a new one"
    for file in {*repo.tree.shared, *repo.documents.pushed} - {credentials.PATH}:
        content = repo.tree.start(file, MAX_FILE + 1)
        for found in credentials.KEY.finditer(content):
            yield Problem(file, content.count(b"\n", 0, found.start()) + 1, why)


@gate("Git's history holds no key", needs_disk=True, is_note=True, any_version=True, guards_keys=True)
def keys_in_history(repo: Repo) -> Iterator[Problem]:
    """A key that was committed and removed since is still in git's history, for all who may read it."""
    for path, commit in repo.tree.once_added(credentials.FOR_GIT, credentials.KEY):
        now = path in repo.tree.shared and credentials.KEY.search(repo.tree.start(path, MAX_FILE + 1))
        if not now:  # leaked_keys tells what is there
            why = f"commit {commit} had a key here, and git keeps it: rotate the key, then silence this"
            yield Problem(path, 1, why)


@gate("The template's URL holds no token", needs_disk=True, any_version=True, guards_keys=True)
def leaked_token(repo: Repo) -> Iterator[Problem]:
    """Copier keeps the URL that it was given, and git keeps it for good, for all who may read this repo."""
    for file in repo.tree.shared:
        if file.endswith((".yml", ".yaml")) and b"_src_path:" in repo.tree.start(file, MAX_FILE):
            for number, line in enumerate(repo.documents.text(file).split("\n"), 1):
                if line.startswith("_src_path:") and credentials.without_token(line) != line:
                    why = (
                        "delete all before the @, revoke the token, give a new one to git's credential helper"
                    )
                    yield Problem(file, number, why)
