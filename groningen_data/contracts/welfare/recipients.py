"""Contract of benefit recipients per region and period (CBS)."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.codes import CODE_STATUSES, MISSING_REASONS, REGION_CODE, REGION_LEVELS

PERIOD_CODE = r"^\d{4}(JJ00|HJ0[12]|KW0[1-4]|MM(0[1-9]|1[0-2]))$"
"""The form of CBS period codes: year, half-year, quarter, month."""


class WelfareRecipients(Contract):
    """Persons who receive a benefit, per region, period and kind of benefit, as CBS publishes them (rounded to tens).

    Counts are of the last day of the period (`period_end_on`). The quarterly tables give four periods a year (CBS writes the
    last month of the quarter, `2024MM03`); *Kerncijfers wijken en buurten* gives one (`2024JJ00`). Statistics about groups;
    no person is in this table.
    """

    region_code: str = column("Regiocode zoals geleverd", "Region code as delivered", str_matches=REGION_CODE)
    region_level: str = column("Regioniveau", "Region level", isin=REGION_LEVELS)
    year: int = column("Jaar", "Year", ge=1995, le=2100)
    period_code: str = column("Periodecode van CBS", "Period code of CBS", str_matches=PERIOD_CODE)
    period_end_on: pl.Date = column("Laatste dag van de periode", "Last day of the period")
    benefit_code: str = column(
        "Soort uitkering", "Kind of benefit", isin=["social_assistance", "disability", "unemployment", "state_pension"]
    )
    recipients: int = column("Personen met uitkering", "Recipients", nullable=True, ge=0, personal_data="statistic")
    missing_reason: str = column("Reden van ontbreken", "Reason when missing", nullable=True, isin=MISSING_REASONS)
    current_code: str = column("Huidige buurtcode", "Current neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    code_status: str = column("Verhouding tot de huidige buurtcode", "Relation to the current code", isin=CODE_STATUSES)
    source_table: str = column("Brontabel", "Source table")
    released_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Uitgebracht op", "Released at", nullable=True)  # type: ignore[valid-type]

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_recipients",
            title_nl="Personen met een uitkering per regio en periode",
            title_en="Benefit recipients per region and period",
            grain="one kind of benefit in one region and period",
            key=("region_code", "period_code", "benefit_code", "source_table"),
            owner="Werk en Inkomen",
            purpose="Where help is needed, per area; never who.",
            legal_basis="Open data of CBS (CC BY 4.0); Participatiewet art. 7",
            classification="internal",
            reason_not_public="small counts of a vulnerable group; marts serve them under disclosure control",
            retention="10 years",
            freshness_days=400,
            load_mode="partition",
            partition_columns=("source_table",),
            tolerance=0.0,
            licence="CC BY 4.0 (CBS)",
        )
