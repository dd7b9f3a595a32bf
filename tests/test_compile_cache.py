"""Copier renders one version in several environments; Jinja compiles, and Python executes, nothing twice for it.

That Copier's `yield` tag still works, each rendered tree shows.
"""

import ast
import runpy
import sys
from collections import Counter

import pytest
from commands import TEMPLATE, append, made_of, release, template_as_it_stands, update
from jinja2 import Environment


@pytest.fixture(autouse=True)
def _nothing_was_loaded(monkeypatch):
    """Forgets what the copies of other tests left in this process."""
    for name in [name for name in sys.modules if name.startswith("klaviyo_")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def compiled(monkeypatch):
    """How often each text is compiled: a file of the template by its name, another text without one."""
    counted, compile_text = Counter(), Environment.compile

    def counting(self, source, name=None, *of_file, **how):
        if isinstance(source, str):  # Copier also tries what is no text: an answer that is a number
            counted[source, name] += 1
        return compile_text(self, source, name, *of_file, **how)

    monkeypatch.setattr(Environment, "compile", counting)
    return counted


def packages():
    """How many versions of the extension were executed."""
    return len([name for name in sys.modules if name.startswith("klaviyo_") and "." not in name])


def test_a_copy_compiles_no_text_twice(copie, example_answers, compiled):
    result = copie.copy(extra_answers=example_answers)
    assert result.exit_code == 0, result.exception
    assert len(compiled) > 100
    assert compiled.most_common(1)[0][1] == 1


def test_the_names_of_files_are_compiled_as_copier_takes_them(copie, example_answers, compiled):
    assert copie.copy(extra_answers=example_answers).exit_code == 0
    names = [text for text, name in compiled if name is None and "{{ source }}_" in text]
    assert len(names) > 10
    assert not [name for name in names if name.startswith("ingestion/sql/")]


def test_an_update_between_versions_with_one_extension_executes_it_once(released, acme, compiled):
    append(made_of(released, "ingestion/sql/klaviyo_windows.sql"), "-- fixed\n")
    release(released, "1.1.0")
    update(acme)
    assert packages() == 1
    assert len(compiled) > 100
    assert compiled.most_common(1)[0][1] == 1


@pytest.mark.parametrize(
    "edited",
    [
        "copier.yml",
        "extensions/klaviyo/rules.py",
        "template/scripts/ingestion_check/repo.py",
        "template/ingestion/query_samples/{{ source }}_uk.sql",  # not there yet: no account may be called uk
    ],
)
def test_an_update_executes_a_version_that_differs_by_itself(released, acme, compiled, edited):
    with (released / edited).open("a") as file:
        file.write("# fixed\n")
    release(released, "1.1.0")
    update(acme)
    assert packages() == 2
    assert compiled.most_common(1)[0][1] == 2


def test_what_the_extension_needs_is_imported_with_it():
    """A module that is imported later is looked for in a clone that may be gone."""
    for file in [*TEMPLATE.glob("extensions/klaviyo/*.py"), *TEMPLATE.glob("template/scripts/*/*.py")]:
        functions = [
            each for each in ast.walk(ast.parse(file.read_bytes())) if isinstance(each, ast.FunctionDef)
        ]
        imports = [part for each in functions for part in ast.walk(each) if isinstance(part, ast.ImportFrom)]
        assert not [part.module for part in imports if part.level], file


def test_the_extension_leaves_no_bytecode_where_it_was_loaded_from(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    runpy.run_path(str(template_as_it_stands(tmp_path / "template") / "extensions/load.py"))
    assert packages() == 1
    assert list(tmp_path.rglob("__pycache__")) == []
    assert not sys.dont_write_bytecode
