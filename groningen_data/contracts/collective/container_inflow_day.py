"""Contract of the mart of what comes into each container per day, and when it was emptied as far as its sensor shows."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

INFLOW_REASONS = ["silent", "overfull", "too_little_measured"]


class ContainerInflowDay(Contract):
    """One container on one local day: by how much its level rose, of a series without spikes and emptyings.

    Each container that sent anything in the month is there on every day on which any of them did or was weighed. The inflow is the net rise of
    the cleaned level in the hours that were measured, divided by the part of a usual day's inflow that comes in these hours, so a
    day of which the hour of the emptying is unknown compares with a whole one; it is below zero where waste settles. It is missing
    with its reason: `silent` (no reading with a level), `overfull` (too much of the day at 100 % or more, where a level says
    nothing of what is put beside it), `too_little_measured` (less than half of a usual day's inflow was measured). An emptying is
    inferred from a fall of the level; `weighings` are those of vehicles, of this container alone, and `matched_weighings` those at
    whose time the level fell.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    inflow_pct: float = column("Instroom", "Inflow (of the room of the container)", unit="%", nullable=True, ge=-500, le=1000)
    inflow_missing_reason: str = column(
        "Reden van ontbrekende instroom", "Reason when the inflow is missing", nullable=True, isin=INFLOW_REASONS
    )
    measured_share: float = column(
        "Gemeten deel van de instroom van een gewone dag",
        "Measured part of a usual day's inflow",
        unit="share",
        ge=0,
        le=1,
    )
    readings: int = column("Metingen met een vulgraad", "Readings with a level", ge=0)
    spikes: int = column("Uitschieters", "Spikes", ge=0)
    inferred_emptyings: int = column("Afgeleide ledigingen", "Inferred emptyings", ge=0)
    weighings: int = column("Wegingen", "Weighings", ge=0)
    matched_weighings: int = column("Wegingen bij een daling", "Weighings at a fall of the level", ge=0)
    last_measured_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Laatste meting van de dag", "Last reading of the day", nullable=True
    )
    last_fill_pct: float = column("Vulgraad toen", "Fill level then", unit="%", nullable=True, ge=0, le=150)
    rest_share: float = column(
        "Deel van de instroom van een gewone dag dat daarna komt",
        "Part of a usual day's inflow that comes after it",
        unit="share",
        nullable=True,
        ge=0,
        le=1,
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.container_inflow_day",
            title_nl="Instroom per container en dag",
            title_en="Inflow per container and day",
            grain="one container with a sensor on one local day",
            key=("container_code", "local_date"),
            owner="Stadsbeheer",
            purpose="To know how fast each container fills, without the faults of its sensor, and to forecast it.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="where a vehicle was on which day tells what its crew did",
            retention="5 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("month",),
            period_column="local_date",
            tolerance=0.0,
            served=True,
        )
