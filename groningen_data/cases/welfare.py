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
CASE = Case(
    name="welfare",
    title="Welfare: fewer errors and more help, without profiling people",
    needs=("error_patterns",),
    questions=(ERROR_QUESTION, STEP_QUESTION, CHANNEL_QUESTION),
    drawings=(
        Drawing(
            "fouten_per_processtap",
            "Waar in het proces ontstaan fouten? Afgesloten zaken per processtap, 2025",
            "SELECT process_step_code, sum(closed_cases) AS closed_cases FROM error_patterns "
            "WHERE level_code = 'process_step' AND period_code = '2025JJ00' GROUP BY ALL ORDER BY closed_cases DESC",
            "bar",
        ),
    ),
    not_for="selecting, scoring or ranking persons, households or neighbourhoods for an investigation; "
    "stopping, lowering or reclaiming a benefit; or saying anything about one person.",
)
