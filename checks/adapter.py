"""From contract and suite to Dagster asset checks: one check for the contract, one per expectation."""

from collections.abc import Iterator

import dagster as dg

from groningen_data.contracts.base import rules_of
from groningen_data.gate.gate import CONTRACT_CHECK, TableResult
from groningen_data.gate.recipe import Recipe
from groningen_data.lakehouse.ledger import BatchRecord, CheckResult

_SHOWN_BATCHES = 40


def check_specs(recipe: Recipe, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a table, declared; the gate evaluates them before it publishes, so none of them blocks afterwards."""
    rules = "\n".join(f"- {rule.sentence}" for rule in rules_of(recipe.contract))
    tolerance = f"At most {recipe.facts.tolerance:.1%} of the rows of a batch may be set aside in quarantine."
    contract = dg.AssetCheckSpec(
        CONTRACT_CHECK, asset=key, description=f"Every row keeps what the table promises. {tolerance}\n\n{rules}"
    )
    return [contract] + [
        dg.AssetCheckSpec(e.name, asset=key, description=e.sentence, metadata={"severity": e.severity, "expectation": e.type})
        for e in recipe.suite
    ]


def check_results(recipe: Recipe, key: dg.AssetKey, result: TableResult) -> Iterator[dg.AssetCheckResult]:
    """One result per check for this pass, over all batches it judged; checks that judged nothing keep their last result."""
    by_name: dict[str, list[tuple[BatchRecord, CheckResult]]] = {}
    for batch in result.batches:
        for check in batch.checks:
            by_name.setdefault(check.name, []).append((batch, check))
    for name, verdicts in by_name.items():
        if name != CONTRACT_CHECK or not result.standing:
            yield _aggregate(key, name, verdicts)
    if result.standing:
        yield _standing(key, result, by_name.get(CONTRACT_CHECK, []))


def _aggregate(key: dg.AssetKey, name: str, verdicts: list[tuple[BatchRecord, CheckResult]]) -> dg.AssetCheckResult:
    failed = [(batch, check) for batch, check in verdicts if not check.passed]
    worst = failed or verdicts
    is_error = any(check.severity == "error" for _, check in worst)
    if failed:
        batch, check = failed[0]
        what = f"{len(failed)} of {len(verdicts)} batches fail; first {batch.key}: {check.observed}"
    else:
        batch, check = verdicts[-1]
        what = f"all {len(verdicts)} batches pass; last {batch.key}: {check.observed}"
    metadata: dict[str, dg.MetadataValue] = {
        "meaning": dg.MetadataValue.text(check.sentence),
        "batches judged": dg.MetadataValue.int(len(verdicts)),
        "batches failed": dg.MetadataValue.int(len(failed)),
        "per batch": dg.MetadataValue.md(_table(failed + [v for v in verdicts if v not in failed])),
    }
    values = [check.value for _, check in verdicts if check.value is not None]
    if values:
        metadata["observed (last batch)"] = dg.MetadataValue.float(float(values[-1]))
    totals: dict[str, float] = {}
    for _, verdict in verdicts:
        for label, number in verdict.numbers.items():
            totals[label] = totals.get(label, 0) + number
    metadata |= {label: dg.MetadataValue.float(float(number)) for label, number in totals.items()}
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=what,
        metadata=metadata,
    )


def _standing(key: dg.AssetKey, result: TableResult, verdicts: list[tuple[BatchRecord, CheckResult]]) -> dg.AssetCheckResult:
    """The contract check while batches rejected earlier still miss: it stays failed until they are delivered anew."""
    lines = [f"| {b.key} | rejected earlier | {_cell(b.reason)} |" for b in result.standing]
    lines += [f"| {b.key} | {b.outcome} | {_cell(c.observed)} |" for b, c in verdicts]
    missing = ", ".join(b.key for b in result.standing[:5])
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CONTRACT_CHECK,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(result.standing)} batches were rejected earlier and not delivered anew since: {missing}",
        metadata={
            "batches judged": dg.MetadataValue.int(len(verdicts)),
            "batches still missing": dg.MetadataValue.int(len(result.standing)),
            "per batch": dg.MetadataValue.md(
                "| batch | outcome | observed |\n|---|---|---|\n" + "\n".join(lines[:_SHOWN_BATCHES])
            ),
        },
    )


def _table(verdicts: list[tuple[BatchRecord, CheckResult]]) -> str:
    lines = [
        f"| {batch.key} | {'passed' if check.passed else 'FAILED'} | {batch.outcome} | {_cell(check.observed)} |"
        for batch, check in verdicts[:_SHOWN_BATCHES]
    ]
    more = f"\n\n… and {len(verdicts) - _SHOWN_BATCHES} more" if len(verdicts) > _SHOWN_BATCHES else ""
    return "| batch | check | outcome | observed |\n|---|---|---|---|\n" + "\n".join(lines) + more


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:300]
