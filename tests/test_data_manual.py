"""docs/klaviyo-data.md tells an analyst how the tables join, in queries that run as they are pasted."""

import re

import pytest
from klaviyo.objects import CATALOGUE
from mock_td.clock import Clock
from mock_td.databases import Databases
from mock_td.query_error import QueryError
from written_td import DAY, HOUR, WrittenTD

DATA_MANUAL = "docs/klaviyo-data.md"
WAYS = {
    "every row": {"remove_copies": False},
    "each version": {"remove_copies": True},
    "latest tables": {"latest_tables": True},
    "metrics in full": {"metrics_load": "full"},
}
TITLES = ["Profiles as they are now", "Events of a day", "Revenue of each campaign"]


def queries(text):
    """{title: the query below it}"""
    return dict(re.findall(r"\*\*(.+?)\*\*[^`]*(?:`[^`]+`[^`]*)*?\n```sql\n(.*?)```", text, re.DOTALL))


def text_of(repo):
    return (repo / DATA_MANUAL).read_text(encoding="utf-8")


class Account:
    """A client_src with orders of two campaigns, most of them loaded twice."""

    def __init__(self, repo, answers):
        self.td = WrittenTD(repo / "ingestion", Databases(Clock()))
        self.latest = answers.get("latest_tables")
        self.once = answers.get("remove_copies") or self.latest
        self.text = text_of(repo)
        self.queries = queries(self.text)
        self.fill()

    def instant(self, ago):
        return self.td.instant(ago, "%Y-%m-%dT%H:%M:%S+00:00")

    def load(self, name, records):
        (known,) = [each for each in CATALOGUE if each.name == name]
        newest = f"{known.table}_latest" if self.latest and known.changed.table else known.table
        for table, ago, stays in ((newest, 10, True), (f"{known.table}_hist", 20, not self.once)):
            self.td.databases.create_table("client_src", table)
            at = int(self.td.databases.clock.now()) - ago
            self.td.databases.load("client_src", table, records, "append", at)
            if not stays:
                self.td.databases.rows(f"DELETE FROM client_src.{table}")

    def order(self, id, ago, value, **attribution):
        properties = str(
            {"$value": value, "$attribution": {f"${key}": each for key, each in attribution.items()}}
        )
        return {
            "id": id,
            "datetime": self.instant(ago),
            "profile_id": f"p{id[-1]}",
            "metric_id": "placed",
            "event_properties": properties.replace("'", '"'),
        }

    def fill(self):
        changed, before = self.instant(HOUR), self.instant(DAY)
        of_changed = {"email": "new@example.com", "phone_number": None, "updated": changed, "created": before}
        self.load("profiles", [{"id": "p1", **of_changed}, {"id": "p2", **of_changed, "updated": before}])
        self.load(
            "metrics",
            [
                {"id": "placed", "name": "Placed Order", "updated": before, "created": before},
                {"id": "opened", "name": "Opened Email", "updated": before, "created": before},
            ],
        )
        self.load(
            "campaigns",
            [
                {"id": name, "name": name.title(), "updated_at": before, "created_at": before}
                for name in ("spring", "summer")
            ],
        )
        midnight = int(self.td.databases.clock.now()) % DAY
        opened = {**self.order("o3", midnight + 60, 0), "metric_id": "opened"}
        self.load(
            "events",
            [
                self.order("o1", midnight + 2 * HOUR, 20.5, message="spring"),
                self.order("o2", midnight + HOUR, 10, message="spring"),
                opened,
                self.order("o4", midnight + 30 * HOUR, 5, message="summer"),
                self.order("o5", midnight + 30 * HOUR, 99, message="summer", flow="welcome"),
            ],
        )

    def ask(self, title):
        return self.td._rows(self.queries[title])


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def account(request, copie, example_answers):
    answers = {**example_answers, **request.param}
    result = copie.copy(extra_answers=answers)
    assert result.exit_code == 0, result.exception
    return Account(result.project_dir, answers)


def test_a_record_that_was_loaded_twice_is_counted_once(account):
    assert list(account.queries) == TITLES
    profiles, day, revenue = (account.ask(title) for title in TITLES)
    assert [row["id"] for row in profiles] == ["p1", "p2"]
    assert [tuple(row.values()) for row in day] == [("Placed Order", 2, 2), ("Opened Email", 1, 1)]
    assert [tuple(row.values()) for row in revenue] == [("Spring", 2, 30.5), ("Summer", 1, 5.0)]


def test_a_column_that_no_load_has_brought_yet_is_an_error_until_it_is_taken_out(account):
    for table in account.td.databases.tables("client_src"):
        if table.startswith("klaviyo_profiles"):
            account.td.databases.rows(f"ALTER TABLE client_src.{table} DROP COLUMN phone_number")
    with pytest.raises(QueryError, match="phone_number"):
        account.ask(TITLES[0])
    account.queries[TITLES[0]] = account.queries[TITLES[0]].replace(", phone_number", "")
    assert [row["id"] for row in account.ask(TITLES[0])] == ["p1", "p2"]


def test_events_with_relationships_join_by_what_stands_in_them(account):
    """In place of each of the two columns, where the query reads a table of events."""
    for table in account.td.databases.tables("client_src"):
        if table.startswith("klaviyo_events"):
            account.td.databases.rows(f"ALTER TABLE client_src.{table} ADD COLUMN relationships VARCHAR")
            account.td.databases.rows(
                f"""UPDATE client_src.{table} SET relationships = '{{"profile": {{"data": {{"type": "profile", "id": "'
                || profile_id || '"}}}}, "metric": {{"data": {{"type": "metric", "id": "' || metric_id || '"}}}}}}'"""
            )
            for column in ("profile_id", "metric_id"):
                account.td.databases.rows(f"ALTER TABLE client_src.{table} DROP COLUMN {column}")
    told = re.search(r"^\| `relationships` \| (.*) \|$", account.text, re.MULTILINE)[1]
    paths = dict(re.findall(r"'(\$\.(\w+)\.data\.id)'", told))
    assert list(paths.values()) == ["profile", "metric"]
    for title, query in account.queries.items():
        for path, name in paths.items():
            form = f"json_extract_scalar(relationships, '{path}') AS {name}_id"
            query = re.sub(rf"\b{name}_id\b(?=[^()]* FROM client_src\.klaviyo_events)", form, query)
        account.queries[title] = query
    day, revenue = (account.ask(title) for title in TITLES[1:])
    assert [tuple(row.values()) for row in day] == [("Placed Order", 2, 2), ("Opened Email", 1, 1)]
    assert [tuple(row.values()) for row in revenue] == [("Spring", 2, 30.5), ("Summer", 1, 5.0)]


def test_a_profile_is_in_its_newest_version(copie, example_answers):
    repo = copie.copy(extra_answers=example_answers).project_dir
    account = Account(repo, {})
    account.td.databases.load(
        "client_src",
        "klaviyo_profiles",
        [{"id": "p2", "email": "newest@example.com", "phone_number": None, "updated": account.instant(60)}],
        "append",
        1,
    )
    first, *_ = account.ask(TITLES[0])
    assert (first["id"], first["email"]) == ("p2", "newest@example.com")


@pytest.mark.parametrize(
    ("objects", "titles", "joins"),
    [(["lists"], [], 0), (["events"], TITLES[1:2], 0), (["profiles", "events"], TITLES[:2], 1)],
)
def test_only_what_is_loaded_is_spoken_of(copie, example_answers, objects, titles, joins):
    text = text_of(copie.copy(extra_answers={**example_answers, "objects": objects}).project_dir)
    assert list(queries(text)) == titles
    assert len(re.findall(r"^  klaviyo_\w+ \|\|--o\{ ", text, re.MULTILINE)) == joins
    assert set(re.findall(r"^  klaviyo_(\w+) \{$", text, re.MULTILINE)) == set(objects)
    for known in CATALOGUE:
        if known.name not in objects:
            assert f"klaviyo_{known.name}" not in text


def test_it_explains_ten_words(example_repo):
    words = text_of(example_repo).partition("## Words")[2]
    assert len(re.findall(r"^\| \w[\w ]* \| \w", words, re.MULTILINE)) == 10


def test_a_link_leads_to_a_heading(example_repo):
    for link in re.findall(r"\]\((?!https)([^)#]+)#?([^)]*)\)", text_of(example_repo)):
        text = (example_repo / "docs" / link[0]).read_text(encoding="utf-8")
        slugs = [each.lower().replace(" ", "-") for each in re.findall("^## (.*)$", text, re.MULTILINE)]
        assert not link[1] or link[1] in slugs
