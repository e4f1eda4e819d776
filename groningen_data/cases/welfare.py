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
SELECT process_step_code, left(period_code, 4) AS year, closed_cases,
       closed_cases - lag(closed_cases) OVER (PARTITION BY process_step_code ORDER BY period_code) AS more_than_the_year_before,
       amount_eur
FROM error_patterns
WHERE level_code = 'process_step' AND period_code LIKE '%JJ00'
ORDER BY max(closed_cases) OVER (PARTITION BY process_step_code) DESC, period_code
""",
)
CHANNEL_QUESTION = Question(
    "Through which channel did the information come that was wrong, per quarter?",
    """
SELECT period_code, channel_code, closed_cases
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
RULE_QUESTION = Question(
    "Does each signal rule find more than chance does, and which of them are stopped?",
    """
SELECT rule_id, rule_version, status_code, suspended_on, checks_to_date AS checks, unlawful_to_date AS unlawful,
       unlawful_low_pct || ' to ' || unlawful_high_pct || ' %' AS found, chance_low_pct || ' to ' || chance_high_pct || ' %' AS by_chance
FROM signal_rules JOIN signal_rule_results USING (rule_id, rule_version)
QUALIFY month_on = max(month_on) OVER (PARTITION BY rule_id, rule_version)
ORDER BY rule_id, rule_version
""",
)
REGISTER_QUESTION = Question(
    "What does each rule ask, on what legal ground, and until when?",
    """
SELECT rule_id, rule_version, condition, legal_basis, valid_to, status_code, status_reason
FROM signal_rules
ORDER BY rule_id, rule_version
""",
)
TASK_QUESTION = Question(
    "How many facts wait until somebody asks about them?",
    """
SELECT rule_id, month_on AS received_in, tasks, tasks_suppressed
FROM signal_task_counts
ORDER BY rule_id, received_in
""",
)
DRAW_QUESTION = Question(
    "Was the random sample drawn by chance only: what was committed to, drawn and shown afterwards?",
    """
SELECT month_on, status_code, committed_on, drawn_on, eligible_cases, drawn_cases, planned_checks,
       left(commitment_sha256, 12) AS commitment, left(list_sha256, 12) AS list, left(seed, 12) AS seed,
       sha256(seed) = commitment_sha256 AS seed_is_that_of_the_commitment
FROM random_sample_draws
ORDER BY month_on DESC
LIMIT 12
""",
)
RULE_DRAWING = Drawing(
    "regels_en_toeval",
    "Van elke 100 controles: hoeveel keer klopte de uitkering niet? Per regel, en bij toeval",
    "SELECT CASE rule_id WHEN 'random_sample' THEN 'Toeval (steekproef)' ELSE title_nl || CASE status_code WHEN 'suspended' "
    "THEN ' (geschorst)' WHEN 'in_force' THEN ' (in gebruik)' ELSE '' END END AS regel, "
    "round(100 * unlawful_to_date / checks_to_date) AS onrechtmatig_per_100 "
    "FROM signal_rule_results LEFT JOIN signal_rules USING (rule_id, rule_version) WHERE unlawful_to_date IS NOT NULL "
    "QUALIFY month_on = max(month_on) OVER (PARTITION BY rule_id, rule_version) ORDER BY onrechtmatig_per_100 DESC",
    "bar",
)
CASE = Case(
    name="welfare",
    title="Welfare: fewer errors and more help, without profiling people",
    needs=("error_patterns",),
    questions=(
        ERROR_QUESTION,
        STEP_QUESTION,
        CHANNEL_QUESTION,
        RULE_QUESTION,
        REGISTER_QUESTION,
        TASK_QUESTION,
        DRAW_QUESTION,
        INCIDENT_QUESTION,
        AUDIT_QUESTION,
        REACHED_QUESTION,
        NOT_TAKEN_UP_QUESTION,
        GAP_QUESTION,
    ),
    drawings=(
        Drawing(
            "fouten_per_processtap",
            "Waar in het proces ontstaan fouten? Afgesloten zaken per processtap in het laatste jaar",
            "SELECT CASE process_step_code WHEN 'change_report' THEN 'wijziging doorgeven' WHEN 'income_statement' THEN "
            "'inkomstenopgave' WHEN 'application' THEN 'aanvraag' WHEN 'review' THEN 'heronderzoek' WHEN 'termination' THEN "
            "'beëindiging' ELSE process_step_code END AS processtap, closed_cases FROM error_patterns WHERE level_code = 'process_step' "
            "AND period_code = (SELECT max(period_code) FROM error_patterns WHERE period_code LIKE '%JJ00') ORDER BY closed_cases DESC",
            "bar",
        ),
        RULE_DRAWING,
        AUDIT_DRAWING,
        REACHED_DRAWING,
        GAP_DRAWING,
    ),
    not_for="selecting, scoring or ranking persons, households or neighbourhoods for an investigation; "
    "stopping, lowering or reclaiming a benefit; or saying anything about one person.",
)
