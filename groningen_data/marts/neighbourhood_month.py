"""The departments side by side per neighbourhood and month: reports, traffic, recipients, population and income."""

import ibis
from ibis import _

from groningen_data.gate.recipe import MartContext

WASTE_SOURCE = "signalen_reports"
INTERVALS_PER_DAY = 288
# A site's day counts when at least this share of its five-minute intervals holds a count: a day with a long gap would
# make a busy street look quiet.
USABLE_DAY_SHARE = 0.8


def expression(context: MartContext) -> ibis.Table:
    """One row per neighbourhood of the municipality and month in which a covering source says anything."""
    neighbourhoods = context.table("core.reference_neighbourhoods").select(
        "neighbourhood_code", "neighbourhood_name", "district_code", "district_name"
    )
    snapshots = _snapshot_days(context)
    traffic_days = _traffic_days(context)
    months = ibis.union(snapshots.select("month"), traffic_days.select("month"), distinct=True).mutate(
        year=_.month.year().cast("int64"),
        days_in_month=(_.month + ibis.interval(months=1)).cast("date").delta(_.month, unit="day"),
    )
    cells = neighbourhoods.select("neighbourhood_code").cross_join(months.select("year").distinct())
    figures = context.table("core.reference_key_figures").filter(_.region_level == "neighbourhood")
    assisted = context.table("core.welfare_recipients").filter(
        (_.region_level == "neighbourhood") & (_.benefit_code == "social_assistance")
    )
    table = neighbourhoods.cross_join(months)
    table = _with_reports(table, snapshots, context)
    table = _with_traffic(table, traffic_days, context)
    for figure, value, year, reason in (
        (assisted.rename(value="recipients"), "recipients", "recipients_year", "recipients_reason"),
        (_measure(figures, "inhabitants"), "inhabitants", "population_year", "population_reason"),
        (_aged_15_plus(figures), "inhabitants_15_plus", "inhabitants_15_plus_year", None),
        (_measure(figures, "income_per_inhabitant_keur"), "income_per_inhabitant_keur", "income_year", "income_reason"),
    ):
        table = _with_figure(table, _best_figure(cells, figure), value, year, reason)
    whole = ("recipients", "inhabitants", "inhabitants_15_plus")
    return table.select(
        *[c for c in table.columns if c not in ("year", "days_in_month", *whole)],
        **{name: table[name].cast("int64") for name in whole},
    )


def _snapshot_days(context: MartContext) -> ibis.Table:
    """Days per month on which open reports were listed; none when the source does not cover the municipality."""
    listed = context.table("core.waste_open_reports").filter(ibis.literal(context.covers(WASTE_SOURCE)))
    days = listed.select("snapshot_on").distinct().mutate(month=_.snapshot_on.truncate("M").cast("date"))
    return days.group_by("month").aggregate(snapshot_days=_.count())


def _with_reports(grid: ibis.Table, snapshots: ibis.Table, context: MartContext) -> ibis.Table:
    reports = context.table("core.waste_reports").filter(_.waste_kind.notnull() & _.neighbourhood_code.notnull())
    counted = (
        reports.mutate(month=_.created_on.truncate("M").cast("date"))
        .group_by("neighbourhood_code", "month")
        .aggregate(waste_reports=_.count())
    )
    missing = "no_data_in_month" if context.covers(WASTE_SOURCE) else "source_does_not_cover"
    joined = grid.left_join(snapshots, "month", rname="{name}_snapshots").left_join(
        counted, ["neighbourhood_code", "month"], rname="{name}_counted"
    )
    return joined.select(
        *grid.columns,
        waste_reports=joined.snapshot_days.notnull().ifelse(joined.waste_reports.fill_null(0), ibis.null("int64")),
        waste_reports_reason=joined.snapshot_days.isnull().ifelse(ibis.literal(missing), ibis.null("string")),
        waste_reports_completeness=joined.snapshot_days.fill_null(0) / joined.days_in_month,
    )


def _traffic_days(context: MartContext) -> ibis.Table:
    """Per site and day: vehicles counted, intervals that hold a count, intervals there should be."""
    counts = context.table("core.traffic_counts").filter(_.vehicle_class == "any")
    per_day = counts.group_by("site_id", "local_date", "weekday").aggregate(
        vehicles=_.vehicles.sum(), good=_.vehicles.count(), expected=_.series_code.nunique() * INTERVALS_PER_DAY
    )
    sites = context.table("core.traffic_sites").select("site_id", "neighbourhood_code")
    placed = per_day.join(sites, "site_id").filter(_.neighbourhood_code.notnull())
    return placed.mutate(month=_.local_date.truncate("M").cast("date"))


def _with_traffic(grid: ibis.Table, traffic_days: ibis.Table, context: MartContext) -> ibis.Table:
    usable = (traffic_days.weekday <= 5) & (traffic_days.good >= USABLE_DAY_SHARE * traffic_days.expected)
    monthly = traffic_days.group_by("neighbourhood_code", "month").aggregate(
        traffic_sites=traffic_days.site_id.nunique(where=traffic_days.good > 0),
        weekday_vehicles=traffic_days.vehicles.mean(where=usable),
        good=traffic_days.good.sum(),
        expected=traffic_days.expected.sum(),
        counted_days=traffic_days.local_date.nunique(),
    )
    registered = context.table("core.traffic_sites").filter(_.neighbourhood_code.notnull())
    registered = registered.group_by("neighbourhood_code").aggregate(registered_sites=_.count())
    joined = grid.left_join(monthly, ["neighbourhood_code", "month"], rname="{name}_monthly").left_join(
        registered, "neighbourhood_code", rname="{name}_registered"
    )
    reason = joined.registered_sites.isnull().ifelse(ibis.literal("no_site"), ibis.literal("no_data_in_month"))
    share = joined.good / joined.expected * joined.counted_days / joined.days_in_month
    return joined.select(
        *grid.columns,
        traffic_sites=joined.traffic_sites.fill_null(0),
        weekday_vehicles=joined.weekday_vehicles,
        weekday_vehicles_reason=joined.weekday_vehicles.isnull().ifelse(reason, ibis.null("string")),
        traffic_completeness=share.fill_null(0.0),
    )


def _measure(figures: ibis.Table, code: str) -> ibis.Table:
    return figures.filter(figures.measure_code == code)


def _aged_15_plus(figures: ibis.Table) -> ibis.Table:
    """Inhabitants less those under 15, from the same source and year."""
    young = _measure(figures, "inhabitants_0_14").select("current_code", "year", "source_table", young="value")
    everyone = _measure(figures, "inhabitants").join(young, ["current_code", "year", "source_table"])
    return everyone.mutate(value=everyone.value - everyone.young)


def _best_figure(cells: ibis.Table, figures: ibis.Table) -> ibis.Table:
    """Per neighbourhood and year the yearly figure that fits best: the latest not after it, else the earliest there is.

    A year whose figures are still to be released is passed over while another year has any.
    """
    figures = figures.select(
        neighbourhood_code="current_code",
        figure="value",
        figure_year="year",
        figure_reason="missing_reason",
        source_table="source_table",
    )
    pairs = cells.join(figures, "neighbourhood_code")
    best_first = ibis.window(
        group_by=[pairs.neighbourhood_code, pairs.year],
        order_by=[
            (pairs.figure_reason.fill_null("") == "not_yet_released"),
            (pairs.figure_year > pairs.year),
            (pairs.figure_year - pairs.year).abs(),
            pairs.figure.isnull(),
            pairs.source_table,
        ],
    )
    ranked = pairs.mutate(place=ibis.row_number().over(best_first)).filter(_.place == 0)
    return ranked.select("neighbourhood_code", "year", "figure", "figure_year", "figure_reason")


def _with_figure(table: ibis.Table, best: ibis.Table, value: str, year: str, reason: str | None) -> ibis.Table:
    joined = table.left_join(best, ["neighbourhood_code", "year"], rname="{name}_best")
    # Where others have a figure, a neighbourhood without one has a code that the source does not know.
    unknown = (best.count().as_scalar() > 0).ifelse(ibis.literal("boundary_changed"), ibis.literal("not_delivered"))
    why = joined.figure_year.isnull().ifelse(unknown, joined.figure_reason)
    added = {value: joined.figure, year: joined.figure_year}
    if reason:
        added[reason] = joined.figure.isnull().ifelse(why, ibis.null("string"))
    return joined.select(*table.columns, **added)
