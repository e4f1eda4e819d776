"""Suite of the register of signal rules."""

from groningen_data.gate.suite import Expectation

SUITE = (
    Expectation(
        "no_rule_is_refused",
        "unexpected_rows_expectation",
        "Every rule file is accepted; one that is refused makes no tasks, and says why.",
        severity="warning",
        kwargs={"unexpected_rows_query": "SELECT rule_id, status_reason FROM {batch} WHERE status_code = 'refused'"},
    ),
    Expectation(
        "every_incident_is_about_a_rule_that_is_known",
        "unexpected_rows_expectation",
        "Every rule with an incident of the bias audit is in the register under that name; under another it would go on.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT DISTINCT process_code FROM lake.collective.bias_incidents i WHERE process_kind = 'rule' "
            "AND status_code <> 'closed' AND NOT EXISTS (SELECT 1 FROM {batch} r WHERE r.rule_id = i.process_code)"
        },
    ),
    Expectation(
        "every_active_rule_has_its_papers",
        "unexpected_rows_expectation",
        "Every rule that makes tasks has a legal basis, an approval, an assessment and an entry in the algorithm register.",
        kwargs={
            "unexpected_rows_query": "SELECT rule_id FROM {batch} WHERE status_code IN ('in_force', 'on_trial') AND (legal_basis IS NULL OR approved_on IS NULL "
            "OR dpia IS NULL OR algorithm_register IS NULL OR condition IS NULL OR valid_to - valid_from > 366)"
        },
    ),
)
