"""Traffic: which intersections jam, when, and whether the counts can be trusted."""

from groningen_data.cases.base import Case, Drawing, Question

RANKING = Question(
    "Which intersections are congested, at which part of the week, and does that recur?",
    """
SELECT intersection_name, period_code, congestion_kind, kind_missing_reason AS why_not,
       round(saturated_min_per_h, 1) AS saturated_min_per_h,
       ordinary_congested_days || ' of ' || ordinary_days AS congested_days,
       round(congested_share_low, 2) AS share_low, round(congested_share_high, 2) AS share_high,
       round(volume_capacity_ratio, 2) AS volume_capacity, round(trusted_share, 2) AS trusted_share
FROM congestion_ranking
WHERE saturated_min_per_h > 0
ORDER BY saturated_min_per_h DESC, intersection_name
LIMIT 15
""",
)
CAUSES = Question(
    "How much of the congestion falls on holidays, on events and works, or in bad weather?",
    """
SELECT intersection_name, period_code,
       ordinary_congested_days || ' of ' || ordinary_days AS ordinary,
       holiday_congested_days || ' of ' || holiday_days AS holidays,
       event_congested_days || ' of ' || event_days AS events_and_works,
       bad_weather_congested_days || ' of ' || bad_weather_days AS bad_weather
FROM congestion_ranking
WHERE ordinary_congested_days + holiday_congested_days + event_congested_days + bad_weather_congested_days > 0
ORDER BY ordinary_congested_days DESC, intersection_name, period_code
LIMIT 15
""",
)
APPROACHES = Question(
    "Which approach makes an intersection jam, and what does it cost those who stand there?",
    """
SELECT i.intersection_name, i.approach_name, a.local_hour,
       round(avg(a.saturated_minutes), 1) AS saturated_minutes,
       round(avg(a.volume_capacity_ratio), 2) AS volume_capacity, any_value(a.capacity_method) AS capacity_method,
       mode(a.los_code) AS los_code,
       round(avg(a.delay_s_per_km)) AS delay_s_per_km,
       round(avg(a.vehicle_loss_h_per_km), 1) AS vehicle_loss_h_per_km
FROM approach_hour a JOIN intersection_approach i USING (site_id)
WHERE a.weekday <= 5 AND a.local_date > (SELECT max(local_date) FROM approach_hour) - 28
GROUP BY i.intersection_name, i.approach_name, a.site_id, a.local_hour
HAVING avg(a.saturated_minutes) >= 2
ORDER BY saturated_minutes DESC, i.intersection_name
LIMIT 15
""",
)
DETECTORS = Question(
    "Which detectors cannot be trusted or ask for a look, and why?",
    """
SELECT site_id, series_code, coalesce(untrusted_reason, 'drifting') AS reason, count(*) AS days,
       min(local_date) AS first_on, max(local_date) AS last_on, round(max_by(deviation_pct, local_date)) AS deviation_pct
FROM site_quality
WHERE feed_code = 'loops' AND (NOT is_trusted OR is_drifting)
GROUP BY ALL
ORDER BY days DESC, site_id, series_code
LIMIT 20
""",
)
TRENDS = Question(
    "Where does traffic grow or shrink beyond chance, and beyond holidays and rain?",
    """
SELECT intersection_name, period_code, round(trend_pct_week, 2) AS trend_pct_week,
       round(trend_low_pct_week, 2) AS low, round(trend_high_pct_week, 2) AS high,
       CASE WHEN has_drifting_detector THEN 'a detector drifts: mend it first' END AS note
FROM congestion_ranking
WHERE is_trend_clear
ORDER BY abs(trend_pct_week) DESC, intersection_name, period_code
LIMIT 15
""",
)
MEASURES = Question(
    "What did each measure do to traffic, and how certain is that?",
    """
SELECT measure_id, title_nl, starts_on, expected_effect_pct AS expected_pct, verdict_code, verdict_reason,
       round(effect_pct, 1) AS effect_pct, round(effect_low_pct, 1) AS low, round(effect_high_pct, 1) AS high,
       round(p_value, 3) AS p_value, round(placebo_space_p_value, 3) AS placebo_share,
       round(detectable_effect_pct, 1) AS detectable_pct, doubts, days_before, days_after, control_sites
FROM measure_effect
ORDER BY starts_on, measure_id
""",
)
MEASURES_SQL = """
WITH days AS (
    SELECT measure_id, title_nl, starts_on, local_date, site_id,
           list_contains(string_split(any_value(site_ids), ','), site_id) AS is_at_measure, ln(sum(vehicles)) AS level
    FROM measure_effect JOIN site_hour ON list_contains(string_split(site_ids || ',' || control_site_ids, ','), site_id)
    WHERE verdict_code <> 'too_little_data' AND outcome_code = 'flow'
    GROUP BY measure_id, title_nl, starts_on, local_date, site_id
    HAVING sum(good_intervals) >= 0.8 * sum(expected_intervals) AND sum(vehicles) > 0
), compared AS (
    SELECT *, level - avg(level) FILTER (local_date < starts_on) OVER (PARTITION BY measure_id, site_id) AS above
    FROM days
), ratios AS (
    SELECT title_nl || ', vanaf ' || strftime(starts_on, '%-d-%-m-%Y') AS title_nl, local_date,
           avg(above) FILTER (is_at_measure) - median(above) FILTER (NOT is_at_measure) AS ratio
    FROM compared
    GROUP BY ALL
)
SELECT date_trunc('week', local_date)::DATE AS week, title_nl, 100 * (exp(avg(ratio)) - 1) AS effect_pct
FROM ratios
GROUP BY ALL
HAVING count(*) >= 5
ORDER BY ALL
"""
MAP_SQL = """
SELECT longitude, latitude, intersection_name, max(saturated_min_per_h) AS saturated_min_per_h
FROM congestion_ranking
WHERE longitude IS NOT NULL
GROUP BY longitude, latitude, intersection_name
"""
CASE = Case(
    name="traffic",
    title="Traffic: counts for less congestion at intersections",
    needs=("congestion_ranking",),
    questions=(RANKING, CAUSES, APPROACHES, DETECTORS, TRENDS, MEASURES),
    drawings=(
        Drawing(
            "kruispunten_met_file",
            "Op welke kruispunten rijdt het verkeer in de avondspits het langst hoogstens half zo snel als bij vrije weg?",
            "SELECT intersection_name, saturated_min_per_h FROM congestion_ranking "
            "WHERE period_code = 'evening_peak' AND rank <= 12 AND saturated_min_per_h > 0 ORDER BY rank",
            "bar",
        ),
        Drawing(
            "verloop_van_de_dag",
            "Minuten per uur met hoogstens de halve vrije snelheid, op werkdagen: de kruispunten die in de avondspits het meest vastlopen",
            "SELECT local_hour, intersection_name, avg(saturated_minutes) AS saturated_minutes "
            "FROM intersection_hour JOIN congestion_ranking USING (intersection_code) "
            "WHERE period_code = 'evening_peak' AND rank <= 3 AND saturated_min_per_h > 0 AND weekday <= 5 GROUP BY ALL",
            "line",
        ),
        Drawing(
            "effect_van_maatregelen",
            "Hoeveel verkeer rijdt er bij maatregelen, vergeleken met elders? Verschil met de tijd ervoor",
            MEASURES_SQL,
            "line",
        ),
        Drawing(
            "kruispunten_kaart",
            "Waar loopt het verkeer vast? Minuten per uur met hoogstens de halve vrije snelheid, in het drukste dagdeel",
            MAP_SQL,
            "map",
        ),
    ),
    not_for="judging drivers or single vehicles; comparing intersections of which approaches are not measured; stating how long "
    "a queue is or what somebody waits before a stop line; or blaming a road for what a detector got wrong.",
)
