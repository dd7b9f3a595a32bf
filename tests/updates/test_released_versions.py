"""A repo of any version that was ever released can be updated to the template as it stands."""

import re

import pytest
import yaml
from commands import (
    DEFAULTS,
    TEMPLATE,
    append,
    commit,
    contents,
    copier,
    copy,
    edit,
    git,
    made_of,
    release,
    update,
)
from released_versions import headings, history_with, released_versions

INCREMENTAL = "ingestion/klaviyo_ingest_inc.dig"


def test_a_version_is_found_by_its_tag_or_else_by_its_heading(tmp_path):
    commits = []
    for changelog in (
        "# Changelog\n",
        "# Changelog\n\n## 0.1.0 - 2026-11-24\n",
        "# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-11-24\n",
        "# Changelog\n\n## 0.2.0 - 2026-12-01\n\n## 0.1.0 - 2026-11-24\n",
    ):
        (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
        commit(tmp_path)
        commits.append(git("rev-parse", "HEAD", cwd=tmp_path).strip())
    git("tag", "v0.2.0", cwd=tmp_path)
    assert released_versions(tmp_path) == {"0.1.0": commits[1], "0.2.0": "v0.2.0"}


def test_the_newest_heading_of_the_changelog_is_among_the_versions_tested():
    assert set(headings(TEMPLATE)[:1]) <= set(released_versions(TEMPLATE))


def test_a_migration_is_of_a_version_that_the_changelog_has_or_is_to_have():
    settings = yaml.safe_load((TEMPLATE / "copier.yml").read_text(encoding="utf-8"))
    changelog = (TEMPLATE / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = {entry["version"] for entry in settings["_migrations"] if "version" in entry}
    known = re.findall(r"^## (\d\S+) - ", changelog, re.MULTILINE)
    assert versions <= {*known} or "\n## Unreleased\n" in changelog


@pytest.mark.parametrize("version", released_versions(TEMPLATE))
def test_a_released_version_updates_to_the_template_as_it_stands(released, tmp_path, version):
    history = history_with(released_versions(TEMPLATE), released, tmp_path / "history")
    repo = copy(history, tmp_path / "repo", "--vcs-ref", version)
    append(repo / INCREMENTAL, "# by the client\n")
    commit(repo)
    update(repo)
    fresh = contents(copy(history, tmp_path / "fresh"))
    fresh[INCREMENTAL] += b"# by the client\n"
    assert contents(repo) == fresh


def test_the_documented_migrations_keep_a_renamed_answer_and_a_renamed_file_s_edit(released, tmp_path):
    repo = copy(released, tmp_path / "repo", "-d", "alert_email=data-team@example.com")
    edit(repo / "ingestion/query_samples/klaviyo_monitoring.sql", "7 * 86400", "14 * 86400")
    commit(repo)
    monitoring = made_of(released, "ingestion/query_samples/klaviyo_monitoring.sql")
    monitoring.rename(monitoring.with_name("{{ source }}_last_days.sql.jinja"))
    for path in [
        released / "copier.yml",
        *released.glob("extensions/**/*.py"),
        *released.glob("template/**/*.jinja"),
    ]:
        text = path.read_text(encoding="utf-8").replace("alert_email", "alert_address")
        path.write_text(text, encoding="utf-8")
    documented = (TEMPLATE / "CONTRIBUTING.md").read_text(encoding="utf-8")
    append(released / "copier.yml", re.search(r"```yaml\n(_migrations:.*?)```", documented, re.DOTALL)[1])
    release(released, "1.1.0")
    ended = copier("update", *DEFAULTS, cwd=repo)
    assert (
        "✗ No update was left half done [update-finished]\n    ingestion/query_samples/klaviyo_last_days.sql:"
        in ended.output
    )
    assert "alert_address: data-team@example.com\n" in (repo / ".copier-answers.yml").read_text(
        encoding="utf-8"
    )
    assert not (repo / "ingestion/query_samples/klaviyo_monitoring.sql").exists()
    assert "14 * 86400" in (repo / "ingestion/query_samples/klaviyo_last_days.sql").read_text(
        encoding="utf-8"
    )
