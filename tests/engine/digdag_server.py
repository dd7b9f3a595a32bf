"""Run a `digdag server`, which is what workflows run on in production, and the commands that people give it.

`td wf X` at TD is `digdag X` here. What people do in TD Console, and what a test wants to know, goes through the
server's REST API; a command is a Java that starts, which takes its time.
"""

import base64
import gzip
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from urllib.parse import quote

import digdag

# Of a key that the server keeps the secrets of a test with.
ENCRYPTION_KEY = base64.b64encode(b"sixteen letters.").decode()


class CannotStart(Exception):
    """There is no server here; the text says why."""


class Refused(Exception):
    """A command that the server refused; the text is what the command printed."""


@dataclass(frozen=True)
class Attempt:
    """One run of a workflow; `id`s are texts. A session has several attempts once it is retried."""

    id: str
    session_id: str
    session_uuid: str

    @property
    def mark(self):
        """What the ingestion writes into ingestion_log to tell its runs apart."""
        return f"{self.session_uuid}.{self.id}"


class Server:
    """A `digdag server` on any free port, with its state in memory, while the `with` block lasts.

    td       the TreasureData that its workflows talk to
    mailbox  where mail> delivers

    Raises:
        CannotStart: on entering, where the `digdag` on PATH starts no server.
    """

    def __init__(self, td, mailbox=None):
        self.td = td
        self.mailbox = mailbox
        # To the second, and a session each: an hour ago, so that none is that of a command.
        self._session_times = count(int(time.time()) - 3600, 10)

    def __enter__(self):
        if shutil.which("digdag") is None:
            raise CannotStart(digdag.MISSING)
        self._scratch = tempfile.TemporaryDirectory()
        folder = Path(self._scratch.name)
        self._environment = digdag.environment(folder)
        self._addresses = folder / "addresses.json"
        settings = {
            "digdag.secret-encryption-key": ENCRYPTION_KEY,
            "server.runtime-info.path": self._addresses,
            **digdag.NO_WAITING,
        }
        if self.mailbox is not None:
            settings.update(digdag.mail_settings(self.mailbox))
        config = folder / "server.properties"
        config.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        self._output = folder / "server.log"
        command = ["digdag", "server", "--memory", "--port", "0", "--config", str(config)]
        command += ["--task-log", str(folder / "task-logs")]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        digdag.kill(self._process)
        self._process.wait()
        self._scratch.cleanup()

    @property
    def output(self):
        """What the server has printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def command(self, name, *arguments, folder=None):
        """Gives a command as a person does, in a folder; returns what it printed, or raises Refused."""
        given = ["digdag", name, "--endpoint", self.endpoint, *arguments]
        done = subprocess.run(
            given,
            check=False,
            cwd=folder,
            env=self._environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise Refused(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def push(self, folder, project, *options):
        """Pushes a folder as a project, which then has what TD gives to every project: a way to TD itself.

        Returns what the command printed.
        """
        printed = self.command("push", project, *options, folder=folder)
        for key, value in {"apikey": "1/x", "endpoint": self.td.endpoint, "use_ssl": "false"}.items():
            self._ask("PUT", f"/api/projects/{self._id(project)}/secrets/td.{key}", {"value": value})
        return printed

    def secrets(self, project, file):
        """Sets a project's secrets from a JSON file, as the manual does in the file's folder; returns what it printed."""
        return self.command("secrets", "--project", project, "--set", f"@{file.name}", folder=file.parent)

    def names_of_secrets(self, project):
        told = self._ask("GET", f"/api/projects/{self._id(project)}/secrets")
        return {secret["key"] for secret in told["secrets"]}

    def files(self, project):
        """{path: content} of what was pushed last."""
        archive = self._ask("GET", f"/api/projects/{self._id(project)}/archive", raw=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}

    def start(self, project, workflow):
        """Starts a workflow, as TD Console does; returns its Attempt, at once."""
        session = datetime.fromtimestamp(next(self._session_times), timezone.utc)
        return self._start(project, workflow, sessionTime=session.isoformat(), params={})

    def start_by_command(self, project, workflow, *options):
        """The same with the command, as the manual has it."""
        printed = self.command("start", project, workflow, "--session", "now", *options)
        assert "Started a session attempt:" in printed  # as the manual says
        names = ("attempt id", "session id", "uuid")
        return Attempt(*(re.search(rf"^  {name}: (\S+)$", printed, re.MULTILINE)[1] for name in names))

    def retry(self, attempt, *, resume=False):
        """A new Attempt of the same session, as TD Console makes it; raises Refused where it does not.

        resume  'resume', which leaves out the tasks that succeeded; else 'retry all'
        """
        told = self.attempt(attempt)
        details = {"retryAttemptName": f"after {attempt.id}", "params": told["params"]}
        if resume:
            details["resume"] = {"mode": "failed", "attemptId": attempt.id}
        project, workflow = told["project"]["name"], told["workflow"]["name"]
        try:
            return self._start(project, workflow, sessionTime=told["sessionTime"], **details)
        except urllib.error.HTTPError as refused:
            raise Refused(f"HTTP {refused.code}") from None

    def kill(self, attempt):
        """Kills an attempt, and waits for its end."""
        self._ask("POST", f"/api/attempts/{attempt.id}/kill", {})
        self.wait(attempt)

    def attempt(self, attempt):
        """How an attempt stands: done, success, cancelRequested and more, as the REST API tells it."""
        return self._ask("GET", f"/api/attempts/{attempt.id}")

    def attempts(self, project, workflow):
        """Every attempt of a workflow, also those that nobody started by hand, the oldest first."""
        told = self._ask(
            "GET", f"/api/attempts?project={project}&workflow={workflow}&include_retried=true&page_size=100"
        )
        return [
            Attempt(each["id"], each["sessionId"], each["sessionUuid"]) for each in told["attempts"][::-1]
        ]

    def wait(self, attempt, timeout=240):
        """Waits for the end of an attempt; returns whether it succeeded."""
        return (
            self.wait_until(lambda: self.attempt(attempt)["done"], timeout)
            and self.attempt(attempt)["success"]
        )

    def wait_until(self, happens, timeout=240):
        """Waits until happens() is true, and returns that; else AssertionError with the server's output."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if found := happens():
                return found
            time.sleep(0.2)
        raise AssertionError(f"It did not happen in {timeout} s. The server said:\n{self.output[-5000:]}")

    def tasks(self, attempt):
        """An attempt's tasks, as `digdag.Run` has them."""
        told = self._ask("GET", f"/api/attempts/{attempt.id}/tasks")
        return [digdag.Task(task["fullName"], task["state"]) for task in told["tasks"]]

    def log(self, attempt):
        """The text of an attempt's log, task by task."""
        files = self._ask("GET", f"/api/logs/{attempt.id}/files")["files"]
        return "".join(
            gzip.decompress(
                self._ask("GET", f"/api/logs/{attempt.id}/files/{quote(file['fileName'])}", raw=True)
            ).decode("utf-8")
            for file in files
        )

    def schedules(self, project):
        """{workflow: when it runs next, as text} of a project's schedules."""
        told = self._ask("GET", f"/api/projects/{self._id(project)}/schedules")
        return {each["workflow"]["name"]: each["nextRunTime"] for each in told["schedules"]}

    def disable(self, project, workflow):
        """Switches a workflow's schedule off."""
        schedules = self._ask("GET", f"/api/projects/{self._id(project)}/schedules")["schedules"]
        (id,) = [each["id"] for each in schedules if each["workflow"]["name"] == workflow]
        self._ask("POST", f"/api/schedules/{id}/disable", {})

    def _start(self, project, workflow, **details):
        id = self._ask("GET", f"/api/workflow?project={project}&name={workflow}")["id"]
        told = self._ask("PUT", "/api/attempts", {"workflowId": id, **details})
        return Attempt(told["id"], told["sessionId"], told["sessionUuid"])

    def _id(self, project):
        return self._ask("GET", f"/api/project?name={project}")["id"]

    def _ask(self, method, path, body=None, *, raw=False):
        request = urllib.request.Request(
            self.endpoint + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = answer.read()
        return content if raw else json.loads(content or "null")

    def _wait_until_it_answers(self, timeout=120):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise CannotStart(
                    f"`digdag server` ended with {self._process.returncode}:\n{self.output[-1500:]}"
                )
            try:
                (address,) = json.loads(self._addresses.read_text())["local_addresses"]
                self.endpoint = f"http://{address['host']}:{address['port']}"
                self._ask("GET", "/api/version")
            except (FileNotFoundError, ValueError, urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
            else:
                return
        raise CannotStart(f"`digdag server` did not answer in {timeout} s:\n{self.output[-1500:]}")
