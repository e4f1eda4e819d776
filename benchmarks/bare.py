"""The sample city into the same kind of lake without any gate: one DuckDB script of loads, marts and serving files.

What grows with the days is loaded by SQL over globs, with the conversions that the core tables need; the small rest comes from the
project's own parsers, straight into its tables. No contract, no suite, no quarantine, no ledger, no landing. Rows that cannot be
stored as what their column is are left out without a trace. `python -m benchmarks.bare CITY DATA_FOLDER` runs it.
"""

import hashlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import polars as pl

from assets import all_recipes, all_sources
from groningen_data.contracts.base import sql_types
from groningen_data.extensions import load_extension
from groningen_data.gate.derive import analysed, mart_sql
from groningen_data.gate.plan import SNAPSHOT
from groningen_data.gate.recipe import BuildContext, Recipe
from groningen_data.lakehouse import Lakehouse
from groningen_data.landing import Payload
from groningen_data.serving.publish import publish_serving
from groningen_data.settings import PROJECT, Settings, load_settings
from groningen_data.sources.base import FileSource, head_of
from groningen_data.sources.parsing import PROBLEMS

ZONE = "Europe/Amsterdam"
_PART = 400
PARSED: Mapping[str, tuple[str, ...]] = {
    "outlines": ("geo/*.geojson",),
    "cbs_statline": ("cbs/cbs.v*.json",),
    "cbs_debt_risk": ("cbs/cbs_schulden_*.csv",),
    "cbs_household_waste": ("cbs/83452NED.zip",),
    "knmi_days": ("weather/etmgeg_*.txt",),
    "container_wfs": ("waste/groningen_containers.geojson",),
    "fleet_depots": ("waste/depots.csv",),
    "fleet_vehicles": ("waste/vehicles.csv",),
    "ndw_sites": ("traffic/ndw_measurement_locations.json.gz", "traffic/measurement_*.xml.gz"),
    "ndw_datex": ("traffic/ndw_trafficspeed_*.xml.gz",),
    "bicycle_counters": ("traffic/bicycle_counters.json",),
    "events": ("traffic/events.csv",),
    "parking": ("traffic/parking.csv",),
    "policy_measures": ("traffic/policy_measures.csv",),
    "charge_points": ("traffic/charging_point_locations_ocpi.json.gz",),
    "benefit_cases": ("welfare/uitkeringen_*.csv",),
    "closed_cases": ("welfare/afgesloten_zaken_*.csv",),
    "early_signals": ("welfare/vroegsignalen_*.csv",),
    "audit_counts": ("welfare/auditcijfers_*.csv",),
    "statutory_signals": ("welfare/samenloopsignalen_*.csv",),
    "signal_outcomes": ("welfare/controleuitkomsten_*.csv",),
}
"""Where the sample city has the payloads of each source that a parser reads here as well."""
_KNMI = "STN,YYYYMMDD,HH,DD,FH,FF,FX,T,T10N,TD,SQ,Q,DR,RH,P,VV,N,U,WW,IX,M,R,S,O,Y"
_TELEMETRY = "containercode VARCHAR, tijdstip VARCHAR, vulgraad VARCHAR, vullingGewicht VARCHAR"


class Bare:
    """The whole script, table by table.

    Args:
        settings: The data folder to fill.
        city: A folder with the payloads of the sample city.
        last_months: Of which tables only so many months are made; by default of none.
    """

    def __init__(self, settings: Settings, city: Path, last_months: Mapping[str, int] | None = None) -> None:
        self.settings, self.city, self.last_months = settings, city, last_months or {}
        self.spent: dict[str, float] = {}
        self.sql_loads: dict[str, Callable[[], None]] = {
            "core.reference_weather_hours": self._weather_hours,
            "core.traffic_bicycle_counts": self._bicycle_counts,
            "core.traffic_counts": self._loops,
            "core.waste_emptyings": self._emptyings,
            "core.waste_fill_levels": self._fill_levels,
            "core.waste_inspections": self._inspections,
            "core.waste_open_reports": self._open_reports,
        }

    def run(self) -> dict[str, float]:
        """Load and publish everything; returns seconds per table, and those of `serving`."""
        self.load()
        with self._timed("serving"):
            publish_serving(Lakehouse(self.settings))
        return self.spent

    def load(self) -> None:
        """Make all tables."""
        recipes = all_recipes()
        order = TopologicalSorter({name: recipe.comes_after for name, recipe in recipes.items()}).static_order()
        with Lakehouse(self.settings).writer("bare") as con, tempfile.TemporaryDirectory() as scratch:
            self.con, self.scratch = con, Path(scratch)
            load_extension(con, "spatial")
            self._local_hours()
            # All of them first: analyses read what another one, or they themselves, said before.
            for name, recipe in recipes.items():
                columns = ", ".join(f'"{column}" {kind}' for column, kind in sql_types(recipe.contract).items())
                con.execute(f"CREATE TABLE IF NOT EXISTS lake.{name} ({columns})")
            for name in order:
                with self._timed(name):
                    self._table(name, recipes[name])

    def _timed(self, name: str) -> "_Timer":
        return _Timer(self.spent, name)

    def _table(self, name: str, recipe: Recipe) -> None:
        self.con.execute("BEGIN")
        if recipe.is_derived:
            self._derived(name, recipe)
        else:
            if name in self.sql_loads:
                self.sql_loads[name]()
            self._parsed(name, recipe)
        self.con.execute("COMMIT")
        if name == "core.reference_neighbourhoods":
            self._outlines()

    def _insert(self, table: str, select: str) -> None:
        columns = ", ".join(f'"{name}"' for name in sql_types(all_recipes()[table].contract))
        self.con.execute(f"INSERT INTO lake.{table} SELECT {columns} FROM ({select})")

    def _files(self, pattern: str) -> list[str]:
        return [str(path) for path in sorted(self.city.glob(pattern))]

    def _in_parts(self, pattern: str) -> Iterator[list[str]]:
        """About a year of files at a time, so that the memory of a load does not grow with the years."""
        files = self._files(pattern)
        yield from (files[start : start + _PART] for start in range(0, len(files), _PART))

    # What several loads need.

    def _local_hours(self) -> None:
        """Each local hour with the instant at which it (first) begins; hours that clocks skip are not there."""
        days = [path.name for path in self.city.glob("traffic/loops_*")]
        first, last = (name.split("_")[1][:10] for name in (min(days), max(days)))
        self.con.execute(
            f"""CREATE TEMP TABLE local_hours AS
            SELECT clock, min(instant) AS instant FROM (
                SELECT instant, (instant AT TIME ZONE '{ZONE}') AS clock
                FROM range(TIMESTAMPTZ '{first}' - INTERVAL 32 DAY, TIMESTAMPTZ '{last}' + INTERVAL 3 DAY, INTERVAL 1 HOUR) t(instant))
            GROUP BY clock"""
        )

    def _outlines(self) -> None:
        self.con.execute(
            "CREATE TEMP TABLE hoods AS SELECT neighbourhood_code, ST_GeomFromWKB(outline_wkb) AS outline "
            "FROM lake.core.reference_neighbourhoods"
        )

    def _located(self, relation: str) -> str:
        """The relation with the neighbourhood of each point."""
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE points AS
            SELECT longitude AS x, latitude AS y, min(h.neighbourhood_code) AS neighbourhood_code
            FROM (SELECT DISTINCT longitude, latitude, ST_Point(longitude, latitude) AS point FROM {relation}) AS p
            JOIN hoods AS h ON ST_Intersects(h.outline, p.point) GROUP BY ALL"""
        )
        return f"""SELECT r.*, p.neighbourhood_code,
            CASE WHEN longitude IS NULL OR latitude IS NULL THEN 'no_location'
                 WHEN p.neighbourhood_code IS NULL THEN 'outside_municipality' ELSE 'inside' END AS location_status
            FROM {relation} AS r LEFT JOIN points AS p ON p.x = longitude AND p.y = latitude"""

    def _at(self, instant: str) -> str:
        """Local date, hour and weekday of an instant."""
        local = f"({instant} AT TIME ZONE '{ZONE}')"
        return f"{local}::DATE AS local_date, hour({local}) AS local_hour, isodow({local}) AS weekday"

    # What grows with the days.

    def _fill_levels(self) -> None:
        """Month by month, so that no more than a month is compared for later deliveries of the same reading."""
        months = sorted({Path(file).name[12:19] for file in self._files("waste/fill_levels_[0-9]*")})
        for month in months:
            first = datetime.fromisoformat(f"{month}-01")
            following = (first + timedelta(days=32)).replace(day=1)
            # Rows that are late come in the file of the next day.
            names = (f"fill_levels_{month}-*", f"fill_levels_{following:%Y-%m}-01*")
            files = [
                f
                for name in names
                for folder in ("waste", "waste/fill_levels_corrected")
                for f in self._files(f"{folder}/{name}")
            ]
            self._insert("core.waste_fill_levels", self._readings(files, month))

    def _readings(self, files: Sequence[str], month: str) -> str:
        """The readings of a month, of each the last delivery."""
        readers = {
            ".csv.gz": "SELECT * FROM read_csv({files}, delim = ';', header = true, all_varchar = true, filename = true)",
            ".json.gz": (
                "SELECT unnest(vulgraadmetingen, recursive := true), filename FROM read_json({files}, filename = true, "
                f"maximum_object_size = 20000000, columns = {{{{'vulgraadmetingen': 'STRUCT({_TELEMETRY})[]'}}}})"
            ),
            ".parquet": "SELECT * FROM read_parquet({files}, filename = true)",
        }
        selects = [
            readers[suffix].format(files=alike)
            for suffix in readers
            for alike in self._alike(suffix, [f for f in files if f.endswith(suffix)])
        ]
        readings = " UNION ALL ".join(
            "SELECT containercode::VARCHAR AS container_code, tijdstip::TIMESTAMPTZ AS measured_at, vulgraad::VARCHAR AS level, "
            f"vullingGewicht::VARCHAR AS weight, filename FROM ({select})"
            for select in selects
        )
        return f"""SELECT 'telemetry' AS source_code, container_code, measured_at, {self._at("measured_at")},
                TRY_CAST(level AS DOUBLE) AS fill_pct, CASE WHEN level IS NULL THEN 'no_reading' END AS fill_missing_reason,
                TRY_CAST(weight AS DOUBLE) AS content_weight_kg
            FROM (SELECT * FROM ({readings})
                  QUALIFY row_number() OVER (PARTITION BY container_code, measured_at ORDER BY filename DESC) = 1)
            WHERE (level IS NULL OR TRY_CAST(level AS DOUBLE) BETWEEN 0 AND 150)
                AND strftime(measured_at AT TIME ZONE '{ZONE}', '%Y-%m') = '{month}'"""

    def _alike(self, suffix: str, files: Sequence[str]) -> list[list[str]]:
        """Files whose columns are alike; those without a fill level are left out."""
        found: dict[str, list[str]] = {}
        if suffix == ".parquet" and files:
            sql = f"SELECT file_name, type FROM parquet_schema({list(files)}) WHERE name = 'vulgraad'"
            for file, kind in self.con.execute(sql).fetchall():
                found.setdefault(kind, []).append(file)
        elif files:
            wanted = b'"vulgraad"' if suffix == ".json.gz" else b";vulgraad;"
            heads = {file: head_of(Path(file)) for file in files}
            found[suffix] = [file for file, head in heads.items() if head and wanted in head.data]
        return [alike for alike in found.values() if alike]

    def _loops(self) -> None:
        """The local day, hour and weekday stand in the file; only the instant has to be looked up."""
        usable, flow, speed, occupancy = "coalesce(error, 0) = 0", "flow", "speed", "occ"
        reason = "CASE WHEN NOT usable THEN 'detector_error' WHEN {0} IS NULL THEN 'not_delivered' WHEN NOT isfinite({0}) THEN 'not_a_number' END"
        self._insert(
            "core.traffic_counts",
            f"""
            SELECT 'loops' AS feed_code, regexp_replace(detid, '_\\d+$', '') AS site_id, NULL AS site_version,
                regexp_extract(detid, '_(\\d+)$', 1) AS series_code,
                h.instant + to_seconds("interval" % 3600) AS interval_start_at, day AS local_date,
                "interval" // 3600 AS local_hour, isodow(day) AS weekday, 5 AS measured_minutes,
                CASE WHEN usable AND isfinite({flow}) THEN {flow} * 5 / 60 END AS vehicles,
                CASE WHEN usable AND isfinite({flow}) THEN {flow} END AS flow_veh_h,
                CASE WHEN usable AND isfinite({speed}) AND {flow} IS DISTINCT FROM 0 THEN {speed} END AS speed_km_h,
                CASE WHEN usable AND isfinite({occupancy}) THEN {occupancy} END AS occupancy_pct,
                {reason.format(flow)} AS flow_missing_reason,
                CASE WHEN usable AND {flow} = 0 THEN 'no_vehicles' ELSE {reason.format(speed)} END AS speed_missing_reason,
                'any' AS vehicle_class, NULL AS lane_code
            FROM (SELECT * EXCLUDE (flow), TRY_CAST(flow AS DOUBLE) AS flow, flow IS NOT NULL AND TRY_CAST(flow AS DOUBLE) IS NULL AS is_text,
                         {usable} AS usable
                  FROM read_csv({self._files("traffic/loops_*.csv.gz")}, header = true, columns = {{'day': 'DATE', 'interval': 'INTEGER',
                       'detid': 'VARCHAR', 'flow': 'VARCHAR', 'occ': 'DOUBLE', 'error': 'DOUBLE', 'city': 'VARCHAR', 'speed': 'DOUBLE'}}))
            JOIN local_hours AS h ON h.clock = day + to_hours("interval" // 3600)
            WHERE NOT is_text AND NOT (usable AND coalesce({flow} < 0, false))""",
        )

    def _emptyings(self) -> None:
        """A weighing that is listed once per container becomes one row."""
        for files in self._in_parts("waste/weighings_*.json.gz"):
            self._weighed(files)

    def _weighed(self, files: Sequence[str]) -> None:
        fractions = PROJECT / "data" / "reference" / "waste_fractions.csv"
        names = (
            "SystemId",
            "Seq",
            "Date",
            "Time",
            "NoOfCont",
            "ContIds",
            "FractionId",
            "FirstWeight",
            "SecondWeight",
            "NettWeight",
        )
        fields = ", ".join(f"nullif(trim(r[list_position(Fields, '{n}')]), '') AS {n}" for n in (*names, "Longitude", "Latitude"))
        plain = "trim(regexp_replace(lower(FractionId), '[^a-z0-9]+', ' ', 'g'))"
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE weighings AS
            WITH records AS (
                SELECT {fields}, i FROM (SELECT Fields, unnest(Records) AS r, generate_subscripts(Records, 1) AS i FROM read_json({list(files)},
                    maximum_object_size = 20000000, columns = {{'Fields': 'VARCHAR[]', 'Records': 'VARCHAR[][]'}}))
            ), weighed AS (
                SELECT SystemId, Seq, Date, Time, FirstWeight::DOUBLE AS first_weight_kg, SecondWeight::DOUBLE AS second_weight_kg,
                    NettWeight::DOUBLE AS net, arg_min(FractionId, i) AS FractionId, arg_min(Longitude, i)::DOUBLE AS longitude,
                    arg_min(Latitude, i)::DOUBLE AS latitude, max(NoOfCont)::INTEGER AS stated,
                    list_sort(list_distinct(flatten(list(string_split(trim(regexp_replace(ContIds, '[^\\w-]+', ',', 'g'), ','), ',')))))
                        AS codes
                FROM records GROUP BY ALL
            )
            SELECT 'kilogram' AS source_code, SystemId AS system_code, Seq AS emptying_id, SystemId AS vehicle_code,
                CASE WHEN len(codes) = 1 THEN codes[1] END AS container_code, nullif(array_to_string(codes, ','), '') AS container_codes,
                greatest(nullif(len(codes), 0), CASE WHEN stated >= 1 THEN stated END) AS containers,
                h.instant + to_minutes(minute(Time::TIME)) + to_seconds(second(Time::TIME)) AS emptied_at,
                Date::DATE AS local_date, hour(Time::TIME) AS local_hour, isodow(Date::DATE) AS weekday,
                CASE WHEN weight_missing_reason IS NULL THEN net END AS weight_kg, first_weight_kg, second_weight_kg, weight_missing_reason,
                CASE WHEN FractionId IS NULL THEN NULL WHEN f.fraction_name IS NULL THEN 'other' ELSE f.fraction_code END AS fraction_code,
                CASE WHEN f.fraction_name IS NULL OR f.fraction_code IS NOT NULL THEN FractionId END AS fraction_name,
                CASE WHEN FractionId IS NULL THEN 'not_delivered' WHEN f.fraction_name IS NOT NULL AND f.fraction_code IS NULL
                     THEN 'not_filled_in' END AS fraction_missing_reason, longitude, latitude
            FROM (SELECT *, CASE WHEN net IS NULL THEN 'not_delivered' WHEN net = 0 THEN 'zero' WHEN net < 0 THEN 'negative'
                         WHEN abs(first_weight_kg - second_weight_kg - net) > 1 THEN 'weights_disagree' END AS weight_missing_reason FROM weighed)
            JOIN local_hours AS h ON h.clock = Date::DATE + to_hours(hour(Time::TIME))
            LEFT JOIN read_csv('{fractions}', header = true, all_varchar = true) AS f ON f.fraction_name = {plain}"""
        )
        self._insert("core.waste_emptyings", self._located("weighings"))

    def _open_reports(self) -> None:
        for files in self._in_parts("waste/open_reports/*.json.gz"):
            self._listed(files)

    def _listed(self, files: Sequence[str]) -> None:
        categories = PROJECT / "data" / "reference" / "report_categories.csv"
        kinds = ", ".join(f"'{n}': 'VARCHAR'" for n in ("id", "created_at", "category_slug", "subcategory_slug"))
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE reports AS
            SELECT regexp_extract(r.filename, '(\\d{{4}}-\\d{{2}}-\\d{{2}})[^/]*$', 1)::DATE AS snapshot_on, id AS report_id,
                created_at::TIMESTAMPTZ AS created_at, (created_at::TIMESTAMPTZ AT TIME ZONE '{ZONE}')::DATE AS created_on,
                category_slug AS main_category_code, subcategory_slug AS category_code,
                coalesce(k.waste_kind, CASE WHEN category_slug = 'afval' THEN 'other_waste' END) AS waste_kind,
                lng AS longitude, lat AS latitude
            FROM read_json({list(files)}, format = 'array', filename = true,
                           columns = {{{kinds}, 'lng': 'DOUBLE', 'lat': 'DOUBLE'}}) AS r
            LEFT JOIN read_csv('{categories}', header = true, all_varchar = true) AS k
                ON k.main_category_code = category_slug AND k.category_code = subcategory_slug"""
        )
        self.con.execute("DELETE FROM reports WHERE created_on > snapshot_on")
        self._insert("core.waste_open_reports", self._located("reports"))

    def _inspections(self) -> None:
        causes = "{'vol': 'full', 'grofvuil': 'bulky', 'bouwafval': 'construction', 'onbekend': 'unknown'}"
        self.con.execute(
            f"""CREATE OR REPLACE TEMP TABLE inspections AS
            SELECT DISTINCT strftime(tijdstip, '%Y-%m') AS month, schouwnummer AS inspection_id, containercode AS container_code,
                h.instant + (tijdstip - date_trunc('hour', tijdstip)) AS inspected_at, tijdstip::DATE AS inspected_on,
                hour(tijdstip) AS local_hour, isodow(tijdstip) AS weekday, lengtegraad AS longitude, breedtegraad AS latitude,
                bijplaatsing = 'ja' AS is_waste_beside, grofvuil_stuks AS bulky_items,
                CASE WHEN grofvuil_stuks IS NULL THEN 'not_counted' END AS bulky_missing_reason,
                map_extract_value(MAP {causes}, oorzaak) AS cause_code, opmerking_code AS remark_code
            FROM (SELECT * REPLACE (TRY_CAST(tijdstip AS TIMESTAMP) AS tijdstip, TRY_CAST(lengtegraad AS DOUBLE) AS lengtegraad,
                         TRY_CAST(breedtegraad AS DOUBLE) AS breedtegraad, TRY_CAST(grofvuil_stuks AS BIGINT) AS grofvuil_stuks)
                  FROM read_csv({self._files("waste/inspections_*.csv")}, delim = ';', header = true, all_varchar = true))
            JOIN local_hours AS h ON h.clock = date_trunc('hour', tijdstip)"""
        )
        self._insert("core.waste_inspections", self._located("inspections"))

    def _bicycle_counts(self) -> None:
        """The hour that clocks skip is left out."""
        name = "trim(regexp_replace(lower(strip_accents(locatie)), '[^a-z0-9]+', '-', 'g'), '-')"
        self._insert(
            "core.traffic_bicycle_counts",
            f"""
            SELECT strftime(datum, '%Y-%m') AS month_code, {name} AS counter_id,
                CASE direction WHEN 'hoofdrichting' THEN 'main' ELSE 'opposite' END AS direction_code, h.instant AS interval_start_at,
                datum AS local_date, hour(h.clock) AS local_hour, isodow(datum) AS weekday, 60 AS interval_minutes, bicycles,
                CASE WHEN bicycles IS NULL THEN 'not_delivered' END AS bicycles_missing_reason
            FROM (UNPIVOT (FROM read_json({self._files("traffic/bicycles_*.json.gz")}, format = 'array', columns = {{'uur5minuten': 'VARCHAR',
                'datum': 'DATE', 'tegenrichting': 'BIGINT', 'hoofdrichting': 'BIGINT', 'locatie': 'VARCHAR'}}))
                ON hoofdrichting, tegenrichting INTO NAME direction VALUE bicycles)
            JOIN local_hours AS h ON h.clock = datum + to_hours(string_split(uur5minuten, ':')[1]::INTEGER)""",
        )

    def _weather_hours(self) -> None:
        names = re.findall(r"\w+", _KNMI)
        text = {name: f"nullif(trim(f[{place}]), '')" for place, name in enumerate(names, 1)}
        number = {name: f"{value}::DOUBLE" for name, value in text.items()}

        def tenth(name: str) -> str:
            return f"round({number[name]} / 10, 2)"

        def amount(name: str) -> str:
            return f"CASE WHEN {number[name]} <> -1 THEN {tenth(name)} END"

        def blank(name: str) -> str:
            return f"CASE WHEN is_empty THEN 'not_delivered' WHEN {text[name]} IS NULL THEN 'not_measured' END"

        def trace(name: str) -> str:
            return f"CASE WHEN {number[name]} = -1 THEN 'trace' ELSE {blank(name)} END"

        start = f"(strptime({text['YYYYMMDD']}, '%Y%m%d')::TIMESTAMPTZ + to_hours({text['HH']}::INTEGER - 1))"
        turning = f"CASE {number['DD']} WHEN 0 THEN 'calm' WHEN 990 THEN 'variable' END"
        marks = {"M": "has_fog", "R": "has_rain", "S": "has_snow", "O": "has_thunder", "Y": "has_ice"}
        self._insert(
            "core.reference_weather_hours",
            f"""
            SELECT {text["STN"]}::INTEGER AS station_code, {start} AS hour_start_at, year({start}) AS year, {self._at(start)},
                {tenth("T")} AS temperature_c, {blank("T")} AS temperature_missing_reason, {tenth("TD")} AS dew_point_c,
                {amount("RH")} AS precipitation_mm, {trace("RH")} AS precipitation_missing_reason, {tenth("DR")} AS precipitation_duration_h,
                {amount("SQ")} AS sunshine_h, {trace("SQ")} AS sunshine_missing_reason, {number["Q"]} AS radiation_j_cm2,
                {tenth("FH")} AS wind_speed_m_s, {blank("FH")} AS wind_missing_reason, {tenth("FX")} AS wind_gust_m_s,
                CASE WHEN {turning} IS NULL THEN {number["DD"]} END AS wind_direction_deg,
                coalesce({turning}, {blank("DD")}) AS wind_direction_missing_reason, {number["U"]} AS humidity_pct, {tenth("P")} AS pressure_hpa,
                {", ".join(f"{number[mark]} = 1 AS {name}" for mark, name in marks.items())}
            FROM (SELECT f, len(list_filter(f[4:], x -> trim(x) <> '')) = 0 AS is_empty
                  FROM (SELECT string_split(line, ',') AS f
                        FROM read_csv({self._files("weather/uurgeg_*.txt")}, columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '',
                                      escape = '', header = false, auto_detect = false)
                        WHERE regexp_matches(line, '^\\s*\\d+,\\d{{8}},')))""",
        )

    # The small rest, and what is derived.

    def _parsed(self, name: str, recipe: Recipe) -> None:
        context = BuildContext(self.settings, lambda table: self.con.execute(f"SELECT * FROM lake.{table}").pl())
        types = sql_types(recipe.contract)
        columns = ", ".join(f'TRY_CAST("{column}" AS {kind}) AS "{column}"' for column, kind in types.items())
        for feed in recipe.feeds:
            groups: dict[str, list[Payload]] = {}
            for payload in self._payloads(feed.source):
                for key in [SNAPSHOT] if recipe.facts.load_mode != "partition" else payload.batches:
                    if feed.takes(key):
                        groups.setdefault(key, []).append(payload)
            for key, payloads in groups.items():
                for frame in feed.parse(payloads, key, context):
                    sound = frame.filter(pl.col(PROBLEMS).list.len() == 0) if PROBLEMS in frame.columns else frame
                    self.con.register("parsed", sound.to_arrow())
                    self._insert(name, f"SELECT DISTINCT {columns} FROM parsed")
                    self.con.unregister("parsed")

    def _payloads(self, source: FileSource) -> list[Payload]:
        if source.root:
            root = source.root(self.settings)
            paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
        else:
            root = self.city
            paths = [path for pattern in PARSED.get(source.name, ()) for path in sorted(root.glob(pattern))]
        found = []
        for order, path in enumerate(paths):
            stored = path
            headers = {"path": str(path.relative_to(root))}
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=order)
            payload = Payload(source.name, path.name, path.name, path.stat().st_size, at, headers=headers, path=path)
            if source.rewriting:
                stored = self.scratch / f"{source.name}-{order}"
                stored.write_bytes(b"".join(source.rewriting(self.settings)(payload)))
            sha256 = hashlib.sha256(stored.read_bytes()).hexdigest()
            payload = Payload(source.name, sha256, path.name, stored.stat().st_size, at, headers=headers, path=stored)
            found.append(replace(payload, batches=source.batches(payload)))
        return found

    def _derived(self, name: str, recipe: Recipe) -> None:
        sources = all_sources()

        def covers(source: str) -> bool:
            return sources[source].covers(self.settings)

        if recipe.analysis:
            reader = self.con.cursor()
            for month in self._months(recipe) if recipe.is_monthly else [None]:
                if month:
                    reader.execute(f"SET VARIABLE month = DATE '{month}'")
                for rows in analysed(reader, recipe, self.settings, covers, {}):
                    self.con.register("rows_to_put", rows.to_arrow())
                    self._insert(name, f"FROM rows_to_put WHERE month = DATE '{month}'" if month else "FROM rows_to_put")
            return
        sql = mart_sql(self.con, recipe, self.settings, covers)
        if not recipe.is_monthly:
            self._insert(name, sql)
            return
        for month in self._months(recipe):
            self.con.execute(f"SET VARIABLE month = DATE '{month}'")
            self._insert(name, f"SELECT * FROM ({sql}) WHERE month = DATE '{month}'")

    def _months(self, recipe: Recipe) -> list[str]:
        """Months of the tables from which a mart takes its own."""
        selects = []
        for table in recipe.months_from or recipe.inputs:
            of = all_recipes()[table]
            dates = [
                c for c in (*of.facts.partition_columns, of.facts.period_column) if c and sql_types(of.contract)[c] == "DATE"
            ]
            if dates:
                selects.append(f"SELECT date_trunc('month', {dates[0]})::DATE AS month FROM lake.{table}")
        rows = self.con.execute(f"SELECT DISTINCT month FROM ({' UNION ALL '.join(selects)}) ORDER BY 1").fetchall()
        return [str(month) for (month,) in rows][-self.last_months.get(recipe.facts.name, 0) :]


class _Timer:
    def __init__(self, spent: dict[str, float], name: str) -> None:
        self._spent, self._name = spent, name

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._spent[self._name] = time.monotonic() - self._started


if __name__ == "__main__":
    print(json.dumps(Bare(load_settings(data_dir=Path(sys.argv[2])), Path(sys.argv[1])).run()))
