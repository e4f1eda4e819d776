"""Contract of the mart of the level of service per approach and hour."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

LOS_CODES = ["A", "B", "C", "D", "E", "F"]
CAPACITY_METHODS = ["observed_at_breakdown", "observed_highest", "default_fast_road", "default_signalised"]


class ApproachHour(Contract):
    """One approach of an intersection (a measurement site) in one hour: how full it was, and what that cost.

    Only detectors that `collective.site_quality` trusts count; where they give less than half of the intervals there are no
    figures. Free speed is the median speed in light traffic. `capacity_veh_h` is what passed at most where traffic was seen to
    break down, otherwise that of the Highway Capacity Manual for the kind of road (`capacity_method`). `volume_capacity_ratio`
    is the busiest quarter of an hour against it. A minute is saturated when speed is half of the free speed or less while vehicles
    pass. The delay is that against the free speed, per kilometre of road, because the length of the queue is not measured.
    `los_code` is the level of service of urban streets by the share of the free speed (HCM 6, exhibit 18-1). Speeds are measured
    at the loop, not from crossing to crossing: who stands before the stop line is not seen.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    hour_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van het uur", "Start of the hour")  # type: ignore[valid-type]
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    intersection_code: str = column("Kruispuntcode", "Intersection code", str_length={"min_value": 1})
    trusted_share: float = column("Aandeel betrouwbare intervallen", "Share of trusted intervals", unit="share", ge=0, le=1)
    lanes: int = column("Gemeten rijstroken", "Lanes measured", ge=1)
    vehicles: float = column(
        "Voertuigen (betrouwbaar geteld)", "Vehicles (counted and trusted)", unit="vehicles", nullable=True, ge=0
    )
    vehicles_missing_reason: str = column(
        "Reden van ontbrekende voertuigen", "Reason when vehicles are missing", nullable=True, isin=["not_trusted"]
    )
    mean_speed_km_h: float = column("Gemiddelde snelheid", "Mean speed", unit="km/h", nullable=True, ge=0, le=250)
    speed_missing_reason: str = column(
        "Reden van ontbrekende snelheid",
        "Reason when speed is missing",
        nullable=True,
        isin=["not_trusted", "no_vehicles", "not_measured"],
    )
    free_speed_km_h: float = column("Vrije snelheid", "Free speed", unit="km/h", nullable=True, ge=0, le=250)
    capacity_veh_h: float = column("Capaciteit", "Capacity", unit="veh/h", nullable=True, ge=0)
    capacity_method: str = column("Herkomst van de capaciteit", "Method of the capacity", nullable=True, isin=CAPACITY_METHODS)
    volume_capacity_ratio: float = column(
        "Verhouding intensiteit en capaciteit (drukste kwartier)",
        "Volume to capacity (busiest quarter of an hour)",
        nullable=True,
        ge=0,
    )
    saturated_minutes: int = column("Verzadigde minuten", "Saturated minutes", unit="min", nullable=True, ge=0, le=60)
    delay_s_per_km: float = column("Vertraging per km", "Delay per km", unit="s/km", nullable=True, ge=0)
    vehicle_loss_h_per_km: float = column(
        "Voertuigverliesuren per km", "Vehicle hours lost per km", unit="h/km", nullable=True, ge=0
    )
    los_code: str = column("Afwikkelingsniveau", "Level of service", nullable=True, isin=LOS_CODES)

    class Config(Contract.Config):
        metadata = table(
            name="collective.approach_hour",
            title_nl="Toeleidende wegen per uur",
            title_en="Approaches of intersections per hour",
            grain="one approach in one hour",
            key=("site_id", "hour_start_at"),
            owner="Stadsontwikkeling",
            purpose="To see which approach of an intersection is full, when, and what it costs.",
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
