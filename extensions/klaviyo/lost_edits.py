"""Find what keeps edits from Copier, which looks for them with git in throw-away repos of its own."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any

from jinja2.runtime import Context

from .existing_repo import destination
from .ingestion_check.accounts import source_of
from .ingestion_check.git import answer, git
from .objects import CATALOGUE

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")


def ignored_everywhere(context: Context, stored: dict[str, Any]) -> list[str]:
    """The template's files, kept or deleted by the client, that a new repo on this machine would ignore.

    Args:
        stored: the answers that the files were made with.

    Raises:
        Failed: git does not tell.
    """
    folder = destination(context, "")
    listed = git(folder, "ls-files", "-z")
    if listed is None:
        return []  # not in git: Copier says so
    kept = _paths(listed)
    names = {name for named in _template_names(context) for name in _rendered(named, stored)}
    # With -m also those that a merge deleted.
    history = ("log", "-m", "--format=", "--diff-filter=D", "--no-renames", "--relative", "--name-only", "-z")
    shown = git(folder, *history)
    deleted = names if shown is None else {path.lstrip("\n") for path in _paths(shown)}
    asked = names & (kept | deleted) | kept & _earlier_names(context)
    if not asked:
        return []
    place = (git(folder, "rev-parse", "--show-prefix") or "").rstrip("\n")
    with TemporaryDirectory() as new:
        answer(Path(new), "init", "--quiet")
        command, paths = ("check-ignore", "-z", "--stdin"), "\0".join(place + path for path in asked)
        found = _paths(answer(Path(new), *command, asked=paths, no=1))
    return sorted(path.removeprefix(place) for path in found)


def folders_elsewhere(context: Context) -> Iterator[str]:
    """Say which folders of the template are links or repos of their own here: git sees no edit in them."""
    folder = destination(context, "").absolute()
    within = {parent for name in _template_names(context) for parent in Path(_TAG.sub("", name)).parents}
    linked = [name for name in within - {Path()} if (folder / name).is_symlink()]
    modules = {
        Path(path)
        for line in _paths(git(folder, "ls-files", "--stage", "-z"))
        for mode, path in [(line.split(" ")[0], line.partition("\t")[2])]
        if mode == "160000"
    }
    apart = [name for name in within - {Path()} if name in modules or (folder / name / ".git").exists()]
    for name in sorted({*linked, *apart}):
        if any(parent in {*linked, *apart} for parent in name.parents):
            continue  # first the one around it
        if name in linked:
            told, commands = "is a link", _as_a_folder(folder, name)
        else:
            told, commands = "is a git repo of its own (a submodule)", _as_files(folder, name)
        yield (
            f"{name.as_posix()}: {told}, and your edits in it would be lost: make it a folder of this repo: "
            f"{commands} && git add --all, and commit it."
        )


def _as_a_folder(folder: Path, name: Path) -> str:
    """The commands that put a folder in the place of a link to it."""
    shown, target = quote(name.as_posix()), (folder / name).resolve()
    if not target.is_dir():
        return f"rm {shown}"
    if target.is_relative_to(folder.resolve()):
        return f"rm {shown} && mv {quote(os.path.relpath(target, folder.resolve()))} {shown}"
    return f"rm {shown} && cp -R {quote(str(target))} {shown}"  # elsewhere others may use it


def _as_files(folder: Path, name: Path) -> str:
    """The commands that keep in this repo what is in one within."""
    shown = quote(name.as_posix())
    fetched = "" if (folder / name / ".git").exists() else f"git submodule update --init {shown} && "
    return f"{fetched}git rm -q --cached {shown} && rm -rf {quote(f'{name.as_posix()}/.git')}"


def _template_names(context: Context) -> list[str]:
    """The names of the template's files that an update merges, as they stand in the template."""
    root = Path(context["_copier_conf"]["src_path"]) / "template"
    files = [file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()]
    return [name.removesuffix(".jinja") for name in files if not re.search("answers_file|credentials", name)]


def _earlier_names(context: Context) -> set[str]:
    """What earlier versions called the files that a migration renames, or removes."""
    migration = Path(context["_copier_conf"]["src_path"]) / "migrations/to_1_0_0.py"
    return {f"ingestion/{name}" for name in runpy.run_path(str(migration))["FILES"]}


def _rendered(name: str, stored: dict[str, Any]) -> list[str]:
    """What a name in the template is rendered as; with an object in it, for each object that there may be."""
    custom = [entry for entry in stored.get("custom_objects") or () if isinstance(entry, dict)]
    objects = [*(known.name for known in CATALOGUE), *(str(entry.get("name")) for entry in custom)]
    name = name.replace("{{ source }}", source_of(stored))
    if "{% yield" not in name:
        return [_TAG.sub("", name)]
    return [_TAG.sub("", name.replace("{{ object.name }}", each)) for each in objects]


def _paths(printed: str | None) -> set[str]:
    return {path for path in (printed or "").split("\0") if path}
