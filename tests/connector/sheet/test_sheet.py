"""What is printed: the right number in the codes, and nothing that has to be fetched."""

import re
import xml.etree.ElementTree as ET

import pytest
import segno

from connector.sheet import Printed, bars, page, qr

NUMBER = "1234567812345678"


def voucher(serial: int = 10**15, **other) -> Printed:
    return Printed(serial, NUMBER, 2500, "USD", "Food & drink", **{"validity_seconds": 90 * 86_400, **other})


def test_the_qr_code_is_that_of_the_number():
    drawn = qr(NUMBER)
    size = int(re.search(r'viewBox="0 0 (\d+) ', drawn)[1]) // 4 - 8
    assert size == len(segno.make(NUMBER, error="q", micro=False).matrix)


def test_the_bars_are_code_128_of_the_number():
    widths = [round(float(width) / 0.3) for width in re.findall(r'width="([\d.]+)mm" height="10', bars(NUMBER))]
    assert widths[:3] == [2, 1, 3]  # start of Code C: two digits a sign
    assert len(widths) == 3 * 10 + 4  # start, eight pairs of digits, check sign; the stop sign has four bars


@pytest.mark.parametrize("drawn", [qr(NUMBER), bars(NUMBER)])
def test_images_are_whole_svg_elements_without_the_number_as_text(drawn: str):
    assert ET.fromstring(drawn).tag.endswith("svg")
    assert NUMBER not in drawn


def test_a_page_shows_what_a_holder_needs():
    text = page([voucher(expires_at=1_800_000_000.0), voucher(10**15 + 1)], "Food")
    assert text.count("1234 5678 1234 5678") == 2
    assert "Valid until 2027-01-15" in text
    assert "Valid 90 days from activation" in text
    assert "Serial 1000000000000001" in text
    assert "<small>USD</small>25.00" in text


def test_a_page_escapes_what_operators_write():
    assert "Food &amp; drink" in page([voucher()], "<script>")
    assert "<script>" not in page([voucher()], "<script>")


def test_a_page_fetches_nothing():
    text = page([voucher(10**15 + number) for number in range(9)])
    assert not re.search(r"(?:src|href)\s*=|url\(|@import", text)
    assert set(re.findall(r"https?://[^\"' <]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert text.count('class="sheet"') == 2


def test_a_voucher_to_print_hides_its_number():
    assert NUMBER not in repr(voucher())
