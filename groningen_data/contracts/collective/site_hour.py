"""Contract of the mart of traffic per measurement site and hour."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES

VEHICLE_REASONS = ["no_good_interval"]
SPEED_REASONS = ["no_vehicles", "not_measured"]
USUAL_REASONS = ["too_little_history", "incomplete_hour"]


class SiteHour(Contract):
    """Traffic of one measurement site in one hour, next to what is usual there.

    Only counts of all vehicles together are added up, of one feed per site and day (the one with most good minutes), so nothing
    counts twice. `vehicles` is what was counted; where `good_share` is below 1 some minutes are missing. The usual flow is the
    mean of the same weekday and local hour over the eight weeks before, of hours with at least 80 % good minutes;
    `flow_ratio` compares counted vehicles per good minute with it, and needs three such hours and a good hour itself.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    hour_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van het uur", "Start of the hour")  # type: ignore[valid-type]
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    feed_code: str = column("Aanlevering", "Feed")
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", nullable=True, isin=LOCATION_STATUSES)
    vehicles: float = column("Voertuigen", "Vehicles", unit="vehicles", nullable=True, ge=0)
    vehicles_missing_reason: str = column(
        "Reden van ontbrekende voertuigen", "Reason when vehicles are missing", nullable=True, isin=VEHICLE_REASONS
    )
    mean_speed_km_h: float = column(
        "Gemiddelde snelheid (gewogen naar voertuigen)",
        "Mean speed (weighted by vehicles)",
        unit="km/h",
        nullable=True,
        ge=0,
        le=250,
    )
    speed_missing_reason: str = column(
        "Reden van ontbrekende snelheid", "Reason when speed is missing", nullable=True, isin=SPEED_REASONS
    )
    good_intervals: int = column("Goede intervallen", "Good intervals", ge=0)
    expected_intervals: int = column("Verwachte intervallen", "Expected intervals", ge=1)
    good_share: float = column("Aandeel goede intervallen", "Share of good intervals", unit="share", ge=0, le=1)
    usual_vehicles: float = column("Gebruikelijke voertuigen", "Usual vehicles", unit="vehicles/h", nullable=True, ge=0)
    usual_hours: int = column("Uren achter het gebruikelijke", "Hours behind the usual", unit="h", ge=0)
    flow_ratio: float = column("Verhouding tot het gebruikelijke", "Ratio to the usual flow", nullable=True, ge=0)
    flow_ratio_missing_reason: str = column(
        "Reden van ontbrekende verhouding",
        "Reason when the ratio is missing",
        nullable=True,
        isin=[*USUAL_REASONS, "usually_none"],
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.site_hour",
            title_nl="Meetlocatie per uur",
            title_en="Measurement site per hour",
            grain="one measurement site in one hour",
            key=("site_id", "hour_start_at"),
            owner="Stadsontwikkeling",
            purpose="To see where and when traffic differs from what is usual, next to events, works and weather.",
            legal_basis="Task of public interest: road management (Wegenverkeerswet 1994 art. 2)",
            classification="public",
            retention="5 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("month",),
            period_column="local_date",
            tolerance=0.0,
            served=True,
        )
