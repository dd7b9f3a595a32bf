"""Load and run the client's own check, as it was rendered."""

import os
import subprocess
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location

SCRIPT = "scripts/check_ingestion.py"


class ClientCheck:
    """The check's package, with the data sources that were rendered into it."""

    def __init__(self, scripts):
        init = scripts / "ingestion_check/__init__.py"
        spec = spec_from_file_location("rendered_check", init)
        self.package = sys.modules[spec.name] = module_from_spec(spec)
        spec.loader.exec_module(self.package)
        self.data_sources = self.module("data_sources").DATA_SOURCES

    def module(self, name):
        """A module of the package."""
        return import_module(f"{self.package.__name__}.{name}")

    def results(self, repo):
        """What each gate finds in a repo."""
        return self.package.check(self.package.Folder(repo), self.data_sources)

    def failures(self, repo):
        """The report's lines about what failed."""
        lines = self.package.report(self.results(repo)).split("\n")
        return [line for line in lines if not line.startswith("✓")]

    def places(self, gate, repo):
        """The paths and lines in which one gate finds something."""
        chosen = [each for each in self.package.GATES if each.id == gate]
        results = self.package.check(self.package.Folder(repo), self.data_sources, chosen)
        return [problem[:2] for result in results for problem in result.problems]


def run(*arguments, python=(sys.executable,), cwd=None, **environment):
    """Run the check as a person does."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [*python, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
