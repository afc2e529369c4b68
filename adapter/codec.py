"""JSON without losing a digit: strict intake, tolerant wire, exact output.

Decimals keep their text both ways (1.50 stays 1.50). This module must not know records, FHIR or files.

Why the fast path may be trusted with duplicate keys, which msgspec drops silently: every key in the source,
doubled or not, is followed by a colon. Where no quote is followed by white space and a colon, each key
contributes one `":` to the text, so count(`":`) >= keys written >= keys decoded. Equality proves that no key
was written twice. Whatever is not proved goes through the exact path, which sees the pairs.
"""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from functools import cache
from typing import Any, Final, NoReturn

import msgspec

from adapter.errors import CodecError

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_EXPONENT: Final = 1024
"""Decimals beyond 10^±MAX_EXPONENT are not written: their plain digits could fill the memory."""

MAX_DIGITS: Final = 4300
"""Digits of an integer: Python's own default limit, at which msgspec refuses too."""

_SPACED_COLON = re.compile(rb'"[ \t\n\r]+:')
_ESCAPED_CONTROL = re.compile(rb"\\(?:[bfnrt]|u00[01]|u007[fF])")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_EXPONENT, _NAN = re.compile(rb"E[+-]"), re.compile(rb"NaN")  # with a literal first, faster than `in`
_NOT_PLAIN = re.compile(rb"[0-9]E[+-][0-9]|NaN|Infinity")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _strict_number(text: str) -> Decimal:
    if "e" in text or "E" in text:
        raise CodecError("exponent", "a number has an exponent")
    return Decimal(text)


_strict = msgspec.json.Decoder(float_hook=_strict_number)
_wire = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_sorted_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")


def loads(data: bytes | str, max_bytes: int = MAX_BYTES) -> Any:
    """Decode JSON from outside, strictly; non-integer numbers become exact Decimals.

    Raises CodecError whose `rule` says what was wrong: json, duplicate_key, nan, exponent, surrogate, control
    (a control character inside a string, escaped or not), depth (more than MAX_DEPTH levels), too_large.
    """
    data = _as_bytes(data)
    if len(data) > max_bytes:
        raise CodecError("too_large", f"more than {max_bytes} bytes")
    try:
        value = _strict.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return _exact(data)
    if b"\x7f" in data or (b"\\" in data and _ESCAPED_CONTROL.search(data)):
        return _exact(data)
    if data.count(b'":') != _count_keys(value, MAX_DEPTH):
        return _exact(data)
    if (b'" ' in data or b'"\n' in data or b'"\t' in data or b'"\r' in data) and _SPACED_COLON.search(data):
        return _exact(data)
    return value


def loads_wire(data: bytes | str) -> Any:
    """Decode what a server sent: exact Decimals, exponents allowed. Raises CodecError(rule="json")."""
    try:
        return _wire.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, ArithmeticError):
        raise CodecError("json", "not valid JSON") from None


def members(data: bytes, *names: str, raw: tuple[str, ...] = ()) -> dict[str, Any]:
    """These members of the JSON object that a server sent, None where absent; those of ``raw`` as bytes, not decoded.
    The rest is only read over, which takes a fraction of the time. Raises CodecError(rule="json")."""
    try:
        found = _members(names, raw).decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, ArithmeticError):
        raise CodecError("json", "not a JSON object") from None
    bare = {name: getattr(found, name) for name in raw}
    return {
        **{name: getattr(found, name) for name in names},
        **{name: None if value is None else bytes(value) for name, value in bare.items()},
    }


def listed(data: bytes, name: str, *names: str, raw: tuple[str, ...] = ()) -> list[Any]:
    """``members`` of each object in the list ``name`` of a JSON object, as attributes (those of ``raw`` are
    ``msgspec.Raw``: take ``bytes()`` of them); in one pass over the bytes. Empty where there is no such list. Raises
    CodecError(rule="json")."""
    try:
        found = getattr(_list_decoder(name, names, raw).decode(data), name)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, ArithmeticError):
        raise CodecError("json", "not a JSON object with a list of objects") from None
    return [] if found is None else list(found)


@cache
def _list_decoder(name: str, names: tuple[str, ...], raw: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    item = _struct("Item", names, raw)
    return msgspec.json.Decoder(msgspec.defstruct("Listed", [(name, list[item] | None, None)]), float_hook=Decimal)  # type: ignore[valid-type]


@cache
def _members(names: tuple[str, ...], raw: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_struct("Members", names, raw), float_hook=Decimal)


def _struct(title: str, names: tuple[str, ...], raw: tuple[str, ...]) -> Any:
    fields: list[Any] = [(name, Any, None) for name in names]
    fields += [(name, msgspec.Raw, None) for name in raw]
    return msgspec.defstruct(title, fields)


def dumps(obj: Any) -> bytes:
    """Encode compactly, keys in the order given; a Decimal becomes plain digits, never with an exponent.

    Raises CodecError: nan (a Decimal that is no number), exponent (beyond 10^±MAX_EXPONENT), surrogate, json
    (a type JSON does not have). Floats have no place in our data; a float NaN would be written as null.
    """
    return _encode(_encoder, obj)


def dumps_pretty(obj: Any) -> bytes:
    """Like `dumps`, indented by two spaces, with a newline at the end."""
    return msgspec.json.format(dumps(obj), indent=2) + b"\n"


def digest(obj: Any) -> str:
    """Hex SHA-256: of the bytes given, or of the object written compactly with sorted keys."""
    data = bytes(obj) if isinstance(obj, bytes | bytearray | memoryview) else _encode(_sorted_encoder, obj)
    return hashlib.sha256(data).hexdigest()


def plain(number: Decimal) -> str:
    """The number as JSON digits without an exponent, other digits untouched (1.50, 0.00000001)."""
    if not number.is_finite():
        raise CodecError("nan", "not a number")
    text = str(number)
    if "E" not in text:
        return text
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise CodecError("exponent", f"beyond 10^±{MAX_EXPONENT}")
    return format(number, "f")


def _as_bytes(data: bytes | str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return data.encode() if isinstance(data, str) else bytes(data)
    except UnicodeEncodeError:
        raise CodecError("surrogate", "a lone surrogate") from None


def _count_keys(value: Any, room: int) -> int:
    """Number of keys in all objects; -1 or less where the nesting goes beyond `room` levels."""
    if type(value) is dict:
        count = len(value)
        children: Any = value.values()
    elif type(value) is list:
        count = 0
        children = value
    else:
        return 0
    if room == 0:
        return -1 << 40
    for child in children:
        if type(child) is dict or type(child) is list:
            count += _count_keys(child, room - 1)
    return count


def _exact(data: bytes) -> Any:
    """The slow, certain path; also finds the rule to name, where the fast path only knows of one."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise CodecError("json", "not UTF-8") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_float=_strict_number,
            parse_int=_integer,
            parse_constant=_no_constant,
        )
    except CodecError:
        raise
    except RecursionError:
        raise CodecError("depth", f"more than {MAX_DEPTH} levels") from None
    except ValueError:
        raise CodecError("json", "not valid JSON") from None
    _check_exact(value, MAX_DEPTH)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise CodecError("duplicate_key", "a key occurs twice in one object")
    return value


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise CodecError("too_large", f"an integer of more than {MAX_DIGITS} digits")
    return int(text)


def _no_constant(_: str) -> NoReturn:
    raise CodecError("nan", "NaN or infinity")


def _check_exact(value: Any, room: int) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise CodecError("surrogate", "a lone surrogate")
        if _CONTROL.search(value):
            raise CodecError("control", "a control character in a string")
    elif isinstance(value, dict | list):
        if room == 0:
            raise CodecError("depth", f"more than {MAX_DEPTH} levels")
        for child in value:
            _check_exact(child, room - 1)
        if isinstance(value, dict):
            for child in value.values():
                _check_exact(child, room - 1)


def _encode(encoder: msgspec.json.Encoder, obj: Any) -> bytes:
    try:
        data = encoder.encode(obj)
        # str() of a small or large Decimal has an exponent, that of a special one is no JSON at all
        odd = _EXPONENT.search(data) or (b"N" in data and _NAN.search(data)) or (b"I" in data and b"Infinity" in data)
        if odd and _NOT_PLAIN.search(data):
            data = encoder.encode(_plain_numbers(obj))
    except UnicodeEncodeError:
        raise CodecError("surrogate", "a lone surrogate") from None
    except (TypeError, msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise CodecError("json", f"cannot be written as JSON ({type(error).__name__})") from None
    return data


def _plain_numbers(obj: Any) -> Any:
    if isinstance(obj, Decimal):
        return msgspec.Raw(plain(obj).encode())
    if isinstance(obj, dict):
        return {key: _plain_numbers(child) for key, child in obj.items()}
    if isinstance(obj, list | tuple):
        return [_plain_numbers(child) for child in obj]
    return obj
