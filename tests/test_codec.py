"""JSON in and out: no digit lost, nothing doubtful let in."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import codec
from adapter.errors import CODEC_RULES, CodecError

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.sampled_from(
    ['":', '" :', '"', "\\", '\\":', "a", "E-8", "NaN", ": ", '"\n']
).filter(lambda t: not any(ord(c) < 32 for c in t))
NUMBERS = (
    st.integers()
    | st.integers(-5, 5)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.sampled_from(["1.50", "-0.0", "0.00000001", "0.10", "12345678901234567890.123456789"]).map(Decimal)
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back_with_every_digit(value: Any) -> None:
    data = codec.dumps(value)
    for read in (codec.loads, codec.loads_wire):
        back = read(data)
        assert _texts(back) == _texts(value)
        assert codec.dumps(back) == data
    assert _texts(codec.loads(codec.dumps_pretty(value))) == _texts(value)
    assert codec.loads(data.decode()) == codec.loads(data)


def _texts(value: Any) -> Any:
    """The value with its numbers as digits, so that 1.5 differs from 1.50."""
    if isinstance(value, Decimal):
        return ("number", format(value, "f"))
    if isinstance(value, bool) or not isinstance(value, int | dict | list):
        return value
    if isinstance(value, int):
        return ("number", str(value))
    if isinstance(value, dict):
        return [(k, _texts(v)) for k, v in value.items()]
    return [_texts(v) for v in value]


SPACE = st.sampled_from(["", "", "", " ", "\n", "\t", "  "])


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON text as careless writers make it: doubled keys, escapes, white space anywhere."""
    s = lambda: draw(SPACE)  # noqa: E731
    kind = draw(st.sampled_from(["object", "object", "list", "string", "number"] if depth else ["string", "number"]))
    if kind == "number":
        return draw(st.sampled_from(["0", "-1", "1.50", "1e5", "1E-5", "-0.0", "NaN", "Infinity", "01", "123456"]))
    if kind == "string":
        return _quoted(draw)
    inner = [draw(documents(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == "list":
        return "[" + s() + ",".join(s() + i + s() for i in inner) + "]"
    return "{" + s() + ",".join(s() + _quoted(draw) + s() + ":" + s() + i + s() for i in inner) + "}"


def _quoted(draw: st.DrawFn) -> str:
    parts = ["a", "b", "\\u0061", '\\"', '\\":', '\\" :', "\\\\", ":", " ", "\\n", "\\u0000", "\\ud800", "\\u007f", "é"]
    return '"' + "".join(draw(st.lists(st.sampled_from(parts), max_size=3))) + '"'


@settings(max_examples=500)
@given(documents())
def test_the_fast_path_says_what_the_standard_library_says(text: str) -> None:
    fast, exact = _verdict(codec.loads, text.encode()), _verdict(codec._exact, text.encode())
    assert fast == exact
    assert fast[0] == _reference(text)


def _verdict(read: Any, data: bytes) -> tuple[bool, Any]:
    """Which rule is named, where several are broken, is not fixed."""
    try:
        return True, _texts(read(data))
    except CodecError as error:
        return False, None if error.rule in CODEC_RULES else error.rule


def _reference(text: str) -> bool:
    """Whether the text is acceptable, by the standard library alone."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in found}) != len(found):
            raise ValueError
        return dict(found)

    def refuse(_: str) -> Any:
        raise ValueError

    def number(digits: str) -> Decimal:
        return refuse(digits) if "e" in digits.lower() else Decimal(digits)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_constant=refuse)
    except ValueError:
        return False
    return all(ord(c) >= 32 and c != "\x7f" and not "\ud800" <= c <= "\udfff" for c in "".join(_strings(value)))


def _strings(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value:
            yield from _strings(child)
        for child in value.values() if isinstance(value, dict) else ():
            yield from _strings(child)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b'{"a":1,}', "json"),
        (b"[1] 2", "json"),
        (b"01", "json"),
        (b"1.", "json"),
        (b'"\x01"', "json"),
        (b'"\xff"', "json"),
        (b'"\xed\xa0\x80"', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key"),
        (b'{"a" :1,"a":1,"b":"\\":"}', "duplicate_key"),
        (b'{"a":{"b":1},"a":{"c":":"}}', "duplicate_key"),
        (b"NaN", "nan"),
        (b"[-Infinity]", "nan"),
        (b"1e5", "exponent"),
        (b"[1.5E-3]", "exponent"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00x":1}', "surrogate"),
        ('"\ud800"', "surrogate"),
        (b'"\\u0000"', "control"),
        (b'"a\\nb"', "control"),
        (b'"\\u001F"', "control"),
        (b'{"\\t":1}', "control"),
        (b'"\x7f"', "control"),
        (b'"\\u007F"', "control"),
        (b"[" * 65 + b"]" * 65, "depth"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "depth"),
        (b"[" * 100_000, "depth"),
        (b"1" * 4301, "too_large"),
    ],
)
def test_strict_intake_refuses(data: bytes | str, rule: str) -> None:
    with pytest.raises(CodecError) as caught:
        codec.loads(data)
    assert caught.value.rule == rule


def test_limits_are_inclusive() -> None:
    assert codec.loads(b"[" * 64 + b"]" * 64)
    assert codec.loads(b"9" * 4300) == 10**4300 - 1
    assert codec.loads(b'"\\\\n \\" \\/ \\u00e9 \\ud83d\\ude00"') == '\\n " / é 😀'
    assert codec.loads(b"[1]", max_bytes=3) == [1]
    with pytest.raises(CodecError, match="too_large"):
        codec.loads(b"[12]", max_bytes=3)


def test_numbers_are_exact() -> None:
    assert [str(n) for n in codec.loads(b"[1.50, 0.10, -0.0, 7]")] == ["1.50", "0.10", "-0.0", "7"]
    assert isinstance(codec.loads(b"7"), int)
    assert str(codec.loads_wire(b"[1.50e2]")[0]) == "150"
    assert codec.dumps(codec.loads_wire(b"[1e-8,1E+2]")) == b"[0.00000001,100]"


@pytest.mark.parametrize(
    ("number", "text"), [("1E-8", b"0.00000001"), ("1E+3", b"1000"), ("1.50", b"1.50"), ("0E-10", b"0.0000000000")]
)
def test_decimals_are_written_without_exponent(number: str, text: bytes) -> None:
    assert codec.dumps({"a": [Decimal(number), "E-8"]}) == b'{"a":[' + text + b',"E-8"]}'


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (Decimal("NaN"), "nan"),
        ([Decimal("-Infinity")], "nan"),
        ({"a": Decimal("sNaN")}, "nan"),
        (Decimal("1E+999999"), "exponent"),
        (Decimal("1E-999999"), "exponent"),
        ("\ud800", "surrogate"),
        (object(), "json"),
    ],
)
def test_what_json_cannot_say_is_not_written(value: Any, rule: str) -> None:
    with pytest.raises(CodecError) as caught:
        codec.dumps(value)
    assert caught.value.rule == rule


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'"\\ud800"', b"[" * 100_000, b"1e999999999999999999999"])
def test_broken_wire_json_is_one_error(data: bytes) -> None:
    with pytest.raises(CodecError, match="json"):
        codec.loads_wire(data)


def test_order_is_kept_and_digests_ignore_it() -> None:
    assert codec.dumps({"b": 1, "a": [2]}) == b'{"b":1,"a":[2]}'
    assert codec.digest({"b": Decimal("1.5"), "a": {"y": 1, "x": 2}}) == codec.digest(
        {"a": {"x": 2, "y": 1}, "b": Decimal("1.5")}
    )
    assert codec.digest({"b": Decimal("1.5")}) != codec.digest({"b": Decimal("1.50")})
    assert codec.digest([1, 2]) != codec.digest([2, 1])
    assert codec.digest(b'{"a":1}') == codec.digest({"a": 1})


def test_errors_do_not_quote_the_input() -> None:
    for data in (b'{"secret":1,"secret":1}', b'{"secret', b'"secret\\n"', b'["secret",1e5]'):
        with pytest.raises(CodecError) as caught:
            codec.loads(data)
        assert "secret" not in str(caught.value)


def test_members_are_picked_out_of_an_object():
    data = b'{"a": 1.50, "skipped": [1, {"b": 2}], "raw": [1.0, 2] }'
    assert codec.members(data, "a", "none", raw=("raw", "nor")) == {
        "a": Decimal("1.50"),
        "none": None,
        "raw": b"[1.0, 2]",
        "nor": None,
    }
    assert str(codec.members(data, "a")["a"]) == "1.50"


@pytest.mark.parametrize("data", [b"[]", b"5", b'{"a": 1', b'{"x": nope, "a": 1}', b"", b'{"a": "\xff"}'])
def test_members_of_what_is_no_object_are_refused(data):
    with pytest.raises(CodecError) as caught:
        codec.members(data, "a")
    assert caught.value.rule == "json"
