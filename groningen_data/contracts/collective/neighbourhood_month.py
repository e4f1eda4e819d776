"""Contract of the mart that joins the departments per neighbourhood and month."""

import polars as pl

from groningen_data.contracts.base import Contract, Protection, Rate, column, table
from groningen_data.contracts.codes import MISSING_REASONS

REASONS = [
    "source_does_not_cover",
    "no_data_in_month",
    "no_site",
    "no_container",
    "no_sensor_data",
    "weight_missing",
    "boundary_changed",
    *MISSING_REASONS,
]


class NeighbourhoodMonth(Contract):
    """The departments side by side: one neighbourhood in one month.

    Waste reports are counted by the month in which they were made, households in early signals by the month of the signal.
    Overfull hours are those in which a container's last reading was 100 % or more; kilograms are what vehicles weighed at single
    containers. Traffic is the mean number of vehicles that a site counts on a weekday, cyclists the mean per counter and day.
    Recipients, population and income are the latest figures not after the month (or the earliest there is; the period stands
    beside each). Weather is that of one station for the whole city, over the days that are known. Every figure that is missing
    says why, and each source says how complete it is.
    """

    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", str_matches=r"^BU\d{8}$")
    neighbourhood_name: str = column("Buurtnaam", "Neighbourhood name")
    district_code: str = column("Wijkcode", "District code", str_matches=r"^WK\d{6}$")
    district_name: str = column("Wijknaam", "District name", nullable=True)
    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    waste_reports: int = column("Afvalmeldingen", "Waste reports", nullable=True, ge=0)
    waste_reports_reason: str = column(
        "Reden van ontbreken afvalmeldingen", "Reason when waste reports are missing", nullable=True, isin=REASONS
    )
    waste_reports_completeness: float = column(
        "Volledigheid meldingen", "Completeness of reports", unit="share of days", ge=0, le=1
    )
    containers: int = column("Containers", "Containers", ge=0)
    overfull_container_hours: int = column(
        "Uren met overvolle container", "Overfull container hours", unit="container hours", nullable=True, ge=0
    )
    overfull_reason: str = column(
        "Reden van ontbreken overvolle uren", "Reason when overfull hours are missing", nullable=True, isin=REASONS
    )
    fill_completeness: float = column(
        "Volledigheid vulgraadmetingen", "Completeness of fill levels", unit="share of hours", ge=0, le=1
    )
    collected_kg: float = column("Ingezameld gewicht", "Weight collected", unit="kg", nullable=True, ge=0)
    collected_reason: str = column(
        "Reden van ontbreken gewicht", "Reason when the weight is missing", nullable=True, isin=REASONS
    )
    collected_completeness: float = column("Volledigheid wegingen", "Completeness of weighings", unit="share of days", ge=0, le=1)
    traffic_sites: int = column("Meetlocaties met telling", "Sites that counted", ge=0)
    weekday_vehicles: float = column(
        "Voertuigen per weekdag per meetlocatie", "Vehicles per weekday per site", unit="vehicles/day", nullable=True, ge=0
    )
    weekday_vehicles_reason: str = column(
        "Reden van ontbreken verkeer", "Reason when traffic is missing", nullable=True, isin=REASONS
    )
    traffic_completeness: float = column(
        "Volledigheid verkeer", "Completeness of traffic", unit="share of expected intervals", ge=0, le=1
    )
    daily_cyclists: float = column(
        "Fietsers per dag per telpunt", "Cyclists per day per counter", unit="cyclists/day", nullable=True, ge=0
    )
    daily_cyclists_reason: str = column(
        "Reden van ontbreken fietsers", "Reason when cyclists are missing", nullable=True, isin=REASONS
    )
    cyclists_completeness: float = column(
        "Volledigheid fietstellingen", "Completeness of bicycle counts", unit="share of days", ge=0, le=1
    )
    early_signal_households: int = column(
        "Huishoudens in vroegsignalen",
        "Households in early signals",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="households"),
    )
    early_signal_reason: str = column(
        "Reden van ontbreken vroegsignalen", "Reason when early signals are missing", nullable=True, isin=REASONS
    )
    recipients: int = column(
        "Personen met bijstand",
        "Recipients of social assistance",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(population="inhabitants_15_plus"),
    )
    recipients_period: str = column("Periode van de bijstandscijfers", "Period of the recipients", nullable=True)
    recipients_year: int = column("Jaar van de bijstandscijfers", "Year of the recipients", nullable=True)
    recipients_reason: str = column(
        "Reden van ontbreken bijstand", "Reason when recipients are missing", nullable=True, isin=REASONS
    )
    inhabitants: int = column("Inwoners", "Inhabitants", nullable=True, ge=0, personal_data="statistic", protection=Protection())
    inhabitants_15_plus: int = column(
        "Inwoners van 15 jaar en ouder",
        "Inhabitants of 15 and older",
        nullable=True,
        ge=0,
        personal_data="statistic",
        protection=Protection(),
    )
    inhabitants_15_plus_year: int = column(
        "Jaar van de inwoners van 15 jaar en ouder", "Year of the inhabitants of 15 and older", nullable=True
    )
    population_year: int = column("Jaar van de bevolkingscijfers", "Year of the population", nullable=True)
    population_reason: str = column(
        "Reden van ontbreken bevolking", "Reason when population is missing", nullable=True, isin=REASONS
    )
    households: int = column("Huishoudens", "Households", nullable=True, ge=0, personal_data="statistic", protection=Protection())
    income_per_inhabitant_keur: float = column(
        "Gemiddeld inkomen per inwoner", "Mean income per inhabitant", unit="1 000 EUR", nullable=True, ge=0
    )
    income_year: int = column("Jaar van de inkomenscijfers", "Year of the income", nullable=True)
    income_reason: str = column("Reden van ontbreken inkomen", "Reason when income is missing", nullable=True, isin=REASONS)
    precipitation_mm: float = column("Neerslag", "Precipitation", unit="mm", nullable=True, ge=0)
    mean_temperature_c: float = column("Gemiddelde temperatuur", "Mean temperature", unit="°C", nullable=True)
    weather_completeness: float = column("Volledigheid weer", "Completeness of weather", unit="share of days", ge=0, le=1)

    class Config(Contract.Config):
        metadata = table(
            name="collective.neighbourhood_month",
            title_nl="Buurt per maand",
            title_en="Neighbourhood per month",
            grain="one neighbourhood in one month",
            key=("neighbourhood_code", "month"),
            owner="Onderzoek en Statistiek",
            purpose="One shared picture of a neighbourhood for all departments.",
            legal_basis="Task of public interest (Gemeentewet art. 108); statistics only",
            classification="public",
            retention="10 years",
            freshness_days=2,
            load_mode="partition",
            partition_columns=("month",),
            tolerance=0.0,
            served=True,
            rates=(
                Rate(
                    "waste_reports_per_1000",
                    "Afvalmeldingen per 1.000 inwoners",
                    "Waste reports per 1,000 inhabitants",
                    "waste_reports",
                    "inhabitants",
                    1000,
                ),
                Rate(
                    "recipients_per_1000",
                    "Bijstand per 1.000 inwoners van 15+",
                    "Recipients per 1,000 inhabitants of 15 and older",
                    "recipients",
                    "inhabitants_15_plus",
                    1000,
                ),
                Rate(
                    "early_signal_households_per_1000",
                    "Vroegsignalen per 1.000 huishoudens",
                    "Households in early signals per 1,000 households",
                    "early_signal_households",
                    "households",
                    1000,
                ),
            ),
        )
