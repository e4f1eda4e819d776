"""Contract of the gap between households with a low income and people who receive social assistance, per neighbourhood."""

from groningen_data.contracts.base import Contract, Protection, Rate, column, table
from groningen_data.contracts.codes import MISSING_REASONS
from groningen_data.contracts.welfare.recipients import PERIOD_CODE


class HelpFirstGap(Contract):
    """At least how many households with a low income live in a neighbourhood without social assistance: where outreach is due.

    Both figures are CBS's, per neighbourhood. Low income is CBS's own limit, not the legal norm; recipients are persons, and a
    household can have two. So `unassisted_households`, low-income households less recipients and never below zero, is the least
    there are. It does not say that anyone is entitled to anything: working poor, pensioners and people with savings are among
    them. It shows places to tell people about help, never people.
    """

    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", str_matches=r"^BU\d{8}$")
    neighbourhood_name: str = column("Buurtnaam", "Neighbourhood name")
    district_code: str = column("Wijkcode", "District code", str_matches=r"^WK\d{6}$")
    district_name: str = column("Wijknaam", "District name", nullable=True)
    year: int = column("Jaar van de inkomenscijfers", "Year of the income figures", nullable=True)
    households: int = column("Huishoudens", "Households", nullable=True, ge=0, personal_data="statistic", protection=Protection())
    low_income_households: int = column(
        "Huishoudens met een laag inkomen",
        "Households with a low income",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="households"),
    )
    low_income_reason: str = column(
        "Reden van ontbreken laag inkomen",
        "Reason when low income is missing",
        nullable=True,
        isin=[*MISSING_REASONS, "boundary_changed"],
    )
    inhabitants_15_plus: int = column(
        "Inwoners van 15 jaar en ouder",
        "Inhabitants of 15 and older",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(),
    )
    recipients: int = column(
        "Personen met bijstand",
        "Recipients of social assistance",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="inhabitants_15_plus"),
    )
    recipients_period: str = column(
        "Periode van de bijstandscijfers", "Period of the recipients", nullable=True, str_matches=PERIOD_CODE
    )
    recipients_reason: str = column(
        "Reden van ontbreken bijstand",
        "Reason when recipients are missing",
        nullable=True,
        isin=[*MISSING_REASONS, "boundary_changed"],
    )
    unassisted_households: int = column(
        "Huishoudens met laag inkomen zonder bijstand (ten minste)",
        "Households with a low income without social assistance (at least)",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="households", follows="recipients"),
    )

    class Config(Contract.Config):
        metadata = table(
            name="collective.help_first_gap",
            title_nl="Laag inkomen zonder bijstand per buurt",
            title_en="Low income without social assistance per neighbourhood",
            grain="one neighbourhood",
            key=("neighbourhood_code",),
            owner="Werk en Inkomen",
            purpose="To choose the places where people are told about help that they may not use.",
            legal_basis="Participatiewet art. 7; open data of CBS (CC BY 4.0); statistics only",
            classification="public",
            retention="10 years",
            freshness_days=400,
            load_mode="snapshot",
            tolerance=0.0,
            served=True,
            licence="CC BY 4.0 (CBS)",
            rates=(
                Rate(
                    "low_income_per_100",
                    "Laag inkomen per 100 huishoudens",
                    "Low income per 100 households",
                    "low_income_households",
                    "households",
                    100,
                ),
                Rate(
                    "unassisted_per_100",
                    "Laag inkomen zonder bijstand per 100 huishoudens (ten minste)",
                    "Low income without social assistance per 100 households (at least)",
                    "unassisted_households",
                    "households",
                    100,
                ),
            ),
        )
