"""Signal rules and the random sample on the lake: planted truths over five seeds, what stops tasks, and what is never served."""

from datetime import UTC, date, datetime, timedelta

import pytest

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import columns_of, facts_of
from groningen_data.contracts.collective.random_sample_draws import RandomSampleDraws
from groningen_data.contracts.collective.signal_rule_results import SignalRuleResults
from groningen_data.contracts.welfare.signal_tasks import WelfareSignalTasks
from groningen_data.privacy.sample_key import key_file
from groningen_data.sample.statutory_signals import BASE_SHARE, FOUND
from groningen_data.serving.protect import protected_select
from groningen_data.settings import PROJECT
from groningen_data.signals.denied import why_denied
from groningen_data.signals.draws import problems_of_draw
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

SIGNALS, OUTCOMES, CASES = "core.welfare_statutory_signals", "core.welfare_signal_outcomes", "core.welfare_benefit_cases"
RESULTS, RULES, TASKS = "collective.signal_rule_results", "collective.signal_rules", "core.welfare_signal_tasks"
COMMITMENTS, LISTS, DRAWS = "collective.random_sample_commitments", "core.welfare_sample_cases", "collective.random_sample_draws"
TODAY = date(2026, 3, 16)
VEHICLE = (PROJECT / "data" / "reference" / "signal_rules" / "vehicle_1.toml").read_text(encoding="utf-8")


def on(lake: MemoryLake, day: date) -> None:
    """Let the lake's clock say another day."""
    lake.settings = lake.settings.model_copy(update={"as_of": datetime(day.year, day.month, day.day, 6, tzinfo=UTC)})


def signal(number: int, received_on: str = "2026-03-09", **more) -> dict:
    return {
        "signal_pseudonym": f"s{number:03}",
        "signal_type_code": "vehicle",
        "source_code": "vehicle_authority",
        "fact_on": date(2026, 2, 1),
        "received_on": date.fromisoformat(received_on),
        "case_pseudonym": f"c{number:03}",
        "is_already_known": False,
        "status_code": "open",
        **more,
    }


def outcomes(rule: str, checks: int, unlawful: int, checked_on: date = date(2026, 1, 15)) -> list[dict]:
    return [
        {
            "check_pseudonym": f"{rule}{n}",
            "rule_id": rule,
            "rule_version": 0 if rule == "random_sample" else 1,
            "checked_on": checked_on,
            "outcome_code": "fact_right_unlawful" if n < unlawful else "nothing_found",
        }
        for n in range(checks)
    ]


@pytest.fixture
def lake(tmp_path):
    return MemoryLake(sample_settings(tmp_path))


def made(lake: MemoryLake) -> list[tuple]:
    """The queue: signals in the order in which they are to be asked about."""
    for table in (RESULTS, RULES, TASKS):
        lake.make(table)
    return lake.ask(f"SELECT signal_pseudonym, rule_id FROM lake.{TASKS} ORDER BY queue_number")


class TestTasks:
    def test_come_first_in_first_out_with_the_fact_its_source_and_its_age(self, lake):
        lake.put(SIGNALS, [signal(1, "2026-03-10"), signal(2, "2026-03-01"), signal(3, "2026-03-10", fact_on=date(2024, 1, 1))])
        assert made(lake) == [("s002", "vehicle"), ("s001", "vehicle"), ("s003", "vehicle")]
        [row] = lake.ask(f"SELECT source_code, fact_on, fact_age_days, waiting_days FROM lake.{TASKS} WHERE queue_number = 1")
        assert row == ("vehicle_authority", date(2026, 2, 1), 43, 15)
        assert "RDW" in lake.one(f"SELECT reason_nl FROM lake.{TASKS} WHERE queue_number = 1")[0]

    def test_are_of_open_signals_that_a_rule_asks_for(self, lake):
        lake.put(
            SIGNALS, [signal(1, status_code="handled"), signal(2, is_already_known=True), signal(3, signal_type_code="assets")]
        )
        assert made(lake) == []

    def test_are_one_for_each_signal_though_two_rules_ask_for_it(self, lake, tmp_path):
        for name in ("first", "second"):
            (tmp_path / f"{name}.toml").write_text(VEHICLE.replace('id = "vehicle"', f'id = "{name}"'), encoding="utf-8")
        lake.settings = lake.settings.model_copy(update={"signal_rules": tmp_path})
        lake.put(SIGNALS, [signal(1)])
        assert made(lake) == [("s001", "first")]

    def test_stop_when_their_rule_finds_no_more_than_chance(self, lake):
        lake.put(SIGNALS, [signal(1)])
        lake.put(OUTCOMES, outcomes("random_sample", 300, 15))
        assert made(lake) == [("s001", "vehicle")]
        lake.put(OUTCOMES, outcomes("vehicle", 300, 18))
        assert made(lake) == []
        status = "SELECT status_code, suspended_on, status_reason FROM lake.collective.signal_rules WHERE rule_id = 'vehicle'"
        assert lake.one(status) == ("suspended", date(2026, 2, 1), "finds no more than chance does")

    def test_go_on_while_their_rule_finds_clearly_more(self, lake):
        lake.put(SIGNALS, [signal(1)])
        lake.put(OUTCOMES, [*outcomes("random_sample", 300, 15), *outcomes("vehicle", 300, 90)])
        assert made(lake) == [("s001", "vehicle")]
        assert lake.one(f"SELECT status_code FROM lake.{RULES} WHERE rule_id = 'vehicle'") == ("in_force",)

    @pytest.mark.parametrize(("status", "tasks"), [("open", 0), ("watched", 0), ("closed", 1)])
    def test_stop_while_an_incident_of_the_bias_audit_is_not_closed(self, lake, status, tasks):
        lake.put(SIGNALS, [signal(1)])
        incident = {"process_code": "vehicle", "process_kind": "rule", "status_code": status, "opened_on": date(2026, 2, 14)}
        lake.put("collective.bias_incidents", [incident])
        assert len(made(lake)) == tasks

    @pytest.mark.parametrize(
        ("day", "tasks"), [(date(2025, 5, 31), 0), (date(2025, 6, 1), 1), (date(2026, 5, 31), 1), (date(2026, 6, 1), 0)]
    )
    def test_stop_when_their_rule_is_not_in_force(self, lake, day, tasks):
        lake.put(SIGNALS, [signal(1, "2025-05-01", fact_on=date(2025, 4, 1))])
        on(lake, day)
        assert len(made(lake)) == tasks

    def test_never_come_from_a_rule_that_was_refused(self, lake, tmp_path):
        text = VEHICLE.replace("is_already_known = FALSE", "wijk = 'x'")
        (tmp_path / "vehicle_1.toml").write_text(text, encoding="utf-8")
        lake.settings = lake.settings.model_copy(update={"signal_rules": tmp_path})
        lake.put(SIGNALS, [signal(1)])
        assert made(lake) == []
        [(status, reason)] = lake.ask(f"SELECT status_code, status_reason FROM lake.{RULES}")
        assert status == "refused" and "proxies" in reason

    def test_have_no_score_no_rank_and_no_property_of_a_person(self):
        columns = set(columns_of(WelfareSignalTasks)) - {"signal_pseudonym", "case_pseudonym", "fact_age_days"}
        assert [c for c in columns if why_denied(c) or "rank" in c or "priority" in c or "chance" in c] == []
        assert {c for c in columns if c.startswith("queue")} == {"queue_number"}


def test_no_table_about_one_case_is_served():
    personal = {
        name for name, c in all_contracts().items() if any(f.personal_data == "pseudonym" for f in columns_of(c).values())
    }
    assert {SIGNALS, OUTCOMES, TASKS, LISTS} <= personal
    assert [name for name in personal if facts_of(all_contracts()[name]).served] == []


def test_few_outcomes_and_shares_of_them_are_not_served(lake):
    lake.put(OUTCOMES, [*outcomes("vehicle", 200, 9), *outcomes("random_sample", 204, 14)])
    lake.make(RESULTS)
    # The bounds are those of 10 in 200, as served, and not of 14 in 204.
    served = lake.ask(
        "SELECT DISTINCT checks_to_date, unlawful_to_date, unlawful_low_pct, unlawful_high_pct, chance_checks, chance_low_pct, "
        f"chance_high_pct FROM ({protected_select(SignalRuleResults, f'lake.{RESULTS}')}) WHERE rule_id = 'vehicle'"
    )
    assert served == [(200, None, None, None, 200, 2, 9)]


class TestSampleCity:
    @pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
    def test_one_rule_beats_chance_one_does_not_and_one_is_too_young(self, tmp_path, seed):
        settings = sample_settings(tmp_path, sample_seed=seed)
        write_payloads(settings, ("statutory signals",), [TODAY - timedelta(days=1)])
        lake = MemoryLake(settings)
        lake.read(settings, SIGNALS, OUTCOMES)
        queue = made(lake)
        status = dict(lake.ask(f"SELECT rule_id, status_code FROM lake.{RULES}"))
        assert status == {"income_started": "in_force", "vehicle": "suspended", "study_finance": "on_trial"}
        assert {rule for _, rule in queue} == {"income_started", "study_finance"}
        found = dict(
            lake.ask(
                f"SELECT rule_id, count(*) FILTER (outcome_code = 'fact_right_unlawful') / count(*) FROM lake.{OUTCOMES} "
                "GROUP BY rule_id"
            )
        )
        # Four standard errors: 400 to 900 checks each.
        assert found["income_started"] == pytest.approx(FOUND["income_started"].unlawful_share, abs=0.09)
        assert found["random_sample"] == pytest.approx(BASE_SHARE, abs=0.03)
        [share] = lake.one(
            f"SELECT avg((rule_id = 'random_sample')::INTEGER) FROM lake.{OUTCOMES} WHERE checked_on >= '2025-12-15'"
        )
        assert share >= 0.2


def eligible(count: int, **more) -> list[dict]:
    row = {"benefit_code": "social_assistance", "started_on": date(2024, 1, 1), "ended_on": None}
    return [{"case_pseudonym": f"c{n:04}", **row, **more} for n in range(count)]


def night(lake: MemoryLake, day: date) -> None:
    on(lake, day)
    for table in (COMMITMENTS, LISTS, DRAWS):
        lake.make(table)


class TestRandomSample:
    def test_is_committed_to_before_it_is_drawn_and_its_seed_is_told_when_the_month_is_over(self, lake):
        lake.put(CASES, eligible(300))
        log = f"SELECT month_on, status_code, committed_on, drawn_on, seed IS NOT NULL FROM lake.{DRAWS} ORDER BY 1"
        march, april, may = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
        night(lake, TODAY)
        assert lake.ask(log) == [(march, "committed", TODAY, None, False), (april, "committed", TODAY, None, False)]
        night(lake, date(2026, 3, 17))
        assert lake.ask(log)[0] == (march, "drawn", TODAY, date(2026, 3, 17), False)
        night(lake, date(2026, 4, 2))
        assert lake.ask(log) == [
            (march, "revealed", TODAY, date(2026, 3, 17), True),
            (april, "drawn", TODAY, date(2026, 4, 2), False),
            (may, "committed", date(2026, 4, 2), None, False),
        ]

    def test_can_be_drawn_again_by_whoever_has_the_list(self, lake):
        lake.put(CASES, eligible(300))
        for day in (TODAY, date(2026, 3, 17), date(2026, 4, 2)):
            night(lake, day)
        commitment, seed, listed = lake.one(
            f"SELECT commitment_sha256, seed, list_sha256 FROM lake.{DRAWS} WHERE seed IS NOT NULL"
        )
        everybody = [c for (c,) in lake.ask(f"SELECT case_pseudonym FROM lake.{LISTS} WHERE month_on = '2026-03-01'")]
        chosen = [c for (c,) in lake.ask(f"SELECT case_pseudonym FROM lake.{LISTS} WHERE month_on = '2026-03-01' AND is_drawn")]
        assert (len(everybody), len(chosen)) == (300, 30)
        assert problems_of_draw(commitment, seed, everybody, listed, chosen) == []

    def test_stands_once_it_was_drawn_whatever_is_delivered_later(self, lake):
        lake.put(CASES, eligible(300))
        night(lake, TODAY)
        night(lake, date(2026, 3, 17))
        before = lake.ask(f"FROM lake.{LISTS} ORDER BY ALL")
        lake.con.execute(f"TRUNCATE lake.{CASES}")
        lake.put(CASES, eligible(100))
        night(lake, date(2026, 3, 18))
        assert lake.ask(f"FROM lake.{LISTS} ORDER BY ALL") == before

    def test_is_of_cases_that_run_and_are_paid_every_month(self, lake):
        lake.put(CASES, eligible(20))
        lake.put(
            CASES,
            [
                {**row, "case_pseudonym": f"x{n}"}
                for n, row in enumerate(
                    eligible(1, ended_on=date(2026, 3, 17))
                    + eligible(1, started_on=date(2026, 3, 18))
                    + eligible(1, benefit_code="special_assistance")
                )
            ],
        )
        night(lake, TODAY)
        night(lake, date(2026, 3, 17))
        assert lake.one(f"SELECT count(*), count(*) FILTER (is_drawn), bool_or(case_pseudonym LIKE 'x%') FROM lake.{LISTS}") == (
            20,
            20,
            False,
        )

    def test_is_not_drawn_with_another_key_than_that_of_the_commitment(self, lake):
        lake.put(CASES, eligible(50))
        night(lake, TODAY)
        key_file(lake.settings).write_bytes(b"another key, of thirty-two bytes.")
        night(lake, date(2026, 3, 17))
        assert lake.ask(f"SELECT * FROM lake.{LISTS}") == []
        assert lake.ask(f"SELECT DISTINCT status_code FROM lake.{DRAWS}") == [("seed_lost",)]

    def test_that_was_forgotten_is_told(self, lake):
        lake.put(CASES, eligible(50))
        night(lake, TODAY)
        night(lake, date(2026, 4, 2))
        assert lake.one(f"SELECT status_code, seed IS NOT NULL FROM lake.{DRAWS} WHERE month_on = '2026-03-01'") == (
            "not_drawn",
            True,
        )

    def test_lists_are_gone_after_two_years_and_the_log_is_not(self, lake):
        lake.put(CASES, eligible(50))
        night(lake, TODAY)
        night(lake, date(2026, 3, 17))
        night(lake, date(2028, 3, 2))
        assert lake.ask(f"SELECT * FROM lake.{LISTS} WHERE month_on = '2026-03-01'") == []
        row = lake.one(
            f"SELECT status_code, drawn_on, drawn_cases, list_sha256 IS NOT NULL FROM lake.{DRAWS} WHERE month_on = '2026-03-01'"
        )
        assert row == ("revealed", date(2026, 3, 17), 30, True)

    def test_serves_no_case(self):
        assert [c for c, f in columns_of(RandomSampleDraws).items() if f.personal_data not in ("none", "statistic")] == []

    def test_key_is_for_its_owner_only(self, lake):
        lake.put(CASES, eligible(50))
        night(lake, TODAY)
        assert key_file(lake.settings).stat().st_mode & 0o077 == 0 and len(key_file(lake.settings).read_bytes()) >= 32
