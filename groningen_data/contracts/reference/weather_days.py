"""Contract of the weather per day."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.reference.weather_hours import AMOUNT_MISSING_REASONS, MISSING_REASONS


class ReferenceWeatherDays(Contract):
    """What a weather station of KNMI measured, per day.

    A day runs from 0 to 24 h UT, so it is one or two hours off the local day. A `trace` of rain or sun (less than 0.05 mm or h)
    is null with that reason: it was not dry, but there is no amount. `not_measured` is a blank, `not_delivered` a value that
    the file has no column for, or a day of which nothing was measured at all.
    """

    station_code: int = column("Weerstation (KNMI)", "Weather station (KNMI)", ge=1, le=99999)
    observed_on: pl.Date = column("Datum (UT)", "Date (UT)")
    year: int = column("Jaar", "Year", ge=1700, le=2200)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    mean_temperature_c: float = column("Gemiddelde temperatuur", "Mean temperature", unit="°C", nullable=True, ge=-40, le=50)
    min_temperature_c: float = column("Minimumtemperatuur", "Minimum temperature", unit="°C", nullable=True, ge=-40, le=50)
    max_temperature_c: float = column("Maximumtemperatuur", "Maximum temperature", unit="°C", nullable=True, ge=-40, le=50)
    temperature_missing_reason: str = column(
        "Reden van ontbrekende gemiddelde temperatuur",
        "Reason when mean temperature is missing",
        nullable=True,
        isin=MISSING_REASONS,
    )
    precipitation_mm: float = column("Neerslag", "Precipitation", unit="mm", nullable=True, ge=0, le=300)
    precipitation_missing_reason: str = column(
        "Reden van ontbrekende neerslag", "Reason when precipitation is missing", nullable=True, isin=AMOUNT_MISSING_REASONS
    )
    precipitation_duration_h: float = column(
        "Duur van de neerslag", "Precipitation duration", unit="h", nullable=True, ge=0, le=24
    )
    max_hourly_precipitation_mm: float = column(
        "Hoogste uursom van de neerslag", "Highest hourly precipitation", unit="mm", nullable=True, ge=0, le=150
    )
    max_hourly_precipitation_missing_reason: str = column(
        "Reden van ontbrekende uursom van de neerslag",
        "Reason when highest hourly precipitation is missing",
        nullable=True,
        isin=AMOUNT_MISSING_REASONS,
    )
    sunshine_h: float = column("Zonneschijn", "Sunshine", unit="h", nullable=True, ge=0, le=24)
    sunshine_missing_reason: str = column(
        "Reden van ontbrekende zonneschijn", "Reason when sunshine is missing", nullable=True, isin=AMOUNT_MISSING_REASONS
    )
    radiation_j_cm2: float = column("Globale straling", "Global radiation", unit="J/cm²", nullable=True, ge=0, le=4000)
    mean_wind_speed_m_s: float = column("Gemiddelde windsnelheid", "Mean wind speed", unit="m/s", nullable=True, ge=0, le=75)
    wind_missing_reason: str = column(
        "Reden van ontbrekende windsnelheid", "Reason when mean wind speed is missing", nullable=True, isin=MISSING_REASONS
    )
    max_wind_gust_m_s: float = column("Hoogste windstoot", "Highest gust", unit="m/s", nullable=True, ge=0, le=100)
    mean_humidity_pct: float = column(
        "Gemiddelde relatieve vochtigheid", "Mean relative humidity", unit="%", nullable=True, ge=0, le=100
    )
    mean_pressure_hpa: float = column(
        "Gemiddelde luchtdruk op zeeniveau", "Mean pressure at sea level", unit="hPa", nullable=True, ge=900, le=1100
    )
    evaporation_mm: float = column("Referentieverdamping", "Reference evaporation", unit="mm", nullable=True, ge=0, le=20)

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_weather_days",
            title_nl="Weer per dag",
            title_en="Weather per day",
            grain="one day (UT) of a weather station",
            key=("station_code", "observed_on"),
            owner="Basisinformatie",
            purpose="To tell what the weather did from what policy did, over many years.",
            legal_basis="Open data of KNMI; task of public interest (Gemeentewet art. 108)",
            classification="public",
            retention="for ever; public facts",
            freshness_days=3,
            load_mode="partition",
            partition_columns=("year", "station_code"),
            period_column="observed_on",
            tolerance=0.01,
            source_rules=(
                ("row.fields", "a line has as many fields as there are columns"),
                ("observed_on.day", "the day is a date"),
            ),
            licence="open data (KNMI)",
        )
