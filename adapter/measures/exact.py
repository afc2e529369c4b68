"""Exact numbers: fractions inside, one published rounding when a value is written out. Knows no record.

Division of decimals rounds somewhere; division of fractions does not. So nothing here divides decimals, and a
comparison with a threshold is always made on the unrounded fraction.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

PLACES = 6
"""A written value has at most this many decimal places, rounded half to even. R5 allows 17, HAPI warns beyond 18, and
500/7 never ends: the rule is part of every formula."""

Number = int | Decimal | Fraction


def exact(number: Number) -> Fraction:
    """The number as a fraction, of the very value it has."""
    return Fraction(number)


def written(number: Number, places: int = PLACES) -> Decimal:
    """The number rounded half to even to at most ``places`` decimal places, without trailing zeros: 71.428571, 50,
    -20."""
    scaled = round(Fraction(number) * 10**places)  # rounds half to even
    digits = str(abs(scaled)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".") if places else digits
    return Decimal(f"-{text}" if scaled < 0 else text)
