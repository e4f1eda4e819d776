"""Contract of outcomes of checks: what people decided after a rule or chance asked them to look, one row per check."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.welfare.benefit_cases import LEFT_OUT_BEFORE_LANDING, PSEUDONYM

OUTCOMES = ["fact_wrong", "fact_right_lawful", "fact_right_unlawful", "nothing_found", "unlisted"]
RANDOM_SAMPLE = "random_sample"
"""Stands where a rule's id would: for checks that chance asked for."""
UNLAWFUL = "fact_right_unlawful"
"""The outcome that counts as a hit: the fact was right, and the payment was not."""


class WelfareSignalOutcomes(Contract):
    """Checks that a rule or the random sample asked for, with what an employee decided and how carefully.

    Decisions come in as data; nothing here decides. The citizen service number does not land. `fact_wrong` goes back to the
    register it came from (AVG art. 16 and 19).
    """

    check_pseudonym: str = column("Onderzoek (pseudoniem)", "Check (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    case_pseudonym: str = column("Zaak (pseudoniem)", "Case (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    signal_pseudonym: str = column(
        "Signaal (pseudoniem; leeg bij de steekproef)",
        "Signal (pseudonym; empty for the sample)",
        nullable=True,
        personal_data="pseudonym",
        **PSEUDONYM,
    )
    rule_id: str = column(
        "Regel, of random_sample",
        "Rule, or random_sample",
        str_matches=r"^[a-z][a-z0-9_]*$",
        str_length={"min_value": 3, "max_value": 40},
    )
    rule_version: int = column("Versie van de regel (0: steekproef)", "Version of the rule (0: sample)", ge=0, le=999)
    checked_on: pl.Date = column("Datum van de uitkomst", "Date of the outcome")
    outcome_code: str = column("Uitkomst", "Outcome", isin=OUTCOMES)
    is_adverse: bool = column("Nadelig besluit genomen", "An adverse decision was taken", nullable=True)
    is_motivated: bool = column("Eigen motivering vastgelegd", "Own reasons were recorded", nullable=True)
    is_heard: bool = column("Betrokkene gehoord", "The person was heard", nullable=True)
    is_four_eyes: bool = column("Door een tweede beoordeeld", "A second person looked at it", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_signal_outcomes",
            title_nl="Uitkomsten van controles (gepseudonimiseerd)",
            title_en="Outcomes of checks (pseudonymised)",
            grain="one check",
            key=("check_pseudonym",),
            owner="Werk en Inkomen",
            purpose="To see whether a rule finds more than chance does, and whether decisions are taken with care.",
            legal_basis="Participatiewet art. 53a; Awb art. 3:2, 3:46 and 4:8; AVG art. 5, 22 and 25",
            classification="confidential",
            reason_not_public="rows about decisions on persons, under pseudonyms",
            retention="2 years",
            freshness_days=35,
            load_mode="snapshot",
            period_column="checked_on",
            tolerance=0.02,
            source_rules=(
                *LEFT_OUT_BEFORE_LANDING,
                ("rule_version.of_sample", "the random sample has version 0 and no signal, and a rule has neither"),
            ),
        )
