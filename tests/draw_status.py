"""Draw docs/status.svg, what scripts/klaviyo_status.py shows of a synthetic account: `make picture`."""

import os
import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / folder) for folder in ("tests/engine", "template/scripts")]

import klaviyo_status
from mock_td.treasure_data import TreasureData
from written_td import WrittenTD, a_backfill_under_way


def page(repo):
    """What is shown of a repo's first account, on a mock TD in which its backfill is under way."""
    with TreasureData() as server:
        a_backfill_under_way(WrittenTD(repo / "ingestion", server.databases))
        os.environ.update(TD_API_KEY="1/x", TD_API_SERVER=f"http://{server.endpoint}")
        td = klaviyo_status.TreasureData(repo)
        found = klaviyo_status.look(td, repo / "ingestion/query_samples", ["klaviyo"])["klaviyo"]
        tasks = list(klaviyo_status.to_do("klaviyo", found))
        return list(klaviyo_status.page("klaviyo", td.database, found, tasks))


def main():
    console = Console(record=True, width=80, file=StringIO(), force_terminal=True)
    console.print(*page(ROOT / "example"), sep="\n")
    picture = console.export_svg(title="uv run scripts/klaviyo_status.py", unique_id="status")
    # Drawn with a font of the reader's: a picture of ours fetches none.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (ROOT / "docs/status.svg").write_text(
        re.sub(r"[ \t]+$", "", picture, flags=re.MULTILINE), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
