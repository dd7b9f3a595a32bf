"""Tell what .gitignore and .digdagignore keep out. Digdag reads its own as git does (JGit's IgnoreNode)."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

from pathspec import GitIgnoreSpec


def is_ignored(path: str, patterns: str) -> bool:
    """Whether an ignore file keeps out a file.

    Args:
        path: the file's path below the folder of the ignore file.
        patterns: the text of the ignore file.
    """
    spec = _spec(patterns)
    *folders, _ = accumulate(path.split("/"), "{}/{}".format)
    # What is in a folder that is kept out stays out, whatever a later line says of it.
    return spec.match_file(path) or any(spec.match_file(f"{folder}/") for folder in folders)


@lru_cache(maxsize=8)
def _spec(patterns: str) -> GitIgnoreSpec:
    lines = [line.removesuffix("\r") for line in patterns.split("\n")]
    return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _is_pattern(line: str) -> bool:
    """Whether a line can be read; git passes over one that cannot, such as a lone `!`."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
