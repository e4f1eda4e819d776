"""Weather of KNMI, per hour and per day."""

import gzip
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from checks.reference.weather_days import SUITE as DAYS_SUITE
from checks.reference.weather_hours import SUITE as HOURS_SUITE
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.reference.weather_days import ReferenceWeatherDays
from groningen_data.contracts.reference.weather_hours import ReferenceWeatherHours
from groningen_data.gate.judge import judge
from groningen_data.gate.recipe import BuildContext
from groningen_data.gate.suite import BatchFacts, Suite
from groningen_data.landing import Landing
from groningen_data.sample import weather
from groningen_data.sample.facts import City
from groningen_data.settings import load_settings
from groningen_data.sources import cbs_statline, ndw_datex, ndw_sites, outlines, signalen, utd19_loops
from groningen_data.sources.base import Head
from groningen_data.sources.knmi import DAYS, HOURS, parse_days, parse_hours

PROSE = (
    "BRON: KNMI\r\nOpmerking: deze reeks van gemeten waarden, per uur, is niet ge\r\nschikt voor trendanalyse.\r\n"
    "YYYYMMDD  = datum (YYYY=jaar,MM=maand,DD=dag)\r\n\r\n"
)
HEADER = "# STN,YYYYMMDD,   HH,   DD,   FH,   FX,    T,   SQ,   RH,    U\r\n"
ROW = "  280,20260701,    1,  270,   40,   90,  155,    3,   12,   81\r\n"
HOUR_FILE = PROSE + HEADER + "\r\n" + ROW

DAY_HEADER = "# STN,YYYYMMDD,   FG,  FXX,   TG,   TN,   TX,   SQ,   RH,  RHX,   PG, EV24\r\n"
DAY_ROW = "  280,20260701,   31,   90,  175,  101,  243,  112,   24,   -1,10153,   41\r\n"
DAY_FILE = PROSE + DAY_HEADER + "\r\n" + DAY_ROW

RECORD = {"station_code": 280, "date": "2026-07-01T00:00:00.000Z", "hour": 1, "DD": 270, "FH": 40, "FX": 90, "T": 155}
RECORD |= {"SQ": 3, "RH": 12, "U": 81}
DAY_RECORD = {"station_code": 280, "date": "20260701", "FG": 31, "TG": 175, "RH": 24}
NO_HEADER = "  280,20260701,    1,  270,   40,   40,   90,  155,     ,  110,    3,   20,    0,   12,10150,   70,    5,   81"
NO_HEADER += ",     ,    5,    0,    1,    0,    0,    0\r\n"


def hours(payloads, context, key="2026/280") -> pl.DataFrame:
    return pl.concat(list(parse_hours(payloads, key, context)))


def days(payloads, context, key="2026/280") -> pl.DataFrame:
    return pl.concat(list(parse_days(payloads, key, context)))


def hour_file(payload, *rows: str, header: str = HEADER, name: str = "uurgeg_280.txt"):
    return payload(HOURS, name, (PROSE + header + "".join(f"{row}\r\n" for row in rows)).encode())


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def zipped(*names: str, text: str = HOUR_FILE) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


HOUR_DIALECTS = {
    "prose header": HOUR_FILE.encode(),
    "header without hash": HOUR_FILE.replace("# STN", "STN").encode(),
    "unix lines": HOUR_FILE.replace("\r\n", "\n").encode(),
    "byte-order mark": b"\xef\xbb\xbf" + HOUR_FILE.encode(),
    "legend in latin-1": HOUR_FILE.replace("Opmerking", "Opmérking").encode("latin-1"),
    "gzip": gzip.compress(HOUR_FILE.encode(), mtime=0),
    "zip": zipped("uurgeg_280_2021-2030.txt"),
    "semicolons": (HEADER + ROW).replace(",", ";").encode(),
    "script with hash lines": ("# BRON: KNMI\n# STN  LON(east)  LAT(north)\n#\n" + HEADER + "#\n" + ROW).encode(),
    "other order and more columns": b"STN,YYYYMMDD,HH,U,RH,SQ,T,FX,FH,DD,NEW\n280,20260701,1,81,12,3,155,90,40,270,8\n",
    "closed by a separator": b"STN,YYYYMMDD,HH,DD,FH,FX,T,SQ,RH,U,\n280,20260701,01,270,40,90,155,3,12,81,\n",
    "quoted": b'"STN","YYYYMMDD","HH","DD","FH","FX","T","SQ","RH","U"\n"280","20260701","1","270","40","90","155","3","12","81"\n',
    "no header": NO_HEADER.encode(),
    "json": js([RECORD]),
    "json with a compact date": js([RECORD | {"date": "20260701"}]),
    "json with texts": js([{k: str(v) for k, v in RECORD.items()}]),
}


@pytest.mark.parametrize("dialect", HOUR_DIALECTS)
def test_an_hour_is_the_same_in_every_dialect(payload, context, dialect):
    delivered = payload(HOURS, "anything", HOUR_DIALECTS[dialect])
    assert delivered.batches == ("2026/280",)
    row = hours([delivered], context()).row(0, named=True)
    assert row["_problems"] == []
    assert (row["station_code"], row["hour_start_at"]) == (280, datetime(2026, 7, 1, 0, tzinfo=UTC))
    assert (row["local_date"], row["local_hour"], row["weekday"], row["year"]) == (date(2026, 7, 1), 2, 3, 2026)
    assert (row["temperature_c"], row["precipitation_mm"], row["sunshine_h"], row["humidity_pct"]) == (15.5, 1.2, 0.3, 81.0)
    assert (row["wind_speed_m_s"], row["wind_gust_m_s"], row["wind_direction_deg"]) == (4.0, 9.0, 270.0)


DAY_DIALECTS = {
    "prose header": DAY_FILE.encode(),
    "script": ("# BRON: KNMI\n" + DAY_HEADER + DAY_ROW).encode(),
    "semicolons": (DAY_HEADER + DAY_ROW).replace(",", ";").encode(),
    "no header": (
        b"  280,20260701,  250,   30,   31,   40,    1,   20,    2,   90,    3,  175,  101,    4,  243,   14,   90,    6,  112,"
        b"   70, 2000,    5,   24,   -1,    7,10153,10200,    1,10100,   24,   50,    3,   80,   12,    4,   80,   95,    4,"
        b"   60,   14,   41\r\n"
    ),
    "json": js([DAY_RECORD]),
}


@pytest.mark.parametrize("dialect", DAY_DIALECTS)
def test_a_day_is_the_same_in_every_dialect(payload, context, dialect):
    delivered = payload(DAYS, "anything", DAY_DIALECTS[dialect])
    assert delivered.batches == ("2026/280",)
    row = days([delivered], context()).row(0, named=True)
    assert row["_problems"] == []
    assert (row["station_code"], row["observed_on"], row["weekday"]) == (280, date(2026, 7, 1), 3)
    assert (row["mean_temperature_c"], row["precipitation_mm"], row["mean_wind_speed_m_s"]) == (17.5, 2.4, 3.1)


def test_a_day_has_its_extremes(payload, context):
    row = days([payload(DAYS, "etmgeg_280.txt", DAY_FILE.encode())], context()).row(0, named=True)
    assert (row["min_temperature_c"], row["max_temperature_c"], row["max_wind_gust_m_s"]) == (10.1, 24.3, 9.0)
    assert (row["sunshine_h"], row["mean_pressure_hpa"], row["evaporation_mm"]) == (11.2, 1015.3, 4.1)
    assert (row["max_hourly_precipitation_mm"], row["max_hourly_precipitation_missing_reason"]) == (None, "trace")


@pytest.mark.parametrize(
    ("dialects", "source", "other"), [(HOUR_DIALECTS, HOURS, DAYS), (DAY_DIALECTS, DAYS, HOURS)], ids=["hours", "days"]
)
def test_content_is_recognised_by_one_of_the_two_whatever_its_name(dialects, source, other):
    for name, data in dialects.items():
        if name not in ("gzip", "zip"):
            head = Head("x", data)
            assert (name, source.recognises(head), other.recognises(head)) == (name, True, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id,date,hour\n1,20260701,1\n",
        "| Veld | Omschrijving |\n| YYYYMMDD | datum |\n",
        "1,20260701,1,2,3\n",
        '[{"station_code": 1, "date": "2026-07-01", "bicycles": 3}]',
        '[{"datum": "2026-07-01", "hour": 1, "T": 3}]',
        '{"station_code": 280, "date": "2026-07-01", "hour": 1, "T": 3}',
    ],
)
def test_what_is_no_weather_is_left_alone(text):
    assert not HOURS.recognises(Head("x", text.encode())) and not DAYS.recognises(Head("x", text.encode()))


def test_hours_are_numbered_by_their_end(payload, context):
    rows = [ROW.strip().replace("20260701,    1", f"20251231,   {h}") for h in (1, 23, 24)]
    found = hours([hour_file(payload, *rows)], context(), "2025/280")
    assert found["hour_start_at"].dt.hour().to_list() == [0, 22, 23]
    assert found["year"].to_list() == [2025] * 3
    assert found["local_date"].to_list() == [date(2025, 12, 31), date(2025, 12, 31), date(2026, 1, 1)]


def test_the_local_clock_skips_and_repeats_an_hour(payload, context):
    spring = [ROW.strip().replace("20260701,    1", f"20260329,    {h}") for h in (1, 2)]
    autumn = [ROW.strip().replace("20260701,    1", f"20261025,    {h}") for h in (1, 2)]
    assert hours([hour_file(payload, *spring, *autumn)], context())["local_hour"].to_list() == [1, 3, 2, 2]


def test_less_than_half_a_tenth_is_a_trace_and_not_dry(payload, context):
    row = hours([hour_file(payload, "280,20260701,1,270,40,90,-1,-1,-1,81")], context()).row(0, named=True)
    assert (row["precipitation_mm"], row["precipitation_missing_reason"]) == (None, "trace")
    assert (row["sunshine_h"], row["sunshine_missing_reason"]) == (None, "trace")
    assert (row["temperature_c"], row["temperature_missing_reason"]) == (-0.1, None)


@pytest.mark.parametrize(
    ("values", "temperature", "precipitation"),
    [
        ("270,40,90,,0,,81", "not_measured", "not_measured"),
        (",,,,,,", "not_delivered", "not_delivered"),
        ("270,40,90,155,0,0,81", None, None),
    ],
)
def test_what_is_blank_says_why(payload, context, values, temperature, precipitation):
    row = hours([hour_file(payload, f"280,20260701,1,{values}")], context()).row(0, named=True)
    assert (row["temperature_missing_reason"], row["precipitation_missing_reason"]) == (temperature, precipitation)
    assert (row["temperature_c"] is None) == (temperature is not None)


def test_a_measure_without_a_column_is_not_delivered(payload, context):
    made = context()
    row = hours([hour_file(payload, "280,20260701,1,155", header="# STN,YYYYMMDD,HH,T\r\n")], made).row(0, named=True)
    assert (row["temperature_c"], row["precipitation_missing_reason"]) == (15.5, "not_delivered")
    assert row["has_rain"] is None and row["_problems"] == []
    assert made.notes["columns_not_delivered"].startswith("DD, FH, FX, TD, SQ")


@pytest.mark.parametrize(("code", "reason"), [("0", "calm"), ("990", "variable"), ("", "not_measured"), ("360", None)])
def test_wind_without_a_direction_says_why(payload, context, code, reason):
    row = hours([hour_file(payload, f"280,20260701,1,{code},40,90,155,3,12,81")], context()).row(0, named=True)
    assert row["wind_direction_missing_reason"] == reason
    assert row["wind_direction_deg"] == (None if reason else 360.0)


def test_a_year_is_put_together_from_all_deliveries(payload, context):
    whole = hour_file(payload, "280,20260701,1,270,40,90,155,3,12,81", "280,20260701,2,270,40,90,150,3,0,81")
    part = hour_file(payload, "280,20260701,2,270,40,90,149,3,0,81", "280,20260701,3,270,40,90,140,3,0,81")
    made = context()
    found = hours([whole, part], made)
    assert found["temperature_c"].to_list() == [15.5, 14.9, 14.0]
    assert (made.notes["rows_read"], made.notes["rows_replaced_by_a_later_delivery"]) == (4, 1)
    assert hours([part, whole], context())["temperature_c"].to_list() == [15.5, 15.0, 14.0]


def test_a_later_delivery_does_not_take_away_what_it_has_no_column_for(payload, context):
    whole = hour_file(payload, "280,20260701,1,270,40,90,155,3,12,81")
    script = payload(HOURS, "json", js([{"station_code": 280, "date": "2026-07-01", "hour": 1, "T": 151, "RH": None}]))
    row = hours([whole, script], context()).row(0, named=True)
    assert (row["temperature_c"], row["wind_speed_m_s"]) == (15.1, 4.0)
    assert (row["precipitation_mm"], row["precipitation_missing_reason"]) == (None, "not_measured")


def test_doubles_within_one_delivery_are_left_to_the_gate(payload, context):
    twice = hour_file(payload, "280,20260701,1,270,40,90,155,3,12,81", "280,20260701,1,270,40,90,150,3,12,81")
    assert hours([twice], context())["temperature_c"].to_list() == [15.5, 15.0]
    mended = hour_file(payload, "280,20260701,1,270,40,90,150,3,12,81")
    assert hours([twice, mended], context())["temperature_c"].to_list() == [15.0]


def test_each_year_of_each_station_is_a_batch(payload, context):
    both = hour_file(
        payload,
        "280,20251231,24,270,40,90,10,3,12,81",
        "280,20260101,1,270,40,90,20,3,12,81",
        "286,20260101,1,270,40,90,30,3,12,81",
    )
    assert both.batches == ("2025/280", "2026/280", "2026/286")
    assert hours([both], context(), "2026/286")["temperature_c"].to_list() == [3.0]


MARKED = [
    ("280,20260701,1,270,40,90,warm,3,12,81", ["temperature_c.type"]),
    ("280,20260701,25,270,40,90,155,3,12,81", ["hour_start_at.hour"]),
    ("280,20260701,,270,40,90,155,3,12,81", ["hour_start_at.hour"]),
    ("280,20260701,1.5,270,40,90,155,3,12,81", ["hour_start_at.hour"]),
    ("280,20260231,1,270,40,90,155,3,12,81", ["hour_start_at.day"]),
    ("280,1 juli,1,270,40,90,155,3,12,81", ["hour_start_at.day"]),
    ("Eelde,20260701,1,270,40,90,155,3,12,81", ["station_code.type"]),
    ("280,20260701,1,270,40,90,155,3,12", ["row.fields"]),
    ("280,20260701,1,270,40,90,155,3,12,81,7,8", ["row.fields"]),
    ("KNMI", ["row.fields", "station_code.type", "hour_start_at.day", "hour_start_at.hour"]),
]


@pytest.mark.parametrize(("line", "problems"), MARKED)
def test_a_broken_row_is_kept_and_marked(payload, context, line, problems):
    delivered = hour_file(payload, line, "280,20260701,9,270,40,90,155,3,12,81")
    assert delivered.batches == ("2026/280",)
    found = hours([delivered], context())
    assert found.height == 2
    row = found.filter(pl.col("_problems").list.len() > 0).row(0, named=True)
    assert row["_problems"] == problems
    assert line.split(",")[0] in row["_original"]


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("270,40,90,155,3,-5,81", "precipitation_mm.greater_than_or_equal_to"),
        ("270,40,90,155,3,12,101", "humidity_pct.less_than_or_equal_to"),
        ("270,40,90,999,3,12,81", "temperature_c.less_than_or_equal_to"),
        ("400,40,90,155,3,12,81", "wind_direction_deg.less_than_or_equal_to"),
        ("270,40,90,inf,3,12,81", "temperature_c.type"),
    ],
)
def test_an_impossible_value_is_quarantined_by_the_contract(payload, context, values, rule):
    found = hours([hour_file(payload, f"280,20260701,1,{values}", ROW.strip().replace(",    1,", ",    2,"))], context())
    judged = judge(ReferenceWeatherHours, found)
    assert (judged.accepted.height, judged.quarantined["rules"].to_list()) == (1, [[rule]])


def test_an_unknown_weather_mark_is_marked(payload, context):
    found = hours([payload(HOURS, "uurgeg_280.txt", NO_HEADER.replace("    0,    1,", "    0,    7,").encode())], context())
    assert found["_problems"].to_list() == [["marks.unknown"]]
    assert found["has_rain"].to_list() == [None]


def test_rows_without_a_day_count_once_and_only_until_the_file_is_delivered_anew(payload, context):
    broken = hour_file(payload, "280,20250101,1,270,40,90,155,3,12,81", "280,morgen,1,270,40,90,155,3,12,81", ROW.strip())
    assert hours([broken], context(), "2025/280").height == 2
    assert hours([broken], context(), "2026/280").height == 1
    mended = hour_file(payload, "280,20250101,1,270,40,90,155,3,12,81", ROW.strip())
    made = context()
    assert hours([broken, mended], made, "2025/280").height == 1
    assert made.notes["rows_without_day_or_station"] == 1


REFUSED = [
    (HOURS, b"", "is empty"),
    (HOURS, (PROSE + HEADER).encode(), "no rows"),
    (HOURS, (HOUR_FILE + ROW)[:-25].encode(), "cut off in its last line"),
    (HOURS, gzip.compress(HOUR_FILE.encode() * 50, mtime=0)[:-20], "gzip stream is broken"),
    (HOURS, zipped("a.txt", "b.txt"), "a zip of 2 files"),
    (HOURS, zipped("a.txt", text=HOUR_FILE * 9)[:-40], "is no complete zip"),
    (HOURS, HOUR_FILE.encode("utf-16"), "not UTF-8"),
    (HOURS, b"<html><body>Not found</body></html>", "has no line with column names"),
    (HOURS, PROSE.encode(), "has no line with column names"),
    (HOURS, NO_HEADER.replace(",     ,    5", ",    5").encode(), "not the 25 columns of hours"),
    (HOURS, HOUR_FILE.replace("   HH,", " UUR,").encode(), r"misses column\(s\) HH; new are UUR"),
    (HOURS, DAY_FILE.encode(), r"misses column\(s\) HH"),
    (HOURS, b"STN,YYYYMMDD,HH,VV\n280,20260701,1,70\n", "has none of the measures DD, FH"),
    (HOURS, HOUR_FILE.replace("20260701", "1 juli").encode(), "no row with a readable station and day"),
    (HOURS, js([]), "lists no measurements"),
    (HOURS, js([RECORD])[:-9], "not complete JSON"),
    (HOURS, js({"error": "te veel gevraagd"}), "not a list of measurements"),
    (HOURS, js([{"station_code": 280, "hour": 1, "T": 3}]), r"misses column\(s\) YYYYMMDD"),
    (DAYS, b"", "is empty"),
    (DAYS, HOUR_FILE.encode(), "holds hours, not days"),
    (DAYS, DAY_FILE.replace("YYYYMMDD,", "DATUM,", 1).replace("STN,YYYYMMDD", "STN,DATUM").encode(), "no line with column names"),
    (DAYS, DAY_FILE[:-25].encode(), "cut off in its last line"),
]


@pytest.mark.parametrize(("source", "data", "phrase"), REFUSED, ids=range(len(REFUSED)))
def test_a_broken_payload_is_refused_with_its_reason(payload, source, data, phrase):
    delivered = payload(source, "weather.txt", data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")
    assert delivered.way_out


def test_a_record_that_is_no_object_is_marked(payload, context):
    found = hours([payload(HOURS, "x.json", js([RECORD, None]))], context())
    assert sorted(found["_problems"].list.len().to_list()) == [0, 4]


def test_the_real_hours_are_read_completely(real_payloads, context):
    (delivered,) = real_payloads(HOURS)
    assert (delivered.name, delivered.batches) == (
        "uurgeg_290_2021-202304_noheader.csv.gz",
        ("2021/290", "2022/290", "2023/290"),
    )
    found = [hours([delivered], context(), key) for key in delivered.batches]
    assert [f.height for f in found] == [8_760, 8_760, 2_232]
    both = pl.concat(found)
    assert both.height == 19_752 == both["hour_start_at"].n_unique()
    assert both["_problems"].list.len().sum() == 0
    assert judge(ReferenceWeatherHours, both).accepted.height == 19_752
    assert both["temperature_c"].count() == 19_632
    assert both["temperature_c"].mean() == pytest.approx(10.1799, abs=1e-4)
    assert (both["temperature_c"] == -0.1).sum() == 49
    assert both["precipitation_mm"].sum() == pytest.approx(1_607.1, abs=0.01)
    assert reasons(both, "precipitation") == {"trace": 1_836, "not_delivered": 112, "not_measured": 10}
    assert reasons(both, "wind_direction") == {"calm": 760, "variable": 316, "not_delivered": 112, "not_measured": 8}
    assert both["has_snow"].sum() > 0


def test_the_real_days_are_read_completely(real_payloads, context):
    (delivered,) = real_payloads(DAYS)
    assert (delivered.name, len(delivered.batches)) == ("etmgeg_286.txt.gz", 37)
    found = pl.concat([days([delivered], context(), key) for key in delivered.batches])
    assert (found.height, found["observed_on"].min(), found["observed_on"].max()) == (13_325, date(1990, 1, 1), date(2026, 6, 25))
    assert found["_problems"].list.len().sum() == 0
    assert judge(ReferenceWeatherDays, found).accepted.height == 13_325
    assert found["mean_temperature_c"].count() == 13_291
    assert found["precipitation_mm"].sum() == pytest.approx(26_496.3, abs=0.01)
    assert reasons(found, "precipitation") == {"trace": 767, "not_measured": 428, "not_delivered": 23}
    assert found["mean_pressure_hpa"].count() == 0


def reasons(frame: pl.DataFrame, what: str) -> dict[str, int]:
    return dict(frame[f"{what}_missing_reason"].drop_nulls().value_counts().iter_rows())


def test_no_real_file_of_another_source_is_claimed(real):
    others = [m.SOURCE for m in (cbs_statline, ndw_datex, ndw_sites, outlines, signalen, utd19_loops)]
    mine = [path for source in (HOURS, DAYS) for path in source.find(real)]
    assert sorted(path.name for path in mine) == ["etmgeg_286.txt.gz", "uurgeg_290_2021-202304_noheader.csv.gz"]
    assert not {path for source in others for path in source.find(real / "weather")}


def test_the_columns_are_those_of_the_contracts(payload, context):
    extra = {"_problems", "_original"}
    found = hours([payload(HOURS, "a", HOUR_FILE.encode())], context())
    assert set(found.columns) - extra == set(polars_schema(ReferenceWeatherHours))
    found = days([payload(DAYS, "a", DAY_FILE.encode())], context())
    assert set(found.columns) - extra == set(polars_schema(ReferenceWeatherDays))


NOW = datetime(2026, 5, 2, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, pl.DataFrame]:
    """Hours and days of four months of the sample city's weather."""
    january = [date(2026, 1, 1) + timedelta(days=n) for n in range(1, 120)]
    files = weather.payloads(City(14, tuple(january), ZoneInfo("Europe/Amsterdam"), (), ()))
    landing = Landing(tmp_path_factory.mktemp("landing"))
    context = BuildContext(load_settings(data_dir=tmp_path_factory.mktemp("data")), lambda table: pl.DataFrame())
    found = {}
    for path, data in files:
        source, parse = (HOURS, parse_hours) if "uurgeg" in path else (DAYS, parse_days)
        delivered = source._with_batches(landing.land(source.name, path.rsplit("/", 1)[1], io.BytesIO(data)))
        assert delivered.batches == ("2026/280",)
        rows = pl.concat(list(parse([delivered], "2026/280", context)))
        assert rows["_problems"].list.len().sum() == 0
        found[source.name] = rows.drop("_problems", "_original")
    return found


def unexpected(
    suite: Suite, name: str, batch: pl.DataFrame, published: pl.DataFrame, now: datetime = NOW, calendar_ends: str = "2027-12-31"
) -> int:
    """How many rows the query of an expectation finds in a batch."""
    (expectation,) = (e for e in suite if e.name == name)
    facts = BatchFacts("2026/280", None, batch.height, (), now, "GM0014")
    arguments = expectation.arguments(facts)
    assert arguments is not None
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core")
        connection.register("batch", batch.to_arrow())
        connection.register("published", published.to_arrow())
        table = "reference_weather_hours" if suite is HOURS_SUITE else "reference_weather_days"
        connection.execute(f"CREATE TABLE lake.core.{table} AS FROM published")
        connection.execute(
            "CREATE TABLE lake.core.reference_calendar AS SELECT unnest(generate_series(DATE '2026-01-01', "
            f"DATE '{calendar_ends}', INTERVAL 1 DAY))::DATE AS calendar_on"
        )
        return len(connection.execute(arguments["unexpected_rows_query"].format(batch="batch")).fetchall())


@pytest.mark.parametrize(("suite", "source"), [(HOURS_SUITE, HOURS), (DAYS_SUITE, DAYS)], ids=["hours", "days"])
def test_believable_weather_passes_its_suite(good, suite, source):
    batch = good[source.name]
    queries = [e.name for e in suite if e.type == "unexpected_rows_expectation"]
    assert len(suite) >= 10 and len(queries) >= 10
    assert {name: unexpected(suite, name, batch, batch) for name in queries} == dict.fromkeys(queries, 0)


def changed(**values: pl.Expr | float | str | None):
    return lambda batch: batch.with_columns(**{k: v if isinstance(v, pl.Expr) else pl.lit(v) for k, v in values.items()})


BAD_HOURS = {
    "whole_days": lambda batch: batch.filter(pl.col("hour_start_at") != datetime(2026, 2, 3, 4, tzinfo=UTC)),
    "most_precipitation_is_there": changed(precipitation_missing_reason="not_measured"),
    "believable_temperatures": changed(temperature_c=pl.col("temperature_c") * 10),
    "believable_precipitation": changed(precipitation_mm=pl.col("precipitation_mm") * 100),
    "believable_wind": changed(wind_speed_m_s=0.0),
    "believable_humidity": changed(humidity_pct=10.0),
    "weather_changes": changed(temperature_c=3.0),
    "missing_values_say_why": changed(sunshine_h=None, sunshine_missing_reason=None),
    "no_sun_at_night": changed(sunshine_h=0.5),
    "brightest_at_noon": changed(hour_start_at=pl.col("hour_start_at").dt.offset_by("3h")),
    "dew_point_below_temperature": changed(dew_point_c=pl.col("temperature_c") + 2),
}
BAD_DAYS = {
    "no_day_is_missing": lambda batch: batch.filter(pl.col("observed_on") != date(2026, 2, 3)),
    "most_precipitation_is_there": changed(precipitation_missing_reason="not_delivered"),
    "believable_temperatures": changed(mean_temperature_c=pl.col("mean_temperature_c") * 10),
    "mean_between_lowest_and_highest": changed(max_temperature_c=pl.col("min_temperature_c") - 1),
    "believable_precipitation": changed(precipitation_mm=0.0),
    "highest_hour_within_the_day": changed(max_hourly_precipitation_mm=pl.col("precipitation_mm") + 1),
    "believable_wind": changed(mean_wind_speed_m_s=30.0),
    "gusts_above_the_mean": changed(max_wind_gust_m_s=0.0),
    "weather_changes": changed(mean_temperature_c=3.0),
    "missing_values_say_why": changed(mean_temperature_c=None),
    "short_winter_days": changed(observed_on=pl.lit(date(2026, 12, 3)), sunshine_h=9.0),
}


@pytest.mark.parametrize(
    ("suite", "source", "name", "spoil"),
    [
        *((HOURS_SUITE, HOURS, name, spoil) for name, spoil in BAD_HOURS.items()),
        *((DAYS_SUITE, DAYS, name, spoil) for name, spoil in BAD_DAYS.items()),
    ],
    ids=[*(f"hours-{name}" for name in BAD_HOURS), *(f"days-{name}" for name in BAD_DAYS)],
)
def test_what_cannot_be_is_found_by_its_expectation(good, suite, source, name, spoil):
    batch = good[source.name]
    assert unexpected(suite, name, spoil(batch), batch) > 0


@pytest.mark.parametrize(
    ("suite", "source", "temperature"),
    [(HOURS_SUITE, HOURS, "temperature_c"), (DAYS_SUITE, DAYS, "mean_temperature_c")],
    ids=["hours", "days"],
)
def test_a_month_is_compared_with_other_years_once_there_are_three(good, suite, source, temperature):
    batch = good[source.name]
    warmer = [batch.with_columns(pl.col(temperature) + 12, year=pl.lit(year, pl.Int64)) for year in (2023, 2024, 2025)]
    name = "like_the_same_month_of_other_years"
    assert unexpected(suite, name, batch, pl.concat(warmer[:2])) == 0
    assert unexpected(suite, name, batch, pl.concat(warmer)) == 4


@pytest.mark.parametrize(("suite", "source"), [(HOURS_SUITE, HOURS), (DAYS_SUITE, DAYS)], ids=["hours", "days"])
def test_weather_is_recent_but_not_of_the_future_and_its_days_are_in_the_calendar(good, suite, source):
    batch = good[source.name]
    assert unexpected(suite, "up_to_date", batch, batch, now=datetime(2026, 5, 9, tzinfo=UTC)) == 1
    assert unexpected(suite, "not_in_the_future", batch, batch, now=datetime(2026, 4, 29, tzinfo=UTC)) > 0
    assert unexpected(suite, "days_are_in_the_calendar", batch, batch, calendar_ends="2026-04-29") > 0


@pytest.mark.parametrize("suite", [HOURS_SUITE, DAYS_SUITE], ids=["hours", "days"])
def test_a_year_that_is_not_over_may_be_short(suite):
    (volume,) = (e for e in suite if e.name == "usual_volume")
    earlier = (8760, 8784, 8760)
    assert volume.arguments(BatchFacts("2026/280", None, 1, earlier, NOW, "GM0014")) == {"min_value": 0, "max_value": 13_141}
    assert volume.arguments(BatchFacts("2025/280", None, 1, earlier, NOW, "GM0014")) == {"min_value": 4_380, "max_value": 13_141}
    assert volume.arguments(BatchFacts("2025/280", None, 1, earlier[:2], NOW, "GM0014")) is None
