"""Citizen service numbers: which texts are one, and where one hides."""

import polars as pl
import pytest

from groningen_data.privacy.service_numbers import (
    holds_service_number,
    is_service_number,
    is_test_number,
    masked,
    names_service_numbers,
    service_number,
)
from groningen_data.privacy.service_numbers import test_numbers as numbers_of_the_test_range


def read(text: str | None) -> str | None:
    return pl.DataFrame({"text": [text]}, schema={"text": pl.String}).select(service_number(pl.col("text"))).item()


def holds(text: str) -> bool:
    return pl.DataFrame({"text": [text]}).select(holds_service_number(pl.col("text"))).item()


@pytest.mark.parametrize("text", ["999993653", "999990342", "999990019", "9999.93.653", " 999 993 653 "])
def test_nine_digits_that_pass_the_11_test_are_a_number(text):
    assert read(text) == text.replace(".", "").replace(" ", "")


def test_eight_digits_have_lost_their_leading_zero():
    assert (read("00000012"), read("00000013")) == ("000000012", None)
    assert is_service_number("000000012")


@pytest.mark.parametrize(
    "text", [None, "", "999993654", "000000000", "99999364", "9999936530", "99999365x", "٩٩٩٩٩٣٦٥٣", "999993653.0", "-999993653"]
)
def test_anything_else_is_none(text):
    assert read(text) is None
    assert text is None or not is_service_number(text)


@pytest.mark.parametrize(
    "text", ["999993653", "zie 999993653.", "9999-93-653", "9999.93.653 en meer", "1 999993653 2026", "(999 993 653)"]
)
def test_a_number_is_found_wherever_it_hides(text):
    assert holds(text)


@pytest.mark.parametrize("text", ["", "2026-03-15", "999993654", "1999993653", "9999936530", "BU00140003", "1.250,50", "Jan"])
def test_what_is_no_number_is_left_alone(text):
    assert not holds(text)


def test_the_test_range_holds_9091_numbers_of_which_909_start_with_five_nines():
    numbers = numbers_of_the_test_range()
    assert (len(numbers), sum(number.startswith("99999") for number in numbers)) == (9_091, 909)
    assert all(map(is_test_number, numbers))
    assert not is_test_number("000000012")


def test_names_of_files_show_no_number():
    assert masked("a/uitkering_999993653_2026-03-15.csv") == "a/uitkering_*********_2026-03-15.csv"
    assert masked("999993654 2026031512.csv") == "999993654 2026031512.csv"


@pytest.mark.parametrize(
    "head",
    [
        b"naam;BSN;bedrag\n",
        b"\xef\xbb\xbfbsn,naam\r\n",
        b'"Burgerservicenummer"\t"x"\n',
        b"id|burger_service_nummer\n",
        b"sofinummer\n1\n",
        '"id";"bsn"\n'.encode("utf-16"),
        b'[{"id": 1, "persoon": {"bsn" : "1"}}]',
        b'<a xmlns:p="x"><p:bsn>1</p:bsn></a>',
    ],
)
def test_a_field_of_numbers_is_told_by_its_name(head):
    assert names_service_numbers(head)


@pytest.mark.parametrize(
    "head", [b"", b"id;bsnl;xbsn\n", b"id;naam\n1;bsn\n", b'{"title": "Toelichting bsn: niet"}', b"\x00\x01\x02", b"PAR1 bsn"]
)
def test_a_word_in_a_text_is_no_field(head):
    assert not names_service_numbers(head)
