"""Waste: the truck goes where it is needed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from groningen_data.cases.base import Case, Drawing, Question

if TYPE_CHECKING:
    from groningen_data.settings import Settings

# Of several tests of one container, the one that is surest tells the cause.
_CAUSE_NL = (
    "CASE arg_min(likely_cause_code, q_value) WHEN 'full_container' THEN 'volle container' WHEN 'weekday' THEN 'vaste weekdag' "
    "WHEN 'bulky_waste' THEN 'grofvuil' WHEN 'construction' THEN 'bouwafval' ELSE 'niet verklaard' END"
)
HOTSPOT_QUESTION = Question(
    "Where does waste lie beside containers more than chance would have it, and what is the likely cause?",
    """
SELECT hotspot_code,
       max_by(neighbourhood_name, excess_ratio) AS neighbourhood_name,
       mode(likely_cause_code) AS likely_cause_code,
       string_agg(DISTINCT test_code, ', ' ORDER BY test_code) AS tests,
       count(DISTINCT container_code) AS containers,
       max_by(observed, excess_ratio) AS observed,
       round(max_by(expected, excess_ratio), 1) AS expected,
       round(min(q_value), 4) AS q_value
FROM container_hotspots JOIN reference_neighbourhoods USING (neighbourhood_code)
WHERE period_end_on = (SELECT max(period_end_on) FROM container_hotspots)
GROUP BY hotspot_code
ORDER BY containers DESC, q_value
LIMIT 12
""",
)
CAUSE_QUESTION = Question(
    "Which causes lie behind the hotspots, and is it getting better?",
    """
SELECT period_end_on, likely_cause_code, count(DISTINCT hotspot_code) AS hotspots, count(DISTINCT container_code) AS containers
FROM container_hotspots
GROUP BY ALL
ORDER BY period_end_on DESC, containers DESC
LIMIT 15
""",
)
LASTING_QUESTION = Question(
    "Which places stand out week after week, the most lasting of each neighbourhood, and on which evidence?",
    """
WITH places AS (
    SELECT neighbourhood_name, location_name, mode(likely_cause_code) AS likely_cause_code,
           string_agg(DISTINCT test_code, ', ' ORDER BY test_code) AS tests,
           count(DISTINCT period_end_on) AS periods,
           round(median(excess_ratio), 1) AS excess_ratio,
           max_by(alarm_hours, period_end_on) AS alarm_hours,
           max_by(bulky_items, period_end_on) AS bulky_items,
           max_by(works_250_m, period_end_on) AS works_250_m
    FROM container_hotspots JOIN reference_neighbourhoods USING (neighbourhood_code)
    GROUP BY ALL
)
SELECT * FROM places
QUALIFY row_number() OVER (PARTITION BY neighbourhood_name ORDER BY periods DESC, excess_ratio DESC, location_name) = 1
ORDER BY periods DESC, excess_ratio DESC, location_name
LIMIT 10
""",
)
OUTLOOK_QUESTION = Question(
    "Which containers will overflow first if they are not emptied, and how sure is that?",
    """
SELECT container_code, neighbourhood_name, fraction_code, last_fill_pct, round(usual_inflow_pct, 1) AS usual_inflow_pct,
       overflow_early_at, overflow_at, overflow_late_at, round(overflow_probability, 2) AS overflow_probability_first_day
FROM container_outlook
JOIN container_forecast f USING (container_code)
LEFT JOIN reference_neighbourhoods USING (neighbourhood_code)
WHERE overflow_status_code = 'expected' AND f.horizon_days = 1
ORDER BY overflow_at, container_code
LIMIT 12
""",
)
SCORES_QUESTION = Question(
    "How far are the forecasts off, and are they better than simple ones?",
    """
SELECT horizon_days,
       round(avg(fill_mae_pct) FILTER (model_code = 'fill_model'), 1) AS fill_model,
       round(avg(fill_mae_pct) FILTER (model_code = 'last_rate'), 1) AS last_rate,
       round(avg(fill_mae_pct) FILTER (model_code = 'same_weekday'), 1) AS same_weekday,
       round(avg(fill_mae_pct) FILTER (model_code = 'mean_28_days'), 1) AS mean_28_days,
       round(avg(coverage_80), 2) AS coverage_80,
       min(forecasts) AS forecasts
FROM forecast_scores
WHERE month = (SELECT max(month) FROM forecast_scores)
GROUP BY horizon_days
ORDER BY horizon_days
""",
)
ROUNDS_QUESTION = Question(
    "Which rounds are proposed for tomorrow, and why these containers?",
    """
SELECT planned_on, fraction_code, vehicle_code, stops, overflow_likely_stops, fixed_day_stops,
       round(distance_km, 1) AS distance_km, round(load_kg) AS load_kg, tippings, first_stop_at, end_at
FROM collection_round
ORDER BY fraction_code, vehicle_code
""",
)
BACKTEST_QUESTION = Question(
    "Would the plan have done better than the fixed schedule?",
    """
SELECT fraction_code, min(local_date) AS week_from, policy_code,
       sum(overfull_hours) AS overfull_hours,
       round(sum(expected_reports), 1) AS expected_reports,
       round(sum(distance_km)) AS distance_km,
       sum(stops) AS stops,
       round(sum(weight_kg) / 1000 / sum(work_hours), 2) AS tonnes_per_hour,
       round(sum(work_hours)) AS work_hours,
       round(avg(fill_at_emptying_pct)) AS fill_at_emptying_pct
FROM collection_backtest
GROUP BY fraction_code, month, policy_code
ORDER BY fraction_code, week_from DESC, policy_code
""",
)
_FRACTION_NL = (
    "CASE fraction_code WHEN 'residual' THEN 'restafval' WHEN 'paper' THEN 'papier' WHEN 'glass' THEN 'glas' "
    "WHEN 'plastic' THEN 'plastic' WHEN 'organic' THEN 'gft' WHEN 'textile' THEN 'textiel' ELSE 'niet bekend' END"
)
# Told below the title: which fractions are replayed is a setting.
_REPLAYED_NL = f"(SELECT string_agg(DISTINCT {_FRACTION_NL}, ', ') FROM collection_backtest) AS fracties"
_POLICY_NL = (
    "CASE policy_code WHEN 'plan' THEN 'routevoorstel' WHEN 'fixed_schedule' THEN 'vast rooster' "
    "ELSE 'vast rooster, kortere volgorde' END"
)


def _pages(settings: "Settings") -> Mapping[str, str]:
    from groningen_data.serving.round_pages import pages

    return pages(settings)


CASE = Case(
    name="waste",
    title="Waste: the truck goes where it is needed",
    needs=("container_hotspots", "container_forecast", "collection_round"),
    questions=(
        HOTSPOT_QUESTION,
        CAUSE_QUESTION,
        LASTING_QUESTION,
        OUTLOOK_QUESTION,
        SCORES_QUESTION,
        ROUNDS_QUESTION,
        BACKTEST_QUESTION,
    ),
    drawings=(
        Drawing(
            "hotspots_per_week",
            "Containers die opvallen door afval ernaast, naar waarschijnlijke oorzaak. De eerste perioden tellen minder dagen en vinden dus minder",
            f"SELECT period_end_on, oorzaak AS waarschijnlijke_oorzaak, count(*) AS containers FROM (SELECT period_end_on, "
            f"container_code, {_CAUSE_NL} AS oorzaak FROM container_hotspots GROUP BY ALL) GROUP BY ALL",
            "line",
        ),
        Drawing(
            "hotspots_kaart",
            "Waar ligt afval vaker naast containers dan toeval verklaart?",
            "SELECT any_value(location_name) AS locatie, any_value(neighbourhood_code) AS neighbourhood_code, "
            "any_value(longitude) AS longitude, any_value(latitude) AS latitude, "
            f"max(period_end_on) AS period_end_on, {_CAUSE_NL} AS waarschijnlijke_oorzaak FROM container_hotspots "
            "WHERE period_end_on = (SELECT max(period_end_on) FROM container_hotspots) GROUP BY container_code",
            "map",
        ),
        Drawing(
            "voorspelling_overvol",
            "Hoeveel containers lopen over als er niet geleegd wordt?",
            f"SELECT forecast_on, {_FRACTION_NL} AS fractie, round(sum(overflow_probability))::BIGINT AS verwacht_aantal_containers "
            "FROM container_forecast JOIN container_outlook USING (container_code) GROUP BY ALL",
            "line",
        ),
        Drawing(
            "voorspelling_kaart",
            "Waar lopen op de eerste voorspelde dag de meeste containers over als er niet geleegd wordt?",
            "SELECT neighbourhood_code, round(sum(overflow_probability), 1) AS verwacht_aantal_containers FROM container_forecast "
            "JOIN container_outlook USING (container_code) WHERE horizon_days = 1 AND neighbourhood_code IS NOT NULL GROUP BY ALL",
            "map",
        ),
        Drawing(
            "voorspelling_fout",
            "Hoe ver zit een voorspelling van drie dagen vooruit ernaast?",
            "SELECT CASE model_code WHEN 'fill_model' THEN 'vulmodel' WHEN 'last_rate' THEN 'tempo van gisteren' WHEN 'same_weekday' "
            "THEN 'zelfde weekdag' ELSE 'gemiddelde van vier weken' END AS voorspelling, round(fill_mae_pct, 1) AS fill_mae_pct "
            "FROM forecast_scores WHERE horizon_days = 3 AND month = (SELECT max(month) FROM forecast_scores)",
            "bar",
        ),
        Drawing(
            "routevoorstel_kaart",
            "Welke containers stelt de route van morgen voor, en waarom?",
            "SELECT container_code AS container, neighbourhood_code, longitude, latitude, CASE stop_reason_code "
            "WHEN 'overflow_likely' THEN 'waarschijnlijk overvol' WHEN 'overflow_possible' THEN 'mogelijk overvol' "
            "WHEN 'on_the_way' THEN 'ligt op de weg' ELSE 'vaste dag: niet gemeten' END AS reden "
            "FROM collection_plan WHERE call_kind = 'container'",
            "map",
        ),
        Drawing(
            "terugtoets_overvol",
            "Uren overvol per week: routevoorstel naast vast rooster",
            f"SELECT {_POLICY_NL} AS werkwijze, {_REPLAYED_NL}, "
            "round(sum(overfull_hours) / count(DISTINCT month))::BIGINT AS overfull_hours FROM collection_backtest GROUP BY ALL",
            "bar",
        ),
        Drawing(
            "terugtoets_km",
            "Kilometers per week: routevoorstel naast vast rooster",
            f"SELECT {_POLICY_NL} AS werkwijze, {_REPLAYED_NL}, "
            "round(sum(distance_km) / count(DISTINCT month))::BIGINT AS distance_km FROM collection_backtest GROUP BY ALL",
            "bar",
        ),
    ),
    not_for="finding or fining the households near a hotspot; judging an inspector, a driver or a neighbourhood; "
    "or concluding that a place without a hotspot is clean.",
    pages=_pages,
)
