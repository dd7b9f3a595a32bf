"""example/ is what the example answers render, so that it can be read without running anything."""

from commands import TEMPLATE, contents

# One says when and from where the repo was made, the other holds the key.
LEFT_OUT = (".copier-answers.yml", "ingestion/credentials_ingestion.json")


def test_the_committed_example_is_what_the_template_renders(example_repo):
    rendered = {path: text for path, text in contents(example_repo).items() if path not in LEFT_OUT}
    committed = contents(TEMPLATE / "example")
    stale = [path for path in rendered.keys() | committed if rendered.get(path) != committed.get(path)]
    assert not stale, f"run `make example` and commit what it changes in example/: {sorted(stale)}"
