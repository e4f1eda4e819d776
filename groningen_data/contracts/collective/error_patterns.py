"""Contract of the mart that shows where in the process errors arise, counted over closed cases and never over persons."""

import polars as pl

from groningen_data.contracts.base import Contract, Protection, column, table
from groningen_data.contracts.welfare.closed_cases import CAUSES, CHANNELS, PROCESS_STEPS

ALL, UNKNOWN = "all", "unknown"
SMALLEST = Protection().minimum
"""Of fewer cases there is no row."""
LEVELS = {
    "total": (),
    "cause": ("cause_code",),
    "process_step": ("process_step_code",),
    "channel": ("channel_code",),
    "cause_step_channel": ("cause_code", "process_step_code", "channel_code"),
}
"""Which of the three a row tells apart; the others say `all`."""


class ErrorPatterns(Contract):
    """Irrevocably closed cases of unlawful payment, by cause, step of the process and channel, per quarter and per year.

    Properties of letters, forms and moments, not of people: no row and no column leads to a person, and there is no
    neighbourhood. Each level counts cases by itself, so rows of different levels must not be added up. A combination of fewer than
    ten cases has no row: that it occurs at all would, beside its totals, tell how often. Nor has a year of which all quarters
    under ten have eight or nine cases, because it would tell that. A case that is opened again leaves its quarter; the last two
    quarters therefore still change.
    """

    period_code: str = column("Periode (CBS-notatie)", "Period (CBS notation)", str_matches=r"^\d{4}(KW0[1-4]|JJ00)$")
    period_end_on: pl.Date = column("Laatste dag van de periode", "Last day of the period")
    level_code: str = column("Niveau", "Level", isin=list(LEVELS))
    cause_code: str = column("Oorzaak", "Cause", isin=[*CAUSES, UNKNOWN, ALL])
    process_step_code: str = column("Processtap", "Process step", isin=[*PROCESS_STEPS, UNKNOWN, ALL])
    channel_code: str = column("Kanaal", "Channel", isin=[*CHANNELS, UNKNOWN, ALL])
    closed_cases: int = column(
        "Afgesloten zaken", "Closed cases", ge=SMALLEST, personal_data="statistic", protection=Protection()
    )
    amount_eur: int = column(
        "Te veel of te weinig betaald",
        "Amount paid unlawfully",
        unit="EUR",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(minimum=5_000, round_to=1_000, follows="closed_cases"),
    )
    amount_missing_reason: str = column(
        "Reden van ontbrekend bedrag", "Reason when the amount is missing", nullable=True, isin=["dominated", "not_known"]
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.error_patterns",
            title_nl="Foutpatronen in het proces",
            title_en="Error patterns of the process",
            grain="one combination of cause, process step and channel in one period, at one level",
            key=("period_code", "level_code", "cause_code", "process_step_code", "channel_code"),
            owner="Werk en Inkomen",
            purpose="To find the letters, forms and moments that cause errors, and to mend those.",
            legal_basis="Participatiewet art. 7 and 17; AVG art. 25 and 89",
            classification="internal",
            reason_not_public="for the departments that mend the process; what is published of it is chosen by them",
            retention="10 years",
            freshness_days=120,
            load_mode="snapshot",
            period_column="period_end_on",
            tolerance=0.0,
            served=True,
        )
