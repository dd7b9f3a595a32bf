"""Do to a repo what clients do: answer, edit, move, delete and add files at random, by a seed."""

from __future__ import annotations

import random
import runpy
from dataclasses import dataclass, field
from pathlib import Path

from commands import KEY, TEMPLATE, commit, git

# Where an update moves a file, with the client's edits of it.
MOVED = {
    f"ingestion/{name}": f"ingestion/{renamed}"
    for name, (_, renamed) in runpy.run_path(str(TEMPLATE / "migrations/to_1_0_0.py"))["FILES"].items()
    if renamed
}
ANSWERS = ".copier-answers.yml"
CREDENTIALS = "ingestion/credentials_ingestion.json"
COMMENTS = {".sql": "-- ", ".md": "", ".json": ""}
NAMES = [
    "notes.md",
    "ingestion/sql/mine.sql",
    "ingestion/acme load.yml",
    "docs/größe.txt",
    "ingestion/sql/x/y.sql",
]


def answers(rng: random.Random) -> list[str]:
    """A few answers, valid in every released version, as arguments of Copier's."""
    objects = ["profiles", "events", "campaigns", "lists", "email_templates", "metrics"]
    choices = {
        "objects": [f"[{', '.join(rng.sample(objects, rng.randint(1, 6)))}]"],
        "custom_objects": ["[]", "[{name: campaigns_snapshot, data_source: campaigns}]"],
        "schedule": ["none", "hourly", "daily", "30 4 * * *"],
        "events_lookback_hours": ["0", "2", "48"],
        "metrics_load": ["incremental", "full"],
        "target_database": ["client_src", "acme_raw", ""],
        "alert_email": ["", "data@example.com"],
        "ci": ["github", "none"],
        "client_name": ["Acme", "O'Brien & Söhne"],
    }
    chosen = rng.sample(sorted(choices), rng.randint(0, len(choices)))
    return [part for name in chosen for part in ("-d", f"{name}={rng.choice(choices[name])}")]


@dataclass
class Client:
    """A client's repo, and what was done to it.

    Attributes:
        lines: the client's lines, each of which is somewhere once, with the file that it was written into.
        own: the client's own files, and what is in them.
        gone: what was deleted, or moved away.
    """

    repo: Path
    rng: random.Random
    lines: dict[str, str] = field(default_factory=dict)
    own: dict[str, bytes] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def edit(self) -> None:
        """Do a few things to the repo, and commit them."""
        deeds = [self._append, self._append, self._insert, self._change, self._delete, self._move, self._add]
        for _ in range(self.rng.randint(0, 8)):
            self.rng.choice(deeds)()
        commit(self.repo)

    def _files(self) -> list[str]:
        """The template's files that are still in their place."""
        tracked = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=self.repo).split(
            "\0"
        )
        there = {file for file in tracked if file and (self.repo / file).is_file()}
        return sorted(there - {ANSWERS} - set(self.own))

    def _line(self, file: str) -> str:
        """A line that no file has; it may end in blanks."""
        mark = f"by the client {len(self.lines)}, {self.rng.random()}"
        self.lines[mark] = file
        return COMMENTS.get(Path(file).suffix, "# ") + mark + self.rng.choice(["", "  ", "\t"])

    def _append(self) -> None:
        file = self.rng.choice(self._files())
        with (self.repo / file).open("a", encoding="utf-8", newline="") as opened:
            opened.write(self._line(file) + self.rng.choice(["\n", "\n", "\n\n", ""]))

    def _insert(self) -> None:
        file, lines, number = self._place()
        lines.insert(number, self._line(file) + "\n")
        self._write(file, lines)

    def _change(self) -> None:
        file, lines, number = self._place()
        if lines:
            lines[number] = lines[number].rstrip("\n") + " " + self._line(file) + "\n"
        self._write(file, lines)

    def _place(self) -> tuple[str, list[str], int]:
        """A file, its lines, and the number of one that is not the client's."""
        file = self.rng.choice(self._files())
        lines = (self.repo / file).read_text(encoding="utf-8").splitlines(keepends=True)
        # A line that keeps the key out of git stays as it is: else it is the client who commits the key.
        kept = ("by the client", "credentials_ingestion")
        free = [number for number, line in enumerate(lines) if not any(text in line for text in kept)]
        return file, lines, self.rng.choice(free or [0])

    def _write(self, file: str, lines: list[str]) -> None:
        (self.repo / file).write_text("".join(lines), encoding="utf-8", newline="")

    def _delete(self) -> None:
        file = self._one_to_take_away()
        (self.repo / file).unlink()
        self.gone.add(file)
        self.lines = {mark: at for mark, at in self.lines.items() if at != file}

    def _move(self) -> None:
        file = self._one_to_take_away()
        there = f"moved/{file}"
        (self.repo / there).parent.mkdir(parents=True, exist_ok=True)
        (self.repo / file).rename(self.repo / there)
        self.gone.add(file)
        self.own[there] = (self.repo / there).read_bytes()
        self.lines = {mark: at for mark, at in self.lines.items() if at != file}

    def _one_to_take_away(self) -> str:
        # Without the ignore files it is the client who commits the key.
        return self.rng.choice([file for file in self._files() if not file.endswith("ignore")])

    def _add(self) -> None:
        file = self.rng.choice(NAMES)
        (self.repo / file).parent.mkdir(parents=True, exist_ok=True)
        self.own[file] = f"by the client, {self.rng.random()}   \r\n".encode()
        (self.repo / file).write_bytes(self.own[file])

    def lost(self, removed: list[str]) -> list[str]:
        """What is not as the client left it, in words.

        Args:
            removed: the files that the report named as gone; an edit in one of them was not lost unseen.
        """
        found = [f"{file} is another" for file, was in self.own.items() if self._bytes(file) != was]
        found += [f"{file} is back" for file in self.gone if (self.repo / file).exists()]
        for mark, file in self.lines.items():
            text = self._bytes(file) + self._bytes(MOVED.get(file, ""))
            if mark.encode() not in text and file not in removed:
                found.append(f"{file} lacks: {mark}")
        return found

    def leaks(self) -> list[str]:
        """The files with the key in them that git has, or would take."""
        git("add", "--all", cwd=self.repo)
        listed = git("ls-files", "-z", cwd=self.repo).split("\0")
        return [file for file in listed if file and KEY.encode() in self._bytes(file)]

    def _bytes(self, file: str) -> bytes:
        return (self.repo / file).read_bytes() if (self.repo / file).is_file() else b""
