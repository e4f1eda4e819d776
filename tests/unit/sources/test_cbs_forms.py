"""One StatLine table in all its wire forms: version 3, version 4, bulk zip, dataset CSV and portal download."""

import json
import zipfile
from datetime import date
from io import BytesIO

import polars as pl
import pytest

from groningen_data.errors import PayloadError
from groningen_data.sources.base import Head
from groningen_data.sources.cbs_statline import SOURCE, about_key_figures, parse_key_figures, parse_recipients

V3, V4 = (
    "https://opendata.cbs.nl/ODataApi/OData/{}/$metadata#Cbs.OData.WebAPI.{}",
    "https://datasets.cbs.nl/odata/v1/CBS/{}/$metadata#{}",
)
TABLE, QUARTERS = "99999NED", "86113NED"
REGIONS = [("GM0014", "Groningen"), ("BU00140000", "Binnenstad-Noord"), ("BU00140001", "Binnenstad-Zuid")]
# Per measure: id, title, unit, group; a group of the same title and unit elsewhere must not be taken.
MEASURES = [
    ("T001036", "Aantal inwoners", "aantal", "G1"),
    ("10680_1", "0 tot 15 jaar", "aantal", "G2"),
    ("10680_2", "0 tot 15 jaar", "aantal", "G3"),
    ("M000114", "Gemiddelde huishoudensgrootte", "aantal", "G1"),
    ("D006842", "Personen per soort uitkering; Bijstand", "aantal", "G1"),
]
GROUPS = [("G1", "Bevolking", None), ("G2", "Leeftijdsgroepen", "G1"), ("G3", "Iets anders", None)]
FIGURES = {
    ("GM0014", "T001036"): 100.0,
    ("GM0014", "10680_1"): 7.0,
    ("GM0014", "10680_2"): 70.0,
    ("GM0014", "M000114"): 1.7,
    ("GM0014", "D006842"): 20.0,
    ("BU00140000", "T001036"): 60.0,
    ("BU00140000", "M000114"): 1.5,
    ("BU00140001", "T001036"): 40.0,
    ("BU00140001", "D006842"): 10.0,
}
BENEFITS = ("Bijstandsuitkering", "AOW-uitkering")


def v4(part: str, rows: list[dict], table: str = TABLE, **members: object) -> bytes:
    return json.dumps({"@odata.context": V4.format(table, part), "value": rows} | members).encode()


def observations(figures: dict = FIGURES, start: int = 0) -> list[dict]:
    rest = {"ValueAttribute": "None", "StringValue": None}
    return [
        {"Id": start + n, "Measure": m, "Value": v, "WijkenEnBuurten": r} | rest for n, ((r, m), v) in enumerate(figures.items())
    ]


def metadata_v4() -> dict[str, list[dict]]:
    return {
        "Properties": [
            {
                "Identifier": TABLE,
                "Title": "Kerncijfers wijken en buurten 2020",
                "Modified": "2021-03-26T02:00:00+01:00",
                "ObservationCount": 9,
            }
        ],
        "MeasureCodes": [{"Identifier": i, "Title": t, "Unit": u, "MeasureGroupId": g, "Index": 1} for i, t, u, g in MEASURES],
        "MeasureGroups": [{"Id": i, "Title": t, "ParentId": p, "Index": 1} for i, t, p in GROUPS],
        "Dimensions": [{"Identifier": "WijkenEnBuurten", "Title": "Wijken en buurten", "Kind": "GeoDetail", "MapYear": "2020"}],
        "WijkenEnBuurtenCodes": [
            {"Identifier": c, "Title": t, "DetailRegionCode": c, "DimensionGroupId": "GM"} for c, t in REGIONS
        ],
    }


def as_v4_json(payload, rows: list[dict] | None = None) -> list:
    parts = metadata_v4()
    flat = {"@odata.context": V4.format(TABLE, "Properties"), **parts.pop("Properties")[0]}
    found = [payload(SOURCE, "p.json", json.dumps(flat).encode())]
    found += [payload(SOURCE, f"{part}.json", v4(part, rows)) for part, rows in parts.items()]
    return [*found, payload(SOURCE, "o.json", v4("Observations", observations() if rows is None else rows))]


def as_v4_parquet(payload) -> list:
    parts = metadata_v4()
    info = {"@odata.context": V4.format(TABLE, "Properties"), **parts.pop("Properties")[0]}
    found = [payload(SOURCE, f"cbs.v4.{TABLE}_Metadata.json", json.dumps(info).encode())]
    for part, rows in (parts | {"Observations": observations()}).items():
        buffer = BytesIO()
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(buffer)
        found.append(payload(SOURCE, f"cbs.v4.{TABLE}_{part}.parquet", buffer.getvalue()))
    return found


def csv(rows: list[dict]) -> bytes:
    """As CBS writes it: `;`, decimal comma, a byte-order mark, CRLF."""
    lines = [";".join(f'"{k}"' for k in rows[0])]
    for row in rows:
        lines.append(
            ";".join("" if v is None else str(v).replace(".", ",") if isinstance(v, float) else f'"{v}"' for v in row.values())
        )
    return b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n"


def as_zip(payload, leave_out: tuple[str, ...] = (), name: str = f"{TABLE}.zip") -> list:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, rows in ({"Observations": observations()} | metadata_v4()).items():
            if part not in leave_out:
                archive.writestr(zipfile.ZipInfo(f"{part}.csv"), csv(rows), zipfile.ZIP_DEFLATED)
    return [payload(SOURCE, name, buffer.getvalue())]


def as_v3_json(payload) -> list:
    keys = {m: f"Kolom_{n}" for n, (m, *_) in enumerate(MEASURES)}
    wide = [{"WijkenEnBuurten": c.ljust(10)} | {k: FIGURES.get((c, m)) for m, k in keys.items()} for c, _ in REGIONS]
    properties = [
        {"ID": n, "ParentID": None, "Type": "TopicGroup", "Key": "", "Title": t, "Unit": None}
        for n, (_, t, _) in enumerate(GROUPS)
    ]
    properties += [
        {
            "ID": 10 + n,
            "ParentID": [g for g, *_ in GROUPS].index(g),
            "Type": "Topic",
            "Key": keys[i],
            "Title": f"{t}  ",
            "Unit": u,
        }
        for n, (i, t, u, g) in enumerate(MEASURES)
    ]
    info = {"Identifier": TABLE, "Title": "Kerncijfers wijken en buurten 2020", "Modified": "2021-03-26T02:00:00"}
    names = [{"Key": c.ljust(10), "Title": t, "DetailRegionCode": c} for c, t in REGIONS]
    parts = {"TypedDataSet": wide, "DataProperties": properties, "WijkenEnBuurten": names, "TableInfos": [info]}
    return [
        payload(SOURCE, f"{part}.json", json.dumps({"odata.metadata": V3.format(TABLE, part), "value": rows}).encode())
        for part, rows in parts.items()
    ]


def as_answers(payload) -> list:
    """All answers of version 4 in one zip; its observations in pages, of which the second repeats a row of the first."""
    parts = metadata_v4()
    members = {"Properties": {"@odata.context": V4.format(TABLE, "Properties"), **parts.pop("Properties")[0]}}
    members |= {part: json.loads(v4(part, rows)) for part, rows in parts.items()}
    seen = observations()
    members["Observations"] = json.loads(v4("Observations", seen[:6], **{"@odata.nextLink": "https://x/Observations?$skip=6"}))
    members["Observations_2"] = json.loads(v4("Observations", seen[5:]))
    return [payload(SOURCE, f"{TABLE}.zip", zip_of(members))]


def as_answers_v3(payload) -> list:
    """All answers of version 3 in one zip, its figures in the pages of the feed, and a list without rows among them."""
    members = {p.name.removesuffix(".json"): p.json() for p in as_v3_json(payload)}
    wide = members["TypedDataSet"]
    members["TypedDataSet"] = wide | {"value": wide["value"][:2], "odata.nextLink": "https://x/TypedDataSet?$skip=2"}
    members["TypedDataSet_2"] = wide | {"value": wide["value"][1:]}
    members["CategoryGroups"] = wide | {"value": []}
    return [payload(SOURCE, f"{TABLE}.zip", zip_of(members))]


def zip_of(members: dict[str, object]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, answer in members.items():
            archive.writestr(f"{name}.json", json.dumps(answer))
    return buffer.getvalue()


def rows(parse, payloads, context, table: str = TABLE) -> pl.DataFrame:
    return pl.concat(list(parse(payloads, table, context)))


@pytest.mark.parametrize("form", [as_v4_json, as_v4_parquet, as_zip, as_answers, as_answers_v3])
@pytest.mark.parametrize("parse", [parse_key_figures, parse_recipients])
def test_every_form_of_a_table_gives_the_same_rows(payload, context, form, parse):
    delivered = form(payload)
    assert {p.problem for p in delivered} == {None}
    assert {p.batches for p in delivered} == {(TABLE,)}
    by = ["region_code", "measure_code" if parse is parse_key_figures else "benefit_code"]
    wide = rows(parse, as_v3_json(payload), context()).sort(by).drop("_original")
    assert rows(parse, delivered, context()).sort(by).drop("_original").equals(wide)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"Observations": [1]}, "is JSON, but no answer of StatLine"),
        ({"Observations": {"value": [{"a": "\ud800"}]}}, "holds an answer that is no JSON in Unicode"),
        ({"Nergens": {"@odata.context": V4.format(TABLE, "Nergens"), "value": [{"a": 1}]}}, "misses column"),
        ({"MeasureCodes": {"value": []}}, "holds no part of a StatLine table"),
    ],
)
def test_a_zip_with_an_answer_that_is_no_part_is_refused(payload, members, problem):
    assert problem in payload(SOURCE, f"{TABLE}.zip", zip_of(members)).problem


def test_an_empty_cell_that_version_4_leaves_out_is_missing_with_its_reason(payload, context):
    found = rows(parse_key_figures, as_v4_json(payload), context())
    assert found.height == 3 * 3
    young = found.filter(measure_code="inhabitants_0_14")
    assert young.select("value", "missing_reason").rows() == [(7.0, None), (None, "withheld"), (None, "withheld")]


def test_a_measure_without_any_observation_is_not_yet_released(payload, context):
    figures = {k: v for k, v in FIGURES.items() if k[1] != "D006842"}
    found = rows(parse_recipients, as_v4_json(payload, observations(figures)), context())
    assert found["missing_reason"].to_list() == ["not_yet_released"] * 3


@pytest.mark.parametrize(
    ("attribute", "reason"), [("Confidential", "withheld"), ("Impossible", "not_delivered"), ("Nieuw", "withheld")]
)
def test_a_value_that_is_no_clean_one_is_null_with_a_reason(payload, context, attribute, reason):
    seen = observations()
    seen[0] |= {"ValueAttribute": attribute}
    made = context()
    row = rows(parse_key_figures, as_v4_json(payload, seen), made).filter(region_code="GM0014", measure_code="inhabitants")
    assert row.select("value", "missing_reason").rows() == [(None, reason)]
    assert made.notes["value_attributes"] == f"{attribute} 1x"


def test_text_where_a_number_belongs_is_marked_and_kept(payload, context):
    seen = observations()
    seen[0] |= {"Value": None, "StringValue": "honderd"}
    row = rows(parse_key_figures, as_v4_json(payload, seen), context()).filter(region_code="GM0014", measure_code="inhabitants")
    assert row["_problems"].to_list() == [["value.type"]]
    assert "honderd" in row["_original"][0]


def test_pages_of_observations_are_joined(payload, context):
    seen = observations()
    first = payload(SOURCE, "1.json", v4("Observations", seen[:6], **{"@odata.nextLink": "https://x/Observations?$skip=6"}))
    rest = payload(SOURCE, "2.json", v4("Observations", seen[6:]))
    made = context()
    found = rows(parse_key_figures, [*as_v4_json(payload)[:-1], rest, first], made)
    assert found.equals(rows(parse_key_figures, as_v4_json(payload), context()))
    assert made.notes["pages_read"] == 2


@pytest.mark.parametrize("there", [(0,), (0, 2), (0, 1)])
def test_a_set_with_a_page_missing_is_refused(payload, context, there):
    seen = observations()
    links = [{"@odata.nextLink": f"https://x/Observations?$skip={n}"} for n in (3, 6)] + [{}]
    pages = [payload(SOURCE, f"{n}.json", v4("Observations", seen[3 * n : 3 * n + 3], **links[n])) for n in there]
    with pytest.raises(PayloadError, match=r"incomplete set: \d page\(s\) of Observations are there, and they link to others"):
        rows(parse_key_figures, [*as_v4_json(payload)[:-1], *pages], context())


def test_a_newer_set_of_observations_replaces_an_older_one_wholly(payload, context):
    corrected = {k: v + 1 for k, v in FIGURES.items() if k != ("BU00140001", "D006842")}
    later = payload(SOURCE, "later.json", v4("Observations", observations(corrected)))
    found = rows(parse_recipients, [*as_v4_json(payload), later], context())
    assert dict(found.select("region_code", "recipients").iter_rows()) == {"GM0014": 21, "BU00140000": None, "BU00140001": None}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_complete_forms_the_one_landed_last_counts(payload, context, order):
    made = context()
    forms = [as_v3_json(payload), as_v4_json(payload)][::order]
    rows(parse_key_figures, [*forms[0], *forms[1]], made)
    assert made.notes["wire_form"] == {1: "v4", -1: "v3"}[order]


def test_a_zip_without_properties_has_its_year_from_the_map(payload, context):
    found = rows(parse_key_figures, as_zip(payload, ("Properties",)), context())
    assert found["year"].unique().to_list() == [2020]


@pytest.mark.parametrize(
    ("name", "data", "phrase"),
    [
        ("99999NED.zip", b"PK\x03\x04 and no more", "not a complete zip"),
        ("Observations.csv", b"Id;Measure;ValueAttribute;Value;StringValue;WijkenEnBuurten\r\n", "does not say of which table"),
        ("cbs.v4.99999NED_Observations.json", b'{"@odata.context": "x", "value": []}', "holds no rows"),
        ("cbs.v4.99999NED_Observations.json", b'{"@odata.context": "x", "value": [{"Id"', "not complete JSON"),
        ("cbs.v4.99999NED_MeasureCodes.parquet", b"PAR1 and no more", "not complete parquet"),
        ("cbs.v4.99999NED_MeasureCodes.json", b'{"value": [{"Identifier": "a", "Naam": "b"}]}', "misses column(s) Title, Unit"),
        (
            "Kerncijfers_wijken_en_buurten_2024_1.csv",
            b'"Kerncijfers wijken en buurten 2024"\r\n"Onderwerp";"x"\r\n',
            "misses column",
        ),
        (
            "Kerncijfers_wijken_en_buurten_2024_1.csv",
            b'"Wijken en buurten";"Bevolking/Aantal inwoners (aantal)"\r\n"Groningen";"5"\r\n',
            "no column with region codes",
        ),
        (
            "Kerncijfers_wijken_en_buurten.csv",
            b'"Wijken en buurten";"Bevolking/Aantal inwoners (aantal)"\r\n"Groningen (GM0014)";"5"\r\n',
            "does not say of which year",
        ),
        ("Kerncijfers_wijken_en_buurten_2024_1.csv", '"Wijken en buurten";"é"\r\n'.encode("latin-1"), "not UTF-8"),
        (
            "Kerncijfers_wijken_en_buurten_2024_1.csv",
            b'"Wijken en buurten";"Bevolking/Aantal inwoners (aantal)"\r\n"Groningen (GM00',
            "cut off in a quoted text",
        ),
    ],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, name, data, phrase):
    delivered = payload(SOURCE, name, data)
    assert delivered.batches == ()
    assert phrase in (delivered.problem or "")
    assert delivered.way_out


PORTAL = """"Wijken en buurten";"Regioaanduiding/Gemeentenaam (naam)";"Regioaanduiding/Codering (code)";"Bevolking/Aantal inwoners \
(aantal)";"Bevolking/Leeftijdsgroepen/0 tot 15 jaar (aantal)";"Particuliere huishoudens/Gemiddelde huishoudensgrootte (aantal)";\
"Bevolking/Bevolkingsdichtheid (aantal inwoners per km\u00b2)"
"Groningen";"Groningen";"GM0014    ";"238.147";"28659";"1,7";"1255"
"Binnenstad-Noord";"Groningen";"BU00140000";"60";".";"";"."
"Bron: CBS"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_portal_download_is_read_by_its_titles(payload, context, encoding, ends):
    name = "Kerncijfers_wijken_en_buurten_2024_15112026_101500.csv"
    delivered = [payload(SOURCE, name, PORTAL.replace("\n", ends).encode(encoding))]
    assert delivered[0].batches == ("kerncijfers-2024",)
    found = rows(parse_key_figures, delivered, context(), "kerncijfers-2024")
    values = {
        (r, m): (v, why) for r, m, v, why in found.select("region_code", "measure_code", "value", "missing_reason").iter_rows()
    }
    assert values["GM0014", "inhabitants"] == (238_147.0, None)
    assert values["GM0014", "average_household_size"] == (1.7, None)
    assert values["BU00140000", "inhabitants_0_14"] == (None, "withheld")
    assert found.select("year", "source_table").unique().rows() == [(2024, "kerncijfers-2024")]
    assert found.filter(region_code="BU00140000")["region_name"].unique().to_list() == ["Binnenstad-Noord"]


def test_a_portal_download_may_have_the_code_behind_the_name_instead(payload, context):
    text = '"Wijken en buurten";"Bevolking/Aantal inwoners (aantal)"\n"Binnenstad-Noord (BU00140000)";"60"\n"Groningen (GM0014)";"100"\n'
    delivered = [payload(SOURCE, "85984NED_kerncijfers_wijken_en_buurten.csv", text.encode())]
    found = rows(parse_key_figures, delivered, context(), "85984NED")
    assert found.select("region_code", "region_name", "value", "code_status", "year").rows()[0] == (
        "BU00140000",
        "Binnenstad-Noord",
        60.0,
        "same",
        2024,
    )


PERIODS = ("2024MM09", "2024MM12")


def quarterly_v3(payload, table: str = QUARTERS, data: list[dict] | None = None) -> list:
    columns = ("Bijstandsuitkering_6", "AOWUitkering_8", "Bijstandsuitkering_10")
    wide = [
        {"WijkenEnBuurten": c.ljust(10), "Perioden": p} | dict(zip(columns, (10 * n + q, 30, 5), strict=True))
        for n, (c, _) in enumerate([("T001234", "Totaal"), *REGIONS[:2]])
        for q, p in zip((0, 10), PERIODS, strict=True)
    ]
    group = {"ParentID": None, "Type": "TopicGroup", "Key": "", "Unit": None}
    topics = [
        group | {"ID": 1, "Title": "Personen per soort uitkering"},
        group | {"ID": 2, "Title": "Personen per soort uitkering, relatief"},
        {"ID": 3, "ParentID": None, "Type": "TimeDimension", "Key": "Perioden", "Title": "Perioden", "Unit": None},
        *(
            {"ID": 4 + n, "ParentID": parent, "Type": "Topic", "Key": key, "Title": title, "Unit": unit}
            for n, (parent, key, title, unit) in enumerate(
                [
                    (1, columns[0], BENEFITS[0], "aantal"),
                    (1, columns[1], BENEFITS[1], "aantal"),
                    (2, columns[2], BENEFITS[0], "% van 15+"),
                ]
            )
        ),
    ]
    title = "Personen met een uitkering; soort uitkering, wijken en buurten 2024"
    info = [{"Identifier": table, "Title": title, "Modified": "2026-02-14T02:00:00"}]
    parts = {"TypedDataSet": data or wide, "DataProperties": topics, "TableInfos": info}
    return [
        payload(SOURCE, f"{part}.json", json.dumps({"odata.metadata": V3.format(table, part), "value": found}).encode())
        for part, found in parts.items()
    ]


def test_a_quarterly_table_gives_a_row_per_region_quarter_and_benefit(payload, context):
    made = context()
    found = rows(parse_recipients, quarterly_v3(payload), made, QUARTERS)
    assisted = found.filter(benefit_code="social_assistance").sort("region_code", "period_code")
    assert assisted.select("region_code", "year", "period_code", "period_end_on", "recipients").rows() == [
        ("BU00140000", 2024, "2024MM09", date(2024, 9, 30), 20),
        ("BU00140000", 2024, "2024MM12", date(2024, 12, 31), 30),
        ("GM0014", 2024, "2024MM09", date(2024, 9, 30), 10),
        ("GM0014", 2024, "2024MM12", date(2024, 12, 31), 20),
    ]
    assert set(found["benefit_code"]) == {"social_assistance", "state_pension"}
    assert made.notes["periods_read"] == "2024MM09, 2024MM12"


def test_a_region_that_is_no_area_is_left_out_and_told(payload, context):
    data = [
        {"WijkenEnBuurten": c, "Perioden": "2024MM03", "Bijstandsuitkering_6": 10, "AOWUitkering_8": 1}
        for c in ("T001234", "PV20", "GM0014")
    ]
    made = context()
    found = rows(parse_recipients, quarterly_v3(payload, data=data), made, QUARTERS)
    assert found["region_code"].unique().to_list() == ["GM0014"]
    assert made.notes["regions_that_are_no_area"] == "PV20, T001234"


@pytest.mark.parametrize(
    ("code", "ends", "problems"),
    [
        ("2024KW01", date(2024, 3, 31), []),
        ("2024MM02", date(2024, 2, 29), []),
        ("2024JJ00", date(2024, 12, 31), []),
        ("2024HJ01", date(2024, 6, 30), []),
        ("2024KW05", None, ["period_code.type"]),
        ("2024X000", None, ["period_code.type"]),
    ],
)
def test_a_period_code_tells_its_last_day(payload, context, code, ends, problems):
    data = [{"WijkenEnBuurten": "GM0014", "Perioden": code, "Bijstandsuitkering_6": 10}]
    row = rows(parse_recipients, quarterly_v3(payload, data=data), context(), QUARTERS).row(0, named=True)
    assert (row["period_end_on"], row["_problems"]) == (ends, problems)


def test_a_quarter_without_any_figure_is_still_to_be_released(payload, context):
    data = [
        {"WijkenEnBuurten": c, "Perioden": p, "Bijstandsuitkering_6": v}
        for c, p, v in (
            ("GM0014", "2024MM03", 50),
            ("BU00140000", "2024MM03", None),
            ("GM0014", "2024MM06", None),
            ("BU00140000", "2024MM06", None),
        )
    ]
    found = rows(parse_recipients, quarterly_v3(payload, data=data), context(), QUARTERS)
    assert found["missing_reason"].to_list() == [None, "withheld", "not_yet_released", "not_yet_released"]


def test_the_quarterly_portal_download_says_its_periods_in_words(payload, context):
    title = "Personen per soort uitkering/Bijstandsuitkering (aantal)"
    share = "Personen per soort uitkering, relatief/Bijstandsuitkering (% van het aantal inwoners vanaf 15 jaar)"
    text = f'"Wijken en buurten";"Perioden";"Regioaanduiding/Codering (code)";"{title}";"{share}"\n'
    text += '"Groningen";"2024 maart";"GM0014";"9.840";"5"\n"Groningen";"2024 juni*";"GM0014";"9860";"5"\n'
    name = "Personen_met_een_uitkering__soort_uitkering__wijken_en_buurten_2024_15112026_101500.csv"
    delivered = [payload(SOURCE, name, text.encode())]
    assert delivered[0].batches == ("uitkeringen-2024",)
    found = rows(parse_recipients, delivered, context(), "uitkeringen-2024")
    assert found.select("period_code", "recipients").rows() == [("2024MM03", 9840), ("2024MM06", 9860)]
    assert not about_key_figures("uitkeringen-2024")


def test_the_quarterly_table_comes_in_version_4_too(payload, context):
    topics = [
        {"Identifier": "M1", "Title": BENEFITS[0], "Unit": "aantal", "MeasureGroupId": "A"},
        {"Identifier": "M2", "Title": BENEFITS[0], "Unit": "% van het aantal inwoners vanaf 15 jaar", "MeasureGroupId": "B"},
    ]
    seen = [
        {"Id": n, "Measure": "M1", "ValueAttribute": "None", "Value": 10.0 + 10 * n, "WijkenEnBuurten": "GM0014", "Perioden": p}
        for n, p in enumerate(PERIODS)
    ]
    info = {
        "@odata.context": V4.format(QUARTERS, "Properties"),
        "Identifier": QUARTERS,
        "Title": "Personen met een uitkering; soort ",
    }
    info["Title"] += "uitkering, wijken en buurten 2025"
    delivered = [
        payload(SOURCE, "a.json", json.dumps(info).encode()),
        payload(SOURCE, "b.json", v4("MeasureCodes", topics, QUARTERS)),
        payload(SOURCE, "c.json", v4("Observations", seen, QUARTERS)),
    ]
    found = rows(parse_recipients, delivered, context(), QUARTERS)
    assert found.select("period_code", "recipients").rows() == [("2024MM09", 10), ("2024MM12", 20)]


def test_a_dataset_csv_stands_for_the_typed_data_set(payload, context):
    text = '"ID";"WijkenEnBuurten";"Perioden";"Bijstandsuitkering_6"\r\n0;"GM0014    ";"2024MM03";"    9840"\r\n1;"BU00140000";"2024MM03";"       ."\r\n'
    figures = payload(SOURCE, f"{QUARTERS}_UntypedDataSet_10082026_161207.csv", text.encode("utf-8-sig"))
    found = rows(parse_recipients, [*quarterly_v3(payload)[1:], figures], context(), QUARTERS)
    assert found.select("recipients", "missing_reason").rows() == [(9840, None), (None, "withheld")]


def test_key_figures_are_not_looked_for_in_tables_known_to_be_about_recipients():
    assert [about_key_figures(key) for key in ("85984NED", "86113NED", "99999NED", "kerncijfers-2024")] == [
        True,
        False,
        True,
        True,
    ]


def test_a_table_about_recipients_that_is_not_known_yet_says_where_to_name_it(payload, context):
    with pytest.raises(PayloadError, match=r"periods within the year.*cbs_tables\.csv"):
        rows(parse_key_figures, quarterly_v3(payload, "88888NED"), context(), "88888NED")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x", '{"odata.metadata":"https://x/86113NED/$metadata#T.TypedDataSet","value":[{"WijkenEnBuurten":"a","Perioden":"b","Bijstandsuitkering_6":1'),
        ("x", '{"odata.metadata":"https://x/86113NED/$metadata#Cbs.OData.WebAPI.Perioden","value":[{"Key":"2024MM03"'),
        ("x", '{"@odata.context":"https://x/CBS/83765NED/$metadata#Properties","Identifier":"83765NED","Title":"Kerncijfers wijken en buurten 2017"'),
        ("x", '{"@odata.context":"https://x/CBS/88888NED/$metadata#Observations","value":[{"Id":0,"Measure":"M1","ValueAttribute":"None",'
              '"Value":1.0,"StringValue":null,"WijkenEnBuurten":"GM0014"},{"Id":1'),
        ("x", '{"@odata.context":"https://x/CBS/88888NED/$metadata#MeasureCodes","value":[{"Identifier":"T1","Title":"Aantal inwoners"'),
        ("x", '\ufeffId;Measure;ValueAttribute;Value;StringValue;WijkenEnBuurten\r\n'),
        ("x", '"Wijken en buurten";"Regioaanduiding/Codering (code)";"Bevolking/Aantal inwoners (aantal)"\n'),
        ("x", '"ID";"WijkenEnBuurten";"Perioden";"Bijstandsuitkering_6"\n'),
    ],
)  # fmt: skip
def test_a_part_is_recognised_by_what_it_says(name, text):
    assert SOURCE.recognises(Head(name, text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        '{"odata.metadata":"https://x/47018NED/$metadata#T.TypedDataSet","value":[{"WijkenEnBuurten":"a","Perioden":"2024MM01","Misdrijven_1":1}]}',
        '{"@odata.context":"https://x/CBS/81075ned/$metadata#Properties","Identifier":"81075ned","Title":"Werkloze beroepsbevolking"',
        '{"@odata.context":"https://x/CBS/47018NED/$metadata#Observations","value":[{"Id":0,"Measure":"M","SoortMisdrijf":"x","WijkenEnBuurten":"a"}]}',
        '{"@odata.context":"https://x/CBS/81075ned/$metadata#MeasureCodes","value":[{"Identifier":"T1","Title":"Werkloze beroepsbevolking"',
        '"Perioden";"Regio\'s";"Bevolking/Totale bevolking (aantal)"\n',
        "buurtcode;Wijken en buurten\n",
    ],
)
def test_other_tables_of_cbs_are_left_alone(text):
    assert not SOURCE.recognises(Head("x", text.encode()))


@pytest.mark.parametrize("name", ["download.zip", "99999NED.zip"])
def test_a_zip_is_recognised_by_the_first_line_in_it(payload, name):
    with as_zip(payload)[0].open() as stream:
        data = stream.read(4096)
    assert SOURCE.recognises(Head(name, data))
    assert not SOURCE.recognises(Head(name, data.replace(b"WijkenEnBuurtenCodes.csv", b"x" * 24)[:20]))
