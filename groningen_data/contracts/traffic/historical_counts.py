"""Contract of historical traffic counts per hour, quarter or minute."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.traffic.codes import EARTH_LATITUDES, EARTH_LONGITUDES, VEHICLE_CLASS

MISSING_REASONS = ["excluded", "data_error", "no_input", "no_vehicles", "not_a_number", "not_delivered"]


class TrafficHistoricalCounts(Contract):
    """Vehicles and speeds per period of one series of a site, as NDW exports them from its history.

    Flow per hour became vehicles in the period. A reading that is not there is null with its reason, never 0; what NDW itself
    excluded counts as not there. Periods of another length describe the same traffic again, so add up one length only, and of
    the classes only `any`.
    """

    source_code: str = column("Bron", "Source", isin=["ndw_historical"])
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    site_version: int = column("Versie van de meetlocatie", "Site version", nullable=True, ge=0)
    series_code: str = column("NDW-index", "NDW index", str_length={"min_value": 1})
    interval_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van de meetperiode", "Start of the period")  # type: ignore[valid-type]
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    period_s: int = column("Lengte van de meetperiode", "Length of the period", unit="s", ge=1, le=86_400)
    measured_minutes: float = column("Gebruikte minuten", "Minutes used", unit="min", nullable=True, ge=0, le=1440)
    vehicles: float = column("Voertuigen in de meetperiode", "Vehicles in the period", nullable=True, ge=0, le=300_000)
    flow_veh_h: float = column("Intensiteit", "Flow", unit="veh/h", nullable=True, ge=0, le=12_000)
    speed_km_h: float = column("Snelheid", "Speed", unit="km/h", nullable=True, ge=0, le=250)
    weighted_speed_km_h: float = column("Gewogen snelheid", "Weighted speed", unit="km/h", nullable=True, ge=0, le=250)
    flow_missing_reason: str = column(
        "Reden van ontbrekende intensiteit", "Reason when flow is missing", nullable=True, isin=MISSING_REASONS
    )
    speed_missing_reason: str = column(
        "Reden van ontbrekende snelheid", "Reason when speed is missing", nullable=True, isin=MISSING_REASONS
    )
    exclusion_codes: str = column("Technische uitsluiting", "Technical exclusion", nullable=True)
    vehicle_class: str = column("Voertuigklasse", "Vehicle class", str_matches=VEHICLE_CLASS)
    lane_code: str = column("Rijstrook", "Lane", nullable=True)
    lanes: int = column("Aantal rijstroken", "Number of lanes", nullable=True, ge=0, le=20)
    site_name: str = column("Naam", "Name", nullable=True)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_historical_counts",
            title_nl="Historische verkeerstellingen",
            title_en="Historical traffic counts",
            grain="one series of a site in one period",
            key=("source_code", "site_id", "series_code", "interval_start_at", "period_s"),
            owner="Mobiliteit",
            purpose="To compare traffic with that of earlier years.",
            legal_basis="Open data of NDW; Wegenwet art. 16",
            classification="public",
            retention="10 years",
            freshness_days=400,
            load_mode="partition",
            partition_columns=("local_date", "source_code"),
            # A day on which clocks go forward may come with the hour that does not exist: one in twenty-four.
            tolerance=0.05,
            source_rules=(
                ("interval_start_at.nonexistent", "a period starts at a local time that exists (clocks go forward in March)"),
                ("data_error.unknown", "an error mark is empty, 0 or 1"),
            ),
            licence="open data (NDW)",
        )
