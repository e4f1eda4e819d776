"""Contract of the events, road works and closures."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import LOCATION_STATUSES
from groningen_data.contracts.traffic.codes import EARTH_LATITUDES, EARTH_LONGITUDES

EVENT_KINDS = ["event", "road_works", "closure"]
END_MISSING_REASONS = ["not_known_yet"]


class TrafficEvents(Contract):
    """What the municipality knows of that changes traffic: events, road works and closures, with when and where.

    One that leaves the list stays here, because counts of its days are explained by it.
    """

    event_id: str = column("Nummer", "Number", str_length={"min_value": 1})
    event_kind: str = column("Soort", "Kind", isin=EVENT_KINDS)
    name: str = column("Naam", "Name", nullable=True)
    starts_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin", "Start")  # type: ignore[valid-type]
    ends_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Eind", "End", nullable=True)  # type: ignore[valid-type]
    end_missing_reason: str = column(
        "Reden van ontbrekend eind", "Reason when the end is missing", nullable=True, isin=END_MISSING_REASONS
    )
    starts_on: pl.Date = column("Eerste dag (lokaal)", "First day (local)")
    ends_on: pl.Date = column("Laatste dag (lokaal)", "Last day (local)", nullable=True)
    road_name: str = column("Wegnaam", "Road name", nullable=True)
    hindrance: str = column("Hinder", "Hindrance", nullable=True)
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=EARTH_LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=EARTH_LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    location_status: str = column("Ligging", "Location status", isin=LOCATION_STATUSES)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_events",
            title_nl="Evenementen, wegwerkzaamheden en afsluitingen",
            title_en="Events, road works and closures",
            grain="one event, road works or closure",
            key=("event_id",),
            owner="Mobiliteit",
            purpose="To explain traffic that is out of the ordinary.",
            legal_basis="Task of public interest: managing roads (Wegenwet art. 16) and permits for events (APV)",
            classification="public",
            retention="10 years, as long as counts of its days are kept",
            freshness_days=31,
            load_mode="merge",
            period_column="starts_on",
            tolerance=0.05,
            source_rules=(
                ("event_kind.unknown", "a kind is evenement, wegwerkzaamheden or afsluiting"),
                ("starts_at.nonexistent", "it starts at a local time that exists (clocks go forward in March)"),
                ("ends_at.nonexistent", "it ends at a local time that exists (clocks go forward in March)"),
                ("ends_at.before_start", "it does not end before it starts"),
            ),
        )
