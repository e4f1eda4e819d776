import gzip
import itertools
import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from groningen_data.sample.containers import OVERFULL_NEIGHBOURHOODS, containers
from groningen_data.sample.facts import neighbourhoods
from groningen_data.sample.geography import outlines_of
from groningen_data.sample.reports import (
    MARKET_DAY_REPORTS,
    MARKET_NEIGHBOURHOOD,
    MARKET_WEEKDAYS,
    OTHER_DAY_REPORTS,
    OUTSIDE_REPORTS,
    REPORTED_WITHIN_M,
    REPORTING_HOURS,
    REPORTS_PER_OVERFULL_HOUR,
    STUCK_LAMPS,
    payloads,
)
from groningen_data.sample.waste_world import OVERFULL_PCT, fill
from tests.unit.sample.cities import city_of

Snapshots = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def snapshots(folder: Path) -> Snapshots:
    files = sorted(folder.glob("waste/open_reports/*.json.gz"))
    return {p.name.removesuffix(".json.gz"): json.loads(gzip.decompress(p.read_bytes())) for p in files}


@pytest.fixture(scope="module")
def reports(snapshots: Snapshots) -> list[dict[str, Any]]:
    return list({report["id"]: report for listed in snapshots.values() for report in listed}.values())


def complete_days(snapshots: Snapshots) -> list[str]:
    """Days of which every report can have been seen: a snapshot is taken in the morning."""
    return list(snapshots)[:-1]


def inside(ring: list[tuple[float, float]], report: dict[str, Any]) -> bool:
    if report["lng"] is None:
        return False
    x, y = report["lng"], report["lat"]
    return all((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > -1e-9 for a, b in itertools.pairwise(ring))


def test_reports_have_the_fields_of_the_source_in_its_order(reports: list[dict[str, Any]]) -> None:
    fields = ("id", "lng", "lat", "category", "category_slug", "subcategory", "subcategory_slug", "created_at", "wijk")
    assert all(tuple(report) == fields for report in reports)
    assert all(re.fullmatch(r"[0-9a-f]{16}", report["id"]) for report in reports)


def test_a_report_stands_once_in_a_snapshot_newest_first(snapshots: Snapshots) -> None:
    for listed in snapshots.values():
        assert len({report["id"] for report in listed}) == len(listed)
        seconds = [report["created_at"][:19] for report in listed]
        assert seconds == sorted(seconds, reverse=True)


def test_about_three_hundred_are_open_and_about_forty_are_new_each_day(snapshots: Snapshots) -> None:
    listed = [{report["id"] for report in reports} for reports in snapshots.values()]
    assert all(220 <= len(ids) <= 380 for ids in listed)
    new = [len(after - before) for before, after in itertools.pairwise(listed)]
    assert all(15 <= n <= 80 for n in new)
    assert 30 <= sum(new) / len(new) <= 50


def test_closed_reports_do_not_come_back(snapshots: Snapshots) -> None:
    closed: set[str] = set()
    before: set[str] = set()
    for listed in snapshots.values():
        now = {report["id"] for report in listed}
        assert not now & closed
        closed |= before - now
        before = now


def test_creation_times_have_two_to_six_fraction_digits(reports: list[dict[str, Any]]) -> None:
    fractions = [re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{2,6})\+00:00", r["created_at"]) for r in reports]
    assert all(fractions)
    assert len({len(match[1]) for match in fractions if match}) >= 3


def test_most_reports_are_about_waste(reports: list[dict[str, Any]]) -> None:
    about_waste = sum(report["category_slug"] == "afval" for report in reports)
    assert 0.5 < about_waste / len(reports) < 0.8


def test_waste_at_the_market_peaks_on_market_days(snapshots: Snapshots, reports: list[dict[str, Any]]) -> None:
    ring = outlines_of(neighbourhoods())[MARKET_NEIGHBOURHOOD]
    at_market = [r for r in reports if r["category_slug"] == "afval" and inside(ring, r)]
    per_day = Counter(report["created_at"][:10] for report in at_market)
    for day in complete_days(snapshots):
        market = date.fromisoformat(day).isoweekday() in MARKET_WEEKDAYS
        assert per_day[day] == (MARKET_DAY_REPORTS if market else OTHER_DAY_REPORTS), day


def test_a_few_reports_a_day_lie_outside_the_city_or_nowhere(snapshots: Snapshots, reports: list[dict[str, Any]]) -> None:
    rings = outlines_of(neighbourhoods()).values()
    nowhere = Counter(r["created_at"][:10] for r in reports if r["lng"] is None)
    outside = Counter(
        r["created_at"][:10] for r in reports if r["lng"] is not None and not any(inside(ring, r) for ring in rings)
    )
    assert all(outside[day] == OUTSIDE_REPORTS for day in complete_days(snapshots))
    assert all(1 <= nowhere[day] <= 2 for day in complete_days(snapshots))
    assert all((r["lng"] is None) == (r["lat"] is None) for r in reports)


def test_some_street_lamps_are_open_on_every_day(snapshots: Snapshots) -> None:
    always = set.intersection(*({r["id"] for r in listed} for listed in snapshots.values()))
    lamps = [r for r in next(iter(snapshots.values())) if r["id"] in always and r["subcategory_slug"] == "straatverlichting"]
    assert sum(r["created_at"] < "2025-12" for r in lamps) == STUCK_LAMPS


@pytest.fixture(scope="module")
def longer() -> Snapshots:
    """Six weeks of snapshots: enough to see a rate."""
    return snapshots_of(42)


def snapshots_of(days: int) -> Snapshots:
    city = city_of(days)
    files = payloads(city, outlines_of(city.neighbourhoods))
    return {path.split("/")[-1][:10]: json.loads(gzip.decompress(data)) for path, data in files}


def test_a_snapshot_is_the_same_however_many_days_are_made(longer: Snapshots) -> None:
    short = snapshots_of(3)
    assert short == {day: longer[day] for day in list(longer)[-3:]}


def test_full_containers_are_reported_at_the_planted_rate(longer: Snapshots) -> None:
    city = city_of(42)
    days = city.days[:-1]
    local_hour = pl.col("hour_start_at").dt.convert_time_zone("Europe/Amsterdam").dt.hour()
    places = containers(city).select("container_code", "longitude", "latitude", "neighbourhood_code")
    full = (
        pl.concat([fill(city, day) for day in days])
        .filter(pl.col("fill_pct") >= OVERFULL_PCT, local_hour.is_in(list(REPORTING_HOURS)))
        .join(places, on="container_code")
        .filter(pl.col("neighbourhood_code") != MARKET_NEIGHBOURHOOD)
    )
    near = beside(full, longer)
    assert near["id"].n_unique() / full.height == pytest.approx(REPORTS_PER_OVERFULL_HOUR, rel=0.15)
    assert set(near["neighbourhood_code"]) > set(OVERFULL_NEIGHBOURHOODS)


def beside(full: pl.DataFrame, snapshots: Snapshots) -> pl.DataFrame:
    """Reports about containers or dumping, in the hour and at the place of a full container."""
    listed = {report["id"]: report for reports in snapshots.values() for report in reports}.values()
    about = [r for r in listed if r["subcategory_slug"] in ("container", "dumping") and r["lng"] is not None]
    hours = [datetime.fromisoformat(r["created_at"][:19]).replace(minute=0, second=0, tzinfo=UTC) for r in about]
    reports = pl.DataFrame([{name: r[name] for name in ("id", "lng", "lat")} for r in about]).with_columns(
        pl.Series("hour_start_at", hours, pl.Datetime("us", "UTC"))
    )
    east, north = (pl.col("lng") - pl.col("longitude")) * 66_800, (pl.col("lat") - pl.col("latitude")) * 111_200
    return full.join(reports, on="hour_start_at").filter((east**2 + north**2).sqrt() < REPORTED_WITHIN_M)


def test_waste_is_cleared_sooner_than_other_things_are_repaired(longer: Snapshots) -> None:
    last_seen = {report["id"]: date.fromisoformat(day) for day, listed in longer.items() for report in listed}
    days = list(longer)
    early = {r["id"]: r for day in days[:21] for r in longer[day] if r["created_at"] >= days[0]}.values()

    def median_days_open(about_waste: bool) -> int:
        of_kind = [r for r in early if (r["category_slug"] == "afval") == about_waste]
        waits = sorted((last_seen[r["id"]] - date.fromisoformat(r["created_at"][:10])).days + 1 for r in of_kind)
        return waits[len(waits) // 2]

    assert 2 <= median_days_open(True) <= 3 < median_days_open(False) <= 8
