"""Suite of the mart of detector quality."""

from collections.abc import Mapping

from groningen_data.gate.suite import BatchFacts, Expectation


def _judged_and_counting(facts: BatchFacts) -> Mapping[str, str]:
    # The month by name: then only its files are read.
    return {
        "unexpected_rows_query": "SELECT * FROM (SELECT local_date, count(*) AS judged FROM {batch} GROUP BY ALL) j FULL JOIN "
        "(SELECT local_date, count(DISTINCT (feed_code, site_id, series_code)) AS counting FROM lake.core.traffic_counts "
        f"WHERE local_date BETWEEN DATE '{facts.key}' AND last_day(DATE '{facts.key}') "
        "AND vehicle_class = 'any' AND local_hour BETWEEN 5 AND 21 "
        "AND coalesce(flow_missing_reason, '') <> 'measured_elsewhere' GROUP BY ALL) c USING (local_date) "
        "WHERE judged IS DISTINCT FROM counting"
    }


SUITE = (
    Expectation(
        "trust_and_reason_agree",
        "unexpected_rows_expectation",
        "A detector that cannot be trusted says why, and one that can says nothing.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE is_trusted <> (untrusted_reason IS NULL)"},
    ),
    Expectation(
        "no_more_counts_than_intervals",
        "unexpected_rows_expectation",
        "No detector counts in more intervals than a day has.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE counted_intervals > expected_intervals "
            "OR implausible_intervals > counted_intervals"
        },
    ),
    Expectation(
        "every_detector_is_judged",
        "unexpected_rows_expectation",
        "As many detectors are judged each day as count all vehicles by day.",
        kwargs=_judged_and_counting,
    ),
    Expectation(
        "most_detectors_can_be_trusted",
        "unexpected_rows_expectation",
        "Three out of four detector days can be trusted.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE is_trusted) < 0.75 * count(*)"
        },
    ),
)
