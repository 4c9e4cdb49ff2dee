from __future__ import annotations

import pytest

from tuneval.data.personal_data import KINDS, find

FOUND = {
    "email": [
        "Write to li.wei.1987@gmail.com today.",
        "邮箱是zhang@qq.com。",
        "first.last+news@mail.university.edu",
        "<a href='mailto:bob@lists.sourceforge.net'>",
    ],
    "phone": [
        "电话：13812345678（微信同号）",
        "tel=13812345678",
        "13812345678,13912345679",
        "+86 138-1234-5678",
        "8613812345678",
        "0086 13812345678",
        "010-62345678",
        "(0755) 8888 8812",
        "+86 10 6234 5678",
        "+44 20 7946 0958",
        "+7 495 123-45-67",
        "(212) 664-7665",
        "212-664-7665",
        "+1 (212) 664-7665",
    ],
    # The example of the standard GB 11643, and one with its X in small.
    "resident_id": ["她的身份证号是11010519491231002X，", "11010519491231002x"],
    "ssn": ["SSN: 219-09-9998"],
    # Test numbers that Visa, Mastercard, American Express, Discover, Diners, JCB and UnionPay
    # publish.
    "card": [
        "Visa 4111 1111 1111 1111",
        "4012888888881881",
        "5555-5555-5555-4444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "6200000000000005",
    ],
    # The examples of SWIFT's IBAN registry.
    "bank_account": [
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "DE89 3704 0044 0532 0130 00",
        "FR1420041010050500013M02606",
        "MT84MALT011000012345MTLCAST001S",
        "NO9386011117947",
    ],
    "passport": ["护照号：E12345678", "passport number: 512345678", "Passport No. EA1234567"],
    "ip": ["from 123.125.114.144.", "服务器202.114.18.10"],
}
NOBODYS = [
    "user@example.com, admin@mail.example.org, root@localhost, a@b.test, boss@company.com",
    "self.a@self.weight, x@w.to(device), icon@2x.png, @decorator, git@github",
    "2023-05-06 12:30:45, 1990-2000, 06/05/2023, 20230506123045",
    "¥12,345,678 or $1,234,567.89; 13,812,345,678 people; 13812345678.5",
    "π = 3.14159265358979323846, e = 2.71828182845904523536, 3.13812345678",
    "1609459200000 milliseconds, 18446744073709551616, 4294967296, 1e308",
    "ISBN 978-3-16-148410-0, ISO 8601, GB/T 2260-2007, RFC 2606, DOI 10.1000/182",
    "11010519491231002Y 110105194912310021 99010519491231002X 11010519491331002X",
    "4111 1111 1111 1112, 1234 5678 9012 3456, 4111111111111",
    "GB82WEST12345698765433, GB82 WEST 1234, AB12 CDEF 1234 5678 9012",
    "555-123-4567, (555) 555-0123, 212-555-0123, 800-664-7665, 400-810-8888, +10000000, x+12345678",
    "078-05-1120, 219-09-9999, 123-45-6789, 000-12-3456, 666-12-3456, 912-34-5678",
    "192.168.1.1, 10.0.0.1, 127.0.0.1, 8.8.8.8, 1.2.3.4, 203.0.113.7, 999.1.1.1, 58.0.3029.110",
    "passport control took 123456 travellers; 护照有效期10年",
    "11111111111, 13888888888, 1 2 3 4 5 6 7 8 9 10 11 12 13, 0000 0000 0000 0000",
    "1. 2. 3. 4. 5. 6. 7. 8. 9. 10. and 3 - 2 - 1 - 0 - 5 - 6 - 7",
    "order 2024123456789, room 1501, tracking 1Z999AA10123456784, QQ 12345",
]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in FOUND.items() for t in texts])
def test_each_kind_is_found_as_its_own(kind: str, text: str) -> None:
    found = find(text)
    assert {piece.kind for piece in found} == {kind}
    for piece in found:
        assert text[piece.start : piece.end] == piece.text


def test_every_kind_has_examples() -> None:
    assert set(FOUND) == set(KINDS)


@pytest.mark.parametrize("text", NOBODYS)
def test_dates_prices_constants_and_documentation_are_nobodys(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("text", [text for texts in FOUND.values() for text in texts])
def test_a_masked_piece_does_not_tell_it(text: str) -> None:
    for piece in find(text):
        shown = [c for c in piece.masked if c.isalnum()]
        assert len(shown) <= 3
        assert len(piece.masked) == len(piece.text)


def test_one_wrong_digit_of_a_checked_number_is_noticed() -> None:
    sound = {
        "card": "4012888888881881",
        "resident_id": "11010519491231002X",
        "bank_account": "GB82WEST12345698765432",
    }
    for kind, number in sound.items():
        for place in [i for i, c in enumerate(number) if c.isdigit()]:
            digit = str((int(number[place]) + 1) % 10)
            changed = number[:place] + digit + number[place + 1 :]
            assert kind not in {piece.kind for piece in find(changed)}


def test_several_pieces_come_in_the_order_of_the_text() -> None:
    text = "Call 13812345678, or write to li@qq.com, or pay to 4111111111111111."
    assert [piece.kind for piece in find(text)] == ["phone", "email", "card"]


def test_a_number_is_of_one_kind_only() -> None:
    assert [piece.kind for piece in find("11010519491231002X")] == ["resident_id"]


@pytest.mark.parametrize("text", ["1" * 300_000, "a@" * 100_000, "1 " * 150_000, "1.1" * 100_000])
def test_long_texts_of_digits_and_signs_take_no_longer_for_their_length(text: str) -> None:
    assert find(text) == []
