"""NDW's export of historical counts."""

import gzip
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.ndw_historical import SOURCE, parse_historical_counts

USUAL = {
    "id_meetlocatie": "RWS01_A",
    "ndw_index": "F1A",
    "start_meetperiode": "2019-09-16 08:00:00",
    "eind_meetperiode": "2019-09-16 09:00:00",
    "gebruikte_minuten_intensiteit": "60.0",
    "data_error_snelheid": "0",
    "data_error_intensiteit": "0",
    "gem_intensiteit": "120.0",
    "gem_snelheid": "98.5",
    "gewogen_gem_snelheid": "-1.0",
    "rijstrook_rijbaan": "lane1",
    "voertuigcategorie": "anyVehicle",
    "technical_exclusion": "",
}


def csv(*rows: dict, separator: str = ",") -> bytes:
    """An export; the first row tells the columns."""

    def quoted(value: str) -> str:
        return f'"{value}"' if separator in value else value

    lines = [separator.join(rows[0])] + [separator.join(quoted(row[c]) for c in rows[0]) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def rows(payloads, context, key: str | None = None) -> pl.DataFrame:
    keys = [key] if key else payloads[0].batches
    return pl.concat(frame for k in keys for frame in parse_historical_counts(payloads, k, context()))


def one(payload, context, **changed: str) -> dict:
    return rows([payload(SOURCE, "a.csv", csv(USUAL | changed))], context).row(0, named=True)


def test_an_hour_of_a_series_becomes_a_row(payload, context):
    row = one(payload, context)
    assert (row["source_code"], row["site_id"], row["series_code"]) == ("ndw_historical", "RWS01_A", "F1A")
    assert row["interval_start_at"] == datetime(2019, 9, 16, 6, tzinfo=UTC)
    assert (row["local_date"], row["local_hour"], row["weekday"]) == (date(2019, 9, 16), 8, 1)
    assert (row["period_s"], row["vehicles"], row["flow_veh_h"], row["measured_minutes"]) == (3600, 120.0, 120.0, 60.0)
    assert (row["speed_km_h"], row["weighted_speed_km_h"]) == (98.5, None)
    assert (row["vehicle_class"], row["lane_code"], row["_problems"]) == ("any", "lane1", [])


@pytest.mark.parametrize(
    ("end", "seconds", "vehicles"),
    [("08:15:00", 900, 30.0), ("08:01:00", 60, 2.0), ("08:05:00.0", 300, 10.0), ("09:00", 3600, 120.0)],
)
def test_flow_per_hour_becomes_vehicles_in_the_period(payload, context, end, seconds, vehicles):
    row = one(payload, context, eind_meetperiode=f"2019-09-16 {end}")
    assert (row["period_s"], row["vehicles"], row["flow_veh_h"]) == (seconds, vehicles, 120.0)


@pytest.mark.parametrize(
    ("changed", "flow_reason", "speed_reason"),
    [
        ({"technical_exclusion": "i,v", "gem_intensiteit": "", "gem_snelheid": ""}, "excluded", "excluded"),
        ({"technical_exclusion": "i, v"}, "excluded", "excluded"),
        ({"technical_exclusion": "i"}, "excluded", None),
        ({"technical_exclusion": "v"}, None, "excluded"),
        ({"technical_exclusion": "x"}, "excluded", "excluded"),
        ({"data_error_intensiteit": "1", "data_error_snelheid": "1", "gem_intensiteit": "-1.0"}, "data_error", "data_error"),
        ({"data_error_snelheid": "1.0"}, None, "data_error"),
        ({"gem_intensiteit": "-1.0", "gem_snelheid": "-1.0"}, "no_input", "no_input"),
        ({"gem_intensiteit": "0.0", "gem_snelheid": "-1.0"}, None, "no_vehicles"),
        ({"gem_intensiteit": "", "gem_snelheid": " "}, "not_delivered", "not_delivered"),
        ({"gem_intensiteit": "NaN"}, "not_a_number", None),
    ],
)
def test_a_value_that_is_not_there_says_why(payload, context, changed, flow_reason, speed_reason):
    row = one(payload, context, **changed)
    assert (row["flow_missing_reason"], row["speed_missing_reason"]) == (flow_reason, speed_reason)
    assert (row["flow_veh_h"] is None, row["vehicles"] is None) == (flow_reason is not None, flow_reason is not None)
    assert (row["speed_km_h"] is None) == (speed_reason is not None)
    assert row["_problems"] == []


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"gem_intensiteit": "veel"}, ["flow_veh_h.type"]),
        ({"gem_intensiteit": "-7"}, ["flow_veh_h.greater_than_or_equal_to"]),
        ({"gem_snelheid": "hard"}, ["speed_km_h.type"]),
        ({"eind_meetperiode": "later"}, ["period_s.type"]),
        ({"data_error_intensiteit": "2"}, ["data_error.unknown"]),
        (
            {"start_meetperiode": "2019-03-31 02:00:00", "eind_meetperiode": "2019-03-31 03:00:00"},
            ["interval_start_at.nonexistent"],
        ),
    ],
)
def test_a_broken_row_is_kept_and_marked(payload, context, changed, problems):
    row = one(payload, context, **changed)
    assert row["_problems"] == problems
    assert all(value in row["_original"] for value in changed.values())


@pytest.mark.parametrize(
    ("start", "end", "instant", "seconds"),
    [
        ("2019-03-31 01:00", "2019-03-31 03:00", datetime(2019, 3, 31, 0, tzinfo=UTC), 3600),
        ("2019-03-31 03:00", "2019-03-31 04:00", datetime(2019, 3, 31, 1, tzinfo=UTC), 3600),
        ("2019-10-27 02:00", "2019-10-27 03:00", datetime(2019, 10, 27, 0, tzinfo=UTC), 3600),
        ("2019-10-27 02:45", "2019-10-27 02:00", datetime(2019, 10, 27, 0, 45, tzinfo=UTC), 900),
        ("2019-10-27 03:00", "2019-10-27 04:00", datetime(2019, 10, 27, 2, tzinfo=UTC), 3600),
    ],
)
def test_days_on_which_clocks_change(payload, context, start, end, instant, seconds):
    row = one(payload, context, start_meetperiode=start, eind_meetperiode=end)
    assert (row["interval_start_at"], row["period_s"]) == (instant, seconds)


def test_an_hour_that_comes_twice_is_told_by_the_order_of_the_file(payload, context):
    twice = USUAL | {"start_meetperiode": "2019-10-27 02:00:00", "eind_meetperiode": "2019-10-27 03:00:00"}
    found = rows([payload(SOURCE, "a.csv", csv(twice, twice | {"gem_intensiteit": "60.0"}))], context)
    assert found.select("interval_start_at", "flow_veh_h").rows() == [
        (datetime(2019, 10, 27, 0, tzinfo=UTC), 120.0),
        (datetime(2019, 10, 27, 1, tzinfo=UTC), 60.0),
    ]


def test_columns_may_come_in_any_order_with_others_between(payload, context):
    wide = {"extra": "1,5", **dict(reversed(USUAL.items())), "versie_meetlocatie": "3", "totaal_aantal_rijstroken": "2"}
    wide |= {"naam_meetlocatie": "A10 km 3.3", "start_locatie_latitude": "52.3", "start_locatie_longitude": "4.9"}
    row = rows([payload(SOURCE, "a.csv", b"\xef\xbb\xbf" + csv(wide).replace(b"\n", b"\r\n"))], context).row(0, named=True)
    assert (row["site_version"], row["lanes"], row["site_name"]) == (3, 2, "A10 km 3.3")
    assert (row["longitude"], row["latitude"], row["flow_veh_h"]) == (4.9, 52.3, 120.0)


@pytest.mark.parametrize(("lane", "expected"), [("Hardshoulder ", "hardShoulder"), ("lane4", "lane4"), ("", None)])
def test_lanes_are_spelled_as_in_the_site_table(payload, context, lane, expected):
    assert one(payload, context, rijstrook_rijbaan=lane)["lane_code"] == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("anyVehicle", "any"), ("", "unknown"), ("<= 5.6 m", "up_to_5.6_m"), ("5.6 m - 12.2 m", "5.6_m_12.2_m")],
)
def test_vehicle_classes_keep_their_own_names(payload, context, name, expected):
    assert one(payload, context, voertuigcategorie=name)["vehicle_class"] == expected


def test_exports_of_one_day_complete_each_other_and_the_last_counts(payload, context):
    files = [
        payload(SOURCE, "a.csv", csv(USUAL, USUAL | {"id_meetlocatie": "B"})),
        payload(SOURCE, "b.csv", csv(USUAL | {"gem_intensiteit": "240.0"}, separator=";")),
    ]
    found = rows(files, context).sort("site_id")
    assert found.select("site_id", "flow_veh_h").rows() == [("B", 120.0), ("RWS01_A", 240.0)]


def test_a_file_feeds_each_of_its_days_whatever_its_name_says(payload):
    later = USUAL | {"start_meetperiode": "2024-09-17 00:00:00", "eind_meetperiode": "2024-09-17 01:00:00"}
    delivered = payload(SOURCE, "2022.csv", csv(USUAL, later))
    assert delivered.batches == ("2019-09-16/ndw_historical", "2024-09-17/ndw_historical")


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is empty"),
        (csv(USUAL).split(b"\n")[0], "no rows"),
        (csv(USUAL)[:-30], "cut off in its last line"),
        (csv(USUAL).replace(b"id_meetlocatie", b"locatie"), r"misses column\(s\) id_meetlocatie"),
        (csv(USUAL).replace(b"gem_", b"mean_"), "has neither of the columns gem_intensiteit and gem_snelheid"),
        (csv(USUAL).replace(b"2019-09-16", b"16-09-2019"), "no row with a readable time"),
        (csv(USUAL).decode().encode("utf-16"), "not UTF-8"),
        (b"<html></html>", "not text with a header"),
        (gzip.compress(csv(USUAL))[:-12], "gzip stream is broken"),
    ],
)
def test_a_broken_export_is_refused_with_its_reason(payload, data, phrase):
    delivered = payload(SOURCE, "dexter.csv", data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")
    assert delivered.way_out


def test_an_export_is_recognised_by_its_columns():
    assert SOURCE.recognises(Head("x", csv(USUAL)))
    assert not SOURCE.recognises(Head("x", b"id_meetlocatie,versie_meetlocatie,gem_intensiteit\n"))


@pytest.mark.parametrize(
    ("year", "read", "days", "excluded", "in_error", "of_2024"),
    [("2019", 5_208, 7, 0, 0, 0), ("2022", 10_726, 15, 664, 0, 5_580), ("2023", 5_208, 7, 0, 672, 0)],
)
def test_the_real_exports_are_accounted_for(real_payloads, context, year, read, days, excluded, in_error, of_2024):
    (delivered,) = [p for p in real_payloads(SOURCE) if year in p.name]
    assert len(delivered.batches) == days
    found = rows([delivered], context)
    reasons = dict(found["flow_missing_reason"].drop_nulls().value_counts().rows())
    assert found.height == read
    assert (reasons.get("excluded", 0), reasons.get("data_error", 0)) == (excluded, in_error)
    assert found.filter(pl.col("local_date").dt.year() == 2024).height == of_2024
    assert found["flow_veh_h"].count() == read - excluded - in_error
    assert (found["site_id"].n_unique(), found["period_s"].unique().to_list(), found["vehicle_class"].unique().to_list()) == (
        8,
        [3600],
        ["any"],
    )
    assert found["_problems"].list.len().sum() == 0
