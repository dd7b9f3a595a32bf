"""The check says of a fault what is there, and offers what could be meant."""

import pytest
from client_edits import Entry

MINE = """\
timezone: UTC
+count:
  td>: sql/klaviyo_by_hand.sql
  store_last_results: true
+look:
  echo>: ${td.last_results.COLUMN}
"""


def hints(check, repo):
    """What the check says behind each place."""
    return [line.partition(": ")[2] for line in check.failures(repo) if line.startswith("    ")]


def use_column(repo, column):
    (repo / "ingestion/klaviyo_by_hand.dig").write_text(MINE.replace("COLUMN", column))
    query = "SELECT count_if(false) AS lists_that_failed, coalesce(1) AS one FROM x"
    (repo / "ingestion/sql/klaviyo_by_hand.sql").write_text(query)


def test_a_misspelt_column_may_mean_another(check, plain_repo):
    use_column(plain_repo, "list_that_failed")

    (hint,) = hints(check, plain_repo)
    assert hint.endswith(", did you mean td.last_results.lists_that_failed?")


@pytest.mark.parametrize("word", ["false", "fals", "coalesce", "count_if", "selec"])
def test_a_word_of_sql_s_own_is_no_column_and_none_to_be_meant(word, check, plain_repo):
    use_column(plain_repo, word)

    (hint,) = hints(check, plain_repo)
    assert hint.startswith(f"nothing defines td.last_results.{word} here")
    assert "false" not in hint.partition(" here")[2]
    assert "select" not in hint.lower().partition(" here")[2]


def test_a_wrong_value_is_shown_as_it_stands(check, plain_repo):
    Entry("klaviyo_profiles_hist", "window_days", "30 days").make(plain_repo)

    (hint,) = hints(check, plain_repo)
    assert hint.endswith(", not 30 days")
