"""Group counts for the bias audit: what is read, and what may not even land."""

from datetime import date
from io import BytesIO

import polars as pl
import pytest

from groningen_data.contracts.welfare.audit_counts import WelfareAuditCounts
from groningen_data.errors import PayloadError
from groningen_data.gate.judge import judge
from groningen_data.landing import Landing
from groningen_data.settings import load_settings
from groningen_data.sources.audit_counts import COLUMNS, SOURCE, parse_audit_counts
from groningen_data.sources.base import Head

HEADER = ";".join(COLUMNS)
MEN = "vehicle;2025HJ02;geslacht;man;ja;400;60;30;24,5;2026-02-14"
WOMEN = "vehicle;2025HJ02;geslacht;vrouw;nee;500;70;;;2026-02-14"


def text(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def read(payload, context, data: bytes, period: str = "2025HJ02") -> pl.DataFrame:
    return pl.concat(list(parse_audit_counts([payload(SOURCE, "auditcijfers.csv", data)], period, context())))


def test_counts_of_a_group_are_read_and_a_blank_is_withheld(payload, context):
    judged = judge(WelfareAuditCounts, read(payload, context, text(MEN, WOMEN)))
    assert judged.quarantined.height == 0
    men, women = judged.accepted.rows(named=True)
    assert (men["process_code"], men["process_kind"], men["is_reference"]) == ("vehicle", "rule", True)
    assert (men["population"], men["selected"], men["wrongly_selected"], men["mean_duration_days"]) == (400, 60, 30, 24.5)
    assert (men["period_end_on"], men["released_on"], men["missing_reason"]) == (date(2025, 12, 31), date(2026, 2, 14), None)
    assert (women["wrongly_selected"], women["missing_reason"], women["mean_duration_days"]) == (None, "withheld", None)


@pytest.mark.parametrize(
    ("delivered", "code", "kind"),
    [
        ("aselecte_steekproef", "random_sample", "random_sample"),
        ("Menselijke_Selectie", "human_selection", "human_selection"),
        ("Income_Started", "income_started", "rule"),
    ],
)
def test_the_sample_and_people_are_told_apart_from_rules(payload, context, delivered, code, kind):
    row = read(payload, context, text(MEN.replace("vehicle", delivered))).row(0, named=True)
    assert (row["process_code"], row["process_kind"]) == (code, kind)


@pytest.mark.parametrize(
    ("period", "end"), [("2025JJ00", date(2025, 12, 31)), ("2025HJ01", date(2025, 6, 30)), ("2024KW01", date(2024, 3, 31))]
)
def test_a_file_feeds_a_batch_per_year_half_year_or_quarter(payload, context, period, end):
    data = text(MEN, MEN.replace("2025HJ02", period))
    assert payload(SOURCE, "auditcijfers.csv", data).batches == tuple(sorted(("2025HJ02", period)))
    assert read(payload, context, data, period)["period_end_on"].to_list() == [end]


@pytest.mark.parametrize(
    "row",
    [
        MEN.replace(";400;", ";9;").replace(";60;30;", ";;;"),
        MEN.replace(";60;", ";3;"),
        MEN.replace(";60;30;", ";60;3;"),
        MEN.replace(";60;30;", ";60;57;"),
        MEN.replace(";400;", ";63;"),
        MEN.replace(";60;30;", ";0;;"),
        MEN.replace(";60;30;", ";60;60;"),
        MEN.replace(";60;30;", ";;;"),
    ],
    ids=["group", "selected", "wrongly", "rightly", "not selected", "nobody", "nobody rightly", "duration of few"],
)
def test_a_file_that_tells_of_fewer_than_ten_people_does_not_land(tmp_path, row):
    settings = load_settings(profile="real", data_dir=tmp_path / "data", files=tmp_path / "files")
    settings.files.mkdir()
    (settings.files / "auditcijfers_2025HJ02.csv").write_bytes(text(WOMEN, row))
    landing = Landing(settings.landing_dir)
    [refused] = SOURCE.fetch(settings, landing).unreadable
    assert refused.problem == "tells of fewer than 10 people in 1 rows (line 3)"
    landed = b"".join(path.read_bytes() for path in settings.landing_dir.rglob("*") if path.is_file())
    assert b"vehicle;" not in landed and b"geslacht" not in landed


@pytest.mark.parametrize(
    "row",
    [
        MEN.replace(";60;", ";9 personen;"),
        MEN.replace(";60;", ";<10;"),
        MEN.replace(";60;", ";9,0;"),
        MEN.replace(";60;", ";6e1;"),
        MEN.replace(";man;", ";Jan de Vries;"),
        MEN.replace(";man;", ";12345678;"),
        MEN.replace("2026-02-14", "gisteren"),
        MEN.replace(";24,5;", ";Jan: 24,5;"),
    ],
)
def test_a_file_with_text_does_not_land(tmp_path, row):
    landing = Landing(tmp_path)
    delivered = landing.land("elsewhere", "auditcijfers.csv", BytesIO(text(WOMEN, row)))
    with pytest.raises(PayloadError, match=r"another form than agreed on in 1 rows \(line 3\)"):
        list(SOURCE.rewriting(load_settings(data_dir=tmp_path))(delivered))


def test_a_file_with_another_column_does_not_land(tmp_path):
    settings = load_settings(profile="real", data_dir=tmp_path / "data", files=tmp_path / "files")
    settings.files.mkdir()
    data = text(f"{MEN};BU00140000", header=f"{HEADER};buurtcode")
    (settings.files / "levering.csv").write_bytes(data)
    [refused] = SOURCE.fetch(settings, Landing(settings.landing_dir)).unreadable
    assert refused.problem == "has 1 columns beside the ten agreed on, and no other may leave the audit environment"


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("population", 9, "population.greater_than_or_equal_to"),
        ("selected", 3, "selected.greater_than_or_equal_to"),
        ("wrongly_selected", 3, "wrongly_selected.greater_than_or_equal_to"),
        ("selected", 393, "row.nobody_is_left_alone"),
        ("wrongly_selected", 57, "row.nobody_is_left_alone"),
    ],
)
def test_the_contract_refuses_small_counts_too_and_keeps_none_of_them(payload, context, column, value, rule):
    rows = read(payload, context, text(MEN)).with_columns(pl.lit(value, pl.Int64).alias(column))
    quarantined = judge(WelfareAuditCounts, rows).quarantined
    assert rule in quarantined["rules"][0]
    assert quarantined["original"][0] == '{"proces":"vehicle","periode":"2025HJ02","kenmerk":"geslacht","groep":"man"}'


def test_a_part_is_not_told_without_its_whole(payload, context):
    rows = read(payload, context, text(MEN.replace(";60;30;", ";;30;")))
    assert judge(WelfareAuditCounts, rows).quarantined["rules"].to_list() == [["row.missing_counts_say_why"]]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (";ja;", ";misschien;", "is_reference.type"),
        (";400;", ";veel;", "population.type"),
        (";24,5;", ";lang;", "mean_duration_days.type"),
        ("2026-02-14", "14 februari", "released_on.type"),
    ],
)
def test_a_field_that_cannot_be_read_sets_its_row_aside(payload, context, old, new, rule):
    assert rule in read(payload, context, text(MEN.replace(old, new)))["_problems"][0]


def test_a_period_that_is_none_is_refused(payload):
    assert "periods that are no year" in payload(SOURCE, "a.csv", text(MEN.replace("2025HJ02", "2025"))).problem


def test_it_is_recognised_by_its_columns():
    assert SOURCE.recognises(Head("x", text(MEN))) and not SOURCE.recognises(Head("x", b"proces;periode\n"))


def test_a_cut_off_file_is_refused(payload):
    cut = payload(SOURCE, "auditcijfers.csv", text(MEN, WOMEN)[:-30])
    assert cut.problem == "was cut off in its last line"


def test_what_is_safe_lands_as_it_was_delivered(tmp_path):
    landing = Landing(tmp_path)
    delivered = landing.land("elsewhere", "auditcijfers.csv", BytesIO(text(MEN, WOMEN)))
    rewrite = SOURCE.rewriting(load_settings(data_dir=tmp_path))
    assert b"".join(rewrite(delivered)) == text(MEN, WOMEN)
    small = landing.land("elsewhere", "small.csv", BytesIO(text(MEN.replace(";60;30;", ";60;7;"))))
    with pytest.raises(PayloadError) as raised:
        list(rewrite(small))
    assert ";7;" not in str(raised.value) and "53" not in str(raised.value)
