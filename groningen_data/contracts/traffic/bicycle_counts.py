"""Contract of bicycle counts."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

MISSING_REASONS = ["not_delivered"]


class TrafficBicycleCounts(Contract):
    """Bicycles per direction that passed a counter in an hour (or in five minutes, where the counter tells that).

    Both directions together are all bicycles; the total that the file gives is only used to check them. On the day that clocks
    go back, files have the hour from 2 to 3 once: it stands here at its first occurrence.
    """

    month_code: str = column("Maand (lokaal)", "Month (local)", str_matches=r"^\d{4}-\d{2}$")
    counter_id: str = column("Telpaal", "Counter", str_matches=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    direction_code: str = column("Richting", "Direction", isin=["main", "opposite"])
    interval_start_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Begin van het interval", "Start of the interval")  # type: ignore[valid-type]
    local_date: pl.Date = column("Lokale datum", "Local date")
    local_hour: int = column("Lokaal uur", "Local hour", unit="h", ge=0, le=23)
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", ge=1, le=7)
    interval_minutes: int = column("Lengte van het interval", "Length of the interval", unit="min", isin=[5, 60])
    bicycles: int = column("Fietsers", "Bicycles", nullable=True, ge=0, le=20_000)
    bicycles_missing_reason: str = column(
        "Reden van ontbrekend aantal", "Reason when the number is missing", nullable=True, isin=MISSING_REASONS
    )

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_bicycle_counts",
            title_nl="Fietstellingen",
            title_en="Bicycle counts",
            grain="one direction of a counter in one interval",
            key=("counter_id", "direction_code", "interval_start_at"),
            owner="Mobiliteit",
            purpose="To see where and when people cycle.",
            legal_basis="Open data of the municipality's own counters; Wegenwet art. 16",
            classification="public",
            retention="10 years",
            freshness_days=62,
            load_mode="partition",
            partition_columns=("month_code", "counter_id"),
            period_column="local_date",
            # A month of which one day has arrived, on which clocks go forward, has an hour in twenty-four that does not exist.
            tolerance=0.05,
            source_rules=(
                ("row.type", "the file describes each interval as an object"),
                ("interval_start_at.nonexistent", "an interval starts at a local time that exists (clocks go forward in March)"),
                ("interval_start_at.not_five_minutes", "an interval starts on a multiple of five minutes"),
                ("bicycles.total", "the two directions together are the total that the file gives"),
            ),
        )
