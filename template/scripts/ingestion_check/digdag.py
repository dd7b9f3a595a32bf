"""List what Digdag knows: its operators, the keys of a task, its variables."""

from __future__ import annotations

# A line for each word would make this three times as long.
# fmt: off

OPERATORS = {
    "td>", "td_load>", "td_ddl>", "td_run>", "td_for_each>", "td_wait>", "td_wait_table>",
    "td_table_export>", "td_result_export>", "td_partial_delete>", "call>", "require>", "for_each>",
    "for_range>", "loop>", "if>", "fail>", "echo>", "wait>", "mail>", "http>", "http_call>", "py>", "rb>",
    "sh>", "s3_wait>", "gcs_wait>", "bq>", "bq_ddl>", "bq_load>", "bq_extract>", "pg>", "redshift>",
    "redshift_load>", "redshift_unload>", "emr>", "embulk>", "param_get>", "param_set>", "nop>", "notify>",
}
TAKE_A_FILE = {"td>", "td_load>", "td_for_each>", "mail>"}
TALK_TO_PEOPLE = {"mail>", "echo>", "fail>"}
MAKE_ANY_VARIABLE = {"py>", "rb>", "sh>", "call>", "param_get>"}
# Without such a key these operators do nothing, or fail.
NEEDS = {
    "td_load>": ["table"],
    "td_ddl>": [
        *(f"{do}_{what}" for do in ("create", "empty", "drop") for what in ("databases", "tables")),
        "rename_tables",
    ],
    **{loop: ["_do"] for loop in ("for_each>", "for_range>", "loop>", "td_for_each>")},
}

BLOCKS = {"_do", "_else_do", "_error", "_check"}
WORKFLOW_KEYS = {"timezone", "schedule", "sla", "_export", "_error", "_check", "_retry", "_parallel"}
GROUP_KEYS = {*WORKFLOW_KEYS, "_background", "_after", "_secrets", "_disable"}
TASK_KEYS = {*GROUP_KEYS, *BLOCKS, "_env", "_type", "_command", "_workdir"}
NESTED_KEYS = {
    "_parallel": {"limit"},
    "_retry": {"limit", "interval", "interval_type", "max_interval"},
    "schedule": {
        "hourly>", "daily>", "weekly>", "monthly>", "minutes_interval>", "seconds_interval>", "cron>",
        "skip_on_overtime", "skip_delayed_by", "start", "end", "delay", "at",
    },
}

# Where properties of a variable are listed, it has no others.
VARIABLES = {
    "td.last_job.id", "td.last_job.num_records", "session_uuid", "session_id", "attempt_id",
    "retry_attempt_name", "project_id", "timezone", "task_name", "td", "td.last_job", "td.last_job_id",
    "td.last_results", "td.each", "td.database", "http", "s3", "gcs", "bq", "emr", "pg",
    *(
        f"{which}session_{time}"
        for which in ("", "last_", "next_", "last_executed_")
        for time in ("time", "date", "date_compact", "local_time", "tz_offset", "unixtime")
    ),
}
ERROR_VARIABLES = {"error", "error.message", "error.stacktrace"}
JAVASCRIPT = {
    "moment", "JSON", "Math", "Date", "String", "Number", "Boolean", "Array", "Object", "RegExp",
    "parseInt", "parseFloat", "isNaN", "isFinite", "encodeURIComponent", "decodeURIComponent", "encodeURI",
    "decodeURI", "escape", "unescape", "undefined", "NaN", "Infinity", "this", "null", "true", "false",
    "typeof", "new", "in", "instanceof", "void", "delete",
}
# fmt: on


def is_task(key: str) -> bool:
    """Whether a key of a workflow begins a task, or a block of tasks."""
    return key.startswith("+") or key in BLOCKS
