"""Config fields that hold one expression, evaluated by the node itself: `item.total > 3`, with or without braces."""

from typing import Annotated, Any

from pydantic import AfterValidator

from nbflow.core.config import Expression
from nbflow.core.errors import InputError


def one_expression(text: str) -> str:
    """The text in `{{ }}`. Raises ValueError for text around or between braces: it would be a string, and every string is true."""
    inner = text.strip()
    if not inner:
        return ""
    if inner.startswith("{{") and inner.endswith("}}"):
        inner = inner[2:-2].strip()
    if "{{" in inner or not inner:
        msg = f"write one expression such as `item.total > 3`, not text with several: {text!r}"
        raise ValueError(msg)
    return "{{ " + inner + " }}"


OneExpression = Annotated[Expression, AfterValidator(one_expression)]
"""A lazy field. Optional ones default to "": inside `... | None` the Lazy mark would not be seen."""


def truth(value: Any, what: str) -> bool:
    """Python's truth of an expression's value. Raises InputError for values without one: a Series, an array."""
    try:
        return bool(value)
    except (TypeError, ValueError):
        msg = (
            f"{what} gives a {type(value).__name__} of many values, which is neither true nor false; "
            "ask for one answer, such as `input.empty` or `input['total'] | max > 3`"
        )
        raise InputError(msg) from None
