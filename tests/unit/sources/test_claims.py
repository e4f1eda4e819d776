"""Which files each source takes."""

import pytest

from assets import all_sources
from groningen_data.sources import cbs_statline, ndw_datex, ndw_sites, outlines, signalen, utd19_loops
from groningen_data.sources.base import Head

SOURCES = list(all_sources().values())


def test_each_real_file_is_claimed_by_one_source_or_none(real):
    claimed: dict[str, list[str]] = {}
    for source in SOURCES:
        for path in source.find(real):
            claimed.setdefault(str(path.relative_to(real)), []).append(source.name)
    assert {name: sources for name, sources in claimed.items() if len(sources) > 1} == {}
    assert sorted(name for name in claimed if "assen_open_reports" not in name) == [
        "cbs/cbs.v3.84799NED_DataProperties.parquet",
        "cbs/cbs.v3.84799NED_Metadata.json",
        "cbs/cbs.v3.84799NED_TypedDataSet.parquet",
        "cbs/cbs.v3.84799NED_WijkenEnBuurten.parquet",
        "cbs/cbs.v4.83765NED_Dimensions.parquet",
        "cbs/cbs.v4.83765NED_MeasureCodes.parquet",
        "cbs/cbs.v4.83765NED_MeasureGroups.parquet",
        "cbs/cbs.v4.83765NED_Metadata.json",
        "cbs/cbs.v4.83765NED_WijkenEnBuurtenCodes.parquet",
        "cbs/cbs.v4.83765NED_WijkenEnBuurtenGroups.parquet",
        "cbs/cbs_schulden_Kaart_risico_GM.csv",
        "geo/groningen_buurten_2024.geojson",
        "traffic/gent_fietstelpaal-dampoort-zuid-2019.json.gz",
        "traffic/gent_fietstelpalen_locaties.json",
        "traffic/groningen_loops_utd19_2017-09-21.csv.gz",
        "traffic/ndw_dexter_intensiteit2019.csv.gz",
        "traffic/ndw_dexter_intensiteit2022.csv.gz",
        "traffic/ndw_dexter_intensiteit2023.csv.gz",
        "traffic/ndw_measurement_locations_derived.json.gz",
        "traffic/ndw_trafficspeed_datex2v2_soap_20170302T1442Z.xml.gz",
        "waste/amsterdam_schouwen_bijplaatsingen_2025.csv.gz",
        "waste/enevo_container_slots.json",
        "waste/enevo_container_types.json",
        "waste/enevo_containers.json",
        "waste/enevo_content_types.json",
        "waste/enevo_fill_levels.json",
        "waste/enevo_sites.json",
        "waste/kilogram_weigh.json",
        "waste/kilogram_weigh42.json",
        "waste/kilogram_weight0.json",
        "waste/prague_fill_levels.parquet",
        "waste/schiedam_containers_js_wrapped.geojson",
        "waste/sidcon_response.json",
        "weather/etmgeg_286.txt.gz",
        "weather/uurgeg_290_2021-202304_noheader.csv.gz",
    ]
    assert sum("assen_open_reports" in name for name in claimed) == 59


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            outlines,
            '{"type": "FeatureCollection", "features": [{"geometry": {"type": "MultiPolygon"}, "properties": {"BU_CODE": "BU0',
        ),
        (utd19_loops, "day,interval,detid,flow,occ,error,city,speed\n2020-01-01,0,A_1,1,1,,x,1\n"),
        (utd19_loops, "\ufeffdetid,day,interval,flow,occ,error,speed,extra\r\n"),
        (signalen, '[{"id": 1, "created_at": "x", "category_slug": "afval", "subcategory_slug": "dumping"}]'),
        (ndw_sites, '{"A_1": {"c": [6.5, 53.2], "n": "x", "lanes": 1}}'),
        (ndw_datex, '<?xml version="1.0"?><d2LogicalModel><payloadPublication xsi:type="MeasuredDataPublication">'),
        (
            cbs_statline,
            '{"odata.metadata":"https://x/85984NED/$metadata#T.TypedDataSet","value":[{"ID":0,"WijkenEnBuurten":"NL00"',
        ),
        (cbs_statline, '{"value": [{"ID": 1, "Identifier": "85984NED", "Title": "Kerncijfers wijken en buurten 2024"'),
    ],
)
def test_content_is_recognised_whatever_its_name(source, text):
    head = Head("x", text.encode())
    assert [s.name for s in SOURCES if s.recognises(head)] == [source.SOURCE.name]


@pytest.mark.parametrize(
    "text",
    [
        '{"odata.metadata":"https://x/84489NED/$metadata#T.TypedDataSet","value":[{"Woonplaatsen":"WP1925"}]}',
        '{"odata.metadata":"https://x/86113NED/$metadata#T.TypedDataSet","value":[{"WijkenEnBuurten":"NL00","Perioden":"2024"',
        '{"@odata.context": "https://x/#Properties", "Identifier": "83765NED", "Title": "Kerncijfers wijken en buurten"}',
        '[{"id": 1, "created_at": "x", "category_slug": "a", "subcategory_slug": "b", "resolved_date": "2026-05-18"}]',
        '{"type": "Topology", "objects": {"buurtcode": "BU00140000"}}',
        '{"type": "FeatureCollection", "features": [{"geometry": {"type": "Point"}, "properties": {"buurtcode": "BU00140000"}}]}',
        "id_meetlocatie,versie_meetlocatie,gem_intensiteit\n",
        "",
    ],
)
def test_files_without_a_table_are_left_alone(text):
    assert [s.name for s in SOURCES if s.recognises(Head("x", text.encode()))] == []
