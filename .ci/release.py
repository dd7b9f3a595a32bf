"""Tag and release the version that CHANGELOG.md begins with, if that was not done yet, with its text.

Needs `gh`, GitHub's command, logged in or with GH_TOKEN. Run by `make publish`, which release.yml calls.
"""

import re
import subprocess
import sys
from pathlib import Path


def newest(changelog: str) -> tuple[str, str] | None:
    """The version of the first heading, and the text below it; nothing, if that is another heading."""
    _, heading, *rest = re.split(r"^## (.*)$", changelog, maxsplit=2, flags=re.MULTILINE)
    version = re.fullmatch(r"(\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d", heading)
    return (version[1], rest[0].strip()) if version else None


def is_released(version: str) -> bool:
    ended = subprocess.run(["gh", "release", "view", version], capture_output=True, text=True, check=False)
    if ended.returncode and "not found" not in ended.stderr:
        sys.exit(f"gh cannot tell whether {version} is released: {ended.stderr.strip()}")
    return ended.returncode == 0


def main() -> None:
    found = newest(Path("CHANGELOG.md").read_text(encoding="utf-8"))
    if not found:
        print("CHANGELOG.md begins with no version: nothing to release.")
        return
    version, text = found
    if is_released(version):
        print(f"{version} is released already.")
        return
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    create = ["gh", "release", "create", version, "--target", head.stdout.strip(), "--title", version]
    subprocess.run([*create, "--notes-file", "-"], input=text, text=True, check=True)


if __name__ == "__main__":
    main()
