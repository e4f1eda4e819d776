"""Contract of the mart that shows where waste lies beside containers more often than chance would have it."""

import polars as pl

from groningen_data.contracts.base import Contract, column, table

TESTS = ["inspections", "reports", "weekday"]
LIKELY_CAUSES = ["full_container", "weekday", "bulky_waste", "construction", "unexplained"]


class ContainerHotspots(Contract):
    """Containers around which waste lay beside containers more often than chance would have it, per period that ends on a Sunday.

    Three tests look at all that was seen within 250 metres of a container. `inspections`: in 28 days, inspectors found waste
    more often than they did elsewhere in the city on such weekdays. `reports`: in 28 days, more waste reports lay within 25 metres
    of a container than the reports further away would give, as they do elsewhere in the city. `weekday`: in 84 days, the waste
    reports fell on other weekdays than those of the city, and did so week after week. Each test is corrected for all containers
    that it compared in the period, so that of the containers listed by a test about one in twenty may be there by chance. A container
    that is not listed was not shown to be any different; where little is inspected or reported, nothing can be shown. A period
    that began before the first day that is known has fewer days.

    The likely cause is the one that explains most of what was found above what was expected, where that alone is more than chance.
    It says what goes together, not what made what. Containers close to each other that are listed for the same period share a hotspot.
    """

    month: pl.Date = column("Maand (eerste dag)", "Month (first day)")
    period_start_on: pl.Date = column("Eerste dag van de periode", "First day of the period")
    period_end_on: pl.Date = column("Laatste dag van de periode", "Last day of the period")
    test_code: str = column("Toets", "Test", isin=TESTS)
    container_code: str = column("Containercode", "Container code", str_length={"min_value": 1})
    hotspot_code: str = column("Hotspot (code van de sterkste container)", "Hotspot (code of its strongest container)")
    location_name: str = column("Locatie", "Location name", nullable=True)
    fraction_code: str = column("Fractie", "Fraction", nullable=True)
    neighbourhood_code: str = column("Buurtcode", "Neighbourhood code", nullable=True, str_matches=r"^BU\d{8}$")
    longitude: float = column("Lengtegraad", "Longitude", unit="degree", in_range={"min_value": -180, "max_value": 180})
    latitude: float = column("Breedtegraad", "Latitude", unit="degree", in_range={"min_value": -90, "max_value": 90})
    weekday: int = column("Weekdag (1 = maandag)", "Weekday (1 = Monday)", nullable=True, ge=1, le=7)
    trials: int = column("Schouwen of meldingen vergeleken", "Inspections or reports compared", ge=1)
    observed: int = column("Gevonden bijplaatsingen", "Waste beside containers, observed", ge=1)
    expected: float = column("Verwachte bijplaatsingen", "Waste beside containers, expected", ge=0)
    excess_ratio: float = column("Gevonden ten opzichte van verwacht", "Observed against expected", unit="times", ge=1)
    p_value: float = column("P-waarde", "P-value", in_range={"min_value": 0, "max_value": 1})
    q_value: float = column(
        "P-waarde na correctie (Benjamini-Hochberg)",
        "P-value after correction (Benjamini-Hochberg)",
        in_range={"min_value": 0, "max_value": 1},
    )
    comparisons: int = column("Vergeleken containers", "Containers compared", ge=1)
    likely_cause_code: str = column("Waarschijnlijke oorzaak", "Likely cause", isin=LIKELY_CAUSES)
    cause_observed: int = column("Gevonden met deze oorzaak", "Observed with this cause", nullable=True, ge=0)
    cause_expected: float = column("Verwacht met deze oorzaak", "Expected with this cause", nullable=True, ge=0)
    cause_p_value: float = column(
        "P-waarde van de oorzaak", "P-value of the cause", nullable=True, in_range={"min_value": 0, "max_value": 1}
    )
    alarm_hours: int = column(
        "Uren op of boven de alarmgrens binnen 250 m", "Hours at or over the alarm limit within 250 m", unit="h", ge=0
    )
    bulky_items: int = column("Stuks grofvuil binnen 250 m", "Bulky items found within 250 m", ge=0)
    works_250_m: int = column("Werken en afsluitingen binnen 250 m", "Road works and closures within 250 m", ge=0)

    class Config(Contract.Config):
        metadata = table(
            name="collective.container_hotspots",
            title_nl="Hotspots van bijplaatsingen",
            title_en="Hotspots of waste beside containers",
            grain="one container, shown by one test to be different in one period",
            key=("container_code", "period_end_on", "test_code"),
            owner="Stadsbeheer",
            purpose="To send collection, inspectors and information to the places where waste lies beside containers, for the cause there.",
            legal_basis="Task of public interest: keeping public space clean (Wet milieubeheer art. 10.21)",
            classification="internal",
            reason_not_public="reports near a container can point at the household that made them",
            retention="5 years",
            freshness_days=9,
            load_mode="partition",
            partition_columns=("month",),
            period_column="period_end_on",
            tolerance=0.0,
            served=True,
        )
