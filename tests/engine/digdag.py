"""Run the `digdag` command on a rendered project, against the mock TD."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller

MISSING = (
    "No `digdag` on PATH. The engine tests run the real one: build treasure-data/digdag, v0.10.5.1, "
    "and put its `digdag` on PATH, with Java 11 to 17."
)

# Digdag reads fields of the JDK's own classes, which Java 17 forbids by default. The rest suits a short run:
# LazyTranslation lets JavaScript, of which Digdag reads a library for each ${...}, skip what is not called.
JAVA_OPTIONS = (
    "--add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.time=ALL-UNNAMED "
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmn200m -Dtruffle.js.LazyTranslation=true"
)

# When an attempt is over, `digdag run` reads the attempt's rows of its `tasks` table and logs them at level
# debug: the same rows that it counts towards its limit of 1,000. So the count is exact, and only that one
# logger pays for it.
LOGBACK = """
<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <filter class="ch.qos.logback.classic.filter.ThresholdFilter"><level>INFO</level></filter>
    <encoder><pattern>%d{{HH:mm:ss.SSS}} [%level] \\(%thread\\): %m%n</pattern></encoder>
  </appender>
  <appender name="tasks" class="ch.qos.logback.core.FileAppender">
    <file>{tasks}</file>
    <encoder><pattern>%replace(%m){{'[\\r\\n]+', ' '}}%nopex%n</pattern></encoder>
  </appender>
  <logger name="com.zaxxer.hikari" level="WARN"/>
  <logger name="io.digdag.cli.Run" level="DEBUG"><appender-ref ref="tasks"/></logger>
  <root level="INFO"><appender-ref ref="console"/></root>
</configuration>
"""

# How long td operators wait before they ask again how a job is.
NO_WAITING = {
    f"config.td.{bound}_{interval}": "0s"
    for bound in ("min", "max")
    for interval in ("poll_interval", "retry_interval")
}

TASK = re.compile(r"^  Task\[(\d+)\]: (.+?)\n(?:    .*\n)*?    state: (\w+)$", re.MULTILINE)


@dataclass
class Task:
    name: str  # full, from the root: +klaviyo_ingest_inc+load^sub+...
    state: str  # success, error, group_error, canceled, blocked


@dataclass
class Run:
    """What one `digdag run` did.

    exit_code  1 if any task ever failed, even where a retry rescued it: to judge a run, see `succeeded`
    output     what it printed, log and errors
    tasks      the attempt's tasks as Digdag counts them: groups, generated and _error tasks, retry copies too
    jobs       what TD was given to do
    seconds    wall time
    """

    exit_code: int
    output: str
    tasks: list
    jobs: list
    seconds: float

    @property
    def lines(self):
        return self.output.splitlines()

    @property
    def succeeded(self):
        """Whether the attempt succeeded, as TD's console would show it."""
        return bool(self.tasks) and self.tasks[0].state == "success"

    def failed_tasks(self):
        return [task.name for task in self.tasks if task.state in ("error", "group_error")]


class AnyPort(Controller):
    """A Controller whose `port` is, once it has started, the one that the system gave it for 0."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mailbox:
    """A local SMTP server, while its `with` block lasts; `messages` are the e-mails it received."""

    def __init__(self):
        self.messages = []

    def __enter__(self):
        self._controller = AnyPort(self, hostname="127.0.0.1", port=0)
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    @property
    def port(self):
        return self._controller.port


def run(
    project_dir,
    workflow,
    td,
    *,
    session=None,
    params=None,
    secrets=None,
    mailbox=None,
    task_limit=None,
    killed_by=None,
    timeout=300,
):
    """Runs a workflow of a Digdag project to its end.

    workflow    its name, with or without .dig
    td          the TreasureData to talk to
    session     session_time, yyyy-MM-dd HH:mm:ss in the workflow's timezone (default: today, 00:00)
    params      {name: text}, as with -p
    secrets     {name: text}, the project's
    mailbox     where mail> delivers; without one it fails, as TD's own mail would when it is down
    task_limit  another limit than 1,000 tasks an attempt
    killed_by   a threading.Event: once it is set, Digdag is killed, and there are no tasks to tell of
    timeout     seconds; a run that takes longer is killed, and fails the test with what it had printed
    """
    digdag = shutil.which("digdag")
    if digdag is None:
        raise FileNotFoundError(MISSING)
    with tempfile.TemporaryDirectory() as scratch:
        tasks = Path(scratch, "tasks.log")
        logback = Path(scratch, "logback.xml")
        logback.write_text(LOGBACK.format(tasks=tasks))
        command = [digdag, "run", workflow, "--no-save", "--session", session or "daily"]
        command += ["--logback-config", str(logback)]
        for name, value in _settings(td, secrets, mailbox, task_limit).items():
            command += ["-X", f"{name}={value}"]
        for name, value in (params or {}).items():
            command += ["-p", f"{name}={value}"]
        began, jobs_before = time.monotonic(), len(td.jobs)
        process = subprocess.Popen(
            command,
            cwd=project_dir,
            env=environment(scratch),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if killed_by is not None:
            threading.Thread(target=lambda: killed_by.wait() and kill(process), daemon=True).start()
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException as stopped:
            kill(process)
            output, _ = process.communicate()
            if not isinstance(stopped, subprocess.TimeoutExpired):
                raise
            raise AssertionError(f"{workflow} took more than {timeout} s:\n{output[-5000:]}") from None
        seconds = time.monotonic() - began
        return Run(process.returncode, output, _tasks(tasks), td.jobs[jobs_before:], seconds)


def check(project_dir):
    """What `digdag check` prints of a project: its workflows and their schedules."""
    with tempfile.TemporaryDirectory() as scratch:
        return subprocess.run(
            ["digdag", "check"],
            cwd=project_dir,
            env=environment(scratch),
            text=True,
            capture_output=True,
            check=True,
        ).stdout


def kill(process):
    """Kills a process that leads its group, and what it started."""
    # The whole group: Digdag's own launcher is a shell that has the JVM as its child.
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def quicken(project_dir):
    """Sets every `interval:` under a `_retry:` of a project to 0, in place; for a copy that will be run.

    The intervals are real seconds, and they say how long to wait for Klaviyo to recover. What a test can see,
    which task is retried and how often, does not depend on them.
    """
    for path in Path(project_dir).glob("**/*.dig"):
        text = path.read_text(encoding="utf-8")
        quick = re.sub(
            r"^( *)_retry:(?: *\{[^}]*\}|.*(?:\n\1 +.*)+)", _without_waiting, text, flags=re.MULTILINE
        )
        path.write_text(quick, encoding="utf-8")


def _without_waiting(retry):
    return re.sub(r"\binterval: *[\d.]+", "interval: 0", retry[0])


def mail_settings(mailbox):
    """The part of Digdag's system configuration that lets mail> deliver to a Mailbox."""
    return {
        "config.mail.host": "127.0.0.1",
        "config.mail.port": mailbox.port,
        "config.mail.tls": "false",
        "config.mail.from": "workflow@example.com",
    }


def _settings(td, secrets, mailbox, task_limit):
    """Digdag's system configuration for a run against the mock TD; none of it is visible to the workflow."""
    settings = {"secrets.td.apikey": "1/x", "secrets.td.endpoint": td.endpoint, "secrets.td.use_ssl": "false"}
    settings.update({f"secrets.{name}": value for name, value in (secrets or {}).items()})
    settings.update(NO_WAITING)
    if mailbox is not None:
        settings.update(mail_settings(mailbox))
    if task_limit is not None:
        settings["executor.task_max_run"] = task_limit
    return settings


def environment(scratch):
    """The environment for `digdag`, less what lets the user's own settings, or a proxy, into the run."""
    hidden = {"DIGDAG_CONFIG", "HTTP_PROXY", "HTTPS_PROXY"}
    environment = {name: value for name, value in os.environ.items() if name.upper() not in hidden}
    java_options = f"{environment.get('JDK_JAVA_OPTIONS', '')} {JAVA_OPTIONS}"
    return {
        **environment,
        "XDG_CONFIG_HOME": scratch,
        "TD_CONFIG_PATH": "/nonexistent",
        "JDK_JAVA_OPTIONS": java_options,
    }


def _tasks(log):
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return [Task(name, state.lower()) for _, name, state in TASK.findall(text)]
