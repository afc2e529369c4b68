"""What the makers share: a value for every field type, RecordMeta, absent reasons, and times in a time
zone.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from adapter.records import schema
from adapter.records.absent import below, fields_of
from adapter.records.base import Base, Item
from adapter.records.fields import Bool, Code, Constant, Key, Pattern, SubjectKey, Text, Uuid
from adapter.records.lists import codes
from adapter.records.meta import RecordSchema
from adapter.records.nested import Codes, Items, List, Nested
from adapter.records.number_fields import Dec, Int
from adapter.records.time_fields import DateTimeOrPartial, Day, Duration, Instant, Partial

ZONES = (
    "Europe/Istanbul",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "UTC",
)
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "abc xyz 0123456789 .,;:!?-_/()[]{}'\"\\<>&%$#@~^|=+*`",
    "ağrı İstanbul şçöü ıĞÜŞ",
    "πόνος αβγδ ΆΈΉ µ² ½ ± ≤ ≥ °",
    "боль 疼痛 痛み 통증 כאב ألم",
    "e\u0301a\u0308\u200d\u00a0\u2028\u3000x😀👩\u200d⚕️🦴z",
)
META = set(fields_of(RecordSchema))
DURATIONS = ("PT0S", "PT90S", "PT10M", "PT1H", "PT36H", "P1D", "P7D", "P14D", "P2W", "P1M", "P18M", "P1Y")
_ID = "abcdefghijkmnpqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ0123456789"


class Maker:
    """Makes one valid raw record from a seed; subclasses obey the rules of their kind in `obey`."""

    kind = ""

    def __init__(self, seed: int, richness: float):
        self.rnd = random.Random(seed)
        self.richness = richness
        self.zone = self.rnd.choice(ZONES)
        start = datetime(2015, 1, 1, tzinfo=UTC)
        self.now = start + timedelta(seconds=self.rnd.randrange(12 * 365 * 86400))
        self.reasons: dict[str, str] = {}

    def obey(self, body: dict[str, Any]) -> None:
        """Change the body until it obeys the rules of the kind."""

    def record(self) -> dict[str, Any]:
        """The raw record, its keys in any order."""
        body = self.object(schema(self.kind), "")
        self.obey(body)
        raw = self.meta() | body
        self.settle(raw)
        if self.reasons:
            raw["field_absent_reason"] = self.reasons
        names = list(raw)
        self.rnd.shuffle(names)
        return {name: raw[name] for name in names}

    def maybe(self, chance: float = 0.5) -> bool:
        return self.rnd.random() < chance

    def excuse(self, path: str) -> None:
        """Give an absent reason for a path."""
        self.reasons[path] = self.rnd.choice(codes("absent-reason"))

    def meta(self) -> dict[str, Any]:
        """RecordMeta."""
        version = self.rnd.choice((1, 1, 1, 2, 3, 27))
        found: dict[str, Any] = {
            "kind": self.kind,
            "source_system": self.rnd.choice(("redcap-a", "clinic.b", "EDC_7")),
            "source_record_id": self.rnd.choice((self.key(), self.text(200), "17-4")),
            "version": version,
            "record_status": self.rnd.choice(("draft", "final", "cancelled", "entered_in_error")),
            "recorded_at": self.instant(self.now),
            "recorded_by": self.key(),
            "blinding_class": self.rnd.choice(codes("blinding-class")),
            "site_timezone": self.zone,
        }
        if version > 1:
            found["record_status"] = self.rnd.choice(codes("record-status"))
            found |= {"supersedes_version": version - 1, "change_reason": self.text(1000)}
        elif self.maybe(self.richness / 4):
            found["change_reason"] = self.text(1000)
        if self.maybe(self.richness):
            found |= {"record_id": self.uuid(), "business_key": self.key(), "idempotency_key": self.key()}
        if self.maybe(0.7):
            found["synthetic"] = True
        return found

    def object(self, item: type[Item], prefix: str) -> dict[str, Any]:
        """An object of a schema: all it must have, some of what it may have, reasons for some of the rest."""
        body: dict[str, Any] = {}
        for name, field in fields_of(item).items():
            if (not prefix and name in META) or field.metadata.get("derived"):
                continue
            always = field.need.always
            chance = 1.0 if always else 0.85 if field.need.level == "R" else self.richness
            if self.maybe(chance):
                body[name] = self.value(field, prefix + name)
                continue
            asked = field.need.level == "R" or self.maybe(self.richness / 8)
            if asked and field.need.excusable and not field.metadata.get("filled"):
                self.excuse(prefix + name)
        return body

    def settle(self, raw: dict[str, Any]) -> None:
        """Drop reasons for what is there or has no place; add those that required fields still need."""
        asked = dict(self.reasons)
        self.reasons = {path: reason for path, reason in asked.items() if self._vacant(raw, path)}
        self._ask(schema(self.kind), raw, "")

    def _vacant(self, raw: dict[str, Any], path: str) -> bool:
        holder: Any = raw
        *steps, last = path.split(".")
        for step in steps:
            if isinstance(holder, list):
                holder = holder[int(step) - 1] if int(step) <= len(holder) else None
            else:
                holder = holder.get(step)
            if holder is None:
                return False
        return last not in holder

    def _ask(self, item: type[Item], body: dict[str, Any], prefix: str) -> None:
        for name, field in fields_of(item).items():
            need, path = field.need, prefix + name
            missing = name not in body and path not in self.reasons
            if missing and need.level == "R" and need.excusable and not field.metadata.get("filled"):
                self.excuse(path)
            inner = below(field)
            if inner is not None and name in body:
                if isinstance(field, Items):
                    for number, each in enumerate(body[name], 1):
                        self._ask(inner, each, f"{path}.{number}.")
                else:
                    self._ask(inner, body[name], f"{path}.")

    def value(self, field: Base, path: str) -> Any:
        """A legal value of a field."""
        rnd = self.rnd
        match field:
            case Items():
                most = min(field.most, rnd.choice((1, 1, 2, 3)))
                return [self.object(field.item, f"{path}.{n + 1}.") for n in range(most)]
            case Nested():
                return self.object(field.item, f"{path}.")
            case Codes():
                if field.none and self.maybe(0.25):
                    return ["none"]
                known = [code for code in field.codes if code != "none" or not field.none]
                return rnd.sample(known, min(len(known), rnd.choice((1, 1, 2, 3))))
            case List():
                found = [self.value(field.inner, path) for _ in range(rnd.choice((1, 1, 2, 3)))]
                return list(dict.fromkeys(found)) if field.unique else found
            case Code():
                return rnd.choice(field.codes)
            case Text():
                return self.text(field.longest)
            case SubjectKey():
                return self.subject()
            case Key():
                return self.key()
            case Uuid():
                return self.uuid()
            case Duration():
                return rnd.choice(DURATIONS)
            case Pattern():
                return self.pattern(field)
            case Int():
                return rnd.choice((field.lowest, field.highest, rnd.randint(field.lowest, field.highest)))
            case Dec():
                return self.decimal(field.lowest, field.highest, field.places)
            case Bool():
                return True if field.true_only else self.maybe()
            case Constant():
                return field.value
            case Instant():
                return self.instant(self.before())
            case Day():
                return self.day(self.before())
            case DateTimeOrPartial():
                return self.moment(self.before())
            case Partial():
                return self.partial(self.before())
        raise TypeError(f"no values are known for fields of type {type(field).__name__}")

    def pattern(self, field: Pattern) -> str:
        """Text of the patterns that are not keys."""
        rnd = self.rnd
        if field.pattern.startswith("10"):
            suffix = rnd.choice(("synthetic-0001", "s40846(25)<1>;x", "A_b.c:d"))
            return f"10.{rnd.randint(1000, 999999999)}/{suffix}"
        if "[1-9]" in field.pattern:
            return rnd.choice(("1:1", "2:1", "3:2:1", "10:99"))
        if field.pattern == "[a-z0-9_]+":
            return rnd.choice(("late_visit", "other_needle", "x1", "_", "off_window_2"))
        return rnd.choice(("A1", "A2", "unsure", "arm-1.b", "X" * 64))

    def key(self) -> str:
        """An id-like key."""
        rnd = self.rnd
        size = rnd.choice((1, 3, 8, 63))
        tail = "".join(rnd.choice(_ID + "._:/-") for _ in range(size))
        return rnd.choice(_ID) + tail

    def subject(self) -> str:
        """A pseudonym."""
        return f"{self.rnd.choice(('HD-', 'S', 'TR/IST:', 'x.'))}{self.rnd.randrange(10000):04d}"

    def uuid(self) -> str:
        """A canonical UUID."""
        found = f"{self.rnd.getrandbits(128):032x}"
        return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))

    def text(self, longest: int = 4000) -> str:
        """Text of many scripts, never with outer white space."""
        rnd = self.rnd
        letters = rnd.choice(ALPHABETS)
        size = rnd.choice((1, 2, 10, 40, 40, 200)) if longest > 200 else rnd.choice((1, 5, 20))
        found = "".join(rnd.choice(letters) for _ in range(min(size, longest))).strip()
        return found or "x"

    def decimal(self, low: Decimal, high: Decimal, places: int = 6) -> Any:
        """An exact decimal within the bounds, with trailing zeros at times, or a whole number as int."""
        rnd = self.rnd
        digits = min(places, rnd.choice((0, 0, 1, 1, 2, 3, places)))
        unit = Decimal(1).scaleb(-digits)
        first, last = math.ceil(low / unit), math.floor(high / unit)
        if first > last:
            return low
        number = rnd.choice((first, last, rnd.randint(first, last)))
        if digits and self.maybe(0.3):
            number = min(last, max(first, number // 10 * 10))
        if not digits and self.maybe():
            return number
        return Decimal(number).scaleb(-digits)

    def before(self, days: int = 1500) -> datetime:
        """A moment before the record was made."""
        return self.now - timedelta(seconds=self.rnd.randrange(days * 86400))

    def instant(self, moment: datetime) -> str:
        """The moment as text with the offset of the site's zone."""
        local = moment.astimezone(ZoneInfo(self.zone)).replace(microsecond=0)
        text = local.isoformat()
        if self.maybe(0.1):
            text = (
                f"{text[:19]}.{self.rnd.choice(('0', '25', '250', '000001'))}{text[19:]}" if self.past(moment) else text
            )
        return text[:-6] + "Z" if text.endswith("+00:00") and self.maybe() else text

    def past(self, moment: datetime) -> bool:
        """Whether the moment lies clearly before the record, so that a fraction of a second changes no
        order.
        """
        return moment < self.now - timedelta(days=1)

    def partial(self, moment: datetime) -> str:
        """The local date of the moment, as far as it may be known."""
        return moment.astimezone(ZoneInfo(self.zone)).date().isoformat()[: self.rnd.choice((4, 7, 10))]

    def day(self, moment: datetime) -> str:
        """The local date of the moment."""
        return moment.astimezone(ZoneInfo(self.zone)).date().isoformat()

    def moment(self, moment: datetime) -> str:
        """The moment in full, or only its date in part."""
        return self.instant(moment) if self.maybe(0.7) else self.partial(moment)
