"""Contract of the key figures per region and year (CBS *Kerncijfers wijken en buurten*)."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import CODE_STATUSES, MISSING_REASONS, REGION_CODE, REGION_LEVELS


class ReferenceKeyFigures(Contract):
    """Key figures per region and year in one long shape: one row per region, year and measure.

    Measures are found by their title in the source's own list of measures, never by the number behind their column name.
    A value that is not there says why. Codes of another year than the outlines are carried over to the current code with
    `data/reference/neighbourhood_successions.csv`.
    """

    region_code: str = column("Regiocode zoals geleverd", "Region code as delivered", str_matches=REGION_CODE)
    region_level: str = column("Regioniveau", "Region level", isin=REGION_LEVELS)
    region_name: str = column("Regionaam", "Region name", nullable=True)
    year: int = column("Jaar", "Year", ge=1995, le=2100)
    measure_code: str = column("Maatcode", "Measure code", str_matches=r"^[a-z0-9_]+$")
    measure_title: str = column("Maat zoals de bron die noemt", "Measure as the source names it")
    unit: str = column("Eenheid", "Unit", nullable=True)
    value: float = column("Waarde", "Value", nullable=True, personal_data="statistic")
    missing_reason: str = column("Reden van ontbreken", "Reason when missing", nullable=True, isin=MISSING_REASONS)
    current_code: str = column("Huidige buurtcode", "Current neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    code_status: str = column("Verhouding tot de huidige buurtcode", "Relation to the current code", isin=CODE_STATUSES)
    source_table: str = column("Brontabel", "Source table")
    released_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Uitgebracht op", "Released at", nullable=True)  # type: ignore[valid-type]

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_key_figures",
            title_nl="Kerncijfers wijken en buurten",
            title_en="Key figures of districts and neighbourhoods",
            grain="one measure of one region in one year",
            key=("region_code", "year", "measure_code", "source_table"),
            owner="Onderzoek en Statistiek",
            purpose="Denominators and context for every rate: population, households, income, housing.",
            legal_basis="Open data of CBS (CC BY 4.0); task of public interest (Gemeentewet art. 108)",
            classification="internal",
            reason_not_public="exact small counts; marts serve them under disclosure control",
            retention="10 years",
            freshness_days=400,
            load_mode="partition",
            partition_columns=("source_table",),
            tolerance=0.0,
            licence="CC BY 4.0 (CBS)",
        )
