"""Run `make` as a maintainer does, in what these tests run in, which stays as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VENV = Path(sys.prefix)
AS_SET_UP = (f"VENV={VENV}", f"--old-file={VENV}/ready")


def make(folder, *arguments, **environment):
    """Run `make` in a folder; gives how that ended."""
    return subprocess.run(
        [shutil.which("make"), "-C", folder, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
