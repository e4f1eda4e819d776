"""The suites of the bias audit and of help first: each expectation passes on the sample city, and fails for what it is there to find."""

from collections.abc import Iterator
from datetime import date

import pytest

from assets import all_recipes
from groningen_data.gate.recipe import Recipe
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

COUNTS, AUDIT, INCIDENTS = "core.welfare_audit_counts", "collective.bias_audit", "collective.bias_incidents"
FUNNEL, GAP = "collective.help_first_funnel", "collective.help_first_gap"
TABLES = (COUNTS, AUDIT, INCIDENTS, FUNNEL, GAP)
PERIOD = "period_code = '2025HJ02'"
# What the sample city's planted bias makes of the incidents.
STANDING = {INCIDENTS: {"people_do_not_select_with_bias"}}

# Table, what is done to the batch, and the expectations that then fail.
BROKEN = [
    (COUNTS, "UPDATE batch SET is_reference = false WHERE group_code = 'man'", {"each_characteristic_has_one_reference_group"}),
    (
        COUNTS,
        "DELETE FROM batch WHERE group_code = 'vrouw' AND process_code = 'vehicle'",
        {"there_is_a_group_to_compare", "characteristics_count_the_same_people"},
    ),
    (
        COUNTS,
        "UPDATE batch SET selected = NULL WHERE group_code = 'vrouw' AND process_code = 'vehicle'",
        {"no_withheld_selection_can_be_worked_out"},
    ),
    (
        COUNTS,
        "UPDATE batch SET wrongly_selected = NULL WHERE group_code = 'vrouw' AND process_kind = 'human_selection'",
        {"no_withheld_wrong_selection_can_be_worked_out"},
    ),
    (COUNTS, "UPDATE batch SET released_on = DATE '2025-12-31'", {"released_after_the_period"}),
    (COUNTS, "UPDATE batch SET released_on = DATE '2026-03-01' WHERE process_code = 'vehicle'", {"released_together"}),
    (COUNTS, "DELETE FROM batch WHERE process_kind = 'random_sample'", {"people_and_chance_are_audited_as_well"}),
    (COUNTS, "UPDATE batch SET population = 100 WHERE group_code = 'man'", {"characteristics_count_the_same_people"}),
    (COUNTS, "UPDATE batch SET selected = NULL", {"most_counts_are_released"}),
    (AUDIT, "DELETE FROM batch WHERE group_code = 'vrouw'", {"every_group_is_audited"}),
    (AUDIT, "UPDATE batch SET is_breach = false", {"verdicts_follow_from_intervals"}),
    (AUDIT, "UPDATE batch SET ratio_lower = NULL", {"judged_ratios_have_intervals"}),
    (
        AUDIT,
        "UPDATE batch SET verdict_code = 'withheld', is_breach = false, ratio = NULL, ratio_lower = NULL, ratio_upper = NULL "
        "WHERE measure_code = 'selection' AND group_code <> 'vrouw' OR verdict_code <> 'not_judged' AND group_code = 'europa'",
        {"most_groups_can_be_judged"},
    ),
    (INCIDENTS, "DELETE FROM batch WHERE measure_code = 'selection'", {"every_breach_has_an_incident"}),
    (INCIDENTS, "UPDATE batch SET status_code = 'closed'", {"closed_means_closed_on"}),
    (INCIDENTS, "UPDATE batch SET process_kind = 'rule'", {"no_rule_is_biased"}),
    (INCIDENTS, "UPDATE batch SET process_kind = 'random_sample'", {"the_sample_is_not_biased"}),
    (FUNNEL, "UPDATE batch SET reached_households = households + 1", {"stages_follow_each_other"}),
    (
        FUNNEL,
        "UPDATE batch SET households = households + 1 WHERE level_code = 'partner'",
        {"every_household_of_a_partner_counts"},
    ),
    (FUNNEL, "UPDATE batch SET neighbourhood_code = 'BU00149999'", {"neighbourhoods_are_known"}),
    (FUNNEL, "UPDATE batch SET open_households = households", {"old_signals_are_no_longer_open"}),
    (GAP, "DELETE FROM batch WHERE neighbourhood_code = 'BU00140000'", {"every_neighbourhood_once"}),
    (GAP, "UPDATE batch SET low_income_reason = 'withheld'", {"missing_values_say_why"}),
    (GAP, "UPDATE batch SET low_income_households = households + 1", {"no_more_low_incomes_than_households"}),
    (GAP, "UPDATE batch SET year = year - 2", {"figures_are_of_the_same_time"}),
    (
        GAP,
        "UPDATE batch SET unassisted_households = NULL, recipients = NULL, recipients_reason = 'withheld'",
        {"some_neighbourhoods_can_be_told_of"},
    ),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    settings = sample_settings(tmp_path_factory.mktemp("city"))
    write_payloads(settings, ("audit counts", "welfare", "key figures", "recipients", "geography"), [date(2026, 3, 15)])
    lake = MemoryLake(settings)
    core = (
        "core.reference_neighbourhoods",
        "core.reference_key_figures",
        "core.welfare_recipients",
        "core.welfare_early_signals",
    )
    lake.read(settings, *core, COUNTS)
    for table in TABLES[1:]:
        lake.make(table)
    yield lake
    lake.con.close()


def failing(lake: MemoryLake, recipe: Recipe, change: str | None = None) -> set[str]:
    """The expectations that a batch of the table does not meet, after a change."""
    name = recipe.facts.name
    lake.con.execute(f"CREATE OR REPLACE TEMP TABLE batch AS FROM lake.{name} {f'WHERE {PERIOD}' if name == COUNTS else ''}")
    if change:
        lake.con.execute(change)
    failed = set()
    for expectation in recipe.suite:
        if expectation.type == "unexpected_rows_expectation":
            query = dict(expectation.kwargs)["unexpected_rows_query"].format(batch="(SELECT * FROM batch)")
            if lake.ask(query):
                failed.add(expectation.name)
        else:
            assert expectation.type == "expect_column_unique_value_count_to_be_between"
            kwargs = dict(expectation.kwargs)
            [values] = lake.one(f"SELECT count(DISTINCT {kwargs['column']}) FROM batch")
            if not kwargs["min_value"] <= values <= kwargs["max_value"]:
                failed.add(expectation.name)
    return failed


@pytest.mark.parametrize("table", TABLES)
def test_the_sample_city_meets_every_expectation_but_that_people_select_without_bias(lake, table):
    assert failing(lake, all_recipes()[table]) == STANDING.get(table, set())


@pytest.mark.parametrize(("table", "change", "expected"), BROKEN, ids=[f"{t}: {c[:50]}" for t, c, _ in BROKEN])
def test_each_expectation_finds_what_it_is_there_for(lake, table, change, expected):
    found = failing(lake, all_recipes()[table], change)
    assert expected <= found
    assert len(found - STANDING.get(table, set())) <= 3


def test_every_expectation_has_been_seen_to_fail():
    seen = {name for _, _, expected in BROKEN for name in expected} | {name for names in STANDING.values() for name in names}
    assert {e.name for table in TABLES for e in all_recipes()[table].suite} == seen
