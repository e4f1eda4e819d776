"""Schema drift: what a shape is, and what counts as a difference."""

import gzip
import io
import json
import random
import tracemalloc
import zipfile

import polars as pl
import pytest

from groningen_data.fetching.shapes import Field, compare, family, merged, shape_of


def known(*records):
    found = {}
    for record in records:
        found = merged(found, shape_of(json.dumps(record).encode()))
    return found


def drift(before, after):
    return str(compare("x.json", before, shape_of(json.dumps(after).encode())) or "")


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


class TestShapes:
    def test_zip(self):
        data = zipped(a__json=b'[{"x": 1}]', a_2__json=b'[{"y": 1}]', b__csv=b"c;d\n1;2\n", c__bin=b"\x00")
        assert shape_of(data) == {
            "a.[].x": Field("number", True),
            "b.c": Field("column", True),
            "b.d": Field("column", True),
        }
        assert shape_of(data[:-30]) == shape_of(b"PK\x03\x04" + bytes(40)) == {}
        renamed = zipped(a__json=b'[{"xx": 1}]', b__csv=b"c;d\n1;2\n")
        assert str(compare("x.zip", merged({}, shape_of(data)), shape_of(renamed))) == "x.zip: a.[].x is now a.[].xx"

    def test_json(self):
        shape = shape_of(b'[{"a": 1, "b": {"c": "x"}}, {"a": null, "b": {"c": "y", "d": true}}]')
        assert shape["[].a"] == Field("number", True)
        assert shape["[].b"] == Field("object", True)
        assert shape["[].b.c"] == Field("string", True)
        assert shape["[].b.d"] == Field("boolean", False)

    def test_a_cut_is_no_absence(self):
        shape = shape_of(b'{"value": [{"a": 1, "b": 2}, {"a": 1')
        assert shape["value[].b"].always

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("a;b;c\n1;2;3\n", ["a", "b", "c"]),
            ("# legend\n# STN,YYYYMMDD,   HH\n280,20260101,1\n", ["STN", "YYYYMMDD", "HH"]),
            ("280,20260101,1\n", []),
        ],
    )
    def test_lines(self, text, names):
        assert list(shape_of(text.encode())) == names

    def test_xml(self):
        shape = shape_of(b'<?xml version="1.0"?><d:a xmlns:d="u" d:id="1"><d:b/><d:c')
        assert set(shape) == {"a", "a@id", "a.b"}

    def test_packed_and_parquet(self, tmp_path):
        assert shape_of(gzip.compress(b"a;b\n1;2\n")).keys() == {"a", "b"}
        pl.DataFrame({"a": [1], "b": ["x"]}).write_parquet(tmp_path / "x")
        assert shape_of((tmp_path / "x").read_bytes()) == {"a": Field("int64", True), "b": Field("large_string", True)}

    @pytest.mark.parametrize("kind", ["zip", "parquet"])
    def test_of_a_large_file_only_its_directory_is_read(self, tmp_path, kind):
        path = tmp_path / kind
        noise = random.Random(1).randbytes(8_000_000)
        if kind == "zip":
            path.write_bytes(zipped(a__json=b'[{"x": "' + noise.hex().encode() + b'"}]', b__csv=b"c;d\n1;2\n"))
        else:
            pl.DataFrame({"c": [noise], "d": [1]}).write_parquet(path, compression="uncompressed")
        tracemalloc.start()
        try:
            found = shape_of(path)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()
        assert {name.rpartition(".")[2] for name in found} >= {"c", "d"}

    @pytest.mark.parametrize("data", [b"", b"\x00\x01", b"\x1f\x8bxx", b"PAR1xx", b"<", b"{", b"[[["])
    def test_garbage_has_none(self, data):
        assert not {k: v for k, v in shape_of(data).items() if v.always}


class TestDrift:
    def test_the_first_payload_is_no_news(self):
        assert drift({}, [{"a": 1}]) == ""

    def test_new_vanished_renamed_changed(self):
        before = known([{"vulgraad": 1, "tijdstip": "x", "code": "a"}])
        assert drift(before, [{"vulgraad": 1, "tijdstip": "x", "code": "a"}]) == ""
        assert drift(before, [{"vulgraad": 1, "tijdstip": "x", "code": "a", "q": 1}]) == "x.json: [].q is new"
        assert drift(before, [{"vulgraad": 1, "tijdstip": "x"}]) == "x.json: [].code vanished"
        assert drift(before, [{"vullgraad": 1, "tijdstip": "x", "code": "a"}]) == "x.json: [].vulgraad is now [].vullgraad"
        assert drift(before, [{"vulgraad": "1", "tijdstip": "x", "code": "a"}]) == "x.json: [].vulgraad was number and is string"

    def test_what_was_not_always_there_may_be_absent(self):
        assert drift(known([{"a": 1, "b": 1}, {"a": 1}]), [{"a": 1}]) == ""
        assert drift(known([{"a": 1, "b": 1}], [{"a": 1}]), [{"a": 1}]) == ""

    def test_no_records_say_nothing(self):
        assert drift(known({"value": [{"a": 1}]}), {"value": []}) == ""

    def test_a_kind_that_was_seen_before_is_no_news(self):
        assert drift(known([{"a": 1}], [{"a": "x"}]), [{"a": 2}]) == ""
        assert drift(known([{"a": 1}], [{"a": "x"}]), [{"a": True}]) == "x.json: [].a was number or string and is boolean"

    def test_a_null_is_of_every_kind(self):
        assert drift(known([{"a": 1}]), [{"a": None}]) == ""
        assert drift(known([{"a": None}]), [{"a": "x"}]) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/2026-03-15.json", "a/2026-04-01.json"),
        ("ndw_2026-03-15T0742Z.xml.gz", "ndw_2026-03-16T1200Z.xml.gz"),
        ("zaken_2025K4.csv", "zaken_2026K1.csv"),
    ],
)
def test_days_are_of_one_family(one, other):
    assert family(one) == family(other)


def test_tables_are_not():
    assert family("cbs.v3.86113NED_TypedDataSet.json") != family("cbs.v3.85984NED_TypedDataSet.json")
