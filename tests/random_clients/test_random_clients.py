"""Whatever clients did to their repos, an update to the template as it stands loses none of it."""

import os
import random
import re

import pytest
import yaml
from commands import DEFAULTS, GIVE_KEY, KEY, TEMPLATE, commit, contents, copier
from random_client import CREDENTIALS, Client, answers
from released_versions import NEWEST, history_with, released_versions

SEED = os.environ.get("SEED", "0")
CLIENTS = int(os.environ.get("CLIENTS", "20"))
NEEDED = ("-d", "td_authentication_id=360030", "-d", "default_start_date=2023-09-01T00:00:00.000000")


@pytest.fixture(scope="session")
def history(pristine_template, tmp_path_factory):
    """The template with every released version, and as it stands."""
    return history_with(
        released_versions(TEMPLATE), pristine_template, tmp_path_factory.mktemp("many") / "history"
    )


def removed(output):
    """The files that the report of an update names as gone."""
    found = re.search(r"^REMOVED, .*\n.*\n((?:  .*\n)+)", output, re.MULTILINE)
    return [line[2:] for line in found[1].splitlines()] if found else []


def settings(rng, folder):
    """Settings of git's, as a machine may have them, by the name of their variable; mostly none."""
    if rng.random() < 0.5:
        return {}
    pattern = rng.choice(
        ["*.sql", "*.dig", "docs/", "scripts", "*.yml", "*~", "/ingestion/sql", ".github", "x"]
    )
    (folder / "info").mkdir(parents=True)
    (folder / "info/exclude").write_text(pattern + "\n")
    setting = rng.choice(
        [
            ("core.excludesFile", str(folder / "info/exclude")),
            ("init.templateDir", str(folder)),
            ("apply.whitespace", rng.choice(["fix", "error", "warn"])),
            ("core.autocrlf", "false"),
        ]
    )
    return rng.choice(
        [
            {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": setting[0], "GIT_CONFIG_VALUE_0": setting[1]},
            {"GIT_TEMPLATE_DIR": str(folder)},
            {f"GIT_{rng.choice(['LITERAL', 'GLOB', 'NOGLOB', 'ICASE'])}_PATHSPECS": "1"},
        ]
    )


def update(repo, *arguments):
    """Update a repo, in the way that a refusal names, if git's settings would lose edits."""
    ended, before = copier("update", *DEFAULTS, *arguments, cwd=repo), contents(repo)
    found = re.search(r"(?<=: )(?:GIT_\w+=\S* )+(?=copier update)", ended.output)
    if not found:
        return ended
    assert contents(repo) == before
    given = dict(each.split("=", 1) for each in found[0].split())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        return copier("update", *DEFAULTS, *arguments, cwd=repo)


@pytest.mark.parametrize("number", range(CLIENTS), ids=lambda number: f"{SEED}-{number}")
def test_no_edit_is_lost_no_key_leaks_and_a_second_update_changes_nothing(
    history, tmp_path, tmp_path_factory, monkeypatch, number
):
    rng = random.Random(f"{SEED}-{number}")
    repo, version = tmp_path / "acme", rng.choice(list(released_versions(TEMPLATE)))
    made = copier(
        *("copy", *DEFAULTS, "--vcs-ref", version),
        *NEEDED,
        *GIVE_KEY,
        *answers(rng),
        history,
        repo,
        cwd=tmp_path,
    )
    assert made.exit_code == 0, made.output
    commit(repo)
    client = Client(repo, rng)
    client.edit()
    secrets = (repo / CREDENTIALS).read_bytes()

    for name, value in settings(rng, tmp_path_factory.mktemp("git") / "all").items():
        monkeypatch.setenv(name, value)

    updated = update(repo, *(answers(rng) if rng.random() < 0.5 else ()))

    assert "Traceback" not in updated.output
    stored = yaml.safe_load((repo / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert stored["_commit"] == NEWEST, updated.output
    assert client.lost(removed(updated.output)) == [], updated.output
    assert KEY not in updated.output
    assert (repo / CREDENTIALS).read_bytes() == secrets
    for name in [name for name in os.environ if re.match("GIT_(CONFIG_COUNT|TEMPLATE|.*PATHSPECS)", name)]:
        monkeypatch.delenv(name)
    assert client.leaks() == []
    commit(repo)
    before = contents(repo)
    again = copier("update", *DEFAULTS, cwd=repo)
    assert "Traceback" not in again.output
    changed = {path for path, content in contents(repo).items() if before.get(path) != content}
    assert changed | (before.keys() - contents(repo).keys()) == set(), again.output
