"""Start a real Trino of the jars that pom.xml pins, give its URL, and end it.

    .venv/bin/python tests/real_trino/server.py [--missing]

Without --missing it starts one, prints its URL for TRINO_URL, and keeps it until Ctrl-C. With --missing it
only fetches the jars, and where that is not possible says what is missing, and exits with 1.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

HERE = Path(__file__).resolve().parent
JARS = HERE.parents[1] / ".trino"
# As many catalogs, of which each test process takes one: what one does is not seen in another's.
CATALOGS = max(4, os.cpu_count() or 1)
NOT_SHOWN = (
    "What is not shown without it: that a real Trino takes each query with its default limits, and gives what "
    "the mock TD gives."
)
# For a life of minutes: C1 compiles at once, into more room than it has by default, as each query brings classes
# of its own; and what a query leaves is gone before it is looked at twice. A third of the processor's time less.
JAVA_OPTIONS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=256m",
    "-XX:+UseSerialGC",
    "-Xms1200m",
    "-Xmn700m",
    "-Xmx1500m",
)
START_SECONDS = 180


class Version(NamedTuple):
    """What differs between the versions, of which each is a profile in pom.xml.

    connector, plugin  which of Trino's connectors holds TD's tables
    has_delete         whether that has DELETE
    properties         a catalog's settings; {folder} is a fresh folder of its own
    renamed            what TdServer.java's names are in it
    options            more of Java's
    """

    connector: str
    plugin: str
    has_delete: bool
    properties: str = ""
    renamed: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()


VERSIONS = {
    "406": Version(
        "iceberg",
        "io.trino.plugin.iceberg.IcebergPlugin",
        has_delete=True,
        properties=",iceberg.catalog.type=TESTING_FILE_METASTORE,hive.metastore.catalog.dir=file://{folder}",
    ),
    "350": Version(
        "memory",
        "io.prestosql.plugin.memory.MemoryPlugin",
        has_delete=False,
        renamed=(("io.trino.", "io.prestosql."), ("TestingTrinoServer", "TestingPrestoServer")),
        # It was made for Java 11.
        options=tuple(
            f"--add-opens=java.base/{name}=ALL-UNNAMED"
            for name in ("java.lang", "java.lang.invoke", "java.nio")
        ),
    ),
}


class Missing(Exception):
    """What a Trino needs and is not there; the text says it to a person."""


@contextmanager
def running(version: str) -> Iterator[str]:
    """A Trino that runs while the `with` block lasts, and no longer than this process; gives its URL.

    Raises:
        Missing: Java, Maven or the jars.
    """
    class_path, known = class_path_of(version), VERSIONS[version]
    with tempfile.TemporaryDirectory(prefix="trino-", ignore_cleanup_errors=True) as folder:
        source = (HERE / "TdServer.java").read_text(encoding="utf-8")
        for old, new in known.renamed:
            source = source.replace(old, new)
        Path(folder, "TdServer.java").write_text(source, encoding="utf-8")
        command = ["java", *JAVA_OPTIONS, *known.options, "-cp", class_path, "TdServer.java"]
        catalogs = [f"td{n}{known.properties.format(folder=f'{folder}/{n}')}" for n in range(CATALOGS)]
        with (
            open(f"{folder}/log", "w+", encoding="utf-8") as log,
            subprocess.Popen(
                [*command, known.connector, known.plugin, *catalogs],
                stdin=subprocess.PIPE,  # which ends when this process does, and Trino then
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=folder,
            ) as process,
        ):
            try:
                yield _url(process, log)
            finally:
                process.kill()


def _url(process: subprocess.Popen, log: TextIO) -> str:
    """The URL of a Trino, once it is ready."""
    stopper = threading.Timer(START_SECONDS, process.kill)
    stopper.start()
    ready = next((line for line in process.stdout or () if line.startswith("READY ")), None)
    stopper.cancel()
    if ready is None:
        log.seek(0)
        told = log.read()[-3000:]
        raise RuntimeError(f"Trino ended, or did not start in {START_SECONDS} s. Its log ends:\n{told}")
    return ready.split()[1]


def class_path_of(version: str) -> str:
    """The jars of a version, which Maven fetches where they are not there yet.

    Raises:
        Missing: Java, Maven or the jars.
    """
    if version not in VERSIONS:
        raise Missing(f"There is no TRINO={version}: it is one of {', '.join(VERSIONS)}.")
    if not (shutil.which("javac") and _java() >= 17):
        raise Missing(f"No JDK 17 on PATH (java and javac), which a real Trino needs. {NOT_SHOWN}")
    if shutil.which("mvn") is None:
        raise Missing(f"No Maven on PATH (mvn), which fetches the jars of a real Trino. {NOT_SHOWN}")
    pom = HERE / "pom.xml"
    kept = JARS / f"{version}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not (kept.exists() and all(Path(jar).exists() for jar in kept.read_text().split(os.pathsep))):
        print(f"Setting up Trino {version} (once) ...", file=sys.stderr)
        command = ["mvn", "--quiet", "--batch-mode", "--file", str(pom), "--activate-profiles", version]
        command += ["dependency:build-classpath", f"-Dmdep.outputFile={kept}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            told = f"Maven did not get the jars of Trino {version}. {NOT_SHOWN} It says:\n{run.stdout[:1500]}"
            raise Missing(told)
    return kept.read_text().strip()


def _java() -> int:
    """Which Java is on PATH: 17; 0 if there is none."""
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    return int(version[1]) if version else 0


def main(arguments: list[str]) -> int:
    """What the command line asks for; gives the exit code."""
    version = os.environ.get("TRINO") or "406"
    try:
        if arguments == ["--missing"]:
            class_path_of(version)
            return 0
        with running(version) as url:
            print(url, flush=True)
            threading.Event().wait()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
