"""Policy measures on the roads."""

import re
from datetime import date

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.policy_measures import SOURCE, parse_policy_measures

HEADER = "nummer;titel;titel_en;maat;meetlocaties;controlelocaties;begin;eind;verwacht_effect_pct;besluit\n"
USUAL = "M1;Knip;Cut;verkeer;B|A | B;C;2026-02-16;2026-03-01;-15;B&W 1\n"


def rows(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_policy_measures(payloads, "snapshot", context())))


def one(payload, context, line: str, header: str = HEADER) -> dict:
    return rows([payload(SOURCE, "a.csv", (header + line).encode())], context).row(0, named=True)


def test_a_measure_gets_its_sites_its_days_and_what_was_expected(payload, context):
    row = one(payload, context, USUAL)
    assert (row["measure_id"], row["title_nl"], row["title_en"], row["outcome_code"]) == ("M1", "Knip", "Cut", "flow")
    assert (row["site_ids"], row["control_site_ids"]) == ("A,B", "C")
    assert (row["starts_on"], row["ends_on"]) == (date(2026, 2, 16), date(2026, 3, 1))
    assert (row["expected_effect_pct"], row["decision"], row["_problems"]) == (-15, "B&W 1", [])


def test_what_need_not_be_told_may_be_left_out(payload, context):
    header = HEADER.replace("titel_en;", "").replace(";", ",")
    row = one(payload, context, "M1,Knip,Snelheid,A,,2026-02-16,,,\n", header)
    assert (row["title_en"], row["outcome_code"], row["control_site_ids"], row["ends_on"]) == (None, "speed", None, None)
    assert (row["expected_effect_pct"], row["decision"], row["_problems"]) == (None, None, [])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("verkeer", "geluk", "outcome_code.unknown"),
        (";C;", ";C|A;", "site_ids.controls_itself"),
        ("2026-02-16", "februari", "starts_on.type"),
        ("2026-03-01", "later", "ends_on.type"),
        ("2026-03-01", "2026-02-15", "ends_on.before_start"),
        ("-15", "veel", "expected_effect_pct.type"),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, old, new, problem):
    row = one(payload, context, USUAL.replace(old, new))
    assert row["_problems"] == [problem]
    assert new.strip(";") in row["_original"]


def test_of_the_same_number_the_last_delivery_counts_and_the_others_stay(payload, context):
    old = payload(SOURCE, "a.csv", (HEADER + USUAL + USUAL.replace("M1", "M2")).encode())
    new = payload(SOURCE, "b.csv", (HEADER + USUAL.replace("-15", "-20")).encode())
    found = sorted(rows([old, new], context).select("measure_id", "expected_effect_pct").rows())
    assert found == [("M1", -20), ("M2", -15)]


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (HEADER.encode(), "no rows"),
        ((HEADER + USUAL).encode()[:-20], "cut off in its last line"),
        ((HEADER.replace("maat", "x") + USUAL).encode(), r"misses column\(s\) maat"),
        ((HEADER + USUAL).encode("utf-16"), "not UTF-8"),
    ],
    ids=["empty", "header only", "cut off", "missing column", "wrong encoding"],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "a.csv", data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")


def test_a_list_is_recognised_by_its_columns():
    assert SOURCE.recognises(Head("x", (HEADER + USUAL).encode()))
    assert not SOURCE.recognises(Head("x", HEADER.replace("besluit", "b").encode()))
