"""The calendar of public and school holidays."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest

from checks.reference.calendar import SUITE
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.reference.calendar import ReferenceCalendar
from groningen_data.gate.judge import judge
from groningen_data.gate.suite import BatchFacts
from groningen_data.settings import PROJECT, load_settings
from groningen_data.sources.calendar_days import SOURCE, parse_calendar

PUBLIC = "holiday_on,holiday\n2026-01-01,Nieuwjaarsdag\n2026-04-27,Koningsdag\n2027-01-01,Nieuwjaarsdag\n"
HEADER = "school_year,holiday,region,first_on,last_on,source\n"
SCHOOL = HEADER + (
    "2025-2026,Voorjaarsvakantie,noord,2026-02-21,2026-03-01,x\n"
    "2025-2026,Zomervakantie,noord,2026-07-04,2026-08-16,x\n"
    "2025-2026,Voorjaarsvakantie,zuid,2026-02-14,2026-02-22,x\n"
)


@pytest.fixture
def fetched(landing, tmp_path):
    """`fetched(as_of)`: the calendar's payloads as landed on that day."""

    def fetch(as_of: datetime = datetime(2026, 3, 16, tzinfo=UTC), **settings: object):
        SOURCE.fetch(load_settings(data_dir=tmp_path, as_of=as_of, first_day=date(2017, 1, 1), **settings), landing)
        return landing.payloads(SOURCE.name)

    return fetch


def calendar(payloads, context) -> pl.DataFrame:
    return pl.concat(list(parse_calendar(payloads, "snapshot", context)))


def lists(payload, public: str = PUBLIC, school: str = SCHOOL):
    return [payload(SOURCE, "public_holidays.csv", public.encode()), payload(SOURCE, "school_holidays.csv", school.encode())]


def test_the_calendar_goes_from_the_first_day_to_the_end_of_next_year(fetched, context):
    found = calendar(fetched(), context())
    assert (found["calendar_on"].min(), found["calendar_on"].max()) == (date(2017, 1, 1), date(2027, 12, 31))
    assert found.height == 11 * 365 + 2 == found["calendar_on"].n_unique()
    assert judge(ReferenceCalendar, found).accepted.height == found.height
    assert set(found.columns) == set(polars_schema(ReferenceCalendar))


def test_the_same_calendar_is_there_in_every_profile(fetched, context, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/school_holidays.csv").write_text("something else")
    assert calendar(fetched(profile="real", files=tmp_path / "files"), context()).height == 11 * 365 + 2
    assert SOURCE.find(tmp_path / "files") == []


def test_another_year_makes_the_calendar_longer(fetched, context):
    first = fetched()
    assert len(fetched()) == len(first) == 2
    later = fetched(datetime(2027, 1, 2, tzinfo=UTC))
    assert len(later) == 3
    assert calendar(later, context())["calendar_on"].max() == date(2028, 12, 31)
    back = fetched()
    assert calendar(back, context())["calendar_on"].max() == date(2027, 12, 31)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 4, 27), "Koningsdag"),
        (date(2025, 4, 26), "Koningsdag"),
        (date(2026, 4, 3), "Goede vrijdag"),
        (date(2026, 5, 14), "Hemelvaartsdag"),
        (date(2026, 5, 5), "Bevrijdingsdag"),
        (date(2026, 12, 26), "Tweede kerstdag"),
        (date(2026, 5, 4), None),
        (date(2026, 12, 5), None),
    ],
)
def test_public_holidays_have_their_dutch_names(fetched, context, day, name):
    row = calendar(fetched(), context()).filter(calendar_on=day).row(0, named=True)
    assert (row["public_holiday"], row["is_public_holiday"]) == (name, name is not None)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2017, 1, 8), "Kerstvakantie"),
        (date(2017, 1, 9), None),
        (date(2017, 9, 3), "Zomervakantie"),
        (date(2017, 9, 4), None),
        (date(2026, 2, 20), None),
        (date(2026, 2, 21), "Voorjaarsvakantie"),
        (date(2026, 3, 1), "Voorjaarsvakantie"),
        (date(2026, 7, 4), "Zomervakantie"),
        (date(2026, 10, 10), "Herfstvakantie"),
        (date(2027, 12, 31), "Kerstvakantie"),
    ],
)
def test_school_holidays_are_those_of_region_north(fetched, context, day, name):
    row = calendar(fetched(), context()).filter(calendar_on=day).row(0, named=True)
    assert (row["school_holiday"], row["is_school_holiday"]) == (name, name is not None)
    assert row["school_holiday_missing_reason"] is None


@pytest.mark.parametrize(
    ("day", "is_holiday"),
    [
        (date(2026, 1, 1), False),
        (date(2026, 3, 1), True),
        (date(2026, 3, 2), False),
        (date(2026, 7, 31), True),
        (date(2026, 8, 16), True),
        (date(2026, 8, 17), None),
        (date(2026, 10, 12), None),
        (date(2027, 3, 1), None),
    ],
)
def test_what_the_list_does_not_cover_is_unknown_and_not_an_ordinary_day(payload, context, day, is_holiday):
    row = calendar(lists(payload), context()).filter(calendar_on=day).row(0, named=True)
    assert row["is_school_holiday"] is is_holiday
    assert row["school_holiday_missing_reason"] == ("not_listed" if is_holiday is None else None)


def test_september_is_unknown_when_the_school_year_before_is_not_listed(payload, context):
    found = calendar(lists(payload, PUBLIC.replace("2026-", "2025-")), context())
    known = found.filter(pl.col("is_school_holiday").is_not_null())
    assert known["calendar_on"].min() == date(2025, 10, 1)


def test_holidays_of_other_regions_are_counted_and_not_used(payload, context):
    made = context()
    found = calendar(lists(payload), made)
    assert made.notes["school_holidays_of_other_regions"] == 1
    assert found.filter(calendar_on=date(2026, 2, 14))["is_school_holiday"].to_list() == [False]


def test_weeks_follow_iso_8601(payload, context):
    found = calendar(lists(payload), context())
    row = found.filter(calendar_on=date(2027, 1, 3)).row(0, named=True)
    assert (row["iso_year"], row["iso_week"], row["weekday"], row["is_weekend"], row["year"]) == (2026, 53, 7, True, 2027)


def test_a_list_that_was_never_delivered_is_asked_for(payload, context):
    with pytest.raises(Exception, match=r"school_holidays.csv.*was never delivered"):
        calendar(lists(payload)[:1], context())


@pytest.mark.parametrize(
    ("name", "text", "phrase"),
    [
        ("school_holidays.csv", HEADER, "holds no rows"),
        ("school_holidays.csv", SCHOOL.replace("last_on", "until"), r"misses column\(s\) last_on; new are until"),
        ("school_holidays.csv", SCHOOL.replace("2026-07-04", "4 juli 2026"), "1 rows without a readable date"),
        ("school_holidays.csv", SCHOOL.replace("2026-08-16", "2026-06-16"), "cannot be: 2025-2026 Zomervakantie"),
        ("school_holidays.csv", SCHOOL.replace("2026-07-04", "2025-07-04"), "cannot be: 2025-2026 Zomervakantie"),
        ("school_holidays.csv", SCHOOL.replace("2025-2026", "2025"), "cannot be: 2025 Voorjaarsvakantie"),
        ("school_holidays.csv", SCHOOL.encode("utf-16").decode("latin-1"), r"misses column\(s\) school_year"),
        ("public_holidays.csv", PUBLIC.replace("2026-04-27", "27 april"), "1 rows without a readable date"),
        ("public_holidays.csv", "holiday_on,holiday\n", "holds no rows"),
    ],
    ids=range(9),
)
def test_a_broken_list_is_refused_with_its_reason(payload, name, text, phrase):
    delivered = payload(SOURCE, name, text.encode())
    assert delivered.batches == ()
    assert re.search(phrase, delivered.problem or "")


def test_the_list_of_the_project_has_five_holidays_a_year_that_begin_on_saturday_and_end_on_sunday():
    listed = pl.read_csv(PROJECT / "data/reference/school_holidays.csv", try_parse_dates=True)
    assert listed.group_by("school_year").len()["len"].unique().to_list() == [5]
    assert (listed["school_year"].min(), listed["school_year"].max(), listed.height) == ("2016-2017", "2027-2028", 60)
    assert listed["first_on"].dt.weekday().unique().to_list() == [6]
    assert listed["last_on"].dt.weekday().unique().to_list() == [7]
    weeks = listed.select("holiday", weeks=(pl.col("last_on") - pl.col("first_on")).dt.total_days() // 7).unique()
    assert dict(weeks.iter_rows()) == {
        "Herfstvakantie": 1,
        "Kerstvakantie": 2,
        "Voorjaarsvakantie": 1,
        "Meivakantie": 1,
        "Zomervakantie": 6,
    }


def test_a_source_without_a_folder_of_its_own_reads_that_of_the_profile(tmp_path, landing):
    ordinary = replace(SOURCE, name="ordinary", root=None)
    (tmp_path / "public_holidays.csv").write_text(PUBLIC)
    assert ordinary.find(tmp_path) == [tmp_path / "public_holidays.csv"]
    report = ordinary.fetch(load_settings(data_dir=tmp_path / "data", profile="real", files=tmp_path), landing)
    assert [p.name for p in report.landed] == ["public_holidays.csv"]


NOW = datetime(2026, 3, 16, tzinfo=UTC)
FACTS = BatchFacts("snapshot", None, 1, (), NOW, "GM0014")


def unexpected(name: str, batch: pl.DataFrame) -> int:
    """How many rows the query of an expectation finds in a calendar."""
    (expectation,) = (e for e in SUITE if e.name == name)
    arguments = expectation.arguments(FACTS)
    assert arguments is not None
    with duckdb.connect() as connection:
        connection.register("batch", batch.to_arrow())
        return len(connection.execute(arguments["unexpected_rows_query"].format(batch="batch")).fetchall())


def test_the_calendar_passes_its_suite(fetched, context):
    found = calendar(fetched(), context())
    queries = [e.name for e in SUITE if e.type == "unexpected_rows_expectation"]
    assert {name: unexpected(name, found) for name in queries} == dict.fromkeys(queries, 0)


SPOILT = {
    "no_date_is_missing": lambda days: days.filter(pl.col("calendar_on") != date(2026, 2, 3)),
    "whole_years": lambda days: days.with_columns(is_public_holiday=pl.lit(False)),
    "weekdays_follow_from_dates": lambda days: days.with_columns(iso_week=pl.col("iso_week") % 53 + 1),
    "holidays_have_names": lambda days: days.with_columns(public_holiday=pl.lit(None, pl.String)),
    "unknown_is_not_no": lambda days: days.with_columns(is_school_holiday=pl.lit(None, pl.Boolean)),
    "school_years_look_alike": lambda days: days.with_columns(is_school_holiday=pl.col("calendar_on").dt.month() == 7),
    "school_holidays_of_this_year_are_known": lambda days: days.with_columns(is_school_holiday=pl.lit(None, pl.Boolean)),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_cannot_be_is_found_by_its_expectation(fetched, context, name):
    assert unexpected(name, SPOILT[name](calendar(fetched(), context()))) > 0


def test_the_calendar_must_reach_into_next_year():
    (reach,) = (e for e in SUITE if e.name == "reaches_into_next_year")
    assert reach.arguments(FACTS) == {"column": "year", "min_value": 2027}
