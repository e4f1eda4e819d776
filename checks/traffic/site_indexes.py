"""Suite of the measurement indexes: one version of the site table."""

from groningen_data.gate.suite import Expectation, usual_volume

SUITE = (
    Expectation(
        "usual_volume",
        "expect_table_row_count_to_be_between",
        "The table describes about as many indexes as earlier versions.",
        severity="warning",
        kwargs=usual_volume(0.8, 1.25),
    ),
    Expectation(
        "flows_are_there",
        "unexpected_rows_expectation",
        "Some index measures a flow; otherwise the table says nothing about counts.",
        kwargs={"unexpected_rows_query": "SELECT count(*) FROM {batch} HAVING count(*) FILTER (WHERE quantity = 'flow') = 0"},
    ),
    Expectation(
        "most_sites_count_all_vehicles",
        "unexpected_rows_expectation",
        "Most sites with flows have an index of all vehicles; otherwise their classes cannot be added up.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM (SELECT bool_or(vehicle_class = 'any') AS has_any FROM {batch} "
            "WHERE quantity = 'flow' GROUP BY site_id, site_version) HAVING count(*) FILTER (WHERE has_any) < 0.8 * count(*)"
        },
    ),
    Expectation(
        "classes_are_told",
        "unexpected_rows_expectation",
        "Nearly every flow or speed says of which vehicles it is.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE quantity <> 'other' "
            "HAVING count(*) FILTER (WHERE vehicle_class = 'unknown') > 0.05 * count(*)"
        },
    ),
    Expectation(
        "lanes_are_counted_once",
        "unexpected_rows_expectation",
        "Hardly any lane of a site has two indexes for the flow of all vehicles.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT sum(n - 1) FROM (SELECT count(*) AS n FROM {batch} WHERE quantity = 'flow' AND "
            "vehicle_class = 'any' GROUP BY site_id, site_version, lane_code) HAVING sum(n - 1) > 0.02 * sum(n)"
        },
    ),
    Expectation(
        "one_version_of_a_site",
        "unexpected_rows_expectation",
        "Hardly any site stands in the table in more than one version.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM (SELECT count(DISTINCT site_version) AS versions FROM {batch} GROUP BY site_id) "
            "HAVING count(*) FILTER (WHERE versions > 1) > 0.05 * count(*)"
        },
    ),
    Expectation(
        "sites_have_a_place",
        "unexpected_rows_expectation",
        "Nearly every site with flows says where it is.",
        severity="warning",
        kwargs={
            "unexpected_rows_query": "SELECT count(*) FROM {batch} WHERE quantity = 'flow' HAVING count(longitude) < 0.9 * count(*)"
        },
    ),
)
