"""What is reported once everything is written."""

from __future__ import annotations

import re
from pathlib import Path

from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.runtime import Context

from .before_writing import rendered_files
from .catalogue import CATALOGUE
from .destination import CHECK
from .ingestion_check import Folder, check, report
from .ingestion_check.fields import Catalogue, DataSource, Names

KNOWN = Catalogue(
    DataSource(
        known.data_source,
        known.name,
        Names(known.inc_field, known.inc_field_connector),
        Names(known.hist_field, known.hist_field_connector),
        known.sends_field,
    )
    for known in CATALOGUE
)


@pass_context
def quality_gates(context: Context) -> str:
    """Check the tree that was just written, by this version's gates: no code of the client's runs in Copier.

    Returns:
        Its report, a line a gate.

    Raises:
        UserMessageError: the report, if a gate fails; Copier then exits with 1.
    """
    root = Path(context["_copier_conf"]["dst_path"])
    if context["_copier_conf"]["pretend"]:
        return "Nothing was written (--pretend), so nothing was verified."
    marked = conflicts(context)
    if not (root / CHECK).is_file():
        verified, failed = f"{CHECK} is gone, so nothing was verified.", False
    else:
        results = check(Folder(root), KNOWN)
        verified, failed = report(results), any(result.problems for result in results)
    if marked or failed:
        raise UserMessageError(marked + verified)
    return verified


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
