"""`make` sets itself up, renders the tree as it is checked out, and says what is missing."""

import hashlib
import os
import re
import shutil
import subprocess
import sys

import pytest
from commands import TEMPLATE, append, commit, git, made_of, release
from run_make import AS_SET_UP, make


def scaffold(checkout, destination):
    return make(checkout, *AS_SET_UP, "scaffold", f"DEST={destination}")


@pytest.fixture
def checkout(template):
    """The template in git, with what `make` needs, tagged."""
    for file in ("Makefile", "requirements.txt"):
        shutil.copy(TEMPLATE / file, template)
    release(template, "v1.0.0")
    return template


@pytest.mark.parametrize("destination", ["../acme klaviyo/new", "../empty"])
def test_scaffold_renders_into_a_new_or_empty_folder(checkout, tmp_path, destination):
    (tmp_path / "empty").mkdir()
    run = scaffold(checkout, destination)
    assert run.returncode == 0, run.stderr
    assert (checkout / destination / "ingestion/klaviyo_ingest_inc.dig").is_file()


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        ("../theirs", "../theirs has something in it"),
        ("../theirs/file", "has something in it"),
        ("", "Say where"),
    ],
)
def test_scaffold_refuses_what_is_there_and_touches_nothing(checkout, tmp_path, destination, told):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/file").write_text("theirs", encoding="utf-8")
    run = scaffold(checkout, destination)
    assert run.returncode != 0
    assert told in run.stderr
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["file"]
    assert (tmp_path / "theirs/file").read_text(encoding="utf-8") == "theirs"


def test_scaffold_renders_the_tree_as_checked_out_and_not_its_latest_tag(checkout, tmp_path):
    for file in ("klaviyo_monitoring.sql", "klaviyo_latest_rows.sql"):
        append(made_of(checkout, f"ingestion/query_samples/{file}"), "-- after the tag\n")
        if file == "klaviyo_monitoring.sql":  # the other one stays uncommitted
            commit(checkout)
    run = scaffold(checkout, "../acme")
    assert run.returncode == 0, run.stderr
    for file in ("klaviyo_monitoring.sql", "klaviyo_latest_rows.sql"):
        assert (
            (tmp_path / f"acme/ingestion/query_samples/{file}")
            .read_text(encoding="utf-8")
            .endswith("-- after the tag\n")
        )


# Makes no real venv: its pip does nothing, and exits with $PIP_FAILS.
FAKE_PYTHON = f"""#!/bin/sh
echo "$@" >> "$0.log"
case "$1" in
  -c) exec {sys.executable} "$@" ;;
  -m) rm -rf "$4" && mkdir -p "$4/bin" && printf '#!/bin/sh\\necho "$@" >> pip.log; exit ${{PIP_FAILS:-0}}\\n' > "$4/bin/pip" ;;
esac
chmod +x "$4/bin/pip"
"""


@pytest.fixture
def python(tmp_path):
    """The path of a fake Python, with which a set-up takes no time; it logs its arguments."""
    path = tmp_path / "python"
    path.write_text(FAKE_PYTHON, encoding="utf-8")
    path.chmod(0o755)
    return path


def set_ups(python):
    return (
        python.with_name("python.log").read_text(encoding="utf-8").splitlines().count("-m venv --clear .venv")
    )


def test_a_set_up_is_done_once_and_again_after_new_pins(checkout, python):
    def set_up():
        run = make(checkout, f"PYTHON={python}", ".venv/ready")
        assert run.returncode == 0, run.stderr

    set_up()
    set_up()
    assert set_ups(python) == 1
    later = (checkout / ".venv/ready").stat().st_mtime + 1
    os.utime(checkout / "requirements.txt", (later, later))
    set_up()
    assert set_ups(python) == 2


@pytest.mark.parametrize("copier", ["", "9.19.0"])
def test_another_copier_than_the_pinned_one_is_there_where_one_is_named(checkout, python, copier):
    run = make(checkout, f"PYTHON={python}", ".venv/ready", COPIER=copier)
    assert run.returncode == 0, run.stderr
    installed = [line.split()[-1] for line in (checkout / "pip.log").read_text(encoding="utf-8").splitlines()]
    assert installed == ["requirements.txt", *([f"copier=={copier}"] if copier else [])]


def test_an_interrupted_set_up_is_done_again_from_scratch(checkout, python):
    assert make(checkout, f"PYTHON={python}", ".venv/ready", PIP_FAILS="1").returncode != 0
    (checkout / ".venv/half").touch()
    assert make(checkout, f"PYTHON={python}", ".venv/ready").returncode == 0
    assert set_ups(python) == 2
    assert not (checkout / ".venv/half").exists()


# What is there in place of Python, and what is said of it.
UNFIT = {
    "nothing": (None, "is missing: install Python 3.10 or newer"),
    "an old one": ('[ "$1" = --version ] && echo Python 3.9.1; exit 1', "Python 3.9.1 is too old"),
    "one without venv": ('case "$2" in *ensurepip*) exit 1; esac', "has no venv: install it"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_an_unfit_python_is_named(checkout, tmp_path, what):
    script, told = UNFIT[what]
    if script:
        (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / "python").chmod(0o755)
    run = make(checkout, f"PYTHON={tmp_path / 'python'}", "test")
    assert run.returncode != 0
    assert told in run.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_git_is_named(checkout, python, tmp_path):
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "sed"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    run = make(checkout, f"PYTHON={python}", "test", PATH=str(tmp_path / "bin"))
    assert run.returncode != 0
    assert "git is missing" in run.stderr


def test_no_tracked_file_names_the_host_of_a_package_registry():
    names = ("pypi org", "pythonhosted org", "npmjs org", "repo maven apache org", "maven org")
    hosts = [name.replace(" ", ".") for name in names]
    for name in git("ls-files", "-z", cwd=TEMPLATE).split("\0")[:-1]:
        text = (TEMPLATE / name).read_text(encoding="utf-8")
        assert not [host for host in hosts if host in text], name
    assert "://" not in (TEMPLATE / "requirements.txt").read_text(encoding="utf-8")


def test_the_tests_leave_out_those_of_updates_of_many_clients_on_the_engine_and_on_trino():
    run = make(TEMPLATE, *AS_SET_UP, "test", "--dry-run")
    left_out = re.findall(r"--ignore tests/(\w+)", run.stdout)
    assert left_out == ["engine", "updates", "random_clients", "real_trino"]


def test_the_engine_tests_say_where_digdag_comes_from_if_it_is_missing(tmp_path):
    for tool in ("sh", "sed", "git"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    run = make(TEMPLATE, *AS_SET_UP, "test-engine", PATH=str(tmp_path))
    assert run.returncode != 0
    assert "No `digdag` on PATH" in run.stderr
    assert "treasure-data/digdag, v0.10.5.1" in run.stderr


def test_the_tests_of_the_mock_td_want_no_digdag_and_nothing_of_the_engine_tests(tmp_path):
    (tmp_path / "git").symlink_to(shutil.which("git"))
    without_engine = ["--override-ini", "pythonpath=extensions tests", "--collect-only", "--quiet"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *without_engine, "tests/mock_td"],
        cwd=TEMPLATE,
        check=False,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


def programs(folder, **texts):
    """Fill a folder with programs: a shell script for each text; for None, what is on PATH by that name."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        if text is None:
            (folder / name).symlink_to(shutil.which(name))
        else:
            (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
    return folder


JAVA = {"java": "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2", "javac": ""}
OLD_JAVA = {"java": "echo 'java version \"1.8.0_392\"' >&2", "javac": ""}


@pytest.mark.parametrize(
    ("there", "version", "told"),
    [
        ({}, "406", "No JDK 17 on PATH"),
        (OLD_JAVA, "406", "No JDK 17 on PATH"),
        (JAVA, "406", "No Maven on PATH"),
        (JAVA, "407", "There is no TRINO=407: it is one of 406, 350."),
    ],
)
def test_the_tests_on_trino_say_what_is_missing_and_what_is_not_shown(tmp_path, there, version, told):
    path = programs(tmp_path / "bin", sh=None, sed=None, git=None, **there)
    run = make(TEMPLATE, *AS_SET_UP, "test-trino", f"TRINO={version}", PATH=str(path), TRINO_URL="")
    assert run.returncode != 0
    assert told in run.stderr
    assert "What is not shown without it" in run.stderr or version == "407"


@pytest.mark.parametrize("is_there", [True, False])
def test_ci_runs_the_tests_on_trino_where_it_can_and_else_says_why_not_and_goes_on(tmp_path, is_there):
    shutil.copytree(TEMPLATE / ".ci", tmp_path / "checkout/.ci")
    programs(tmp_path / "checkout/.venv")
    python = "" if is_there else "echo No Maven on PATH >&2; exit 1"
    programs(tmp_path / "checkout/.venv/bin", python=python)
    path = programs(tmp_path / "bin", dirname=None, bash=None, make=f'echo "$@" >> {tmp_path}/made')
    run = subprocess.run(
        ["bash", ".ci/run"],
        cwd=tmp_path / "checkout",
        env={"PATH": str(path)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    made = (tmp_path / "made").read_text(encoding="utf-8").split()
    assert made == ["lint", "test", "test-updates", *(["test-trino"] if is_there else [])]
    assert ("No Maven on PATH\nThe tests on a real Trino were not run." in run.stdout) != is_there


@pytest.mark.parametrize("target", ["dry-run", "rehearse"])
def test_a_dry_run_without_a_client_s_repo_says_how_it_is_called(tmp_path, target):
    run = make(TEMPLATE, *AS_SET_UP, target, f"DIR={tmp_path}")
    assert run.returncode != 0
    assert "make dry-run DIR=../acme-klaviyo" in run.stderr


def test_a_dry_run_by_its_old_name_is_the_same(tmp_path):
    (tmp_path / "ingestion").mkdir()
    runs = [
        make(TEMPLATE, *AS_SET_UP, target, f"DIR={tmp_path}", "--dry-run")
        for target in ("dry-run", "rehearse")
    ]
    assert f'.py "{tmp_path}"' in runs[0].stdout
    assert runs[0].stdout == runs[1].stdout


def test_help_names_every_target_that_is_meant_for_people():
    declared = re.search(
        r"^\.PHONY: ((?:.*\\\n)*.*)$", (TEMPLATE / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    targets = set(declared[1].replace("\\", "").split()) - {
        "rehearse",
        "ready-to-release",
        "lint-github",
        "publish",
    }
    shown = make(TEMPLATE, "help").stdout.splitlines()
    assert {line.split()[1] for line in shown if line.startswith("  make ")} == targets - {"help"}
    assert [line for line in shown if len(line) > 80] == []


def test_help_begins_with_what_a_user_does_as_it_is_pasted():
    shown = make(TEMPLATE, "help", "--no-print-directory").stdout
    heading, *lines = shown.splitlines()
    assert heading == "For a client's repo (README.md):"
    commands = [line for line in lines if line.startswith("  make ")]
    assert commands[:2] == ["  make scaffold DEST=../acme-klaviyo", "  make dry-run DIR=../acme-klaviyo"]


@pytest.mark.setup
def test_a_fresh_clone_sets_itself_up_and_scaffolds(tmp_path):
    git("clone", "--quiet", TEMPLATE, "clone", cwd=tmp_path)
    for destination in ("../acme", "../another"):
        run = make(tmp_path / "clone", "scaffold", f"DEST={destination}")
        assert run.returncode == 0, run.stderr
        assert ("Setting up" in run.stderr) == (destination == "../acme")
        assert (tmp_path / "clone" / destination / "README.md").is_file()


@pytest.fixture
def set_up(tmp_path):
    """A folder that looks like a finished set-up, without a package."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/ready").touch()
    return tmp_path / "venv"


@pytest.mark.parametrize("is_the_same", [True, False])
def test_a_downloaded_digdag_is_kept_only_with_the_sum_that_is_known(tmp_path, set_up, is_the_same):
    (tmp_path / "digdag.jar").write_bytes(b"a jar")
    known = hashlib.sha256(b"a jar" if is_the_same else b"another jar").hexdigest()
    given = (f"VENV={set_up}", f"--old-file={set_up}/ready", f"DIGDAG_SHA256={known}")
    ended = make(TEMPLATE, *given, f"DIGDAG_URL=file://{tmp_path}/digdag.jar", "digdag")
    assert (ended.returncode == 0) == is_the_same, ended.stderr
    assert ("its sum is another one" in ended.stderr) != is_the_same
    for file in ("digdag.jar", "bin/digdag"):
        assert (set_up / file).exists() == is_the_same
    assert not is_the_same or os.access(set_up / "bin/digdag", os.X_OK)
