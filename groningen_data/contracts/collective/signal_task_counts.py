"""Contract of the mart that counts tasks per rule and month, never persons."""

import polars as pl

from groningen_data.contracts.base import Contract, Protection, column, table


class SignalTaskCounts(Contract):
    """Tasks that wait, per rule and month in which the signal was received."""

    rule_id: str = column("Regel", "Rule")
    rule_version: int = column("Versie van de regel", "Version of the rule", ge=1)
    month_on: pl.Date = column("Maand van ontvangst (eerste dag)", "Month of receipt (first day)")
    tasks: int = column("Wachtende taken", "Tasks that wait", ge=1, personal_data="statistic", protection=Protection())

    class Config(Contract.Config):
        metadata = table(
            name="collective.signal_task_counts",
            title_nl="Wachtende taken per signaalregel",
            title_en="Tasks that wait, per signal rule",
            grain="one version of a rule in one month of receipt",
            key=("rule_id", "rule_version", "month_on"),
            owner="Werk en Inkomen",
            purpose="To see whether people are asked about facts in time.",
            legal_basis="Participatiewet art. 53a; AVG art. 25 and 89",
            classification="internal",
            reason_not_public="for the department that plans its work",
            retention="as long as tasks wait",
            freshness_days=8,
            load_mode="snapshot",
            period_column="month_on",
            tolerance=0.0,
            served=True,
        )
