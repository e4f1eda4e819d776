"""Waste: the truck goes where it is needed."""

from groningen_data.cases.base import Case, Drawing, Question

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
       min(q_value) AS q_value
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
    "Which containers stand out week after week, and on which evidence?",
    """
SELECT container_code, any_value(location_name) AS location_name, any_value(fraction_code) AS fraction_code,
       mode(likely_cause_code) AS likely_cause_code,
       count(DISTINCT period_end_on) AS periods,
       round(avg(excess_ratio), 1) AS excess_ratio,
       max_by(alarm_hours, period_end_on) AS alarm_hours,
       max_by(bulky_items, period_end_on) AS bulky_items,
       max_by(works_250_m, period_end_on) AS works_250_m
FROM container_hotspots
GROUP BY container_code
ORDER BY periods DESC, excess_ratio DESC, container_code
LIMIT 10
""",
)
CASE = Case(
    name="waste",
    title="Waste: the truck goes where it is needed",
    needs=("container_hotspots",),
    questions=(HOTSPOT_QUESTION, CAUSE_QUESTION, LASTING_QUESTION),
    drawings=(
        Drawing(
            "hotspots_per_week",
            "Hotspots van bijplaatsingen: containers die opvallen, naar waarschijnlijke oorzaak",
            f"SELECT period_end_on, oorzaak AS waarschijnlijke_oorzaak, count(*) AS containers FROM (SELECT period_end_on, "
            f"container_code, {_CAUSE_NL} AS oorzaak FROM container_hotspots GROUP BY ALL) GROUP BY ALL",
            "line",
        ),
        Drawing(
            "hotspots_kaart",
            "Waar ligt afval vaker naast containers dan toeval verklaart?",
            "SELECT any_value(location_name) AS locatie, any_value(neighbourhood_code) AS neighbourhood_code, "
            "any_value(longitude) AS longitude, any_value(latitude) AS latitude, "
            f"{_CAUSE_NL} AS waarschijnlijke_oorzaak FROM container_hotspots "
            "WHERE period_end_on = (SELECT max(period_end_on) FROM container_hotspots) GROUP BY container_code",
            "map",
        ),
    ),
    not_for="finding or fining the households near a hotspot; judging an inspector, a driver or a neighbourhood; "
    "or concluding that a place without a hotspot is clean.",
)
