"""Contract of when each container reaches its alarm limit and overflows."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES

FORECAST_REASONS = ["silent", "too_little_history"]
STATUSES = ["reached", "expected", "possible", "not_this_week", "unknown"]


class ContainerOutlook(Contract):
    """When one container reaches its alarm limit and overflows, if it is not emptied before.

    Of every container with a sensor that was heard of in the last twelve weeks. For either event the status is `reached` (it was
    so at the last reading, and no vehicle has emptied it since), `expected` (within the seven days ahead), `possible` (with more than one chance in ten, but later is
    likelier), `not_this_week`, or `unknown` where there is no forecast. The early instant is that by which one chance in ten has
    come, the late one that by which nine have; an instant is missing where it is not within the seven days, and where the limit
    was already reached.
    """

    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    fraction_code: str = column("Fractie", "Fraction", nullable=True)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", nullable=True, isin=LOCATION_STATUSES)
    made_from_on: pl.Date = column("Laatste bekende dag", "Last known day")
    last_measured_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Laatste meting", "Last reading", nullable=True
    )
    last_fill_pct: float = column("Vulgraad toen", "Fill level then", unit="%", nullable=True, ge=0, le=150)
    usual_inflow_pct: float = column(
        "Verwachte instroom per dag", "Expected inflow per day", unit="% per day", nullable=True, ge=0
    )
    forecast_missing_reason: str = column(
        "Reden van ontbrekende voorspelling", "Reason when there is no forecast", nullable=True, isin=FORECAST_REASONS
    )
    alarm_pct: float = column("Alarmgrens", "Alarm limit", unit="%", ge=0, le=150)
    alarm_status_code: str = column("Stand van de alarmgrens", "Status of the alarm limit", isin=STATUSES)
    alarm_early_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Alarmgrens bereikt, vroeg", "Alarm limit reached, early", nullable=True
    )
    alarm_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Alarmgrens bereikt, verwacht", "Alarm limit reached, expected", nullable=True
    )
    alarm_late_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Alarmgrens bereikt, laat", "Alarm limit reached, late", nullable=True
    )
    overflow_status_code: str = column("Stand van overvol", "Status of overflowing", isin=STATUSES)
    overflow_early_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Overvol, vroeg", "Overflows, early", nullable=True
    )
    overflow_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Overvol, verwacht", "Overflows, expected", nullable=True
    )
    overflow_late_at: pl.Datetime(time_unit="us", time_zone="UTC") = column(  # type: ignore[valid-type]
        "Overvol, laat", "Overflows, late", nullable=True
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.container_outlook",
            title_nl="Wanneer containers vol zijn",
            title_en="When containers are full",
            grain="one container with a sensor",
            key=("container_code",),
            owner="Stadsbeheer",
            purpose="To see which containers will need the truck first, and how sure that is.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="public",
            retention="until the next forecast",
            freshness_days=2,
            load_mode="snapshot",
            period_column="made_from_on",
            tolerance=0.0,
            served=True,
        )
