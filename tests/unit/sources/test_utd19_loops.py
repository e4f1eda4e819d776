"""The induction loops of the city."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from groningen_data.sources.utd19_loops import SOURCE, parse_counts

HEADER = "day,interval,detid,flow,occ,error,city,speed\n"


def rows(payloads, key, context) -> pl.DataFrame:
    return pl.concat(list(parse_counts(payloads, key, context)))


def one(payload, context, line: str) -> dict:
    delivered = payload(SOURCE, "loops.csv", (HEADER + line + "\n").encode())
    return rows([delivered], delivered.batches[0], context()).row(0, named=True)


def test_a_reading_becomes_vehicles_in_five_minutes(payload, context):
    row = one(payload, context, "2017-09-21,300,SITE_A_ID_1_2,120.0,1.5,,groningen,48.0")
    assert (row["site_id"], row["series_code"]) == ("SITE_A_ID_1", "2")
    assert row["interval_start_at"] == datetime(2017, 9, 20, 22, 5, tzinfo=UTC)
    assert (row["vehicles"], row["flow_veh_h"], row["speed_km_h"], row["occupancy_pct"]) == (10.0, 120.0, 48.0, 1.5)
    assert (row["local_hour"], row["weekday"], row["measured_minutes"], row["vehicle_class"]) == (0, 4, 5, "any")


def test_a_detector_in_error_has_no_readings(payload, context):
    row = one(payload, context, "2017-09-21,300,S_1,120.0,inf,1.0,groningen,48.0")
    assert (row["flow_veh_h"], row["speed_km_h"], row["occupancy_pct"]) == (None, None, None)
    assert row["flow_missing_reason"] == row["speed_missing_reason"] == "detector_error"


def test_without_vehicles_there_is_no_speed(payload, context):
    row = one(payload, context, "2017-09-21,300,S_1,0.0,inf,,groningen,0.0")
    assert (row["vehicles"], row["speed_km_h"], row["speed_missing_reason"]) == (0.0, None, "no_vehicles")
    assert row["_problems"] == []


def test_the_hour_that_summer_time_skips_is_quarantined(payload, context):
    row = one(payload, context, "2017-03-26,9000,S_1,1,1,,groningen,1")
    assert row["_problems"] == ["interval_start_at.nonexistent"]


def test_the_hour_that_occurs_twice_is_its_first_occurrence(payload, context):
    row = one(payload, context, "2017-10-29,9000,S_1,1,1,,groningen,1")
    assert row["interval_start_at"] == datetime(2017, 10, 29, 0, 30, tzinfo=UTC)


def test_a_file_feeds_each_of_its_days(payload, context):
    text = HEADER + "2018-01-01,0,S_1,1,1,,x,1\n2018-01-02,0,S_1,2,1,,x,1\n2018-01-02,300,S_1,2,1,,x,1\n"
    delivered = payload(SOURCE, "any name.csv", text.encode())
    assert delivered.batches == ("2018-01-01/loops", "2018-01-02/loops")
    assert rows([delivered], "2018-01-02/loops", context()).height == 2


def test_the_last_landed_file_of_a_day_wins(payload, context):
    old = payload(SOURCE, "a.csv", (HEADER + "2018-01-01,0,S_1,60,1,,x,1\n").encode())
    new = payload(SOURCE, "b.csv", (HEADER + "2018-01-01,0,S_1,120,1,,x,1\n").encode())
    assert rows([old, new], "2018-01-01/loops", context())["flow_veh_h"].to_list() == [120.0]


def test_rows_without_a_readable_day_are_quarantined_with_the_first_day(payload, context):
    delivered = payload(SOURCE, "a.csv", (HEADER + "2018-01-02,0,S_1,1,1,,x,1\n2 jan,0,S_1,1,1,,x,1\n").encode())
    found = rows([delivered], "2018-01-02/loops", context())
    assert found["_problems"].to_list() == [[], ["local_date.type"]]
    assert '"day":"2 jan"' in found["_original"][1]


def test_the_real_file_is_read_completely(real_payloads, context):
    (delivered,) = real_payloads(SOURCE)
    made = context()
    found = rows([delivered], "2017-09-21/loops", made)
    assert delivered.batches == ("2017-09-21/loops",)
    assert found.height == 14_520 == made.notes["rows_read"]
    assert found["flow_missing_reason"].value_counts().filter(flow_missing_reason="detector_error")["count"].item() == 3_977
    assert (found["site_id"].n_unique(), found.select("site_id", "series_code").n_unique()) == (37, 55)
    assert found["_problems"].list.len().sum() == 0


def test_a_file_on_another_clock_feeds_the_local_days_it_reaches_into(payload, context):
    def on_utc(name: str, text: str):
        delivered = payload(SOURCE, name, (HEADER + text).encode())
        return SOURCE._with_batches(replace(delivered, headers={"clock": "UTC"}))

    first = on_utc("a.csv", "2017-09-20,75600,S_1,60,1,,x,1\n2017-09-20,79200,S_1,120,1,,x,1\n")
    second = on_utc("b.csv", "2017-09-21,0,S_1,180,1,,x,1\n2017-09-21,79200,S_1,240,1,,x,1\n")
    assert first.batches == ("2017-09-20/loops", "2017-09-21/loops")
    assert second.batches == ("2017-09-21/loops", "2017-09-22/loops")
    for delivered in ([first, second], [second, first]):
        found = rows(delivered, "2017-09-21/loops", context()).sort("interval_start_at")
        assert found["flow_veh_h"].to_list() == [120.0, 180.0]
        assert found["local_hour"].to_list() == [0, 2]
