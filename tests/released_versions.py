"""Find which versions of the template were released, and make a template that has them all and the newest."""

import re
import shutil

from commands import FOLDERS, TEMPLATE, git, release

NEWEST = "9999"


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


def history_with(versions, template, folder):
    """Make a folder of the template's whole history, in which some versions have their tags.

    Args:
        versions: of each version the tag or commit that it has in this repo, as `released_versions` gives them.
        template: the template as it stands, which becomes the version `NEWEST`.
        folder: the folder to make.
    """
    git("clone", "--quiet", TEMPLATE, folder, cwd=folder.parent)
    for version, commit in versions.items():
        git("tag", "--force", version, commit, cwd=folder)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(template / name, folder / name)
    shutil.copy(template / "copier.yml", folder)
    release(folder, NEWEST)
    return folder
