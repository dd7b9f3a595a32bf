"""The versions of the template that were released, and the template as it stands as the one after them."""

import re
import shutil

from by_hand import FOLDERS, TEMPLATE, git, release


def headings(repo):
    """The versions that CHANGELOG.md, as committed, has a heading for; the newest first."""
    return re.findall(r"^## (\S+) - [0-9-]+$", git("show", "HEAD:CHANGELOG.md", cwd=repo), re.MULTILINE)


def released_versions(repo):
    """Each version with its tag, or where it has none with the commit that brought its heading."""
    found = {tag.removeprefix("v"): tag for tag in git("tag", cwd=repo).split()}
    for version in headings(repo):
        search = ("log", "--reverse", "--format=%H", f"-S## {version} - ", "--", "CHANGELOG.md")
        found.setdefault(version, git(*search, cwd=repo).split()[0])
    return found


def with_history(template, version, folder):
    """A template as it stands, as version 9999 of a history in which that version has the tag 0."""
    git("clone", "--quiet", TEMPLATE, folder, cwd=folder.parent)
    git("tag", "0", released_versions(TEMPLATE)[version], cwd=folder)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(template / name, folder / name)
    shutil.copy(template / "copier.yml", folder)
    release(folder, "9999")
    return folder
