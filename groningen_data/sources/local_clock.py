"""Local clock times without an offset, as files of traffic counts write them: which instants they are.

An hour that clocks skip is no instant. An hour that comes twice is its first occurrence, unless a file has it twice for the
same thing: then the second row is the second occurrence.
"""

from collections.abc import Sequence

import polars as pl

from groningen_data.sources.parsing import DUTCH_TIME

_YEARS = (1995, 2100)


def clock_time(column: str) -> pl.Expr:
    """Text such as `2019-09-16 00:00:00` (a `T` between, no seconds, or parts of seconds as well) as a time without zone."""
    text = pl.col(column).str.strip_chars().str.replace(" ", "T", literal=True)
    clock = pl.coalesce(
        text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False),
        text.str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", strict=False),
        text.str.to_datetime("%Y-%m-%d", time_unit="us", strict=False),
    )
    return pl.when(clock.dt.year().is_between(*_YEARS)).then(clock)


def with_instant(frame: pl.DataFrame, clock: str, same: Sequence[str], instant: str) -> pl.DataFrame:
    """The frame with a column of UTC instants from a column of local clock times; null where no such time exists.

    Args:
        frame: Rows in the order of their file.
        clock: Column of local clock times.
        same: Columns that tell whether two rows with the same clock time are about the same thing.
        instant: Name of the new column.
    """
    first, last = at_first(clock), _at_last(clock)
    is_second = (pl.col(clock).cum_count().over([*same, clock]) == 2) & (pl.len().over([*same, clock]) == 2)
    return frame.with_columns(pl.when(is_second).then(last).otherwise(first).alias(instant))


def at_first(clock: str, zone: str = DUTCH_TIME) -> pl.Expr:
    """A local clock time as UTC; the first occurrence of one that comes twice, null for one that does not exist."""
    return pl.col(clock).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _at_last(clock: str) -> pl.Expr:
    return pl.col(clock).dt.replace_time_zone(DUTCH_TIME, ambiguous="latest", non_existent="null").dt.convert_time_zone("UTC")


def seconds_between(start: str, start_clock: str, end_clock: str) -> pl.Expr:
    """How long a period lasts: from an instant, known by its clock time as well, to a clock time that may come twice.

    The shortest of the possible lengths: on the days that clocks change, the difference between two clock times is not the
    time that passed.
    """
    on_the_clock = pl.col(end_clock) - pl.col(start_clock)
    passed = [end - pl.col(start) for end in (at_first(end_clock), _at_last(end_clock))]
    lengths = [length.dt.total_seconds() for length in (on_the_clock, *passed)]
    return pl.min_horizontal(*(pl.when(length > 0).then(length) for length in lengths))
