"""Charts through their public door: which kind is chosen, what is drawn, what is said, and that a page needs no network."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import duckdb
import pytest
from typer.testing import CliRunner

from groningen_data.cli import app
from groningen_data.serving.chart_map import classes_of
from groningen_data.serving.chart_marks import number_text, with_gaps
from groningen_data.serving.charts import draw
from groningen_data.serving.dictionary import TABLES
from groningen_data.serving.query import QueryError
from groningen_data.settings import Settings, load_settings

HOODS = ["Binnenstad", "Selwerd", "Helpman", "De Held"]
PNG = b"\x89PNG\r\n\x1a\n"
PLACES = (
    "WITH places(longitude, latitude, cause, container, neighbourhood_code) AS (VALUES (6.52, 53.25, 'vol', 'a', 'BU00140000'), "
    "(6.55, 53.26, 'vol', 'b', 'BU00140000'), (6.65, 53.25, 'bouw', 'c', 'BU00140001'), (NULL, NULL, 'vol', 'd', 'BU00140003'))"
)
MONTH = "FROM neighbourhood_month WHERE month = '2026-02-01'"


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """A serving database of four square neighbourhoods, two months and three days of traffic, made by hand."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("charts"))
    settings.serving_dir.mkdir(parents=True)
    with duckdb.connect(str(settings.serving_dir / "marts.duckdb")) as con:
        con.execute("CREATE SCHEMA dictionary")
        for name, (_, columns) in TABLES.items():
            con.execute(f"CREATE TABLE dictionary.{name} ({', '.join(f'{c} {kind}' for c, (kind, _) in columns.items())})")
        con.execute("INSERT INTO dictionary.refresh BY NAME SELECT '2026-03-16 06:00:00+00' AS as_of, 'GM0014' AS municipality_code, "
                    "'sample' AS profile")  # fmt: skip
        for table, title_nl, title_en, licence in (
            ("neighbourhood_month", "Buurt per maand", "Neighbourhood per month", None),
            ("site_hour", "Meetlocatie per uur", "Site per hour", None),
            ("reference_neighbourhoods", "Buurten", "Neighbourhoods", "CC BY 4.0 (CBS)"),
        ):
            con.execute("INSERT INTO dictionary.tables BY NAME SELECT ? AS name, true AS is_served, ? AS title_nl, ? AS title_en, "
                        "? AS licence", [table, title_nl, title_en, licence])  # fmt: skip
        for table, column, title_nl, title_en, unit, kind, is_protected in (
            ("neighbourhood_month", "neighbourhood_name", "Buurtnaam", "Neighbourhood name", None, "VARCHAR", False),
            ("neighbourhood_month", "month", "Maand (eerste dag)", "Month (first day)", None, "DATE", False),
            ("neighbourhood_month", "waste_reports", "Afvalmeldingen", "Waste reports", None, "BIGINT", False),
            ("neighbourhood_month", "recipients", "Personen met bijstand", "Recipients", None, "BIGINT", True),
            ("neighbourhood_month", "income", "Inkomen", "Income", "1 000 EUR", "DOUBLE", False),
            ("site_hour", "vehicles", "Voertuigen", "Vehicles", "vehicles/h", "DOUBLE", False),
            ("site_hour", "local_date", "Lokale datum", "Local date", None, "DATE", False),
        ):
            con.execute(
                "INSERT INTO dictionary.columns BY NAME SELECT ? AS table_name, ? AS column_name, ? AS title_nl, ? AS title_en, "
                "? AS unit, ? AS type, ? AS is_protected",
                [table, column, title_nl, title_en, unit, kind, is_protected],
            )
        con.execute(
            "CREATE TABLE neighbourhood_month (neighbourhood_code VARCHAR, neighbourhood_name VARCHAR, month DATE, "
            "waste_reports BIGINT, recipients BIGINT, recipients_suppressed VARCHAR, income DOUBLE)"
        )
        con.execute(
            "CREATE TABLE reference_neighbourhoods (neighbourhood_code VARCHAR, neighbourhood_name VARCHAR, "
            "centre_longitude DOUBLE, centre_latitude DOUBLE, outline_geojson VARCHAR)"
        )
        for n, name in enumerate(HOODS):
            ring = [[6.5 + n / 10, 53.2], [6.6 + n / 10, 53.2], [6.6 + n / 10, 53.3], [6.5 + n / 10, 53.3], [6.5 + n / 10, 53.2]]
            outline = json.dumps({"type": "Polygon", "coordinates": [ring]})
            place = [f"BU0014000{n}", name, 6.55 + n / 10, 53.25, outline]
            con.execute("INSERT INTO reference_neighbourhoods VALUES (?, ?, ?, ?, ?)", place)
            for month in (1, 2):
                people = [None, "below_minimum"] if n == 1 else [None, None] if n == 2 else [100 * (n + 1), None]
                values = [f"BU0014000{n}", name, date(2026, month, 1), 10 * (n + 1) * month, *people, 20.5 + n]
                con.execute("INSERT INTO neighbourhood_month VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        con.execute("CREATE TABLE site_hour (site_id VARCHAR, local_date DATE, local_hour INTEGER, weekday INTEGER, hour_start_at "
                    "TIMESTAMPTZ, vehicles DOUBLE, speed DOUBLE)")  # fmt: skip
        con.execute(
            "INSERT INTO site_hour SELECT 's' || s, DATE '2026-03-01' + d::INT, h, d + 1, TIMESTAMPTZ '2026-03-01 00:00:00+00' + "
            "to_hours(24 * d + h), 100 * s + h, 50 FROM range(1, 11) a(s), range(5) b(d), range(24) c(h) WHERE d <> 2"
        )
    return settings


def marks(spec: dict) -> list[str]:
    """Every mark of a specification, of layers and panels too."""
    own = [spec["mark"]["type"]] if "mark" in spec else []
    return own + [mark for part in (*spec.get("layer", []), *spec.get("vconcat", [])) for mark in marks(part)]


def rows_of(spec: dict) -> list[dict]:
    """The data of the first layer."""
    while "data" not in spec:
        spec = (spec.get("layer") or spec["vconcat"])[0]
    return spec["data"]["values"]


def first(spec: dict) -> dict:
    """The first unit of a specification."""
    while "layer" in spec or "vconcat" in spec:
        spec = (spec.get("layer") or spec["vconcat"])[0]
    return spec


class TestChoice:
    @pytest.mark.parametrize(
        ("sql", "mark"),
        [
            ("SELECT local_date, sum(vehicles) AS vehicles FROM site_hour GROUP BY 1", "line"),
            ("SELECT strftime(month, '%Y-%m') AS m, sum(waste_reports) AS n FROM neighbourhood_month GROUP BY 1", "line"),
            ("SELECT local_hour, avg(vehicles) FROM site_hour GROUP BY 1", "line"),
            ("SELECT hour_start_at, site_id, vehicles FROM site_hour", "line"),
            (f"SELECT neighbourhood_name, waste_reports {MONTH}", "bar"),
            (f"SELECT neighbourhood_name, waste_reports > 10 AS many, waste_reports {MONTH}", "bar"),
            (f"SELECT neighbourhood_name, month, waste_reports {MONTH}", "bar"),
            (f"SELECT neighbourhood_name, income, waste_reports {MONTH}", "circle"),
            ("SELECT vehicles, speed FROM site_hour", "circle"),
            (f"SELECT neighbourhood_code, waste_reports {MONTH}", "geoshape"),
            (f"SELECT neighbourhood_code, neighbourhood_name, month, income, waste_reports {MONTH}", "geoshape"),
            ("SELECT neighbourhood_code, month, waste_reports FROM neighbourhood_month", "line"),
        ],
    )
    def test_the_columns_decide_what_is_drawn_and_it_can_be_drawn(self, settings, sql, mark):
        chart = draw(settings, sql)
        assert mark in marks(chart.spec)
        assert chart.png().startswith(PNG)

    def test_a_number_colours_places_in_classes_and_the_highest_are_named(self, settings):
        values = ", ".join(f"(6.5 + {n} / 100, 53.2, 'crossing ' || {n}, {n if n else 'NULL'})" for n in range(10))
        sql = f"SELECT longitude, latitude, name, minutes FROM (VALUES {values}) AS v(longitude, latitude, name, minutes)"
        chart = draw(settings, sql)
        points = next(layer for layer in chart.spec["layer"] if layer["mark"]["type"] == "circle")
        classes = points["encoding"]["color"]["scale"]["domain"]
        assert len(classes) == 6 and classes[-1] == "geen cijfer"
        drawn = [row["text"] for row in points["data"]["values"]]
        assert drawn == ["geen cijfer", *map(str, range(1, 10))]
        assert "Hoogste: crossing 9 (9), crossing 8 (8), crossing 7 (7)." in chart.notes
        assert chart.png().startswith(PNG)

    @pytest.mark.parametrize(("kind", "mark"), [("line", "line"), ("bar", "bar"), ("point", "circle"), ("map", "geoshape")])
    def test_a_kind_can_be_asked_for(self, settings, kind, mark):
        columns = "neighbourhood_code, neighbourhood_name, month, income, waste_reports"
        chart = draw(settings, f"SELECT {columns} FROM neighbourhood_month WHERE month = '2026-02-01'", kind=kind) \
            if kind != "line" else draw(settings, f"SELECT {columns} FROM neighbourhood_month", kind=kind)  # fmt: skip
        assert mark in marks(chart.spec)

    @pytest.mark.parametrize(
        ("sql", "kind", "message"),
        [
            ("SELECT neighbourhood_name FROM neighbourhood_month", "auto", r"no chart fits; the answer has neighbourhood_name \(text\)"),
            ("SELECT 1 AS a", "auto", "select a date and numbers for lines"),
            ("SELECT 'x' AS a, 1 AS b", "line", r"lines need a column with dates .*; the answer has a \(text\), b \(number\)"),
            ("SELECT 'x' AS a, 1 AS b", "point", "points need two columns with numbers"),
            ("SELECT 'x' AS a, 1 AS b", "map", "maps need neighbourhood_code"),
            ("SELECT 1 AS a, 2 AS b", "bar", "bars need a column with names"),
            ("SELECT 'BU99990000' AS neighbourhood_code, 1 AS b", "map", "has a published outline"),
            ("SELECT 1 AS a, 'x' AS b WHERE false", "auto", "no rows"),
            ("SELECT a.range, b.range AS s FROM range(300) a, range(300) b", "point", "more than 20,000 rows"),
            ("SELECT NULL::INT AS a, 1 AS b UNION ALL SELECT 1, NULL", "point", "no row has both a and b"),
            ("SELECT month, waste_reports FROM neighbourhood_month", "auto", r"4 rows for one point of a line \(month 2026-0"),
            ("SELECT neighbourhood_code, waste_reports FROM neighbourhood_month", "auto", "2 rows for one neighbourhood"),
            ("SELECT neighbourhood_name, waste_reports FROM neighbourhood_month", "auto", r"2 rows for one bar .*GROUP BY"),
            ("DROP TABLE neighbourhood_month", "auto", "not allowed"),
            ("SELECT nothing FROM neighbourhood_month", "auto", "nothing"),
        ],
    )  # fmt: skip
    def test_an_answer_that_cannot_be_drawn_is_explained(self, settings, sql, kind, message):
        with pytest.raises(QueryError, match=message):
            draw(settings, sql, kind=kind)

    def test_an_answer_that_was_cut_is_never_drawn(self, settings):
        with pytest.raises(QueryError, match="more than 3 rows"):
            draw(settings.model_copy(update={"sql_row_limit": 3}), f"SELECT neighbourhood_code, waste_reports {MONTH}")


class TestWords:
    def test_titles_and_units_come_from_the_dictionary_in_dutch(self, settings):
        spec = draw(settings, "SELECT site_id, local_date, avg(vehicles) AS vehicles FROM site_hour GROUP BY ALL").spec
        assert spec["title"]["text"] == "Voertuigen per site id"
        encoding = first(spec)["encoding"]
        assert encoding["y"]["title"] == "Voertuigen (voertuigen/uur)"
        assert encoding["x"]["title"] == "Lokale datum, 2026"

    def test_titles_are_english_on_request(self, settings):
        sql = f"SELECT neighbourhood_name, income, month {MONTH}"
        spec = draw(settings, sql, language="en").spec
        assert spec["title"]["text"] == "Income per neighbourhood, February 2026"
        assert first(spec)["encoding"]["x"]["title"] == "Income (x 1,000 euros)"

    def test_a_column_that_the_dictionary_does_not_know_is_called_by_its_name(self, settings):
        spec = draw(settings, "SELECT site_id, max(speed) AS top_speed FROM site_hour GROUP BY 1").spec
        assert spec["title"]["text"] == "Top speed per site id"

    @pytest.mark.parametrize(
        ("aggregate", "title"),
        [("avg(vehicles)", "Voertuigen, gemiddelde (voertuigen/uur)"), ("sum(vehicles)", "Voertuigen, som")],
    )
    def test_an_aggregate_without_a_name_keeps_the_title_of_its_column(self, settings, aggregate, title):
        spec = draw(settings, f"SELECT local_hour, {aggregate} FROM site_hour GROUP BY 1").spec
        assert first(spec)["encoding"]["y"]["title"] == title

    def test_source_date_and_the_nature_of_the_figures_stand_below_the_title(self, settings):
        subtitle = " ".join(draw(settings, f"SELECT neighbourhood_code, recipients {MONTH}").spec["title"]["subtitle"])
        assert "Bron: Buurt per maand, gemeente GM0014; stand van 16 maart 2026." in subtitle
        assert "Verzonnen cijfers van de voorbeeldstad." in subtitle
        assert "Omtrekken: CC BY 4.0 (CBS)." in subtitle
        assert "Aantallen personen zijn afgerond" in subtitle

    def test_a_title_of_ones_own_is_used_as_it_is(self, settings):
        chart = draw(settings, f"SELECT neighbourhood_name, month, income {MONTH}", title="Wat </script> kost dat?")
        assert chart.spec["title"]["text"] == "Wat </script> kost dat?"
        assert "<title>Wat &lt;/script&gt; kost dat?</title>" in chart.page()

    @pytest.mark.parametrize(
        ("value", "nl", "en"),
        [(1234567, "1.234.567", "1,234,567"), (0.126, "0,13", "0.13"), (12.34, "12,3", "12.3"), (7.0, "7", "7"), (-1.5, "-1,5", "-1.5")],
    )  # fmt: skip
    def test_numbers_are_written_as_people_read_them(self, value, nl, en):
        assert (number_text(value, "nl"), number_text(value, "en")) == (nl, en)


class TestLines:
    def test_a_day_without_rows_is_a_gap(self, settings):
        spec = draw(settings, "SELECT local_date, sum(vehicles) AS vehicles FROM site_hour GROUP BY 1").spec
        values = {row["x"]: row["y"] for row in rows_of(spec)}
        assert values["2026-03-03"] is None
        assert all(values[f"2026-03-0{day}"] is not None for day in (1, 2, 4, 5))

    @pytest.mark.parametrize(
        ("xs", "gaps"),
        [
            ([date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 6, 1)], 1),
            ([date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1)], 0),
            ([date(2022, 1, 1), date(2023, 1, 1), date(2024, 1, 1)], 0),
            ([datetime(2026, 3, 1, h, tzinfo=UTC) for h in (0, 1, 2, 5, 6)], 1),
            ([date(2026, 3, 1) + timedelta(days=n) for n in (0, 3, 4, 9, 11)], 0),
            ([2019, 2020, 2021, 2023], 1),
            ([0, 1, 2], 0),
            ([date(2026, 3, 1)], 0),
        ],
        ids=["months", "quarters", "years", "hours", "now and then", "year numbers", "hours of the day", "one"],
    )
    def test_only_a_regular_series_has_gaps(self, xs, gaps):
        rows = with_gaps([{"x": x, "y": 1.0, "series": ""} for x in xs])
        assert sum(row["y"] is None for row in rows) == gaps
        assert [row["x"] for row in rows] == sorted(row["x"] for row in rows)

    def test_more_series_than_eight_are_said_to_be_left_out(self, settings):
        chart = draw(settings, "SELECT hour_start_at, site_id, vehicles FROM site_hour")
        assert {row["series"] for row in rows_of(chart.spec)} == {f"s{n}" for n in range(3, 11)}
        assert "Getoond: de grootste 8 van 10." in chart.notes
        assert "Getoond: de grootste 8 van 10." in " ".join(chart.spec["title"]["subtitle"])

    def test_a_series_without_any_figure_is_named_as_missing(self, settings):
        sql = "SELECT local_date, site_id, sum(if(site_id = 's1', NULL, vehicles)) AS n FROM site_hour WHERE site_id < 's2' GROUP BY ALL"
        chart = draw(settings, sql)
        assert "Niet getoond, want zonder cijfer: s1." in chart.notes
        assert {row["series"] for row in rows_of(chart.spec)} == {"s10"}

    def test_numbers_of_different_units_get_panels_and_never_a_second_axis(self, settings):
        spec = draw(settings, "SELECT local_date, sum(vehicles) AS vehicles, avg(speed) AS speed FROM site_hour GROUP BY 1").spec
        assert [panel["title"]["text"] for panel in spec["vconcat"]] == ["Voertuigen (voertuigen/uur)", "Speed"]

    def test_numbers_of_one_unit_and_size_share_a_panel(self, settings):
        spec = draw(settings, "SELECT local_hour, 10 AS aantal, 12 AS bedrag, 9000 AS duur FROM site_hour GROUP BY 1").spec
        assert [panel["title"]["text"] for panel in spec["vconcat"]] == ["Aantal, bedrag", "Duur"]

    def test_rows_without_a_date_are_counted(self, settings):
        sql = "SELECT if(local_hour = 3, NULL, local_hour) AS local_hour, sum(vehicles) FROM site_hour GROUP BY ALL"
        assert draw(settings, sql).notes == ("Niet getoond, want zonder local hour: 1.",)

    def test_instants_are_told_in_utc(self, settings):
        spec = draw(settings, "SELECT hour_start_at, sum(vehicles) AS vehicles FROM site_hour GROUP BY 1").spec
        assert first(spec)["encoding"]["x"]["title"] == "Hour start at (UTC)"
        assert rows_of(spec)[1]["x"] == "2026-03-01T01:00:00+00:00"

    def test_midnights_are_days(self, settings):
        spec = draw(settings, "SELECT date_trunc('day', hour_start_at) AS dag, sum(vehicles) FROM site_hour GROUP BY 1").spec
        assert rows_of(spec)[0]["x"] == "2026-03-01"


class TestBars:
    def test_the_largest_stands_on_top_and_missing_ones_say_so_below(self, settings):
        spec = draw(settings, f"SELECT neighbourhood_name, recipients, recipients_suppressed {MONTH}").spec
        assert first(spec)["encoding"]["y"]["sort"] == ["De Held", "Binnenstad", "Helpman", "Selwerd"]
        told = {row["name"]: (row["value"], row["text"]) for row in rows_of(spec)}
        assert told["Helpman"] == (None, "geen cijfer")
        assert told["Selwerd"] == (None, "weggelaten (privacy)")
        assert told["De Held"] == (400, "400")

    def test_more_names_than_a_reader_can_take_in_are_said_to_be_left_out(self, settings):
        chart = draw(settings, "SELECT 'n' || range AS name, nullif(range, 3) AS n FROM range(50)")
        assert len(rows_of(chart.spec)) == 30
        assert chart.notes == ("Getoond: de grootste 30 van 50.", "Niet getoond, want zonder cijfer: 1.")

    def test_dates_keep_their_order(self, settings):
        sql = "SELECT month, sum(waste_reports) AS waste_reports FROM neighbourhood_month GROUP BY 1 ORDER BY 2 DESC"
        spec = draw(settings, sql, kind="bar").spec
        assert first(spec)["encoding"]["y"]["sort"] == ["2026-01-01", "2026-02-01"]

    def test_of_a_code_and_its_name_the_name_is_shown(self, settings):
        spec = draw(settings, f"SELECT neighbourhood_code, neighbourhood_name, income {MONTH}", kind="bar").spec
        assert "Helpman" in {row["name"] for row in rows_of(spec)}
        assert "yOffset" not in first(spec)["encoding"]

    def test_a_second_name_groups_the_bars_unless_it_follows_from_the_first(self, settings):
        grouped = draw(settings, "SELECT neighbourhood_name, month, income FROM neighbourhood_month", kind="bar").spec
        assert {row["group"] for row in rows_of(grouped)} == {"2026-01-01", "2026-02-01"}
        side = "if(neighbourhood_name < 'D', 'oost', 'west') AS zijde"
        plain = draw(settings, f"SELECT {side}, neighbourhood_name, income {MONTH}").spec
        assert plain["title"]["text"] == "Inkomen per buurt"
        assert {row["group"] for row in rows_of(plain)} == {""}

    def test_a_number_too_large_to_be_exact_is_still_drawn(self, settings):
        assert draw(settings, "SELECT 'x' AS a, 170141183460469231731687303715884105727 AS n").png().startswith(PNG)


class TestPoints:
    def test_rows_without_both_numbers_are_counted(self, settings):
        chart = draw(settings, f"SELECT neighbourhood_name, income, recipients {MONTH}")
        assert len(rows_of(chart.spec)) == 2
        assert "Niet getoond, want zonder cijfer: 2." in chart.notes

    def test_a_name_with_few_values_colours_the_points(self, settings):
        spec = draw(settings, "SELECT site_id, weekday::VARCHAR AS day, sum(vehicles) AS v, avg(speed) AS s FROM site_hour "
                              "GROUP BY ALL").spec  # fmt: skip
        assert first(spec)["encoding"]["color"]["field"] == "group"

    @pytest.mark.parametrize(
        ("places", "at_the_right", "at_the_left"),
        [
            ("(0, 0), (2, 9), (9, 9), (10, 3)", {"point 1", "point 2"}, {"point 3", "point 4"}),
            ("(0, 0), (9.4, 9.2), (9.9, 9)", {"point 1"}, {"point 2"}),
            ("(10, 0), (3, 9), (3.3, 9.2)", {"point 3"}, {"point 1", "point 2"}),
        ],
        ids=["apart", "no room", "room at one side"],
    )
    def test_a_name_never_covers_a_point_or_another_name(self, settings, places, at_the_right, at_the_left):
        sql = f"SELECT 'point ' || row_number() OVER () AS name, x, y FROM (VALUES {places}) AS v(x, y)"
        _, *names = draw(settings, sql).spec["layer"]
        assert [{row["name"] for row in layer["data"]["values"]} for layer in names] == [at_the_right, at_the_left]


class TestMap:
    def test_neighbourhoods_without_a_figure_are_grey_and_in_the_legend(self, settings):
        sql = f"SELECT neighbourhood_code, recipients, recipients_suppressed {MONTH} AND neighbourhood_name <> 'Binnenstad'"
        spec = draw(settings, sql).spec
        classes = {row["name"]: row["class"] for row in rows_of(spec)}
        assert classes == {
            "Binnenstad": "niet in het antwoord",
            "Selwerd": "weggelaten (privacy)",
            "Helpman": "geen cijfer",
            "De Held": "400",
        }
        scale = first(spec)["encoding"]["color"]["scale"]
        assert scale["domain"] == ["400", "geen cijfer", "weggelaten (privacy)", "niet in het antwoord"]
        assert scale["range"][1:] == ["#c4c4c4", "#8f8f8f", "#ffffff"]

    def test_every_neighbourhood_is_drawn_in_its_true_shape(self, settings):
        rows = rows_of(draw(settings, f"SELECT neighbourhood_code, waste_reports {MONTH}").spec)
        assert [row["name"] for row in rows] == HOODS
        ((west, south), (east, _), (_, north), *_) = rows[0]["geometry"]["coordinates"][0]
        assert (east - west) / (north - south) == pytest.approx(0.598, abs=0.002)

    def test_a_code_without_an_outline_is_counted(self, settings):
        sql = f"SELECT neighbourhood_code, waste_reports {MONTH} UNION ALL SELECT 'BU00149999', 5"
        assert "Zonder buurt of omtrek: 1." in draw(settings, sql).notes

    def test_the_highest_are_told_by_name(self, settings):
        chart = draw(settings, f"SELECT neighbourhood_code, waste_reports {MONTH}")
        assert chart.notes == ("Hoogste: De Held (80), Helpman (60), Selwerd (40).",)

    @pytest.mark.parametrize(
        ("reports", "told"), [("[1, 2, 2, 2]", "Selwerd (2), Helpman (2), De Held (2)"), ("[9, 1, 1, 1]", "Binnenstad (9)")]
    )
    def test_of_several_equals_all_are_told_as_the_highest_or_none(self, settings, reports, told):
        sql = f"SELECT neighbourhood_code, ({reports})[1 + right(neighbourhood_code, 1)::INT] AS n {MONTH}"
        assert draw(settings, sql).notes == (f"Hoogste: {told}.",)

    def test_places_are_points_on_the_outlines_around_them_coloured_by_a_name(self, settings):
        chart = draw(settings, f"{PLACES} SELECT * FROM places")
        ground, points, *labels = chart.spec["layer"]
        assert {row["name"] for row in ground["data"]["values"]} == {"Binnenstad", "Selwerd"}
        assert [row["group"] for row in points["data"]["values"]] == ["vol", "vol", "bouw"]
        assert points["encoding"]["color"]["scale"]["domain"] == ["vol", "bouw"]
        ((west, *_), *_) = ground["data"]["values"][0]["geometry"]["coordinates"]
        assert points["data"]["values"][0]["x"] - west[0] == pytest.approx(0.02 * 0.598, abs=0.002)
        assert [row["name"] for row in labels[-1]["data"]["values"]] == ["Binnenstad", "Selwerd"]
        assert chart.notes == ("Zonder plaats: 1.",)
        assert chart.png().startswith(PNG)

    def test_names_that_would_lie_across_each_other_are_left_out(self, settings):
        near = "(6.599, 53.2, 'a', 'BU00140000'), (6.601, 53.2, 'b', 'BU00140001'), (6.9, 54.2, 'c', 'BU00140003')"
        spec = draw(settings, f"SELECT * FROM (VALUES {near}) t(longitude, latitude, name, neighbourhood_code)").spec
        assert [row["name"] for row in spec["layer"][-1]["data"]["values"]] == ["Binnenstad", "De Held"]

    def test_places_that_nobody_knows_cannot_be_drawn(self, settings):
        with pytest.raises(QueryError, match="maps of places need columns longitude and latitude with values"):
            draw(settings, "SELECT * FROM (VALUES (NULL, 53.2), (6.5, NULL)) t(longitude, latitude)")

    @pytest.mark.parametrize(
        ("values", "labels"),
        [
            ([], []),
            ([7, 7, 7], ["7"]),
            (list(range(1, 101)), ["minder dan 21", "21 – 40", "41 – 59", "60 – 79", "80 en meer"]),
            ([0] * 20 + [1] * 10 + [2] * 10 + [3, 4, 5, 6, 9] * 4, ["0", "1", "2", "3 – 4", "5 en meer"]),
            ([0, 0, 0, 4, 4], ["0", "4"]),
            ([0, 0, 0, 1, 1, 1, 1, 2], ["0", "1", "2"]),
            ([1, 1, 1, 1, 1, 2], ["1", "2"]),
            ([0] * 50 + [1] * 30 + [2] * 8 + [3] * 3 + [4], ["0", "1", "2", "3", "4"]),
            ([-4.0, -2.0, 1.0, 3.0], ["minder dan -3", "-3 tot 0", "0 tot 2", "2 en meer"]),
            ([0.11, 0.22, 0.33, 0.44, 0.55], ["minder dan 0,2", "0,2 tot 0,29", "0,29 tot 0,37", "0,37 tot 0,46", "0,46 en meer"]),
            (list(range(1001, 1007)), ["minder dan 1.002", "1.002", "1.003", "1.004", "1.005 en meer"]),
        ],
        ids=["none", "one value", "whole", "many zeros", "zero or four", "zeros and ones", "two", "few whole", "both signs", "shares", "narrow"],
    )  # fmt: skip
    def test_classes_have_limits_that_read_easily(self, values, labels):
        classes = classes_of(values, "nl")
        assert [k.label for k in classes] == labels
        assert len({k.colour for k in classes}) == len(classes)
        assert all(sum(k.low <= v < k.high for k in classes) == 1 for v in values)


class Loaded(HTMLParser):
    """Whatever a page would fetch: addresses in its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.policy = ""
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset", "data", "action", "poster")]
        if facts.get("http-equiv") == "Content-Security-Policy":
            self.policy = facts["content"]
        self._in_script = tag == "script"

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)


@pytest.fixture(scope="module")
def page(settings) -> str:
    return draw(settings, f"SELECT neighbourhood_code, recipients, '</script>' AS \"<b>\" {MONTH} -- <i>").page()


class TestFiles:
    def test_a_page_loads_nothing_from_anywhere(self, page):
        loaded = Loaded(page)
        assert loaded.addresses == []
        assert loaded.policy.startswith("default-src 'none';")
        assert not re.search(r"https?:|connect-src", loaded.policy)
        library, call = loaded.scripts
        assert len(library) > 500_000
        assert not re.search(r"https?://", page.replace(library, ""))
        assert call.startswith('vegaEmbed("#chart", {')

    def test_a_page_holds_the_figures_and_the_question_as_text(self, page):
        assert "<td>geen cijfer</td>" in page
        assert "<td class=number>400</td>" in page
        assert "<th>&lt;b&gt;</th>" in page and "-- &lt;i&gt;</pre>" in page
        assert '<html lang="nl">' in page

    @pytest.mark.parametrize("out", ["figuur", "figuur.png", "figuur.html", "2026.02"])
    def test_both_files_are_written_under_one_name(self, settings, tmp_path, monkeypatch, out):
        monkeypatch.setenv("GRONINGEN_DATA_DIR", str(settings.data_dir))
        name = out.removesuffix(".png").removesuffix(".html")
        sql = f"SELECT neighbourhood_name, income {MONTH}"
        done = CliRunner().invoke(app, ["chart", sql, "--out", str(tmp_path / out), "--title", "Inkomen"])
        assert done.exit_code == 0
        assert sorted(p.name for p in tmp_path.iterdir()) == [f"{name}.html", f"{name}.png"]
        assert (tmp_path / f"{name}.png").read_bytes().startswith(PNG)
        assert "<title>Inkomen</title>" in (tmp_path / f"{name}.html").read_text(encoding="utf-8")

    def test_the_command_says_what_it_left_out(self, settings, tmp_path, monkeypatch):
        monkeypatch.setenv("GRONINGEN_DATA_DIR", str(settings.data_dir))
        done = CliRunner().invoke(
            app, ["chart", "--out", str(tmp_path / "a"), "--language", "en"], input=f"SELECT neighbourhood_name, recipients, income {MONTH}"
        )  # fmt: skip
        assert "Not shown, because without a figure: 2." in done.output
