"""Contract of the mart that tells which traffic detectors can be trusted on which day."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

UNTRUSTED_REASONS = ["error_flags", "silent", "stuck", "implausible", "no_vehicles"]
DEVIATION_REASONS = ["not_trusted", "too_little_history"]


class SiteQuality(Contract):
    """One detector (a series of a site) on one day: whether its counts can be used, and why not.

    Judged between 5 and 22 o'clock, as Chen et al. (2003) do for PeMS. `error_flags`: the source marks a fifth of the intervals
    or more as wrong. `silent`: fewer than half of the intervals hold a count. `stuck`: an hour or more of intervals repeats the
    reading before to the last digit. `implausible`: a twentieth of the counts or more is beyond what a lane can carry (3,000
    vehicles an hour, 160 km/h) or has vehicles that stand still. `no_vehicles`: not one all day, and no closure is known.
    `deviation_pct` compares the last seven days with the four weeks before, next to the other detectors of the city: beyond a
    quarter `is_drifting` is set. That asks for a look, because traffic may really have changed; it does not take away trust.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    local_date: pl.Date = column("Lokale datum", "Local date")
    feed_code: str = column("Aanlevering", "Feed")
    site_id: str = column("Meetlocatie", "Site id", str_length={"min_value": 1})
    series_code: str = column("Detector of meetindex", "Detector or measurement index", str_length={"min_value": 1})
    expected_intervals: int = column("Verwachte intervallen", "Expected intervals", ge=1)
    counted_intervals: int = column("Intervallen met een telling", "Intervals with a count", ge=0)
    error_intervals: int = column("Intervallen met een foutmelding", "Intervals marked as wrong", ge=0)
    implausible_intervals: int = column("Ongeloofwaardige intervallen", "Implausible intervals", ge=0)
    repeated_intervals: int = column("Intervallen gelijk aan het vorige", "Intervals equal to the one before", ge=0)
    daytime_vehicles: float = column(
        "Getelde voertuigen tussen 5 en 22 uur",
        "Vehicles counted between 5 and 22 o'clock",
        unit="vehicles",
        nullable=True,
        ge=0,
    )
    is_trusted: bool = column("Betrouwbaar", "Can be trusted")
    untrusted_reason: str = column(
        "Reden van wantrouwen", "Reason why it cannot be trusted", nullable=True, isin=UNTRUSTED_REASONS
    )
    is_road_closed: bool = column("Weg is afgesloten", "Road is closed")
    deviation_pct: float = column("Afwijking van de laatste week", "Deviation of the last week", unit="%", nullable=True, ge=-100)
    deviation_missing_reason: str = column(
        "Reden van ontbrekende afwijking", "Reason when the deviation is missing", nullable=True, isin=DEVIATION_REASONS
    )
    is_drifting: bool = column("Verloopt", "Is drifting")

    class Config(Contract.Config):
        metadata = table(
            name="collective.site_quality",
            title_nl="Betrouwbaarheid van detectoren per dag",
            title_en="Quality of traffic detectors per day",
            grain="one detector on one day",
            key=("feed_code", "site_id", "series_code", "local_date"),
            owner="Stadsontwikkeling",
            purpose="To know which counts can be used before congestion is told from them, and which detectors need mending.",
            legal_basis="Task of public interest: road management (Wegenverkeerswet 1994 art. 2)",
            classification="public",
            retention="5 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("month",),
            period_column="local_date",
            tolerance=0.0,
            served=True,
        )
