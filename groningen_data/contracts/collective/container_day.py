"""Contract of the mart that follows one waste container through one day."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES

READING_REASONS = ["no_sensor_data", "no_reading"]
WEIGHT_REASONS = ["not_weighed", "weight_missing"]


class ContainerDay(Contract):
    """One container on one local day: how full it was, when it was emptied, and what people and inspectors saw beside it.

    Every container of the municipality that a registry lists is there on every day of which any reading, weighing or inspection
    is known; so is one that only the sensors know (`is_registered` says so). Hours are counted by the last reading in each hour;
    an hour without a reading counts as neither full nor empty, and `readings_completeness` says how many had one. Hours over a
    limit are missing where there is no reading at all. A report within 50 metres of several containers counts for each of them;
    reports are missing for days of which no list of reports has come yet, such as the last day. Weather is that of one station
    for the whole city.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    is_registered: bool = column("Staat in een register", "Is in a registry")
    fraction_code: str = column("Fractie", "Fraction", nullable=True)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", nullable=True, isin=LOCATION_STATUSES)
    fill_at_6_pct: float = column("Vulgraad om 6:00", "Fill level at 6:00", unit="%", nullable=True, ge=0, le=150)
    max_fill_pct: float = column("Hoogste vulgraad", "Highest fill level", unit="%", nullable=True, ge=0, le=150)
    fill_missing_reason: str = column(
        "Reden van ontbrekende vulgraad om 6:00",
        "Reason when the fill level at 6:00 is missing",
        nullable=True,
        isin=READING_REASONS,
    )
    alarm_pct: float = column("Alarmgrens", "Alarm limit", unit="%", ge=0, le=150)
    alarm_hours: int = column(
        "Uren op of boven de alarmgrens", "Hours at or over the alarm limit", unit="h", nullable=True, ge=0, le=25
    )
    overfull_hours: int = column(
        "Uren overvol (100 % of meer)", "Hours overfull (100 % or more)", unit="h", nullable=True, ge=0, le=25
    )
    reading_hours: int = column("Uren met een meting", "Hours with a reading", unit="h", ge=0, le=25)
    readings_completeness: float = column("Volledigheid metingen", "Completeness of readings", unit="share of hours", ge=0, le=1)
    emptyings: int = column("Ledigingen", "Emptyings", ge=0)
    weight_kg: float = column("Ingezameld gewicht", "Weight collected", unit="kg", nullable=True, ge=0)
    weight_missing_reason: str = column(
        "Reden van ontbrekend gewicht", "Reason when the weight is missing", nullable=True, isin=WEIGHT_REASONS
    )
    waste_reports_50_m: int = column("Afvalmeldingen binnen 50 m", "Waste reports within 50 m", nullable=True, ge=0)
    inspections: int = column("Schouwen", "Inspections", ge=0)
    inspections_waste_beside: int = column("Schouwen met bijplaatsing", "Inspections that found waste beside the container", ge=0)
    bulky_items: int = column("Stuks grofvuil", "Bulky items found", ge=0)
    precipitation_mm: float = column("Neerslag", "Precipitation", unit="mm", nullable=True, ge=0)
    mean_temperature_c: float = column("Gemiddelde temperatuur", "Mean temperature", unit="°C", nullable=True)
    is_public_holiday: bool = column("Feestdag", "Public holiday", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="collective.container_day",
            title_nl="Container per dag",
            title_en="Container per day",
            grain="one container on one local day",
            key=("container_code", "local_date"),
            owner="Stadsbeheer",
            purpose="To send the truck where it is needed, and to see what waste beside containers has to do with full ones.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="reports near a container can point at the household that made them",
            retention="5 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("month",),
            period_column="local_date",
            tolerance=0.0,
            served=True,
        )
