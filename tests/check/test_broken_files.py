"""Whatever is in a file, and whatever stands in its place, the check reports and never stumbles."""

import os
from pathlib import Path

import pytest
from client_edits import (
    CREDENTIALS,
    DATABASE,
    DATASOURCES,
    DIGDAGIGNORE,
    EVENTS,
    INC,
    LOG_ERROR,
    WINDOWS,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
BROKEN = {
    "empty": b"",
    "a comment": b"# nothing\n",
    "a list": b"- a\n- b: c\n",
    "a number": b"42\n",
    "not UTF-8": b"a: \xff\xfe\n",
    "control characters": b"a: \x00\x07\n",
    "unclosed": b"a: [b, {c: 'd\n",
    "deep flow": b"[" * 2_000,
    "deep blocks": b"".join(b" " * n + b"a:\n" for n in range(600)),
    "deep braces": b"a: ${" + b"{" * 20_000 + b"\n",
    "unclosed variables": b"${" * 20_000,
    "open parentheses": b"SELECT COALESCE(" * 2_000,
    "an anchor in itself": b"a: &a [*a]\nb: &b {c: *b}\n",
    "anchors that multiply": BOMB.encode(),
    "includes itself": b"!include : database.yml\n!include : klaviyo_ingest_inc.dig\n!include : ../x.yml\n",
    "odd keys": b"? [a]\n: b\n? {c: d}\n: e\n1: f\nnull: g\n<<: h\n<<: [i, j]\n!include : [k]\n",
    "odd tags": b"a: !!binary x\nb: !!timestamp 2\nc: !include d\ne: !<x> f\n",
    "two documents": b"a: b\n---\nc: d\n",
    "huge": (b"a: " + b"b" * 500 + b"\n") * 4_000,
}
FILES = (
    *(INC, DATABASE, DATASOURCES, EVENTS, WINDOWS, LOG_ERROR, CREDENTIALS),
    DIGDAGIGNORE,
    ".gitignore",
)


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_reported_whichever_it_is(content, check, plain_repo):
    for file in FILES:
        whole = (plain_repo / file).read_bytes()
        (plain_repo / file).write_bytes(content)
        check.failures(plain_repo)
        (plain_repo / file).write_bytes(whole)


@pytest.mark.parametrize("file", FILES)
def test_what_is_no_file_is_reported(file, check, plain_repo):
    path = plain_repo / file
    path.unlink()
    for make in (
        path.mkdir,
        lambda: path.symlink_to(path),
        lambda: path.symlink_to("nowhere"),
        lambda: os.mkfifo(path),
    ):
        make()
        assert check.failures(plain_repo) or file == CREDENTIALS
        path.rmdir() if path.is_dir() else path.unlink()


def test_folders_that_contain_themselves_end(check, plain_repo):
    (plain_repo / "ingestion/loop").symlink_to("..")
    (plain_repo / "loop").symlink_to(".")

    assert check.failures(plain_repo) == []


@pytest.mark.parametrize("make", [None, Path.touch, Path.mkdir])
def test_a_repo_without_workflows_is_reported(make, check, tmp_path):
    if make:
        make(tmp_path / "ingestion")

    assert check.failures(tmp_path)
    assert check.failures(tmp_path / "missing")


JUNK = [
    *(
        "",
        "x",
        "[]",
        "{}",
        "[a, {b: c}]",
        "{a: {b: [c]}}",
        "|",
        ">-",
        "&a [*a]",
        "*a",
        "!include : x",
        "!include x",
    ),
    *(
        "${",
        "${}",
        "${a.b.c}",
        "${'",
        "null",
        "~",
        "0x1F",
        "true",
        "-1",
        "'",
        '"',
        "\t",
        "#",
        "<<: {a: b}",
        "? x",
        "- y",
    ),
]
DAMAGE = {
    "its value": lambda line, junk: [line.partition(":")[0] + ": " + junk],
    "its key": lambda line, junk: [indent_of(line) + junk + ":" + line.partition(":")[2]],
    "all of it": lambda line, junk: [indent_of(line) + junk],
    "nothing, but it stands twice": lambda line, junk: [line, line],
    "gone": lambda line, junk: [],
    "deeper": lambda line, junk: ["  " + line],
}


def indent_of(line):
    return line[: len(line) - len(line.lstrip())]


@settings(
    derandomize=True,
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    file=st.sampled_from(FILES),
    edits=st.lists(
        st.tuples(
            st.integers(0, 200), st.sampled_from(list(DAMAGE)), st.sampled_from(JUNK) | st.text(max_size=8)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_random_damage_never_ends_in_a_traceback(file, edits, check, plain_repo):
    path = plain_repo / file
    whole = path.read_text(encoding="utf-8")
    lines = whole.split("\n")
    for number, damage, junk in edits:
        at = number % len(lines)
        lines[at : at + 1] = DAMAGE[damage](lines[at], junk) or [""]
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        check.failures(plain_repo)
    finally:
        path.write_text(whole, encoding="utf-8")
