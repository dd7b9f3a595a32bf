"""Ask git about a folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *command: str, asked: str = "") -> str | None:
    """What a git command prints; None, if it says no, or git is not there.

    Args:
        folder: where it is run.
        command: its arguments.
        asked: what it reads.
    """
    try:
        answer = subprocess.run(
            ["git", "-C", folder, *command],
            input=os.fsencode(asked),
            capture_output=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(answer.stdout) if answer.returncode == 0 else None
