"""Credentials that would be shared, or are no secrets for TD, are found."""

import pytest
from client_check import SCRIPT, run
from client_edits import CREDENTIALS, DATABASE, DIGDAGIGNORE, INC, PROFILES, Edit, edits
from commands import KEY, git

PLACEHOLDER = '{\n  "klaviyo_api_token": "put the Klaviyo private API key here, it starts with pk_"\n}'


@edits(
    {
        "git takes them": Edit(".gitignore", "*credentials_ingestion*", "*credentials_ingestions*", "#"),
        "push takes them": Edit(DIGDAGIGNORE, "\n*credentials_ingestion*", "\n*credentials.json", "#"),
        "a map in the map": Edit(
            CREDENTIALS,
            '"klaviyo_api_token": "put',
            '"klaviyo": {"api_token": "x"},\n  "a": "put',
            '"klaviyo": {',
        ),
        "a name with blanks": Edit(CREDENTIALS, '"klaviyo_api_token"', '"klaviyo api token"'),
        "a list": Edit(CREDENTIALS, PLACEHOLDER, "[]"),
    }
)
def test_credentials_that_are_shared_or_no_secrets_are_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("credentials-file", plain_repo)


@pytest.mark.parametrize("file", [".gitignore", DIGDAGIGNORE])
def test_an_ignore_file_that_is_gone_is_found(file, check, plain_repo):
    (plain_repo / file).unlink()

    assert check.places("credentials-file", plain_repo) == [(file, 1)]


def test_credentials_that_are_in_git_are_found(check, client_repo):
    git("add", "--force", CREDENTIALS, cwd=client_repo)

    assert check.places("credentials-file", client_repo) == [(".gitignore", 1)]


@edits(
    {
        "in a load file": Edit(
            PROFILES, "  type: klaviyo\n", f"  type: klaviyo\n  api_key: {KEY}\n", "  api_key:"
        ),
        "in a comment": Edit(INC, "timezone: UTC", f"timezone: UTC  # {KEY}"),
        "in the README": Edit(
            "README.md",
            "# Acme Outdoor: Klaviyo → Treasure Data\n",
            f"# Acme\n\nOur key is `{KEY}`.\n",
            "Our key is",
        ),
        "one of TD": Edit(DATABASE, "databases:", f"# 1234/{'0123456789' * 4}\ndatabases:"),
    }
)
def test_a_key_is_found(edit, check, plain_repo):
    assert edit.make(plain_repo) in check.places("leaked-keys", plain_repo)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("notes.txt", f"the key\nis {KEY}\n"),
        ("ingestion/credentials_old.json", f'{{\n  "klaviyo_api_token": "{KEY}"\n}}\n'),
    ],
    ids=["notes", "old credentials"],
)
def test_a_key_in_a_new_file_is_found(file, text, check, plain_repo):
    (plain_repo / file).write_text(text, encoding="utf-8")

    assert check.places("leaked-keys", plain_repo) == [(file, 2)]


def test_a_key_in_a_file_that_git_ignores_is_found_where_it_would_be_pushed(check, client_repo):
    with (client_repo / ".gitignore").open("a") as ignored:
        ignored.write("/ingestion/*.bak\n*.txt\n")
    for file in ("ingestion/credentials.bak", "mine.txt"):
        (client_repo / file).write_text(KEY)

    assert check.places("leaked-keys", client_repo) == [("ingestion/credentials.bak", 1)]


def test_credentials_that_are_shared_are_not_told_to_be_kept_where_they_are(check, client_repo):
    (client_repo / CREDENTIALS).write_text(f'{{"klaviyo_api_token": "{KEY}"}}')
    git("add", "--force", CREDENTIALS, cwd=client_repo)

    assert check.places("leaked-keys", client_repo) == []
    assert check.places("credentials-file", client_repo) == [(".gitignore", 1)]


@pytest.mark.parametrize(
    "url",
    [
        "https://oauth2:TOKEN@git.example.com/acme/template.git",
        "git+http://TOKEN@git.example.com/template",
        "'HTTPS://a:b@c@git.example.com/template.git'",
    ],
)
def test_a_token_in_the_template_s_url_is_found(url, check, client_repo):
    (client_repo / "answers.yml").write_text(f"_commit: 0.1.0\n_src_path: {url}\n")

    assert check.places("leaked-token", client_repo) == [("answers.yml", 2)]


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/@acme/template.git",
        "ssh://git@git.example.com/t",
        "git@example.com:t.git",
        "/t@1",
    ],
)
def test_a_url_without_a_token_passes(url, check, client_repo):
    (client_repo / "answers.yml").write_text(f"_commit: 0.1.0\n_src_path: {url}\n")

    assert check.failures(client_repo) == []


def test_a_load_file_with_another_authentication_is_noted(check, client_repo):
    place = Edit(PROFILES, "td_authentication_id: ", "td_authentication_id: 9").make(client_repo)

    assert check.places("one-authentication", client_repo) == [place]
    assert check.failures(client_repo)[0] == "! All load files have one authentication [one-authentication]"
    assert run(SCRIPT, cwd=client_repo).returncode == 0


def test_a_key_that_only_git_s_history_has_is_noted(check, client_repo):
    before = (client_repo / "README.md").read_text(encoding="utf-8")
    assert check.places("keys-in-history", client_repo) == []
    (client_repo / "README.md").write_text(f"{before}\n{KEY}\n", encoding="utf-8")
    (client_repo / "größe.txt").write_text(f"{KEY}\n", encoding="utf-8")
    git("add", "--all", cwd=client_repo)
    git("commit", "-qm", "a key", cwd=client_repo)
    assert check.places("keys-in-history", client_repo) == []  # leaked-keys says so
    (client_repo / "README.md").write_text(before, encoding="utf-8")
    (client_repo / "größe.txt").unlink()
    git("commit", "-qam", "no key", cwd=client_repo)

    assert check.places("keys-in-history", client_repo) == [("README.md", 1), ("größe.txt", 1)]
    title, *places = check.failures(client_repo)
    assert title.startswith("! Git's history holds no key")
    assert all("rotate the key" in place and KEY not in place for place in places)
