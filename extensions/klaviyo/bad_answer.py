"""How a rule refuses an answer."""


class BadAnswer(ValueError):
    """An answer that will not do.

    Attributes:
        form: what is wanted, useful words first: a prompt shows about the first thirty characters.
        example: the answer that was probably meant, if one can be guessed.
    """

    def __init__(self, form: str, example: str = "") -> None:
        super().__init__(f"{example}: {form}" if example else form)
        self.form = form
        self.example = example
