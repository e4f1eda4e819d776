"""Help first: stages counted by hand, what is planted over five seeds, and a group of three that leaves by no route."""

import io
import itertools
from collections import defaultdict
from datetime import UTC, date, datetime

import duckdb
import pytest

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import sql_types
from groningen_data.contracts.collective.help_first_funnel import HelpFirstFunnel
from groningen_data.contracts.collective.help_first_gap import HelpFirstGap
from groningen_data.lakehouse import Lakehouse
from groningen_data.lakehouse.tables import ensure_table
from groningen_data.sample.key_figures import UNASSISTED_NEIGHBOURHOODS, UNASSISTED_SHARE
from groningen_data.serving.protect import protected_select
from groningen_data.serving.publish import publish_serving
from groningen_data.serving.query import query, render
from tests.pipeline.conftest import sample_settings
from tests.pipeline.memory_lake import MemoryLake
from tests.pipeline.payloads import write_payloads

SIGNALS, FUNNEL, GAP = "core.welfare_early_signals", "collective.help_first_funnel", "collective.help_first_gap"
FIGURES, RECIPIENTS, NEIGHBOURHOODS = "core.reference_key_figures", "core.welfare_recipients", "core.reference_neighbourhoods"
REACHED = {"landlord": 0.62, "water_company": 0.48, "energy_supplier": 0.41, "health_insurer": 0.33}
SUPPRESSIBLE = [
    "households",
    "open_households",
    "not_taken_up_households",
    "tried_households",
    "reached_households",
    "helped_households",
    "solved_households",
]


@pytest.fixture
def lake(tmp_path):
    return MemoryLake(sample_settings(tmp_path))


_numbers = itertools.count()


def signal(person: int, day: str, status: str = "closed", reached: bool | None = None, result: str | None = None, **more):
    return {
        "signal_pseudonym": f"{next(_numbers):040x}",
        "person_pseudonym": f"{person:040x}",
        "signalled_on": date.fromisoformat(day),
        "partner_code": "landlord",
        "neighbourhood_code": "BU00140000",
        "status_code": status,
        "is_reached": reached,
        "result_code": result,
        **more,
    }


# Without a quarter before and after it, no quarter is there as a whole.
AROUND = (signal(900, "2024-10-01", "open"), signal(901, "2025-07-01", "open"))


def stages(lake: MemoryLake, where: str) -> tuple:
    return lake.one(f"SELECT {', '.join(SUPPRESSIBLE)} FROM lake.{FUNNEL} WHERE {where}")


def test_a_household_counts_once_at_every_stage_that_one_of_its_signals_came_to(lake):
    lake.put(
        SIGNALS,
        [
            *AROUND,
            signal(1, "2025-04-01", "not_taken_up"),
            signal(1, "2025-05-01", "closed", True, "help_accepted"),
            signal(2, "2025-05-02", "closed", False, "not_reached", partner_code="water_company"),
            signal(2, "2025-06-30", "closed", True, "solved_by_household"),
            signal(3, "2025-06-01", "open"),
            signal(4, "2025-06-01", "in_progress", True, None, neighbourhood_code=None),
        ],
    )
    lake.make(FUNNEL)
    of_quarter = "period_code = '2025KW02' AND "
    assert stages(lake, of_quarter + "level_code = 'neighbourhood'") == (3, 1, 1, 2, 2, 1, 1)
    assert stages(lake, of_quarter + "partner_code = 'landlord'") == (4, 1, 1, 3, 3, 1, 1)
    assert stages(lake, of_quarter + "partner_code = 'water_company'") == (1, 0, 0, 1, 0, 0, 0)
    named = "period_end_on, area_code, neighbourhood_code, partner_code"
    assert lake.ask(f"SELECT {named} FROM lake.{FUNNEL} WHERE {of_quarter} TRUE ORDER BY ALL") == [
        (date(2025, 6, 30), "BU00140000", "BU00140000", "all"),
        (date(2025, 6, 30), "GM0014", None, "landlord"),
        (date(2025, 6, 30), "GM0014", None, "water_company"),
    ]


def test_only_quarters_that_are_there_from_beginning_to_end_are_told(lake):
    lake.put(SIGNALS, [signal(n, day) for n, day in enumerate(("2025-02-20", "2025-05-01", "2025-08-01", "2025-10-02"))])
    lake.make(FUNNEL)
    assert lake.ask(f"SELECT DISTINCT period_code FROM lake.{FUNNEL} ORDER BY 1") == [("2025KW02",), ("2025KW03",)]


def figure(code: str, measure: str, value: float | None, year: int = 2023, reason: str | None = None):
    return {
        "region_code": code,
        "region_level": "neighbourhood",
        "year": year,
        "measure_code": measure,
        "value": value,
        "missing_reason": reason,
        "current_code": code,
        "code_status": "same",
        "source_table": f"T{year}",
    }


def assisted(code: str, period: str, end: date, recipients: int | None, reason: str | None = None):
    return {
        "region_code": code,
        "region_level": "neighbourhood",
        "year": end.year,
        "period_code": period,
        "period_end_on": end,
        "benefit_code": "social_assistance",
        "recipients": recipients,
        "missing_reason": reason,
        "current_code": code,
        "code_status": "same",
        "source_table": f"R{period}",
    }


def place(lake: MemoryLake, *codes: str) -> None:
    lake.put(NEIGHBOURHOODS, [{"neighbourhood_code": c, "neighbourhood_name": c, "district_code": "WK001400"} for c in codes])


def test_the_gap_is_what_low_incomes_exceed_recipients_of_the_same_time(lake):
    place(lake, "BU00140000", "BU00140001", "BU00140002", "BU00140003")
    for n, (share, last) in enumerate([(12.5, None), (5.0, None), (None, "withheld")]):
        code = f"BU0014000{n}"
        lake.put(
            FIGURES, [figure(code, "households", 800), figure(code, "inhabitants", 1500), figure(code, "inhabitants_0_14", 300)]
        )
        lake.put(FIGURES, [figure(code, "households_low_income_pct", share, reason=last)])
        lake.put(FIGURES, [figure(code, "households_low_income_pct", None, 2024, "not_yet_released")])
        lake.put(
            RECIPIENTS, [assisted(code, "2023JJ00", date(2023, 12, 31), 60), assisted(code, "2025MM12", date(2025, 12, 31), 10)]
        )
    lake.make(GAP)
    columns = "year, low_income_households, low_income_reason, inhabitants_15_plus, recipients, recipients_period, unassisted_households"
    assert lake.ask(f"SELECT {columns} FROM lake.{GAP} ORDER BY neighbourhood_code") == [
        (2023, 100, None, 1200, 60, "2023JJ00", 40),
        (2023, 40, None, 1200, 60, "2023JJ00", 0),
        (2023, None, "withheld", 1200, 60, "2023JJ00", None),
        (None, None, "boundary_changed", None, None, None, None),
    ]


@pytest.fixture(scope="module", params=[1, 2, 3, 4, 5], ids=lambda seed: f"seed {seed}")
def city(request, tmp_path_factory):
    settings = sample_settings(tmp_path_factory.mktemp("city"), sample_seed=request.param)
    write_payloads(settings, ("welfare", "key figures", "recipients", "geography"), [date(2026, 3, 15)])
    lake = MemoryLake(settings)
    lake.read(settings, NEIGHBOURHOODS, FIGURES, RECIPIENTS, SIGNALS)
    lake.make(FUNNEL)
    lake.make(GAP)
    yield lake
    lake.con.close()


def test_partners_reach_the_planted_share_of_households(city):
    sql = f"SELECT partner_code, sum(reached_households) / sum(tried_households) FROM lake.{FUNNEL} WHERE level_code = 'partner' GROUP BY 1"
    # A household with two signals is reached somewhat more easily. Four times the spread of 1,500 households is 0.05.
    assert dict(city.ask(sql)) == {partner: pytest.approx(share + 0.005, abs=0.05) for partner, share in REACHED.items()}


def test_the_neighbourhoods_with_the_planted_gap_stand_out(city):
    shares = city.ask(
        f"SELECT neighbourhood_code, unassisted_households / households FROM lake.{GAP} "
        "WHERE unassisted_households IS NOT NULL AND households >= 500"
    )
    planted = [share for code, share in shares if code in UNASSISTED_NEIGHBOURHOODS]
    others = [share for code, share in shares if code not in UNASSISTED_NEIGHBOURHOODS]
    # CBS withholds recipients of some neighbourhoods, and rounds them to tens.
    assert len(planted) >= 2 and len(others) > 30
    assert planted == [pytest.approx(UNASSISTED_SHARE, abs=0.01)] * len(planted)
    assert max(others) < 0.065


def published(tmp_path, counts: dict[str, int], recipients: int = 30) -> Lakehouse:
    """A served lake with one row of each table, and the rest of its counts zero."""
    lakehouse = Lakehouse(sample_settings(tmp_path / "data", memory_limit_mb=300))
    put(lakehouse, counts, recipients)
    return lakehouse


def put(lakehouse: Lakehouse, counts: dict[str, int], recipients: int = 30) -> None:
    row = dict.fromkeys(SUPPRESSIBLE, 0) | counts
    funnel = {"period_code": "2025KW04", "period_end_on": "2025-12-31", "level_code": "neighbourhood", "area_code": "BU00140000"}
    funnel |= {"neighbourhood_code": "BU00140000", "partner_code": "all", **row}
    gap = dict.fromkeys(sql_types(HelpFirstGap)) | {
        "neighbourhood_code": "BU00140000",
        "neighbourhood_name": "Binnenstad-Noord",
        "district_code": "WK001400",
        "year": 2023,
        "households": 500,
        "low_income_households": 60,
        "inhabitants_15_plus": 900,
        "recipients": recipients,
        "unassisted_households": 60 - recipients,
    }
    with lakehouse.writer("test") as con:
        for table, values in ((FUNNEL, {name: funnel[name] for name in sql_types(HelpFirstFunnel)}), (GAP, gap)):
            ensure_table(con, all_contracts()[table])
            con.execute(f"DELETE FROM lake.{table}")
            con.execute(f"INSERT INTO lake.{table} VALUES ({', '.join('?' * len(values))})", list(values.values()))
    publish_serving(lakehouse)


def test_three_households_leave_by_no_route(tmp_path):
    lakehouse = published(tmp_path, {"households": 44, "tried_households": 31, "reached_households": 3}, recipients=3)
    settings = lakehouse.settings
    reasons = ("below_minimum", "numerator_suppressed", "population_suppressed")
    answer = query(settings, "SELECT * FROM help_first_funnel")
    [row] = answer.rows
    told = dict(zip(answer.columns, row, strict=True))
    assert (told["reached_households"], told["reached_per_100"]) == (None, None)
    assert (told["reached_households_suppressed"], told["reached_per_100_suppressed"]) == reasons[:2]
    assert (told["households"], told["tried_households"], told["helped_households"]) == (40, 30, None)
    # The gap would give the three recipients away: 60 - 57.
    gap = query(
        settings,
        "SELECT recipients, recipients_suppressed, unassisted_households, unassisted_households_suppressed FROM help_first_gap",
    )
    assert list(gap.rows) == [(None, "below_minimum", None, "count_suppressed")]
    now = datetime.now(UTC)
    for table in ("help_first_funnel", "help_first_gap"):
        for form in ("csv", "json", "table"):
            stream = io.StringIO()
            render(query(settings, f"FROM {table}"), form, stream)
            words = stream.getvalue().replace(",", " ").replace(":", " ").replace("}", " ").split()
            assert not {"3", "57", "31", "44"} & set(words)
        stored = duckdb.sql(f"FROM '{settings.serving_dir / f'{table}.parquet'}'").fetchall()
        assert not {3, 57, 31, 44} & {value for stored_row in stored for value in stored_row}
        then = query(settings, f"FROM {table}", now)
        assert not {3, 57, 31, 44} & {value for row in then.rows for value in row}
    # Three more households come in: 44 and 47 are served as 40 and 50.
    put(lakehouse, {"households": 47})
    states = [next(iter(query(settings, "SELECT households FROM help_first_funnel", at).rows))[0] for at in (now, None)]
    assert states == [40, 50]


def test_two_states_never_differ_by_three_when_three_households_come_in(lake):
    shown = served(lake, 120)
    steps = {shown[n + 3] - shown[n] for n in range(10, 117)}
    assert steps == {0, 10}


def served(lake: MemoryLake, most: int) -> dict[int, int | None]:
    """What is served for each exact number of households."""
    rows = [
        {"period_code": f"{2000 + n}KW01", "level_code": "partner", "area_code": "GM0014", "partner_code": "all", "households": n}
        for n in range(most)
    ]
    lake.put(FUNNEL, rows)
    return dict(
        enumerate(h for (h,) in lake.ask(f"SELECT households FROM ({protected_select(HelpFirstFunnel, f'lake.{FUNNEL}')})"))
    )


def test_a_suppressed_month_cannot_be_worked_out_from_its_quarter(lake):
    shown = served(lake, 120)
    possible = defaultdict(set)
    for first, second, third in itertools.product(range(10, 50), range(10, 50), range(10)):
        possible[shown[first], shown[second], shown[first + second + third]].add(third)
    assert min(map(len, possible.values())) >= 3


def test_suppressed_recipients_cannot_be_worked_out_from_low_incomes(lake):
    exact = [(low, recipients) for low in range(10, 60) for recipients in range(10)]
    rows = [
        {
            "neighbourhood_code": f"BU{n:08}",
            "neighbourhood_name": "Buurt",
            "district_code": "WK001400",
            "households": 900,
            "inhabitants_15_plus": 1500,
            "low_income_households": low,
            "recipients": recipients,
            "unassisted_households": max(low - recipients, 0),
        }
        for n, (low, recipients) in enumerate(exact)
    ]
    lake.put(GAP, rows)
    told = "households, low_income_households, recipients, unassisted_households"
    possible = defaultdict(set)
    for shown, (_, recipients) in zip(
        lake.ask(f"SELECT {told} FROM ({protected_select(HelpFirstGap, f'lake.{GAP}')})"), exact, strict=True
    ):
        possible[shown].add(recipients)
    assert {frozenset(values) for values in possible.values()} == {frozenset(range(10))}
