"""What it costs to keep a latest table: 1,000 rows that come, beside making the whole table anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlglot
from ingestion import DATABASE, INC
from sqlglot import exp
from treasure_data import Job

from bench.shapes import DAY, QUERY_SECONDS, client

LATEST = "klaviyo_profiles_latest"


def latest_table(template: Path, folder: Path, size: int) -> dict[str, Any]:
    """Profiles whose latest table has so many rows, when 1,000 come, half of them changes; then made anew."""
    answers = ("-d", "objects=[profiles]", "-d", "latest_tables=yes")
    with client(template, folder, "ours", 60, *answers) as acme:
        acme.run(INC)
        for table in ("klaviyo_profiles", LATEST):
            old = (
                f"SELECT 'many-' || n, '2024-01-01T00:00:00+00:00', 1704067200 FROM range({size}) AS many (n)"
            )
            acme.td.rows(f"INSERT INTO {DATABASE}.{table} (id, updated, time) {old}")
        acme.td.clock.advance(DAY.total_seconds())
        for number in range(1000):
            id = f"many-{number}" if number % 2 else f"new-{number}"
            acme.account.add("profiles", id=id, updated=acme.account.now())
        merged = of_latest(acme.run(INC, session="2026-01-02 00:00:00").jobs)
        rebuild = acme.run("klaviyo_latest", params={"rebuild": "true"}, session="2026-01-02 00:00:00")
        anew = of_latest(rebuild.jobs)
        return {
            "TD jobs": len(merged),
            "rows deleted and inserted": sum(job.written for job in merged if writes(job)),
            "columns of it that are read": ", ".join(sorted(columns_read(merged))),
            "seconds of its queries": seconds(merged),
            "made anew: TD jobs": len(anew),
            "made anew: rows written": sum(job.written for job in anew if writes(job)),
            "made anew: seconds": seconds(anew),
        }


def of_latest(jobs: list[Job]) -> list[Job]:
    """The queries of a run that have to do with the latest table."""
    return [job for job in jobs if job.kind == "query" and "_latest" in job.text]


def writes(job: Job) -> bool:
    """Whether it writes into the latest table, or into the one that takes its place."""
    return job.target in (f"{DATABASE}.{LATEST}", f"{DATABASE}.{LATEST}_new")


def seconds(jobs: list[Job]) -> float:
    """How long queries took, without the fixed time of each."""
    return sum((job.ended_at or job.started_at) - job.started_at - QUERY_SECONDS for job in jobs)


def columns_read(jobs: list[Job]) -> set[str]:
    """The columns of the latest table that SELECTs name."""
    statements = [sqlglot.parse_one(job.text, dialect="trino") for job in jobs]
    selects = [select for each in statements for select in each.find_all(exp.Select)]
    of_it = [select for select in selects if (table := select.find(exp.Table)) and table.name == LATEST]
    return {column.name for select in of_it for column in select.find_all(exp.Column)}
