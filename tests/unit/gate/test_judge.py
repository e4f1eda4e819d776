"""Row by row against a made-up contract that has every kind of rule."""

import random
from datetime import UTC, date, datetime
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from groningen_data.contracts.base import Contract, column, polars_schema, rules_of, table
from groningen_data.errors import PayloadError
from groningen_data.gate.judge import ORIGINAL, PROBLEMS, judge

FACTS: dict[str, Any] = {
    "name": "core.waste_weighings",
    "title_nl": "Wegingen",
    "title_en": "Weighings",
    "grain": "one weighing",
    "owner": "Stadsbeheer",
    "purpose": "Test",
    "legal_basis": "made up",
    "classification": "internal",
    "reason_not_public": "made up",
    "retention": "none",
    "freshness_days": 1,
    "load_mode": "snapshot",
}


class Weighings(Contract):
    """Weighings, made up."""

    person_id: str = column("Persoon", "Person", personal_data="pseudonym")
    container_id: str = column("Container", "Container", str_matches=r"^C\d{2}$")
    kind: str = column("Soort", "Kind", isin=["paper", "glass"], nullable=True)
    weighed_at: pl.Datetime(time_unit="us", time_zone="UTC") = column("Gewogen op", "Weighed at")  # type: ignore[valid-type]
    weighed_on: pl.Date = column("Gewogen", "Weighed on")
    empty_kg: float = column("Leeg", "Empty weight", ge=0, nullable=True)
    full_kg: float = column("Vol", "Full weight", ge=0, nullable=True)
    weighings: int = column("Aantal", "Number", in_range={"min_value": 1, "max_value": 9})
    is_test: bool = column("Proef", "Test")

    @pa.check("container_id")
    @classmethod
    def is_not_retired(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key) != "C99")

    @pa.dataframe_check
    @classmethod
    def full_is_heavier(cls, data: Any) -> pl.LazyFrame:
        """A full container is heavier than an empty one."""
        return data.lazyframe.select((pl.col("full_kg") >= pl.col("empty_kg")).fill_null(True))

    @pa.dataframe_check(name="glass_is_heavy", error="glass under (1) kg")
    @classmethod
    def _glass(cls, data: Any) -> pl.LazyFrame:
        return data.lazyframe.select((pl.col("kind").ne_missing("glass") | (pl.col("full_kg") >= 1)).fill_null(True))

    class Config(Contract.Config):
        metadata = table(key=("person_id", "container_id", "weighings"), **FACTS)


GOOD: dict[str, Any] = {
    "person_id": "f00d",
    "container_id": "C01",
    "kind": "paper",
    "weighed_at": "2026-03-02T10:00:00+01:00",
    "weighed_on": "2026-03-02",
    "empty_kg": "1.5",
    "full_kg": "20",
    "weighings": "1",
    "is_test": "false",
}

BROKEN = [
    ({"person_id": None}, "person_id.required"),
    ({"container_id": "X1"}, "container_id.str_matches"),
    ({"container_id": "C99"}, "container_id.is_not_retired"),
    ({"kind": "tin"}, "kind.isin"),
    ({"weighed_at": "2026-03-02T10:00:00"}, "weighed_at.type"),
    ({"weighed_at": "yesterday"}, "weighed_at.type"),
    ({"weighed_at": None}, "weighed_at.required"),
    ({"weighed_on": "02-03-2026"}, "weighed_on.type"),
    ({"weighed_on": "2026-02-30"}, "weighed_on.type"),
    ({"empty_kg": "1,5"}, "empty_kg.type"),
    ({"empty_kg": "nan"}, "empty_kg.type"),
    ({"empty_kg": "-inf"}, "empty_kg.type"),
    ({"empty_kg": "-1"}, "empty_kg.greater_than_or_equal_to"),
    ({"full_kg": "1"}, "row.full_is_heavier"),
    ({"kind": "glass", "empty_kg": "0", "full_kg": "0.5"}, "row.glass_is_heavy"),
    ({"weighings": "1.5"}, "weighings.type"),
    ({"weighings": "10"}, "weighings.in_range"),
    ({"weighings": "99999999999999999999"}, "weighings.type"),
    ({"is_test": "perhaps"}, "is_test.type"),
    ({"is_test": None}, "is_test.required"),
]


def text(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows as a parser gives them: all text."""
    return pl.DataFrame([GOOD | row for row in rows], schema=dict.fromkeys(GOOD, pl.String))


def test_a_good_row_is_accepted_with_the_contracts_types():
    judged = judge(Weighings, text({}))
    assert judged.accepted.schema == polars_schema(Weighings)
    assert judged.quarantined.is_empty()
    assert judged.accepted.row(0, named=True) == {
        **{name: GOOD[name] for name in ("person_id", "container_id", "kind")},
        "weighed_at": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "weighed_on": date(2026, 3, 2),
        "empty_kg": 1.5,
        "full_kg": 20.0,
        "weighings": 1,
        "is_test": False,
    }


@pytest.mark.parametrize(("change", "rule"), BROKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_a_row_that_breaks_one_rule_is_quarantined_for_that_rule_alone(change, rule):
    judged = judge(Weighings, text({}, change, {}))
    assert judged.accepted.height == 2
    assert judged.quarantined.select("row_number", "rules").rows() == [(1, [rule])]


def test_every_rule_of_the_contract_has_a_sentence_and_the_ids_that_rows_break_are_among_them():
    rules = {rule.id: rule.sentence for rule in rules_of(Weighings)}
    assert {rule for _, rule in BROKEN} <= set(rules)
    assert all(rules.values())
    assert rules["row.full_is_heavier"] == "A full container is heavier than an empty one."
    assert rules["kind.isin"] == "kind: one of paper, glass"
    assert rules["weighings.in_range"] == "number: between 1 and 9"


def test_a_row_that_breaks_several_rules_is_quarantined_once_and_names_them_all():
    judged = judge(Weighings, text({"container_id": "X99", "kind": "tin", "empty_kg": "-2", "full_kg": "-3"}))
    (rules,) = judged.quarantined["rules"].to_list()
    assert rules == [
        "container_id.str_matches",
        "empty_kg.greater_than_or_equal_to",
        "full_kg.greater_than_or_equal_to",
        "kind.isin",
        "row.full_is_heavier",
    ]


@pytest.mark.parametrize(
    ("delivered", "hour"),
    [
        ("2026-03-02T10:00:00Z", 10),
        ("2026-03-02T10:00:00z", 10),
        ("2026-03-02T10:00:00+02:00", 8),
        (" 2026-03-02T10:00:00.000+0100 ", 9),
        ("2026-03-02 10:00:00-01:00", 11),
    ],
)
def test_an_instant_keeps_its_meaning_whatever_its_offset(delivered, hour):
    judged = judge(Weighings, text({"weighed_at": "2026-03-02T10:00:00+01:00"}, {"weighed_at": delivered}))
    assert judged.accepted["weighed_at"].to_list()[1] == datetime(2026, 3, 2, hour, tzinfo=UTC)


def test_what_a_date_means_does_not_depend_on_the_rows_before_it():
    odd = {"weighed_on": "01/02/2026"}
    assert judge(Weighings, text(odd, {})).accepted.height == 1
    assert judge(Weighings, text({}, odd)).accepted.height == 1


@pytest.mark.parametrize(("delivered", "expected"), [("TRUE", True), (" true ", True), ("False", False), ("1", None), ("", None)])
def test_only_true_and_false_are_booleans(delivered, expected):
    judged = judge(Weighings, text({"is_test": delivered}))
    assert judged.accepted["is_test"].to_list() == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("name", "values", "kept"),
    [
        ("weighings", [1.0, 1.5, float("nan"), float("inf"), 1e30], [1]),
        ("weighings", [True, False], [1]),
        ("is_test", [0, 1, 2, -1], [False, True]),
        ("weighed_on", [20_000], []),
        ("weighed_at", [1_772_445_600], []),
        ("weighed_on", [datetime(2026, 3, 2, 23)], [date(2026, 3, 2)]),
        ("empty_kg", [1, 2], [1.0, 2.0]),
        ("empty_kg", [float("nan"), float("inf"), 0.5, None], [0.5, None]),
    ],
)
def test_typed_values_are_cast_only_where_nothing_is_lost(name, values, kept):
    frame = text(*[{}] * len(values)).with_columns(pl.Series(name, values))
    assert judge(Weighings, frame).accepted[name].to_list() == kept


def test_text_that_is_blank_is_no_number_and_a_missing_one_is_allowed_where_the_contract_allows_it():
    judged = judge(Weighings, text({"empty_kg": ""}, {"empty_kg": None}))
    assert (judged.accepted.height, judged.quarantined["rules"].to_list()) == (1, [["empty_kg.type"]])


def test_problems_that_the_parser_found_quarantine_a_row_with_what_the_contract_finds_in_others():
    frame = text({}, {}, {"kind": "tin"}).with_columns(
        pl.Series(PROBLEMS, [[], ["row.type", "kind.isin"], None], dtype=pl.List(pl.String)),
        pl.Series(ORIGINAL, [None, '{"as": "delivered"}', None], dtype=pl.String),
    )
    judged = judge(Weighings, frame)
    assert judged.accepted.height == 1
    assert judged.quarantined["rules"].to_list() == [["kind.isin", "row.type"], ["kind.isin"]]
    assert judged.quarantined["original"].to_list()[0] == '{"as": "delivered"}'
    assert '"kind": "tin"' in judged.quarantined["original"].to_list()[1]


def test_no_column_that_identifies_a_person_is_in_the_key_that_people_see():
    judged = judge(Weighings, text({"kind": "tin"}))
    assert judged.quarantined["row_key"].to_list() == ["container_id=C01, weighings=1"]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (text({}).drop("kind", "is_test"), "columns missing: is_test, kind$"),
        (text({}).with_columns(colour=pl.lit("red")), "unknown columns: colour$"),
        (text({}).rename({"kind": "sort"}), "columns missing: kind; unknown columns: sort$"),
    ],
)
def test_missing_and_unknown_columns_refuse_the_batch_and_are_named(frame, told):
    with pytest.raises(PayloadError) as caught:
        judge(Weighings, frame)
    assert caught.value.dataset == "core.waste_weighings"
    assert pl.Series([caught.value.problem]).str.contains(told).all()


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, b"\xff"], ids=["list", "struct", "bytes"])
def test_a_column_of_another_kind_refuses_the_batch_without_showing_values(value):
    with pytest.raises(PayloadError, match="cannot become Int64") as caught:
        judge(Weighings, text({}).with_columns(pl.Series("weighings", [value])))
    assert caught.value.dataset == "weighings"


def test_an_empty_frame_is_judged_to_be_empty():
    judged = judge(Weighings, text())
    assert (judged.accepted.height, judged.quarantined.height) == (0, 0)
    assert judged.accepted.schema == polars_schema(Weighings)


def test_random_rows_are_accepted_or_quarantined_and_accepted_ones_meet_the_contract():
    chance = random.Random(14)
    values: dict[str, list[Any]] = {name: [good] for name, good in GOOD.items()}
    for change, _ in BROKEN:
        for name, value in change.items():
            values[name].append(value)
    values["kind"] += [None, "glass"]
    values["full_kg"] += [None, "1e2", "inf", "x"]
    for _ in range(30):
        # Mostly good values, or no row would be accepted.
        rows = [
            {name: chance.choice(several) if chance.random() < 0.12 else several[0] for name, several in values.items()}
            for _ in range(chance.randrange(0, 60))
        ]
        judged = judge(Weighings, text(*rows))
        assert judged.accepted.height + judged.quarantined.height == len(rows)
        assert judged.quarantined["row_number"].is_unique().all()
        assert [meets(row) for row in judged.accepted.rows(named=True)] == [True] * judged.accepted.height
        Weighings.validate(judged.accepted, lazy=True)
        bad = judged.quarantined["row_number"].to_list()
        kept = [row for number, row in enumerate(rows) if number not in bad]
        assert [row["container_id"] for row in kept] == judged.accepted["container_id"].to_list()
        assert all(rules for rules in judged.quarantined["rules"].to_list())


def meets(row: dict[str, Any]) -> bool:
    """The contract once more, in plain Python."""
    full, empty = row["full_kg"], row["empty_kg"]
    return (
        all(row[name] is not None for name in GOOD if name not in ("kind", "empty_kg", "full_kg"))
        and row["container_id"][0] == "C"
        and row["container_id"] != "C99"
        and row["kind"] in ("paper", "glass", None)
        and all(value is None or 0 <= value < float("inf") for value in (full, empty))
        and (full is None or empty is None or full >= empty)
        and (row["kind"] != "glass" or full is None or full >= 1)
        and 1 <= row["weighings"] <= 9
    )
