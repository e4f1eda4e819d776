"""Contract of the fill levels of waste containers."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

FILL_MISSING_REASONS = ["no_reading", "silent", "frozen", "no_confidence"]


class WasteFillLevels(Contract):
    """What sensors said about how full a container is, one row per reading.

    A press container may report more than 100 %. A reading that is not there is null with its reason, never 0: `no_reading`
    (the sensor sent none), `silent` (the device has not been heard for half a day), `frozen` (the system holds on to an old
    value), `no_confidence` (the system does not vouch for it). Spikes and drops stay as the sensor reported them.
    """

    source_code: str = column("Meetsysteem", "Measuring system", str_length={"min_value": 1})
    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    measured_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Gemeten op", "Measured at")  # type: ignore[valid-type]
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    fill_pct: float = column("Vulgraad", "Fill level", unit="%", nullable=True, in_range={"min_value": 0, "max_value": 150})
    fill_missing_reason: str = column(
        "Reden van ontbrekende vulgraad", "Reason when the fill level is missing", nullable=True, isin=FILL_MISSING_REASONS
    )
    content_weight_kg: float = column(
        "Gewicht van de vulling", "Weight of the content", unit="kg", nullable=True, ge=0, le=20_000
    )

    class Config(Contract.Config):
        metadata = table(
            name="core.waste_fill_levels",
            title_nl="Vulgraadmetingen",
            title_en="Fill levels of waste containers",
            grain="one reading of one container",
            key=("source_code", "container_code", "measured_at"),
            owner="Stadsbeheer",
            purpose="To empty containers when they are full, and to see which ones overflow.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="5 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("local_date", "source_code"),
            tolerance=0.05,
            source_rules=(
                ("row.type", "the system lists readings as objects"),
                ("measured_at.after_response", "a device was last heard before the system answered"),
            ),
        )
