"""Contract of the weather per hour."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

MISSING_REASONS = ["not_delivered", "not_measured"]
AMOUNT_MISSING_REASONS = ["trace", *MISSING_REASONS]
DIRECTION_MISSING_REASONS = ["calm", "variable", *MISSING_REASONS]


class ReferenceWeatherHours(Contract):
    """What a weather station of KNMI measured, per hour.

    KNMI numbers the hours 1 to 24 by their end, in UT; here an hour is known by its start. Temperature, dew point, humidity and
    pressure are those at the end of the hour, the rest is about the whole hour. A `trace` of rain or sun (less than 0.05 mm or
    h) is null with that reason: it was not dry, but there is no amount. `not_measured` is a blank, `not_delivered` a value
    that the file has no column for, or an hour of which nothing was measured at all.
    """

    station_code: int = column("Weerstation (KNMI)", "Weather station (KNMI)", ge=1, le=99999)
    hour_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van het uur", "Start of the hour")  # type: ignore[valid-type]
    year: int = column("Jaar (UTC)", "Year (UTC)", ge=1700, le=2200)
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    temperature_c: float = column("Temperatuur", "Temperature", unit="°C", nullable=True, ge=-40, le=50)
    temperature_missing_reason: str = column(
        "Reden van ontbrekende temperatuur", "Reason when temperature is missing", nullable=True, isin=MISSING_REASONS
    )
    dew_point_c: float = column("Dauwpunt", "Dew point", unit="°C", nullable=True, ge=-60, le=40)
    precipitation_mm: float = column("Neerslag", "Precipitation", unit="mm", nullable=True, ge=0, le=150)
    precipitation_missing_reason: str = column(
        "Reden van ontbrekende neerslag", "Reason when precipitation is missing", nullable=True, isin=AMOUNT_MISSING_REASONS
    )
    precipitation_duration_h: float = column(
        "Duur van de neerslag", "Precipitation duration", unit="h", nullable=True, ge=0, le=1
    )
    sunshine_h: float = column("Zonneschijn", "Sunshine", unit="h", nullable=True, ge=0, le=1)
    sunshine_missing_reason: str = column(
        "Reden van ontbrekende zonneschijn", "Reason when sunshine is missing", nullable=True, isin=AMOUNT_MISSING_REASONS
    )
    radiation_j_cm2: float = column("Globale straling", "Global radiation", unit="J/cm²", nullable=True, ge=0, le=500)
    wind_speed_m_s: float = column("Windsnelheid", "Wind speed", unit="m/s", nullable=True, ge=0, le=75)
    wind_missing_reason: str = column(
        "Reden van ontbrekende windsnelheid", "Reason when wind speed is missing", nullable=True, isin=MISSING_REASONS
    )
    wind_gust_m_s: float = column("Hoogste windstoot", "Highest gust", unit="m/s", nullable=True, ge=0, le=100)
    wind_direction_deg: float = column("Windrichting", "Wind direction", unit="degree", nullable=True, ge=1, le=360)
    wind_direction_missing_reason: str = column(
        "Reden van ontbrekende windrichting",
        "Reason when wind direction is missing",
        nullable=True,
        isin=DIRECTION_MISSING_REASONS,
    )
    humidity_pct: float = column("Relatieve vochtigheid", "Relative humidity", unit="%", nullable=True, ge=0, le=100)
    pressure_hpa: float = column("Luchtdruk op zeeniveau", "Pressure at sea level", unit="hPa", nullable=True, ge=900, le=1100)
    has_fog: bool = column("Mist", "Fog", nullable=True)
    has_rain: bool = column("Regen", "Rain", nullable=True)
    has_snow: bool = column("Sneeuw", "Snow", nullable=True)
    has_thunder: bool = column("Onweer", "Thunder", nullable=True)
    has_ice: bool = column("IJsvorming", "Ice formation", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="core.reference_weather_hours",
            title_nl="Weer per uur",
            title_en="Weather per hour",
            grain="one hour of a weather station",
            key=("station_code", "hour_start_at"),
            owner="Basisinformatie",
            purpose="To tell what the weather did from what policy did: cyclists, waste and traffic follow it.",
            legal_basis="Open data of KNMI; task of public interest (Gemeentewet art. 108)",
            classification="public",
            retention="for ever; public facts",
            freshness_days=3,
            load_mode="partition",
            partition_columns=("year", "station_code"),
            period_column="local_date",
            tolerance=0.01,
            source_rules=(
                ("row.fields", "a line has as many fields as there are columns"),
                ("hour_start_at.day", "the day is a date"),
                ("hour_start_at.hour", "the hour is one of 1 to 24"),
                ("marks.unknown", "a mark of fog, rain, snow, thunder or ice is 0 or 1"),
            ),
            licence="open data (KNMI)",
        )
