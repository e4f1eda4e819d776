"""Suite of the early-signal funnel."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "stages_follow_each_other",
        "unexpected_rows_expectation",
        "No stage has more households than the one before it.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE tried_households > households OR open_households > households "
            "OR not_taken_up_households > households OR reached_households > tried_households "
            "OR helped_households > reached_households OR solved_households > reached_households"
        },
    ),
    Expectation(
        "every_household_of_a_partner_counts",
        "unexpected_rows_expectation",
        "Per quarter and partner as many households are counted as signalled.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM (SELECT period_end_on, partner_code, households FROM {batch} "
            "WHERE level_code = 'partner') b, LATERAL (SELECT count(DISTINCT person_pseudonym) AS signalled "
            "FROM lake.core.welfare_early_signals s WHERE s.partner_code = b.partner_code "
            "AND date_trunc('quarter', s.signalled_on) = date_trunc('quarter', b.period_end_on)) l WHERE households <> signalled"
        },
    ),
    Expectation(
        "neighbourhoods_are_known",
        "unexpected_rows_expectation",
        "Nearly all neighbourhoods are on the map.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} b LEFT JOIN lake.core.reference_neighbourhoods n USING "
            "(neighbourhood_code) WHERE level_code = 'neighbourhood' HAVING count(n.neighbourhood_name) < 0.95 * count(*)"
        },
    ),
    Expectation(
        "old_signals_are_no_longer_open",
        "unexpected_rows_expectation",
        "Of signals of a quarter that ended half a year before the last one, at most one in ten is still not picked up.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT period_code FROM {batch} WHERE level_code = 'partner' "
            "AND period_end_on < (SELECT max(period_end_on) FROM {batch}) - INTERVAL 6 MONTH "
            "GROUP BY period_code HAVING sum(open_households) > 0.1 * sum(households)"
        },
    ),
)
