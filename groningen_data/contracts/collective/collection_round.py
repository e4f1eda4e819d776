"""Contract of tomorrow's collection rounds, one row per round."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.collective.collection_plan import DISTANCE_ORIGINS
from groningen_data.contracts.waste.codes import FRACTIONS


class CollectionRound(Contract):
    """One collection round of the plan as a whole: `collection_plan` has its stops."""

    planned_on: pl.Date = column("Dag van de route", "Day of the round")
    round_code: str = column("Routecode", "Round code", str_length={"min_value": 1})
    vehicle_code: str = column("Voertuigcode", "Vehicle code", str_length={"min_value": 1})
    fraction_code: str = column("Fractie", "Fraction", isin=FRACTIONS)
    stops: int = column("Containers", "Containers", ge=1)
    overflow_likely_stops: int = column("Daarvan waarschijnlijk overvol", "Of these likely to overflow", ge=0)
    fixed_day_stops: int = column("Daarvan op hun vaste dag", "Of these on their fixed day", ge=0)
    tippings: int = column("Keren storten", "Times it tips", ge=1)
    first_stop_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Eerste stop", "First stop")  # type: ignore[valid-type]
    end_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Terug op het depot", "Back at the depot")  # type: ignore[valid-type]
    distance_km: float = column("Afstand", "Distance", unit="km", ge=0)
    load_kg: float = column("Verwacht gewicht", "Expected weight", unit="kg", ge=0)
    capacity_kg: float = column("Laadvermogen", "Load capacity", unit="kg", gt=0)
    distance_origin: str = column("Herkomst van afstanden", "Origin of distances", isin=DISTANCE_ORIGINS)

    class Config(Contract.Config):
        metadata = table(
            name="collective.collection_round",
            title_nl="Voorgestelde inzamelroutes",
            title_en="Proposed collection rounds, in short",
            grain="one round",
            key=("round_code",),
            owner="Stadsbeheer",
            purpose="To see at a glance which vehicles drive tomorrow, how far, and with how much.",
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
