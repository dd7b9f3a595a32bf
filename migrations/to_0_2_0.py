"""What an update to 0.2.0 or newer does in a client's repo beside rendering: `before` it, and `after` it.

Of the SQL files some have another name now, and some are gone. Copier would delete each old one, whoever
changed or uses it. So what the client changed in a renamed file is renamed with it, which Copier then marks
where it meets the new text; what they changed in a file that is gone, and what another source brought or
uses, is put back.

    python to_0_2_0.py before|after      (in the client's repo)
"""

import subprocess
import sys
from pathlib import Path

SQL = Path("ingestion/sql")
# The blob of each as 0.1.0 has it, and its new name.
FILES = {
    "log_ingestion_start.sql": (
        "fb841cef24b503e6e922523ba49e9197a11246c6",
        "klaviyo_log_ingestion_start.sql",
    ),
    "log_ingestion_success.sql": (
        "926a67d2dab0758577e82cb022e444ec1ec8798a",
        "klaviyo_log_ingestion_success.sql",
    ),
    "log_ingestion_error.sql": (
        "c8edb7e3f388d5fffdcb29e218a9fce2b588ccb2",
        "klaviyo_log_ingestion_error.sql",
    ),
    "klaviyo_backfill_windows.sql": ("6859b60384998f6a1732a539a091b98ff9b2c480", "klaviyo_windows.sql"),
    "klaviyo_failed.sql": ("42d2399c4917b1a10327298a85457d1931b26988", "klaviyo_result.sql"),
    "klaviyo_incremental_window.sql": ("185793545c5a27d25c79dacaad06e4cf53b18997", None),
    "klaviyo_create_table.sql": ("5b9ac2b4be2206afadbef46fac9dc3f7d7ef9b1f", None),
}
SIGNATURE = "from the Klaviyo ingestion template"


def git(*command):
    """What git answers; nothing where it says no."""
    return subprocess.run(["git", *command], capture_output=True, text=True, check=False).stdout.strip()


def is_of_others(name):
    """Whether another source brought a file, or has a workflow that runs it."""
    if name.startswith("klaviyo_"):
        return False
    users = git(
        "grep", "-l", "--fixed-strings", name, "HEAD", "--", "ingestion/*.dig", ":!ingestion/klaviyo_*"
    )
    return SIGNATURE not in git("show", f"HEAD:{SQL / name}") or bool(users)


def before():
    """Renames what the client changed."""
    for name, (released, renamed) in FILES.items():
        changed = git("rev-parse", "--quiet", "--verify", f"HEAD:{SQL / name}") not in ("", released)
        if changed and renamed and not is_of_others(name) and not (SQL / renamed).exists():
            git("mv", str(SQL / name), str(SQL / renamed))


def after():
    """Puts back what is not only the template's."""
    for name, (released, renamed) in FILES.items():
        blob = git("rev-parse", "--quiet", "--verify", f"HEAD:{SQL / name}")
        if blob and (is_of_others(name) or (blob != released and not renamed)):
            git("checkout", "HEAD", "--", str(SQL / name))


if __name__ == "__main__":
    {"before": before, "after": after}[sys.argv[1]]()
