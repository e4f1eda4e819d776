"""Kerncijfers wijken en buurten of CBS StatLine."""

import json
from datetime import UTC, date, datetime
from io import BytesIO

import polars as pl
import pytest

from groningen_data.errors import PayloadError
from groningen_data.gate.recipe import BuildContext
from groningen_data.settings import load_settings
from groningen_data.sources import outlines
from groningen_data.sources.cbs_statline import SOURCE, parse_key_figures, parse_recipients
from groningen_data.sources.cbs_tables import matches, read_topics

PROPERTIES = [
    {"ID": 1, "ParentID": None, "Type": "TopicGroup", "Key": "", "Title": "Leeftijdsgroepen", "Unit": None},
    {"ID": 2, "ParentID": None, "Type": "TopicGroup", "Key": "", "Title": "Iets anders", "Unit": None},
    {"ID": 3, "ParentID": None, "Type": "Topic", "Key": "AantalInwoners_5", "Title": "Aantal inwoners ", "Unit": "aantal"},
    {"ID": 4, "ParentID": 1, "Type": "Topic", "Key": "k_0Tot15Jaar_8", "Title": "0 tot 15 jaar", "Unit": "aantal"},
    {"ID": 5, "ParentID": 2, "Type": "Topic", "Key": "k_0Tot15Jaar_99", "Title": "0 tot 15 jaar", "Unit": "aantal"},
    {"ID": 6, "ParentID": None, "Type": "Topic", "Key": "Woningwaarde_3", "Title": "Gemiddelde woningwaarde", "Unit": "euro"},
    {
        "ID": 7,
        "ParentID": None,
        "Type": "Topic",
        "Key": "Bijstand_42",
        "Title": "Personen per soort uitkering; Bijstand",
        "Unit": "aantal",
    },
]
DATA = [
    {"WijkenEnBuurten": "GM0014    ", "AantalInwoners_5": 100, "k_0Tot15Jaar_8": 7, "k_0Tot15Jaar_99": 70, "Bijstand_42": 20},
    {"WijkenEnBuurten": "BU00140000", "AantalInwoners_5": 60, "k_0Tot15Jaar_8": 7, "k_0Tot15Jaar_99": 70, "Bijstand_42": None},
    {"WijkenEnBuurten": "BU00140808", "AantalInwoners_5": 40, "k_0Tot15Jaar_8": 7, "k_0Tot15Jaar_99": 70, "Bijstand_42": 20},
]
NAMES = [
    {"Key": "GM0014    ", "Title": "Groningen  ", "Municipality": "GM0014", "DetailRegionCode": "GM0014"},
    {"Key": "BU00140000", "Title": "Binnenstad-Noord", "Municipality": "GM0014", "DetailRegionCode": "BU00140000"},
]
INFO = {"Identifier": "99999NED", "Title": "Kerncijfers wijken en buurten 2020", "Modified": "2021-03-26T02:00:00"}


def answer(rows: list[dict], part: str, **members: object) -> bytes:
    url = f"https://opendata.cbs.nl/ODataApi/OData/99999NED/$metadata#Cbs.OData.WebAPI.{part}"
    return json.dumps({"odata.metadata": url, "value": rows} | members).encode()


def complete(payload, data=DATA, properties=PROPERTIES, names=NAMES, info=INFO) -> list:
    return [
        payload(SOURCE, "a.json", answer(data, "TypedDataSet")),
        payload(SOURCE, "b.json", answer(properties, "DataProperties")),
        payload(SOURCE, "c.json", answer(names, "WijkenEnBuurten")),
        payload(SOURCE, "d.json", answer([info], "TableInfos")),
    ]


def rows(parse, payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse(payloads, "99999NED", context)))


def test_each_region_and_measure_becomes_a_row(payload, context):
    delivered = complete(payload)
    assert {p.batches for p in delivered} == {("99999NED",)}
    found = rows(parse_key_figures, delivered, context())
    row = found.filter(region_code="GM0014", measure_code="inhabitants").row(0, named=True)
    assert (row["value"], row["region_name"], row["region_level"], row["year"]) == (100.0, "Groningen", "municipality", 2020)
    assert (row["measure_title"], row["unit"], row["source_table"]) == ("Aantal inwoners", "aantal", "99999NED")
    assert row["released_at"] == datetime(2021, 3, 26, 1, tzinfo=UTC)
    assert (row["code_status"], row["current_code"]) == ("not_a_neighbourhood", None)


def test_the_group_decides_between_measures_of_the_same_title(payload, context):
    found = rows(parse_key_figures, complete(payload), context())
    assert found.filter(measure_code="inhabitants_0_14")["value"].unique().to_list() == [7.0]


def test_a_measure_in_another_unit_is_not_taken_but_counted(payload, context):
    made = context()
    found = rows(parse_key_figures, complete(payload), made)
    assert "dwelling_value_keur" not in found["measure_code"].unique().to_list()
    assert "dwelling_value_keur" in made.notes["measures_not_found_names"]


def test_recipients_that_are_withheld_say_so(payload, context):
    found = rows(parse_recipients, complete(payload), context())
    row = found.filter(region_code="BU00140000").row(0, named=True)
    assert (row["benefit_code"], row["recipients"], row["missing_reason"]) == ("social_assistance", None, "withheld")


def test_a_column_without_any_value_is_not_yet_released(payload, context):
    data = [row | {"Bijstand_42": None} for row in DATA]
    assert rows(parse_recipients, complete(payload, data), context())["missing_reason"].unique().to_list() == ["not_yet_released"]


@pytest.mark.parametrize(
    ("raw", "value", "reason", "problems"),
    [
        ("      20", 20, None, []),
        ("       .", None, "withheld", []),
        (-99997, None, "withheld", []),
        (-99995, None, "later_version", []),
        (12.5, None, None, ["recipients.type"]),
        ("twintig", None, None, ["recipients.type"]),
    ],
)
def test_what_cbs_writes_instead_of_a_figure_becomes_a_reason(payload, context, raw, value, reason, problems):
    data = [DATA[0] | {"Bijstand_42": raw}, *DATA[1:]]
    row = rows(parse_recipients, complete(payload, data), context()).row(0, named=True)
    assert (row["recipients"], row["missing_reason"], row["_problems"]) == (value, reason, problems)
    if problems:
        assert str(raw) in row["_original"]


def test_the_last_landed_file_of_each_part_counts(payload, context):
    corrected = payload(SOURCE, "later.json", answer([DATA[0] | {"AantalInwoners_5": 101}], "TypedDataSet"))
    found = rows(parse_key_figures, [*complete(payload), corrected], context())
    assert found.filter(measure_code="inhabitants")["value"].to_list() == [101.0]


def test_parquet_dumps_and_answers_of_the_service_give_the_same_rows(payload, context):
    dumps = []
    for name, part in (("TypedDataSet", DATA), ("DataProperties", PROPERTIES), ("WijkenEnBuurten", NAMES)):
        buffer = BytesIO()
        pl.DataFrame(part, infer_schema_length=None).write_parquet(buffer)
        dumps.append(payload(SOURCE, f"cbs.v3.99999NED_{name}.parquet", buffer.getvalue()))
    dumps.append(payload(SOURCE, "cbs.v3.99999NED_Metadata.json", json.dumps(INFO).encode()))
    assert [p.problem for p in dumps] == [None] * 4
    served = rows(parse_key_figures, complete(payload), context())
    assert rows(parse_key_figures, dumps, context()).equals(served)


@pytest.mark.parametrize("absent", ["TypedDataSet", "DataProperties", "TableInfos"])
def test_an_incomplete_set_names_the_missing_part(payload, context, absent):
    order = ["TypedDataSet", "DataProperties", "WijkenEnBuurten", "TableInfos"]
    delivered = [p for p, part in zip(complete(payload), order, strict=True) if part != absent]
    with pytest.raises(PayloadError, match=f"incomplete set: {absent} is missing"):
        rows(parse_key_figures, delivered, context())


def test_a_renamed_measure_that_must_be_there_is_refused_with_close_titles(payload, context):
    properties = [p | {"Title": "Aantal ingezetenen"} if p["ID"] == 3 else p for p in PROPERTIES]
    with pytest.raises(PayloadError, match=r"close titles are: .*Aantal ingezetenen"):
        rows(parse_key_figures, complete(payload, properties=properties), context())


def test_a_code_that_exists_today_under_another_name_is_not_trusted(payload, context):
    names = [NAMES[0], NAMES[1] | {"Title": "Heel ergens anders"}]
    found = rows(parse_key_figures, complete(payload, names=names), context())
    row = found.filter(region_code="BU00140000").row(0, named=True)
    assert (row["code_status"], row["current_code"]) == ("unknown", None)


def test_rows_of_a_yearly_table_are_about_the_end_of_its_year(payload, context):
    found = rows(parse_recipients, complete(payload), context())
    assert found.select("year", "period_code", "period_end_on").unique().rows() == [(2020, "2020JJ00", date(2020, 12, 31))]


def test_the_real_table_is_read_completely(real_payloads, context):
    delivered = [p for p in real_payloads(SOURCE) if p.batches == ("84799NED",)]
    assert len(delivered) == 4
    made = context()
    frames = list(parse_recipients(delivered, "84799NED", made))
    found = pl.concat(frames).filter(benefit_code="social_assistance")
    assert found.height == 17_341 == made.notes["regions_read"]
    assert found.filter(region_code="GM0014")["recipients"].item() == 10_840
    hoods = found.filter(pl.col("region_code").str.starts_with("BU0014"))
    assert (hoods.height, hoods["recipients"].null_count(), hoods["recipients"].sum()) == (150, 35, 10_830)


def test_the_real_key_figures_come_in_slices_with_their_reasons(real_payloads, context):
    made = context()
    frames = list(parse_key_figures(real_payloads(SOURCE), "84799NED", made))
    found = pl.concat(frames)
    assert max(f.height for f in frames) <= 250_000
    assert found.height == 17_341 * made.notes["measures_found"] == 17_341 * 22
    income = found.filter(measure_code="income_per_inhabitant_keur")
    assert income["missing_reason"].unique().to_list() == ["not_yet_released"]
    assert found["_problems"].list.len().sum() == 0


def test_codes_of_2020_are_carried_over_to_2024(real_payloads, real, context, tmp_path):

    published = pl.concat(list(outlines.parse_neighbourhoods(real_payloads(outlines.SOURCE), "snapshot", context())))
    made = BuildContext(load_settings(data_dir=tmp_path), lambda table: published)
    found = pl.concat(list(parse_key_figures(real_payloads(SOURCE), "84799NED", made))).filter(measure_code="inhabitants")
    counts = dict(found.filter(pl.col("region_code").str.starts_with("BU0014"))["code_status"].value_counts().iter_rows())
    assert counts == {"same": 148, "recoded": 1, "split": 1}
    assert found.filter(code_status="recoded").select("region_code", "current_code").rows() == [("BU00140808", "BU00140110")]
    assert found.filter(code_status="split")["current_code"].to_list() == [None]


def test_the_real_table_without_observations_is_told_and_keeps_no_other_table_out(real_payloads, context):
    delivered = real_payloads(SOURCE)
    assert {p.batches for p in delivered if p.problem is None} == {("84799NED",), ("83765NED",)}
    assert [p.problem for p in delivered] == [None] * 10
    with pytest.raises(PayloadError, match="incomplete set: Observations is missing, delivered are Dimensions, MeasureCodes"):
        list(parse_key_figures(delivered, "83765NED", context()))


@pytest.mark.parametrize("kind", ["key_figures", "recipients"])
def test_both_versions_of_the_service_find_the_same_measures_in_the_real_tables(real_payloads, kind):
    delivered = real_payloads(SOURCE)
    in_2017 = matches(read_topics(delivered, "83765NED"), kind)
    in_2020 = matches(read_topics(delivered, "84799NED"), kind)
    assert None not in in_2017.values()
    meant = {code: (topic.title, topic.unit) for code, topic in in_2017.items()}
    assert {code: (topic.title, topic.unit) for code, topic in in_2020.items()} == meant
    assert in_2017["social_assistance" if kind == "recipients" else "inhabitants"].key in ("D006842", "T001036")
