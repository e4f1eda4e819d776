"""Suite of the mart of the effects of measures."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "every_measure_has_a_verdict",
        "unexpected_rows_expectation",
        "Every measure of the list is there, and no other.",
        kwargs={
            "unexpected_rows_query": "SELECT measure_id FROM {batch} FULL JOIN lake.core.traffic_measures m USING (measure_id) "
            "WHERE verdict_code IS NULL OR m.title_nl IS NULL"
        },
    ),
    Expectation(
        "verdicts_rest_on_figures",
        "unexpected_rows_expectation",
        "A verdict has an effect with its interval, and too little data has a reason and no effect.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE (verdict_code = 'too_little_data') <> (verdict_reason IS NOT NULL) "
            "OR (verdict_code = 'too_little_data') <> (effect_pct IS NULL) OR (effect_pct IS NULL) <> (p_value IS NULL)"
        },
    ),
    Expectation(
        "intervals_hold_their_effect",
        "unexpected_rows_expectation",
        "Each effect lies within its interval.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE effect_pct IS NOT NULL "
            "AND effect_pct NOT BETWEEN effect_low_pct AND effect_high_pct"
        },
    ),
    Expectation(
        "an_effect_excludes_none",
        "unexpected_rows_expectation",
        "Where an effect is found, its interval does not hold zero.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE verdict_code = 'effect' AND effect_low_pct <= 0 AND effect_high_pct >= 0"
        },
    ),
    Expectation(
        "no_site_controls_itself",
        "unexpected_rows_expectation",
        "No site of a measure is among its control sites.",
        kwargs={
            "unexpected_rows_query": "SELECT * FROM {batch} WHERE list_has_any(string_split(site_ids, ','), "
            "string_split(control_site_ids, ','))"
        },
    ),
    Expectation(
        "effects_are_believable",
        "unexpected_rows_expectation",
        "Hardly any measure halves or doubles what it is about; such a figure comes from a moved detector or a closed road.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE effect_pct NOT BETWEEN -50 AND 100"},
    ),
    Expectation(
        "most_effects_are_without_doubt",
        "unexpected_rows_expectation",
        "Fewer than half of the measures have a trend beforehand or a change on a made-up day; otherwise the controls do not fit.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE effect_pct IS NOT NULL HAVING count(*) >= 6 "
            "AND count(*) FILTER (WHERE doubts LIKE '%trend_before%' OR doubts LIKE '%placebo_in_time%') > 0.5 * count(*)"
        },
    ),
)
