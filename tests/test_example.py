"""example/ is what the example answers render, so that it can be read without running anything.

But for scripts/: what is rendered of them, the tests of the check run.
"""

from commands import TEMPLATE, contents

# One says when and from where the repo was made, one holds the key, and each script is in template/ as it is here.
LEFT_OUT = (".copier-answers.yml", "ingestion/credentials_ingestion.json", "scripts/")


def test_the_committed_example_is_what_the_template_renders(example_repo):
    rendered = {path: text for path, text in contents(example_repo).items() if not path.startswith(LEFT_OUT)}
    committed = contents(TEMPLATE / "example")
    stale = [path for path in rendered.keys() | committed if rendered.get(path) != committed.get(path)]
    assert not stale, f"run `make example` and commit what it changes in example/: {sorted(stale)}"
