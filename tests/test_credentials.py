"""Each of Copier's operations leaves the credentials to the client."""

import json
import os
import stat
import subprocess
import sys

import pytest
from commands import ANSWERS, DEFAULTS, GIVE_KEY, KEY, commit, copier, git, release, update

FILE = "ingestion/credentials_ingestion.json"
PLACEHOLDER = "put the Klaviyo private API key here, it starts with pk_"
OTHERS = {"zendesk_token": "zendesk-1", "shop_token": "größer", "shop": "acme"}
BROKEN = [
    '{"zendesk_token": ',
    '["zendesk_token"]',
    '{"zendesk": {"token": "zendesk-1"}}',
    '{"zendesk_port": 443}',
    '{"zendesk token": "zendesk-1"}',
    '{"zendesk_token": "zendesk-1", "zendesk_token": "zendesk-2"}',
    None,  # a folder
]


def entries(repo):
    return list(json.loads((repo / FILE).read_text(encoding="utf-8")).items())


def mode(repo):
    return stat.S_IMODE((repo / FILE).stat().st_mode)


def put(repo, text):
    """Put a credentials file into a repo, as another source, or the client, may have done."""
    (repo / FILE).parent.mkdir(parents=True, exist_ok=True)
    (repo / FILE).write_text(text, encoding="utf-8")
    (repo / FILE).chmod(0o640)


def break_credentials(repo, text):
    """Put into a repo what is no map of credentials."""
    (repo / FILE).unlink(missing_ok=True)
    if text is None:
        (repo / FILE).mkdir(parents=True)
    else:
        put(repo, text)


def leaks(folder):
    """The files below a folder that have the key in them."""
    return [path for path in folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize(("key", "written"), [(KEY, KEY), ("", PLACEHOLDER)])
def test_a_copy_writes_the_key_or_what_to_put_there_for_its_owner_only(released, tmp_path, key, written):
    ended = copier("copy", *ANSWERS, "-d", f"klaviyo_api_key={key}", released, "repo", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    assert entries(tmp_path / "repo") == [("klaviyo_api_token", written)]
    assert mode(tmp_path / "repo") == 0o600


@pytest.mark.parametrize(
    ("there", "key", "expected"),
    [
        (OTHERS, KEY, {**OTHERS, "klaviyo_api_token": KEY}),
        (OTHERS, "", {**OTHERS, "klaviyo_api_token": PLACEHOLDER}),
        ({"klaviyo_api_token": "pk_theirs", **OTHERS}, "", {"klaviyo_api_token": "pk_theirs", **OTHERS}),
        ({"klaviyo_api_token": "pk_theirs", **OTHERS}, KEY, {"klaviyo_api_token": KEY, **OTHERS}),
    ],
)
def test_a_copy_changes_no_entry_but_its_own(released, tmp_path, there, key, expected):
    put(tmp_path / "repo", json.dumps(there))
    ended = copier("copy", *ANSWERS, "-d", f"klaviyo_api_key={key}", released, "repo", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    assert entries(tmp_path / "repo") == list(expected.items())
    assert mode(tmp_path / "repo") == 0o640


def test_a_file_that_is_a_link_stays_one(released, tmp_path):
    put(tmp_path / "vault", json.dumps(OTHERS))
    (tmp_path / "repo/ingestion").mkdir(parents=True)
    (tmp_path / "repo" / FILE).symlink_to(tmp_path / "vault" / FILE)
    ended = copier("copy", *ANSWERS, *GIVE_KEY, released, "repo", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "repo" / FILE).is_symlink()
    assert entries(tmp_path / "vault") == [*OTHERS.items(), ("klaviyo_api_token", KEY)]
    assert mode(tmp_path / "vault") == 0o640


def test_update_and_recopy_neither_ask_for_the_key_nor_touch_the_file(released, acme):
    text = json.dumps({"klaviyo_api_token": "pk_of_the_client", **OTHERS})
    put(acme, text)
    release(released, "1.1.0")
    for command, says in (
        # Without a terminal, a question that is left to ask ends in an error.
        (["update", "--skip-answered", "-d", "more_settings=no"], ""),
        (["update", "--defaults", *GIVE_KEY], "Note: the key that you gave was not written"),
        (["recopy", "--defaults", "--overwrite"], ""),
    ):
        ended = copier(*command, "--trust", cwd=acme)
        assert ended.exit_code == 0, ended.output
        assert says in ended.output
        assert (acme / FILE).read_text(encoding="utf-8") == text, command
        assert mode(acme) == 0o640, command
        commit(acme)


def test_in_a_fresh_clone_only_a_key_makes_the_file(acme):
    git("clone", "--quiet", acme, "clone", cwd=acme.parent)
    clone = acme.parent / "clone"
    for command in (["update"], ["recopy", "--overwrite"]):
        ended = copier(*command, *DEFAULTS, cwd=clone)
        assert ended.exit_code == 0, ended.output
        assert not (clone / FILE).exists(), command
    copier("recopy", *DEFAULTS, "--overwrite", *GIVE_KEY, cwd=clone)
    assert entries(clone) == [("klaviyo_api_token", KEY)]
    assert mode(clone) == 0o600


@pytest.mark.parametrize("text", BROKEN)
def test_a_copy_refuses_what_is_no_map_of_credentials(released, tmp_path, text):
    break_credentials(tmp_path / "repo", text)
    ended = copier("copy", *ANSWERS, *GIVE_KEY, released, "repo", cwd=tmp_path)
    assert ended.exit_code == 1
    (line,) = ended.output.splitlines()
    assert line.startswith(f"{FILE}: ")
    assert len(list((tmp_path / "repo").rglob("*"))) == 2, "more than the file and its folder"
    assert text is None or (tmp_path / "repo" / FILE).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", BROKEN)
def test_an_update_refuses_what_is_no_map_of_credentials(acme, text):
    break_credentials(acme, text)
    ended = copier("update", *DEFAULTS, "-d", "ci=none", cwd=acme)
    assert ended.exit_code == 1
    (line,) = ended.output.splitlines()
    assert line.startswith(f"{FILE}: ")
    assert git("status", "--porcelain", cwd=acme) == ""
    assert text is None or (acme / FILE).read_text(encoding="utf-8") == text


def test_a_version_that_renders_no_credentials_any_more_deletes_none(released, acme):
    (template_file,) = (released / "template/ingestion").glob("*credentials_ingestion.json*")
    template_file.unlink()
    release(released, "1.1.0")
    update(acme)
    assert entries(acme) == [("klaviyo_api_token", KEY)]


def test_the_key_is_nowhere_but_in_the_file(released, tmp_path):
    temporary, hooks, repo, seen = (tmp_path / name for name in ("temporary", "hooks", "repo", "seen"))
    temporary.mkdir()
    hooks.mkdir()
    # Copier commits its temporary trees, and git runs this there.
    (hooks / "pre-commit").write_text(f'#!/bin/sh\n(pwd; grep -rF {KEY} .) >> "{seen}"\n')
    (hooks / "pre-commit").chmod(0o755)

    (tmp_path / "gitconfig").write_text(f'[core]\n  hooksPath = "{hooks}"\n')
    environment = {**os.environ, "TMPDIR": str(temporary)}

    def run(*command, cwd):
        command = [sys.executable, "-m", "copier", *command]
        return subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True)

    copied = run("copy", *ANSWERS, *GIVE_KEY, released, repo, cwd=tmp_path)
    commit(repo)
    environment["GIT_CONFIG_GLOBAL"] = str(tmp_path / "gitconfig")
    updated = run("update", "--trust", "--defaults", cwd=repo)
    assert KEY.encode() not in copied.stdout + copied.stderr + updated.stdout + updated.stderr
    assert KEY not in git("log", "--patch", "--all", cwd=repo)
    assert leaks(repo) == [repo / FILE]
    assert leaks(temporary) == []
    assert "old_copy" in seen.read_text() and "new_copy" in seen.read_text()
    assert KEY not in seen.read_text()


def test_a_webhook_is_an_entry_that_waits_for_its_url_and_is_never_replaced(released, tmp_path):
    slack = (*ANSWERS, "-d", "alert_slack=yes")
    copier("copy", *slack, released, tmp_path / "new", cwd=tmp_path)
    assert entries(tmp_path / "new")[1] == ("klaviyo_slack_webhook", "put the URL of the Slack webhook here")
    put(
        tmp_path / "there",
        '{"klaviyo_api_token": "pk_0", "klaviyo_slack_webhook": "https://hooks.example.com/x"}',
    )
    before = (tmp_path / "there" / FILE).read_bytes()
    copier("copy", *slack, "--overwrite", released, tmp_path / "there", cwd=tmp_path)
    assert (tmp_path / "there" / FILE).read_bytes() == before


def test_an_update_that_turns_slack_on_says_what_to_add_and_touches_nothing(released, acme):
    before = (acme / FILE).read_bytes()
    release(released, "1.1.0")
    printed = update(acme, "-d", "alert_slack=yes")
    told = "once ingestion/credentials_ingestion.json has the webhook's URL as klaviyo_slack_webhook"
    assert told in " ".join(printed.split())
    assert (acme / FILE).read_bytes() == before
    commit(acme)
    put(acme, '{"klaviyo_api_token": "pk_0", "klaviyo_slack_webhook": "https://hooks.example.com/x"}')
    release(released, "1.2.0")
    assert "klaviyo_slack_webhook" not in update(acme)


@pytest.mark.parametrize("key", [KEY, ""])
def test_a_copy_says_that_it_made_the_file(released, tmp_path, key):
    ended = copier("copy", *ANSWERS, "-d", f"klaviyo_api_key={key}", released, "repo", cwd=tmp_path)
    assert f"\n{FILE}: made, mode 600\n" in ended.output


def test_a_copy_says_what_it_did_to_a_file_that_was_there_and_nothing_if_that_is_nothing(released, tmp_path):
    put(tmp_path / "repo", json.dumps(OTHERS))
    command = ("copy", *ANSWERS, *GIVE_KEY, "--overwrite", released, "repo")
    said = f"\n{FILE}: klaviyo_api_token was set in it, mode 640\n"
    assert said in copier(*command, cwd=tmp_path).output
    assert f"\n{FILE}: " not in copier(*command, cwd=tmp_path).output


@pytest.fixture
def without_power():
    """Takes from root what other people do not have: to write and read whatever a file's mode says."""
    if os.geteuid() == 0 and sys.platform != "linux":
        pytest.skip("only Linux lets root give up its power over files")

    def copier_of(*arguments, cwd):
        give_up = "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, power) for power in (1, 2)]; "
        give_up += "os.execv(sys.executable, [sys.executable, '-m', 'copier', *sys.argv[1:]])"
        command = [sys.executable, "-c", give_up, *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

    return copier_of


@pytest.mark.parametrize(
    ("path", "file_mode", "why"),
    [
        (FILE, 0o400, "cannot be written"),
        (FILE, 0o000, "cannot be read"),
        ("README.md", 0o400, "cannot be written"),
        ("README.md", 0o000, "cannot be written"),
        ("ingestion/config", 0o500, "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    without_power, released, tmp_path, path, file_mode, why
):
    repo = tmp_path / "repo"
    put(repo, json.dumps({"klaviyo_api_token": "pk_theirs"}))
    (repo / "README.md").write_text("# Acme, from the Klaviyo ingestion template\n")
    (repo / "ingestion/config").mkdir()
    (repo / path).chmod(file_mode)
    before = sorted(repo.rglob("*"))
    ended = without_power("copy", *ANSWERS, *GIVE_KEY, "--overwrite", released, repo, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert all(line.startswith(path) and why in line for line in ended.stderr.splitlines())
    assert ended.stderr.endswith(" Nothing was changed.\n")
    assert sorted(repo.rglob("*")) == before
    (repo / path).chmod(0o700)
    assert copier("copy", *ANSWERS, *GIVE_KEY, "--overwrite", released, repo, cwd=tmp_path).exit_code == 0


def test_what_cannot_be_written_and_says_so_already_is_let_be(without_power, acme):
    (acme / FILE).chmod(0o400)
    (acme / "README.md").chmod(0o444)
    ended = without_power("recopy", "--trust", "--defaults", "--overwrite", cwd=acme)
    assert ended.returncode == 0, ended.stderr


def test_ignore_files_that_were_not_overwritten_leave_one_thing_to_do(released, tmp_path):
    put(tmp_path / "repo", "{}")
    for ignore_file in (".gitignore", "ingestion/.gitignore"):
        (tmp_path / "repo" / ignore_file).write_text("*.log\n")
    git("init", "--quiet", cwd=tmp_path / "repo")
    skipped = ("--skip", ".gitignore", "--skip", "ingestion/.gitignore")  # as "n" at Overwrite? does it
    ended = copier("copy", *ANSWERS, *GIVE_KEY, *skipped, released, "repo", cwd=tmp_path)
    assert ended.exit_code == 1
    assert f"    .gitignore:1: git must ignore {FILE}" in ended.output
    assert "here is a key" not in ended.output
