"""The text formats of FHIR's primitive types, as anchored regular expressions, and the shape of references.

Sources: the datatypes pages of FHIR R4 and R5. Stricter than those in one point: a date must exist (HAPI
refuses 30 February), so month lengths and leap years are part of the pattern. Must not know resources.
"""

from __future__ import annotations

import re

_YEAR = r"(?!0000)[0-9]{4}"
_LEAP = r"(?!0000)(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    rf"|{_LEAP}-02-29)"
)
_MONTH = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_ID = r"[A-Za-z0-9\-.]{1,64}"

PATTERNS: dict[str, str] = {
    "base64Binary": r"^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$",
    "canonical": r"^\S+$",
    "code": r"^\S+(?: \S+)*$",
    "date": rf"^(?:{_DAY}|{_MONTH})$",
    "dateTime": rf"^(?:{_DAY}(?:T{_TIME}{_ZONE})?|{_MONTH})$",
    "id": rf"^{_ID}$",
    "instant": rf"^{_DAY}T{_TIME}{_ZONE}$",
    "integer64": r"^[-+]?(?:0|[1-9][0-9]{0,18})$",
    "oid": r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$",
    "time": rf"^{_TIME}$",
    "uri": r"^\S+$",
    "url": r"^\S+$",
    "uuid": r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
PATTERNS = {name: pattern.replace("$", r"\Z") for name, pattern in PATTERNS.items()}
"""FHIR type -> regular expression for `re.search`; anchored where the type is (\\Z: `$` lets a newline
pass)."""

UNITS_OF_MEASURE = "http://unitsofmeasure.org"

_UCUM = re.compile(r"[!-z|~{}]+\Z")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_BRACKET = re.compile(r"\[[^\[\]]*\]")
_PAIR = re.compile(r"\([^()]*\)")


def reference(targets: tuple[str, ...] | None) -> str:
    """The pattern of Reference.reference where only these resource types may be pointed at.

    Allowed forms: `#id`, `urn:uuid:`/`urn:oid:`, `Type/id` (with version or base address), `Type?condition`.
    """
    types = "|".join(targets) if targets and "Resource" not in targets else r"[A-Z][A-Za-z]+"
    return (
        rf"^(?:#{_ID}|#|urn:(?:uuid|oid):[0-9A-Za-z.\-]+"
        rf"|(?:https?://[^\s?#]+/)?(?:{types})/{_ID}(?:/_history/{_ID})?|(?:{types})\?\S+)\Z"
    )


def is_ucum(code: str) -> bool:
    """Whether a unit could be UCUM: printable ASCII, no blanks, braces, brackets and parentheses closed.

    The unit itself is not looked up.
    """
    if not _UCUM.match(code):
        return False
    bare = _BRACKET.sub("", _ANNOTATION.sub("", code))
    while (shorter := _PAIR.sub("", bare)) != bare:
        bare = shorter
    return not any(mark in bare for mark in "{}[]()")
