"""Every exception of the project. The class says what the caller should do: skip, retry or stop.

HydrofhirError
├── Skip                     leave this record (or resource) out, report it, go on
│   ├── RecordRefused        a record breaks its schema or a rule between records; carries issues
│   ├── MappingError         a record or resource cannot be mapped without guessing
│   ├── GraphIncomplete      parts of a record have not come yet
│   ├── ResourceRefused      the gate found a resource that must not be sent; carries issues
│   ├── CodecError           bytes are not the JSON we accept; carries the rule broken
│   └── TargetRefused        the target refused the content (400, 404, 412, 422 ...)
├── Retry                    the same call may succeed later
│   └── TargetUnavailable    no connection, time-out, 409, 429, 502, 503, 504
└── Stop                     going on would do harm or cannot work
    ├── ConfigError          a setting, file or option is wrong; named in the message
    ├── MappingProofError    the mappings do not fit the schemas or the FHIR models
    ├── TargetAuth           the target does not accept who we are (401, 403)
    ├── VersionMismatch      the target speaks another FHIR version
    ├── UnsafeLink           a link leaves the configured base address
    └── TransactionMismatch  the answer to a transaction does not fit what was sent

`TargetError` is mixed into everything the wire can raise. `exit_code` gives the exit status for the shell.

This module must not know any room. Messages name record ids, element paths, rules and limits, never values:
a value may be patient data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One reason why something was refused.

    `record` is a record id (or None where it is unknown), `field` the path of the field or element, `rule` a
    short stable word, `limit` the bound that was broken (never the value), `line` counts input lines from 1.
    """

    record: str | None
    field: str
    rule: str
    limit: str = ""
    line: int | None = None
    message: str = ""

    def as_dict(self) -> dict[str, str | int]:
        """The issue without its empty members, for reports and answers."""
        return {k: v for k, v in asdict(self).items() if v not in (None, "")}

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        text = f"{where}{self.record or 'record'}: {self.field or '(record)'}: {self.rule}"
        if self.limit:
            text += f" (limit {self.limit})"
        return f"{text}: {self.message}" if self.message else text


class HydrofhirError(Exception):
    """Base of all errors raised on purpose; only Skip, Retry and Stop derive from it directly."""


class Skip(HydrofhirError):
    """This record or resource cannot go on; the others can."""


class Retry(HydrofhirError):
    """The same call may succeed later. `after` is the wait in seconds the other side asked for, if it did."""

    after: float | None

    def __init__(self, message: str = "", after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Stop(HydrofhirError):
    """Nothing more may be done until a person has changed something."""


def _summary(issues: Sequence[Issue], noun: str) -> str:
    first = "; ".join(str(i) for i in issues[:3])
    more = f"; and {len(issues) - 3} more" if len(issues) > 3 else ""
    return f"{noun} refused: {first}{more}" if issues else f"{noun} refused"


class RecordRefused(Skip):
    """A record breaks its schema, or a rule that looks at its neighbours."""

    def __init__(self, issues: Iterable[Issue] = ()) -> None:
        self.issues: list[Issue] = list(issues)
        super().__init__(_summary(self.issues, "record"))


class ResourceRefused(Skip):
    """The gate found that a resource must not be sent. The paths in `issues` are FHIR element paths."""

    def __init__(self, issues: Iterable[Issue] = ()) -> None:
        self.issues: list[Issue] = list(issues)
        super().__init__(_summary(self.issues, "resource"))


class MappingError(Skip):
    """A record or resource cannot be mapped without guessing; `issues` name fields, elements and rules."""

    def __init__(self, message: str = "", issues: Iterable[Issue] = ()) -> None:
        self.issues: list[Issue] = list(issues)
        super().__init__(f"{message}: {_summary(self.issues, 'record')}" if self.issues else message)


class GraphIncomplete(Skip):
    """Parts of a record's graph have not come yet; `missing` are references (Type/id)."""

    def __init__(self, message: str = "", missing: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.missing: tuple[str, ...] = tuple(missing)


class CodecError(Skip):
    """Bytes are not the JSON we accept. `rule` is one of `CODEC_RULES`; the input is never quoted."""

    def __init__(self, rule: str, message: str = "") -> None:
        super().__init__(f"{rule}: {message}" if message else rule)
        self.rule = rule


CODEC_RULES = ("json", "duplicate_key", "nan", "exponent", "surrogate", "control", "depth", "too_large")


class ConfigError(Stop):
    """A setting, an option or a file we depend on is wrong; the message names it."""


class MappingProofError(Stop):
    """The mappings do not fit. `findings` are (file, row, reason)."""

    def __init__(self, findings: Iterable[tuple[str, str, str]] = ()) -> None:
        self.findings: list[tuple[str, str, str]] = list(findings)
        lines = [f"{file}: {row}: {reason}" for file, row, reason in self.findings]
        super().__init__("\n".join(lines) or "the mappings do not fit")


class TargetError(HydrofhirError):
    """Mixed into whatever can go wrong with a target; `status` is the HTTP status, 0 where none came."""

    status: int = 0


class TargetUnavailable(TargetError, Retry):
    """No connection, a time-out, a race (409), or the target is busy or restarting."""

    def __init__(self, message: str = "", status: int = 0, after: float | None = None) -> None:
        Retry.__init__(self, message, after)
        self.status = status


class TargetRefused(TargetError, Skip):
    """The target refused the content. The message is safe text (see fhir.outcome), never the raw body."""

    def __init__(self, message: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class TargetAuth(TargetError, Stop):
    """The target does not accept who we are, or does not allow what we ask."""

    def __init__(self, message: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class VersionMismatch(TargetError, Stop):
    """The target's FHIR version is not the one resources would be written in."""


class UnsafeLink(TargetError, Stop):
    """A link or redirect leaves the configured base address of the target."""


class TransactionMismatch(TargetError, Stop):
    """The answer to a transaction cannot be matched, entry by entry, with what was sent."""


EXIT_CODES: tuple[tuple[type[HydrofhirError], int], ...] = (
    (ConfigError, 2),
    (MappingProofError, 2),
    (Retry, 3),
    (Stop, 4),
    (Skip, 1),
)


def exit_code(error: HydrofhirError) -> int:
    """Exit status for an error that ended the command: 1 skip, 2 configuration, 3 retry, 4 stop."""
    return next((code for cls, code in EXIT_CODES if isinstance(error, cls)), 4)
