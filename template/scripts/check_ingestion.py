# /// script
# requires-python = ">=3.10"
# dependencies = ["pathspec>=0.10.2", "pyyaml"]
# ///
"""Check this repo's Klaviyo ingestion for what `td wf check` does not see.

    uv run scripts/check_ingestion.py [--json] [ROOT]

Prints a line a gate and, under one that fails (✗) or wants a look (!), where and what should be there;
exits with 1 if one fails. The gates look at files called klaviyo_* and at what these use, not at other
sources' files. Whether a query is good SQL, only TD can tell. ingestion_check/gates/ has each with its why:

    version_control     No update was left half done
    files               YAML, JSON and .dig files can be read, and have no key twice
                        Files that a workflow or a datasource names are there
                        No Klaviyo file lies unused
    each_account        No account uses another's files
    workflows           Operators and keys are those that Digdag knows
                        Every ${variable} is defined
                        Workflows run in UTC
                        A schedule has one time, and skips what would run beside itself
    queries             No table's name is misspelt in a query
    names               Digdag and SQL read each name as it is written
    config              Datasources are complete
                        Timestamps are YYYY-MM-DDTHH:MM:SS.000000, without a zone
                        Campaigns' fields, and all others, have the right two names
                        SQL gets the table's field, load files the API's
                        Events have no incremental_field, and skip related objects
                        Load files ask for their window, and fill the column time
    each_account        All load files have one authentication
                        Each account has an authentication of its own
    log                 Each load stands between its log steps, each with its SQL file
                        Each run logs its start, looks for another run, and logs its end
                        A latest table is written by one run at a time, which logs it
                        Log rows name the table that is loaded, and the workflow
                        _error blocks log what fails, in each object and in the run
    workflows           At most three loads run at once (_parallel: limit: 3)
                        A load that fails holds up no other, and fails the run
                        Windows are a COALESCE over incremental table, backfill, default start
    secrets             Credentials are a flat map, ignored by git and by td wf push
                        No file that git or td wf push takes holds a key
                        The template's URL holds no token
    files               The archive is small enough to push
    version_control     Git takes what the ingestion is made of
                        GitHub finds the workflow that runs the check
    each_account        All accounts are of one version

This file is from the Klaviyo ingestion template: settings are in config/, fixes come with copier update.
"""

import argparse
import json
import sys
from pathlib import Path

try:
    from ingestion_check import Folder, check, report
    from ingestion_check.data_sources import DATA_SOURCES
except ModuleNotFoundError as missing:
    if missing.name not in ("pathspec", "yaml"):
        raise
    sys.exit(
        "PyYAML or pathspec is missing: use `uv run scripts/check_ingestion.py`, "
        "or `pip install pathspec pyyaml` first."
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Check the Klaviyo ingestion of a repo.")
    parser.add_argument("root", nargs="?", type=Path, help="the repo; else the one that this script is in")
    parser.add_argument("--json", action="store_true", help="print the gates as JSON")
    options = parser.parse_args(argv)
    own = Path(__file__).absolute().parent.parent
    root = options.root or (own if (own / "ingestion").is_dir() else Path.cwd())
    results = check(Folder(root), DATA_SOURCES)
    as_json = [
        {"name": name, "passed": not failed, "problems": [problem._asdict() for problem in problems]}
        for name, failed, problems in ((each.name, each.failed, each.problems) for each in results)
    ]
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    print(json.dumps(as_json, indent=2) if options.json else report(results))
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
