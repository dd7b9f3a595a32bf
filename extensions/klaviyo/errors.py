"""Define how a rule refuses an answer, and the template a run."""

from copier.errors import UserMessageError


class BadAnswer(ValueError):
    """An invalid answer.

    Attributes:
        form: what is wanted.
        example: the answer that was probably meant, if one can be guessed.
        brief: the form again, where that is too long for a prompt.
    """

    def __init__(self, form: str, example: str = "", brief: str = "") -> None:
        super().__init__(form)
        self.form = form
        self.example = example
        self.brief = brief or form


def refusal(lines: list[str]) -> UserMessageError:
    """What ends a run before anything is written; Copier prints it and exits with 1."""
    return UserMessageError("\n".join(lines) + " Nothing was changed.")
