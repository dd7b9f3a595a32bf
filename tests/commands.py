"""Do what a person does: type a command, edit a file, bring out a version of the template."""

import os
import re
import shutil
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from copier.__main__ import CopierApp
from plumbum import local

TEMPLATE = Path(__file__).resolve().parent.parent
# What the clients are told of updates, with commands to paste.
DOCUMENTED = (TEMPLATE / "docs/updates.md").read_text(encoding="utf-8")
# What of the template Copier reads.
FOLDERS = ("extensions", "includes", "migrations", "template")
COPIER = Path(sys.executable).with_name("copier")
KEY = "pk_0123456789abcdef0123456789abcdef01"
GIVE_KEY = ("-d", f"klaviyo_api_key={KEY}")
DEFAULTS = ("--trust", "--defaults")
ANSWERS = (*DEFAULTS, "--data-file", TEMPLATE / "example-answers.yml")
# An object that the template does not know, as `custom_objects` takes it.
FLOWS = {
    "name": "flows",
    "inc_field": "updated_at",
    "inc_field_connector": "updated",
    "hist_field": "created_at",
    "hist_field_connector": "created",
}


def nobodys_settings(folder):
    """The environment that keeps a person's own settings of Copier and git out; what is None is not set.

    Their files are in this folder, which is there and empty.
    """
    gitconfig = folder / "gitconfig"
    gitconfig.write_text(
        "[safe]\n  directory = *\n"  # in a container, a checkout may be somebody else's
        "[maintenance]\n  auto = false\n"  # a process more after each commit, and nothing to tidy up
        "[core]\n  fsync = none\n"
    )
    return {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "COPIER_CACHE_DIR": str(folder / "cache"),
        "COPIER_SETTINGS_PATH": None,
        "GIT_CONFIG_GLOBAL": str(gitconfig),
        **{f"GIT_{role}_NAME": "A Consultant" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "consultant@example.com" for role in ("AUTHOR", "COMMITTER")},
    }


def template_as_it_stands(folder):
    """Copy what Copier reads of the template into a new folder, outside git; gives the folder."""
    for name in FOLDERS:
        shutil.copytree(TEMPLATE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("copier.yml", "example-answers.yml"):
        shutil.copy(TEMPLATE / file, folder)
    return folder


class Ended(NamedTuple):
    """How a command ended: its exit code, and all that it printed."""

    exit_code: int
    output: str


def copier(*arguments, cwd):
    """Run a command line of Copier's in this process: to start Python and import Copier costs a second."""
    printed = StringIO()
    # plumbum, which Copier calls git with, remembers folder and environment from when it was imported.
    with local.cwd(cwd), local.env(**os.environ), redirect_stdout(printed), redirect_stderr(printed):
        try:
            _, exit_code = CopierApp.run(["copier", *map(str, arguments)], exit=False)
        except Exception:  # noqa: BLE001 - as the terminal shows it
            traceback.print_exc()
            exit_code = 1
    return Ended(exit_code, printed.getvalue())


def copy(template, repo, *arguments):
    """Make a client's repo of the example answers and `KEY`, in git."""
    ended = copier("copy", *ANSWERS, *GIVE_KEY, *arguments, template, repo, cwd=repo.parent)
    assert ended.exit_code == 0, ended.output
    commit(repo)
    return repo


def add_klaviyo(template, repo, *arguments):
    """Add Klaviyo to a repo, with `KEY` and the two answers that have no default; gives how that ended."""
    given = ("-d", "td_authentication_id=360030", "-d", "default_start_date=2023-09-01T00:00:00.000000")
    return copier("copy", *DEFAULTS, "--overwrite", *given, *GIVE_KEY, *arguments, template, ".", cwd=repo)


def update(repo, *arguments):
    """Update a repo, which must succeed; gives what was printed."""
    ended = copier("update", *DEFAULTS, *arguments, cwd=repo)
    assert ended.exit_code == 0, ended.output
    return ended.output


def git(*arguments, cwd):
    """Run a git command, which must succeed; gives what it printed."""
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


def ignored(repo):
    """The files in a repo that git leaves alone."""
    return git("ls-files", "--others", "--ignored", "--exclude-standard", cwd=repo).splitlines()


def commit(folder):
    """Commit all that is in a folder, which becomes a git repo if it is none yet."""
    git("init", "--quiet", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--allow-empty", "--message", "By hand", cwd=folder)


def edit(file, old, new):
    """Replace a text that is in a file exactly once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{text.count(old)} times in {file}: {old}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def made_of(template, path):
    """The file of a template of which a first account's file is made, if its answers want it."""

    def rendered(file):
        name = re.sub(r"\{%.*?%\}", "", file.relative_to(template / "template").as_posix())
        return name.replace("{{ source }}", "klaviyo").removesuffix(".jinja")

    (found,) = [file for file in (template / "template").rglob("*") if rendered(file) == path]
    return found


def append(file, text):
    """Add text at the end of a file, which may be new."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(before + text, encoding="utf-8")


def release(template, version):
    """Commit and tag what is in a template."""
    commit(template)
    git("tag", version, cwd=template)


def contents(repo):
    """The bytes of every file in a repo but git's own, by its path."""
    paths = {path.relative_to(repo).as_posix(): path for path in repo.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith(".git/")}
