"""Contract of household waste per inhabitant and year (CBS 83452NED)."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import MISSING_REASONS
from groningen_data.contracts.waste.codes import FRACTIONS


class ReferenceHouseholdWaste(Contract):
    """Household waste collected per inhabitant, of the municipality and of the country, per kind of waste and year.

    Kinds are those of CBS, among them totals that hold other kinds: they must not be added up. A kind that containers and
    weighings know as a fraction names it. A figure that is not there says why; it is never 0.
    """

    region_code: str = column("Regiocode", "Region code", str_matches=r"^(NL\d{2}|GM\d{4})$")
    region_level: str = column("Regioniveau", "Region level", isin=["country", "municipality"])
    region_name: str = column("Regionaam", "Region name", nullable=True)
    year: int = column("Jaar", "Year", ge=1990, le=2100)
    year_status: str = column("Status van het jaar", "Status of the year", nullable=True, isin=["final", "provisional"])
    waste_kind_code: str = column("Code afvalsoort (CBS)", "Code of the kind of waste (CBS)", str_matches=r"^\w+$")
    waste_kind_title: str = column("Afvalsoort", "Kind of waste", nullable=True)
    fraction_code: str = column("Fractie", "Fraction", nullable=True, isin=FRACTIONS)
    kg_per_inhabitant: float = column(
        "Hoeveelheid per inwoner", "Amount per inhabitant", unit="kg", nullable=True, ge=0, le=5_000
    )
    missing_reason: str = column("Reden van ontbreken", "Reason when missing", nullable=True, isin=MISSING_REASONS)
    source_table: str = column("Brontabel", "Source table")
    released_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Uitgebracht op", "Released at", nullable=True)  # type: ignore[valid-type]

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_household_waste",
            title_nl="Huishoudelijk afval per inwoner",
            title_en="Household waste per inhabitant",
            grain="one kind of waste in one region and year",
            key=("region_code", "year", "waste_kind_code", "source_table"),
            owner="Onderzoek en Statistiek",
            purpose="How much waste households hand in over the years, beside the country: the measure behind waste policy.",
            legal_basis="Open data of CBS (CC BY 4.0); Wet milieubeheer art. 10.21",
            classification="public",
            retention="10 years",
            freshness_days=500,
            load_mode="partition",
            partition_columns=("source_table",),
            tolerance=0.0,
            served=True,
            licence="CC BY 4.0 (CBS)",
        )
