"""Contract of tomorrow's collection rounds, stop by stop."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.waste.codes import FRACTIONS

CALL_KINDS = ["container", "tipping", "depot"]
STOP_REASONS = ["overflow_likely", "overflow_possible", "on_the_way", "fixed_day"]
"""Why a container is emptied: by the chance that it overflows before the next round, or because nothing is known of its level."""
DISTANCE_ORIGINS = ["straight_line", "road_network"]


class CollectionPlan(Contract):
    """One call of one collection round: a container to empty, the tipping site, or the depot at the end.

    The rounds are those of the day after the last one that is known. A round has one vehicle and one fraction; it starts at the
    depot, tips when the vehicle is full, and ends at the depot, empty. A container is emptied because it is likely to overflow
    before the next round (`overflow_likely`, at least one in two), because it may (`overflow_possible`, at least one in twenty),
    because it costs little on the way, or, where nothing is known of its level, because it is its fixed day. It is a proposal: a
    planner decides.
    """

    planned_on: pl.Date = column("Dag van de route", "Day of the round")
    round_code: str = column("Routecode", "Round code", str_length={"min_value": 1})
    vehicle_code: str = column("Voertuigcode", "Vehicle code", str_length={"min_value": 1})
    fraction_code: str = column("Fractie", "Fraction", isin=FRACTIONS)
    call_number: int = column("Volgorde", "Order", ge=1)
    call_kind: str = column("Soort stop", "Kind of call", isin=CALL_KINDS)
    container_code: str = column("Containercode", "Container code", nullable=True)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    longitude: float = column("Lengtegraad", "Longitude", unit="degree")
    latitude: float = column("Breedtegraad", "Latitude", unit="degree")
    arrival_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Aankomst", "Arrival")  # type: ignore[valid-type]
    arrival_local_time: str = column("Aankomst (lokale tijd)", "Arrival (local time)", str_matches=r"^\d\d:\d\d$")
    distance_m: int = column("Afstand vanaf de vorige stop", "Distance from the call before", unit="m", ge=0)
    expected_fill_pct: float = column("Verwachte vulgraad", "Expected fill level", unit="%", nullable=True, ge=0)
    load_kg: float = column("Verwacht gewicht van deze stop", "Expected weight of this call", unit="kg", nullable=True, ge=0)
    load_so_far_kg: float = column("Lading bij vertrek", "Load when leaving", unit="kg", ge=0)
    capacity_kg: float = column("Laadvermogen", "Load capacity", unit="kg", gt=0)
    overflow_probability: float = column(
        "Kans op overvol voor de volgende ronde",
        "Chance to overflow before the next round",
        unit="share",
        nullable=True,
        ge=0,
        le=1,
    )
    nuisance_ratio: float = column("Hinder (1 tot 3)", "Nuisance (1 to 3)", unit="ratio", nullable=True, ge=1, le=3)
    prize_km: float = column("Omweg die de stop waard is", "Detour that the stop is worth", unit="km", nullable=True, ge=0)
    stop_reason_code: str = column("Reden van de stop", "Reason for the stop", nullable=True, isin=STOP_REASONS)
    distance_origin: str = column("Herkomst van afstanden", "Origin of distances", isin=DISTANCE_ORIGINS)

    class Config(Contract.Config):
        metadata = table(
            name="collective.collection_plan",
            title_nl="Routevoorstel inzameling",
            title_en="Proposed collection rounds",
            grain="one call of one round",
            key=("round_code", "call_number"),
            owner="Stadsbeheer",
            purpose="To send the truck where it is needed tomorrow, and nowhere else.",
            legal_basis="Task of public interest: collecting household waste (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="where a vehicle will be at what time tells what its crew does",
            retention="until the next plan",
            freshness_days=2,
            load_mode="snapshot",
            period_column="planned_on",
            tolerance=0.0,
            served=True,
        )
