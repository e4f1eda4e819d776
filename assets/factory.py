"""From recipes and sources to Dagster assets: landing assets fetch, gated assets stage, audit and publish."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from assets import all_recipes, all_sources
from checks.adapter import check_results, check_specs
from groningen_data.alerts import NIGHTLY
from groningen_data.contracts.base import columns_of, sql_types
from groningen_data.errors import GroningenError
from groningen_data.gate.gate import Gate, TableResult
from groningen_data.gate.plan import is_day
from groningen_data.gate.recipe import Recipe
from groningen_data.sample import city
from groningen_data.serving.publish import publish_serving
from groningen_data.settings import Settings
from groningen_data.sources.base import FetchReport, FileSource
from resources.lakehouse import LakehouseResource
from resources.landing import LandingResource

DAYS_TAG = "groningen/days"
WRITER_POOL = "lakehouse_writer"
Tell = Callable[[str], None]


def table_key(table: str) -> dg.AssetKey:
    """`core.waste_reports` → `core/waste_reports`."""
    return dg.AssetKey(table.split(".", 1))


def landing_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source])


SERVING_KEY = dg.AssetKey(["serving", "marts"])


def owner_tag(owner: str) -> str:
    """`Werk en Inkomen` → `team:werk-en-inkomen`."""
    return "team:" + owner.lower().replace(" ", "-")


def landing_asset(source: FileSource, settings: Settings) -> dg.AssetsDefinition:
    """The asset that lands a source's new payloads; only fetching is ever retried."""
    key = landing_key(source.name)
    spec = dg.AssetSpec(
        key,
        group_name="landing",
        kinds={"http"} if source.connector and source.connector.addresses(settings) else {"file"},
        owners=["team:data-engineering"],
        description=f"{source.title}: payloads exactly as delivered, each with its hash.",
        skippable=True,
        metadata={"patterns": ", ".join(source.patterns), "extent": settings.extents.get(source.name, source.extent)},
    )
    delivered = dg.AssetCheckSpec(
        "delivered",
        asset=key,
        description="Whatever is delivered can be read, and a source that ever delivered something still does.",
    )

    shape = dg.AssetCheckSpec(
        "shape",
        asset=key,
        description="What is delivered has the fields that it had before; a table that needs a field that is gone rejects the batch.",
    )

    @dg.multi_asset(
        name=f"landing__{source.name}",
        specs=[spec],
        check_specs=[delivered, shape],
        can_subset=True,
        retry_policy=dg.RetryPolicy(settings.fetch_retries, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    )
    def land(
        context: dg.AssetExecutionContext,
        landing: LandingResource,
        settings: dg.ResourceParam[Settings],
        tell: dg.ResourceParam[Any],
    ) -> Iterator[Any]:
        try:
            if settings.is_sample:
                city.build(settings)
            report = source.fetch(settings, landing.landing, tell, landing.deliveries(all_sources().values()))
        except GroningenError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        tell(f"{source.name}: {len(report.landed)} new payloads, {report.known} known")
        if report.problem:
            context.log.error(str(report.problem))
        for payload in report.unreadable:
            context.log.error(f"{source.name}: {payload.name} {payload.problem} → {payload.way_out}")
        for line in report.news:
            context.log.warning(f"{source.name}: {line}")
            tell(f"{source.name}: {line}")
        found = len(report.landed) + report.known
        was_asked = (source.connector is not None and source.connector.addresses(settings) is not None) or report.removes
        is_absent = not found and not was_asked and not landing.landing.payloads(source.name)
        counted = f"{found} payloads found, {len(report.landed)} of them new, {len(report.unreadable)} unreadable"
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name="delivered",
            passed=report.problem is None
            and (is_absent or ((found > 0 or was_asked) and not report.unreadable and not report.news)),
            severity=dg.AssetCheckSeverity.ERROR if report.problem else dg.AssetCheckSeverity.WARN,
            description=_delivery(report, is_absent, counted),
            metadata={
                "unreadable": dg.MetadataValue.md("\n".join(f"- {p.name} {p.problem} → {p.way_out}" for p in report.unreadable))
            },
        )
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name="shape",
            passed=not report.drifts,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(report.drifts[:3]) or "as before",
            metadata={"differences": dg.MetadataValue.md("\n".join(f"- {d}" for d in report.drifts[:50]) or "none")},
        )
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "new payloads": len(report.landed),
                "known payloads": report.known,
                "new bytes": sum(p.size for p in report.landed),
                "payloads": dg.MetadataValue.md(
                    "\n".join(f"- {p.name} `{p.sha256[:12]}`" for p in report.landed[:50]) or "nothing new"
                ),
            },
        )

    return land


def _delivery(report: FetchReport, is_absent: bool, counted: str) -> str:
    if report.problem:
        return f"{report.problem.problem} → {report.problem.way_out} ({counted})"
    return "this source never delivered anything here" if is_absent else "; ".join((*report.news, counted))


def gated_asset(recipe: Recipe, partitions: dg.DailyPartitionsDefinition, pool: str | None = WRITER_POOL) -> dg.AssetsDefinition:
    """The asset of one table: its due batches pass through the gate one by one.

    Args:
        recipe: The table.
        partitions: The local days; used by tables whose batches are days.
        pool: Dagster's pool of writers; None where no daemon is there to free a dead run's slot: the lock file guards alone.
    """
    facts, key = recipe.facts, table_key(recipe.facts.name)
    is_daily = not recipe.is_derived and sql_types(recipe.contract).get((*facts.partition_columns, "")[0]) == "DATE"
    deps = [landing_key(feed.source.name) for feed in recipe.feeds]
    deps += [table_key(name) for name in recipe.comes_after]
    spec = dg.AssetSpec(
        key,
        deps=deps,
        group_name=facts.store,
        kinds={"duckdb", "ibis"} if recipe.expression else {"duckdb", "polars"},
        owners=[owner_tag(facts.owner)],
        description=_description(recipe),
        code_version=recipe.fingerprint(),
        skippable=True,
        tags={"classification": facts.classification, "layer": facts.layer, "load_mode": facts.load_mode},
        metadata=_spec_metadata(recipe),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26 + 24 * facts.freshness_days)),
        partitions_def=partitions if is_daily else None,
    )

    @dg.multi_asset(
        name=facts.name.replace(".", "__"),
        specs=[spec],
        check_specs=check_specs(recipe, key),
        can_subset=True,
        partitions_def=partitions if is_daily else None,
        backfill_policy=dg.BackfillPolicy.single_run() if is_daily else None,
        pool=pool,
    )
    def materialise(
        context: dg.AssetExecutionContext,
        lakehouse: LakehouseResource,
        landing: LandingResource,
        tell: dg.ResourceParam[Any],
    ) -> Iterator[Any]:
        asked = set(context.partition_keys) if context.has_partition_key or context.has_partition_key_range else None
        days = asked if asked is not None else _tagged_days(context)

        def heard(line: str) -> None:
            context.log.info(line)
            tell(line)

        sources = all_sources()
        gate = Gate(lakehouse.lakehouse, context.run.run_id, heard, lambda name: sources[name].covers(lakehouse.settings))
        try:
            only = (lambda batch: batch[:10] in days) if is_daily and days is not None else None
            result = gate.refresh(recipe, landing.landing, only, force=asked is not None)
        except GroningenError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        yield from check_results(recipe, key, result)
        metadata = _result_metadata(result)
        is_whole_run = not context.has_partition_key
        for day, rows in _good_days(result).items() if is_daily and is_whole_run else ():
            context.log_event(dg.AssetMaterialization(key, partition=day, metadata={"dagster/partition_row_count": rows}))
        if not result.batches and not result.standing and not result.rows:
            heard(f"{result.table}: nothing was ever delivered for it")
        problem = _why_failed(result, asked)
        if problem:
            raise dg.Failure(problem, metadata=metadata, allow_retries=False)
        if asked is not None and asked - set(_good_days(result)):
            # Yielding a result would mark every asked day as materialised, those without a good batch too.
            return
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)

    return materialise


def serving_asset() -> dg.AssetsDefinition:
    """The asset that swaps in what analysts read."""
    served = [r for r in all_recipes().values() if r.facts.served]
    spec = dg.AssetSpec(
        SERVING_KEY,
        deps=[table_key(r.facts.name) for r in served],
        group_name="serving",
        kinds={"duckdb", "parquet"},
        owners=["team:data-engineering"],
        description="The read-only database and Parquet files of analysts, under disclosure control; swapped in complete, by rename.",
        skippable=True,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26)),
    )

    @dg.multi_asset(name="serving__marts", specs=[spec], can_subset=True)
    def serve(context: dg.AssetExecutionContext, lakehouse: LakehouseResource, tell: dg.ResourceParam[Any]) -> Iterator[Any]:
        is_whole = context.run.job_name == NIGHTLY and DAYS_TAG not in context.run.tags
        report = publish_serving(lakehouse.lakehouse, is_refresh=is_whole)
        told = "swapped in" if report.changed else "unchanged"
        tell(f"serving: {told}")
        context.log.info(f"serving: {told}")
        yield dg.MaterializeResult(
            asset_key=SERVING_KEY,
            metadata={
                "changed": report.changed,
                "tables": report.tables,
                "rows": report.rows,
                "seconds": round(report.seconds, 2),
            },
        )

    return serve


def _good_days(result: TableResult) -> dict[str, int]:
    """Days of which every batch of this run is published or unchanged, and none is missing; with their rows."""
    bad = {batch.key[:10] for batch in result.rejected} | {batch.key[:10] for batch in result.standing}
    rows: dict[str, int] = {}
    for batch in (*result.published, *result.having("unchanged")):
        if is_day(batch.key[:10]) and batch.key[:10] not in bad:
            rows[batch.key[:10]] = rows.get(batch.key[:10], 0) + batch.accepted
    return rows


def _tagged_days(context: dg.AssetExecutionContext) -> set[str] | None:
    tag = context.run.tags.get(DAYS_TAG)
    return set(tag.split(",")) if tag else None


def _why_failed(result: TableResult, asked: set[str] | None) -> str | None:
    """Why nothing of the table could be published, if so.

    A table of which nothing was ever delivered is no failure: not every municipality has every source.
    """
    if result.nothing_usable:
        first = result.rejected[0]
        return (
            f"{result.table}: all {len(result.rejected)} batches of this run were rejected; the published rows are untouched. "
            f"First {first.key}: {first.reason} → `groningen quarantine list`"
        )
    if asked and not result.batches:
        return f"{result.table}: nothing was delivered for {', '.join(sorted(asked))} → choose days that were, or ask the source"
    if result.standing and not result.batches and not result.rows:
        oldest = result.standing[0]
        return f"{result.table}: everything delivered was rejected earlier. First {oldest.key}: {oldest.reason} → deliver it anew"
    return None


def _result_metadata(result: TableResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": result.rows,
        "batches published": len(result.published),
        "batches unchanged": len(result.having("unchanged")),
        "batches rejected": len(result.rejected),
        "batches rejected earlier": len(result.standing),
        "rows accepted": sum(b.accepted for b in result.published),
        "rows quarantined": sum(b.quarantined for b in result.batches),
        "rows collapsed": sum(b.collapsed for b in result.batches),
        "seconds": round(result.seconds, 2),
    }
    if result.sql:
        metadata["compiled SQL"] = dg.MetadataValue.md(f"```sql\n{result.sql}\n```")
    return metadata


def _description(recipe: Recipe) -> str:
    facts = recipe.facts
    text = " ".join(line.strip() for line in (recipe.contract.__doc__ or "").strip().splitlines())
    return f"{text}\n\n**{facts.title_nl}**. Grain: {facts.grain}. Key: {', '.join(facts.key)}."


def _spec_metadata(recipe: Recipe) -> dict[str, Any]:
    contract, facts = recipe.contract, recipe.facts
    columns = columns_of(contract)
    schema = contract.to_schema()
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name,
                    kind.lower(),
                    description=f"{columns[name].title_en} ({columns[name].title_nl})"
                    + (f", {columns[name].unit}" if columns[name].unit else ""),
                    constraints=dg.TableColumnConstraints(nullable=bool(schema.columns[name].nullable)),
                )
                for name, kind in sql_types(contract).items()
            ]
        ),
        **{label: getattr(facts, label) for label in ("purpose", "legal_basis", "retention", "grain") if getattr(facts, label)},
        "personal_data": ", ".join(sorted({c.personal_data for c in columns.values()} - {"none"})) or "none",
    }
