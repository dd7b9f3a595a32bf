"""A token in the template's URL is kept nowhere in the client's repo."""

import re

import pytest
import yaml
from commands import ANSWERS, commit, contents, copier, git, release, update
from klaviyo.ingestion_check.credentials import without_token

ADDRESS = "git.example.com/acme/template.git"
WITH_TOKEN = f"https://oauth2:t0p-secret@{ADDRESS}"


@pytest.fixture
def served(released, monkeypatch):
    """The template, which git finds at its address, with a token or without."""
    urls = [f"https://{ADDRESS}", WITH_TOKEN]
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(urls)))
    for number, url in enumerate(urls):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", f"url.{released}.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", url)
    return released


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        (WITH_TOKEN, f"https://{ADDRESS}"),
        (f"git+{WITH_TOKEN}", f"git+https://{ADDRESS}"),
        ("http://t0p-secret@git.example.com:8080/t.git", "http://git.example.com:8080/t.git"),
        ("HTTPS://a:T@T@git.example.com/t", "HTTPS://git.example.com/t"),
        ("https://git.example.com/t@1.git", "https://git.example.com/t@1.git"),
        ("ssh://git@git.example.com/t.git", "ssh://git@git.example.com/t.git"),
        ("git+ssh://git@git.example.com/t", "git+ssh://git@git.example.com/t"),
        ("git@git.example.com:acme/t.git", "git@git.example.com:acme/t.git"),
        ("/home/ana@work/t", "/home/ana@work/t"),
    ],
)
def test_a_url_of_http_is_stored_without_its_user(url, stored):
    assert without_token(url) == stored


def test_a_copy_keeps_no_token_and_can_be_updated(served, tmp_path):
    ended = copier("copy", *ANSWERS, WITH_TOKEN, "acme", cwd=tmp_path)
    assert ended.exit_code == 0, ended.output
    repo = tmp_path / "acme"
    answers = yaml.safe_load((repo / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"] == f"https://{ADDRESS}"
    assert [path for path, content in contents(repo).items() if b"t0p-secret" in content] == []
    commit(repo)
    release(served, "1.1.0")
    assert "revoke" not in update(repo)


def test_an_update_takes_out_one_that_is_stored_and_says_to_revoke_it(served, acme):
    answers = acme / ".copier-answers.yml"
    text = re.sub("^_src_path: .*", f"_src_path: {WITH_TOKEN}", answers.read_text(), flags=re.MULTILINE)
    answers.write_text(text)
    commit(acme)
    release(served, "1.1.0")
    output = update(acme)
    assert "The token in the template's URL was removed from .copier-answers.yml," in output
    assert "revoke it" in output
    assert "t0p-secret" not in output
    assert f"_src_path: https://{ADDRESS}\n" in answers.read_text()
    commit(acme)
    assert "revoke" not in update(acme)
    assert "t0p-secret" in git("log", "--patch", cwd=acme), "git's history has it no longer"
