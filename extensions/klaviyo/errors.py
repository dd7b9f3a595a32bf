"""Define how a rule refuses an answer, and the template a run."""

from copier.errors import UserMessageError


class BadAnswer(ValueError):
    """An invalid answer.

    Attributes:
        form: what is wanted, useful words first: a prompt shows about the first thirty characters.
        example: the answer that was probably meant, if one can be guessed.
    """

    def __init__(self, form: str, example: str = "") -> None:
        super().__init__(f"{example}: {form}" if example else form)
        self.form = form
        self.example = example


def refusal(lines: list[str]) -> UserMessageError:
    """What ends a run before anything is written; Copier prints it and exits with 1."""
    return UserMessageError("\n".join(lines) + " Nothing was changed.")
