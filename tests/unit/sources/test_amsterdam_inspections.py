"""Inspection totals per location, as Amsterdam publishes them."""

import re
from datetime import date

import polars as pl
import pytest

from groningen_data.contracts.waste.inspection_totals import WasteInspectionTotals
from groningen_data.gate.judge import judge
from groningen_data.sources.amsterdam_inspections import SOURCE, parse_totals

HEADER = (
    ",straatnaam,totaal_schouwen,aantal_niet_aplus,aantal_grofvuil,stadsdeel,postcode,adres,geometrie_origineel,dumpplek,"
    "eerste_melding,laatste_melding,lon,lat\n"
)
LINE = "3715,Singel 4711,409,281,148,Centrum,Nederland,Singel 4711,POINT (233052.0 581712.0),False,2025-01-06,2025-10-29,6.555,53.215\n"


def rows(payload, context, text: str) -> pl.DataFrame:
    delivered = payload(SOURCE, "a.csv", text.encode())
    assert delivered.problem is None
    return pl.concat(list(parse_totals([delivered], delivered.batches[0], context)))


def test_a_location_gets_its_totals_dates_and_neighbourhood(payload, context):
    row = rows(payload, context(), HEADER + LINE).row(0, named=True)
    assert (row["year"], row["location_code"], row["location_name"]) == (2025, "6.555,53.215", "Singel")
    assert (row["inspections"], row["waste_beside"], row["bulky"], row["is_dump_spot"]) == (409, 281, 148, False)
    assert (row["first_on"], row["last_on"]) == (date(2025, 1, 6), date(2025, 10, 29))
    assert (row["district_name"], row["neighbourhood_code"], row["_problems"]) == ("Centrum", "BU00140000", [])


@pytest.mark.parametrize(
    ("address", "street"),
    [
        ("Singel 450", "Singel"),
        ("Nieuwezijds Voorburgwal 262F", "Nieuwezijds Voorburgwal"),
        ("1e Kekerstraat 42", "1e Kekerstraat"),
        ("Dr. H. Colijnstraat 863", "Dr. H. Colijnstraat"),
        ("1069KB-17", None),
        ("25 3e verdieping", None),
        ("64 Westerkerk", "Westerkerk"),
        ("Centraal Station", "Centraal Station"),
    ],
)
def test_house_numbers_and_postcodes_are_not_kept(payload, context, address, street):
    found = rows(payload, context(), HEADER + LINE.replace("Singel 4711", address).replace(",409,", ",veel,"))
    assert found["location_name"].item() == street
    assert address == street or address not in str(found.to_dicts())


def test_without_degrees_the_dutch_metres_are_read(payload, context):
    row = rows(payload, context(), HEADER + LINE.replace("6.555,53.215", ",")).row(0, named=True)
    assert (row["longitude"], row["latitude"]) == (pytest.approx(6.555, abs=0.003), pytest.approx(53.215, abs=0.003))


def test_addresses_on_one_point_stay_apart(payload, context):
    assert rows(payload, context(), HEADER + LINE + LINE)["location_code"].to_list() == ["6.555,53.215", "6.555,53.215#2"]


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        (",409,", ",veel,", ["inspections.type"]),
        ("False", "misschien", ["is_dump_spot.type"]),
        ("2025-01-06", "januari", ["first_on.type"]),
        ("6.555,53.215", "oost,53.215", ["longitude.type"]),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, old, new, problems):
    found = rows(payload, context(), HEADER + LINE + LINE.replace(old, new))
    assert found["_problems"].to_list() == [[], problems]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("", "is empty"),
        (HEADER, "no rows"),
        ((HEADER + LINE)[:-30], "cut off in its last line"),
        ((HEADER + LINE).replace("totaal_schouwen", "schouwen"), r"misses column\(s\) totaal_schouwen; new are schouwen"),
        (HEADER + LINE.replace("2025-10-29", "oktober"), "no readable laatste_melding"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(payload, text, phrase):
    delivered = payload(SOURCE, "amsterdam_schouwen_bijplaatsingen.csv", text.encode())
    assert delivered.batches == () and delivered.way_out
    assert re.search(phrase, delivered.problem or "")


def test_the_real_file_is_read_completely(real_payloads, context):
    (delivered,) = real_payloads(SOURCE)
    found = pl.concat(list(parse_totals([delivered], "2025", context())))
    judged = judge(WasteInspectionTotals, found)
    assert (delivered.batches, judged.accepted.height, judged.quarantined.height) == (("2025",), 10_297, 0)
    assert found["location_code"].n_unique() == 10_297
    sums = judged.accepted.select(pl.col("inspections", "waste_beside", "bulky", "is_dump_spot").sum()).row(0)
    assert sums == (172_573, 97_109, 61_562, 7_624)
    assert (found["first_on"].min(), found["last_on"].max()) == (date(2025, 1, 2), date(2025, 10, 29))
    assert found["location_name"].str.contains(r"\s\d").sum() == 0
    assert found["location_status"].unique().to_list() == ["outside_municipality"]
