"""Contract of the backtest of the collection plan: what it would have done in weeks that are known, beside the fixed schedule."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.waste.codes import FRACTIONS

POLICIES = ["fixed_schedule", "fixed_reordered", "plan"]
REPORTS_REASONS = ["rate_not_known"]


class CollectionBacktest(Contract):
    """One day of a known week, of one fraction, driven by one policy. The same containers, inflow, distances and times for each.

    `fixed_schedule` empties each container on its fixed days in the order in which vehicles drive now; `fixed_reordered` empties
    the same ones with the same vehicles in the shortest order found; `plan` is what the plan would have chosen each night, from
    what was known then. Of each month its last whole week is replayed. Days after the first start from what the policy itself left
    in the containers. Containers without a sensor are emptied on their fixed days by all; hours overfull are of those with one.
    Expected reports are hours overfull times the reports that an hour overfull brought in the eight weeks before.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    fraction_code: str = column("Fractie", "Fraction", isin=FRACTIONS)
    policy_code: str = column("Werkwijze", "Policy", isin=POLICIES)
    containers: int = column("Containers", "Containers", ge=1)
    measured_containers: int = column("Daarvan met sensor", "Of these with a sensor", ge=0)
    stops: int = column("Ledigingen", "Containers emptied", ge=0)
    rounds: int = column("Routes", "Rounds", ge=0)
    tippings: int = column("Keren storten", "Times tipped", ge=0)
    distance_km: float = column("Afstand", "Distance", unit="km", ge=0)
    work_hours: float = column("Uren van voertuigen", "Hours of vehicles", unit="h", ge=0)
    overtime_hours: float = column("Daarvan na het einde van de dienst", "Of these after the shift", unit="h", ge=0)
    weight_kg: float = column("Ingezameld gewicht", "Weight collected", unit="kg", ge=0)
    fill_at_emptying_pct: float = column(
        "Gemiddelde vulgraad bij lediging", "Mean fill level when emptied", unit="%", nullable=True, ge=0
    )
    overfull_hours: int = column("Uren overvol", "Hours overfull", unit="container hours", ge=0)
    expected_reports: float = column("Verwachte meldingen", "Expected reports", nullable=True, ge=0)
    reports_missing_reason: str = column(
        "Reden van ontbrekende meldingen", "Reason when reports are missing", nullable=True, isin=REPORTS_REASONS
    )
    inputs_code: str = column("Kenmerk van de invoer", "Fingerprint of the inputs", str_length={"min_value": 1})

    class Config(Contract.Config):
        metadata = table(
            name="collective.collection_backtest",
            title_nl="Terugtoets van het routevoorstel",
            title_en="Backtest of the collection plan",
            grain="one day of one fraction under one policy",
            key=("local_date", "fraction_code", "policy_code"),
            owner="Stadsbeheer",
            purpose="To know whether the plan does better than the fixed schedule before anybody drives it.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="it says how long crews work, day by day",
            retention="5 years",
            freshness_days=45,
            load_mode="partition",
            partition_columns=("month",),
            period_column="local_date",
            tolerance=0.0,
            served=True,
        )
