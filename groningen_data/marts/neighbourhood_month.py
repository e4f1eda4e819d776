"""The departments side by side per neighbourhood and month: waste, traffic, cyclists, people in need, population and weather."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.days import daily_weather, hours_of_day

WASTE_SOURCE = "signalen_reports"
STATE_SOURCE = "signalen_states"
# A site's day counts when at least this share of its five-minute intervals holds a count: a day with a long gap would
# make a busy street look quiet.
USABLE_DAY_SHARE = 0.8


def expression(context: MartContext) -> ibis.Table:
    """One row per neighbourhood of the municipality, in a month in which a covering source says anything."""
    neighbourhoods = context.table("core.reference_neighbourhoods").select(
        "neighbourhood_code", "neighbourhood_name", "district_code", "district_name"
    )
    container_days = context.during_month(context.table("collective.container_day"), "local_date")
    site_days = _site_days(context)
    bicycle_days = _bicycle_days(context)
    table = neighbourhoods.mutate(month=context.month)
    for part in (
        _reports(context),
        _containers(container_days),
        _sites(site_days, context),
        _counters(bicycle_days, context),
        _early_signals(context),
        _latest(_recipients(context), "recipients", context),
        _latest(_measure(context, "inhabitants"), "inhabitants", context),
        _latest(_aged_15_plus(context), "inhabitants_15_plus", context),
        _latest(_measure(context, "households"), "households", context),
        _latest(_measure(context, "income_per_inhabitant_keur"), "income", context),
    ):
        table = table.left_join(part, "neighbourhood_code", rname="{name}_part").drop("neighbourhood_code_part")
    for row in _what_the_city_has(container_days, site_days, bicycle_days, context):
        table = table.cross_join(row)
    says_something = (
        (table.snapshot_days > 0)
        | (table.city_reading_hours > 0)
        | (table.weighed_days > 0)
        | (table.site_days > 0)
        | (table.bicycle_days > 0)
    )
    days = _days_in_month(context)
    none = ibis.null("string")
    reports_missing = "no_data_in_month" if context.covers(WASTE_SOURCE) else "source_does_not_cover"
    counted = table.snapshot_days > 0
    has_containers = table.containers.fill_null(0) > 0
    measured = table.sensors.fill_null(0) > 0
    weighed = has_containers & (table.weighed_days > 0) & ((table.emptyings == 0) | table.weight_kg.notnull())
    signalled = table.city_signals > 0
    return table.filter(says_something).select(
        "neighbourhood_code",
        "neighbourhood_name",
        "district_code",
        "district_name",
        "month",
        waste_reports=counted.ifelse(table.reports.fill_null(0), ibis.null("int64")),
        waste_reports_reason=counted.ifelse(none, ibis.literal(reports_missing)),
        waste_reports_completeness=table.snapshot_days / days,
        containers=table.containers.fill_null(0),
        overfull_container_hours=measured.ifelse(table.overfull_hours, ibis.null("int64")),
        overfull_reason=ibis.cases(
            (measured, none),
            (~has_containers, ibis.literal("no_container")),
            (table.city_reading_hours > 0, ibis.literal("no_sensor_data")),
            else_=ibis.literal("no_data_in_month"),
        ),
        fill_completeness=measured.ifelse(ibis.least(table.reading_hours / (table.sensors * _hours_in_month(context)), 1.0), 0.0),
        collected_kg=weighed.ifelse(table.weight_kg.fill_null(0.0), ibis.null("float64")),
        collected_reason=ibis.cases(
            (weighed, none),
            (~has_containers, ibis.literal("no_container")),
            (table.weighed_days > 0, ibis.literal("weight_missing")),
            else_=ibis.literal("no_data_in_month"),
        ),
        collected_completeness=table.weighed_days / days,
        traffic_sites=table.traffic_sites.fill_null(0),
        weekday_vehicles=table.weekday_vehicles,
        weekday_vehicles_reason=_reason(table.weekday_vehicles, table.registered_sites),
        traffic_completeness=(table.good / table.expected * table.counted_days / days).fill_null(0.0),
        daily_cyclists=table.daily_cyclists,
        daily_cyclists_reason=_reason(table.daily_cyclists, table.counters),
        cyclists_completeness=(table.counter_days / (table.counters * days)).fill_null(0.0),
        early_signal_households=signalled.ifelse(table.signal_households.fill_null(0), ibis.null("int64")),
        early_signal_reason=signalled.ifelse(none, ibis.literal("no_data_in_month")),
        recipients=table.recipients.cast("int64"),
        recipients_period=table.recipients_period,
        recipients_year=table.recipients_year,
        recipients_reason=table.recipients_reason,
        inhabitants=table.inhabitants.cast("int64"),
        inhabitants_15_plus=table.inhabitants_15_plus.cast("int64"),
        inhabitants_15_plus_year=table.inhabitants_15_plus_year,
        population_year=table.inhabitants_year,
        population_reason=table.inhabitants_reason,
        households=table.households.cast("int64"),
        income_per_inhabitant_keur=table.income,
        income_year=table.income_year,
        income_reason=table.income_reason,
        precipitation_mm=table.precipitation_mm,
        mean_temperature_c=table.mean_temperature_c,
        weather_completeness=table.weather_days / days,
    )


def _days_in_month(context: MartContext) -> ibis.Value:
    return (context.month + ibis.interval(months=1)).cast("date").delta(context.month, unit="day")


def _hours_in_month(context: MartContext) -> ibis.Value:
    """The clock changes on the last Sunday of March and October."""
    longer = ibis.cases((context.month.month() == 3, -1), (context.month.month() == 10, 1), else_=0)
    return _days_in_month(context) * 24 + longer


def _reason(value: ibis.Value, places: ibis.Value) -> ibis.Value:
    """Why a figure of places that count is missing."""
    why = places.isnull().ifelse(ibis.literal("no_site"), ibis.literal("no_data_in_month"))
    return value.isnull().ifelse(why, ibis.null("string"))


def _what_the_city_has(
    container_days: ibis.Table, site_days: ibis.Table, bicycle_days: ibis.Table, context: MartContext
) -> list[ibis.Table]:
    """What each source says of the month at all, one row each: none of it where the source does not cover the municipality."""
    signals = context.during_month(context.table("core.welfare_early_signals"), "signalled_on")
    weather = daily_weather(context)
    return [
        _days_with_reports(context).aggregate(snapshot_days=_.day.nunique()),
        container_days.aggregate(
            city_reading_hours=_.reading_hours.sum().fill_null(0), weighed_days=_.local_date.nunique(where=_.emptyings > 0)
        ),
        site_days.aggregate(site_days=_.count()),
        bicycle_days.aggregate(bicycle_days=_.count()),
        signals.aggregate(city_signals=_.count()),
        weather.aggregate(
            precipitation_mm=_.precipitation_mm.sum(),
            mean_temperature_c=_.mean_temperature_c.mean(),
            weather_days=_.precipitation_mm.count(),
        ),
    ]


def _days_with_reports(context: MartContext) -> ibis.Table:
    """Days of the month that a list of open reports is about, or on which the reporting system was told anything."""
    listed = context.during_month(context.table("core.waste_open_reports"), "snapshot_on")
    states = context.during_month(context.table("core.waste_report_states"), "created_on")
    # Of earlier days it tells only what was still open on the first.
    states = states.filter(_.created_on >= ibis.date(context.settings.first_local_day.isoformat()))
    days = [
        facts.filter(ibis.literal(context.covers(source))).select(day=facts[day].cast("date"))
        for facts, day, source in ((listed, "snapshot_on", WASTE_SOURCE), (states, "created_on", STATE_SOURCE))
    ]
    return ibis.union(*days)


def _reports(context: MartContext) -> ibis.Table:
    """Waste reports by the month in which they were made."""
    reports = context.during_month(context.table("core.waste_reports"), "created_on")
    counted = reports.filter(_.waste_kind.notnull() & _.neighbourhood_code.notnull())
    return counted.group_by("neighbourhood_code").aggregate(reports=_.count())


def _containers(container_days: ibis.Table) -> ibis.Table:
    """Containers, their overfull hours and what was collected from them; sensors count when they sent anything this month."""
    placed = container_days.filter(_.neighbourhood_code.notnull())
    per_container = placed.group_by("neighbourhood_code", "container_code").aggregate(
        hours=_.reading_hours.sum(), overfull=_.overfull_hours.sum(), kg=_.weight_kg.sum(), emptied=_.emptyings.sum()
    )
    return per_container.group_by("neighbourhood_code").aggregate(
        containers=_.count(),
        sensors=(_.hours > 0).ifelse(1, 0).sum(),
        reading_hours=_.hours.sum(),
        overfull_hours=_.overfull.sum(),
        weight_kg=_.kg.sum(),
        emptyings=_.emptied.sum(),
    )


def _site_days(context: MartContext) -> ibis.Table:
    """Per placed site and day: vehicles counted, intervals' worth of good counts, intervals there should be."""
    hours = context.during_month(context.table("collective.site_hour"), "local_date")
    placed = hours.filter(_.neighbourhood_code.notnull())
    per_day = placed.group_by("neighbourhood_code", "site_id", "local_date", "weekday").aggregate(
        vehicles=_.vehicles.sum(),
        good=(_.good_share * _.expected_intervals).sum(),
        expected_per_hour=_.expected_intervals.max(),
    )
    return per_day.mutate(expected=_.expected_per_hour * hours_of_day(_.local_date))


def _sites(site_days: ibis.Table, context: MartContext) -> ibis.Table:
    usable = (site_days.weekday <= 5) & (site_days.good >= USABLE_DAY_SHARE * site_days.expected)
    counted = site_days.group_by("neighbourhood_code").aggregate(
        traffic_sites=site_days.site_id.nunique(where=site_days.good > 0),
        weekday_vehicles=site_days.vehicles.mean(where=usable),
        good=site_days.good.sum(),
        expected=site_days.expected.sum(),
        counted_days=site_days.local_date.nunique(),
    )
    return _at_registered(counted, context.table("core.traffic_sites"), "registered_sites")


def _bicycle_days(context: MartContext) -> ibis.Table:
    """Per placed counter and day: cyclists in both directions; only days of which every hour was counted."""
    counts = context.during_month(context.table("core.traffic_bicycle_counts"), "local_date")
    counters = context.table("core.traffic_bicycle_counters").filter(_.neighbourhood_code.notnull())
    placed = counts.join(counters.select("counter_id", "neighbourhood_code"), "counter_id")
    per_day = placed.group_by("neighbourhood_code", "counter_id", "local_date").aggregate(
        bicycles=_.bicycles.sum(),
        intervals=_.interval_start_at.nunique(where=_.bicycles.notnull()),
        minutes=_.interval_minutes.max(),
    )
    # On the day that clocks go back, files have the hour that comes twice once.
    return per_day.filter(per_day.intervals * per_day.minutes >= 60 * (hours_of_day(per_day.local_date) - 1))


def _counters(bicycle_days: ibis.Table, context: MartContext) -> ibis.Table:
    counted = bicycle_days.group_by("neighbourhood_code").aggregate(daily_cyclists=_.bicycles.mean(), counter_days=_.count())
    return _at_registered(counted, context.table("core.traffic_bicycle_counters"), "counters")


def _at_registered(counted: ibis.Table, places: ibis.Table, name: str) -> ibis.Table:
    """What was counted per neighbourhood, and how many places there could have counted."""
    registered = places.filter(_.neighbourhood_code.notnull()).group_by("neighbourhood_code").aggregate(**{name: _.count()})
    return registered.left_join(counted, "neighbourhood_code", rname="{name}_counted").drop("neighbourhood_code_counted")


def _early_signals(context: MartContext) -> ibis.Table:
    """Households of which a payment arrear was signalled this month, each once."""
    signals = context.during_month(context.table("core.welfare_early_signals"), "signalled_on")
    placed = signals.filter(_.neighbourhood_code.notnull())
    return placed.group_by("neighbourhood_code").aggregate(signal_households=_.person_pseudonym.nunique())


def _recipients(context: MartContext) -> ibis.Table:
    assisted = context.table("core.welfare_recipients").filter(
        (_.region_level == "neighbourhood") & (_.benefit_code == "social_assistance")
    )
    return assisted.mutate(value=_.recipients.cast("float64"), figure_on=_.period_end_on)


def _measure(context: MartContext, code: str) -> ibis.Table:
    figures = context.table("core.reference_key_figures").filter((_.region_level == "neighbourhood") & (_.measure_code == code))
    return figures.mutate(figure_on=ibis.date(_.year, 1, 1), period_code=ibis.null("string"))


def _aged_15_plus(context: MartContext) -> ibis.Table:
    """Inhabitants less those under 15, from the same source and year."""
    young = _measure(context, "inhabitants_0_14").select("current_code", "year", "source_table", young="value")
    everyone = _measure(context, "inhabitants").join(young, ["current_code", "year", "source_table"])
    return everyone.mutate(value=everyone.value - everyone.young)


def _latest(figures: ibis.Table, name: str, context: MartContext) -> ibis.Table:
    """Per neighbourhood the figure that fits the month best: the latest not after it, else the earliest there is.

    A period whose figures are still to be released is passed over while another period has any. Where others have a figure, a
    neighbourhood without one has a code that the source does not know.
    """
    last_day = (context.month + ibis.interval(months=1) - ibis.interval(days=1)).cast("date")
    figures = figures.filter(_.current_code.notnull())
    best_first = ibis.window(
        group_by="current_code",
        order_by=[
            figures.missing_reason.fill_null("") == "not_yet_released",
            figures.figure_on > last_day,
            figures.figure_on.delta(last_day, unit="day").abs(),
            figures.value.isnull(),
            "source_table",
        ],
    )
    best = figures.mutate(place=ibis.row_number().over(best_first)).filter(_.place == 0)
    neighbourhoods = context.table("core.reference_neighbourhoods").select("neighbourhood_code")
    found = neighbourhoods.left_join(best, neighbourhoods.neighbourhood_code == best.current_code)
    unknown = (best.count().as_scalar() > 0).ifelse(ibis.literal("boundary_changed"), ibis.literal("not_delivered"))
    why = found.year.isnull().ifelse(unknown, found.missing_reason)
    return found.select(
        "neighbourhood_code",
        **{
            name: found.value,
            f"{name}_year": found.year,
            f"{name}_period": found.period_code,
            f"{name}_reason": found.value.isnull().ifelse(why, ibis.null("string")),
        },
    )
