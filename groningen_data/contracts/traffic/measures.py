"""Contract of the policy measures that are meant to change traffic."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

OUTCOMES = ["flow", "speed"]
"""What a measure is judged by: vehicles per day, or their mean speed by day. Written down before its effect is known."""


class TrafficMeasures(Contract):
    """Measures that the municipality decided on to change traffic: where, from when, and what was expected of them.

    A department lists them beforehand, with the one outcome by which each is judged and the effect that the decision names, so
    that nobody chooses these once the counts are known. Sites that can serve for comparison may be named; where none are, a rule
    chooses them. A measure that leaves the list stays here.
    """

    measure_id: str = column("Nummer", "Number", str_length={"min_value": 1})
    title_nl: str = column("Titel", "Title (Dutch)", str_length={"min_value": 1})
    title_en: str = column("Titel (Engels)", "Title (English)", nullable=True)
    outcome_code: str = column("Maat", "Outcome", isin=OUTCOMES)
    site_ids: str = column("Meetlocaties", "Sites concerned (comma-separated)", str_length={"min_value": 1})
    control_site_ids: str = column(
        "Meetlocaties ter vergelijking", "Control sites (comma-separated)", nullable=True, str_length={"min_value": 1}
    )
    starts_on: pl.Date = column("Eerste dag", "First day")
    ends_on: pl.Date = column("Laatste dag", "Last day", nullable=True)
    expected_effect_pct: float = column("Verwacht effect", "Effect expected", unit="%", nullable=True, ge=-100, le=1_000)
    decision: str = column("Besluit", "Decision", nullable=True)

    class Config(Contract.Config):
        metadata = table(
            name="core.traffic_measures",
            title_nl="Verkeersmaatregelen",
            title_en="Traffic measures",
            grain="one measure",
            key=("measure_id",),
            owner="Mobiliteit",
            purpose="To find out afterwards whether a measure did what it was meant to do.",
            legal_basis="Task of public interest: road management (Wegenverkeerswet 1994 art. 2); Gemeentewet art. 213a",
            classification="public",
            retention="10 years",
            freshness_days=100,
            load_mode="merge",
            period_column="starts_on",
            tolerance=0.05,
            source_rules=(
                ("outcome_code.unknown", "an outcome is verkeer or snelheid"),
                ("site_ids.controls_itself", "no site is compared with itself"),
                ("ends_on.before_start", "it does not end before it starts"),
            ),
        )
