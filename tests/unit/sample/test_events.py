import csv
import io
from datetime import date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest

from groningen_data.sample import events, traffic_world
from groningen_data.sample.traffic_world import intervals
from tests.unit.sample.cities import LAST_DAY, city_of

Rows = list[dict[str, str]]


def rows_of(days: int = 60, last: date = LAST_DAY) -> Rows:
    ((path, data),) = events.payloads(city_of(days, last))
    assert path == "traffic/events.csv"
    return list(csv.DictReader(io.StringIO(data.decode()), delimiter=";"))


def days_of(row: dict[str, str]) -> list[date]:
    """The days on which something is going on."""
    begin, end = datetime.fromisoformat(row["begin"]), datetime.fromisoformat(row["eind"])
    length = (end - timedelta(microseconds=1)).date() - begin.date()
    return [begin.date() + timedelta(days=n) for n in range(length.days + 1)]


def test_the_list_has_the_form_of_the_contract() -> None:
    rows = rows_of()
    assert list(rows[0]) == ["nummer", "soort", "naam", "begin", "eind", "wegnaam", "breedtegraad", "lengtegraad", "hinder"]
    assert len({row["nummer"] for row in rows}) == len(rows)
    assert {row["soort"] for row in rows} == {"evenement", "wegwerkzaamheden", "afsluiting"}
    assert all(earlier["begin"] <= later["begin"] for earlier, later in pairwise(rows))
    assert all(row["begin"] < row["eind"] and row["naam"] for row in rows)


def test_one_event_has_no_place_yet_and_the_others_lie_in_the_city() -> None:
    rows = rows_of()
    assert [row["naam"] for row in rows if not row["breedtegraad"]] == [events.WITHOUT_PLACE]
    for row in rows:
        if row["breedtegraad"]:
            assert 53.1 < float(row["breedtegraad"]) < 53.3 and 6.4 < float(row["lengtegraad"]) < 6.8


def test_an_event_keeps_its_number_however_many_days_the_city_has() -> None:
    few, many = rows_of(14), rows_of(60)
    assert [row for row in many if row in few] == few


@pytest.mark.parametrize("last", [LAST_DAY, date(2026, 4, 5)], ids=str)
def test_the_list_names_the_days_on_which_traffic_was_different(last: date) -> None:
    planted = {
        "Kapteynlaan": traffic_world.CLOSED_BEFORE_LAST,
        "Hereweg": traffic_world.WORKS_BEFORE_LAST,
        "Damsterdiep": [traffic_world.DOUBLED_BEFORE_LAST],
    }
    for road, before_last in planted.items():
        (row,) = [row for row in rows_of(last=last) if road in row["naam"]]
        assert days_of(row) == sorted(last - timedelta(days=n) for n in before_last)


def test_the_closed_road_is_empty_on_the_days_that_the_list_names() -> None:
    (closure,) = [row for row in rows_of() if row["soort"] == "afsluiting"]
    city = city_of(60)
    there = pl.col("site_id").str.contains(traffic_world.CLOSED_ROAD)
    empty = [day for day in city.days[20:50] if intervals(city, day).filter(there)["vehicles"].sum() == 0]
    assert empty == days_of(closure)


def test_matches_are_listed_until_four_weeks_ahead() -> None:
    matches = [days_of(row)[0] for row in rows_of() if row["naam"] == events.MATCH_NAME]
    assert all(traffic_world.is_match_day(day) and day.isoweekday() == 6 for day in matches)
    assert date(2026, 3, 7) in matches
    assert LAST_DAY + timedelta(days=14) < matches[-1] <= LAST_DAY + timedelta(days=events.AHEAD_DAYS)
