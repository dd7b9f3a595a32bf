"""Keep a client's edits of SQL files that an update to 1.0.0 or newer renames, moves or removes.

Copier would delete each old one, whoever changed or uses it. So `before` the update, what the client changed
in a renamed file is renamed with it, and Copier then marks where it meets the new text. `after` it, what
they changed in a file that is gone, and what another source brought or uses, is put back.

    python to_1_0_0.py before|after      (in the client's repo)
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

INGESTION = Path("ingestion")
# The blobs of each as 0.1.0 has it, without what the answers say in it, and its new name.
FILES = {
    "sql/log_ingestion_start.sql": (
        ("fb841cef24b503e6e922523ba49e9197a11246c6",),
        "sql/klaviyo_log_ingestion_start.sql",
    ),
    "sql/log_ingestion_success.sql": (
        ("926a67d2dab0758577e82cb022e444ec1ec8798a",),
        "sql/klaviyo_log_ingestion_success.sql",
    ),
    "sql/log_ingestion_error.sql": (
        ("c8edb7e3f388d5fffdcb29e218a9fce2b588ccb2",),
        "sql/klaviyo_log_ingestion_error.sql",
    ),
    "sql/klaviyo_backfill_windows.sql": (
        ("6859b60384998f6a1732a539a091b98ff9b2c480",),
        "sql/klaviyo_windows.sql",
    ),
    "sql/klaviyo_not_started.sql": (
        ("2feb43c2e8899b320a5ed2d0659976095d3ef829",),
        "sql/klaviyo_objects_to_load.sql",
    ),
    "sql/klaviyo_failed.sql": (
        ("42d2399c4917b1a10327298a85457d1931b26988",),
        "sql/klaviyo_run_result.sql",
    ),
    "sql/klaviyo_incremental_window.sql": (("185793545c5a27d25c79dacaad06e4cf53b18997",), None),
    "sql/klaviyo_create_table.sql": (("5b9ac2b4be2206afadbef46fac9dc3f7d7ef9b1f",), None),
    "sql/klaviyo_monitoring.sql": (
        ("fdfa08305f05ca95e6768381d0b7a715704f067e",),
        "query_samples/klaviyo_monitoring.sql",
    ),
    "sql/klaviyo_latest_rows.sql": (
        (
            "b8aa56d9a2afb83a378fe98c7103c61adbf698b1",
            "8db600cddafd854ad55729baf232a5bf163b46bf",  # of no object that has a field
        ),
        "query_samples/klaviyo_latest_rows.sql",
    ),
}
SIGNATURE = b"from the Klaviyo ingestion template"


def git(*command):
    """What git answers; nothing where it says no."""
    return subprocess.run(["git", *command], capture_output=True, text=True, check=False).stdout.strip()


def committed(name):
    """The last commit's text of a file in ingestion/, as bytes; None where there is none."""
    shown = subprocess.run(["git", "show", f"HEAD:./{INGESTION / name}"], capture_output=True, check=False)
    return None if shown.returncode else shown.stdout


def without_answers(text):
    """The text with one table, one field and one object for all, and each object's queries once."""
    text = re.sub(rb"(?<=FROM )\w+\.\w+", b"x", text)
    text = re.sub(rb"(?<=TD_TIME_PARSE\()\w+(?=\) DESC, time DESC)", b"x", text)
    objects = re.split(rb"\n\n-- \w+(?=\nSELECT)", text)
    return b"\n\n-- x".join(dict.fromkeys(each.rstrip(b"\n") for each in objects)) + b"\n"


def is_as_released(text, blobs):
    """Whether the client changed nothing in a file."""
    found = (text, without_answers(text))
    return any(hashlib.sha1(b"blob %d\0%s" % (len(each), each)).hexdigest() in blobs for each in found)


def is_of_others(name, text):
    """Whether another source brought a file, or has a workflow that runs it."""
    if name.startswith("sql/klaviyo_"):
        return False
    workflows = ("ingestion/*.dig", ":!ingestion/klaviyo_*")
    users = git("grep", "-l", "--fixed-strings", Path(name).name, "HEAD", "--", *workflows)
    return SIGNATURE not in text or bool(users)


def before():
    """Rename what the client changed."""
    for name, (released, renamed) in FILES.items():
        text, there = committed(name), INGESTION / (renamed or "")
        if text is None or is_as_released(text, released) or is_of_others(name, text) or there.exists():
            continue
        there.parent.mkdir(exist_ok=True)
        git("mv", str(INGESTION / name), str(there))


def after():
    """Put back what is not only the template's, and remove again what the client had deleted."""
    for name, (released, renamed) in FILES.items():
        text = committed(name)
        is_for_people = (renamed or "").startswith("query_samples/")
        if text is None and is_for_people and committed(renamed) is None:
            (INGESTION / renamed).unlink(missing_ok=True)
        elif text is not None and (
            is_of_others(name, text) or not (renamed or is_as_released(text, released))
        ):
            git("checkout", "HEAD", "--", str(INGESTION / name))


if __name__ == "__main__":
    {"before": before, "after": after}[sys.argv[1]]()
