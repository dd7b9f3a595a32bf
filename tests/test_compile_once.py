"""In a copy, Jinja compiles no text twice; that Copier's `yield` tag still works, each rendered tree shows."""

from collections import Counter

from jinja2 import Environment


def test_no_text_is_compiled_twice(copie, example_answers, monkeypatch):
    compiled, compile_text = Counter(), Environment.compile

    def counted(self, source, *of_file, **how):
        if isinstance(source, str):  # Copier also tries what is no text: an answer that is a number
            compiled[id(self), source, of_file] += 1
        return compile_text(self, source, *of_file, **how)

    monkeypatch.setattr(Environment, "compile", counted)
    result = copie.copy(extra_answers=example_answers)
    assert result.exit_code == 0, result.exception
    assert len(compiled) > 100
    assert compiled.most_common(1)[0][1] == 1
