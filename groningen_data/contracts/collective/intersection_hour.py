"""Contract of the mart of the level of service per intersection and hour."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.collective.approach_hour import LOS_CODES


class IntersectionHour(Contract):
    """One intersection in one hour, over the approaches with a measurement site (`collective.intersection_approach`).

    Vehicles and what they lost are sums over the measured approaches; volume to capacity and saturated minutes are those of the
    worst approach; delay and level of service are means, weighted by vehicles. Where `measured_approaches` is below
    `approaches`, some approach had no detector that could be trusted, and sums are too low. Approaches without any site are not
    seen at all. What each figure means is said at `collective.approach_hour`.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    hour_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van het uur", "Start of the hour")  # type: ignore[valid-type]
    intersection_code: str = column("Kruispuntcode", "Intersection code", str_length={"min_value": 1})
    approaches: int = column("Toeleidende wegen met een meetlocatie", "Approaches with a site", ge=1)
    measured_approaches: int = column("Betrouwbaar gemeten toeleidende wegen", "Approaches with trusted counts", ge=0)
    trusted_share: float = column("Aandeel betrouwbare intervallen", "Share of trusted intervals", unit="share", ge=0, le=1)
    vehicles: float = column(
        "Voertuigen (betrouwbaar geteld)", "Vehicles (counted and trusted)", unit="vehicles", nullable=True, ge=0
    )
    vehicles_missing_reason: str = column(
        "Reden van ontbrekende voertuigen", "Reason when vehicles are missing", nullable=True, isin=["not_trusted"]
    )
    volume_capacity_ratio: float = column(
        "Verhouding intensiteit en capaciteit (volste weg)", "Volume to capacity (fullest approach)", nullable=True, ge=0
    )
    busiest_site_id: str = column("Meetlocatie van de volste weg", "Site of the fullest approach", nullable=True)
    saturated_minutes: int = column("Verzadigde minuten", "Saturated minutes", unit="min", nullable=True, ge=0, le=60)
    delay_s_per_km: float = column("Vertraging per km", "Delay per km", unit="s/km", nullable=True, ge=0)
    vehicle_loss_h_per_km: float = column(
        "Voertuigverliesuren per km", "Vehicle hours lost per km", unit="h/km", nullable=True, ge=0
    )
    los_code: str = column("Afwikkelingsniveau", "Level of service", nullable=True, isin=LOS_CODES)

    class Config(Contract.Config):
        metadata = table(
            name="collective.intersection_hour",
            title_nl="Kruispunten per uur",
            title_en="Intersections per hour",
            grain="one intersection in one hour",
            key=("intersection_code", "hour_start_at"),
            owner="Stadsontwikkeling",
            purpose="To see which intersections jam, when, and what it costs.",
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
