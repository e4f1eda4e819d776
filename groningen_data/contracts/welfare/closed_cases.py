"""Contract of irrevocably closed cases of unlawful payment: what went wrong where in the process, and no person."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.welfare.benefit_cases import LEFT_OUT_BEFORE_LANDING, PSEUDONYM

CAUSES = ["income", "stay", "cohabitation", "assets", "cost_sharing", "other", "unlisted"]
PROCESS_STEPS = ["application", "change_report", "income_statement", "review", "termination", "other", "unlisted"]
CHANNELS = ["letter", "counter", "online", "phone", "email", "other", "unlisted"]


class WelfareClosedCases(Contract):
    """Cases of unlawful payment that are closed for good: cause, process step, channel and amount.

    Attributes of the process, not of the person: the citizen service number does not land, and the pseudonym of the case is of
    a kind of its own, so a row cannot be joined to a benefit case or a person. A case against which objection or appeal is
    still open is not in the table; one that is opened again leaves it with the next delivery.
    """

    case_pseudonym: str = column(
        "Afgesloten zaak (pseudoniem)", "Closed case (pseudonym)", personal_data="pseudonym", **PSEUDONYM
    )
    closed_on: pl.Date = column("Afgesloten op", "Closed on")
    cause_code: str = column("Oorzaak", "Cause", nullable=True, isin=CAUSES)
    process_step_code: str = column("Processtap", "Process step", nullable=True, isin=PROCESS_STEPS)
    channel_code: str = column("Kanaal", "Channel", nullable=True, isin=CHANNELS)
    amount_eur: float = column(
        "Te veel of te weinig betaald", "Amount paid unlawfully", unit="EUR", nullable=True, ge=0, le=1_000_000
    )
    is_irrevocable: bool = column("Onherroepelijk", "Is irrevocable", isin=[True])

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_closed_cases",
            title_nl="Onherroepelijk afgesloten zaken",
            title_en="Irrevocably closed cases",
            grain="one closed case",
            key=("case_pseudonym",),
            owner="Werk en Inkomen",
            purpose="To find the letters, forms and moments that cause errors, and to mend those.",
            legal_basis="Participatiewet art. 7 and 17; AVG art. 25 and 89",
            classification="confidential",
            reason_not_public="rows about single decisions; only counts above a minimum may leave",
            retention="10 years",
            freshness_days=120,
            load_mode="snapshot",
            period_column="closed_on",
            tolerance=0.02,
            source_rules=LEFT_OUT_BEFORE_LANDING,
        )
