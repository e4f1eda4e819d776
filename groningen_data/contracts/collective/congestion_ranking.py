"""Contract of the mart that ranks intersections by congestion."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.traffic.codes import LATITUDES, LONGITUDES

PERIODS = ["morning_peak", "day", "evening_peak", "evening", "weekend"]
CONGESTION_KINDS = ["persistent", "incidental", "none"]
KIND_REASONS = ["too_few_days", "not_trusted"]
TREND_REASONS = ["too_few_days", "no_traffic"]


class CongestionRanking(Contract):
    """One intersection in one part of the week, over the last thirteen weeks.

    Periods are those of working days (morning peak 7–9, day 9–16, evening peak 16–18, evening 18–23 o'clock) and the weekend by
    day (10–18). A day is congested when ten minutes an hour or more are saturated. An ordinary day has no public holiday, no
    school holiday, no event, works or closure within a kilometre, and no more than 1 mm of rain an hour or snow in the period.
    Congestion is `persistent` when the Wilson interval of the share of ordinary days that are congested lies above a fifth,
    `incidental` when some day was congested but that is not so. `rank` goes by saturated minutes per hour, and where
    these are the same by vehicle hours lost per day and kilometre, within the period. The trend is that of vehicles from week to week, with weekday, school holidays and rain taken out; where
    a detector drifts it may be that of the detector.
    """

    period_code: str = column("Dagdeel", "Period", isin=PERIODS)
    intersection_code: str = column("Kruispuntcode", "Intersection code", str_length={"min_value": 1})
    intersection_name: str = column("Kruispunt", "Intersection", str_length={"min_value": 1})
    rank: int = column("Plaats in de ranglijst", "Rank", nullable=True, ge=1)
    congestion_kind: str = column("Soort congestie", "Kind of congestion", nullable=True, isin=CONGESTION_KINDS)
    kind_missing_reason: str = column(
        "Reden van onbekende soort", "Reason when the kind is not told", nullable=True, isin=KIND_REASONS
    )
    first_on: pl.Date = column("Eerste dag", "First day")
    last_on: pl.Date = column("Laatste dag", "Last day")
    days: int = column("Dagen met tellingen", "Days with counts", unit="days", ge=0)
    measured_days: int = column("Betrouwbaar gemeten dagen", "Days with trusted counts", unit="days", ge=0)
    trusted_share: float = column("Aandeel betrouwbare intervallen", "Share of trusted intervals", unit="share", ge=0, le=1)
    has_drifting_detector: bool = column("Heeft een detector die verloopt", "Has a drifting detector")
    ordinary_days: int = column("Gewone dagen", "Ordinary days", unit="days", ge=0)
    ordinary_congested_days: int = column("Gewone dagen met congestie", "Ordinary days with congestion", unit="days", ge=0)
    congested_share: float = column("Aandeel dagen met congestie", "Share of days congested", nullable=True, ge=0, le=1)
    congested_share_low: float = column(
        "Ondergrens van het aandeel (95 %)", "Lower bound of the share (95 %)", nullable=True, ge=0, le=1
    )
    congested_share_high: float = column(
        "Bovengrens van het aandeel (95 %)", "Upper bound of the share (95 %)", nullable=True, ge=0, le=1
    )
    holiday_days: int = column("Dagen in vakanties", "Days in holidays", unit="days", ge=0)
    holiday_congested_days: int = column("Daarvan met congestie", "Of these, congested (holidays)", unit="days", ge=0)
    event_days: int = column(
        "Dagen met evenement, werk of afsluiting", "Days with an event, works or a closure", unit="days", ge=0
    )
    event_congested_days: int = column("Daarvan met congestie", "Of these, congested (events)", unit="days", ge=0)
    bad_weather_days: int = column("Dagen met slecht weer", "Days with bad weather", unit="days", ge=0)
    bad_weather_congested_days: int = column("Daarvan met congestie", "Of these, congested (weather)", unit="days", ge=0)
    saturated_min_per_h: float = column(
        "Verzadigde minuten per uur", "Saturated minutes per hour", unit="min/h", nullable=True, ge=0, le=60
    )
    volume_capacity_ratio: float = column(
        "Verhouding intensiteit en capaciteit (gemiddelde dag)", "Volume to capacity (mean day)", nullable=True, ge=0
    )
    vehicle_loss_h_per_km_day: float = column(
        "Voertuigverliesuren per km per dag", "Vehicle hours lost per km and day", unit="h/km", nullable=True, ge=0
    )
    vehicles_per_h: float = column("Voertuigen per uur", "Vehicles per hour", unit="veh/h", nullable=True, ge=0)
    trend_pct_week: float = column("Trend van het verkeer per week", "Trend of traffic per week", unit="%", nullable=True)
    trend_low_pct_week: float = column(
        "Ondergrens van de trend (95 %)", "Lower bound of the trend (95 %)", unit="%", nullable=True
    )
    trend_high_pct_week: float = column(
        "Bovengrens van de trend (95 %)", "Upper bound of the trend (95 %)", unit="%", nullable=True
    )
    is_trend_clear: bool = column("Trend is duidelijk", "Trend is clear", nullable=True)
    trend_missing_reason: str = column(
        "Reden van ontbrekende trend", "Reason when the trend is missing", nullable=True, isin=TREND_REASONS
    )
    school_holiday_effect_pct: float = column(
        "Effect van schoolvakantie op verkeer", "Effect of school holidays on traffic", unit="%", nullable=True
    )
    rain_effect_pct: float = column(
        "Effect van regen op verkeer (per mm/h)", "Effect of rain on traffic (per mm/h)", unit="%", nullable=True
    )
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", nullable=True, in_range=LONGITUDES)
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", nullable=True, in_range=LATITUDES)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")

    class Config(Contract.Config):
        metadata = table(
            name="collective.congestion_ranking",
            title_nl="Ranglijst van congestie op kruispunten",
            title_en="Ranking of congestion at intersections",
            grain="one intersection in one part of the week",
            key=("period_code", "intersection_code"),
            owner="Stadsontwikkeling",
            purpose="To choose which intersections to improve first, and to tell standing congestion from incidents.",
            legal_basis="Task of public interest: road management (Wegenverkeerswet 1994 art. 2)",
            classification="public",
            retention="5 years",
            freshness_days=2,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
        )
