"""The files of a repo, each read once, and what they say."""

from __future__ import annotations

import json
import re
from functools import cached_property, lru_cache
from posixpath import basename
from typing import Any

import yaml

from . import credentials
from .accounts import ANSWERS_FILE, FIRST, Account, owner, source_of, stored_answers
from .digdag_yaml import Map, Reader, Text, parts
from .expressions import EXPRESSION
from .fields import DataSources
from .ignore_files import is_ignored
from .names_in_sql import names
from .problems import Place, Problem, place_in
from .sql import without_comments, without_sentences
from .steps import Step, Surroundings
from .tree import Tree

IGNORE_FILE = "ingestion/.digdagignore"
# A file that another source of the same client may have too says this where it is ours.
SIGNATURE = "from the Klaviyo ingestion template"

MAX_FILE = 1_000_000


class Repo:
    """What the files of a repo say. A path is the one in the repo, with slashes.

    Attributes:
        tree: the files.
        data_sources: the data sources that are known.
        problems: what is wrong with files as such: with every one that was read so far.
        pushed: what `td wf push` takes: no dot-files, and nothing that .digdagignore names.
        credentials: their entries, none if they cannot be read; None, if they are no map.
        accounts: the Klaviyo accounts, those that have an answers file or a file of datasources.
        versions: what each account was made by, as far as its answers file says so.
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
        self.tree, self.data_sources, self.source = tree, data_sources, source
        self.problems: list[Problem] = []
        self._texts: dict[str, str] = {}
        self._values: dict[str, Any] = {}

        visible = [path for path in tree.paths("ingestion") if "/." not in path]
        self.pushed = [path for path in visible if not self.is_kept_from_push(path)]
        self.credentials = self._read_credentials()

        texts = {path: tree.start(path, MAX_FILE) for path in tree.paths() if ANSWERS_FILE.fullmatch(path)}
        self.answers = {path: stored_answers(text.decode(errors="replace")) for path, text in texts.items()}
        self.versions = {source_of(each): each.get("_commit") for each in self.answers.values() if each}
        files = (
            re.fullmatch(r"ingestion/config/(klaviyo(_\w+)?)_datasources\.yml", path) for path in visible
        )
        sources = {*self.versions, *(found[1] for found in files if found)} or {FIRST}
        self.accounts = [Account(each) for each in sorted(sources)]

        self.entries = [
            (name, entry)
            for account in self.accounts
            for name in account.lists
            for entry in self.document(account.datasources).sections(name)
        ]
        load_files = [(entry, f"ingestion/config/{entry.text('config_file')}") for _, entry in self.entries]
        self.load_files = [(entry, self.document(file)) for entry, file in load_files if tree.has_file(file)]

        paths = [path for path in self.pushed if path.endswith(".dig")]
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
        self.queries = sorted(file for file in run if "/klaviyo_" in file or SIGNATURE in self.text(file))

    def account_of(self, path: str) -> Account:
        """Whose a file is, by its name; what is called after no account is the first one's."""
        return Account(owner(basename(path), [account.source for account in self.accounts]) or FIRST)

    def is_of_another_version(self, path: str) -> bool:
        """Whether a file is of an account that another version made than the one whose gates these are."""
        source = owner(basename(path), [account.source for account in self.accounts])
        own = self.versions.get(self.source, self.versions.get(source))
        return source in self.versions and self.versions[source] != own

    def text(self, path: str) -> str:
        """A file's text; empty, if it is none."""
        if path not in self._texts:
            found, self._texts[path] = self.tree.start(path, MAX_FILE + 1), ""
            try:
                if len(found) > MAX_FILE:
                    self.problems.append(Problem(path, 1, "is larger than 1 MB, too much for Digdag to read"))
                else:
                    self._texts[path] = found.decode("utf-8-sig").replace("\r\n", "\n")
            except UnicodeDecodeError as error:
                line = found.count(b"\n", 0, error.start) + 1
                self.problems.append(Problem(path, line, "is not UTF-8, save it as UTF-8"))
        return self._texts[path]

    def value(self, path: str) -> Any:
        """What a YAML file says; an empty map, if it cannot be read; None, if it says nothing."""
        if path not in self._values:
            self._values[path] = Map(Place(path, 1))  # so that a file that includes itself finds an end
            reader = Reader(path, self.text(path), self.value)
            try:
                self._values[path] = reader.read()
            except (yaml.YAMLError, ValueError, RecursionError) as error:
                mark = getattr(error, "problem_mark", None)
                line = min(mark.line, self.text(path).rstrip().count("\n")) + 1 if mark else 1
                why = getattr(error, "problem", None) or " ".join(str(error).split())
                self.problems.append(Problem(path, line, f"cannot be read: {why}"))
            self.problems += reader.problems
        return self._values[path]

    def document(self, path: str) -> Map:
        """What a YAML file says; an empty map, if it says no map."""
        return self.value(path) if isinstance(self.value(path), Map) else Map(Place(path, 1))

    def is_kept_from_push(self, path: str) -> bool:
        """Whether .digdagignore names a file."""
        return is_ignored(path.removeprefix("ingestion/"), self.text(IGNORE_FILE))

    def in_credentials(self, key: str) -> Place:
        """Where an entry of the credentials stands."""
        text = self.text(credentials.PATH)
        return place_in(credentials.PATH, text, max(text.rfind(json.dumps(key)), 0))

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
        body, workflow = self.document(path), path.rpartition("/")[2].removesuffix(".dig")
        account = self.account_of(path)
        entries = [
            (name, entry) for name, entry in self.entries if self.account_of(entry.place.path) == account
        ]
        own = [entry for name, entry in entries if account.lists[name] == workflow]
        datasources = own or [entry for _, entry in entries]
        keys = {key for _, entry in entries for key in entry}
        return Step(path, Text(""), body, Surroundings(account, datasources, keys, self._words))

    @cached_property
    def _words(self) -> set[str]:
        """Our SQL's words, in files and in workflows: among them columns and keys of JSON for later tasks."""
        queries = [self.text(path) for path in self.pushed if re.search(r"/klaviyo_[^/]*\.sql$", path)]
        workflows = [self.value(path) for path in self.pushed if path.endswith(".dig")]
        queries += [part.text("query") for part in parts(workflows) if isinstance(part, Map)]
        return {word for query in queries for word in _words_of(query)}

    def _read_credentials(self) -> list[tuple[str, Any]] | None:
        text = self.text(credentials.PATH)
        try:
            return credentials.entries(text) if text else []
        except ValueError as error:
            line = getattr(error, "lineno", 1)
            self.problems.append(Problem(credentials.PATH, line, f"is not JSON: {error}"))
            return []


@lru_cache(maxsize=1000)  # of most files both before they are written and after
def _words_of(query: str) -> set[str]:
    return {*names(without_sentences(EXPRESSION.sub("", without_comments(query))))}
