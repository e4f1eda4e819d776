"""Contract of the calendar: what kind of day each date is."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

SCHOOL_HOLIDAY_MISSING_REASONS = ["not_listed"]


class ReferenceCalendar(Contract):
    """Every date of the years that the platform is about, with public holidays and the school holidays of region north.

    Public holidays are those of the Algemene termijnenwet (art. 3, Good Friday and 5 May of every year included) and the
    first days of Easter and Whitsun. Where no school holidays are known, `is_school_holiday` is null, never false. Schools may
    choose other weeks for the autumn and spring holidays, and may add a week in May.
    """

    calendar_on: pl.Date = column("Datum", "Date")
    year: int = column("Jaar", "Year", ge=1900, le=2200)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    iso_year: int = column("Jaar van de ISO-week", "Year of the ISO week", ge=1900, le=2200)
    iso_week: int = column("ISO-week", "ISO week", ge=1, le=53)
    is_weekend: bool = column("Is weekend", "Is weekend")
    public_holiday: str = column("Feestdag", "Public holiday", nullable=True, str_length={"min_value": 1})
    is_public_holiday: bool = column("Is feestdag", "Is public holiday")
    school_holiday: str = column(
        "Schoolvakantie (regio noord)", "School holiday (region north)", nullable=True, str_length={"min_value": 1}
    )
    is_school_holiday: bool = column("Is schoolvakantie (regio noord)", "Is school holiday (region north)", nullable=True)
    school_holiday_missing_reason: str = column(
        "Reden van onbekende schoolvakantie",
        "Reason when the school holiday is unknown",
        nullable=True,
        isin=SCHOOL_HOLIDAY_MISSING_REASONS,
    )

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_calendar",
            title_nl="Kalender",
            title_en="Calendar",
            grain="one date",
            key=("calendar_on",),
            owner="Basisinformatie",
            purpose="To compare like with like: working days with working days, holidays with holidays.",
            legal_basis="Public facts: Algemene termijnenwet art. 3, Regeling vaststelling schoolvakanties",
            classification="public",
            retention="for ever; public facts",
            freshness_days=400,
            load_mode="snapshot",
            period_column="calendar_on",
            tolerance=0.0,
            licence="public facts (Rijksoverheid, CC0)",
        )
