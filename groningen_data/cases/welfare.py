"""Welfare: fewer errors and more help, without profiling people."""

from groningen_data.cases.base import Case, Drawing, Question

ERROR_QUESTION = Question(
    "Which causes, steps and channels go together in errors more often than each by itself would let expect?",
    """
WITH cells AS (
    SELECT cause_code, process_step_code, channel_code, sum(closed_cases) AS cases
    FROM error_patterns
    WHERE level_code = 'cause_step_channel' AND period_code LIKE '%JJ00'
    GROUP BY ALL
), total AS (
    SELECT sum(closed_cases) AS cases FROM error_patterns WHERE level_code = 'total' AND period_code LIKE '%JJ00'
), share AS (
    SELECT coalesce(nullif(cause_code, 'all'), nullif(process_step_code, 'all'), channel_code) AS code, level_code,
           sum(closed_cases) / any_value(total.cases) AS share
    FROM error_patterns, total
    WHERE level_code IN ('cause', 'process_step', 'channel') AND period_code LIKE '%JJ00'
    GROUP BY ALL
)
SELECT cause_code, process_step_code, channel_code, cells.cases,
       round(total.cases * c.share * s.share * k.share) AS expected_cases,
       round(cells.cases / (total.cases * c.share * s.share * k.share), 1) AS ratio
FROM cells, total
JOIN share c ON c.level_code = 'cause' AND c.code = cells.cause_code
JOIN share s ON s.level_code = 'process_step' AND s.code = cells.process_step_code
JOIN share k ON k.level_code = 'channel' AND k.code = cells.channel_code
WHERE cells.cases >= 50
ORDER BY ratio DESC, cells.cases DESC
LIMIT 5
""",
)
STEP_QUESTION = Question(
    "At which step of the process do errors arise, and is it getting better?",
    """
SELECT process_step_code,
       sum(closed_cases) FILTER (period_code LIKE '2023%') AS cases_2023,
       sum(closed_cases) FILTER (period_code LIKE '2024%') AS cases_2024,
       sum(closed_cases) FILTER (period_code LIKE '2025%') AS cases_2025,
       sum(amount_eur) FILTER (period_code LIKE '2025%') AS amount_2025_eur
FROM error_patterns
WHERE level_code = 'process_step' AND period_code LIKE '%JJ00'
GROUP BY ALL
ORDER BY cases_2025 DESC NULLS LAST
""",
)
CHANNEL_QUESTION = Question(
    "Through which channel did the information come that was wrong, per quarter?",
    """
SELECT period_code, channel_code, closed_cases, closed_cases_suppressed
FROM error_patterns
WHERE level_code = 'channel' AND period_code LIKE '%KW%'
ORDER BY period_code DESC, closed_cases DESC
LIMIT 10
""",
)
INCIDENT_QUESTION = Question(
    "Which selection hits a group more often, or more often wrongly, than the group beside it?",
    """
SELECT process_code, measure_code, characteristic_code, group_code, reference_group_code, ratio, ratio_lower, ratio_upper,
       opened_on, status_code, consequence_code
FROM bias_incidents
WHERE status_code <> 'closed'
ORDER BY process_code, measure_code
""",
)
AUDIT_QUESTION = Question(
    "What can the audit tell of each selection, and of what can it tell nothing because too few people are selected?",
    """
SELECT process_code, period_code,
       count(*) FILTER (verdict_code = 'breach') AS breaches,
       count(*) FILTER (verdict_code = 'alike') AS alike,
       count(*) FILTER (verdict_code = 'inconclusive') AS inconclusive,
       count(*) FILTER (verdict_code = 'withheld') AS withheld
FROM bias_audit
WHERE measure_code IN ('selection', 'false_positive')
GROUP BY ALL
ORDER BY period_code DESC, process_code
""",
)
REACHED_QUESTION = Question(
    "Through which partner are households in arrears reached, and how many accept help?",
    """
SELECT partner_code, sum(households) AS households, sum(tried_households) AS tried, sum(reached_households) AS reached,
       sum(helped_households) AS helped,
       round(100 * sum(reached_households) / sum(tried_households)) AS reached_pct,
       round(100 * sum(helped_households) / sum(reached_households)) AS helped_pct
FROM help_first_funnel
WHERE level_code = 'partner'
  AND period_code IN (SELECT DISTINCT period_code FROM help_first_funnel ORDER BY period_code DESC LIMIT 4)
GROUP BY ALL
ORDER BY reached_pct DESC
""",
)
NOT_TAKEN_UP_QUESTION = Question(
    "In which neighbourhoods is most often nothing done with a signal?",
    """
SELECT neighbourhood_name, sum(households) AS households, sum(not_taken_up_households) AS not_taken_up,
       round(100 * sum(not_taken_up_households) / sum(households)) AS not_taken_up_pct
FROM help_first_funnel JOIN reference_neighbourhoods USING (neighbourhood_code)
WHERE level_code = 'neighbourhood'
GROUP BY ALL
HAVING count(not_taken_up_households) = count(*) AND count(*) >= 4
ORDER BY not_taken_up_pct DESC, households DESC
LIMIT 5
""",
)
GAP_QUESTION = Question(
    "Where do most households with a low income live without social assistance, so that people should be told about help there?",
    """
SELECT neighbourhood_name, year, households, low_income_households, recipients, unassisted_households, unassisted_per_100
FROM help_first_gap
WHERE unassisted_households IS NOT NULL
ORDER BY unassisted_per_100 DESC, unassisted_households DESC
LIMIT 8
""",
)
AUDIT_DRAWING = Drawing(
    "hoe_vaak_geselecteerd",
    "Hoeveel keer zo vaak als de vergelijkingsgroep is een groep geselecteerd? (toeval?: te weinig mensen om het te weten)",
    "SELECT CASE process_code WHEN 'human_selection' THEN 'Medewerkers' WHEN 'random_sample' THEN 'Steekproef' "
    "ELSE 'Regel ' || process_code END || ': ' || replace(group_code, '_', ' ') || CASE verdict_code "
    "WHEN 'breach' THEN ' (staat vast)' WHEN 'alike' THEN ' (gelijk)' ELSE ' (toeval?)' END AS wie_en_wat, ratio "
    "FROM bias_audit WHERE measure_code = 'selection' AND ratio IS NOT NULL "
    "AND period_end_on = (SELECT max(period_end_on) FROM bias_audit)",
    "bar",
)
REACHED_DRAWING = Drawing(
    "bereikt_per_partner",
    "Vroegsignalen: bij hoeveel van de 100 huishoudens lukt het contact?",
    "SELECT period_end_on, CASE partner_code WHEN 'landlord' THEN 'verhuurder' WHEN 'energy_supplier' THEN 'energieleverancier' "
    "WHEN 'water_company' THEN 'waterbedrijf' WHEN 'health_insurer' THEN 'zorgverzekeraar' ELSE partner_code END AS partner, "
    "reached_per_100 FROM help_first_funnel WHERE level_code = 'partner' AND reached_per_100 IS NOT NULL",
    "line",
)
GAP_DRAWING = Drawing(
    "laag_inkomen_zonder_bijstand",
    "Hoeveel van de 100 huishoudens hebben een laag inkomen en geen bijstand? (ten minste)",
    "SELECT neighbourhood_code, unassisted_per_100, unassisted_per_100_suppressed FROM help_first_gap",
    "map",
)
CASE = Case(
    name="welfare",
    title="Welfare: fewer errors and more help, without profiling people",
    needs=("error_patterns",),
    questions=(
        ERROR_QUESTION,
        STEP_QUESTION,
        CHANNEL_QUESTION,
        INCIDENT_QUESTION,
        AUDIT_QUESTION,
        REACHED_QUESTION,
        NOT_TAKEN_UP_QUESTION,
        GAP_QUESTION,
    ),
    drawings=(
        Drawing(
            "fouten_per_processtap",
            "Waar in het proces ontstaan fouten? Afgesloten zaken per processtap, 2025",
            "SELECT process_step_code, sum(closed_cases) AS closed_cases FROM error_patterns "
            "WHERE level_code = 'process_step' AND period_code = '2025JJ00' GROUP BY ALL ORDER BY closed_cases DESC",
            "bar",
        ),
        AUDIT_DRAWING,
        REACHED_DRAWING,
        GAP_DRAWING,
    ),
    not_for="selecting, scoring or ranking persons, households or neighbourhoods for an investigation; "
    "stopping, lowering or reclaiming a benefit; or saying anything about one person.",
)
