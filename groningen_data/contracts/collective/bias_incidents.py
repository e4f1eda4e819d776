"""Contract of the incidents that the bias audit opens: which process must stop or be looked at, since when, and until what."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.collective.bias_audit import FALSE_POSITIVE, SELECTION
from groningen_data.contracts.welfare.audit_counts import GROUP_CODE, PERIOD_CODE, PROCESS_CODE, PROCESS_KINDS

OPEN, WATCHED, CLOSED = "open", "watched", "closed"
CONSEQUENCES = {"rule": "rule_suspended", "human_selection": "selection_stops", "random_sample": "draw_is_examined"}
"""What an incident means for a process of each kind, as long as it is not closed."""


class BiasIncidents(Contract):
    """Breaches of the bias audit, from the audit that found one to the audit that clears it.

    *Open*: the last audit is a breach. *Watched*: the last audit is none, but too few people were selected to say that groups are
    treated alike. *Closed*: a later audit says so. Only then may a rule run again: it is suspended while its incident is open or
    watched. Ratio and interval are those of the last audit that was a breach.
    """

    process_code: str = column("Selectieproces", "Selection process", str_matches=PROCESS_CODE)
    process_kind: str = column("Soort selectieproces", "Kind of selection process", isin=PROCESS_KINDS)
    characteristic_code: str = column("Kenmerk", "Characteristic", str_matches=GROUP_CODE)
    group_code: str = column("Groep", "Group", str_matches=GROUP_CODE)
    reference_group_code: str = column("Groep waarmee wordt vergeleken", "Group it is compared with", str_matches=GROUP_CODE)
    measure_code: str = column("Maat", "Measure", isin=[SELECTION, FALSE_POSITIVE])
    opened_period_code: str = column("Eerste periode", "First period", str_matches=PERIOD_CODE)
    opened_on: pl.Date = column("Geopend op", "Opened on")
    last_period_code: str = column("Laatste periode met overschrijding", "Last period with a breach", str_matches=PERIOD_CODE)
    ratio: float = column("Verhouding tot de vergelijkingsgroep", "Ratio to the reference group", ge=0)
    ratio_lower: float = column("Ondergrens van de verhouding", "Lower bound of the ratio", ge=0)
    ratio_upper: float = column("Bovengrens van de verhouding", "Upper bound of the ratio", ge=0)
    status_code: str = column("Status", "Status", isin=[OPEN, WATCHED, CLOSED])
    closed_on: pl.Date = column("Gesloten op", "Closed on", nullable=True)
    consequence_code: str = column("Gevolg zolang niet gesloten", "Consequence until closed", isin=list(CONSEQUENCES.values()))
    action_nl: str = column("Wat er moet gebeuren", "What must be done (Dutch)")
    action_en: str = column("Wat er moet gebeuren (Engels)", "What must be done")

    class Config(Contract.Config):
        metadata = table(
            name="collective.bias_incidents",
            title_nl="Incidenten van de biasaudit",
            title_en="Incidents of the bias audit",
            grain="one breach of one measure of one group in one process, from its first audit to the one that clears it",
            key=("process_code", "characteristic_code", "group_code", "measure_code", "opened_period_code"),
            owner="Functionaris gegevensbescherming",
            purpose="To stop a rule or a way of working that selects some groups more often, or more often wrongly.",
            legal_basis="Grondwet art. 1; AWGB art. 7a; AVG art. 5(2) and 35(11)",
            classification="internal",
            reason_not_public="first heard by those audited; the municipality publishes it with its algorithm register",
            retention="10 years",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
        )
