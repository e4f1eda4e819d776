"""Contract of benefit cases, one row per case, under pseudonyms."""

from typing import Any

import polars as pl

from groningen_data.contracts.base import Contract, column, table

PSEUDONYM: dict[str, Any] = {"str_matches": r"^[a-p]+$", "str_length": {"min_value": 32, "max_value": 32}}
"""The form of pseudonyms (`privacy/pseudonyms.py`): letters only, so that none can pass for a citizen service number."""

LEFT_OUT_BEFORE_LANDING = (
    ("row.service_number", "the row has a valid citizen service number; others do not land and must be delivered again"),
    (
        "row.stray_number",
        "no field but its own holds a citizen service number; such rows do not land and must be delivered again",
    ),
    ("row.fields", "the row has as many fields as its header; others do not land and must be delivered again"),
)
"""Rules that a row of persons meets before it lands; a row that breaks one is known by its number and the rule only."""

BENEFITS = ["social_assistance", "ioaw", "ioaz", "bbz", "special_assistance", "income_supplement", "unlisted"]
INFLOW_REASONS = [
    "work_ended",
    "benefit_ended",
    "study_ended",
    "household_changed",
    "income_or_assets_ended",
    "moved",
    "other",
    "unlisted",
]
OUTFLOW_REASONS = [
    "work",
    "self_employment",
    "study",
    "moved",
    "pension_age",
    "household_changed",
    "other_income",
    "other",
    "unlisted",
]


class WelfareBenefitCases(Contract):
    """Benefit cases as the benefit administration last delivered them: what is paid, since when, and in which neighbourhood.

    Data minimisation: case and person are pseudonyms made before landing; no name, address, birth date, nationality, household
    or amount enters. Reasons of inflow are groups in which detention, health and origin are not told apart. The table counts
    people for marts; it is never served, and no case is ever selected from it.
    """

    case_pseudonym: str = column("Zaak (pseudoniem)", "Case (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    person_pseudonym: str = column("Persoon (pseudoniem)", "Person (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    benefit_code: str = column("Regeling", "Benefit scheme", isin=BENEFITS)
    started_on: pl.Date = column("Ingangsdatum", "Start date")
    ended_on: pl.Date = column("Einddatum (leeg: loopt nog)", "End date (empty: still running)", nullable=True)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    inflow_reason_code: str = column("Reden van instroom", "Reason of inflow", nullable=True, isin=INFLOW_REASONS)
    outflow_reason_code: str = column("Reden van uitstroom", "Reason of outflow", nullable=True, isin=OUTFLOW_REASONS)

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_benefit_cases",
            title_nl="Uitkeringszaken (gepseudonimiseerd)",
            title_en="Benefit cases (pseudonymised)",
            grain="one benefit case",
            key=("case_pseudonym",),
            owner="Werk en Inkomen",
            purpose="To count who comes, stays and leaves per area and scheme; never to look at one person.",
            legal_basis="Participatiewet art. 7; UAVG art. 46 (citizen service number, up to the pseudonym); AVG art. 25 and 89",
            classification="confidential",
            reason_not_public="rows about persons, under pseudonyms",
            retention="until the next delivery leaves the case out; at most 10 years after it ended",
            freshness_days=35,
            load_mode="snapshot",
            period_column="started_on",
            tolerance=0.02,
            source_rules=(
                *LEFT_OUT_BEFORE_LANDING,
                ("ended_on.before_started_on", "a case does not end before it starts"),
            ),
        )
