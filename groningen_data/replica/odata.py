"""What both versions of OData ask in `$filter`: comparisons and a few functions of texts, joined by and, or, not and brackets.

OASIS, OData Version 4.01 Part 2: URL Conventions, 5.1.1; OData Version 3.0 Core, 10.2.3.1. Values compare as they are stored: a key that
is not padded as the table pads it equals nothing.
"""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
_Value = Callable[[Row], Any]

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>\w+)|(?P<mark>[(),]))")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_A_CALL = "()"
RANGES = ("gt", "ge", "lt", "le")
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "startswith": lambda text, start: str(text or "").startswith(start),
    "endswith": lambda text, end: str(text or "").endswith(end),
    "contains": lambda text, part: part in str(text or ""),
    "substringof": lambda part, text: part in str(text or ""),
    "substring": lambda text, start, length=None: str(text or "")[start:][:length],
    "trim": lambda text: str(text or "").strip(),
    "tolower": lambda text: str(text or "").lower(),
}
FUNCTIONS_3 = frozenset(_FUNCTIONS) - {"contains"}
FUNCTIONS_4 = frozenset(_FUNCTIONS) - {"substringof"}


class FilterError(Exception):
    """A filter that cannot be understood."""


@dataclass
class Filter:
    """One filter, read.

    Args:
        text: As it was asked.
        columns: That there are.
        functions: That this version knows.
        ignored_ranges: Columns of which a range is not kept to.
    """

    text: str
    columns: Collection[str]
    functions: Collection[str]
    ignored_ranges: Collection[str] = ()
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._tokens = self._cut()
        self._at = 0
        self.keeps: Callable[[Row], bool] = self._either()
        if self._at != len(self._tokens):
            raise FilterError(f"there is an unexpected '{self._tokens[self._at]}' in '{self.text}'")

    def _cut(self) -> list[str]:
        tokens, at = [], 0
        while self.text[at:].strip():
            found = _TOKEN.match(self.text, at)
            if found is None:
                raise FilterError(f"there is an unreadable character in '{self.text}' at {at}")
            tokens.append(found.group().strip())
            at = found.end()
        return tokens

    def _either(self) -> Callable[[Row], bool]:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _both(self) -> Callable[[Row], bool]:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _one(self) -> Callable[[Row], bool]:
        if self._takes("not"):
            denied = self._one()
            return lambda row: not denied(row)
        if self._takes("("):
            inner = self._either()
            self._must("(", ")")
            return inner
        left, column = self._value()
        for name, compares in _COMPARISONS.items():
            if self._takes(name):
                right, _ = self._value()
                if name in RANGES and column in self.ignored_ranges:
                    return lambda row: True
                return lambda row, c=compares: _safely(c, left(row), right(row))  # type: ignore[misc]
        if column != _A_CALL:
            raise FilterError(f"'{self._tokens[self._at - 1]}' is no condition")
        return lambda row: bool(left(row))

    def _value(self) -> tuple[_Value, str | None]:
        """A value, and the column that it is or `_A_CALL`, if it is one of those."""
        token = self._take()
        if token.startswith("'"):
            text = token[1:-1].replace("''", "'")
            return (lambda row: text), None
        if re.fullmatch(r"-?\d+(\.\d+)?", token):
            number = float(token) if "." in token else int(token)
            return (lambda row: number), None
        if token in ("null", "true", "false"):
            constant = {"null": None, "true": True, "false": False}[token]
            return (lambda row: constant), None
        if self._takes("("):
            return self._call(token), _A_CALL
        if token not in self.columns:
            raise FilterError(f"there is no property '{token}'")
        self.used.add(token)
        return (lambda row: row.get(token)), token

    def _call(self, name: str) -> _Value:
        if name not in self.functions:
            raise FilterError(f"there is no function '{name}'")
        arguments = [self._value()[0]]
        while self._takes(","):
            arguments.append(self._value()[0])
        self._must(name, ")")
        return lambda row: _FUNCTIONS[name](*(argument(row) for argument in arguments))

    def _take(self) -> str:
        if self._at == len(self._tokens):
            raise FilterError(f"'{self.text}' ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, token: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == token:
            self._at += 1
            return True
        return False

    def _must(self, opened: str, token: str) -> None:
        if not self._takes(token):
            raise FilterError(f"'{opened}' is not closed in '{self.text}'")


def _safely(compares: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """A comparison with nothing, or of a text with a number, holds for no row."""
    try:
        return bool(compares(left, right))
    except TypeError:
        return False
