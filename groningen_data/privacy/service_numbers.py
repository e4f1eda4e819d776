"""Citizen service numbers (BSN): which texts are one, where one hides, and which may be used in tests.

A number passes the 11-test: its nine digits weighted 9, 8, … 2 and -1 add up to a multiple of eleven (Logisch Ontwerp BSN).
Nothing here keeps, returns in a message, or logs a number.
"""

import re

import polars as pl

_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_DIGITS = len(_WEIGHTS)
_TEST_RANGE = (999_900_000, 999_999_999)

_FIELD = r"(?:bsn|burger_?service_?nummer|sofi_?nummer)"
_JSON_FIELD = re.compile(rf'"{_FIELD}"\s*:', re.IGNORECASE)
_XML_FIELD = re.compile(rf"<(?:\w+:)?{_FIELD}[\s>]", re.IGNORECASE)
_CSV_FIELD = re.compile(rf'(?:^|[;,\t|])\s*"?{_FIELD}"?\s*(?:[;,\t|]|$)', re.IGNORECASE)


def service_number(text: pl.Expr) -> pl.Expr:
    """Texts as nine digits; null where it is no citizen service number.

    Blanks around it and spaces or dots within do not count; eight digits have lost their leading zero.
    """
    bare = text.str.replace_all(r"[ .\t]", "")
    padded = pl.when(bare.str.contains(r"^[0-9]{8,9}$")).then(bare.str.zfill(_DIGITS))
    return pl.when(_passes(padded)).then(padded)


def holds_service_number(text: pl.Expr) -> pl.Expr:
    """Whether nine digits in a text, together or parted by spaces, dots or hyphens, pass the 11-test. One in eleven does by chance."""
    together = text.str.replace_all(r"([0-9])[ .\-]+", "${1}")
    runs = [form.str.extract_all(r"[0-9]+") for form in (text, together)]
    return pl.any_horizontal(run.list.eval(_passes(pl.element())).list.any().fill_null(False) for run in runs)


def _passes(digits: pl.Expr) -> pl.Expr:
    """Whether texts of digits only are nine long and pass the 11-test; false for null."""
    weighted = [digits.str.slice(n, 1).cast(pl.Int64, strict=False) * weight for n, weight in enumerate(_WEIGHTS)]
    adds_up = pl.sum_horizontal(weighted, ignore_nulls=False) % 11 == 0
    return ((digits.str.len_bytes() == _DIGITS) & (digits != "0" * _DIGITS) & adds_up).fill_null(False)


def is_service_number(text: str) -> bool:
    """Whether one text of nine digits passes the 11-test."""
    if not re.fullmatch(r"[0-9]{9}", text) or not int(text):
        return False
    return sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=True)) % 11 == 0


def is_test_number(text: str) -> bool:
    """Whether a text is a number of the range 9999xxxxx, which is issued to nobody: the only ones samples and tests may hold."""
    return is_service_number(text) and _TEST_RANGE[0] <= int(text) <= _TEST_RANGE[1]


def test_numbers() -> list[str]:
    """All 9,091 numbers of the test range, in order."""
    digits = pl.int_range(_TEST_RANGE[0], _TEST_RANGE[1] + 1, eager=True).cast(pl.String).alias("digits")
    return digits.to_frame().filter(_passes(pl.col("digits")))["digits"].to_list()


def masked(text: str) -> str:
    """A text with every run of nine digits that passes the 11-test made unreadable; for names of files."""
    return re.sub(
        r"(?<![0-9])[0-9]{9}(?![0-9])", lambda run: "*" * _DIGITS if is_service_number(run.group()) else run.group(), text
    )


def names_service_numbers(head: bytes) -> bool:
    """Whether a text file has a field of citizen service numbers, told by its name: CSV, JSON or XML.

    Args:
        head: The beginning of the file, unpacked.
    """
    # Without the zero bytes, names in UTF-16 read the same.
    text = head.replace(b"\0", b"").decode("utf-8", errors="replace").lstrip("\ufeff\ufffd")
    return bool(_CSV_FIELD.search(text.split("\n", 1)[0].strip()) or _JSON_FIELD.search(text) or _XML_FIELD.search(text))
