"""What several marts need to know of a day: how many hours it has, and what the weather did."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext

_SUNDAY = 6


def hours_of_day(day: "ibis.expr.types.DateValue") -> "ibis.expr.types.IntegerValue":
    """Hours of a local day: 23 on the last Sunday of March, 25 on that of October (Directive 2000/84/EC), otherwise 24."""
    is_last_sunday = (day.day_of_week.index() == _SUNDAY) & (day.day() >= 25)
    return ibis.cases((is_last_sunday & (day.month() == 3), 23), (is_last_sunday & (day.month() == 10), 25), else_=24)


def daily_weather(context: MartContext) -> ibis.Table:
    """Precipitation and mean temperature per local day of the month being made, at the station of the settings.

    Hours are added up by local day. A trace of rain counts as none; a day of which an hour is missing has no figure.
    """
    hours = context.during_month(context.table("core.reference_weather_hours"), "local_date")
    hours = hours.filter(hours.station_code == context.settings.weather_station)
    is_known = hours.precipitation_mm.notnull() | (hours.precipitation_missing_reason == "trace")
    per_day = hours.group_by("local_date").aggregate(
        wet_hours=is_known.ifelse(1, 0).sum(),
        warm_hours=hours.temperature_c.count(),
        precipitation=hours.precipitation_mm.sum().fill_null(0.0),
        temperature=hours.temperature_c.mean(),
    )
    whole = hours_of_day(per_day.local_date)
    return per_day.select(
        _.local_date,
        precipitation_mm=(per_day.wet_hours == whole).ifelse(per_day.precipitation, ibis.null("float64")),
        mean_temperature_c=(per_day.warm_hours == whole).ifelse(per_day.temperature, ibis.null("float64")),
    )
