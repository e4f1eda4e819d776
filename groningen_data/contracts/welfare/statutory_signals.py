"""Contract of statutory signals: facts of other registers that touch a benefit, one row per signal, under pseudonyms."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.welfare.benefit_cases import LEFT_OUT_BEFORE_LANDING, PSEUDONYM

SIGNAL_TYPES = [
    "income_started",
    "income_ended",
    "benefit_elsewhere",
    "study_finance",
    "cost_sharer",
    "assets",
    "vehicle",
    "other",
    "unlisted",
]
SIGNAL_SOURCES = [
    "employee_insurance_agency",
    "tax_administration",
    "education_agency",
    "vehicle_authority",
    "population_register",
    "municipality",
    "other",
    "unlisted",
]
STATUSES = ["open", "in_progress", "handled", "returned_to_source", "unlisted"]


class WelfareStatutorySignals(Contract):
    """Signals of the Inlichtingenbureau (samenloopsignalen): a fact of another register beside a running benefit.

    A signal is a fact, not a suspicion; many are known already, and some are wrong. Data minimisation: signal, case and person are
    pseudonyms made before landing; no amount, employer, address, household or registration number enters. A signal about detention
    is `other`: what criminal courts decide is no business of this platform (AVG art. 10). Never served; what a rule may look at in
    it is in `groningen_data/signals`.
    """

    signal_pseudonym: str = column("Signaal (pseudoniem)", "Signal (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    signal_type_code: str = column("Soort signaal", "Kind of signal", isin=SIGNAL_TYPES)
    source_code: str = column("Register waar het feit uit komt", "Register that the fact is from", isin=SIGNAL_SOURCES)
    fact_on: pl.Date = column("Datum van het feit", "Date of the fact")
    received_on: pl.Date = column("Ontvangen op", "Received on")
    person_pseudonym: str = column("Persoon (pseudoniem)", "Person (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    case_pseudonym: str = column("Zaak (pseudoniem)", "Case (pseudonym)", personal_data="pseudonym", **PSEUDONYM)
    is_already_known: bool = column(
        "Al bekend in het dossier (leeg: niet nagegaan)", "Known in the file already (empty: not looked up)", nullable=True
    )
    status_code: str = column("Status", "Status", isin=STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_statutory_signals",
            title_nl="Samenloopsignalen (gepseudonimiseerd)",
            title_en="Statutory signals (pseudonymised)",
            grain="one signal",
            key=("signal_pseudonym",),
            owner="Werk en Inkomen",
            purpose="To ask people in time about a fact that may not fit their benefit, first in, first out; never to rank them.",
            legal_basis="Participatiewet art. 17, 53a and 64; Wet SUWI art. 62 and 63; UAVG art. 46 (up to the pseudonym); "
            "AVG art. 5 and 25",
            classification="confidential",
            reason_not_public="rows about persons, under pseudonyms",
            retention="until the next delivery leaves the signal out; at most 2 years",
            freshness_days=8,
            load_mode="snapshot",
            period_column="received_on",
            tolerance=0.02,
            source_rules=(
                *LEFT_OUT_BEFORE_LANDING,
                ("received_on.before_fact_on", "a fact is not reported before it happened"),
            ),
        )
