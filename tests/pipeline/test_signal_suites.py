"""The suites of signals, outcomes, rules and the random sample: each expectation passes on the sample city, and fails for what it is there to find."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from assets import all_recipes
from groningen_data.gate.suite import BatchFacts
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

CASES, SIGNALS, OUTCOMES = "core.welfare_benefit_cases", "core.welfare_statutory_signals", "core.welfare_signal_outcomes"
RESULTS, RULES = "collective.signal_rule_results", "collective.signal_rules"
TASKS, COUNTS = "core.welfare_signal_tasks", "collective.signal_task_counts"
COMMITMENTS, LISTS, DRAWS = "collective.random_sample_commitments", "core.welfare_sample_cases", "collective.random_sample_draws"
TABLES = (SIGNALS, OUTCOMES, COMMITMENTS, LISTS, DRAWS, RESULTS, RULES, TASKS, COUNTS)
NIGHTS = (date(2026, 3, 16), date(2026, 3, 17), date(2026, 4, 2))
# Judged over the quarantine, which is tried where benefit cases are.
ELSEWHERE = {"numbers_are_valid", "no_stray_numbers"}
# What the sample city's planted outcomes make of them: three adverse decisions without hearing.
STANDING = {OUTCOMES: {"adverse_decisions_are_careful"}}

# Table, what is done to the batch, and the expectation that then fails.
BROKEN = [
    (SIGNALS, "DELETE FROM batch WHERE rowid % 5 < 3", "not_half_of_the_signals"),
    (SIGNALS, "UPDATE batch SET received_on = received_on + 60", "no_signal_of_the_future"),
    (SIGNALS, "UPDATE batch SET received_on = received_on - 60", "some_signals_are_recent"),
    (SIGNALS, "UPDATE batch SET person_pseudonym = reverse(person_pseudonym)", "signals_are_of_the_person_of_the_case"),
    (SIGNALS, "UPDATE batch SET case_pseudonym = reverse(case_pseudonym)", "cases_are_known"),
    (SIGNALS, "UPDATE batch SET signal_type_code = 'unlisted'", "words_are_listed"),
    (SIGNALS, "UPDATE batch SET status_code = 'open'", "no_signal_waits_for_a_year"),
    (OUTCOMES, "DELETE FROM batch WHERE rowid % 5 < 3", "not_half_of_the_outcomes"),
    (OUTCOMES, "UPDATE batch SET checked_on = checked_on + 60", "no_outcome_of_the_future"),
    (OUTCOMES, "UPDATE batch SET is_adverse = true", "only_unlawful_payments_lead_to_adverse_decisions"),
    (OUTCOMES, "DELETE FROM batch WHERE outcome_code = 'fact_wrong'", "wrong_facts_are_noticed"),
    (OUTCOMES, "DELETE FROM batch WHERE rule_id = 'random_sample' AND rowid % 2 = 0", "chance_gets_its_share"),
    (OUTCOMES, "UPDATE batch SET checked_on = checked_on + 150, rule_id = 'random_sample'", "sample_was_drawn"),
    (OUTCOMES, "UPDATE batch SET outcome_code = 'unlisted'", "words_are_listed"),
    (COMMITMENTS, "UPDATE batch SET committed_on = committed_on + 1", "what_was_committed_to_stands"),
    (COMMITMENTS, "DELETE FROM batch WHERE month_on = '2026-03-01'", "what_was_committed_to_stands"),
    (COMMITMENTS, "UPDATE batch SET commitment_sha256 = sha256('a')", "months_have_seeds_of_their_own"),
    (LISTS, "UPDATE batch SET is_drawn = NOT is_drawn", "what_was_drawn_stands"),
    (LISTS, "UPDATE batch SET planned_checks = 151", "chance_gets_its_share"),
    (LISTS, "UPDATE batch SET drawn_on = drawn_on + 40", "a_month_is_drawn_in_one_go"),
    (LISTS, "UPDATE batch SET drawn_on = DATE '2026-03-16'", "chance_followed_a_commitment"),
    (DRAWS, "UPDATE batch SET seed = sha256('a') WHERE status_code = 'drawn'", "no_seed_is_told_too_early"),
    (DRAWS, "UPDATE batch SET seed = sha256('a') WHERE status_code = 'revealed'", "no_seed_is_told_too_early"),
    (DRAWS, "UPDATE batch SET list_sha256 = sha256('a') WHERE drawn_on IS NOT NULL", "what_was_logged_stands"),
    (DRAWS, "UPDATE batch SET status_code = 'seed_lost'", "every_month_is_drawn"),
    (RESULTS, "UPDATE batch SET checks = checks + 1", "every_outcome_is_counted"),
    (RESULTS, "UPDATE batch SET is_suspended = month_on < '2026-02-15'", "a_suspended_version_stays_suspended"),
    (RESULTS, "UPDATE batch SET verdict_code = 'beats_chance'", "a_rule_that_beats_chance_finds_more"),
    (RESULTS, "UPDATE batch SET verdict_code = 'no_better_than_chance'", "most_rules_beat_chance"),
    (RULES, "UPDATE batch SET status_code = 'refused'", "no_rule_is_refused"),
    (RULES, "UPDATE batch SET rule_id = upper(rule_id)", "every_incident_is_about_a_rule_that_is_known"),
    (RULES, "UPDATE batch SET dpia = NULL", "every_active_rule_has_its_papers"),
    (RULES, "UPDATE batch SET valid_to = valid_to + 30", "every_active_rule_has_its_papers"),
    (TASKS, "UPDATE batch SET queue_number = 1000 - queue_number", "first_in_first_out"),
    (TASKS, "UPDATE batch SET queue_number = queue_number + 1", "numbers_follow_each_other"),
    (TASKS, "UPDATE batch SET rule_id = 'vehicle'", "only_rules_in_force_make_tasks"),
    (TASKS, "UPDATE batch SET waiting_days = 57", "people_are_asked_in_time"),
    (COUNTS, "DELETE FROM batch WHERE rule_id = 'study_finance'", "every_task_is_counted"),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLake]:
    settings = sample_settings(tmp_path_factory.mktemp("city"))
    write_payloads(settings, ("welfare", "statutory signals"), [date(2026, 3, 15)])
    lake = MemoryLake(settings)
    lake.read(settings, CASES, SIGNALS, OUTCOMES)
    for night in NIGHTS:
        lake.settings = settings.model_copy(update={"as_of": datetime(night.year, night.month, night.day, 6, tzinfo=UTC)})
        for table in (COMMITMENTS, LISTS, DRAWS):
            lake.make(table)
    incident = {"process_code": "vehicle", "process_kind": "rule", "status_code": "open", "opened_on": date(2026, 2, 14)}
    lake.put("collective.bias_incidents", [incident])
    for table in (RESULTS, RULES, TASKS, COUNTS):
        lake.make(table)
    yield lake
    lake.con.close()


def failing(lake: MemoryLake, table: str, change: str | None = None) -> set[str]:
    """The expectations that a batch of the table does not meet, after a change."""
    lake.con.execute(f"CREATE OR REPLACE TEMP TABLE batch AS FROM lake.{table}")
    if change:
        lake.con.execute(change)
    facts = BatchFacts("snapshot", None, lake.one("SELECT count(*) FROM batch")[0], (), lake.settings.now(), "GM0014")
    failed = set()
    for expectation in all_recipes()[table].suite:
        kwargs = dict(expectation.arguments(facts) or {})
        if expectation.name in ELSEWHERE:
            continue
        if expectation.type == "unexpected_rows_expectation":
            is_met = not lake.ask(kwargs["unexpected_rows_query"].format(batch="(SELECT * FROM batch)"))
        else:
            assert expectation.type == "expect_column_max_to_be_between"
            [latest] = lake.one(f"SELECT max({kwargs['column']})::VARCHAR FROM batch")
            is_met = kwargs.get("min_value", latest) <= latest <= kwargs.get("max_value", latest)
        if not is_met:
            failed.add(expectation.name)
    return failed


@pytest.mark.parametrize("table", TABLES)
def test_the_sample_city_meets_every_expectation_but_that_everybody_is_heard(lake, table):
    assert failing(lake, table) == STANDING.get(table, set())


@pytest.mark.parametrize(("table", "change", "expected"), BROKEN, ids=[f"{t}: {c[:60]}" for t, c, _ in BROKEN])
def test_each_expectation_finds_what_it_is_there_for(lake, table, change, expected):
    found = failing(lake, table, change)
    assert expected in found
    assert len(found - STANDING.get(table, set())) <= 3


def test_every_expectation_has_been_seen_to_fail():
    seen = {name for _, _, name in BROKEN} | {name for names in STANDING.values() for name in names}
    assert {e.name for table in TABLES for e in all_recipes()[table].suite} - ELSEWHERE == seen
