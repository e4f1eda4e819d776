"""Suite of the incidents of the bias audit: an incident that is not closed is a warning by kind of process, until it is."""

from groningen_data.gate.suite import Expectation


def _none_stands(name: str, kind: str, sentence: str) -> Expectation:
    query = f"SELECT process_code FROM {{batch}} WHERE process_kind = '{kind}' AND status_code <> 'closed'"
    return Expectation(name, "unexpected_rows_expectation", sentence, severity="warning", kwargs={"unexpected_rows_query": query})


SUITE = (
    Expectation(
        "every_breach_has_an_incident",
        "unexpected_rows_expectation",
        "No process, group and measure with a breach is without an incident.",
        kwargs={
            "unexpected_rows_query": "SELECT process_code FROM lake.collective.bias_audit a WHERE is_breach AND NOT EXISTS "
            "(SELECT 1 FROM {batch} i WHERE i.process_code = a.process_code AND i.characteristic_code = a.characteristic_code "
            "AND i.group_code = a.group_code AND i.measure_code = a.measure_code)"
        },
    ),
    Expectation(
        "closed_means_closed_on",
        "unexpected_rows_expectation",
        "An incident says when it was closed, if and only if it is closed.",
        kwargs={"unexpected_rows_query": "SELECT * FROM {batch} WHERE (status_code = 'closed') <> (closed_on IS NOT NULL)"},
    ),
    _none_stands(
        "no_rule_is_biased",
        "rule",
        "No rule selects a group more often, or more often wrongly, than another: one that does is suspended (see bias_incidents).",
    ),
    _none_stands(
        "people_do_not_select_with_bias",
        "human_selection",
        "The selection by people hits no group more often, or more often wrongly, than another: otherwise it must stop "
        "(see bias_incidents).",
    ),
    _none_stands(
        "the_sample_is_not_biased",
        "random_sample",
        "The random sample hits no group more often than another: otherwise its draw must be examined (see bias_incidents).",
    ),
)
