"""Read what the files of a repo are together: its accounts, what they load, and the workflows that do it."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from .accounts import FIRST, Accounts
from .digdag_yaml import Map, Text, parts
from .documents import Documents
from .expressions import EXPRESSION
from .fields import DataSources
from .names_in_sql import names
from .silences import SILENCES, Silences
from .sql import without_comments, without_sentences
from .steps import Step, Surroundings
from .tree import Tree

# A file that another source of the same client may have too says this where it is ours.
SIGNATURE = "from the Klaviyo ingestion template"


class Repo:
    """What the files of a repo are together.

    Attributes:
        tree: the files; `documents` is what each of them says by itself.
        data_sources: the data sources that are known.
        silences: the gates that the client silences.
        accounts: the Klaviyo accounts.
        entries: the datasources, each with the name of its list.
        load_files: the datasources whose load file is there, each with what that says.
        workflows: all workflows, those of other sources too.
        ours: the workflows of Klaviyo; `steps` are their tasks.
        loads: the tasks that load; `lasting` are those whose records stay, and `loaders` the workflows
            that have such a task, or should.
        queries: the SQL files that our workflows run, but for those of another source.
    """

    def __init__(self, tree: Tree, data_sources: DataSources, source: str = FIRST) -> None:
        """Read what all gates need.

        Args:
            tree: the files.
            data_sources: the data sources that are known.
            source: the account whose version the gates are of; the check itself is the first account's.
        """
        self.tree, self.documents, self.accounts = tree, Documents(tree), Accounts(tree, source)
        self.data_sources = data_sources
        self.silences = Silences(self.documents.map(SILENCES).get("ignore"))

        self.entries = [
            (name, entry)
            for account in self.accounts
            for name in account.lists
            for entry in self.documents.map(account.datasources).sections(name)
        ]
        load_files = [(entry, f"ingestion/config/{entry.text('config_file')}") for _, entry in self.entries]
        self.load_files = [
            (entry, self.documents.map(file)) for entry, file in load_files if tree.has_file(file)
        ]

        paths = [path for path in self.documents.pushed if path.endswith(".dig")]
        self.workflows = [self._workflow(path) for path in paths]
        self.ours = [root for root in self.workflows if root.workflow.startswith("klaviyo_")]
        self.steps = [step for root in self.ours for step in root.walk()]
        self.loads = [step for step in self.steps if step.operator == "td_load>"]
        self.lasting = [
            load for load in self.loads if not load.body.text("table").startswith(load.account.scratch)
        ]
        loaders = {load.workflow for load in self.lasting}
        loaders |= {workflow for account in self.accounts for workflow in account.lists.values()}
        self.loaders = [root for root in self.ours if root.workflow in loaders]
        run = {file for step in self.steps if step.operator == "td>" for file in step.files}
        self.queries = sorted(
            file for file in run if "/klaviyo_" in file or SIGNATURE in self.documents.text(file)
        )

    def before(self, load: Step) -> list[Step]:
        """The tasks of the same object that run before a load."""
        earlier = self.steps[: self.steps.index(load)]
        return [step for step in self._of(load, earlier) if step.object is load.object]

    def after(self, load: Step) -> list[Step]:
        """The tasks of the same workflow that run after a load that went well."""
        return self._of(load, self.steps[self.steps.index(load) :])

    def _of(self, load: Step, steps: list[Step]) -> list[Step]:
        return [step for step in steps if step.workflow == load.workflow and not step.after_error]

    def _workflow(self, path: str) -> Step:
        body, workflow = self.documents.map(path), path.rpartition("/")[2].removesuffix(".dig")
        account = self.accounts.of(path)
        entries = [
            (name, entry) for name, entry in self.entries if self.accounts.of(entry.place.path) == account
        ]
        own = [entry for name, entry in entries if account.lists[name] == workflow]
        datasources = own or [entry for _, entry in entries]
        keys = {key for _, entry in entries for key in entry}
        return Step(path, Text(""), body, Surroundings(account, datasources, keys, self._words))

    @cached_property
    def _words(self) -> set[str]:
        """Our SQL's words, in files and in workflows: among them columns and keys of JSON for later tasks."""
        queries = [
            self.documents.text(path)
            for path in self.documents.pushed
            if re.search(r"/klaviyo_[^/]*\.sql$", path)
        ]
        workflows = [self.documents.value(path) for path in self.documents.pushed if path.endswith(".dig")]
        queries += [part.text("query") for part in parts(workflows) if isinstance(part, Map)]
        return {word for query in queries for word in _words_of(query)}


@lru_cache(maxsize=1000)  # of most files both before they are written and after
def _words_of(query: str) -> set[str]:
    return {*names(without_sentences(EXPRESSION.sub("", without_comments(query))))}
