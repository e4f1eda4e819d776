"""Help first: what became of early signals, and where low income and social assistance lie apart. Counts of areas, never people."""

import ibis
from ibis import _

from groningen_data.contracts.collective.help_first_funnel import ALL
from groningen_data.gate.recipe import MartContext

_DAYS_OF_A_WHOLE_QUARTER = 7
"""A first signal this long after the beginning of a quarter means that the quarter is not there as a whole."""


def funnel(context: MartContext) -> ibis.Table:
    """One row per quarter and neighbourhood, and per quarter and partner; only quarters that are there from beginning to end."""
    signals = context.table("core.welfare_early_signals")
    signals = signals.mutate(quarter=signals.signalled_on.truncate("Q").cast("date"))
    span = signals.aggregate(first_on=_.signalled_on.min(), last_on=_.signalled_on.max())
    signals = signals.cross_join(span)
    begins = (signals.quarter + ibis.interval(days=_DAYS_OF_A_WHOLE_QUARTER)).cast("date")
    whole = signals.filter(begins > signals.first_on, signals.quarter < signals.last_on.truncate("Q").cast("date"))
    municipality = ibis.literal(context.settings.municipality_code)
    placed = whole.filter(_.neighbourhood_code.notnull())
    nowhere = ibis.null("string")
    levels = (
        _staged(placed, "neighbourhood", placed.neighbourhood_code, placed.neighbourhood_code, ibis.literal(ALL)),
        _staged(whole, "partner", municipality, nowhere, whole.partner_code),
    )
    return ibis.union(*levels)


def _staged(signals: ibis.Table, level: str, area: ibis.Value, neighbourhood: ibis.Value, partner: ibis.Value) -> ibis.Table:
    """Each household once per row, at every stage that one of its signals came to."""
    described = signals.mutate(area_code=area, at_neighbourhood=neighbourhood, of_partner=partner)
    keys = ("quarter", "area_code", "at_neighbourhood", "of_partner")

    def households(where: ibis.Value) -> ibis.Value:
        return described.person_pseudonym.nunique(where=where)

    counted = described.group_by(*keys).aggregate(
        households=_.person_pseudonym.nunique(),
        open_households=households(described.status_code == "open"),
        not_taken_up_households=households(described.status_code == "not_taken_up"),
        tried_households=households(described.is_reached.notnull()),
        reached_households=households(described.is_reached),
        helped_households=households(described.is_reached & described.result_code.isin(["help_accepted", "referred"])),
        solved_households=households(described.is_reached & (described.result_code == "solved_by_household")),
    )
    stages = [name for name in counted.columns if name.endswith("households")]
    quarter = counted.quarter
    return counted.select(
        *stages,
        "area_code",
        period_code=quarter.year().cast("string") + "KW0" + quarter.quarter().cast("string"),
        period_end_on=(quarter + ibis.interval(months=3) - ibis.interval(days=1)).cast("date"),
        level_code=ibis.literal(level),
        neighbourhood_code=counted.at_neighbourhood,
        partner_code=counted.of_partner,
    )


def gap(context: MartContext) -> ibis.Table:
    """One row per neighbourhood: low income of the latest year that has figures, and recipients of about the end of that year."""
    neighbourhoods = context.table("core.reference_neighbourhoods").select(
        "neighbourhood_code", "neighbourhood_name", "district_code", "district_name"
    )
    years = _low_income_years(context)
    income = years.mutate(
        place=ibis.row_number().over(
            group_by="current_code",
            order_by=[
                years.low_income_pct.isnull(),
                years.missing_reason.fill_null("") == "not_yet_released",
                years.year.desc(),
                years.source_table,
            ],
        )
    ).filter(_.place == 0)
    table = neighbourhoods.left_join(income, neighbourhoods.neighbourhood_code == income.current_code)
    table = table.select(
        *neighbourhoods.columns,
        "year",
        "households",
        "inhabitants_15_plus",
        "missing_reason",
        low_income=(table.households * table.low_income_pct / 100).round().cast("int64"),
    )
    found = _recipients(context, table)
    table = table.left_join(found, "neighbourhood_code", rname="{name}_found").drop("neighbourhood_code_found")
    low, recipients = table.low_income, table.recipients
    return table.select(
        *neighbourhoods.columns,
        "year",
        "recipients_period",
        households=table.households.cast("int64"),
        low_income_households=low,
        low_income_reason=_reason(low, table.year, table.missing_reason),
        inhabitants_15_plus=table.inhabitants_15_plus.cast("int64"),
        recipients=recipients,
        recipients_reason=_reason(recipients, table.recipients_period, table.recipients_missing_reason),
        unassisted_households=(low > recipients).ifelse(low - recipients, (low <= recipients).ifelse(0, ibis.null("int64"))),
    )


def _reason(value: ibis.Value, of_a_period: ibis.Value, told: ibis.Value) -> ibis.Value:
    """Why a figure is missing: no period of it is about this code, or what the source says of the latest one."""
    return ibis.cases(
        (value.notnull(), ibis.null("string")),
        (of_a_period.isnull(), ibis.literal("boundary_changed")),
        else_=told.fill_null("not_delivered"),
    )


def _low_income_years(context: MartContext) -> ibis.Table:
    """Per current neighbourhood, year and source: households, the share with a low income, and inhabitants of 15 and older."""
    figures = context.table("core.reference_key_figures").filter(
        (_.region_level == "neighbourhood") & _.current_code.notnull() & (_.code_status != "split")
    )

    def value_of(measure: str) -> ibis.Value:
        return figures.value.max(where=figures.measure_code == measure)

    share = figures.measure_code == "households_low_income_pct"
    years = figures.group_by("current_code", "year", "source_table").aggregate(
        households=value_of("households"),
        low_income_pct=value_of("households_low_income_pct"),
        inhabitants_15_plus=value_of("inhabitants") - value_of("inhabitants_0_14"),
        missing_reason=figures.missing_reason.max(where=share),
        has_share=share.any(),
    )
    return years.filter(_.has_share)


def _recipients(context: MartContext, table: ibis.Table) -> ibis.Table:
    """Recipients per neighbourhood at the time that is nearest to the end of the year of its income figures."""
    assisted = context.table("core.welfare_recipients").filter(
        (_.region_level == "neighbourhood") & (_.benefit_code == "social_assistance") & _.current_code.notnull()
    )
    joined = table.select("neighbourhood_code", "year").join(
        assisted.select("current_code", "recipients", "period_code", "period_end_on", "missing_reason", "source_table"),
        [("neighbourhood_code", "current_code")],
    )
    end_of_year = ibis.date(joined.year.fill_null(2_100), 12, 31)
    best_first = ibis.window(
        group_by="neighbourhood_code",
        order_by=[
            joined.missing_reason.fill_null("") == "not_yet_released",
            joined.period_end_on.delta(end_of_year, unit="day").abs(),
            joined.recipients.isnull(),
            joined.source_table,
        ],
    )
    return (
        joined.mutate(place=ibis.row_number().over(best_first))
        .filter(_.place == 0)
        .select(
            "neighbourhood_code",
            "recipients",
            recipients_period=_.period_code,
            recipients_missing_reason=_.missing_reason,
        )
    )
