"""Contract of the early-signal funnel: what became of households in arrears, per quarter, by neighbourhood and by partner."""

import polars as pl

from groningen_data.contracts.base import Contract, Protection, Rate, column, table
from groningen_data.contracts.welfare.early_signals import PARTNERS

ALL = "all"
LEVELS = ["neighbourhood", "partner"]


class HelpFirstFunnel(Contract):
    """Households of which a payment arrear was signalled in a quarter, and what became of it: open, tried, reached, helped.

    Each household counts once per row, at every stage that one of its signals came to. A quarter is told once it has ended; its
    last stages still grow for some months. There are two levels that share no total: neighbourhoods (all partners), and partners
    (the whole municipality). The lake never holds a name or an address, so this says where help falls short, not for whom.
    """

    period_code: str = column("Kwartaal (CBS-notatie)", "Quarter (CBS notation)", str_matches=r"^\d{4}KW0[1-4]$")
    period_end_on: pl.Date = column("Laatste dag van het kwartaal", "Last day of the quarter")
    level_code: str = column("Niveau", "Level", isin=LEVELS)
    area_code: str = column("Gebied", "Area", str_matches=r"^(GM\d{4}|BU\d{8})$")
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    partner_code: str = column("Signaalpartner", "Partner who signalled", isin=[*PARTNERS, ALL])
    households: int = column(
        "Huishoudens met een vroegsignaal",
        "Households with an early signal",
        ge=1,
        personal_data="statistic",
        protection=Protection(),
    )
    open_households: int = column(
        "Daarvan nog niet opgepakt",
        "Of these not picked up yet",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="households"),
    )
    not_taken_up_households: int = column(
        "Daarvan niet opgepakt en afgesloten",
        "Of these never picked up",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="households"),
    )
    tried_households: int = column(
        "Contact geprobeerd", "Contact was tried", ge=0, personal_data="statistic", protection=Protection(follows="households")
    )
    reached_households: int = column(
        "Contact gelukt",
        "Contact was made",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="tried_households"),
    )
    helped_households: int = column(
        "Hulp aanvaard of doorverwezen",
        "Help accepted, or referred",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="reached_households"),
    )
    solved_households: int = column(
        "Zelf opgelost",
        "Solved by the household",
        ge=0,
        personal_data="statistic",
        protection=Protection(population="reached_households"),
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.help_first_funnel",
            title_nl="Vroegsignalen: van signaal tot hulp",
            title_en="Early signals: from signal to help",
            grain="one neighbourhood, or one partner, in one quarter",
            key=("period_code", "level_code", "area_code", "partner_code"),
            owner="Werk en Inkomen",
            purpose="To see where and through whom households in arrears are reached and helped in time, and where they are not.",
            legal_basis="Wet gemeentelijke schuldhulpverlening art. 3(1)(b); AVG art. 25 and 89; counts only",
            classification="internal",
            reason_not_public="small groups of people in need; what is published of it is chosen by the department",
            retention="10 years",
            freshness_days=100,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
            rates=(
                Rate(
                    "reached_per_100",
                    "Contact gelukt per 100 huishoudens waar het is geprobeerd",
                    "Contact made per 100 households with whom it was tried",
                    "reached_households",
                    "tried_households",
                    100,
                ),
                Rate(
                    "helped_per_100",
                    "Hulp aanvaard per 100 bereikte huishoudens",
                    "Help accepted per 100 households reached",
                    "helped_households",
                    "reached_households",
                    100,
                ),
            ),
        )
