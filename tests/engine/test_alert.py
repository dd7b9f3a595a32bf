"""A failed run sends one mail and one post, which name what failed, when, and where to look."""

from types import SimpleNamespace

import digdag
import pytest
from ingestion import INC
from webhook import Webhook

SESSION = "2026-03-01 04:30:00"


@pytest.fixture(scope="module")
def acme(ingest):
    acme = ingest(
        objects=["lists"], alert_email="data-team@example.com, on-call@example.com", alert_slack=True
    )
    acme.try_once()
    return acme


@pytest.fixture
def fail(acme):
    """Lets a run fail, and gives it with its mails, posts and rows of ingestion_log.

    mail     whether there is a mail server
    slack    what the webhook answers, 200 or another; None: its secret is missing
    options  of TreasureData.fail_load
    """
    acme.td.mend()

    def run(*, mail=True, slack=200, **options):
        acme.td.fail_load("klaviyo_lists", **options)
        rows = len(acme.log()) if acme.td.jobs else 0
        with digdag.Mailbox() as mailbox, Webhook(status=slack or 200) as hook:
            ended = acme.run(
                INC,
                session=SESSION,
                mailbox=mailbox if mail else None,
                params={"take_over": "yes"},  # a run that could write no row is under way for all that follow
                secrets={} if slack is None else {"klaviyo_slack_webhook": hook.url},
            )
        assert not ended.succeeded
        assert hook.url.rpartition("/")[2] not in ended.output
        texts = [message.get_content() for message in mailbox.messages]
        return SimpleNamespace(
            mails=mailbox.messages,
            texts=texts,
            posts=hook.posts,
            errors=[row for row in acme.log()[rows:] if row.table_name is None and row.status == "ERROR"],
        )

    return run


def assert_it_is_all_there(text):
    lines = text.splitlines()
    assert lines[0] == f"{INC} of Acme Outdoor failed in the session 2026-03-01T04:30:00+00:00."
    assert f"{INC} failed for: klaviyo_lists" in lines
    assert_where_to_look(lines)


def assert_where_to_look(lines):
    console, log = lines[-2:]
    assert "https://console.treasuredata.com, Workflows, the attempt 1 of session 1" in console
    assert 'FROM "client_src".ingestion_log' in log


def test_all_addresses_get_one_mail_and_the_channel_one_post_with_the_same_text(acme, fail):
    failed = fail()
    (mail,) = failed.mails
    assert mail["To"] == "data-team@example.com, on-call@example.com"
    assert mail["Subject"] == "Klaviyo ingestion failed: Acme Outdoor"
    assert_it_is_all_there(failed.texts[0])
    (post,) = failed.posts
    assert post.keys() == {"text"}
    assert post["text"].splitlines() == failed.texts[0].splitlines()
    assert len(failed.errors) == 1


def test_without_row_and_secret_the_mail_comes(acme, fail):
    acme.td.fail_query("'ERROR' AS status")
    failed = fail(slack=None)
    assert (len(failed.mails), failed.posts, failed.errors) == (1, [], [])
    assert_it_is_all_there(failed.texts[0])


def test_a_message_that_cannot_be_shown_hides_neither_mail_nor_post_nor_row(acme, fail):
    sql = "sql/klaviyo_objects_to_load.sql"
    acme.edit(sql, "-- As JSON for", "-- ${nothing} As JSON for")
    failed = fail()
    acme.edit(sql, "-- ${nothing} As JSON for", "-- As JSON for")
    assert (len(failed.mails), len(failed.posts)) == (1, 1)
    for text in (failed.texts[0], failed.posts[0]["text"]):
        assert "cannot be shown" in text.splitlines()[0]
        assert_where_to_look(text.splitlines())
    (row,) = failed.errors
    assert "cannot be shown" in row.error_message


def test_a_post_that_slack_refuses_hides_neither_mail_nor_row_and_is_not_sent_twice(fail):
    failed = fail(slack=500)
    assert_it_is_all_there(failed.texts[0])
    assert (len(failed.mails), len(failed.posts), len(failed.errors)) == (1, 1, 1)


def test_a_mail_that_fails_hides_neither_post_nor_row_and_a_message_cannot_call_the_channel(acme, fail):
    acme.edit("klaviyo_ingest_inc.dig", "failed for:", "failed <!channel> & for:")
    failed = fail(mail=False)
    (post,) = failed.posts
    assert "failed &lt;!channel> &amp; for: klaviyo_lists" in post["text"]
    assert_where_to_look(post["text"].splitlines())
    assert len(failed.errors) == 1
