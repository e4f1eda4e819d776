"""The SQL in the documents runs on the sample city, and finds what the city has planted: one test per truth and per question.

Exact where the city plants a number, otherwise within what chance leaves.
"""

import re
import shlex
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import correlation

import duckdb
import pytest
from typer.testing import CliRunner

from groningen_data.cli import app
from groningen_data.lakehouse import Lakehouse
from groningen_data.sample.traffic_world import MATCH_SITES
from groningen_data.serving.query import query
from groningen_data.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def blocks(document: str) -> list[str]:
    return re.findall(r"```sql\n(.*?)```", (DOCS / document).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("analysts.md"))))
def test_every_question_of_the_analyst_guide_has_an_answer(sample_lake: Settings, number: int):
    result = query(sample_lake, blocks("analysts.md")[number])
    assert result.columns
    assert list(result.rows)


def questions_of_analysts() -> dict[int, tuple[str, list[str]]]:
    """The query and the arguments of `groningen` of each numbered question."""
    found = {}
    for section in re.split(r"^### ", (DOCS / "analysts.md").read_text(encoding="utf-8"), flags=re.MULTILINE):
        form = r"(\d+)\. .*?```sql\n(.*?)```\n\n```\ngroningen (chart .*?-o question-\1 .*?) < question-\1\.sql\n```"
        if question := re.match(form, section, re.DOTALL):
            found[int(question[1])] = question[2], shlex.split(question[3])
    return found


QUESTIONS = questions_of_analysts()


def test_the_analyst_guide_has_ten_questions():
    assert list(QUESTIONS) == list(range(1, 11))


@pytest.mark.parametrize("number", QUESTIONS)
def test_the_chart_of_each_question_of_analysts_is_drawn_as_documented(sample_lake, number, tmp_path, monkeypatch):
    sql, arguments = QUESTIONS[number]
    monkeypatch.setenv("GRONINGEN_DATA_DIR", str(sample_lake.data_dir))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments, input=sql)
    assert result.exit_code == 0, result.output
    assert (tmp_path / f"question-{number}.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    page = (tmp_path / f"question-{number}.html").read_text(encoding="utf-8")
    outside_the_library = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert "default-src 'none'" in page
    assert not re.search(r"https?://", outside_the_library)


@pytest.fixture(scope="module")
def answers(sample_lake: Settings) -> dict[int, list[tuple]]:
    """The answers to the numbered questions of the analyst guide."""
    return {number: list(query(sample_lake, sql).rows) for number, (sql, _) in QUESTIONS.items()}


def test_analysts_see_where_containers_overflow_and_that_the_market_is_something_else(answers):
    overfull = sorted(answers[1], key=lambda row: -row[1])
    assert {name for name, *_ in overfull[:4]} == {"De Wijert-Zuid", "Indische buurt", "Selwerd", "Vinkhuizen-Noord"}
    assert overfull[3][1] > 2 * overfull[4][1]
    assert max(answers[1], key=lambda row: row[2])[0] == "Binnenstad-Noord"


def test_analysts_see_what_a_skipped_round_does(answers):
    hours = {day: overfull for day, _, overfull, _ in answers[2]}
    reports = {day: count for day, *_, count in answers[2]}
    assert {day: emptyings for day, emptyings, *_ in answers[2]}[date(2026, 3, 9)] == 0
    assert hours[date(2026, 3, 3)] is None
    assert max((n, day) for day, n in hours.items() if n is not None)[1] == date(2026, 3, 11)
    assert hours[date(2026, 3, 13)] == 0
    assert sum(n for day, n in reports.items() if day >= date(2026, 3, 9)) > sum(
        n for day, n in reports.items() if day < date(2026, 3, 9)
    )


def test_analysts_see_no_relation_between_waste_and_social_assistance(answers):
    known = [(share, kg) for _, share, kg in answers[3] if share is not None and kg is not None]
    assert len(known) > 40
    assert abs(correlation(*zip(*known, strict=True))) < 0.15


def test_analysts_see_fewest_cyclists_in_wet_february_and_as_many_cars(answers):
    months, cyclists, cars, temperature, rain = zip(*answers[4], strict=True)
    assert [m.month for m in months] == [1, 2, 3]
    assert cyclists[1] < cyclists[0] < cyclists[2]
    assert max(cars) / min(cars) < 1.05
    assert temperature[2] == max(temperature) and rain[1] == max(rain)


def test_analysts_see_early_signals_of_a_few_neighbourhoods_only(answers):
    shown = [(signals, name) for name, _, signals in answers[5] if signals is not None]
    assert len(answers[5]) - len(shown) == 132
    assert max(shown)[1] == "Vinkhuizen-Zuid"


def test_analysts_see_a_closure_and_that_emptying_goes_on(answers):
    closed = [row for row in answers[6] if date(2026, 2, 16) <= row[0] <= date(2026, 2, 20)]
    assert len(closed) == 5
    for _, flow, around, emptyings in closed:
        assert flow == 0 and around == pytest.approx(1.25, abs=0.06) and emptyings >= 15
    assert all(
        flow > 1.1 and around < 0.96 for day, flow, around, _ in answers[6] if date(2026, 2, 23) <= day <= date(2026, 2, 27)
    )


def test_analysts_see_the_overflow_of_monday_and_its_reports(answers):
    worst = {name: max((s, day) for n, day, s, _ in answers[7] if n == name)[1] for name, *_ in answers[7]}
    assert worst == {"Oud-Noord": 1, "Noordwest": 1, "Nieuw-West": 1, "Helpman e.o.": 1, "Zuidwest": 2}
    of_days = [sum(reports for _, weekday, _, reports in answers[7] if weekday == day) for day in range(1, 8)]
    assert sorted(range(7), key=lambda day: -of_days[day])[:3] in ([0, 6, 1], [6, 0, 1])


def test_analysts_see_how_much_more_is_reported_over_the_alarm_limit(answers):
    times = dict(answers[8])
    assert times.pop("Centrum") == pytest.approx(2.1, abs=0.2)
    assert set(times) == {"Oud-Noord", "Noordwest", "Nieuw-West"} and all(7 < n < 8.2 for n in times.values())


def test_analysts_see_the_market_in_the_reports_and_not_in_the_traffic(answers):
    reports, vehicles = {day: n for day, n, _ in answers[9]}, {day: n for day, _, n in answers[9]}
    assert min(reports[day] for day in (2, 5, 6)) > 2.5 * max(reports[day] for day in (1, 3, 4, 7))
    weekdays = [vehicles[day] for day in range(1, 6)]
    assert max(weekdays) / min(weekdays) < 1.05
    assert vehicles[6] / weekdays[0] == pytest.approx(0.6, abs=0.03)


def test_analysts_see_where_burdens_come_together(answers):
    burdens = {name: count for _, name, count in answers[10]}
    assert {name for name, count in burdens.items() if count is not None and count >= 4} == {"Selwerd", "Vinkhuizen-Noord"}
    assert None in burdens.values()


LAST = date(2026, 3, 15)


@pytest.fixture(scope="module")
def lake(sample_lake: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with Lakehouse(sample_lake).reader() as con:
        con.execute("USE lake")
        yield con


@pytest.fixture(scope="module")
def planted(lake: duckdb.DuckDBPyConnection) -> dict[int, list[tuple]]:
    """The answer to each statement of docs/sample-city.md, by the first number in its comment."""
    answers = {}
    for statement in duckdb.extract_statements(blocks("sample-city.md")[0]):
        number = re.match(r"\s*-- (\d+)", statement.query)
        assert number, statement.query
        answers[int(number[1])] = lake.execute(statement.query).fetchall()
    return answers


def test_every_statement_finds_something(planted):
    assert len(planted) == 36
    assert all(planted.values())


def test_1_the_market_days_show_in_the_reports(planted):
    assert {(weekday, reports) for _, weekday, reports in planted[1]} == {(1, 2), (2, 9), (3, 2), (4, 2), (5, 9), (6, 9), (7, 2)}
    assert len(planted[1]) == 59


def test_2_the_lamps_that_nobody_closes_stay_open(planted):
    assert planted[2] == [(12,)]


def test_3_reports_from_outside_and_without_a_place_say_so(planted):
    outside = [n for _, status, n in planted[3] if status == "outside_municipality"]
    nowhere = [n for _, status, n in planted[3] if status == "no_location"]
    assert set(outside) == {2} and set(nowhere) == {1, 2} and len(outside) == len(nowhere) == 59


def test_4_the_diversion_doubles_the_traffic_of_one_road(planted):
    weekdays = {day: flow for day, weekday, _, flow in planted[4] if weekday <= 5}
    diverted = weekdays.pop(date(2026, 3, 6))
    assert diverted == pytest.approx(2 * sum(weekdays.values()) / len(weekdays), rel=0.05)


def test_5_weekends_have_less_traffic(planted):
    means = {kind: [city for _, weekday, city, _ in planted[4] if max(weekday, 5) == kind] for kind in (5, 6, 7)}
    weekday, saturday, sunday = (sum(flows) / len(flows) for flows in means.values())
    assert saturday / weekday == pytest.approx(0.6, abs=0.02)
    assert sunday / weekday == pytest.approx(0.5, abs=0.02)


def test_6_the_day_of_the_firmware_fault_is_not_there_and_every_other_day_is(planted):
    days = {LAST - timedelta(days=n) for n in range(60)}
    assert {day for day, *_ in planted[4]} == days - {date(2026, 3, 10)}


def test_7_forty_bad_rows_a_day_are_quarantined(lake):
    kept = lake.execute(
        "SELECT rows_quarantined, count(*) FROM ops.batches WHERE batch_key LIKE '%/loops' AND outcome = 'published' GROUP BY 1"
    ).fetchall()
    assert kept == [(40, 59)]


def test_8_the_dead_detector_has_no_flow_and_a_reason(planted):
    assert planted[8] == [("detector_error", 59 * 288, 0)]


def test_9_an_expected_flow_is_not_counted_as_a_measured_one(planted):
    assert planted[9] == [(0,)]


def test_10_recipients_are_withheld_where_few_people_live(planted, lake):
    reasons = dict(planted[10])
    assert set(reasons) == {None, "withheld"} and sum(reasons.values()) == 151
    few = "SELECT count(*) FROM collective.neighbourhood_month WHERE month = '2026-03-01' AND coalesce(inhabitants, 0) < 100"
    assert lake.execute(few).fetchone() == (reasons["withheld"],)


def test_11_figures_that_were_not_released_yet_say_so(planted):
    assert {code for (code,) in planted[11]} == {"income_per_recipient_keur", "households_low_income_pct", "income_recipients"}


def test_12_three_days_of_telemetry_are_rejected_and_57_are_there(planted):
    assert planted[12] == [(0, 57)]


def test_13_sensors_that_never_give_a_level_have_none(planted):
    assert planted[13] == [(5,)]


def test_14_the_register_and_the_sensors_disagree(planted):
    assert planted[14] == [(42, 30)]


def test_15_residual_waste_overflows_in_four_neighbourhoods(planted):
    assert {code for code, _ in planted[15]} == {"BU00140301", "BU00140606", "BU00140900", "BU00141000"}


def test_16_a_round_that_was_not_driven_emptied_nothing(planted):
    (_, week_before), (_, skipped), (_, day_after) = planted[16]
    assert skipped == 0 and week_before > 20 and day_after > 20


def test_17_a_corrected_day_does_not_jump(planted):
    levels = [level for _, level in planted[17]]
    assert len(levels) == 3 and max(levels) - min(levels) < 3


def test_18_monday_overflows(planted):
    assert planted[18][0][0] == 1
    assert planted[18][0][1] > 3 * planted[18][-1][1]


def test_19_odd_weighings_are_the_same_every_day(planted):
    assert planted[19] == [(8, 10, 5, 5)]


def test_20_waste_lies_beside_containers_that_are_full(planted):
    shares = dict(planted[20])
    assert shares["full"] == pytest.approx(0.6, abs=0.15)
    assert shares["alarm"] == pytest.approx(0.25, abs=0.12)
    assert shares["room"] == pytest.approx(0.06, abs=0.015)


def test_21_bulky_waste_stands_where_people_move_house(planted):
    assert dict(planted[21]) == {False: pytest.approx(0.06, abs=0.015), True: pytest.approx(0.7, abs=0.12)}


def test_22_full_containers_are_reported(planted):
    assert planted[22] == [(pytest.approx(0.03, abs=0.006),)]


def test_23_no_vehicle_passes_a_closed_road(planted):
    assert planted[23] == [(5, 0)]


def test_24_road_works_slow_the_traffic_and_thin_it(planted):
    (_, usual_speed, usual), (_, speed, vehicles) = planted[24]
    # Less traffic goes a little faster, and some Wednesdays are in a holiday.
    assert 0.68 < speed / usual_speed < 0.9
    assert 0.8 < vehicles / usual < 0.95


def test_25_a_match_brings_traffic_near_the_stadium(lake):
    [ratio, without] = (
        lake.execute(
            "SELECT sum(vehicles) / sum(usual_vehicles) FROM collective.site_hour WHERE local_date = ? AND local_hour IN (18, 19, 22) "
            "AND list_contains(?, site_id) AND flow_ratio IS NOT NULL",
            [day, list(MATCH_SITES)],
        ).fetchone()[0]
        for day in (date(2026, 3, 7), date(2026, 3, 14))
    )
    # Of the seven Saturdays before the first of these days three had a match, of the eight before the second four.
    assert ratio == pytest.approx(1.8 / ((4 + 3 * 1.8) / 7), rel=0.08)
    assert without == pytest.approx(1 / ((4 + 4 * 1.8) / 8), rel=0.08)


def test_26_a_stuck_detector_has_one_flow_on_seven_days(planted):
    assert planted[26] == [(date(2026, 3, day), 1) for day in range(3, 10)]


def test_27_one_site_grows_by_three_per_cent_a_week(lake):
    [slope] = lake.execute(
        "WITH weeks AS (SELECT (local_date - DATE '2026-01-15') // 7 AS week, "
        "sum(vehicles) FILTER (WHERE site_id LIKE '%SintPetersburgweg_NO%') / sum(vehicles) AS share "
        "FROM collective.site_hour WHERE local_date < DATE '2026-03-12' GROUP BY 1) SELECT regr_slope(ln(share), week) FROM weeks"
    ).fetchone()
    assert slope == pytest.approx(0.03, abs=0.006)


def test_28_cyclists_stay_at_home_at_weekends(planted):
    # Chance decides how warm and wet the weekends were, and cyclists are fewer in a school holiday.
    [(saturday, sunday)] = planted[28]
    assert saturday == pytest.approx(0.65, abs=0.1)
    assert sunday == pytest.approx(0.5, abs=0.1)


def test_29_a_silent_counter_has_two_days_fewer(lake):
    days = dict(
        lake.execute("SELECT counter_id, count(DISTINCT local_date) FROM core.traffic_bicycle_counts GROUP BY 1").fetchall()
    )
    assert days.pop("oosterhamrikkade") == 58
    assert set(days.values()) == {60} and len(days) == 5


def test_30_social_assistance_rises_in_one_district(planted):
    assert planted[30] == [(pytest.approx(1.03**7, abs=0.05),)]


def test_31_one_combination_of_cause_step_and_channel_is_twice_as_frequent_as_expected(lake):
    [lift] = lake.execute(
        "WITH marked AS (SELECT cause_code = 'income' AS cause, process_step_code = 'change_report' AS step, "
        "channel_code = 'letter' AS channel FROM core.welfare_closed_cases) "
        "SELECT avg((cause AND step AND channel)::INTEGER) / (avg(cause::INTEGER) * avg(step::INTEGER) * avg(channel::INTEGER)) FROM marked"
    ).fetchone()
    assert lift == pytest.approx(2, abs=0.35)


def test_32_early_signals_reach_some_people_better_than_others(planted):
    shares = {"landlord": 0.62, "water_company": 0.48, "energy_supplier": 0.41, "health_insurer": 0.33}
    assert dict(planted[32]) == {partner: pytest.approx(share, abs=0.04) for partner, share in shares.items()}


def test_33_invalid_numbers_are_set_aside(planted):
    assert planted[33] == [(f"core.welfare_{name}", 9) for name in ("benefit_cases", "early_signals", "statutory_signals")]


def test_34_a_day_with_a_silent_hour_has_no_weather(planted):
    assert planted[34] == [(date(2026, 2, 7),), (date(2026, 3, 7),)]


def test_35_builders_waste_stands_near_a_building_site(planted):
    assert dict(planted[35]) == {False: pytest.approx(0.01, abs=0.01), True: pytest.approx(0.3, abs=0.15)}


def test_36_and_37_one_crossing_jams_nearly_every_working_day_and_another_on_three(planted):
    oosterbrug = {hour: days for code, hour, days in planted[36] if code.startswith("oosterbrug")}
    westerhaven = {hour: days for code, hour, days in planted[36] if code.startswith("westerhaven")}
    # 42 working days, of which one has no counts.
    assert set(oosterbrug) == {16, 17} and all(33 <= days <= 41 for days in oosterbrug.values())
    assert westerhaven == {7: 3, 8: 3}


def test_38_one_detector_drifts(planted):
    [(site, series, first, lowest)] = planted[38]
    assert (site, series) == ("PGR08_LaanCorpusDenHoorn_O_HTN2221", "2")
    assert date(2026, 3, 1) <= first <= date(2026, 3, 9) and lowest < -25


def test_39_people_select_with_bias_and_nothing_else_does(planted):
    biased = ("human_selection", "herkomst", "buiten_europa")
    assert planted[39] == [(*biased, measure, "2024HJ01", "open") for measure in ("false_positive", "selection")]


def test_40_four_neighbourhoods_have_more_low_incomes_without_assistance(planted):
    assert {code for code, _ in planted[40]} == {"BU00140604", "BU00140701", "BU00140801", "BU00141101"}
    assert [share for _, share in planted[40]] == [pytest.approx(0.1, abs=0.01)] * 4


def test_41_and_42_one_measure_works_one_does_not_and_one_has_just_begun(planted):
    assert [row[:2] for row in planted[41]] == [
        ("M-2026-01", "effect"),
        ("M-2026-02", "no_effect_found"),
        ("M-2026-03", "too_little_data"),
    ]
    assert planted[41][0][2] == pytest.approx(-12, abs=1.5)


def test_43_weekdays_show_in_the_inflow(planted):
    ratio = {(kind, weekday): value for kind, weekday, value in planted[43]}
    assert ratio["glass", 6] == pytest.approx(1.3, abs=0.05) and ratio["rest", 6] == pytest.approx(1.13, abs=0.03)
    market, other = ([ratio["market", day] / ratio["rest", day] for day in days] for days in ((2, 5, 6), (1, 3, 4, 7)))
    assert sum(market) / 3 / (sum(other) / 4) == pytest.approx(1.3, abs=0.08)


def test_44_and_45_one_rule_beats_chance_one_does_not_and_one_is_too_young(planted):
    found = {rule: (status, since, share) for rule, status, since, share, _, _ in planted[44]}
    assert found["income_started"] == ("in_force", None, pytest.approx(0.35, abs=0.09))
    assert found["vehicle"] == ("suspended", date(2026, 2, 1), pytest.approx(0.05, abs=0.05))
    assert found["study_finance"][:2] == ("on_trial", None)
    [(low, high)] = [row[4:] for row in planted[44] if row[0] == "random_sample"]
    assert low <= 5 <= high


def test_46_three_people_were_not_heard(planted):
    assert planted[46] == [(3,)]
