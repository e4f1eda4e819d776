"""Disclosure control: the SQL that turns an exact lake relation into what may be served, from its contract alone.

Suppression, rounding and rates live here and nowhere else. Integer arithmetic only, so every engine gives the same answer;
no table is named in this module and no data is read.
"""

from groningen_data.contracts.base import (
    ColumnFacts,
    ContractModel,
    Protection,
    Rate,
    columns_of,
    facts_of,
    problems_of,
    sql_types,
)
from groningen_data.errors import ContractError
from groningen_data.serving import geometry

SUPPRESSED = "_suppressed"
_INTEGERS = {"SMALLINT", "INTEGER", "BIGINT"}
_PERSON_LEVEL = {"pseudonym", "personal", "special"}


def protected_select(contract: ContractModel, relation: str) -> str:
    """The SELECT that gives the served rows and columns of a relation, in their order.

    The exact counts are visible only to the two inner levels of the statement: rates and order see protected values.

    Args:
        contract: Contract of a served table.
        relation: SQL of a relation with the contract's columns, exact.

    Raises:
        ContractError: The table may not be served, or its protection cannot be applied safely.
    """
    _require_servable(contract)
    columns = columns_of(contract)
    protections = {name: c.protection for name, c in columns.items() if c.protection}
    reasons = [f', {_reason(name, protections)} AS "{name}{SUPPRESSED}"' for name in protections]
    values: list[str] = []
    for name in columns:
        if protection := protections.get(name):
            rounded = _rounded(f'"{name}"', protection)
            values += [f'CASE WHEN "{name}{SUPPRESSED}" IS NULL THEN {rounded} END AS "{name}"', f'"{name}{SUPPRESSED}"']
        elif geometry.is_outline(name):
            values.append(f'{geometry.served_value(name)} AS "{geometry.served_name(name)}"')
        else:
            values.append(f'"{name}"')
    rates = [
        part
        for rate in facts_of(contract).rates
        for part in (f', {_rate(rate)} AS "{rate.name}"', f', {_rate_reason(rate, protections)} AS "{rate.name}{SUPPRESSED}"')
    ]
    return (
        f"SELECT *{''.join(rates)} FROM (SELECT {', '.join(values)} FROM (SELECT *{''.join(reasons)} FROM {relation} AS exact)"
        f" AS judged) AS protected ORDER BY {order_of(contract)}"
    )


def is_monthly(contract: ContractModel) -> bool:
    """Whether a table is made month by month, each by the date of its first day in column `month`."""
    return facts_of(contract).partition_columns == ("month",) and sql_types(contract).get("month") == "DATE"


def order_of(contract: ContractModel) -> str:
    """The columns that served rows are ordered by: the contract's key, of monthly tables after the month."""
    months = ["month"] if is_monthly(contract) else []
    return ", ".join(f'"{name}"' for name in dict.fromkeys([*months, *facts_of(contract).key]))


def served_columns(contract: ContractModel) -> dict[str, ColumnFacts]:
    """Facts of every served column in served order: the contract's own, then those that serving adds."""
    served: dict[str, ColumnFacts] = {}
    for name, column in columns_of(contract).items():
        served[geometry.served_name(name) if geometry.is_outline(name) else name] = column
        if column.protection:
            served[f"{name}{SUPPRESSED}"] = _reason_facts(column.title_nl, column.title_en)
    for rate in facts_of(contract).rates:
        personal = "statistic" if is_protected(contract, rate.name) else "none"
        unit = f"per {rate.per:,}".replace(",", " ")
        served[rate.name] = ColumnFacts(rate.title_nl, rate.title_en, unit, personal)  # type: ignore[arg-type]
        served[f"{rate.name}{SUPPRESSED}"] = _reason_facts(rate.title_nl, rate.title_en)
    return served


def is_protected(contract: ContractModel, name: str) -> bool:
    """Whether a served column is a protected count, or a rate made of one."""
    columns = columns_of(contract)
    if name in columns:
        return columns[name].protection is not None
    parts = {part for rate in facts_of(contract).rates if rate.name == name for part in (rate.numerator, rate.denominator)}
    return any(columns[part].protection for part in parts)


def counts_people(contract: ContractModel) -> bool:
    """Whether exact figures about the table's values (check results, reasons) may tell something about people."""
    return any(column.personal_data != "none" for column in columns_of(contract).values())


def protected_row_count(contract: ContractModel, expression: str) -> str:
    """SQL of a number of rows as it may be shown: where rows are people, it is protected like any count of people."""
    if not any(column.personal_data in _PERSON_LEVEL for column in columns_of(contract).values()):
        return expression
    protection = Protection()
    return f"CASE WHEN {expression} >= {protection.minimum} THEN {_rounded(expression, protection)} END"


def _reason_facts(title_nl: str, title_en: str) -> ColumnFacts:
    return ColumnFacts(f"Reden van onderdrukking: {title_nl}", f"Reason of suppression: {title_en}")


def _reason(name: str, protections: dict[str, Protection]) -> str:
    """Why a count is suppressed.

    A sum goes with the count that it is about before anything is said of the sum itself: whether it is missing, or small, would
    tell something of a count that is not told. A part of an unknown or suppressed group is suppressed too: its share cannot be vouched for. So is a part whose share
    only looks too large after rounding: a reader who knows that exact shares stay below 90 % could find both counts back
    (80 of 80 could only be 75 of 84).
    """
    protection, value = protections[name], f'"{name}"'
    cases = []
    if protection.follows:
        cases.append(f"WHEN {_reason(protection.follows, protections)} IS NOT NULL THEN 'count_suppressed'")
    cases += [f"WHEN {value} IS NULL THEN NULL", f"WHEN {value} < {max(protection.minimum, 1)} THEN 'below_minimum'"]
    if protection.population:
        population = f'"{protection.population}"'
        shown_population = population
        if protection.population in protections:
            shown_population = _rounded(population, protections[protection.population])
        cases.append(f"WHEN {population} IS NULL THEN 'population_missing'")
        for part, whole, compared in ((value, population, ">="), (_rounded(value, protection), shown_population, ">")):
            cases.append(f"WHEN CAST({part} AS BIGINT) * 10 {compared} CAST({whole} AS BIGINT) * 9 THEN 'dominant_share'")
        if protection.population in protections:
            cases.append(f"WHEN {_reason(protection.population, protections)} IS NOT NULL THEN 'population_suppressed'")
    return f"CASE {' '.join(cases)} END"


def _rounded(value: str, protection: Protection) -> str:
    exact, step = f"CAST({value} AS BIGINT)", protection.round_to
    return f"{exact} - {exact} % {step} + CASE WHEN ({exact} % {step}) * 2 >= {step} THEN {step} ELSE 0 END"


def _rate(rate: Rate) -> str:
    """One decimal, half away from zero: tenths in whole numbers, then one exactly rounded division."""
    numerator, denominator = f'CAST("{rate.numerator}" AS BIGINT)', f'CAST("{rate.denominator}" AS BIGINT)'
    tenths = f"(abs({numerator}) * {20 * rate.per} + {denominator}) // ({denominator} * 2)"
    return f"CASE WHEN {denominator} > 0 THEN CAST(sign({numerator}) * ({tenths}) AS DOUBLE) / 10 END"


def _rate_reason(rate: Rate, protections: dict[str, Protection]) -> str:
    parts = {"numerator": rate.numerator, "denominator": rate.denominator}
    cases = [
        f"WHEN \"{column}{SUPPRESSED}\" IS NOT NULL THEN '{part}_suppressed'"
        for part, column in parts.items()
        if column in protections
    ]
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"


def _require_servable(contract: ContractModel) -> None:
    facts, columns, types = facts_of(contract), columns_of(contract), sql_types(contract)
    problems = problems_of(contract)
    if not facts.served:
        problems.append("the contract does not say `served=True`")
    counted = {name for rate in facts.rates for name in (rate.numerator, rate.denominator)}
    for name, column in columns.items():
        if (protection := column.protection) is None:
            continue
        counted |= {name, protection.population or name}
        if protection.follows and (protection.follows not in columns or columns[protection.follows].protection is None):
            problems.append(f"{name}: follows {protection.follows}, which is no protected column")
        if protection.minimum < 1 or protection.round_to < 1:
            problems.append(f"{name}: minimum and round_to must be at least 1")
        elif not _is_wide_enough(protection):
            problems.append(
                f"{name}: with minimum {protection.minimum} and rounding to {protection.round_to} the lowest served number "
                "would stand for too few counts; make the minimum a multiple of the rounding"
            )
        if _is_part_of_itself(name, columns):
            problems.append(f"{name}: is, by its populations, part of itself")
    problems += [f"{name}: is no column of whole numbers" for name in sorted(counted) if types.get(name) not in _INTEGERS]
    added = [f"{name}{SUPPRESSED}" for name, column in columns.items() if column.protection]
    added += [name for rate in facts.rates for name in (rate.name, f"{rate.name}{SUPPRESSED}")]
    every = [*columns, *added]
    problems += [f"{name}: serving adds a column of this name" for name in sorted({n for n in added if every.count(n) > 1})]
    if problems:
        raise ContractError(facts.name, f"may not be served: {'; '.join(problems)}", "mend the contract")


def _is_wide_enough(protection: Protection) -> bool:
    """Whether the lowest served number stands for at least half as many counts as any other served number does."""
    minimum, step = protection.minimum, protection.round_to
    lowest = (2 * minimum + step) // (2 * step)
    next_starts_at = -(-(2 * lowest + 1) * step // 2)
    return (next_starts_at - minimum) * 2 >= step


def _is_part_of_itself(name: str, columns: dict[str, ColumnFacts]) -> bool:
    seen, at = {name}, columns[name].protection
    while at and at.population:
        if at.population in seen:
            return True
        seen.add(at.population)
        at = columns[at.population].protection if at.population in columns else None
    return False
