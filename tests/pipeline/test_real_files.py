"""Profile `real` over the shared files: every number of the lake reconciles with the files, counted here in another way."""

import csv
import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from groningen_data.lakehouse import Lakehouse
from groningen_data.settings import Settings, load_settings
from tests.pipeline.conftest import SHARED_DATA
from tests.pipeline.drive import refresh

pytestmark = pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="needs ../shared/data, which is there in CI")

DUTCH = ZoneInfo("Europe/Amsterdam")
# Prague's sensor file has 1,038 days. Gated here are days with spikes and with gaps of days, and both changes of the clock;
# the parser is tried on all of them elsewhere.
PRAGUE_DAYS = {f"2025-05-{day}" for day in range(15, 28)} | {"2025-03-30", "2025-10-26"}
ONLY = {"core.waste_fill_levels": lambda key: not key.endswith("/prague_sensors") or key[:10] in PRAGUE_DAYS}

# What cannot be published, and what is said of it.
INCOMPLETE = "CBS table 83765NED is an incomplete set: Observations is missing"
REJECTED = {
    ("core.reference_key_figures", "83765NED"): INCOMPLETE,
    ("core.welfare_recipients", "83765NED"): INCOMPLETE,
    ("core.waste_emptyings", "payload waste/kilogram_weight0.json"): "lists no weighings",
}
NEVER_DELIVERED = {
    "collective.bias_audit",
    "collective.bias_incidents",
    "collective.collection_backtest",
    "collective.container_hotspots",
    "collective.error_patterns",
    "collective.forecast_scores",
    "collective.help_first_funnel",
    "collective.random_sample_commitments",
    "collective.random_sample_draws",
    "collective.signal_rule_results",
    "collective.signal_rules",
    "collective.signal_task_counts",
    "core.reference_household_waste",
    "core.traffic_charge_points",
    "core.traffic_events",
    "core.traffic_measures",
    "core.traffic_parking",
    "core.traffic_site_indexes",
    "core.waste_depots",
    "core.waste_inspections",
    "core.waste_public_report_counts",
    "core.waste_report_states",
    "core.waste_vehicles",
    "core.welfare_audit_counts",
    "core.welfare_benefit_cases",
    "core.welfare_closed_cases",
    "core.welfare_early_signals",
    "core.welfare_sample_cases",
    "core.welfare_signal_outcomes",
    "core.welfare_signal_tasks",
    "core.welfare_statutory_signals",
}
# Folders and files of which no table is made.
LEFT_ALONE = {
    "MANIFEST.md",
    "cbs/84489NED_woonplaatsen_TypedDataSet.odata3.json",
    "cbs/cbs.v3.84799NED_ColDescriptions.json",
    "cbs/cbs_schulden_Life_events.csv",
    "cbs/cbs_schulden_Ontwikkeling_risico_NL.csv",
    "cbs/cbs_schulden_Schuldregistraties.csv",
    "cbs/metadata_v3.json",
    "cbs/metadata_v4.json",
    "geo/cbs_Buurt_2014_layer_q1e3.json.gz",
    "geo/ermelo_cbs_buurten_rd.gpkg",
    "waste/assen_resolved_until_2026-07-15.json",
    "waste/assen_signalen_categories.json",
    "waste/bammens_containers.list.json",
    "waste/bammens_containertypes.json",
    "waste/bammens_containertypes.list.json",
    "waste/bammens_wells.list.json",
    "waste/enevo_alerts.json",
    "waste/enevo_site_content_types.json",
    "waste/kilogram_systems.json",
    "waste/sidcon_containers.json",
    "waste/signalen_categories_fixture.json",
    "waste/signalen_schema_get_public_signals_uuid.json",
    "waste/signalen_schema_get_signals_v1_private_signals.json",
    "waste/signalen_schema_get_signals_v1_public_areas.json",
    "waste/signalen_schema_get_signals_v1_public_terms_categories.json",
    "waste/signalen_schema_post_signals_v1_public_signals.json",
    "weather/uurgeg_column_legend.md",
    "welfare/amsterdam_cms_amsti.csv",
    "welfare/amsterdam_model_scoring_comparison.csv.gz",
    "welfare/amsterdam_slimmecheck_cms_long.csv",
    "welfare/amsterdam_slimmecheck_cms_wide.csv",
    "welfare/vng_code_oorzaak_bijstandsafhankelijkheid.xlsx",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(profile="real", data_dir=tmp_path_factory.mktemp("real"), files=SHARED_DATA)


@pytest.fixture(scope="module")
def results(settings):
    return refresh(settings, only=ONLY)


@pytest.fixture(scope="module")
def lake(settings, results):
    with Lakehouse(settings).reader() as con:
        yield con


def one(lake, sql: str):
    return lake.execute(sql).fetchone()


def every(lake, sql: str) -> dict:
    """Rows of two columns, the first of which is different in each."""
    rows = lake.execute(sql).fetchall()
    assert len(rows) == len({key for key, _ in rows})
    return dict(rows)


def notes(lake, table: str, key: str) -> dict:
    sql = "SELECT notes FROM lake.ops.batches WHERE table_name = ? AND batch_key = ?"
    return json.loads(lake.execute(sql, [table, key]).fetchone()[0])


def text(name: str, encoding: str = "utf-8") -> str:
    data = (SHARED_DATA / name).read_bytes()
    return (gzip.decompress(data) if name.endswith(".gz") else data).decode(encoding)


def lines(name: str, **options: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text(name).splitlines(), **options))


# What is published, and what is not.


def test_every_batch_is_published_except_what_cannot_be(results):
    rejected = {(name, b.key): b.reason for name, r in results.items() for b in r.rejected}
    assert rejected.keys() == REJECTED.keys()
    assert all(reason.startswith(REJECTED[batch]) for batch, reason in rejected.items())
    assert {name for name, r in results.items() if not r.batches} == NEVER_DELIVERED
    nothing_here = {"collective.container_day", "collective.container_inflow_day"}
    assert {name for name, r in results.items() if not r.published} == NEVER_DELIVERED | nothing_here
    assert {name for name, r in results.items() if not r.rows} == NEVER_DELIVERED | nothing_here | {
        "collective.collection_plan",
        "collective.collection_round",
        "collective.container_forecast",
        "collective.container_outlook",
        "collective.measure_effect",
    }


def test_every_row_is_accepted_or_kept_back_with_its_reason(lake):
    total = "SELECT sum(rows_in - rows_accepted - rows_quarantined - rows_collapsed), sum(rows_collapsed) FROM lake.ops.batches"
    assert one(lake, total) == (0, 0)
    kept_back = lake.execute("SELECT table_name, batch_key, rules FROM lake.quarantine.rows ORDER BY ALL").fetchall()
    assert kept_back == [
        *[("core.traffic_bicycle_counts", "2019-03/dampoort-zuid", ["interval_start_at.nonexistent"])] * 2,
        ("core.traffic_counts", "2017-03-02/datex", ["flow_veh_h.less_than_or_equal_to"]),
    ]


def test_files_without_a_table_are_left_alone_and_no_other(settings, results):
    landed = {json.loads(path.read_text())["headers"]["path"] for path in settings.landing_dir.glob("*/*.json")}
    delivered = {str(path.relative_to(SHARED_DATA)) for path in SHARED_DATA.rglob("*") if path.is_file()}
    assert delivered - landed == LEFT_ALONE


def test_a_second_run_over_the_same_files_does_nothing(settings, results):
    again = refresh(settings, "again", only=ONLY)
    assert {name: [b.key for b in r.batches] for name, r in again.items() if r.batches} == {}
    assert {(name, b.key) for name, r in again.items() for b in r.standing} == REJECTED.keys()


# Reference.


def test_all_151_outlines_and_20_districts_are_there(lake):
    assert one(lake, "SELECT count(*), min(code_year), max(outline_epsg) FROM lake.core.reference_neighbourhoods") == (
        151,
        2024,
        4326,
    )
    assert one(lake, "SELECT count(*), sum(neighbourhoods) FROM lake.core.reference_districts") == (20, 151)


def test_key_figures_reconcile_with_the_outlines(lake):
    features = json.loads(text("geo/groningen_buurten_2024.geojson"))["features"]
    raw = [feature["properties"] for feature in features]
    held = one(
        lake,
        "SELECT count(DISTINCT region_code), sum(value) FILTER (WHERE measure_code = 'inhabitants') "
        "FROM lake.core.reference_key_figures WHERE source_table <> '84799NED'",
    )
    assert held == (len(raw), sum(row["inwoners"] or 0 for row in raw))


def test_key_figures_reconcile_with_the_cbs_table(lake):
    raw = pl.read_parquet(SHARED_DATA / "cbs/cbs.v3.84799NED_TypedDataSet.parquet")
    regions = "SELECT count(DISTINCT region_code) FROM lake.core.reference_key_figures WHERE source_table = '84799NED'"
    assert one(lake, regions) == (raw.height,) == (17_341,)
    total = (
        "SELECT sum(value) FROM lake.core.reference_key_figures WHERE source_table = '84799NED' AND measure_code = 'inhabitants'"
    )
    assert one(lake, total) == (float(raw["AantalInwoners_5"].sum()),)
    empty = "SELECT DISTINCT missing_reason FROM lake.core.reference_key_figures WHERE source_table = '84799NED' AND measure_code = 'income_per_inhabitant_keur'"
    assert raw["GemiddeldInkomenPerInwoner_72"].null_count() == raw.height
    assert lake.execute(empty).fetchall() == [("not_yet_released",)]


def test_no_code_is_padded(lake):
    padded = "SELECT count(*) FROM lake.core.reference_key_figures WHERE region_code <> trim(region_code) OR region_name <> trim(region_name)"
    assert one(lake, padded) == (0,)


def test_the_two_code_years_are_reconciled(lake):
    statuses = every(
        lake,
        "SELECT code_status, count(DISTINCT region_code) FROM lake.core.reference_key_figures "
        "WHERE source_table = '84799NED' AND region_code LIKE 'BU0014%' GROUP BY 1",
    )
    assert statuses == {"same": 148, "recoded": 1, "split": 1}


def test_hours_of_weather_reconcile_with_the_file(lake):
    # Hour 1 to 24 of a day in UT is named by its end; temperature and precipitation are in tenths.
    rows = [
        [value.strip() for value in row]
        for row in csv.reader(text("weather/uurgeg_290_2021-202304_noheader.csv.gz").splitlines())
    ]
    temperatures = {}
    for row in rows:
        at = datetime.strptime(row[1], "%Y%m%d").replace(tzinfo=UTC) + timedelta(hours=int(row[2]) - 1)
        temperatures[at] = int(row[7]) if row[7] else None
    held = every(lake, "SELECT hour_start_at, CAST(round(temperature_c * 10) AS INTEGER) FROM lake.core.reference_weather_hours")
    assert held == temperatures
    rain = Counter("trace" if row[13] == "-1" else "amount" if row[13] else "none" for row in rows)
    assert (len(rows), min(held), max(held)) == (19_752, datetime(2021, 1, 1, tzinfo=UTC), datetime(2023, 4, 3, 23, tzinfo=UTC))
    assert one(
        lake,
        "SELECT count(precipitation_mm), count(*) FILTER (WHERE precipitation_missing_reason = 'trace'), "
        "count(*) FILTER (WHERE precipitation_missing_reason IN ('not_measured', 'not_delivered')), "
        "CAST(round(sum(precipitation_mm) * 10) AS INTEGER), count(*) FILTER (WHERE wind_direction_missing_reason = 'variable') "
        "FROM lake.core.reference_weather_hours",
    ) == (
        rain["amount"],
        rain["trace"],
        rain["none"],
        sum(int(row[13]) for row in rows if row[13] and row[13] != "-1"),
        sum(row[3] == "990" for row in rows),
    )
    assert (rain["trace"], rain["none"]) == (1_836, 122)


def test_days_of_weather_reconcile_with_the_lines_below_the_prose(lake):
    listed = text("weather/etmgeg_286.txt.gz").splitlines()
    [names] = [[name.strip() for name in line.lstrip("# ").split(",")] for line in listed if line.startswith("# STN,")]
    rows = [dict(zip(names, map(str.strip, line.split(",")), strict=True)) for line in listed if line.strip()[:3] == "286"]
    assert (len(listed), len(rows)) == (13_378, 13_325)
    held = every(
        lake,
        "SELECT strftime(observed_on, '%Y%m%d'), CAST(round(max_temperature_c * 10) AS INTEGER) FROM lake.core.reference_weather_days",
    )
    assert held == {row["YYYYMMDD"]: int(row["TX"]) if row["TX"] else None for row in rows}
    assert one(
        lake,
        "SELECT count(*) FILTER (WHERE precipitation_missing_reason = 'trace'), count(precipitation_mm), "
        "CAST(round(sum(precipitation_mm) * 10) AS INTEGER) FROM lake.core.reference_weather_days",
    ) == (
        sum(row["RH"] == "-1" for row in rows),
        sum(row["RH"] not in ("", "-1") for row in rows),
        sum(int(row["RH"]) for row in rows if row["RH"] not in ("", "-1")),
    )
    batches = "SELECT count(*) FROM lake.ops.batches WHERE table_name = 'core.reference_weather_days' AND outcome = 'published'"
    assert one(lake, batches) == (len({row["YYYYMMDD"][:4] for row in rows}),) == (37,)


def test_the_calendar_reaches_from_the_first_day_of_the_profile_to_a_year_ahead(lake, settings):
    last = settings.now().year + 1
    days = (date(last, 12, 31) - date(2017, 1, 1)).days + 1
    assert one(lake, "SELECT count(*), min(calendar_on), max(calendar_on) FROM lake.core.reference_calendar") == (
        days,
        date(2017, 1, 1),
        date(last, 12, 31),
    )


# Welfare.


def test_recipients_reconcile_with_the_cbs_table(lake):
    ours = "FROM lake.core.welfare_recipients WHERE benefit_code = 'social_assistance'"
    assert one(lake, f"SELECT recipients {ours} AND region_code = 'GM0014'") == (10_840,)
    assert one(lake, f"SELECT count(*), count(recipients), sum(recipients) {ours} AND region_code LIKE 'BU0014%'") == (
        150,
        115,
        10_830,
    )
    raw = pl.read_parquet(SHARED_DATA / "cbs/cbs.v3.84799NED_TypedDataSet.parquet")["PersonenPerSoortUitkeringBijstand_83"]
    assert one(lake, f"SELECT count(*), count(recipients), sum(recipients) {ours}") == (
        len(raw),
        len(raw) - raw.null_count(),
        raw.sum(),
    )


def test_the_risk_of_debts_reconciles_with_the_file(lake):
    raw = list(csv.DictReader(text("cbs/cbs_schulden_Kaart_risico_GM.csv", "iso-8859-1").splitlines(), delimiter=";"))
    held = every(lake, "SELECT municipality_code, (persons_at_risk, at_risk_pct, inflow_pct) FROM lake.core.welfare_debt_risk")
    values = ("Risicogroep_aantal", "Risicogroep_aandeel", "Instroomkans")
    assert held == {
        row["gemeentecode"]: tuple(float(row[name].replace(",", ".")) if row[name] else None for name in values) for row in raw
    }
    assert (len(held), held["GM0014"]) == (355, (5_890, 3.4, 5.5))
    withheld = "SELECT count(*) FROM lake.core.welfare_debt_risk WHERE inflow_missing_reason = 'withheld'"
    assert one(lake, withheld) == (sum(not row["Instroomkans"] for row in raw),)


# Traffic.


@pytest.fixture(scope="module")
def datex() -> dict[str, Counter]:
    """Counted with a plain scan, without what stands in extensions: readings by mark, and the sum of the flow per hour."""
    space, found = "{http://datex2.eu/schema/2/2_0}", {"speeds": Counter(), "flows": Counter(), "sum": Counter()}
    with gzip.open(SHARED_DATA / "traffic/ndw_trafficspeed_datex2v2_soap_20170302T1442Z.xml.gz") as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag == f"{space}siteMeasurements":
                element.clear()
            elif element.tag == f"{space}basicData":
                for value in element:
                    is_wrong, is_idle = value.findtext(f"{space}dataError") == "true", value.get("numberOfInputValuesUsed") == "0"
                    if value.tag == f"{space}averageVehicleSpeed":
                        has_none = value.findtext(f"{space}speed") == "-1"
                        found["speeds"]["wrong" if is_wrong else "idle" if is_idle else "none" if has_none else "speed"] += 1
                    elif value.tag == f"{space}vehicleFlow":
                        found["flows"]["wrong" if is_wrong else "flow"] += 1
                        found["sum"]["flow"] += 0 if is_wrong else float(value.findtext(f"{space}vehicleFlowRate"))
    return found


def test_all_163592_datex_values_are_accounted_for(lake, datex):
    read = notes(lake, "core.traffic_counts", "2017-03-02/datex")
    assert (read["values_read"], read["flow_values"], read["speed_values"]) == (163_592, 88_095, 75_497)
    assert (datex["flows"].total(), datex["speeds"].total()) == (88_095, 75_497)
    rows_in, accepted, quarantined, collapsed = one(
        lake,
        "SELECT rows_in, rows_accepted, rows_quarantined, rows_collapsed FROM lake.ops.batches WHERE batch_key = '2017-03-02/datex'",
    )
    assert rows_in == accepted + quarantined + collapsed == 163_592
    kept = one(
        lake,
        "SELECT count(*) FILTER (WHERE flow_missing_reason IS DISTINCT FROM 'measured_elsewhere'), "
        "count(*) FILTER (WHERE speed_missing_reason IS DISTINCT FROM 'measured_elsewhere') "
        "FROM lake.core.traffic_counts WHERE feed_code = 'datex'",
    )
    assert sum(kept) + quarantined + collapsed == 163_592
    assert one(
        lake, "SELECT count(*) FROM lake.core.traffic_counts WHERE feed_code = 'datex' AND (flow_veh_h < 0 OR speed_km_h < 0)"
    ) == (0,)


def test_a_speed_of_minus_one_and_a_wrong_reading_are_no_measurements(lake, datex):
    speeds, flows = (
        every(
            lake,
            f"SELECT coalesce({what}_missing_reason, 'there'), count(*) FROM lake.core.traffic_counts "
            f"WHERE feed_code = 'datex' AND {what}_missing_reason IS DISTINCT FROM 'measured_elsewhere' GROUP BY 1",
        )
        for what in ("speed", "flow")
    )
    read = datex["speeds"]
    assert speeds == {"there": read["speed"], "data_error": read["wrong"], "no_vehicles": read["idle"], "no_input": read["none"]}
    assert flows == {"there": datex["flows"]["flow"] - 1, "data_error": datex["flows"]["wrong"]}  # one flow is quarantined
    assert (read["wrong"], read["none"], datex["flows"]["wrong"]) == (6_201, 2_470, 6_814)


def test_the_flow_of_the_datex_feed_adds_up_to_the_flow_in_the_file(lake, datex):
    [held] = one(lake, "SELECT sum(flow_veh_h) FROM lake.core.traffic_counts WHERE feed_code = 'datex'")
    quarantined = lake.execute("SELECT original FROM lake.quarantine.rows WHERE batch_key = '2017-03-02/datex'").fetchall()
    out = sum(json.loads(original).get("flow_veh_h") or 0 for (original,) in quarantined)
    assert held + out == pytest.approx(datex["sum"]["flow"])


@pytest.fixture(scope="module")
def loops() -> list[dict[str, str]]:
    return lines("traffic/groningen_loops_utd19_2017-09-21.csv.gz")


def is_wrong(loop: dict[str, str]) -> bool:
    return float(loop["error"] or 0) == 1


def site_of(loop: dict[str, str]) -> str:
    return loop["detid"].rsplit("_", 1)[0]


def test_loop_counts_reconcile_with_the_file(lake, loops):
    good = [row for row in loops if not is_wrong(row)]
    held = one(
        lake,
        "SELECT count(*), count(flow_veh_h), count(*) FILTER (WHERE flow_missing_reason = 'detector_error'), sum(flow_veh_h), "
        "count(DISTINCT site_id), count(DISTINCT (site_id, series_code)) FROM lake.core.traffic_counts WHERE feed_code = 'loops'",
    )
    assert held[:3] == (len(loops), len(good), len(loops) - len(good)) == (14_520, 10_543, 3_977)
    assert held[3] == pytest.approx(sum(float(row["flow"]) for row in good))
    assert held[4:] == (37, len({row["detid"] for row in loops})) == (37, 55)


def test_an_infinite_occupancy_is_none(lake, loops):
    good = [row for row in loops if not is_wrong(row)]
    assert sum(row["occ"] == "inf" for row in loops) == 18
    assert not any(row["occ"] == "inf" for row in good)
    assert one(
        lake,
        "SELECT count(occupancy_pct), count(*) FILTER (WHERE isinf(occupancy_pct) OR isnan(occupancy_pct)) "
        "FROM lake.core.traffic_counts WHERE feed_code = 'loops'",
    ) == (len(good), 0)
    no_vehicles = (
        "SELECT count(*) FROM lake.core.traffic_counts WHERE feed_code = 'loops' AND speed_missing_reason = 'no_vehicles'"
    )
    assert one(lake, no_vehicles) == (sum(float(row["flow"]) == 0 for row in good),)


def test_the_loops_count_on_utc_so_that_their_rush_hours_are_those_of_the_city(lake, loops):
    hours: Counter[int] = Counter()
    for row in loops:
        if not is_wrong(row):
            at = datetime.fromisoformat(f"{row['day']}T00:00:00+00:00") + timedelta(seconds=int(row["interval"]))
            hours[at.astimezone(DUTCH).hour] += float(row["flow"]) / 12
    held = every(lake, "SELECT local_hour, sum(vehicles) FROM lake.core.traffic_counts WHERE feed_code = 'loops' GROUP BY 1")
    assert held == pytest.approx(hours)
    assert (min(held), max(held)) == (2, 23)
    assert max((hour for hour in held if hour < 12), key=held.get) == 8
    assert max(held, key=held.get) == 17


def test_the_loops_lie_in_neighbourhoods_of_groningen(lake):
    placed = one(
        lake,
        "SELECT count(DISTINCT site_id) FROM lake.core.traffic_counts JOIN lake.core.traffic_sites USING (site_id) "
        "WHERE feed_code = 'loops' AND location_status = 'inside'",
    )
    assert placed == (37,)


def test_every_site_of_the_list_is_there_and_those_with_an_earlier_name_twice(lake):
    listed = json.loads(text("traffic/ndw_measurement_locations_derived.json.gz"))
    held = one(
        lake, "SELECT count(*) FILTER (WHERE successor_site_id IS NULL), count(successor_site_id) FROM lake.core.traffic_sites"
    )
    assert held == (len(listed), 83) == (20_813, 83)


@pytest.mark.parametrize(
    ("year", "read", "excluded", "wrong"), [(2019, 5_208, 0, 0), (2022, 10_726, 664, 0), (2023, 5_208, 0, 672)]
)
def test_historical_counts_reconcile_with_the_export(lake, year, read, excluded, wrong):
    raw = lines(f"traffic/ndw_dexter_intensiteit{year}.csv.gz")
    years = (2022, 2024) if year == 2022 else (year,)  # the export of 2022 holds a week of 2024 as well

    def number(row: dict[str, str], name: str) -> float | None:
        return float(row[name]) if row[name] not in ("", "-1.0") else None

    flows, speeds, lanes = {}, {}, set()
    for row in raw:
        key = (row["id_meetlocatie"], row["ndw_index"], row["start_meetperiode"])
        flows[key], speeds[key] = number(row, "gem_intensiteit"), number(row, "gem_snelheid")
        lanes.add(row["rijstrook_rijbaan"].strip().lower())
    rows = lake.execute(
        "SELECT site_id, series_code, CAST(local_date AS VARCHAR) || format(' {:02}:00:00', local_hour), flow_veh_h, speed_km_h, "
        "flow_missing_reason, weighted_speed_km_h, lane_code FROM lake.core.traffic_historical_counts "
        f"WHERE year(local_date) IN {(*years, 0)}"
    ).fetchall()
    assert len(rows) == len(raw) == len(flows) == read
    assert {row[:3]: row[3] for row in rows} == flows
    assert {row[:3]: row[4] for row in rows} == speeds
    reasons = Counter(row[5] for row in rows)
    assert (reasons["excluded"], reasons["data_error"]) == (excluded, wrong)
    assert excluded == sum(bool(row["technical_exclusion"]) for row in raw)
    assert wrong == sum(row["data_error_intensiteit"] == "1" for row in raw)
    assert {row[6] for row in rows} == {None}
    assert {row[7].lower() for row in rows} == lanes


def test_cyclists_reconcile_with_the_year_of_the_counter(lake):
    raw = json.loads(text("traffic/gent_fietstelpaal-dampoort-zuid-2019.json.gz"))
    assert len(raw) == 8_760 == 365 * 24
    # Of two rows that say 3:00 when clocks go forward, the first is of the hour that was skipped.
    totals = {(row["datum"], int(row["uur5minuten"].split(":")[0])): row["totaal"] for row in raw}
    assert len(totals) == 8_759
    held = lake.execute(
        "SELECT CAST(local_date AS VARCHAR), local_hour, sum(bicycles), count(*) FROM lake.core.traffic_bicycle_counts GROUP BY 1, 2"
    ).fetchall()
    assert {(day, hour): total for day, hour, total, _ in held} == totals
    assert {directions for *_, directions in held} == {2}
    directions = every(lake, "SELECT direction_code, sum(bicycles) FROM lake.core.traffic_bicycle_counts GROUP BY 1")
    skipped = next(row for row in raw if (row["datum"], row["uur5minuten"]) == ("2019-03-31", "3:00"))
    assert directions == {
        "main": sum(row["hoofdrichting"] for row in raw) - skipped["hoofdrichting"],
        "opposite": sum(row["tegenrichting"] for row in raw) - skipped["tegenrichting"],
    }
    assert sum(directions.values()) + skipped["totaal"] == sum(row["totaal"] for row in raw)


def test_the_counters_are_those_of_the_list(lake):
    raw = [row["fields"] for row in json.loads(text("traffic/gent_fietstelpalen_locaties.json"))]
    held = every(lake, "SELECT counter_code, (longitude, latitude) FROM lake.core.traffic_bicycle_counters")
    assert held == {row["code"]: (float(row["long"]), float(row["lat"])) for row in raw}
    assert len(held) == 9


# Waste.


def test_reports_reconcile_with_the_snapshots(lake):
    listed, last = Counter(), {}
    for path in sorted((SHARED_DATA / "waste/assen_open_reports").glob("*.json.gz")):
        for report in json.loads(gzip.decompress(path.read_bytes())):
            listed[path.name[:10]] += 1
            last[report["id"]] = path.name[:10]
    held = every(lake, "SELECT CAST(snapshot_on AS VARCHAR), count(*) FROM lake.core.waste_open_reports GROUP BY 1")
    assert held == dict(listed)
    assert (len(held), sum(held.values())) == (59, 20_133)
    assert one(lake, "SELECT count(*), count(*) FILTER (WHERE is_open) FROM lake.core.waste_reports") == (
        len(last),
        sum(day == max(listed) for day in last.values()),
    )


def test_reports_were_made_at_the_instant_they_say_whatever_its_fraction_digits(lake):
    made, digits = {}, Counter()
    for path in (SHARED_DATA / "waste/assen_open_reports").glob("*.json.gz"):
        for report in json.loads(gzip.decompress(path.read_bytes())):
            seconds, fraction = report["created_at"].removesuffix("+00:00").split(".")
            digits[len(fraction)] += 1
            made[report["id"]] = datetime.fromisoformat(f"{seconds}.{fraction:0<6}+00:00")
    assert digits == {6: 17_755, 5: 2_188, 4: 186, 3: 4}
    held = every(lake, "SELECT DISTINCT report_id, created_at FROM lake.core.waste_open_reports")
    assert held == made
    days = every(lake, "SELECT DISTINCT report_id, created_on FROM lake.core.waste_open_reports")
    assert days == {report: at.astimezone(DUTCH).date() for report, at in made.items()}


def test_inferred_closing_agrees_with_what_the_installation_says(lake):
    resolved = json.loads(text("waste/assen_resolved_until_2026-07-15.json"))
    said = pl.DataFrame([{"report_id": r["id"], "resolved_on": r["resolved_date"]} for r in resolved])
    lake.register("said", said.to_arrow())
    both, same = one(
        lake,
        "SELECT count(*), count(*) FILTER (WHERE abs(closed_on - CAST(resolved_on AS DATE)) <= 1) "
        "FROM said JOIN lake.core.waste_reports USING (report_id) WHERE closed_on IS NOT NULL",
    )
    assert both >= 0.99 * len(resolved)
    assert same >= 0.99 * both


def test_reports_of_another_municipality_are_kept_with_their_reason_and_not_counted(lake):
    statuses = every(lake, "SELECT location_status, count(*) FROM lake.core.waste_reports GROUP BY 1")
    assert statuses == {"outside_municipality": 2_405}
    reasons = lake.execute(
        "SELECT DISTINCT waste_reports, waste_reports_reason FROM lake.collective.neighbourhood_month"
    ).fetchall()
    assert reasons == [(None, "source_does_not_cover")]


def test_press_containers_reconcile_with_the_answer(lake):
    [answer] = [r for r in json.loads(text("waste/sidcon_response.json")) if r["method"] == "GetStateView"]
    raw = answer["result"]["data"]
    heard = {row["ContainerId"]: datetime.fromisoformat(row["CommunicationDateTime"]) for row in raw}
    [silent] = [str(container) for container, at in heard.items() if at < max(heard.values()) - timedelta(hours=12)]
    held = every(lake, "SELECT container_code, fill_pct FROM lake.core.waste_fill_levels WHERE source_code = 'sidcon'")
    assert held == {str(row["ContainerId"]): row["Filling"] for row in raw} | {silent: None}
    assert (len(held), max(level for level in held.values() if level is not None)) == (241, 106)
    missing = "SELECT container_code, fill_missing_reason FROM lake.core.waste_fill_levels WHERE fill_pct IS NULL"
    assert lake.execute(missing).fetchall() == [(silent, "silent")]
    places = every(
        lake, "SELECT container_code, (longitude, latitude) FROM lake.core.waste_containers WHERE source_code = 'sidcon'"
    )
    assert places == {
        str(row["ContainerId"]): (float(row["Lon"]), float(row["Lat"])) if row["Lat"] else (None, None) for row in raw
    }
    statuses = "SELECT location_status, count(*) FROM lake.core.waste_containers WHERE source_code = 'sidcon' GROUP BY 1"
    assert every(lake, statuses) == {"outside_municipality": 239, "no_location": 2}


def test_the_containers_of_schiedam_reconcile_with_their_javascript(lake):
    script = text("waste/schiedam_containers_js_wrapped.geojson")
    raw = [feature["properties"] for feature in json.loads(script[script.index("{") :])["features"]]
    assert len(raw) == 1_060
    ours = "FROM lake.core.waste_containers WHERE source_code = 'schiedam'"
    assert one(
        lake,
        "SELECT count(DISTINCT container_code), count(*) FILTER (WHERE is_code_derived), count(fraction_code), sum(capacity_l), "
        f"count(*) FILTER (WHERE location_status = 'outside_municipality') {ours}",
    ) == (
        len(raw),
        sum(row["unieknr"] is None for row in raw),
        sum(row["soort"] != "NIET INGEVULD" for row in raw),
        1_000 * sum(row["capaciteit (m3)"] or 0 for row in raw),
        len(raw),
    )
    named = every(lake, f"SELECT fraction_name, count(*) {ours} AND fraction_code IS NOT NULL GROUP BY 1")
    assert named == Counter(row["soort"] for row in raw if row["soort"] != "NIET INGEVULD")


def test_the_sensors_of_enevo_are_read(lake):
    raw = json.loads(text("waste/enevo_fill_levels.json"))["fillLevels"]
    held = lake.execute("SELECT measured_at, fill_pct FROM lake.core.waste_fill_levels WHERE source_code = 'enevo'").fetchall()
    assert sorted(held) == sorted((datetime.fromisoformat(row["time"]), row["fillLevel"]) for row in raw)
    assert one(lake, "SELECT count(*), count_if(has_sensor) FROM lake.core.waste_containers WHERE source_code = 'enevo'") == (
        2,
        1,
    )


def test_the_days_of_prague_reconcile_with_the_series(lake):
    zone, series = ZoneInfo("Europe/Prague"), defaultdict(list)
    raw = pl.read_parquet(SHARED_DATA / "waste/prague_fill_levels.parquet", columns=["sensor_id", "time_utc", "fill_pct"])
    for sensor, time, level in raw.filter(pl.col("time_utc").dt.year() == 2025).sort("sensor_id", "time_utc").iter_rows():
        at = time.replace(tzinfo=UTC)
        if f"{at.astimezone(zone):%Y-%m-%d}" in PRAGUE_DAYS:
            series[sensor].append((at, level))
    held = defaultdict(list)
    for sensor, *reading in lake.execute(
        "SELECT container_code, measured_at, fill_pct FROM lake.core.waste_fill_levels WHERE source_code = 'prague_sensors' "
        "ORDER BY container_code, measured_at"
    ).fetchall():
        held[sensor].append(tuple(reading))
    assert held == series
    # Nothing is smoothed: levels jump up and back, drop when a container is emptied, and are absent for days.
    in_may = [[reading for reading in readings if reading[0].month == 5] for readings in held.values()]
    steps = [(b[0] - a[0], b[1] - a[1]) for readings in in_may for a, b in pairwise(readings)]
    assert [gap.days for gap, _ in steps if gap > timedelta(hours=24)] == [2, 4]
    assert (sum(step > 40 for _, step in steps), sum(step < -40 for _, step in steps)) == (23, 51)
    levels = [[level for _, level in readings] for readings in in_may]
    assert (
        sum(b - a > 40 and c - b < -40 for series in levels for a, b, c in zip(series, series[1:], series[2:], strict=False)) == 9
    )


def test_emptyings_reconcile_with_the_weighings(lake):
    records = []
    for name in ("weigh", "weigh42"):
        answer = json.loads(text(f"waste/kilogram_{name}.json"))
        records += [dict(zip(answer["Fields"], record, strict=True)) for record in answer["Records"]]
    weights = {record["Seq"]: float(record["NettWeight"]) for record in records}
    assert (len(records), len(weights), sum(weights.values())) == (10, 9, 2_240)
    assert every(lake, "SELECT emptying_id, weight_kg FROM lake.core.waste_emptyings") == weights
    clocks = {
        record["Seq"]: datetime.fromisoformat(f"{record['Date']}T{record['Time']}").replace(tzinfo=DUTCH) for record in records
    }
    assert every(lake, "SELECT emptying_id, emptied_at FROM lake.core.waste_emptyings") == clocks
    several = "SELECT containers, container_code, container_codes FROM lake.core.waste_emptyings WHERE containers > 1"
    assert lake.execute(several).fetchall() == [(2, None, "62479,76771")]


def test_totals_of_inspections_reconcile_with_the_file(lake):
    raw = lines("waste/amsterdam_schouwen_bijplaatsingen_2025.csv.gz")
    sums = [sum(int(row[name]) for row in raw) for name in ("totaal_schouwen", "aantal_niet_aplus", "aantal_grofvuil")]
    assert (len(raw), sums[:2]) == (10_297, [172_573, 97_109])
    assert one(
        lake,
        "SELECT count(*), count(DISTINCT location_code), sum(inspections), sum(waste_beside), sum(bulky), count_if(is_dump_spot), "
        "CAST(min(first_on) AS VARCHAR), CAST(max(last_on) AS VARCHAR) FROM lake.core.waste_inspection_totals",
    ) == (
        len(raw),
        len(raw),
        *sums,
        sum(row["dumpplek"] == "True" for row in raw),
        min(row["eerste_melding"] for row in raw),
        max(row["laatste_melding"] for row in raw),
    )


# The marts.


def months(lake, mart: str) -> dict[str, list[str]]:
    found = defaultdict(list)
    sql = f"SELECT outcome, batch_key FROM lake.ops.batches WHERE table_name = 'collective.{mart}' ORDER BY batch_key"
    for outcome, key in lake.execute(sql).fetchall():
        found[outcome].append(key[:7])
    return dict(found)


def test_no_container_of_another_municipality_has_days(lake):
    assert months(lake, "container_day") == {"unchanged": ["2014-11", "2017-01", "2018-11", "2025-03", "2025-05", "2025-10"]}
    statuses = lake.execute("SELECT DISTINCT location_status FROM lake.core.waste_containers ORDER BY 1").fetchall()
    assert statuses == [("no_location",), ("outside_municipality",)]


def test_the_day_of_loops_is_ranked_from_the_detectors_that_report_no_errors(lake, loops):
    errors = Counter(row["detid"] for row in loops if row["error"] == "1.0")
    broken = {detector for detector, count in errors.items() if count == 264}
    untrusted = lake.execute(
        "SELECT site_id || '_' || series_code, untrusted_reason FROM lake.collective.site_quality WHERE NOT is_trusted"
    ).fetchall()
    assert len(broken) == 15 and set(untrusted) == {(detector, "error_flags") for detector in broken}
    worst, code, minutes = one(
        lake,
        "SELECT intersection_name, intersection_code, saturated_min_per_h FROM lake.collective.congestion_ranking "
        "WHERE period_code = 'evening_peak' AND rank = 1",
    )
    assert worst == "Eendrachtsbrug (Eendrachtskade Zuidzijde)"
    [free] = one(lake, f"SELECT DISTINCT free_speed_km_h FROM lake.collective.approach_hour WHERE intersection_code = '{code}'")
    # From 16 to 18 o'clock, on the file's clock from 14 to 16.
    peak = [row for row in loops if "Eendrachtskade_O" in row["detid"] and 14 * 3600 <= int(float(row["interval"])) < 16 * 3600]
    slow = [row for row in peak if row["error"] != "1.0" and float(row["flow"]) >= 60 and float(row["speed"]) <= free / 2]
    assert minutes == len(slow) * 5 / 2 > 0
    unranked = lake.execute(
        "SELECT DISTINCT intersection_name FROM lake.collective.congestion_ranking WHERE rank IS NULL ORDER BY 1"
    ).fetchall()
    assert unranked == [("Verlengde Visserstraat (Aweg)",), ("Westerhaven (Aweg, Westersingel)",)]
    [kinds] = one(lake, "SELECT count(congestion_kind) FROM lake.collective.congestion_ranking")
    assert kinds == 0


def test_the_hours_of_the_loop_sites_reconcile_with_the_file(lake, loops):
    assert months(lake, "site_hour") == {"unchanged": ["2017-03"], "published": ["2017-09"]}
    vehicles, good, detectors = defaultdict(float), Counter(), defaultdict(set)
    for row in loops:
        key = (site_of(row), (int(row["interval"]) // 3600 + 2))  # summer time
        good[key] += not is_wrong(row)
        vehicles[key] += 0 if is_wrong(row) else float(row["flow"]) / 12
        detectors[site_of(row)].add(row["detid"])
    held = lake.execute(
        "SELECT site_id, local_hour, vehicles, good_intervals, expected_intervals, flow_ratio_missing_reason, usual_vehicles "
        "FROM lake.collective.site_hour WHERE local_date = '2017-09-21'"
    ).fetchall()
    assert len(held) == len(good) == one(lake, "SELECT count(*) FROM lake.collective.site_hour")[0] == 37 * 22
    for site, hour, counted, intervals, expected, why, usual in held:
        key, wanted = (site, hour), 12 * len(detectors[site])
        assert (intervals, expected) == (good[key], wanted)
        assert counted == (pytest.approx(vehicles[key]) if good[key] else None)
        assert (why, usual) == ("too_little_history" if good[key] >= 0.8 * wanted else "incomplete_hour", None)


def test_the_only_month_is_the_one_of_which_a_source_of_the_municipality_says_anything(lake):
    said = months(lake, "neighbourhood_month")
    assert said["published"] == ["2017-09"]
    assert said["unchanged"] == [*[f"2019-{month:02}" for month in range(1, 13)], "2026-05", "2026-06", "2026-07"]


def test_the_mart_joins_traffic_of_2017_with_recipients_and_population(lake):
    rows, found = one(lake, "SELECT count(*), list(DISTINCT CAST(month AS VARCHAR)) FROM lake.collective.neighbourhood_month")
    assert (rows, found) == (151, ["2017-09-01"])
    # The recipients of the neighbourhood that was split since are in none of its parts.
    total, years = one(lake, "SELECT sum(recipients), list(DISTINCT recipients_year) FROM lake.collective.neighbourhood_month")
    split = one(
        lake,
        "SELECT coalesce(sum(recipients), 0) FROM lake.core.welfare_recipients WHERE benefit_code = 'social_assistance' AND code_status = 'split'",
    )[0]
    assert total == 10_830 - split
    assert set(years) <= {2020, None}
    reasons = "SELECT DISTINCT overfull_reason, collected_reason, daily_cyclists_reason, early_signal_reason"
    assert lake.execute(f"{reasons} FROM lake.collective.neighbourhood_month").fetchall() == [
        ("no_container", "no_container", "no_site", "no_data_in_month")
    ]


def test_vehicles_per_weekday_of_the_neighbourhoods_reconcile_with_the_loops(lake, loops):
    neighbourhood = every(lake, "SELECT site_id, neighbourhood_code FROM lake.core.traffic_sites")
    vehicles, good, detectors = Counter(), Counter(), defaultdict(set)
    for row in loops:
        site = site_of(row)
        detectors[site].add(row["detid"])
        good[site] += not is_wrong(row)
        vehicles[site] += 0 if is_wrong(row) else float(row["flow"]) / 12
    usable, working = defaultdict(list), Counter()
    for site in detectors:
        working[neighbourhood[site]] += good[site] > 0
        if good[site] >= 0.8 * 288 * len(detectors[site]):
            usable[neighbourhood[site]].append(vehicles[site])
    held = every(
        lake,
        "SELECT neighbourhood_code, weekday_vehicles FROM lake.collective.neighbourhood_month WHERE weekday_vehicles IS NOT NULL",
    )
    assert held == pytest.approx({code: sum(counted) / len(counted) for code, counted in usable.items()})
    sites = every(
        lake, "SELECT neighbourhood_code, traffic_sites FROM lake.collective.neighbourhood_month WHERE traffic_sites > 0"
    )
    assert sites == +working


def test_served_counts_are_protected(settings, results):
    with duckdb.connect(str(settings.serving_dir / "marts.duckdb"), read_only=True) as con:
        odd = "SELECT count(*) FROM neighbourhood_month WHERE recipients % 10 <> 0 OR recipients < 10 OR inhabitants % 10 <> 0"
        assert con.execute(odd).fetchone() == (0,)
        assert con.execute("SELECT count(*) FROM neighbourhood_month WHERE recipients IS NOT NULL").fetchone()[0] > 50
