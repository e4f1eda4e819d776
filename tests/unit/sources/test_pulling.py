"""Pulling a source: what lands, what is remembered, and what a service that fails halfway leaves behind."""

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from groningen_data.gate.recipe import BuildContext
from groningen_data.landing import Landing
from groningen_data.replica.faults import Fault
from groningen_data.settings import Settings, load_settings
from groningen_data.sources import knmi
from groningen_data.sources.overview import states, where

DAYS = 20
HOST = "www.daggegevens.knmi.nl"


def rows(settings: Settings, landing: Landing, source: object = knmi.HOURS) -> pl.DataFrame:
    payloads = landing.payloads("knmi_hours")
    frames = knmi.parse_hours(payloads, "2026/280", BuildContext(settings, lambda table: pl.DataFrame()))
    return pl.concat(list(frames)).sort("hour_start_at")


def test_the_service_tells_what_the_files_tell(settings, landing, city):
    knmi.HOURS.fetch(settings, landing)
    of_files = load_settings(profile="sample", data_dir=city, sample_days=DAYS)
    knmi.HOURS.fetch(of_files, Landing.of(of_files))
    columns = [c for c in rows(settings, landing).columns if not c.startswith("_")]
    pulled, read = rows(settings, landing).select(columns), rows(of_files, Landing.of(of_files)).select(columns)
    assert pulled.height > 400
    assert pulled.equals(read.filter(pl.col("hour_start_at").is_in(pulled["hour_start_at"].implode())))


def test_a_payload_knows_where_it_came_from(settings, landing):
    report = knmi.HOURS.fetch(settings, landing)
    assert [p.name for p in report.landed] == ["uurgegevens_280_2026-02.json", "uurgegevens_280_2026-03.json"]
    headers = report.landed[0].headers
    assert headers["url"].endswith("/klimatologie/uurgegevens") and headers["content-type"] == "application/json"


def test_what_was_seen_before_lands_nothing(settings, landing):
    first, second = knmi.HOURS.fetch(settings, landing), knmi.HOURS.fetch(settings, landing)
    assert (len(first.landed), len(second.landed), second.problem) == (2, 0, None)


def test_a_month_that_is_settled_is_not_asked_again(settings, landing):
    later = settings.model_copy(update={"as_of": settings.now() + timedelta(days=40)})
    knmi.HOURS.fetch(later.model_copy(update={"first_day": settings.first_local_day}), landing)
    assert landing.notes("knmi_hours", "cursor")["settled"] == ["2026-02"]


def test_what_came_before_a_failure_is_kept_and_the_rest_comes_next_time(settings, landing, faults):
    faults.switch_on(Fault("error", f"{HOST}/nowhere"))
    original = knmi.HOURS.connector.pull
    visits = []

    def break_off(visit):
        deliver = visit.deliver

        def delivering(place, answer, **how):
            deliver(place, answer, **how)
            visits.append(place)
            faults.switch_on(Fault("error", HOST))

        visit.deliver = delivering
        original(visit)

    source = replace(knmi.HOURS, connector=replace(knmi.HOURS.connector, pull=break_off))
    report = source.fetch(settings, landing)
    assert len(report.landed) == 1 and "answered status 500" in str(report.problem)
    assert "answered status 500" in landing.notes("knmi_hours", "visit")["problem"]
    faults.clear()
    again = knmi.HOURS.fetch(settings, landing)
    assert (len(again.landed), again.known, again.problem) == (1, 1, None)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("error", HOST), "answered status 500"),
        (Fault("too_many", HOST, value="9999"), "asks to wait 9,999 s"),
        (Fault("wrong_type", HOST), "answered text/html"),
        (Fault("truncated", HOST), "broke off"),
    ],
    ids=lambda found: getattr(found, "kind", ""),
)
def test_a_failing_service_lands_nothing_and_says_why(settings, landing, faults, fault, said):
    faults.switch_on(replace(fault))
    report = knmi.HOURS.fetch(settings, landing)
    assert report.landed == () and said in str(report.problem)


@pytest.mark.parametrize("kind", ["error", "too_many", "truncated"])
def test_a_fault_that_passes_costs_nothing(settings, landing, faults, kind):
    faults.switch_on(Fault(kind, HOST, times=2, value="0"))
    report = knmi.HOURS.fetch(settings, landing)
    assert (len(report.landed), report.problem) == (2, None)


@pytest.mark.parametrize("kind", ["duplicate_pages", "out_of_order", "slow"])
def test_a_fault_that_changes_no_fact_changes_no_row(settings, landing, faults, kind):
    knmi.HOURS.fetch(settings, landing)
    before = rows(settings, landing)
    faults.switch_on(Fault(kind, HOST, value="0.1"))
    knmi.HOURS.fetch(settings, landing)
    # Exact duplicates collapse in the gate.
    assert rows(settings, landing).unique(maintain_order=True).equals(before)


def test_a_renamed_field_is_told(settings, landing, faults):
    knmi.HOURS.fetch(settings, landing)
    faults.switch_on(Fault("drift", HOST, value="DD:DDD"))
    report = knmi.HOURS.fetch(settings, landing)
    assert any("[].DD is now [].DDD" in drift for drift in report.drifts)
    state = next(iter(states([knmi.HOURS], {"knmi_hours": 2}, settings, landing, report.landed[0].landed_at)))
    assert state.visited_at is not None and state.problem == ""
    assert "[].DDD" in state.drift and not state.is_overdue and state.due_at - state.last_at == timedelta(days=3)


def test_a_source_that_was_never_visited_says_so(settings, landing):
    [state] = states([knmi.HOURS], {}, settings, landing, settings.now())
    assert (state.visited_at, state.problem, state.last_at) == (None, "", None)


def test_trying_out_loads_nothing(settings, landing):
    report = knmi.HOURS.try_out(settings, landing)
    assert len(report.landed) == 1 and not report.problem
    assert landing.payloads("knmi_hours") == [] and landing.notes("knmi_hours", "cursor") == {}
    assert list(settings.scratch_dir.rglob("*.json")) == []


def test_trying_out_tells_of_changed_fields(settings, landing, faults):
    knmi.HOURS.fetch(settings, landing)
    faults.switch_on(Fault("drift", HOST))
    assert "nieuwVeld is new" in knmi.HOURS.try_out(settings, landing).drifts[0]


def test_a_profile_without_files_needs_none(tmp_path):
    settings = load_settings(profile="live", data_dir=tmp_path)
    assert not settings.has_files
    assert where(replace(knmi.HOURS, connector=None), settings).startswith("nowhere")
    assert where(knmi.HOURS, settings) == "https://www.daggegevens.knmi.nl/klimatologie"
    report = replace(knmi.HOURS, connector=None).fetch(settings, Landing.of(settings))
    assert (report.landed, report.problem) == ((), None)


def test_json_of_the_service_is_as_its_documentation_says(settings, landing):
    knmi.HOURS.fetch(settings, landing)
    record = json.loads(landing.payloads("knmi_hours")[0].read())[0]
    assert record["station_code"] == 280 and record["date"].endswith("T00:00:00.000Z") and 1 <= record["hour"] <= 24
