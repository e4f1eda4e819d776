"""Contract of the risk of problematic debts per municipality and year (CBS)."""

from groningen_data.contracts.base import Contract, column, table

MISSING = ["withheld", "not_delivered", "later_version", "no_longer_published"]


class WelfareDebtRisk(Contract):
    """Persons at high risk of problematic debts, per municipality and year, as CBS publishes them (rounded to tens).

    The share is of all persons that CBS looked at (adults without registered debts), the inflow chance is that of the
    group at risk. Municipalities are those of the file; what became of a municipality that no longer exists stands beside
    it. Statistics about groups; no person is in this table.
    """

    municipality_code: str = column("Gemeentecode", "Municipality code", str_matches=r"^GM\d{4}$")
    municipality_name: str = column("Gemeentenaam", "Municipality name", nullable=True)
    year: int = column("Jaar", "Year", ge=1995, le=2100)
    persons_at_risk: int = column("Personen in de risicogroep", "Persons at risk", nullable=True, ge=0, personal_data="statistic")
    persons_missing_reason: str = column(
        "Reden van ontbreken aantal", "Reason when persons are missing", nullable=True, isin=MISSING
    )
    at_risk_pct: float = column(
        "Aandeel in de risicogroep", "Share at risk", unit="%", nullable=True, ge=0, le=100, personal_data="statistic"
    )
    share_missing_reason: str = column(
        "Reden van ontbreken aandeel", "Reason when the share is missing", nullable=True, isin=MISSING
    )
    inflow_pct: float = column(
        "Instroomkans van de risicogroep",
        "Chance that a person at risk gets problematic debts",
        unit="%",
        nullable=True,
        ge=0,
        le=100,
        personal_data="statistic",
    )
    inflow_missing_reason: str = column(
        "Reden van ontbreken instroomkans", "Reason when the inflow chance is missing", nullable=True, isin=MISSING
    )
    municipality_status: str = column(
        "Bestaat de gemeente nog", "What became of the municipality", isin=["exists", "merged", "split"]
    )
    successor_code: str = column("Opgegaan in gemeente", "Municipality it merged into", nullable=True, str_matches=r"^GM\d{4}$")

    class Config(Contract.Config):
        metadata = table(
            name="core.welfare_debt_risk",
            title_nl="Risico op problematische schulden per gemeente",
            title_en="Risk of problematic debts per municipality",
            grain="one municipality in one year",
            key=("municipality_code", "year"),
            owner="Werk en Inkomen",
            purpose="How large the group is that early help with debts is for, beside other municipalities.",
            legal_basis="Open data of CBS (CC BY 4.0); Wet gemeentelijke schuldhulpverlening art. 2",
            classification="public",
            retention="10 years",
            freshness_days=800,
            load_mode="partition",
            partition_columns=("year",),
            tolerance=0.02,
            licence="CC BY 4.0 (CBS)",
        )
