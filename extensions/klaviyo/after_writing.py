"""What is reported once everything is written."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.runtime import Context

from .before_writing import rendered_files
from .destination import CHECK


@pass_context
def quality_gates(context: Context) -> str:
    """Run the check that was just rendered on the tree that was just written.

    Returns:
        Its report, a line a gate.

    Raises:
        UserMessageError: the report, if a gate fails or the check cannot run; Copier then exits with 1.
    """
    root = Path(context["_copier_conf"]["dst_path"])
    if context["_copier_conf"]["pretend"]:
        return "Nothing was written (--pretend), so nothing was verified."
    marked = conflicts(context)
    if not (root / CHECK).is_file():
        report, failed = f"{CHECK} is gone, so nothing was verified.", False
    else:
        try:
            check = runpy.run_path(str(root / CHECK))
            gates = check["check"](root)
            report, failed = check["report"](gates), any(gate.problems for gate in gates)
        except Exception as error:  # a client may have edited it, or an update left conflict markers in it
            report, failed = f"{CHECK} cannot run: {error}", True
    if marked or failed:
        raise UserMessageError(marked + report)
    return report


def conflicts(context: Context) -> str:
    """Name the files in which an update left a conflict; empty if there are none."""
    root = Path(context["_copier_conf"]["dst_path"])
    files = [path for path, _ in rendered_files(context) if _has_conflict(root / path)]
    if not files:
        return ""
    return (
        "CONFLICTS: your change and the template's met in the same lines of\n"
        + "".join(f"  {file}\n" for file in files)
        + "Open each, choose between what <<<<<<< and >>>>>>> mark (or see its .rej), then git add it.\n\n"
    )


def _has_conflict(path: Path) -> bool:
    """Whether there are Copier's markers in a file, or beside it what `--conflict rej` leaves."""
    if path.with_name(f"{path.name}.rej").exists():
        return True
    return path.is_file() and bool(re.search(rb"^<{7} before updating\r?$", path.read_bytes(), re.MULTILINE))
