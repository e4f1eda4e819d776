"""Bicycle counts and counters."""

import gzip
import json
import re
from datetime import UTC, date, datetime

import polars as pl
import pytest

from groningen_data.sources.base import Head
from groningen_data.sources.bicycle_counts import COUNTERS, COUNTS, parse_counters, parse_counts

HOUR = {
    "uur5minuten": "8:00",
    "datum": "2026-03-02",
    "tegenrichting": 47,
    "hoofdrichting": 224,
    "totaal": 271,
    "locatie": "Dampoort-Zuid",
}
KEY = "2026-03/dampoort-zuid"
COUNTER = {
    "naam": "Dampoort-Zuid",
    "code": "DAZ",
    "long": "6.5650",
    "lat": "53.2150",
    "sensoren": 1,
    "actief": "Ja",
    "bouwjaar": 2018,
    "begindatum": "2018-12-14T23:00:00Z",
    "display": "Nee",
}


def js(value: object) -> bytes:
    return json.dumps(value).encode()


def rows(payloads, context, key: str = KEY) -> pl.DataFrame:
    return pl.concat(list(parse_counts(payloads, key, context())))


def of(payload, context, *hours: dict, key: str | None = None) -> pl.DataFrame:
    delivered = payload(COUNTS, "a.json", js(list(hours)))
    return rows([delivered], context, key or delivered.batches[0])


def clock(day: str, *hours: str) -> list[dict]:
    return [HOUR | {"datum": day, "uur5minuten": hour} for hour in hours]


def test_an_hour_becomes_a_row_per_direction(payload, context):
    main, opposite = of(payload, context, HOUR).sort("direction_code").rows(named=True)
    assert (main["month_code"], main["counter_id"], main["direction_code"]) == ("2026-03", "dampoort-zuid", "main")
    assert main["interval_start_at"] == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert (main["local_date"], main["local_hour"], main["weekday"]) == (date(2026, 3, 2), 8, 1)
    assert (main["bicycles"], opposite["bicycles"], main["interval_minutes"]) == (224, 47, 60)
    assert (main["_problems"], main["bicycles_missing_reason"]) == ([], None)


def test_the_clock_follows_summer_time(payload, context):
    found = of(payload, context, *clock("2026-07-01", "8:00"))
    assert found["interval_start_at"].unique().to_list() == [datetime(2026, 7, 1, 6, tzinfo=UTC)]


@pytest.mark.parametrize("skipped", ["2:00", "3:00"])
def test_the_hour_that_clocks_skip_is_quarantined_whatever_the_file_calls_it(payload, context, skipped):
    found = of(payload, context, *clock("2026-03-29", "1:00", skipped, "3:00", "4:00")).filter(direction_code="main")
    assert found["_problems"].to_list() == [[], ["interval_start_at.nonexistent"], [], []]
    assert found["local_hour"].to_list() == [1, None, 3, 4]


def test_the_hour_that_comes_twice_is_its_first_occurrence_unless_the_file_has_both(payload, context):
    first, second = datetime(2025, 10, 26, 0, tzinfo=UTC), datetime(2025, 10, 26, 1, tzinfo=UTC)
    once = of(payload, context, *clock("2025-10-26", "1:00", "2:00", "3:00")).filter(direction_code="main")
    assert once["interval_start_at"].to_list()[1] == first
    both = of(payload, context, *clock("2025-10-26", "2:00", "2:00")).filter(direction_code="main")
    assert both["interval_start_at"].to_list() == [first, second]


def test_five_minutes_are_told_by_the_minutes(payload, context):
    found = of(payload, context, *clock("2026-03-02", "8:00", "8:05"))
    assert found["interval_minutes"].unique().to_list() == [5]


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"totaal": 272}, ["bicycles.total"]),
        ({"uur5minuten": "acht uur"}, ["interval_start_at.type"]),
        ({"uur5minuten": "24:00"}, ["interval_start_at.type"]),
        ({"uur5minuten": "8:03"}, ["interval_start_at.not_five_minutes"]),
        ({"hoofdrichting": "veel"}, ["bicycles.type"]),
        ({"hoofdrichting": 2.5, "totaal": None}, ["bicycles.type"]),
    ],
)
def test_a_broken_row_is_kept_and_marked_in_both_directions(payload, context, changed, problems):
    found = of(payload, context, HOUR | changed)
    assert found["_problems"].to_list() == [problems, problems]
    assert found["_original"].str.contains('"datum":"2026-03-02"').all()


@pytest.mark.parametrize("changed", [{"totaal": None}, {"totaal": "271"}, {"tegenrichting": "47"}])
def test_a_total_is_checked_only_where_it_is_there(payload, context, changed):
    assert of(payload, context, HOUR | changed)["_problems"].to_list() == [[], []]


def test_a_direction_that_is_not_there_says_so(payload, context):
    found = of(payload, context, HOUR | {"tegenrichting": None}).sort("direction_code")
    assert found.select("bicycles", "bicycles_missing_reason").rows() == [(224, None), (None, "not_delivered")]


@pytest.mark.parametrize(
    "wrapped", [lambda hour: [{"fields": hour}], lambda hour: {"results": [hour]}], ids=["records", "results"]
)
def test_counts_may_be_wrapped_as_the_portal_serves_them(payload, wrapped):
    assert payload(COUNTS, "a.json", js(wrapped(HOUR))).batches == (KEY,)


def test_a_row_of_no_counter_is_not_given_one(payload, context):
    found = of(payload, context, HOUR, HOUR | {"locatie": None, "uur5minuten": "9:00"}, key=KEY)
    assert found["counter_id"].null_count() == 2


def test_a_file_feeds_each_month_of_each_counter(payload):
    hours = [HOUR, HOUR | {"datum": "2026-04-01"}, HOUR | {"locatie": "Coupure Links"}, HOUR | {"locatie": "Één brug"}]
    assert payload(COUNTS, "a.json", js(hours)).batches == (
        "2026-03/coupure-links",
        "2026-03/dampoort-zuid",
        "2026-03/een-brug",
        "2026-04/dampoort-zuid",
    )


def test_a_later_delivery_of_an_hour_counts_and_the_other_hours_stay(payload, context):
    old = payload(COUNTS, "a.json", js([HOUR, HOUR | {"uur5minuten": "9:00"}]))
    new = payload(COUNTS, "b.json", js([HOUR | {"hoofdrichting": 1, "totaal": 48}]))
    found = rows([old, new], context).filter(direction_code="main").sort("local_hour")
    assert found.select("local_hour", "bicycles").rows() == [(8, 1), (9, 224)]


@pytest.mark.parametrize(
    "wrapped", [lambda c: [{"datasetid": "fietstelpalen", "fields": c}], lambda c: [c], lambda c: {"results": [c]}]
)
def test_a_counter_gets_its_place(payload, context, wrapped):
    delivered = payload(COUNTERS, "fietstelpalen.json", js(wrapped(COUNTER)))
    row = pl.concat(list(parse_counters([delivered], "snapshot", context()))).row(0, named=True)
    assert (row["counter_id"], row["counter_code"], row["counter_name"]) == ("dampoort-zuid", "DAZ", "Dampoort-Zuid")
    assert (row["sensors"], row["is_active"], row["built_year"], row["counts_since_on"]) == (1, True, 2018, date(2018, 12, 15))
    assert (row["longitude"], row["neighbourhood_code"], row["location_status"]) == (6.565, "BU00140001", "inside")


@pytest.mark.parametrize(
    ("changed", "problems"),
    [({"sensoren": "twee"}, ["sensors.type"]), ({"lat": "noord"}, ["latitude.type"]), ({"actief": "soms"}, ["is_active.type"])],
)
def test_a_broken_counter_is_kept_and_marked(payload, context, changed, problems):
    delivered = payload(COUNTERS, "a.json", js([{"fields": COUNTER | changed}]))
    assert pl.concat(list(parse_counters([delivered], "snapshot", context())))["_problems"].to_list() == [problems]


@pytest.mark.parametrize(
    ("source", "data", "phrase"),
    [
        (COUNTS, b"", "is empty"),
        (COUNTS, b"[]", "lists no counts"),
        (COUNTS, js([HOUR])[:-20], "not complete JSON"),
        (COUNTS, js({"detail": "x"}), "not a list of counts"),
        (COUNTS, js([1, 2]), "lists no counts"),
        (COUNTS, js([{k: v for k, v in HOUR.items() if k != "hoofdrichting"}]), r"misses column\(s\) hoofdrichting"),
        (COUNTS, js([HOUR | {"datum": "2 maart"}]), "no row with a readable datum"),
        (COUNTS, js([HOUR]).decode().encode("utf-16"), "not UTF-8"),
        (COUNTS, gzip.compress(js([HOUR]))[:-12], "gzip stream is broken"),
        (COUNTERS, b"[]", "lists no counters"),
        (COUNTERS, js([{"fields": {"naam": "A"}}]), r"misses column\(s\) long, lat"),
        (COUNTERS, b"naam;long;lat\n", "not complete JSON"),
    ],
)
def test_a_broken_payload_is_refused_with_its_reason(payload, source, data, phrase):
    delivered = payload(source, "a.json", data)
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")
    assert delivered.way_out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (js([HOUR]).decode(), COUNTS),
        (js([{"datasetid": "fietstelpalen-gent", "fields": COUNTER}]).decode(), COUNTERS),
        ('[{"naam": "x", "long": 1, "lat": 2}]', None),
    ],
)
def test_content_is_recognised_whatever_its_name(text, expected):
    assert [s for s in (COUNTS, COUNTERS) if s.recognises(Head("x", text.encode()))] == ([expected] if expected else [])


def test_the_real_year_is_accounted_for(real_payloads, context):
    (delivered,) = real_payloads(COUNTS)
    assert delivered.batches == tuple(f"2019-{month:02}/dampoort-zuid" for month in range(1, 13))
    found = pl.concat(rows([delivered], context, key) for key in delivered.batches)
    assert found.height == 2 * 8_760
    assert found["_problems"].explode().drop_nulls().to_list() == ["interval_start_at.nonexistent"] * 2


@pytest.mark.parametrize("month", ["2019-02", "2019-05", "2019-09", "2019-11"])
def test_in_the_real_year_the_morning_rush_is_at_eight_in_summer_as_in_winter(real_payloads, context, month):
    found = rows(real_payloads(COUNTS), context, f"{month}/dampoort-zuid")
    morning = found.filter(pl.col("weekday") <= 5, pl.col("local_hour") < 12).group_by("local_hour").agg(pl.col("bicycles").sum())
    assert morning.sort("bicycles")["local_hour"][-1] == 8


def test_the_real_list_of_counters_knows_the_real_counter(real_payloads, context):
    (delivered,) = real_payloads(COUNTERS)
    found = pl.concat(list(parse_counters([delivered], "snapshot", context())))
    assert (found.height, found["_problems"].list.len().sum()) == (9, 0)
    assert found.filter(counter_id="dampoort-zuid").select("counter_code", "location_status").rows() == [
        ("DAZ", "outside_municipality")
    ]
