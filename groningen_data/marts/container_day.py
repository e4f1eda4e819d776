"""One container through one day: readings, emptyings, reports nearby, inspections and weather, side by side."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext
from groningen_data.marts.days import daily_weather, hours_of_day

REPORT_SOURCES = ("signalen_reports", "signalen_states")
REPORT_RADIUS_M = 50
OVERFULL_PCT = 100
_AT_HOUR = 6
METRES_PER_DEGREE = 111_320
_INSIDE, _OUTSIDE = "inside", "outside_municipality"


def expression(context: MartContext) -> ibis.Table:
    """One row per container and local day of the month being made."""
    registry = registered_containers(context)
    readings = readings_of_the_city(context, registry)
    emptyings = _of_the_city(context.during_month(context.table("core.waste_emptyings"), "local_date"), registry)
    inspections = _of_the_city(context.during_month(context.table("core.waste_inspections"), "inspected_on"), registry)
    inspections = inspections.mutate(local_date=_.inspected_on)
    per_day = {
        "fill": _fill_per_day(readings, registry, context),
        "emptied": _emptied_per_day(emptyings),
        "inspected": _inspected_per_day(inspections),
        "reported": _reported_per_day(context, registry),
    }
    table = _grid(registry, [per_day["fill"], per_day["emptied"], per_day["inspected"]])
    for name, facts in per_day.items():
        table = _joined(table, facts, name)
    table = table.left_join(registry, "container_code", rname="{name}_registry").drop("container_code_registry")
    table = table.left_join(daily_weather(context), "local_date", rname="{name}_weather").drop("local_date_weather")
    calendar = context.table("core.reference_calendar").select(local_date="calendar_on", is_public_holiday="is_public_holiday")
    table = table.left_join(calendar, "local_date", rname="{name}_calendar").drop("local_date_calendar")
    table = table.cross_join(_days_told(context))
    is_registered = table.registered.notnull()
    is_measured, no_hours = table.reading_hours > 0, ibis.null("int64")
    is_told = (table.local_date >= table.told_from) & (table.local_date < table.told_until)
    default_alarm = ibis.literal(float(context.settings.container_alarm_pct))
    none = ibis.null("string")
    return table.select(
        month=context.month,
        local_date=_.local_date,
        weekday=_.local_date.day_of_week.index().cast("int64") + 1,
        container_code=_.container_code,
        is_registered=is_registered,
        fraction_code=_.fraction_code,
        neighbourhood_code=_.neighbourhood_code,
        location_status=_.location_status,
        fill_at_6_pct=_.fill_at_6_pct,
        max_fill_pct=_.max_fill_pct,
        fill_missing_reason=ibis.cases(
            (table.fill_at_6_pct.notnull(), none),
            (table.readings.notnull(), ibis.literal("no_reading")),
            else_=ibis.literal("no_sensor_data"),
        ),
        alarm_pct=ibis.coalesce(table.alarm_pct, default_alarm),
        alarm_hours=is_measured.ifelse(table.alarm_hours, no_hours),
        overfull_hours=is_measured.ifelse(table.overfull_hours, no_hours),
        reading_hours=_.reading_hours.fill_null(0),
        readings_completeness=table.reading_hours.fill_null(0) / hours_of_day(table.local_date),
        emptyings=_.emptyings.fill_null(0),
        weight_kg=_.weight_kg,
        weight_missing_reason=ibis.cases(
            (table.weight_kg.notnull(), none),
            (table.emptyings.notnull(), ibis.literal("weight_missing")),
            else_=ibis.literal("not_weighed"),
        ),
        waste_reports_50_m=is_told.ifelse(table.waste_reports_50_m.fill_null(0), ibis.null("int64")),
        inspections=_.inspections.fill_null(0),
        inspections_waste_beside=_.inspections_waste_beside.fill_null(0),
        bulky_items=_.bulky_items.fill_null(0),
        precipitation_mm=_.precipitation_mm,
        mean_temperature_c=_.mean_temperature_c,
        is_public_holiday=_.is_public_holiday,
    )


def registered_containers(context: MartContext) -> ibis.Table:
    """What the registries of the municipality list, wherever it lies: one row per code.

    Of registries that share a code, one that places it in the municipality counts, then the first by name.
    """
    listed = context.table("core.waste_containers")
    of_the_city = listed.filter(_.location_status == _INSIDE).select("source_code").distinct()
    best_first = ibis.window(
        group_by="container_code", order_by=[_.location_status != _INSIDE, _.location_status == _OUTSIDE, "source_code"]
    )
    ranked = listed.semi_join(of_the_city, "source_code").mutate(place=ibis.row_number().over(best_first))
    return ranked.filter(_.place == 0).select(
        "container_code",
        "fraction_code",
        "neighbourhood_code",
        "location_status",
        "alarm_pct",
        "longitude",
        "latitude",
        registered=ibis.literal(True),
    )


def readings_of_the_city(context: MartContext, registry: ibis.Table, days_before: int = 0) -> ibis.Table:
    """Readings of the month being made of every measuring system that knows a container of the municipality.

    Those of other cities are left out.

    Args:
        context: Of the mart.
        registry: From `registered_containers`.
        days_before: Days before the month whose readings are wanted as well.
    """
    readings = context.during_month(context.table("core.waste_fill_levels"), "local_date", days_before)
    systems = readings.semi_join(registry.filter(_.location_status == _INSIDE), "container_code").select("source_code").distinct()
    return readings.semi_join(systems, "source_code")


def _of_the_city(facts: ibis.Table, registry: ibis.Table) -> ibis.Table:
    """What happened to a single container of the municipality, registered or not; what happened elsewhere is left out."""
    here = registry.filter(_.location_status != _OUTSIDE)
    is_here = (facts.location_status != _OUTSIDE) | facts.container_code.isin(here.container_code)
    return facts.filter(facts.container_code.notnull(), is_here)


def _fill_per_day(readings: ibis.Table, registry: ibis.Table, context: MartContext) -> ibis.Table:
    """Per container and day: hours with a reading, hours over the limits, the highest level, and the level at six."""
    default_alarm = ibis.literal(float(context.settings.container_alarm_pct))
    limits = registry.select("container_code", "alarm_pct")
    # The last reading of the night until six o'clock, that of six itself included.
    until_6 = (readings.local_hour < _AT_HOUR) | (
        (readings.local_hour == _AT_HOUR) & (readings.measured_at == readings.measured_at.truncate("h"))
    )
    readings = readings.mutate(counts_at_6=until_6 & readings.fill_pct.notnull())
    hourly = readings.group_by("container_code", "local_date", hour=readings.measured_at.truncate("h")).aggregate(
        level=_.fill_pct.argmax(_.measured_at, where=_.fill_pct.notnull()),
        highest=_.fill_pct.max(),
        at_6=_.fill_pct.argmax(_.measured_at, where=_.counts_at_6),
        at_6_measured=_.measured_at.max(where=_.counts_at_6),
        sent=_.count(),
    )
    with_limit = hourly.left_join(limits, "container_code", rname="{name}_limit").drop("container_code_limit")
    with_limit = with_limit.mutate(alarm=ibis.coalesce(with_limit.alarm_pct, default_alarm))
    return with_limit.group_by("container_code", "local_date").aggregate(
        readings=_.sent.sum(),
        reading_hours=_.level.count(),
        alarm_hours=(_.level >= _.alarm).ifelse(1, 0).sum(),
        overfull_hours=(_.level >= OVERFULL_PCT).ifelse(1, 0).sum(),
        max_fill_pct=_.highest.max(),
        fill_at_6_pct=_.at_6.argmax(_.at_6_measured),
    )


def _emptied_per_day(emptyings: ibis.Table) -> ibis.Table:
    return emptyings.group_by("container_code", "local_date").aggregate(emptyings=_.count(), weight_kg=_.weight_kg.sum())


def _inspected_per_day(inspections: ibis.Table) -> ibis.Table:
    return inspections.group_by("container_code", "local_date").aggregate(
        inspections=_.count(),
        inspections_waste_beside=_.is_waste_beside.ifelse(1, 0).sum(),
        bulky_items=_.bulky_items.sum().fill_null(0),
    )


def _reported_per_day(context: MartContext, registry: ibis.Table) -> ibis.Table:
    """Waste reports within 50 metres of each container, by the local day on which they were made."""
    reports = context.during_month(context.table("core.waste_reports"), "created_on")
    reports = reports.filter(_.waste_kind.notnull() & _.longitude.notnull() & _.latitude.notnull())
    placed = registry.filter(_.longitude.notnull() & _.latitude.notnull()).select("container_code", "longitude", "latitude")
    places = reports.select("report_id", "created_on", report_longitude="longitude", report_latitude="latitude")
    reach = REPORT_RADIUS_M / METRES_PER_DEGREE
    near = placed.join(
        places, [places.report_latitude >= placed.latitude - reach, places.report_latitude <= placed.latitude + reach]
    )
    # Within 50 metres the earth is flat: a degree of longitude is shorter by the cosine of the latitude.
    north = (near.report_latitude - near.latitude) * METRES_PER_DEGREE
    east = (near.report_longitude - near.longitude) * METRES_PER_DEGREE * near.latitude.radians().cos()
    within = near.filter(north * north + east * east <= REPORT_RADIUS_M**2)
    return within.group_by("container_code", local_date="created_on").aggregate(waste_reports_50_m=_.count())


def _days_told(context: MartContext) -> ibis.Table:
    """From when until before when it is known what people reported, in one row; nulls when it is not known at all.

    A list of open reports, taken in the morning, tells of the day before; the reporting system tells of the day itself. That holds
    for reports of every kind and place, so that a day without one about waste counts as a day with none.
    """
    reports = context.during_month(context.table("core.waste_reports"), "created_on")
    reports = reports.filter(ibis.literal(any(context.covers(source) for source in REPORT_SOURCES)))
    following = (reports.created_on + ibis.interval(days=1)).cast("date")
    reports = reports.mutate(known_on=ibis.coalesce(reports.first_seen_on, following))
    return reports.aggregate(told_from=(_.known_on.min() - ibis.interval(days=1)).cast("date"), told_until=_.known_on.max())


def _grid(registry: ibis.Table, facts: list[ibis.Table]) -> ibis.Table:
    """Every registered container on every day of which anything is known, and the others on the days they were heard of.

    A container that its registry places elsewhere is one of the others: regional registries list those of neighbours as well.
    """
    # The casts make the columns alike: Ibis tells a column that is never null from one that may be.
    keys = [f.select(container_code=f.container_code.cast("string"), local_date=f.local_date.cast("date")) for f in facts]
    known = ibis.union(*keys, distinct=True)
    days = known.select("local_date").distinct()
    here = registry.filter(_.location_status != _OUTSIDE)
    listed = here.select(container_code=here.container_code.cast("string")).cross_join(days)
    return ibis.union(listed.select("container_code", "local_date"), known, distinct=True)


def _joined(table: ibis.Table, facts: ibis.Table, name: str) -> ibis.Table:
    keys = ["container_code", "local_date"]
    joined = table.left_join(facts, keys, rname=f"{{name}}_{name}")
    # Named one by one: dropping several at once gives other SQL in every process, and each month would be made again.
    return joined.select(*table.columns, *(column for column in facts.columns if column not in keys))
