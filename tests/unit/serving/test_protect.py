"""Disclosure control, judged by what a reader of the served rows can find out."""

from collections import defaultdict
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import Contract, ContractModel, Protection, Rate, column, table
from groningen_data.errors import ContractError
from groningen_data.serving.protect import (
    counts_people,
    is_protected,
    protected_row_count,
    protected_select,
    served_columns,
)

FACTS = {
    "name": "collective.example",
    "title_nl": "Voorbeeld",
    "title_en": "Example",
    "grain": "one area",
    "key": ("area",),
    "owner": "Onderzoek en Statistiek",
    "purpose": "An example.",
    "legal_basis": "none needed",
    "classification": "public",
    "retention": "none",
    "freshness_days": 1,
    "load_mode": "snapshot",
    "served": True,
}
RATE = Rate("part_per_1000", "Deel per 1.000", "Part per 1,000", "part", "people", 1000)
REPORTS = Rate("reports_per_100", "Meldingen per 100", "Reports per 100", "reports", "people", 100)


PART, PEOPLE = Protection(population="people"), Protection()


def example(
    part: Protection | None = PART,
    people: Protection | None = PEOPLE,
    part_class: str = "statistic",
    kind: type = int,
    **facts: object,
) -> ContractModel:
    """A contract of areas with people, a part of them, and reports that are no people."""
    of_part, of_people = part, people

    class Example(Contract):
        """An example."""

        area: int = column("Gebied", "Area")
        reports: int = column("Meldingen", "Reports", nullable=True)
        part: kind = column("Deel", "Part", nullable=True, personal_data=part_class, protection=of_part)  # type: ignore[valid-type]
        people: int = column("Mensen", "People", nullable=True, personal_data="statistic", protection=of_people)

        class Config(Contract.Config):
            metadata = table(**{**FACTS, "rates": (RATE, REPORTS), **facts})

    return Example


def served(contract: ContractModel, rows: list[tuple[int | None, ...]]) -> list[dict[str, object]]:
    """Rows of (area, reports, part, people) as they are served."""
    with duckdb.connect() as con:
        con.execute("CREATE TABLE exact (area BIGINT, reports BIGINT, part BIGINT, people BIGINT)")
        con.execute(
            "INSERT INTO exact SELECT unnest(?), unnest(?), unnest(?), unnest(?)", [list(c) for c in zip(*rows, strict=True)]
        )
        result = con.execute(protected_select(contract, "exact"))
        names = [d[0] for d in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def one(
    part: int | None, people: int | None, reports: int | None = 5, contract: ContractModel | None = None
) -> dict[str, object]:
    return served(contract or example(), [(1, reports, part, people)])[0]


@pytest.mark.parametrize(
    ("exact", "shown", "reason"),
    [
        (None, None, None),
        (0, None, "below_minimum"),
        (1, None, "below_minimum"),
        (9, None, "below_minimum"),
        (10, 10, None),
        (14, 10, None),
        (15, 20, None),
        (24, 20, None),
        (25, 30, None),
        (1_234_565, 1_234_570, None),
        (-3, None, "below_minimum"),
    ],
)
def test_a_count_is_suppressed_below_the_minimum_and_rounded_half_up_above_it(exact, shown, reason):
    row = one(None, exact)
    assert (row["people"], row["people_suppressed"]) == (shown, reason)


@pytest.mark.parametrize(
    ("part", "people", "shown", "reason"),
    [
        (89, 100, 90, None),
        (90, 100, None, "dominant_share"),
        (100, 100, None, "dominant_share"),
        (899_999, 1_000_000, 900_000, None),
        (900_000, 1_000_000, None, "dominant_share"),
        (120, 100, None, "dominant_share"),
        (75, 84, None, "dominant_share"),
        (17, 19, None, "dominant_share"),
        (88, 98, 90, None),
        (9, 10, None, "below_minimum"),
        (9, None, None, "below_minimum"),
        (50, None, None, "population_missing"),
        (50, 0, None, "dominant_share"),
        (10, 9, None, "dominant_share"),
        (None, 100, None, None),
        (None, None, None, None),
    ],
)
def test_a_share_of_nine_tenths_or_of_an_unknown_population_is_suppressed(part, people, shown, reason):
    row = one(part, people)
    assert (row["part"], row["part_suppressed"]) == (shown, reason)


def test_a_part_of_a_suppressed_population_is_suppressed_even_when_its_share_is_small():
    row = one(25, 45, contract=example(people=Protection(minimum=50)))
    assert (row["part"], row["part_suppressed"]) == (None, "population_suppressed")
    assert (row["part_per_1000"], row["part_per_1000_suppressed"]) == (None, "numerator_suppressed")


@pytest.mark.parametrize(
    ("round_to", "minimum", "exact", "shown"),
    [(5, 10, 12, 10), (5, 10, 13, 15), (3, 3, 4, 3), (3, 3, 5, 6), (1, 10, 17, 17), (10, 5, 5, 10)],
)
def test_other_steps_round_to_the_nearest_multiple(round_to, minimum, exact, shown):
    assert one(None, exact, contract=example(people=Protection(minimum, round_to)))["people"] == shown


@pytest.mark.parametrize(
    ("part", "people", "reports", "rate", "reason", "reports_rate", "reports_reason"),
    [
        (52, 104, 7, 500.0, None, 7.0, None),
        (5, 104, 7, None, "numerator_suppressed", 7.0, None),
        (99, 104, 7, None, "numerator_suppressed", 7.0, None),
        (None, 104, None, None, None, None, None),
        (None, 5, 7, None, "denominator_suppressed", None, "denominator_suppressed"),
        (5, 5, 7, None, "numerator_suppressed", None, "denominator_suppressed"),
        (52, None, 7, None, "numerator_suppressed", None, None),
        (None, None, 7, None, None, None, None),
        (30, 74, 0, 428.6, None, 0.0, None),
        (30, 155, 1, 187.5, None, 0.6, None),
    ],
)
def test_a_rate_is_made_of_protected_values_and_says_when_it_cannot_be(
    part, people, reports, rate, reason, reports_rate, reports_reason
):
    row = one(part, people, reports)
    assert (row["part_per_1000"], row["part_per_1000_suppressed"]) == (rate, reason)
    assert (row["reports_per_100"], row["reports_per_100_suppressed"]) == (reports_rate, reports_reason)


def test_a_rate_rounds_a_half_away_from_zero_on_either_side_of_it():
    rates = [one(None, 2000, reports)["reports_per_100"] for reports in (1, -1, 3, -3, 5)]
    assert rates == [0.1, -0.1, 0.2, -0.2, 0.3]


def test_a_rate_of_an_unprotected_denominator_of_zero_is_empty():
    class Counts(Contract):
        """Counts of things."""

        area: int = column("Gebied", "Area")
        reports: int = column("Meldingen", "Reports", nullable=True)
        people: int = column("Dingen", "Things", nullable=True)

        class Config(Contract.Config):
            metadata = table(**{**FACTS, "rates": (REPORTS,)})

    (row,) = served(Counts, [(1, 5, None, 0)])
    assert (row["reports_per_100"], row["reports_per_100_suppressed"]) == (None, None)


@pytest.fixture(scope="module")
def rows():
    """Every pair of a part (to 260) and its population (to 244), and missing ones: exact part, exact people, served row."""
    universe = [(part, people) for part in (*range(261), None) for people in (*range(245), None)]
    exact = [(i, 7, part, people) for i, (part, people) in enumerate(universe)]
    return [(*universe[row["area"]], row) for row in served(example(), exact)]


class TestNobodyCanCompute:
    """What the served rows of every possible pair of counts leave open."""

    def test_no_row_tells_apart_fewer_than_five_counts(self, rows):
        compatible_parts, compatible_people = defaultdict(set), defaultdict(set)
        for part, people, row in rows:
            seen = tuple(v for name, v in row.items() if name != "area")
            compatible_parts[seen].add(part)
            compatible_people[seen].add(people)
        for seen in compatible_parts:
            assert compatible_parts[seen] == {None} or len(compatible_parts[seen]) >= 5
            assert compatible_people[seen] == {None} or len(compatible_people[seen]) >= 5

    def test_a_part_below_the_minimum_stays_any_count_from_zero_to_nine(self, rows):
        candidates = defaultdict(set)
        for part, _, row in rows:
            candidates[tuple(v for name, v in row.items() if name != "area")].add(part)
        below = [found for seen, found in candidates.items() if seen[2] == "below_minimum"]
        assert below
        assert all(found == set(range(10)) for found in below)

    def test_every_served_count_is_a_multiple_of_ten_of_at_least_ten(self, rows):
        shown = {row[name] for _, _, row in rows for name in ("part", "people")} - {None}
        assert min(shown) == 10
        assert all(value % 10 == 0 for value in shown)

    def test_every_rate_follows_from_the_served_counts_alone(self, rows):
        for _, _, row in rows:
            if row["part"] is None or row["people"] is None:
                assert row["part_per_1000"] is None
            else:
                exact = Decimal(row["part"] * 1000) / Decimal(row["people"])
                assert row["part_per_1000"] == float(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))

    def test_a_missing_value_has_a_reason_exactly_when_it_was_suppressed(self, rows):
        for part, people, row in rows:
            assert (row["part_suppressed"] is None) == (part is None or row["part"] is not None)
            assert (row["people_suppressed"] is None) == (people is None or row["people"] is not None)


def test_rows_come_in_the_order_of_the_key_whatever_their_counts():
    rows = served(example(), [(3, 1, 11, 100), (1, 1, 99, 100), (2, 1, 14, 100)])
    assert [row["area"] for row in rows] == [1, 2, 3]


def test_served_columns_are_the_selected_columns_in_the_same_order_with_titles():
    contract = example()
    facts = served_columns(contract)
    assert list(facts) == list(served(contract, [(1, 1, 1, 1)])[0])
    assert all(column.title_nl and column.title_en for column in facts.values())
    assert facts["part_per_1000"].unit == "per 1 000"
    assert facts["part_per_1000"].personal_data == "statistic"
    assert [name for name in facts if is_protected(contract, name)] == ["part", "people", "part_per_1000", "reports_per_100"]


def test_every_served_contract_can_be_protected_and_its_counts_of_people_are():
    contracts = [c for c in all_contracts().values() if c.__config__.metadata["groningen"].served]
    assert contracts
    for contract in contracts:
        assert protected_select(contract, "exact").startswith("SELECT")
        for name, facts in served_columns(contract).items():
            assert facts.personal_data == "none" or is_protected(contract, name)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"served": False}, "served=True"),
        ({"part": None}, "without protection"),
        ({"part_class": "pseudonym"}, "may not be served"),
        ({"part": Protection(minimum=0)}, "at least 1"),
        ({"part": Protection(minimum=14, round_to=10)}, "too few counts"),
        ({"part": Protection(minimum=3, round_to=10)}, "too few counts"),
        ({"part": Protection(population="nobody")}, "nobody: is no column of whole numbers"),
        ({"part": Protection(population="people"), "people": Protection(population="part")}, "part of itself"),
        ({"kind": float}, "part: is no column of whole numbers"),
        ({"rates": (replace(RATE, name="part_suppressed"),)}, "serving adds a column of this name"),
        ({"rates": (RATE, RATE)}, "serving adds a column of this name"),
    ],
)
def test_a_contract_that_cannot_be_served_safely_is_refused(change, problem):
    with pytest.raises(ContractError, match=problem):
        protected_select(example(**change), "exact")


@pytest.mark.parametrize(("rows", "shown"), [(0, None), (9, None), (10, 10), (1234, 1230)])
def test_a_number_of_rows_is_protected_where_rows_are_people(rows, shown):
    people, groups = example(part_class="pseudonym", part=None), example()
    with duckdb.connect() as con:
        assert con.execute(f"SELECT {protected_row_count(people, 'n')} FROM (SELECT {rows} AS n)").fetchone() == (shown,)
        assert con.execute(f"SELECT {protected_row_count(groups, 'n')} FROM (SELECT {rows} AS n)").fetchone() == (rows,)


def test_a_table_counts_people_as_soon_as_one_column_is_about_people():
    assert counts_people(example())
    assert not counts_people(all_contracts()["core.reference_districts"])


def test_what_goes_with_a_suppressed_count_says_nothing_of_itself():
    of_sum, of_share = Protection(5_000, 1_000, follows="people"), Protection(1, 1, follows="people")

    class Sums(Contract):
        """A sum of euros and a share that are about the people beside them."""

        area: int = column("Gebied", "Area")
        reports: int = column("Aandeel", "Share", nullable=True, personal_data="statistic", protection=of_share)
        part: int = column("Bedrag", "Amount", nullable=True, personal_data="statistic", protection=of_sum)
        people: int = column("Mensen", "People", nullable=True, personal_data="statistic", protection=Protection())

        class Config(Contract.Config):
            metadata = table(**FACTS)

    rows = served(Sums, [(1, None, None, 9), (2, 0, 0, 9), (3, 1, 4_999, 9), (4, 40, 90_000, 0)])
    said = (None, "count_suppressed", None, "count_suppressed", None, "below_minimum")
    assert {tuple(row.values())[1:] for row in rows} == {said}
    (row,) = served(Sums, [(1, None, 4_000, 12)])
    assert (row["part_suppressed"], row["reports"], row["reports_suppressed"]) == ("below_minimum", None, None)
