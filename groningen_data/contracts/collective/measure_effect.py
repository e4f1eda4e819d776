"""Contract of the mart that tells what policy measures on the roads did."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table
from groningen_data.contracts.traffic.measures import OUTCOMES

VERDICTS = ["effect", "no_effect_found", "too_little_data"]
VERDICT_REASONS = ["no_counts_at_sites", "too_few_days_before", "too_few_days_after", "too_few_control_sites"]
DOUBTS = ["trend_before", "placebo_in_time", "other_event_near"]
"""What makes a verdict less certain: see `MeasureEffect.doubts`."""


class MeasureEffect(Contract):
    """What each measure did to the one outcome by which it is judged: the change of level at its sites since its first day.

    Controlled interrupted time series: the logarithm of the outcome at the measure's sites over that at control sites, per day,
    with a change of level from the first day, one trend over the whole time and a term per weekday, and errors that depend on
    those of the day before. The effect is what remains of the ratio, in %. `effect`: the p value is below 0.05, and so is the
    share of random groups of control sites whose ratio changed as much on the same day; `no_effect_found` says that this could
    not be shown, not that there is none: effects smaller than `detectable_effect_pct` would mostly have been missed.
    `doubts` names what a reader should know: a trend at the sites before the measure that the controls did not have, a change
    on a day on which nothing happened, or road works near the sites in the same time.
    """

    measure_id: str = column("Nummer", "Number", str_length={"min_value": 1})
    title_nl: str = column("Maatregel", "Measure (Dutch)", str_length={"min_value": 1})
    title_en: str = column("Maatregel (Engels)", "Measure (English)", nullable=True)
    outcome_code: str = column("Maat", "Outcome", isin=OUTCOMES)
    starts_on: pl.Date = column("Eerste dag", "First day")
    ends_on: pl.Date = column("Laatste dag", "Last day", nullable=True)
    expected_effect_pct: float = column("Verwacht effect", "Effect expected", unit="%", nullable=True)
    decision: str = column("Besluit", "Decision", nullable=True)
    verdict_code: str = column("Oordeel", "Verdict", isin=VERDICTS)
    verdict_reason: str = column("Reden van te weinig gegevens", "Reason of too little data", nullable=True, isin=VERDICT_REASONS)
    effect_pct: float = column("Effect", "Effect", unit="%", nullable=True, ge=-100)
    effect_low_pct: float = column("Effect: ondergrens (95 %)", "Effect: lower bound (95 %)", unit="%", nullable=True, ge=-100)
    effect_high_pct: float = column("Effect: bovengrens (95 %)", "Effect: upper bound (95 %)", unit="%", nullable=True, ge=-100)
    p_value: float = column("P-waarde", "P value", nullable=True, ge=0, le=1)
    placebo_space_p_value: float = column(
        "Aandeel groepen controlelocaties met zo'n verandering",
        "Share of groups of control sites that changed as much",
        unit="share",
        nullable=True,
        ge=0,
        le=1,
    )
    placebo_groups: int = column("Groepen controlelocaties", "Groups of control sites", ge=0)
    placebo_time_p_value: float = column(
        "P-waarde van een verzonnen begindag ervoor", "P value of a made-up first day before it", nullable=True, ge=0, le=1
    )
    trend_before_pct_week: float = column(
        "Trend ervoor ten opzichte van controle", "Trend before it, against the controls", unit="%/week", nullable=True
    )
    trend_before_p_value: float = column(
        "P-waarde van de trend ervoor", "P value of the trend before it", nullable=True, ge=0, le=1
    )
    effect_without_trend_pct: float = column(
        "Effect zonder trendterm", "Effect without the trend term", unit="%", nullable=True, ge=-100
    )
    detectable_effect_pct: float = column(
        "Effect dat vier van de vijf keer gevonden zou zijn",
        "Effect that would have been found four times out of five",
        unit="%",
        nullable=True,
        ge=0,
    )
    doubts: str = column("Twijfels (komma's ertussen)", "Doubts (comma-separated)", nullable=True)
    days_before: int = column("Bruikbare dagen ervoor", "Usable days before it", unit="d", ge=0)
    days_after: int = column("Bruikbare dagen erna", "Usable days since its first day", unit="d", ge=0)
    site_ids: str = column("Meetlocaties met tellingen", "Sites with counts (comma-separated)", nullable=True)
    control_site_ids: str = column("Controlelocaties", "Control sites (comma-separated)", nullable=True)
    control_sites: int = column("Aantal controlelocaties", "Number of control sites", ge=0)
    control_choice_code: str = column("Keuze van controlelocaties", "Choice of control sites", isin=["named", "by_rule"])
    method: str = column("Methode", "Method")
    method_sources: str = column("Bronnen van de methode", "Sources of the method")

    class Config(Contract.Config):
        metadata = table(
            name="collective.measure_effect",
            title_nl="Effect van verkeersmaatregelen",
            title_en="Effect of traffic measures",
            grain="one measure",
            key=("measure_id",),
            owner="Mobiliteit",
            purpose="To tell the council whether a measure did what it was meant to do, and how certain that is.",
            legal_basis="Gemeentewet art. 213a (effectiveness of policy); Wegenverkeerswet 1994 art. 2",
            classification="public",
            retention="10 years",
            freshness_days=2,
            load_mode="snapshot",
            period_column="starts_on",
            tolerance=0.0,
            served=True,
        )
