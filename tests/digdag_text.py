"""Fill the `${...}` of a rendered file as Digdag does, for tests without Digdag."""

import re

import dukpy

EXPRESSION = re.compile(r"\$\{(.*?)\}", re.DOTALL)


def fill(text, parameters):
    """Text with each `${...}` replaced by its value.

    An expression is ES5 and ends at the first closing brace, as in Digdag 0.10; null becomes nothing, and so does a missing property.

    Args:
        text: the text of a file.
        parameters: the variables that Digdag would have, nested as there.

    Raises:
        dukpy.JSRuntimeError: an expression that is not ES5, or a variable that is not there.
    """

    def value(found):
        script = f"with (dukpy) {{ var value = ({found[1]}); String(value == null ? '' : value) }}"
        return dukpy.evaljs(script, **parameters)

    return EXPRESSION.sub(value, text)
