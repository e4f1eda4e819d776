"""Contract of traffic counts per five minutes."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.traffic.codes import VEHICLE_CLASS

MISSING_REASONS = [
    "detector_error",
    "data_error",
    "no_input",
    "no_vehicles",
    "not_a_number",
    "measured_elsewhere",
    "not_delivered",
]


class TrafficCounts(Contract):
    """Vehicles and speeds per five minutes, of one series (detector, or measurement index) of a site.

    Flow per hour became vehicles in the measured minutes. A reading that is not there is null with its reason, never 0.
    Only rows whose `vehicle_class` is `any` may be added up for a site: all vehicles, each lane once. `carriageway` is all
    lanes together where the lanes are counted apart as well, `repeated` a lane that another index counts already, any other
    name a part of the vehicles (a length class, or a type as DATEX II names it). `unknown` is an index whose meaning no
    delivered site table tells.
    """

    feed_code: str = column("Aanlevering", "Feed", isin=["loops", "datex"])
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    site_version: int = column("Versie van de meetlocatie", "Site version", nullable=True, ge=0)
    series_code: str = column("Detector of meetindex", "Detector or measurement index", str_length={"min_value": 1})
    interval_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van het interval", "Start of the interval")  # type: ignore[valid-type]
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    measured_minutes: int = column("Gemeten minuten", "Minutes measured", unit="min", ge=1, le=5)
    vehicles: float = column("Voertuigen in de gemeten minuten", "Vehicles in the measured minutes", nullable=True, ge=0, le=1000)
    flow_veh_h: float = column("Intensiteit", "Flow", unit="veh/h", nullable=True, ge=0, le=12000)
    speed_km_h: float = column("Snelheid", "Speed", unit="km/h", nullable=True, ge=0, le=250)
    occupancy_pct: float = column("Bezettingsgraad", "Occupancy", unit="%", nullable=True, ge=0, le=100)
    flow_missing_reason: str = column(
        "Reden van ontbrekende intensiteit", "Reason when flow is missing", nullable=True, isin=MISSING_REASONS
    )
    speed_missing_reason: str = column(
        "Reden van ontbrekende snelheid", "Reason when speed is missing", nullable=True, isin=MISSING_REASONS
    )
    vehicle_class: str = column("Voertuigklasse", "Vehicle class", str_matches=VEHICLE_CLASS)
    lane_code: str = column("Rijstrook", "Lane", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_counts",
            title_nl="Verkeerstellingen per vijf minuten",
            title_en="Traffic counts per five minutes",
            grain="one series of a site in one five-minute interval",
            key=("feed_code", "site_id", "series_code", "interval_start_at"),
            owner="Mobiliteit",
            purpose="To see where and when traffic flows, and where it does not.",
            legal_basis="Open data of NDW and the municipality's own detectors; Wegenwet art. 16",
            classification="public",
            retention="10 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("local_date", "feed_code"),
            tolerance=0.01,
            source_rules=(
                ("interval_start_at.outside_day", "an interval starts within its day"),
                ("interval_start_at.not_five_minutes", "an interval starts on a multiple of five minutes"),
                ("interval_start_at.nonexistent", "an interval starts at a local time that exists (clocks go forward in March)"),
                ("error.unknown", "a detector's error mark is empty, 0 or 1"),
            ),
            licence="open data (NDW)",
        )
