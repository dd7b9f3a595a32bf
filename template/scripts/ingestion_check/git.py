"""Ask git about a folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# With these git takes a path as something else than a path, or answers with an error.
OF_PATHS = tuple(f"GIT_{how}_PATHSPECS" for how in ("LITERAL", "GLOB", "NOGLOB", "ICASE"))


class Failed(Exception):
    """Git did not answer: it is not there, or ended with an error, whose first line this is."""


def answer(folder: Path, *command: str, asked: str = "", no: int | None = None) -> str | None:
    """What a git command prints; None, if it says no.

    Args:
        folder: where it is run.
        command: its arguments.
        asked: what it reads.
        no: the exit code with which it says no; any other is an error.

    Raises:
        Failed: it gave no answer.
    """
    try:
        ended = subprocess.run(
            ["git", "-C", folder, *command],
            input=os.fsencode(asked),
            capture_output=True,
            check=False,
            timeout=20,
            env={name: value for name, value in os.environ.items() if name not in OF_PATHS},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(str(error)) from None
    if ended.returncode not in (0, no):
        told = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Failed(told[0] if told else f"exit code {ended.returncode}")
    return os.fsdecode(ended.stdout) if ended.returncode == 0 else None


def git(folder: Path, *command: str, asked: str = "") -> str | None:
    """What a git command prints; None, if it says no, or gives no answer at all."""
    try:
        return answer(folder, *command, asked=asked)
    except Failed:
        return None


def ignores(folder: Path, path: str) -> bool | None:
    """Whether git leaves a file alone; None, if it does not tell.

    Asked from the file's own folder, it also tells of what is behind a link, or in a submodule.
    """
    file = folder / path
    try:
        return answer(file.parent, "check-ignore", "-q", "--", file.name, no=1) is not None
    except Failed:
        return None
