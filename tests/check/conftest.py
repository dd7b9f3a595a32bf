"""Share the example repo's check, and a copy of that repo."""

import shutil

import pytest
from client_check import ClientCheck


@pytest.fixture(scope="session")
def check(example_repo, tmp_path_factory):
    """The example repo's own check."""
    # Elsewhere, so that what Python compiles is not in the repo, of which tests make copies.
    return ClientCheck(
        shutil.copytree(example_repo / "scripts", tmp_path_factory.mktemp("check") / "scripts")
    )


@pytest.fixture
def plain_repo(example_repo, tmp_path):
    """A copy of the example repo, outside git, for a test to change."""
    return shutil.copytree(example_repo, tmp_path / "plain")
