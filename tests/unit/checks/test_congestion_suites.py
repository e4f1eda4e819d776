"""The suites of detectors, approaches and congestion: what passes, and which check an odd row fails."""

from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest

from checks.collective import (
    approach_hour,
    congestion_ranking,
    intersection_approach,
    intersection_hour,
    site_profile,
    site_quality,
)
from groningen_data.contracts.base import polars_schema
from groningen_data.contracts.collective.approach_hour import ApproachHour
from groningen_data.contracts.collective.congestion_ranking import CongestionRanking
from groningen_data.contracts.collective.intersection_approach import IntersectionApproach
from groningen_data.contracts.collective.intersection_hour import IntersectionHour
from groningen_data.contracts.collective.site_profile import SiteProfile
from groningen_data.contracts.collective.site_quality import SiteQuality
from groningen_data.gate.suite import BatchFacts

NOW, DAY = datetime(2026, 3, 16, 6, tzinfo=UTC), date(2026, 2, 1)
BESIDE = """
ATTACH ':memory:' AS lake; CREATE SCHEMA lake.core; CREATE SCHEMA lake.collective;
CREATE TABLE lake.core.traffic_sites AS SELECT 'S' AS site_id, 'inside' AS location_status;
CREATE TABLE lake.core.traffic_counts AS SELECT 'loops' AS feed_code, 'S' AS site_id, '1' AS series_code, 'any' AS vehicle_class,
    8 AS local_hour, NULL::VARCHAR AS flow_missing_reason, DATE '2026-02-01' AS local_date, 100.0 AS vehicles;
CREATE TABLE lake.collective.site_quality AS SELECT 'S' AS site_id, DATE '2026-02-01' AS local_date, true AS is_trusted;
CREATE TABLE lake.collective.approach_hour AS SELECT DATE '2026-02-01' AS month, 100.0 AS vehicles;
"""


def failing(suite, contract, rows: list[dict]) -> set[str]:
    """Names of the checks by query that a batch does not pass, beside one site with 100 trusted vehicles on a day."""
    batch = pl.DataFrame(rows, schema=polars_schema(contract))
    facts = BatchFacts(DAY.isoformat(), DAY, batch.height, (), NOW, "GM0014")
    found = set()
    with duckdb.connect() as con:
        con.execute(BESIDE)
        con.register("batch", batch.to_arrow())
        for expectation in suite:
            query = (expectation.arguments(facts) or {}).get("unexpected_rows_query")
            if query and con.execute(query.replace("{batch}", "batch")).fetchall():
                found.add(expectation.name)
    return found


QUALITY = {"month": DAY, "local_date": DAY, "feed_code": "loops", "site_id": "S", "series_code": "1", "expected_intervals": 204}
QUALITY |= {"counted_intervals": 200, "implausible_intervals": 0, "is_trusted": True}
APPROACH = {
    "site_id": "S",
    "intersection_code": "x",
    "intersection_name": "X",
    "approaches": 1,
    "longitude": 6.5,
    "latitude": 53.2,
}
HOUR = {"month": DAY, "local_date": DAY, "site_id": "S", "vehicles": 100.0, "saturated_minutes": 0, "mean_speed_km_h": 45.0}
HOUR |= {"free_speed_km_h": 50.0, "los_code": "A"}
CROSSING = {"month": DAY, "intersection_code": "x", "approaches": 2, "measured_approaches": 2, "vehicles": 100.0}
PROFILE = {"profile_veh_h": 10.0, "detector_hours": 10, "imputed_hours": 1, "imputed_share": 0.1}
RANKED = {"period_code": "day", "intersection_code": "x", "rank": 1, "congestion_kind": "none", "days": 9, "measured_days": 9}
RANKED |= {f"{kind}_days": n for kind, n in {"ordinary": 6, "holiday": 1, "event": 1, "bad_weather": 1}.items()}
RANKED |= {f"{kind}_congested_days": 0 for kind in ("ordinary", "holiday", "event", "bad_weather")}
RANKED |= {"congested_share": 0.0, "congested_share_low": 0.0, "congested_share_high": 0.4}
RANKED |= {"trend_pct_week": 1.0, "trend_low_pct_week": 0.0, "trend_high_pct_week": 2.0}
TRENDLESS = {"trend_pct_week": None, "trend_low_pct_week": None, "trend_high_pct_week": None}


@pytest.mark.parametrize(
    ("suite", "contract", "row", "changed", "failed"),
    [
        (site_quality, SiteQuality, QUALITY, {}, set()),
        (site_quality, SiteQuality, QUALITY, {"untrusted_reason": "stuck"}, {"trust_and_reason_agree"}),
        (site_quality, SiteQuality, QUALITY, {"is_trusted": False}, {"trust_and_reason_agree", "most_detectors_can_be_trusted"}),
        (site_quality, SiteQuality, QUALITY, {"counted_intervals": 205}, {"no_more_counts_than_intervals"}),
        (site_quality, SiteQuality, QUALITY, {"implausible_intervals": 201}, {"no_more_counts_than_intervals"}),
        (intersection_approach, IntersectionApproach, APPROACH, {}, set()),
        (intersection_approach, IntersectionApproach, APPROACH, {"site_id": "T"}, {"every_site_has_an_intersection"}),
        (intersection_approach, IntersectionApproach, APPROACH, {"approaches": 9}, {"intersections_have_few_approaches"}),
        (approach_hour, ApproachHour, HOUR, {}, set()),
        (approach_hour, ApproachHour, HOUR, {"mean_speed_km_h": None}, {"missing_values_say_why"}),
        (approach_hour, ApproachHour, HOUR, {"vehicles": 102.0}, {"no_vehicle_counts_twice"}),
        (approach_hour, ApproachHour, HOUR, {"site_id": "T"}, {"untrusted_counts_are_left_out"}),
        (approach_hour, ApproachHour, HOUR, {"los_code": "B"}, {"levels_follow_speed"}),
        (approach_hour, ApproachHour, HOUR, {"mean_speed_km_h": 14.0}, {"levels_follow_speed"}),
        (approach_hour, ApproachHour, HOUR, {"saturated_minutes": 20}, {"most_hours_are_not_saturated"}),
        (intersection_hour, IntersectionHour, CROSSING, {}, set()),
        (intersection_hour, IntersectionHour, CROSSING, {"vehicles_missing_reason": "not_trusted"}, {"missing_values_say_why"}),
        (intersection_hour, IntersectionHour, CROSSING, {"vehicles": 90.0}, {"approaches_are_counted_once"}),
        (intersection_hour, IntersectionHour, CROSSING, {"measured_approaches": 3}, {"no_more_measured_than_there_are"}),
        (site_profile, SiteProfile, PROFILE, {}, set()),
        (site_profile, SiteProfile, PROFILE, {"profile_veh_h": None}, {"missing_profiles_say_why"}),
        (site_profile, SiteProfile, PROFILE, {"imputed_share": 1.0}, {"imputed_hours_are_some_of_all"}),
        (congestion_ranking, CongestionRanking, RANKED, {}, set()),
        (congestion_ranking, CongestionRanking, RANKED, {"ordinary_days": 5}, {"days_add_up"}),
        (congestion_ranking, CongestionRanking, RANKED, {"event_congested_days": 2}, {"days_add_up"}),
        (congestion_ranking, CongestionRanking, RANKED, {"congestion_kind": None}, {"missing_values_say_why"}),
        (congestion_ranking, CongestionRanking, RANKED, TRENDLESS, {"missing_values_say_why"}),
        (congestion_ranking, CongestionRanking, RANKED, {"trend_pct_week": 3.0}, {"intervals_hold_their_estimate"}),
        (congestion_ranking, CongestionRanking, RANKED, {"rank": 2}, {"ranks_follow_each_other"}),
        (
            congestion_ranking,
            CongestionRanking,
            RANKED,
            {"congestion_kind": "persistent"},
            {"most_intersections_are_not_congested"},
        ),
    ],
)
def test_an_odd_row_fails_the_check_that_is_about_it(suite, contract, row, changed, failed):
    assert failing(suite.SUITE, contract, [row | changed]) == failed


def test_a_detector_that_nobody_judged_and_approaches_that_disagree_are_told():
    assert failing(site_quality.SUITE, SiteQuality, [QUALITY, QUALITY | {"series_code": "2"}]) == {"every_detector_is_judged"}
    rows = [APPROACH, APPROACH | {"site_id": "T", "intersection_name": "Y"}]
    assert failing(intersection_approach.SUITE, IntersectionApproach, rows) == {"an_intersection_has_one_name_and_place"}
