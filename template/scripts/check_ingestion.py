# /// script
# requires-python = ">=3.10"
# dependencies = ["pathspec>=0.10.2", "pyyaml"]
# ///
"""Check this repo's Klaviyo ingestion for what `td wf check` does not see.

    uv run scripts/check_ingestion.py [--json] [ROOT]

Prints a line a gate and, under one that fails (✗) or wants a look (!), where and what should be there;
exits with 1 if one fails. The gates look at files called klaviyo_* and at what these use, not at other
sources' files. Whether a query is good SQL, only TD can tell. --help lists the gates; why each is there,
ingestion_check/gates/ says. To silence one (-), name it in .check_ingestion.yml, in the repo's root:

    ignore:
      - table-names  # everywhere
      - window-start: [ingestion/sql/klaviyo_windows.sql]  # in these files only, written as in .gitignore

This file is from the Klaviyo ingestion template: settings are in config/, fixes come with copier update.
"""

import argparse
import json
import sys
from pathlib import Path

try:
    from ingestion_check import GATES, Folder, check, report
    from ingestion_check.data_sources import DATA_SOURCES
except ModuleNotFoundError as missing:
    if missing.name not in ("pathspec", "yaml"):
        raise
    sys.exit(
        "PyYAML or pathspec is missing: use `uv run scripts/check_ingestion.py`, "
        "or `pip install pathspec pyyaml` first."
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description="Check the Klaviyo ingestion of a repo.",
        epilog="\n".join(["gates:", *(f"  {gate.id:20}{gate.title}" for gate in GATES)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("root", nargs="?", type=Path, help="the repo; else the one that this script is in")
    parser.add_argument("--json", action="store_true", help="print the gates as JSON")
    options = parser.parse_args(argv)
    own = Path(__file__).absolute().parent.parent
    root = options.root or (own if (own / "ingestion").is_dir() else Path.cwd())
    results = check(Folder(root), DATA_SOURCES)
    as_json = [
        {
            "id": each.id,
            "name": each.title,
            "passed": not each.failed,
            "silenced": each.silenced,
            "problems": [problem._asdict() for problem in each.problems],
        }
        for each in results
    ]
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    print(json.dumps(as_json, indent=2) if options.json else report(results))
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
