"""Share the example answers, a repo rendered from them, and templates to edit."""

import os
import shutil

import pytest
import yaml
from commands import TEMPLATE, commit, copy, edit, nobodys_settings, release, template_as_it_stands
from copier import run_copy
from copier.errors import UserMessageError
from hypothesis import HealthCheck, settings
from mock_td.databases import Databases

# On a machine that does something else too, generating a text may take a second.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

if os.environ.get("TRINO"):
    pytest_plugins = ["real_trino.session"]


@pytest.fixture(scope="session", autouse=True)
def _nobodys_settings(tmp_path_factory):
    """Keeps the user's own settings of Copier and git out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in nobodys_settings(tmp_path_factory.mktemp("nobodys")).items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def pristine_template(tmp_path_factory):
    """The template outside git, so that Copier takes it as it is. Only to be read: see `template`."""
    return template_as_it_stands(tmp_path_factory.mktemp("pristine") / "template")


@pytest.fixture
def template(pristine_template, tmp_path):
    """A copy of the template for a test to edit."""
    return shutil.copytree(pristine_template, tmp_path / "template")


@pytest.fixture
def refusal():
    """Copies a template that Copier must refuse, without a trace in the destination; gives the message."""

    def content(folder):
        return [(path, path.is_file() and path.read_bytes()) for path in sorted(folder.rglob("*"))]

    def refused_copy(template, destination, **options):
        before = destination.exists(), content(destination)
        with pytest.raises(UserMessageError) as refused:
            run_copy(str(template), destination, defaults=True, unsafe=True, quiet=True, **options)
        assert (destination.exists(), content(destination)) == before
        assert str(refused.value).endswith(" Nothing was changed.")
        return str(refused.value)

    return refused_copy


@pytest.fixture(scope="session")
def databases():
    """The class of what the mock TD's SQL is run on: where TRINO names a version, on a real Trino, too."""
    if not os.environ.get("TRINO"):
        return Databases
    from real_trino.both import BothDatabases

    return BothDatabases


@pytest.fixture(scope="session")
def example_answers():
    """The published example: an answer to every question but the key."""
    return yaml.safe_load((TEMPLATE / "example-answers.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def example_repo(copie_session, example_answers):
    """The repo that the example answers make. Only to be read: `client_repo` is a copy to change."""
    result = copie_session.copy(extra_answers=example_answers)
    assert result.exit_code == 0, result.exception
    return result.project_dir


@pytest.fixture
def client_repo(example_repo, tmp_path):
    """A copy of the example repo, committed to git, for a test to change."""
    repo = tmp_path / "acme-klaviyo"
    shutil.copytree(example_repo, repo)
    commit(repo)
    return repo


@pytest.fixture(scope="session")
def _first_version(pristine_template, tmp_path_factory):
    """The folder of `released` and `acme`, to be copied."""
    folder = tmp_path_factory.mktemp("first-version")
    shutil.copytree(pristine_template, folder / "released")
    release(folder / "released", "1.0.0")
    copy(folder / "released", folder / "acme")
    return folder


@pytest.fixture
def released(_first_version, tmp_path):
    """The template as it stands, in git as version 1.0.0, for a test to bring out the next."""
    return shutil.copytree(_first_version / "released", tmp_path / "released")


@pytest.fixture
def acme(_first_version, released, tmp_path):
    """A client's repo, made from `released` by `copy`."""
    repo = shutil.copytree(_first_version / "acme", tmp_path / "acme")
    edit(repo / ".copier-answers.yml", str(_first_version / "released"), str(released))
    commit(repo)
    return repo
