"""Ignore files are read as git reads them, and Digdag, which takes its reading from JGit."""

import subprocess

import pytest

PATHS = [
    "docs/notes.md",
    "docs/more/notes.md",
    "a/x.json",
    "a/b/x.json",
    "a/b/c/x.json",
    "notes/today.txt",
    "old/notes/today.txt",
    "#x.json",
    "!x.json",
    "x.json",
    "x y.json",
    "ingestion/credentials_ingestion.json",
]
PATTERNS = {
    "one folder's files": "docs/*.md",
    "a file at any depth": "a/**/x.json",
    "a folder of a name": "notes/",
    "a folder at the top": "/notes/",
    "an escaped hash": "\\#x.json",
    "a comment": "#x.json",
    "an escaped exclamation mark": "\\!x.json",
    "a suffix": "*.json",
    "all in a folder": "a/**",
    "a folder anywhere": "**/notes",
    "all but one": "*.json\n!x.json",
    "one in a folder that is left out": "a/\n!a/x.json",
    "one of the files that are left out": "a/*\n!a/x.json",
    "a later line wins": "!x.json\nx.json",
    "a set": "[!x]*.json",
    "blanks at the end": "x.json  ",
    "an escaped blank": "x\\ y.json",
    "line ends of Windows": "docs/*.md\r\nx.json\r\n",
    "lines that are no pattern": "!\n\\\nx.json",
    "the credentials": "/ingestion/credentials_ingestion.json",
    "everything": "*",
}


@pytest.fixture(scope="module")
def work_tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ignored")
    for path in PATHS:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("patterns", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_keeps_out_what_git_leaves_alone(patterns, check, work_tree):
    (work_tree / ".gitignore").write_bytes(patterns.encode() + b"\n")
    command = ["git", "check-ignore", "--stdin", "-z"]
    listed = subprocess.run(
        command, input="\0".join(PATHS), cwd=work_tree, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    is_ignored = check.module("ignore_files").is_ignored

    assert [path for path in PATHS if is_ignored(path, patterns)] == [
        path for path in PATHS if path in listed
    ]
