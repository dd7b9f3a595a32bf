"""Find and read the files that are checked: those in a folder, or those that are yet to be written."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from .git import git, ignores
from .ignore_files import is_ignored

# How many commits are looked at for what was in them once: more would take a second and longer.
COMMITS = 300
# Not the client's files: git's own, and what tools install.
SKIPPED = (".git", ".venv", "node_modules")


class Tree(ABC):
    """The files of a repo. A path is the one in the repo, with slashes.

    Attributes:
        on_disk: whether git and the credentials can be asked too.
        in_git: what git tracks, or would if it were to add all; None where there is no git to tell.
        place_in_git: the folder in the git repository that it is in; empty, if it is its root.
    """

    on_disk = False
    in_git: list[str] | None = None
    place_in_git = ""

    @abstractmethod
    def paths(self, folder: str = "") -> list[str]:
        """All files in a folder and below it."""

    @abstractmethod
    def has_folder(self, path: str) -> bool: ...

    @abstractmethod
    def has_file(self, path: str) -> bool: ...

    @abstractmethod
    def size(self, path: str) -> int:
        """A file's size in bytes."""

    @abstractmethod
    def start(self, path: str, size: int) -> bytes:
        """The first bytes of a file; none, if there is no such file or it cannot be read."""

    def once_added(self, pattern: str, exactly: re.Pattern[bytes]) -> list[tuple[str, str]]:
        """The files to which one of the last commits added a text, each with a commit that did.

        Args:
            pattern: the text, as git looks for it, which is quick.
            exactly: the same text, as it is meant.
        """
        return []

    @cached_property
    def shared(self) -> list[str]:
        """What git takes, or would take."""
        if self.in_git is not None:
            return self.in_git
        return [path for path in self.paths() if not self.is_git_ignored(path)]

    def is_git_ignored(self, path: str) -> bool:
        """Whether git leaves a file alone; without git, whether .gitignore says so."""
        return is_ignored(path, self._ignore_patterns)

    @cached_property
    def _ignore_patterns(self) -> str:
        """What .gitignore says."""
        return self.start(".gitignore", 1_000_000).decode("utf-8-sig", "replace")


class Folder(Tree):
    """A client's repo on disk."""

    on_disk = True

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        self.in_git = None if listed is None else [path for path in listed.split("\0") if path]

    @cached_property
    def place_in_git(self) -> str:  # type: ignore[override]
        folder = None if self.in_git is None else git(self.root, "rev-parse", "--show-prefix")
        return (folder or "").rstrip("\n")

    def __str__(self) -> str:
        return str(self.root)

    def once_added(self, pattern: str, exactly: re.Pattern[bytes]) -> list[tuple[str, str]]:
        if self.in_git is None:
            return []
        last = git(self.root, "rev-list", "-n", str(COMMITS), "--all", "--", ".")
        if not last:
            return []
        commits = ("--no-walk", "--stdin", "--format=commit %h")
        lines = ("-p", "-U0", "--no-ext-diff", "--no-textconv", "-G", pattern)
        paths = ("--relative", "--no-prefix", "--no-renames")
        quoting = ("-c", "core.quotePath=false")
        shown = git(self.root, *quoting, "log", *commits, *lines, *paths, asked=last)
        found: dict[str, str] = {}
        commit = path = ""
        for line in (shown or "").split("\n"):
            if line.startswith("commit "):
                commit = line.split(" ")[1]
            elif line.startswith("+++ "):
                path = line[4:].rstrip("\t")
            elif line.startswith("+") and exactly.search(os.fsencode(line)):
                found.setdefault(path, commit)
        return list(found.items())

    def paths(self, folder: str = "") -> list[str]:
        found: list[str] = []
        for here, folders, names in os.walk(self.root / folder):
            folders[:] = [name for name in folders if name not in SKIPPED]
            found += [Path(here, name).relative_to(self.root).as_posix() for name in names]
        return sorted(found)

    def has_folder(self, path: str) -> bool:
        return os.path.isdir(self.root / path)

    def has_file(self, path: str) -> bool:
        return os.path.isfile(self.root / path)

    def size(self, path: str) -> int:
        return os.lstat(self.root / path).st_size

    def start(self, path: str, size: int) -> bytes:
        try:
            with open(self.root / path if self.has_file(path) else os.devnull, "rb") as file:
                return file.read(size)
        except OSError:
            return b""

    def is_git_ignored(self, path: str) -> bool:
        if self.in_git is None:
            return super().is_git_ignored(path)
        if path in self.in_git:
            return False
        told = ignores(self.root, path)
        return super().is_git_ignored(path) if told is None else told

    @cached_property
    def _ignore_patterns(self) -> str:
        """What .gitignore says, below the file that git reads for all of the user's repos."""
        everywhere = git(self.root, "config", "--path", "core.excludesFile")
        default = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config", "git/ignore")
        file = Path(everywhere.rstrip("\n") if everywhere else default).expanduser()
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        return f"{text}\n{super()._ignore_patterns}"


class Rendered(Tree):
    """Files that are yet to be written: their texts, by their paths."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def __str__(self) -> str:
        return "the rendered files"

    def paths(self, folder: str = "") -> list[str]:
        return sorted(path for path in self.texts if not folder or path.startswith(f"{folder}/"))

    def has_folder(self, path: str) -> bool:
        return bool(self.paths(path))

    def has_file(self, path: str) -> bool:
        return path in self.texts

    def size(self, path: str) -> int:
        return len(self.texts[path].encode())

    def start(self, path: str, size: int) -> bytes:
        return self.texts.get(path, "").encode()[:size]
