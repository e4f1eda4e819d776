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
        "every_active_rule_has_its_papers",
        "unexpected_rows_expectation",
        "Every rule that makes tasks has a legal basis, an approval, an assessment and an entry in the algorithm register.",
        kwargs={
            "unexpected_rows_query": "SELECT rule_id FROM {batch} WHERE status_code IN ('in_force', 'on_trial') AND (legal_basis IS NULL OR approved_on IS NULL "
            "OR dpia IS NULL OR algorithm_register IS NULL OR condition IS NULL OR valid_to - valid_from > 366)"
        },
    ),
)
