"""Conditions of `logic.if` and `logic.switch`: a left side, an operator, a right side. The operators are those of n8n's filter."""

import operator as op
import re
from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import Field

from nbflow.core.config import NodeConfig
from nbflow.core.errors import InputError

Operator = Literal[
    "exists", "not_exists", "empty", "not_empty",
    "equals", "not_equals", "contains", "not_contains",
    "starts_with", "not_starts_with", "ends_with", "not_ends_with", "regex", "not_regex",
    "gt", "gte", "lt", "lte",
    "after", "before", "after_or_equals", "before_or_equals",
    "true", "false",
    "length_equals", "length_not_equals", "length_gt", "length_gte", "length_lt", "length_lte",
]  # fmt: skip


class Condition(NodeConfig):
    """One comparison."""

    left: Any = Field(description="What is looked at, usually an expression: `{{ input.status }}`.")
    operator: Operator = Field(description="How left and right are compared; `exists`, `empty`, `true` and `false` look at left alone.")
    right: Any = Field(default=None, description="What left is compared with.")


def all_hold(conditions: Sequence[Condition], combinator: Literal["and", "or"], *, ignore_case: bool, loose: bool) -> bool:
    """Whether all (`and`) or some (`or`) conditions hold. Raises InputError, naming the condition, for sides of the wrong type."""
    answers = (holds(each, f"condition {number}", ignore_case=ignore_case, loose=loose) for number, each in enumerate(conditions, 1))
    return all(answers) if combinator == "and" else any(answers)


def holds(condition: Condition, name: str, *, ignore_case: bool, loose: bool) -> bool:
    """Whether one condition holds. `name` is what messages call it; `loose` converts sides of different types."""
    left, operator, right = condition.left, condition.operator, condition.right
    if operator in _UNARY:
        return _UNARY[operator](left)
    if operator in {"true", "false"}:
        return _boolean(left, name, loose=loose) is (operator == "true")
    positive = operator.removeprefix("not_")
    if positive != operator:
        return not holds(Condition(left=left, operator=positive, right=right), name, ignore_case=ignore_case, loose=loose)  # type: ignore[arg-type]
    if operator.startswith("length_"):
        return _length(left, operator.removeprefix("length_"), _number(right, name, "right", loose=loose), name)
    if operator in _NUMBER:
        return bool(_NUMBER[operator](_number(left, name, "left", loose=loose), _number(right, name, "right", loose=loose)))
    if operator in _DATE:
        return _DATE[operator](_date(left, name, "left"), _date(right, name, "right"))
    if operator == "equals":
        return _equals(left, right, name, ignore_case=ignore_case, loose=loose)
    if operator == "contains" and not isinstance(left, str):
        return _contains(left, right, name, ignore_case=ignore_case)
    return _TEXT[operator](
        _text(left, name, "left", ignore_case=ignore_case and operator != "regex", loose=loose),
        _text(right, name, "right", ignore_case=ignore_case and operator != "regex", loose=loose),
        ignore_case,
    )


def _is_empty(value: Any) -> bool:
    if value is None:
        return True
    if getattr(value, "empty", None) is True:  # DataFrame and Series
        return True
    return isinstance(value, Sized) and len(value) == 0


_UNARY: Mapping[str, Callable[[Any], bool]] = {
    "exists": lambda value: value is not None,
    "not_exists": lambda value: value is None,
    "empty": _is_empty,
    "not_empty": lambda value: not _is_empty(value),
}
_NUMBER: Mapping[str, Callable[[Any, Any], bool]] = {"gt": op.gt, "gte": op.ge, "lt": op.lt, "lte": op.le}
_DATE: Mapping[str, Callable[[Any, Any], bool]] = {"after": op.gt, "after_or_equals": op.ge, "before": op.lt, "before_or_equals": op.le}
_TEXT: Mapping[str, Callable[[str, str, bool], bool]] = {
    "contains": lambda left, right, _: right in left,
    "starts_with": lambda left, right, _: left.startswith(right),
    "ends_with": lambda left, right, _: left.endswith(right),
    "regex": lambda left, right, ignore_case: re.search(right, left, re.IGNORECASE if ignore_case else 0) is not None,
}


def _wrong(name: str, side: str, value: Any, wanted: str) -> InputError:
    shown = f"{value!r:.80}"
    return InputError(
        f"{name}: wrong type: {side} is {shown} ({type(value).__name__}), a {wanted} was expected; `loose` converts values that allow it"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (hasattr(value, "__float__") and not isinstance(value, str) and not hasattr(value, "__len__"))


def _number(value: Any, name: str, side: str, *, loose: bool) -> Any:
    if _is_number(value) and not isinstance(value, bool):
        return value
    if loose and isinstance(value, str | bool):
        try:
            return float(value)
        except ValueError:
            pass
    raise _wrong(name, side, value, "number")


def _text(value: Any, name: str, side: str, *, ignore_case: bool, loose: bool) -> str:
    if not (loose or isinstance(value, str)):
        raise _wrong(name, side, value, "string")
    text = "" if value is None else str(value)
    return text.casefold() if ignore_case else text


def _boolean(value: Any, name: str, *, loose: bool) -> bool:
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:  # numpy's bool is none of Python's
        return bool(value)
    if loose:
        if isinstance(value, str) and value.strip().casefold() in {"true", "false", "1", "0", "yes", "no", ""}:
            return value.strip().casefold() in {"true", "1", "yes"}
        if value is None or _is_number(value):
            return bool(value)
    raise _wrong(name, "left", value, "boolean")


def _date(value: Any, name: str, side: str) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _wrong(name, side, value, "date or ISO 8601 text") from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise _wrong(name, side, value, "date or ISO 8601 text")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if _is_number(value):
        return "number"
    return "date" if isinstance(value, date) else type(value).__name__


def _equals(left: Any, right: Any, name: str, *, ignore_case: bool, loose: bool) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold() if ignore_case else left == right
    if _kind(left) != _kind(right):
        if isinstance(left, date) or isinstance(right, date):
            return _date(left, name, "left") == _date(right, name, "right")
        if not loose:
            raise _wrong(name, "right", right, _kind(left))
        return _loosely_equal(left, right, name, ignore_case=ignore_case)
    try:
        return bool(left == right)
    except ValueError:
        raise _wrong(name, "left", left, "single value") from None


def _loosely_equal(left: Any, right: Any, name: str, *, ignore_case: bool) -> bool:
    for convert in (lambda value: _number(value, name, "left", loose=True), lambda value: _boolean(value, name, loose=True)):
        try:
            return bool(convert(left) == convert(right))
        except InputError:
            continue
    return _text(left, name, "left", ignore_case=ignore_case, loose=True) == _text(right, name, "right", ignore_case=ignore_case, loose=True)


def _contains(left: Any, right: Any, name: str, *, ignore_case: bool) -> bool:
    if not isinstance(left, Sequence | set | frozenset | Mapping):
        raise _wrong(name, "left", left, "string or list")
    if ignore_case and isinstance(right, str):
        return any(item.casefold() == right.casefold() for item in left if isinstance(item, str))
    return right in left


def _length(left: Any, comparison: str, right: Any, name: str) -> bool:
    if not isinstance(left, Sized):
        raise _wrong(name, "left", left, "list")
    compare = {"equals": op.eq, "not_equals": op.ne, **_NUMBER}[comparison]
    return bool(compare(len(left), right))
