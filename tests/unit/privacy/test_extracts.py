"""Extracts about persons: what passes, what is left out and why, and that nothing else gets through."""

import re
from io import BytesIO

import polars as pl
import pytest

from groningen_data.errors import PayloadError
from groningen_data.privacy import extracts
from groningen_data.privacy.extracts import Field, minimised
from groningen_data.privacy.pseudonyms import Pseudonymiser

FIELDS = (
    Field("nummer", "case", pseudonym_of="case"),
    Field("bsn", "person", pseudonym_of="person", is_service_number=True),
    Field("sinds", "since", extracts.day),
    Field("bedrag", "amount", extracts.amount),
    Field("buurt", "neighbourhood", extracts.neighbourhood),
    Field("actief", "is_active", extracts.yes_no),
    Field("soort", "kind_code", extracts.listed({"bijzondere_bijstand": "special", "4": "four"})),
)
HEADER = "nummer;bsn;sinds;bedrag;buurt;actief;soort\n"
ROW = {
    "nummer": "U1",
    "bsn": "999993653",
    "sinds": "2020-01-31",
    "bedrag": "10,50",
    "buurt": "BU00140003",
    "actief": "ja",
    "soort": "4",
}
WIDTH = len(FIELDS)


def made(data: str | bytes, key: bytes = b"k" * 32) -> bytes:
    stream = BytesIO(data if isinstance(data, bytes) else data.encode())
    return b"".join(minimised(stream, "x.csv", FIELDS, Pseudonymiser(key)))


def frame(data: str | bytes) -> pl.DataFrame:
    return pl.read_csv(BytesIO(made(data)), separator=";", infer_schema=False)


def line(**values: str) -> str:
    return ";".join((ROW | values).values()) + "\n"


def one(**values: str) -> dict[str, str | None]:
    return frame(HEADER + line(**values)).row(0, named=True)


def test_identifiers_become_pseudonyms_and_the_rest_keeps_its_form():
    row = one()
    one_key = Pseudonymiser(b"k" * 32)
    assert row == {
        "case": one_key.pseudonym("case", "U1"),
        "person": one_key.pseudonym("person", "999993653"),
        "since": "2020-01-31",
        "amount": "10,50",
        "neighbourhood": "BU00140003",
        "is_active": "true",
        "kind_code": "four",
        "_row": None,
        "_reason": None,
    }


def test_the_same_extract_gives_the_same_bytes_and_another_key_gives_others():
    assert made(HEADER + line()) == made(HEADER + line()) != made(HEADER + line(), b"l" * 32)


@pytest.mark.parametrize(
    ("column", "landed", "text", "passes"),
    [
        ("sinds", "since", "31-01-2020", "31-01-2020"),
        ("sinds", "since", "2020-01-31T00:00:00", "2020-01-31"),
        ("sinds", "since", "20200131", "20200131"),
        ("sinds", "since", "bij mevrouw Jansen", "unreadable"),
        ("bedrag", "amount", "€ 1.250,50", "1.250,50"),
        ("bedrag", "amount", "zie brief", "unreadable"),
        ("buurt", "neighbourhood", "bu00140003", "BU00140003"),
        ("buurt", "neighbourhood", "00140003", "BU00140003"),
        ("buurt", "neighbourhood", "12345678", "unreadable"),
        ("buurt", "neighbourhood", "Hoofdstraat 1", "unreadable"),
        ("actief", "is_active", "Nee", "false"),
        ("actief", "is_active", "misschien", "unreadable"),
        ("soort", "kind_code", "Bijzondere bijstand", "special"),
        ("soort", "kind_code", "04", "four"),
        ("soort", "kind_code", "Jansen", "unlisted"),
        ("soort", "kind_code", "", None),
        ("sinds", "since", "  ", None),
    ],
)
def test_a_value_passes_in_the_form_of_its_field_only(column, landed, text, passes):
    assert one(**{column: text})[landed] == passes


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"bsn": "999993654"}, "service_number"),
        ({"bsn": ""}, "service_number"),
        ({"bsn": "onbekend"}, "service_number"),
        ({"sinds": "999990342"}, "stray_number"),
        ({"bedrag": "999990342"}, "stray_number"),
        ({"bedrag": "9999.90.342"}, "stray_number"),
        ({"soort": "4;meer"}, "fields"),
    ],
)
def test_a_row_that_may_not_pass_leaves_its_number_and_the_reason_only(values, reason):
    found = frame(HEADER + line() + line(**values) + line(nummer="U3"))
    assert found.row(1) == (*(None,) * WIDTH, "2", reason)
    assert found["_reason"].null_count() == 2


def test_columns_beyond_the_agreed_ones_do_not_pass_and_are_counted():
    found = frame("naam;" + HEADER[:-1] + ";toelichting\n" + f"Jansen;{line()[:-1]};belt 999990342\n")
    assert found.row(0) == (*(None,) * WIDTH, "2", "columns")
    assert found.height == 2
    assert b"Jansen" not in made("naam;" + HEADER + "Jansen;" + line())


@pytest.mark.parametrize(
    "data",
    [
        HEADER.replace(";", ",") + line(bedrag='"10,50"').replace(";", ","),
        (HEADER + line()).replace(";", "\t"),
        "\ufeff" + HEADER + line(),
        (HEADER + line()).replace("\n", "\r\n"),
        HEADER.upper() + line(),
        '"nummer";"bsn";"sinds";"bedrag";"buurt";"actief";"soort"\n' + line(),
        HEADER + line()[:-1],
        HEADER + "\n" + line() + ";;;;;;\n\n",
        HEADER + line(nummer=" U1 ", bsn=" 9999.93.653"),
        "soort;actief;buurt;bedrag;sinds;bsn;nummer\n" + ";".join(reversed(ROW.values())) + "\n",
    ],
)
def test_other_ways_to_write_the_same_extract_give_the_same(data):
    assert made(data) == made(HEADER + line())


def test_a_long_extract_is_rewritten_in_slices():
    rows = "".join(line(nummer=f"U{n}") for n in range(45_000)) + line(bsn="1")
    pieces = list(minimised(BytesIO((HEADER + rows).encode()), "x.csv", FIELDS, Pseudonymiser(b"k" * 32)))
    assert len(pieces) == 4
    assert pieces[-1].endswith(b";45001;service_number\n")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER, "has a header but no rows"),
        (HEADER + line() + line()[:20], "was cut off in its last line"),
        (HEADER + line(soort='"onaf'), "is not readable as CSV"),
        (HEADER.encode() + line().encode("utf-16"), "is not UTF-8 text"),
        ((HEADER + line(nummer="é")).encode("latin-1"), "is not UTF-8 text"),
        ((HEADER + line()).encode("utf-16"), "is not UTF-8 text"),
        (HEADER.replace("sinds", "vanaf") + line(), r"misses column\(s\) sinds$"),
        (line() * 2, r"misses column\(s\) nummer, bsn, sinds, bedrag, buurt, actief, soort$"),
        (HEADER.replace("sinds", "bsn") + line(), r"misses column\(s\) sinds$"),
        (HEADER[:-1] + ";bsn\n" + line()[:-1] + ";999990342\n", r"has column\(s\) bsn twice"),
        (HEADER + "x" * 3_000_000, "has a line of more than 1 MB"),
        (b"PK\x03\x04\x14\x00\x06\x00", "misses column|not UTF-8"),
    ],
)
def test_what_is_no_such_extract_is_refused_without_quoting_it(data, told):
    with pytest.raises(PayloadError, match=r"x\.csv") as refusal:
        made(data)
    assert re.search(told, refusal.value.problem)
    assert "999993653" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_optional_column_may_be_absent():
    fields = (Field("nummer", "case", pseudonym_of="case"), Field("bsn", is_service_number=True, is_optional=True))
    pseudonymiser = Pseudonymiser(b"k" * 32)
    with_it = b"".join(minimised(BytesIO(b"nummer;bsn\nU1;999993653\n"), "x", fields, pseudonymiser))
    without = b"".join(minimised(BytesIO(b"nummer\nU1\n"), "x", fields, pseudonymiser))
    assert with_it == without == f"case;_row;_reason\n{pseudonymiser.pseudonym('case', 'U1')};;\n".encode()
