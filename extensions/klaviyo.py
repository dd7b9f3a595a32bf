"""The rules of Klaviyo → Treasure Data ingestion, for Copier.

One self-contained file, on purpose: `copier update` renders the old and the new template in one
process and executes this file afresh for each, while a module that it imported would stay cached.

From top to bottom: the catalogue of objects, the rules for values, the rules for whole files, the
credentials file, what is reported after a copy, and the Jinja extension that offers all of it.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from copier.errors import UserMessageError
from jinja2 import pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context

# ---------------------------------------------------------------------------------------------
# The catalogue
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KlaviyoObject:
    """What the connector can load, and how.

    A field has two names: the one that SQL finds in the table, and the one that the connector
    sends to Klaviyo's API. They differ for campaigns, and mixing them up loads nothing.

    Attributes:
        name: what people call it; names its tables and its load file.
        data_source: what the connector calls it.
        inc_field: the table's field that says when a record last changed; None for a full load.
        inc_field_connector: the same field's name in the API.
        hist_field: the table's field that says when a record was created.
        hist_field_connector: the same field's name in the API.
        sends_field: whether the connector wants `incremental_field`; events must not have it.
        window_days: length of a backfill window in days; None for one load of everything.
    """

    name: str
    data_source: str
    inc_field: str | None = "updated"
    inc_field_connector: str | None = "updated"
    hist_field: str | None = "created"
    hist_field_connector: str | None = "created"
    sends_field: bool = True
    window_days: int | None = None

    @property
    def table(self) -> str:
        """The incremental table."""
        return f"klaviyo_{self.name}"

    @property
    def historical_table(self) -> str:
        """The table that the backfill fills."""
        return f"klaviyo_{self.name}_hist"

    @property
    def config_file(self) -> str:
        """The load file, which both workflows use."""
        return f"klaviyo_{self.name}_load.yml"

    @property
    def mode(self) -> str:
        """How a load meets the table: a full load replaces it, any other appends to it."""
        return "append" if self.inc_field else "replace"

    def as_full_load(self) -> KlaviyoObject:
        """The same object, loaded whole each time."""
        return replace(
            self, inc_field=None, inc_field_connector=None, hist_field=None, hist_field_connector=None
        )

    def lookback_seconds(self, events_lookback_hours: int) -> int:
        """How far before its watermark an incremental run starts, in seconds."""
        return events_lookback_hours * 3600 if self.data_source == "events" else 0

    def late_days(self, events_late_days: int) -> int:
        """How many days the first incremental run of a UTC day asks for again."""
        return events_late_days if self.data_source == "events" else 0


# Sources: Klaviyo's API reference for the payloads' fields and the filters, TD's page of the
# connector for data_source and skip_related_objects.
CATALOGUE = (
    KlaviyoObject("profiles", "profiles", window_days=90),
    KlaviyoObject(
        "events",
        "events",
        inc_field="datetime",
        inc_field_connector="datetime",
        hist_field="datetime",
        hist_field_connector="datetime",
        sends_field=False,
        window_days=90,
    ),
    KlaviyoObject(
        "campaigns", "campaigns", inc_field="updated_at", hist_field="created_at"
    ),
    KlaviyoObject("lists", "lists"),
    KlaviyoObject("email_templates", "templates"),
    KlaviyoObject("metrics", "metrics"),
)

CUSTOM_OBJECT_FORM = (
    "[{name: flows, data_source: flows, inc_field: updated, inc_field_connector: updated, "
    "hist_field: created, hist_field_connector: created}], or no field at all for a full load"
)


def custom_object(entry: Any) -> KlaviyoObject:
    """Make an object of one entry of the answer `custom_objects`.

    Args:
        entry: a map with `name`, and if wanted `data_source` (else the name). Of the four fields
            either none (each run loads everything, in replace mode) or at least `inc_field` and
            `inc_field_connector`; `hist_field` and `hist_field_connector` default to those two.

    Raises:
        BadAnswer: it has another shape, or breaks the dual-field rule.
    """
    known = ("name", "data_source", "inc_field", "inc_field_connector", "hist_field", "hist_field_connector")
    if not isinstance(entry, dict) or not set(entry) <= set(known) or not entry.get("name"):
        raise BadAnswer(CUSTOM_OBJECT_FORM)
    values = [entry.get(field) or None for field in known]
    if not all(isinstance(v, str) and re.fullmatch(r"[a-z][a-z0-9_]{0,63}", v) for v in values if v):
        raise BadAnswer("names of a-z, 0-9, _ that start with a letter: " + CUSTOM_OBJECT_FORM)
    name, data_source, incremental, historical = values[0], values[1] or values[0], values[2:4], values[4:]
    if not any(incremental + historical):
        return replace(KlaviyoObject(name, data_source).as_full_load(), sends_field=False)
    if not any(historical):
        historical = incremental
    if not all(incremental + historical):
        raise BadAnswer("each field with both names, the table's and the API's: " + CUSTOM_OBJECT_FORM)
    for pair in (incremental, historical):
        try:
            check_dual_field(data_source, *pair)
        except ValueError as error:
            raise BadAnswer(str(error)) from None
    return KlaviyoObject(name, data_source, *incremental, *historical, sends_field=data_source != "events")


def chosen_objects(names: list[str], custom_objects: list[dict], metrics_load: str) -> list[KlaviyoObject]:
    """The objects that a client's repo loads: the catalogue's in its order, then the custom ones.

    Args:
        names: the answer `objects`.
        custom_objects: the answer `custom_objects`.
        metrics_load: the answer `metrics_load`; `full` makes metrics a full load.
    """
    chosen = [known for known in CATALOGUE if known.name in names]
    return [
        known.as_full_load() if known.name == "metrics" and metrics_load == "full" else known
        for known in chosen
    ] + [custom_object(entry) for entry in custom_objects]


# ---------------------------------------------------------------------------------------------
# Rules for values
# ---------------------------------------------------------------------------------------------

TIMESTAMP_FORM = "YYYY-MM-DDTHH:MM:SS.000000"
TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000000"
DEFAULT_DATABASE = "client_src"
ENTRY_OF_THE_KEY = "klaviyo_api_token"
PLACEHOLDER = "put the Klaviyo private API key here, it starts with pk_"


class BadAnswer(ValueError):
    """An answer that will not do.

    Attributes:
        form: what is wanted, useful words first: a prompt shows about the first thirty characters.
        example: the answer that was probably meant, if one can be guessed.
    """

    def __init__(self, form: str, example: str = "") -> None:
        super().__init__(f"{example}: {form}" if example else form)
        self.form = form
        self.example = example


def timestamp(value: Any) -> str:
    """Return a time as the connector takes it, or refuse it.

    The connector wants `YYYY-MM-DDTHH:MM:SS.000000`: UTC, six zeros, no zone.

    Args:
        value: text in that form.

    Raises:
        BadAnswer: any other form, with the right one as `example` where it can be guessed; or a
            day or hour that does not exist.
    """
    if isinstance(value, str) and re.fullmatch(TIMESTAMP, value):
        try:
            datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.000000")
        except ValueError:
            raise BadAnswer(f"a day and hour that exist, as {TIMESTAMP_FORM}") from None
        return value
    raise BadAnswer(f"{TIMESTAMP_FORM}, UTC, without a zone", _guess_timestamp(value))


def _guess_timestamp(value: Any) -> str:
    """The instant that was probably meant, in the right form; empty where it cannot be told."""
    if isinstance(value, (date, datetime)):
        value = value.isoformat()
    text = unicodedata.normalize("NFKC", str(value)).strip()
    try:
        if re.fullmatch(r"[0-9]{9,10}|[0-9]{13}", text):
            moment = datetime.fromtimestamp(int(text[:10]), timezone.utc).replace(tzinfo=None)
        else:
            found = re.fullmatch(
                r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
                r"(?:[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]*)?)?)?"
                r" *(?:Z|UTC|([+-])([0-9]{2}):?([0-9]{2}))?",
                text,
                re.IGNORECASE,
            )
            if not found:
                return ""
            *parts, sign, hours, minutes = found.groups()
            moment = datetime(*(int(part or 0) for part in parts))
            if sign:
                offset = timedelta(hours=int(hours), minutes=int(minutes))
                moment += offset if sign == "-" else -offset
    except (ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000").rjust(26, "0")


def past_timestamp(value: Any) -> str:
    """Return a `timestamp` that lies in the past; refuse any other.

    Raises:
        BadAnswer: any other, with an `example` only if that would be accepted.
    """
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000000")
    try:
        if timestamp(value) <= now:
            return value
    except BadAnswer as bad:
        if bad.example <= now:
            raise
    raise BadAnswer(f"a time in the past, as {TIMESTAMP_FORM}")


def check_dual_field(data_source: str, table_field: str | None, connector_field: str | None) -> None:
    """Refuse a pair of field names of which one is the wrong one for its place.

    Campaigns are `updated_at` and `created_at` in the table, `updated` and `created` for the API.
    Only a data source of the catalogue can be checked: of others the API's names are not known.

    Raises:
        ValueError: the pair is not the catalogue's, or campaigns have one name twice, there too.
    """
    if data_source == "campaigns" and table_field == connector_field:
        raise ValueError(f"updated_at with updated, or created_at with created, not {table_field} twice")
    for known in CATALOGUE:
        if known.data_source == data_source:
            right = {
                (known.inc_field, known.inc_field_connector),
                (known.hist_field, known.hist_field_connector),
            }
            if (table_field, connector_field) not in right:
                wanted = " or ".join(f"{table} with {api}" for table, api in sorted(right))
                raise ValueError(
                    f"{wanted} (the field in the table with its name in the API) for {data_source}, "
                    f"not {table_field} with {connector_field}"
                )


def _matching(pattern: str, form: str) -> Callable[[Any], None]:
    """A rule for text that matches as a whole."""

    def rule(value: Any) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise BadAnswer(form)

    return rule


def _one_of(*choices: Any) -> Callable[[Any], None]:
    """A rule for a value that is one of a few."""

    def rule(value: Any) -> None:
        if value not in choices:
            raise BadAnswer(" or ".join(map(str, choices)))

    return rule


def check_client_name(value: Any) -> None:
    """Accept one line of text without `${`, which Digdag would take for a variable."""
    if not isinstance(value, str) or not value.isprintable() or value != value.strip() or not value:
        raise BadAnswer("one line of text, without blanks at its ends")
    if "${" in value or len(value) > 100:
        raise BadAnswer("at most 100 characters, without ${")


def check_authentication_id(value: Any) -> None:
    """Accept the number of a TD authentication, or its name; not a Klaviyo key pasted one question late."""
    text = _bare_number_as_text(value)
    if not isinstance(text, str) or not re.fullmatch(r"(?!pk_)[A-Za-z0-9_-]{1,128}", text):
        raise BadAnswer("digits, as in the authentication's URL; or letters, digits, _ and -")


def _bare_number_as_text(value: Any) -> Any:
    """A whole number, as a data file may give it, as the text that `-d` gives; anything else as it is."""
    return str(value) if type(value) is int else value


def check_database(value: Any) -> None:
    """Accept a TD database's name, or nothing for the default."""
    if value == "" or isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{3,128}", value):
        return
    guess = re.sub(r"[^a-z0-9_]+", "_", str(value).strip().lower()).strip("_")
    raise BadAnswer(
        "3 to 128 of a-z, 0-9 and _", guess if isinstance(value, str) and 3 <= len(guess) <= 128 else ""
    )


def check_objects(value: Any) -> None:
    """Accept a list, or YAML text of a list, of the catalogue's names, at least one."""
    names = [known.name for known in CATALOGUE]
    chosen = _parsed(value)
    # Copier takes each item of the text as it is written, with its escapes, anchors and tags.
    plain = not isinstance(value, str) or not re.search(r"[\\&*!]", value)
    if not (plain and isinstance(chosen, list) and chosen and all(name in names for name in chosen)):
        raise BadAnswer(f"at least one of {', '.join(names)}, in a list like [profiles, events]")


def _up_to(most: int, unit: str) -> Callable[[Any], None]:
    """A rule for a whole number."""

    def rule(value: Any) -> None:
        text = _bare_number_as_text(value)
        if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > most:
            raise BadAnswer(f"0 to {most}, whole {unit}")

    return rule


CRON_FIELDS = (
    (0, 59, ""),
    (0, 23, ""),
    (1, 31, ""),
    (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    (0, 7, "sun mon tue wed thu fri sat"),
)


def check_schedule(value: Any) -> None:
    """Accept none, hourly, daily or the five fields of cron (Digdag's `cron>`)."""
    if value in ("none", "hourly", "daily"):
        return
    fields = value.split(" ") if isinstance(value, str) else []
    if len(fields) != 5 or not all(map(_is_cron_field, fields, CRON_FIELDS)):
        raise BadAnswer("none, hourly, daily, or cron like 30 4 * * * (UTC)")


def _is_cron_field(field: str, limits: tuple[int, int, str]) -> bool:
    low, high, names = limits
    for part in field.lower().split(","):
        found = re.fullmatch(r"(\*|([0-9]{1,2}|[a-z]{3})(-([0-9]{1,2}|[a-z]{3}))?)(/[1-9][0-9]?)?", part)
        if not found:
            return False
        ends = [end for end in found.group(2, 4) if end]
        numbers = [int(end) for end in ends if end.isdigit()]
        if not all(end.isdigit() or end in names.split() for end in ends):
            return False
        if not all(low <= number <= high for number in numbers) or numbers != sorted(numbers):
            return False
    return True


def check_email(value: Any) -> None:
    """Accept one plain address, or nothing for no mail."""
    pattern = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
    if value != "" and not (isinstance(value, str) and re.fullmatch(pattern, value)):
        raise BadAnswer("one address like data-team@example.com, or empty")


def check_custom_objects(value: Any) -> None:
    """Accept a list, or YAML text of a list, of `custom_object` entries, if no two objects share a table."""
    entries = _parsed(value)
    if not isinstance(entries, list):
        raise BadAnswer(CUSTOM_OBJECT_FORM)
    objects = [*CATALOGUE, *map(custom_object, entries)]
    if len({table for each in objects for table in (each.table, each.historical_table)}) < 2 * len(objects):
        raise BadAnswer("names of their own, not one twice, not x_hist beside x: " + CUSTOM_OBJECT_FORM)


def _parsed(value: Any) -> Any:
    """An answer's YAML text as data (`-d` gives text); anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except Exception:  # PyYAML lets through many kinds, such as a ValueError for 2023-02-30
        return None


# A rule for each question, in the questions' order. A rule returns, or raises BadAnswer.
RULES: dict[str, Callable[[Any], Any]] = {
    "answers_are_good": _one_of(True),
    "client_name": check_client_name,
    "klaviyo_api_key": _matching(
        r"(pk_[A-Za-z0-9_]{1,252})?", "pk_ and then letters, digits or _; a private key of Klaviyo, or empty"
    ),
    "td_authentication_id": check_authentication_id,
    "default_start_date": past_timestamp,
    "target_database": check_database,
    "objects": check_objects,
    "metrics_load": _one_of("incremental", "full"),
    "events_lookback_hours": _up_to(168, "hours"),
    "events_late_days": _up_to(30, "days"),
    "custom_objects": check_custom_objects,
    "schedule": check_schedule,
    "alert_email": check_email,
    "ci": _one_of("github", "none"),
    "writes_credentials": _one_of(True, False),
    "files_are_good": _one_of(True),
}
WITHOUT_DEFAULT = ("td_authentication_id", "default_start_date")


def answer_problem(value: Any, name: str) -> str:
    """What a prompt says of an answer; empty if it will do. For a question's `validator`."""
    try:
        RULES[name](value)
    except BadAnswer as bad:
        return str(bad)
    return ""


@pass_context
def check_answers(context: Context) -> bool:
    """Refuse all bad answers at once, before Copier asks or writes anything.

    Copier's own validators end in a traceback for answers that come from `--data`, `--data-file`
    or the user's settings, and replace a stored answer that became invalid by its default.

    Returns:
        False, so that the hidden question whose `when` calls this stays hidden.

    Raises:
        UserMessageError: a line for each bad answer.
    """
    os.environ[STARTED_IN] = os.getcwd()
    answers = {"client_name": context["_folder_name"], **_settings_defaults(context), **context.get_all()}
    lines = []
    for name, rule in RULES.items():
        if name in answers:
            try:
                rule(answers[name])
            except BadAnswer as bad:
                lines.append(_refusal(name, answers[name], bad))
        elif name in WITHOUT_DEFAULT and context["_copier_conf"]["defaults"]:
            lines.append(f"{name}: no answer, and it has no default. Add -d {name}=... or a --data-file.")
    conf = context["_copier_conf"]
    if lines and "_commit" in conf["data"]:  # an update renders the old version from the stored answers alone
        lines.append(f"No -d can mend what {conf['answers_file']} says: correct it there and commit.")
    lines += place_problems(context)
    if lines:
        raise UserMessageError("\n".join(lines))
    return False


def _settings_defaults(context: Context) -> dict[str, Any]:
    """The defaults in the user's Copier settings, with text rendered as Copier will render it."""
    defaults = {}
    for name, value in context["_copier_conf"]["settings"].defaults.items():
        if name in RULES:
            try:
                template = context.environment.from_string(value) if isinstance(value, str) else None
                defaults[name] = template.render(context.get_all()) if template else value
            except Exception:
                raise UserMessageError(
                    f"{name}: the default in Copier's settings is not text that Jinja can render."
                ) from None
    return defaults


def _refusal(name: str, value: Any, bad: BadAnswer) -> str:
    """One line: the question, the value (never the key's), the form wanted, how to mend it."""
    shown = str(value) if isinstance(value, date) else repr(value)
    if name == "klaviyo_api_key" or "pk_" in shown:
        shown = "the value (not shown)"
    if len(shown) > 80:
        shown = shown[:77] + "..."
    quote = " An unquoted date in a data file is not text: quote it." if isinstance(value, date) else ""
    mend = f" Did you mean -d {name}={bad.example} ?" if bad.example else f" Mend it with -d {name}=..."
    return f"{name}: {shown} will not do, it must be {bad.form}.{quote}{mend}"


# ---------------------------------------------------------------------------------------------
# Rules for whole files
# ---------------------------------------------------------------------------------------------

# Something that means to be a time, whatever its form: a literal, or the end of one in SQL.
TIME_LITERAL = r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z\b|[+-]\d\d:?\d\d\b)?"
TIME_ENDING = r"""(?<=['"])(?:\.[0-9]+Z?|Z)(?=['"])|\.0+Z\b"""


def check_timestamps(text: str) -> None:
    """Refuse a text with a time in another form than the connector's.

    Raises:
        ValueError: names the first such time and the right form.
    """
    for found in re.finditer(TIME_LITERAL, text):
        if not re.fullmatch(TIMESTAMP, found[0]):
            raise ValueError(f"{found[0]} must be {_guess_timestamp(found[0]) or TIMESTAMP_FORM}")
    for found in re.finditer(TIME_ENDING, text):
        if found[0] != ".000000":
            raise ValueError(f"'{found[0]}' must be '.000000': {TIMESTAMP_FORM}")


def check_fields(path: str, text: str) -> None:
    """Refuse a file that gives a field's wrong name: the table's to the API, or the API's to SQL.

    Args:
        path: the file's path in the client's repo; says what kind of file it is.
        text: its whole text.

    Raises:
        ValueError: what is wrong, and what it should be.
    """
    if path.endswith("_datasources.yml"):
        for entry in (entry for entries in yaml.safe_load(text).values() for entry in entries):
            timestamp(entry["default_start_time"])
            if entry["incremental_field"] or entry["incremental_field_connector"]:
                check_dual_field(
                    entry["name"], entry["incremental_field"], entry["incremental_field_connector"]
                )
    elif path.endswith("_load.yml"):
        source = yaml.safe_load(text)["in"]
        if source.get("incremental_field", CONNECTOR_FIELD) != CONNECTOR_FIELD:
            raise ValueError(f"incremental_field must be {CONNECTOR_FIELD}, the API's name")
        # Only events have skip_related_objects; their data_source reads ${datasource.name}, as all do.
        if "skip_related_objects" in source and "incremental_field" in source:
            raise ValueError("events must have no incremental_field")
    elif path.endswith((".sql", ".dig")) and "incremental_field_connector" in text:
        raise ValueError("SQL must use incremental_field, the table's name, not the API's")


CONNECTOR_FIELD = "${datasource.incremental_field_connector}"


@pass_context
def check_files(context: Context) -> bool:
    """Render every file of the template in memory and refuse the first that breaks a rule.

    Before Copier writes anything: an error half-way through a render leaves debris behind.

    Returns:
        False, so that the hidden question whose `when` calls this stays hidden.

    Raises:
        UserMessageError: the file and what is wrong with it.
    """
    environment = context.environment
    if hasattr(environment, "files_are_good"):  # Copier evaluates a `when` three times; once will do
        return False
    for path, text in rendered_files(context):
        try:
            check_timestamps(text)
            check_fields(path, text)
        except ValueError as error:
            raise UserMessageError(f"{path} breaks a rule: {error}. Nothing was written.") from None
    if clashes := list(clashes_with_others(context)):
        raise UserMessageError("\n".join(clashes))
    environment.files_are_good = True
    return False


def rendered_files(context: Context) -> Iterator[tuple[str, str]]:
    """Give path and text of every file that the template would write, except the credentials."""
    root = Path(context["_copier_conf"]["src_path"])
    for source in sorted((root / "template").rglob("*")):
        path = source.relative_to(root / "template").as_posix()
        if not source.is_file() or "credentials_ingestion.json" in path:
            continue
        if not path.endswith(".jinja"):
            yield path, source.read_text(encoding="utf-8")
            continue
        template = context.environment.get_template(source.relative_to(root).as_posix())
        # A name with a yield tag is rendered once for each object, as Copier does it.
        variants = [{}] if "{% yield" not in path else [{"object": o} for o in _chosen_objects(context)]
        for variant in variants:
            scope = {**context.get_all(), **variant}
            name = context.environment.from_string(path.removesuffix(".jinja")).render(scope)
            if all(name.split("/")):  # Copier leaves out what has an empty part in its path
                yield name, template.render(scope)


@pass_context
def _chosen_objects(context: Context) -> list[KlaviyoObject]:
    return chosen_objects(context["objects"], context["custom_objects"], context["metrics_load"])


# ---------------------------------------------------------------------------------------------
# What stands in the destination already
# ---------------------------------------------------------------------------------------------

# Every file that another source of the same client may have too carries these words when it is ours.
SIGNATURE = "from the Klaviyo ingestion template"
CREDENTIALS = "ingestion/credentials_ingestion.json"
DATABASE_FILE = "ingestion/config/database.yml"
CHECK = "scripts/check_ingestion.py"
WORKFLOW = ".github/workflows/check.yml"

# Where Copier was started, as check_answers saw it. An update goes on in a temporary folder when it
# asks for `_skip_if_exists`, with an environment in which nothing was asked yet: no memory but the process's.
STARTED_IN = "KLAVIYO_TEMPLATE_STARTED_IN"


def _destination(context: Context, path: str) -> Path:
    return Path(os.environ.get(STARTED_IN, "")) / context["_copier_conf"]["dst_path"] / path


def place_problems(context: Context) -> Iterator[str]:
    """Say what in the destination makes a copy or an update impossible, a line each."""
    answers_file = context["_copier_conf"]["answers_file"]
    answers = _read_yaml(context, answers_file)
    if isinstance(answers, dict) and "_src_path" in answers and "events_lookback_hours" not in answers:
        yield f"{answers_file}: belongs to another template; add --answers-file .copier-answers.klaviyo.yml"
    try:
        read_credentials(_destination(context, CREDENTIALS))
    except ValueError as error:
        yield f"{CREDENTIALS}: {error}"
    if is_new_repo(context) and if_of_others(context, CHECK):
        yield f"{CHECK}: is not this template's; rename it, nothing was changed"
    if if_of_others(context, DATABASE_FILE):
        if not existing_database(context):
            yield f"{DATABASE_FILE}: must name the database under databases.src; nothing was changed"
        # Older ones take `_skip_if_exists` unrendered where an update merges.
        if tuple(int(part) for part in version("copier").split(".")[:3]) < (9, 10, 3):
            yield f"{DATABASE_FILE}: is another source's, which needs Copier 9.10.3 or newer"


def clashes_with_others(context: Context) -> Iterator[str]:
    """Say which answers the files of another source rule out, a line each."""
    ours, theirs = context["target_database"] or DEFAULT_DATABASE, existing_database(context)
    if if_of_others(context, DATABASE_FILE) and ours != theirs:
        yield (
            f"target_database: {ours!r} will not do, {DATABASE_FILE} of another source says {theirs!r}. "
            f"Mend it with -d target_database={theirs}"
        )
    stored = _read_yaml(context, context["_copier_conf"]["answers_file"]) or {}
    if if_of_others(context, WORKFLOW) and stored.get("ci") == "github" and context["ci"] == "none":
        # An update deletes what the old answers rendered and the new do not, whosever it is.
        yield f"ci: 'none' will not do, {WORKFLOW} of another source would be deleted. Keep -d ci=github"


def _read_yaml(context: Context, path: str) -> Any:
    """What a YAML file of the destination says; None where there is none, or it is not YAML."""
    try:
        return yaml.safe_load(_destination(context, path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None


@pass_context
def existing_database(context: Context) -> str:
    """The database that the `config/database.yml` in the destination names; empty if it names none."""
    try:
        database = _read_yaml(context, DATABASE_FILE)["databases"]["src"]
        check_database(database)
    except (BadAnswer, TypeError, KeyError):
        return ""
    return database


def _is_ours(context: Context, path: str) -> bool:
    """Whether a file of the destination was rendered from this template."""
    try:
        return SIGNATURE in _destination(context, path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


@pass_context
def if_of_others(context: Context, path: str) -> str:
    """The path, if another source's file stands there; else nothing. For `_skip_if_exists`."""
    return path if _destination(context, path).is_file() and not _is_ours(context, path) else ""


@pass_context
def lines_of_others(context: Context, path: str) -> str:
    """What an ignore file of another source says; ours come below it, and so they win."""
    file = _destination(context, path)
    text = file.read_bytes().decode("utf-8") if file.is_file() else ""
    theirs = re.split(rf"^.*{SIGNATURE}", text, maxsplit=1, flags=re.MULTILINE)[0].rstrip("\n")
    return theirs and theirs + "\n\n"


@pass_context
def is_new_repo(context: Context) -> bool:
    """Whether this is the first copy: there is no answers file yet."""
    return not _destination(context, context["_copier_conf"]["answers_file"]).exists()


@pass_context
def answers_to_store(context: Context) -> dict[str, Any]:
    """The answers, with the whole path of a template on this machine: updates start from elsewhere."""
    answers = dict(context["_copier_answers"])
    if Path(answers["_src_path"]).exists():
        answers["_src_path"] = os.path.abspath(answers["_src_path"])
    return answers


def read_credentials(path: Path) -> dict[str, Any]:
    """The entries of a credentials file; empty where there is none.

    Raises:
        ValueError: there is something else at that path than one JSON map.
    """
    if not path.exists():
        return {}
    if not path.is_file():
        raise ValueError("is not a file; move it away, nothing was changed")
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ValueError("is not valid JSON; mend it or move it away, nothing was changed") from None
    if not isinstance(entries, dict):
        raise ValueError("must be one flat JSON map of strings; mend it or move it away, nothing was changed")
    return entries


@pass_context
def credentials(context: Context) -> str:
    """Write the credentials file, readable by its owner only, and return its text.

    Copier then finds an identical file and touches neither text nor mode. Entries of other
    sources are kept; ours is added where it is missing, and never replaced by the placeholder.
    """
    path = _destination(context, CREDENTIALS)
    entries = read_credentials(path)
    token = context["klaviyo_api_key"] or entries.get(ENTRY_OF_THE_KEY) or PLACEHOLDER
    if entries.get(ENTRY_OF_THE_KEY) == token:
        return path.read_text(encoding="utf-8")
    text = json.dumps({**entries, ENTRY_OF_THE_KEY: token}, indent=2, ensure_ascii=False) + "\n"
    if not context["_copier_conf"]["pretend"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    return text


# ---------------------------------------------------------------------------------------------
# After a copy or an update
# ---------------------------------------------------------------------------------------------


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


def quoted(value: str) -> str:
    """Text as a double-quoted YAML scalar, whatever is in it."""
    return json.dumps(value, ensure_ascii=False)


class KlaviyoExtension(Extension):
    """Offers the rules to copier.yml and to the template."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        environment.filters["answer_problem"] = answer_problem
        environment.filters["quoted"] = quoted
        environment.filters["timestamp"] = timestamp
        environment.globals.update(
            answers_to_store=answers_to_store,
            catalogue=CATALOGUE,
            check_answers=check_answers,
            check_files=check_files,
            chosen_objects=_chosen_objects,
            credentials=credentials,
            existing_database=existing_database,
            if_of_others=if_of_others,
            is_new_repo=is_new_repo,
            lines_of_others=lines_of_others,
            quality_gates=quality_gates,
            signature=SIGNATURE,
            time_ending=TIME_ENDING,
            time_literal=TIME_LITERAL,
            timestamp_pattern=TIMESTAMP,
        )
