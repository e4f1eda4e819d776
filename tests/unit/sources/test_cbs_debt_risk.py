"""CBS's map of the risk of problematic debts."""

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.cbs_debt_risk import SOURCE, parse_debt_risk

FILE = (
    '"jaar";"gemeentecode";"gemeentenaam";"Risicogroep_aantal";"Risicogroep_aandeel";"Instroomkans"\r\n'
    '2018;"GM0010";"Delfzijl";530;2,9;8,5\n'
    '"2018";"GM0014";"Groningen";5890;3,4;5,5\r\n'
    '2018;"GM1900";"Súdwest-Fryslân";900;2;\r\n'
    '2019;"GM0014";"Groningen";5800;3,3;5,4\n'
)


def rows(delivered, context, key: str = "2018") -> pl.DataFrame:
    return pl.concat(list(parse_debt_risk([delivered], key, context)))


@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8", "utf-8-sig"])
def test_a_year_is_read_whatever_its_encoding_and_line_ends(payload, context, encoding):
    delivered = payload(SOURCE, "x.csv", FILE.encode(encoding))
    assert delivered.batches == ("2018", "2019")
    found = rows(delivered, context())
    assert found.select("municipality_code", "persons_at_risk", "at_risk_pct", "inflow_pct").rows() == [
        ("GM0010", 530, 2.9, 8.5),
        ("GM0014", 5890, 3.4, 5.5),
        ("GM1900", 900, 2.0, None),
    ]
    assert found["municipality_name"].to_list() == ["Delfzijl", "Groningen", "Súdwest-Fryslân"]
    assert found["inflow_missing_reason"].to_list() == [None, None, "withheld"]


def test_a_municipality_that_no_longer_exists_is_kept_with_its_successor(payload, context):
    made = context()
    found = rows(payload(SOURCE, "x.csv", FILE.encode("iso-8859-1")), made)
    assert found.select("municipality_status", "successor_code").rows()[:2] == [("merged", "GM1979"), ("exists", None)]
    assert made.notes["municipalities_that_no_longer_exist"] == "GM0010"


def test_columns_may_stand_in_another_order_with_others_beside_them(payload, context):
    text = "gemeentecode,JAAR,Risicogroep_aandeel,nieuw,Risicogroep_aantal\nGM0014,2018*,3.4,x,5890\n"
    row = rows(payload(SOURCE, "x.csv", text.encode()), context()).row(0, named=True)
    assert (row["year"], row["persons_at_risk"], row["at_risk_pct"], row["municipality_name"]) == (2018, 5890, 3.4, None)
    assert row["inflow_missing_reason"] == "withheld"


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        (";5890;", ";veel;", ["persons_at_risk.type"]),
        (";5890;", ";58,9;", ["persons_at_risk.type"]),
        (";3,4;", ";drie;", ["at_risk_pct.type"]),
        (";5,5\r", ";?\r", ["inflow_pct.type"]),
        ('"2018";"GM0014"', '"vorig jaar";"GM0014"', ["year.type"]),
        (";5890;", ";.;", []),
        (";5890;", ";-99997;", []),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, old, new, problems):
    delivered = payload(SOURCE, "x.csv", FILE.replace(old, new, 1).encode("iso-8859-1"))
    row = rows(delivered, context()).row(1, named=True)
    assert row["_problems"] == problems
    assert new.strip(';"\r').split('"')[0] in row["_original"]
    if not problems:
        assert (row["persons_at_risk"], row["persons_missing_reason"]) == (None, "withheld")


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (FILE.split("\r\n")[0].encode(), "no rows"),
        (FILE.encode("iso-8859-1")[:-8], "cut off in its last line"),
        (FILE.encode("iso-8859-1").rstrip()[:-20], "cut off"),
        (
            FILE.replace("Risicogroep_aantal", "Aantal").encode("iso-8859-1"),
            "misses column(s) risicogroep_aantal; new are aantal",
        ),
        (FILE.replace("2018", "18").replace("2019", "19").encode("iso-8859-1"), "no readable year"),
        (FILE.encode("utf-16"), "is not text"),
        (b"<html><body/></html>", "misses column(s)"),
    ],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "cbs_schulden_Kaart_risico_GM.csv", data)
    assert delivered.batches == ()
    assert phrase in (delivered.problem or "")
    assert delivered.way_out


@pytest.mark.parametrize(
    "header",
    [
        '"jaar";"Groep";"Life_event_cat";"Aantal";"Percentage";"pers_hh";"Label";"Korte_naam"',
        '"jaar";"Risicogroep";"Omvang_aantal";"Omvang_aandeel";"Instroomkans";"Kenmerken_risicogroep";"Label"',
        '"jaar";"bronlabel";"Aantal";"Percentage";"groep"',
    ],
)
def test_the_other_files_of_that_publication_are_left_alone(header):
    assert not SOURCE.recognises(Head("cbs_schulden.csv", f"{header}\r\n".encode()))


def test_the_real_file_is_read_completely(real_payloads, context):
    delivered = real_payloads(SOURCE)
    assert [(p.name, p.batches) for p in delivered] == [("cbs_schulden_Kaart_risico_GM.csv", ("2018",))]
    made = context()
    found = rows(delivered[0], made)
    assert (found.height, found["persons_at_risk"].sum(), found["inflow_pct"].null_count()) == (355, 330_000, 51)
    assert found.filter(municipality_code="GM0014").select("persons_at_risk", "at_risk_pct").rows() == [(5890, 3.4)]
    assert (found["municipality_status"] == "merged").sum() == 17
    assert found.filter(municipality_status="split")["municipality_name"].to_list() == ["Haaren"]
    assert "Noardeast-Fryslân" in found["municipality_name"].to_list()
    assert found["_problems"].list.len().sum() == 0
