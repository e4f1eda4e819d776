"""Huishoudelijk afval per gemeente per inwoner, in the bulk download and in answers of both versions."""

import io
import json
import zipfile
from datetime import UTC, datetime

import polars as pl
import pytest

from groningen_data.errors import PayloadError
from groningen_data.sources import cbs_statline
from groningen_data.sources.base import Head
from groningen_data.sources.cbs_household_waste import SOURCE, parse_household_waste

TABLE = "83452NED"
KINDS = [("T001616", "Totaal huishoudelijk afval"), ("A025450", "Huishoudelijk restafval"), ("A025461", "PMD-fractie")]
REGIONS = [("NL01", "Nederland"), ("GM0014", "Groningen"), ("GM0106", "Assen")]
YEARS = [("2022JJ00", "2022", "Definitief"), ("2023JJ00", "2023*", "Voorlopig")]
FIGURES = {
    ("T001616", "NL01", "2022JJ00"): 480.5,
    ("A025450", "NL01", "2022JJ00"): 150.1,
    ("T001616", "GM0014", "2022JJ00"): 400.0,
    ("A025450", "GM0014", "2022JJ00"): 140.0,
    ("A025461", "GM0014", "2022JJ00"): 20.0,
    ("A025450", "GM0014", "2023JJ00"): 131.4,
    ("A025450", "GM0106", "2023JJ00"): 90.0,
}
INFO = {
    "Identifier": TABLE,
    "Title": "Huishoudelijk afval per gemeente per inwoner",
    "Modified": "2025-12-11T02:00:00+01:00",
    "ObservationCount": len(FIGURES),
}
UNIT = "Kilo's per inwoner"


def observations(figures=FIGURES) -> list[dict]:
    return [
        {"Id": n, "Measure": "M1", "ValueAttribute": "None", "Value": value, "StringValue": None}
        | {"Afvalsoort": kind, "RegioS": region.ljust(6), "Perioden": year}
        for n, ((kind, region, year), value) in enumerate(figures.items())
    ]


def parts_4(figures=FIGURES) -> dict[str, list[dict]]:
    return {
        "Observations": observations(figures),
        "Properties": [INFO],
        "MeasureCodes": [{"Identifier": "M1", "Title": "Huishoudelijk afval", "Unit": UNIT}],
        "AfvalsoortCodes": [{"Identifier": code, "Title": title} for code, title in KINDS],
        "RegioSCodes": [{"Identifier": code.ljust(6), "Title": title} for code, title in REGIONS],
        "PeriodenCodes": [{"Identifier": code, "Title": title, "Status": status} for code, title, status in YEARS],
    }


def parts_3() -> dict[str, list[dict]]:
    cells = [(kind, region, year) for kind, _ in KINDS for region, _ in REGIONS for year, *_ in YEARS]
    return {
        "TableInfos": [INFO | {"Modified": "2025-12-11T02:00:00"}],
        "DataProperties": [
            {"ID": 0, "Type": "Dimension", "Key": "Afvalsoort", "Title": "Afvalsoort", "Unit": None},
            {"ID": 4, "Type": "Topic", "Key": "Afval_1", "Title": "Huishoudelijk afval", "Unit": UNIT},
        ],
        "Afvalsoort": [{"Key": code, "Title": title} for code, title in KINDS],
        "RegioS": [{"Key": code.ljust(6), "Title": title} for code, title in REGIONS],
        "Perioden": [{"Key": code, "Title": title, "Status": status} for code, title, status in YEARS],
        "TypedDataSet": [
            {"ID": n, "Afvalsoort": k, "RegioS": r.ljust(6), "Perioden": y, "Afval_1": FIGURES.get((k, r, y))}
            for n, (k, r, y) in enumerate(cells)
        ],
    }


def zipped(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def as_answers(parts: dict[str, list[dict]]) -> bytes:
    return zipped({f"{part}.json": json.dumps({"value": rows}) for part, rows in parts.items()})


def as_bulk(parts: dict[str, list[dict]]) -> bytes:
    texts = {}
    for part, rows in parts.items():
        lines = [";".join(f'"{name}"' for name in rows[0])]
        lines += [
            ";".join("" if v is None else str(v).replace(".", ",") if isinstance(v, float) else f'"{v}"' for v in r.values())
            for r in rows
        ]
        texts[f"{part}.csv"] = "\ufeff" + "\r\n".join(lines) + "\r\n"
    return zipped(texts)


def as_pages() -> bytes:
    """Answers whose observations come in two pages, of which the second repeats the last row of the first."""
    rows = observations()
    members = {
        f"{part}.json": json.dumps({"value": found})
        for part, found in parts_4().items()
        if part not in ("Observations", "Properties")
    }
    members["Properties.json"] = json.dumps({"@odata.context": "x"} | INFO)
    members["Observations.json"] = json.dumps({"value": rows[:4], "@odata.nextLink": "https://x/Observations?$skip=4"})
    members["Observations_2.json"] = json.dumps({"value": rows[3:]})
    return zipped(members)


def rows(delivered, context) -> pl.DataFrame:
    return pl.concat(list(parse_household_waste([delivered], TABLE, context)))


@pytest.mark.parametrize(
    "data", [as_answers(parts_4()), as_bulk(parts_4()), as_pages(), as_answers(parts_3())], ids=["v4", "bulk", "pages", "v3"]
)
def test_every_form_gives_the_same_rows(payload, context, data):
    delivered = payload(SOURCE, f"{TABLE}.zip", data)
    assert (delivered.batches, delivered.problem) == ((TABLE,), None)
    made = context()
    found = rows(delivered, made).sort("region_code", "year", "waste_kind_code")
    assert found.height == 2 * 2 * 3 and set(found["region_code"]) == {"NL01", "GM0014"}
    assert found.filter(region_code="GM0014", waste_kind_code="A025450").select(
        "year", "kg_per_inhabitant", "year_status"
    ).rows() == [
        (2022, 140.0, "final"),
        (2023, 131.4, "provisional"),
    ]
    row = found.filter(region_code="NL01", year=2022, waste_kind_code="A025461").row(0, named=True)
    assert (row["kg_per_inhabitant"], row["missing_reason"], row["fraction_code"]) == (None, "not_delivered", "plastic")
    assert found["kg_per_inhabitant"].count() == 6
    assert found["released_at"].unique().to_list() == [datetime(2025, 12, 11, 1, tzinfo=UTC)]
    assert found.filter(waste_kind_code="T001616")["fraction_code"].null_count() == 4
    assert found["_problems"].list.len().sum() == 0


@pytest.mark.parametrize(
    ("change", "value", "reason", "problems"),
    [
        ({"ValueAttribute": "Confidential"}, None, "withheld", []),
        ({"ValueAttribute": "Nieuw"}, None, "not_delivered", []),
        ({"Value": None}, None, "not_delivered", []),
        ({"Value": "."}, None, "not_delivered", []),
        ({"Value": -99997}, None, "withheld", []),
        ({"Value": "veel"}, None, None, ["kg_per_inhabitant.type"]),
        ({"Value": 0.0}, 0.0, None, []),
    ],
)
def test_what_stands_instead_of_a_figure_becomes_a_reason_or_a_problem(payload, context, change, value, reason, problems):
    parts = parts_4()
    parts["Observations"][3] |= change
    found = rows(payload(SOURCE, f"{TABLE}.zip", as_answers(parts)), context())
    row = found.filter(region_code="GM0014", year=2022, waste_kind_code="A025450").row(0, named=True)
    assert (row["kg_per_inhabitant"], row["missing_reason"], row["_problems"]) == (value, reason, problems)


def test_a_period_that_is_no_year_is_marked(payload, context):
    parts = parts_4()
    parts["PeriodenCodes"].append({"Identifier": "2023KW01", "Title": "x", "Status": None})
    found = rows(payload(SOURCE, f"{TABLE}.zip", as_answers(parts)), context())
    assert found.filter(pl.col("year").is_null())["_problems"].to_list() == [["year.type"]] * 6


def test_another_municipality_has_its_own_rows(payload, context):
    found = rows(payload(SOURCE, f"{TABLE}.zip", as_answers(parts_4())), context(municipality_code="GM0106"))
    assert set(found["region_code"]) == {"NL01", "GM0106"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (as_answers({k: v for k, v in parts_4().items() if k != "Observations"}), "misses Observations"),
        (as_answers({k: v for k, v in parts_3().items() if k != "RegioS"}), "misses RegioSCodes"),
        (as_answers(parts_4() | {"Properties": [INFO | {"Title": "Bedrijfsafval"}]}), "is another table: Bedrijfsafval"),
        (as_answers(parts_4() | {"Observations": [{"Id": 1}]}), "misses column"),
        (as_answers(parts_4({})), "misses Observations"),
        (zipped({"Observations.json": "{"}), "is not a complete zip"),
        (zipped({"Observations.json": "[1]"}), "without a list of rows"),
        (zipped({"leesmij.txt": "x"}), "holds nothing of a table"),
        (as_bulk(parts_4())[:-40], "is not a complete zip"),
        (b"", "is empty"),
    ],
)
def test_what_is_not_the_whole_table_is_refused(payload, data, problem):
    assert problem in (payload(SOURCE, f"{TABLE}.zip", data).problem or "")


@pytest.mark.parametrize("units", [["euro"], [UNIT, "kg"]])
def test_a_measure_that_is_not_the_one_is_refused(payload, context, units):
    parts = parts_4()
    parts["MeasureCodes"] = [{"Identifier": f"M{n}", "Title": "Iets", "Unit": unit} for n, unit in enumerate(units, start=1)]
    with pytest.raises(PayloadError, match="measures in kilograms"):
        rows(payload(SOURCE, f"{TABLE}.zip", as_answers(parts)), context())


def test_the_table_is_taken_by_this_source_only():
    head = Head("download.zip", as_bulk(parts_4()))
    assert SOURCE.recognises(head) and not cbs_statline.SOURCE.recognises(head)
    named = Head(f"{TABLE}.zip", zipped({"Observations.csv": "Id;Measure;ValueAttribute;Value;Afvalsoort;RegioS;Perioden\n"}))
    assert not cbs_statline.SOURCE.recognises(named)
