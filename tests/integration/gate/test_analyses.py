"""Tables that an analysis makes: frames of Python over published tables, through the same gate."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from ibis import _

from groningen_data.errors import GroningenError
from groningen_data.gate.recipe import Analysis, AnalysisContext, Recipe
from tests.integration.gate.house import APRIL, MONDAY, TALLIES, TUESDAY, contract, outcomes

TOTALS = contract(name="core.waste_totals", load_mode="snapshot", partition_columns=())


def doubled(context: AnalysisContext):
    tallies = context.table(TALLIES)
    context.notes["least"] = 2
    yield context.frame(tallies.filter(tallies.tally > 1)).with_columns(pl.col("tally") * context.settings.fetch_retries)


RECIPE = Recipe(TOTALS, (), uses=(TALLIES,), analysis=Analysis(doubled, settings=("fetch_retries",)))


@pytest.fixture
def delivered(house):
    house.deliver("a.json", {MONDAY: [("a", 1), ("b", 2)], TUESDAY: [("a", 3)]})
    house.refresh()
    return house


def totals(house):
    return house.ask("SELECT container_id, tally FROM lake.core.waste_totals ORDER BY ALL")


def test_its_frames_are_published_with_its_notes(delivered):
    assert outcomes(delivered.refresh(RECIPE)) == {"snapshot": "published"}
    retries = delivered.settings.fetch_retries
    assert totals(delivered) == [("a", 3 * retries), ("b", 2 * retries)]


def test_it_is_made_anew_when_its_inputs_its_version_or_its_settings_change_and_only_then(delivered):
    delivered.refresh(RECIPE)
    assert outcomes(delivered.refresh(RECIPE)) == {}
    newer = replace(RECIPE, analysis=replace(RECIPE.analysis, version=2))
    assert outcomes(delivered.refresh(newer)) == {"snapshot": "unchanged"}
    delivered.settings = delivered.settings.model_copy(update={"fetch_retries": 7})
    delivered.lakehouse = replace(delivered.lakehouse, settings=delivered.settings)
    assert outcomes(delivered.refresh(newer)) == {"snapshot": "published"}
    delivered.deliver("b.json", {TUESDAY: [("a", 5)]})
    delivered.refresh()
    assert outcomes(delivered.refresh(newer)) == {"snapshot": "published"}
    assert totals(delivered) == [("a", 35), ("b", 14)]


def test_one_that_fails_is_rejected_says_where_and_leaves_what_was_published(delivered):
    delivered.refresh(RECIPE)
    before = totals(delivered)

    def broken(context: AnalysisContext):
        yield context.frame(context.table(TALLIES)).head(1)
        raise ValueError("a row of somebody")

    result = delivered.refresh(replace(RECIPE, analysis=Analysis(broken)))
    assert outcomes(result) == {"snapshot": "rejected"}
    assert "cannot be computed (ValueError in test_analyses.py:" in result.rejected[0].reason
    assert "somebody" not in result.rejected[0].reason
    assert totals(delivered) == before


def test_it_reads_only_what_its_recipe_names(delivered):
    delivered.refresh(RECIPE)
    with pytest.raises(GroningenError, match="without naming it"):
        delivered.refresh(replace(RECIPE, uses=("core.waste_totals",)))


def test_a_monthly_one_publishes_only_rows_of_the_month_being_made(delivered):
    monthly = contract(name="core.waste_totals", partition_columns=("counted_on",))

    def all_days(context: AnalysisContext):
        per_month = context.table(TALLIES).group_by(counted_on=_.counted_on.truncate("M"), container_id=_.container_id)
        yield context.frame(per_month.aggregate(tally=_.tally.sum()))

    delivered.deliver("c.json", {APRIL: [("c", 1)]})
    delivered.refresh()
    recipe = Recipe(monthly, (), uses=(TALLIES,), analysis=Analysis(all_days))
    result = delivered.refresh(recipe)
    assert {batch.key: batch.rows_in for batch in result.batches} == {"2026-03-01": 2, APRIL: 1}
    assert totals(delivered) == [("a", 4), ("b", 2), ("c", 1)]


def test_it_can_add_to_what_it_said_before_when_more_than_its_inputs_changes(delivered):
    def grown(context: AnalysisContext):
        said = context.earlier()
        more = {"container_id": f"n{said.height}", "counted_on": date(2026, 3, 2), "tally": 1}
        yield pl.concat([said, pl.DataFrame([more]).select(said.columns)])

    for day, expected in (("a day", ["n0"]), ("a day", ["n0"]), ("another day", ["n0", "n1"])):
        delivered.refresh(replace(RECIPE, analysis=Analysis(grown, also=lambda settings, day=day: day)))
        assert [container for container, _ in totals(delivered)] == expected
