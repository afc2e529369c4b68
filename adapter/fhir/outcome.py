"""OperationOutcome: reading what a server says went wrong, as text that is safe to log, and writing our own.

A server's words may quote patient data. Kept are codes (HAPI-1094, issue types, OAuth error codes),
severities, element paths, and of free text only lower-case and a few technical words: nothing quoted, bracketed,
capitalised or with digits. Must not know the wire; bodies come as bytes or decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from adapter import codec
from adapter.errors import (
    CodecError,
    HydrofhirError,
    Issue,
    MappingError,
    RecordRefused,
    ResourceRefused,
    Retry,
    Stop,
    TargetAuth,
)

MAX_TEXT = 300
_MAX_ISSUES = 3
_MAX_WORDS = 160
_HAPI = re.compile(r"\bHAPI-[0-9]{4}\b")
_SEVERITIES = ("fatal", "error", "warning", "information", "success")
_CODE = re.compile(r"[a-z][a-z-]{1,40}\Z")
_ERROR_CODE = re.compile(r"[a-z][a-z_]{2,40}\Z")
_EXPRESSION = re.compile(r"[A-Z][A-Za-z]*(?:\.[a-z][A-Za-z]*(?:\[[0-9x]*\])?)+\Z")
_QUOTED = re.compile(
    r"\"[^\"]*(?:\"|\Z)|(?<!\w)'.*?(?:'(?!\w)|\Z)|`[^`]*(?:`|\Z)|“[^”]*(?:”|\Z)|‘[^’]*(?:’|\Z)|«[^»]*(?:»|\Z)"
    r"|\[[^\]]*(?:\]|\Z)|\{[^}]*(?:\}|\Z)|<[^>]*(?:>|\Z)",
    re.DOTALL,
)
_WORD = re.compile(
    r"(?:[a-z]+|Bad|Can|Duplicate|Error|Failed|Gateway|Invalid|Missing|Multiple|Not|Resource|Service|The|Timeout"
    r"|Transaction|Unable|Unavailable|Unknown|Version)\Z"
)

# our rules -> FHIR issue types; anything else is "invariant"
_TYPES = {
    "required": "required",
    "absent_reason": "required",
    "unknown": "structure",
    "unknown_field": "structure",
    "structure": "structure",
    "json": "structure",
    "duplicate_key": "structure",
    "type": "value",
    "format": "value",
    "range": "value",
    "empty": "value",
    "code": "code-invalid",
    "binding": "code-invalid",
    "target": "value",
    "too_large": "too-long",
    "not_found": "not-found",
}


def read(body: Any) -> str:
    """Safe text of what a body says: an OperationOutcome, an OAuth error, an HTML page or plain text.

    Never longer than MAX_TEXT, never empty.
    """
    if isinstance(body, bytes | bytearray | str):
        text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
        try:
            body = codec.loads_wire(text)
        except CodecError:
            return _free(text)
    if isinstance(body, dict) and body.get("resourceType") == "OperationOutcome":
        issues = body.get("issue")
        listed = [i for i in issues if isinstance(i, dict)] if isinstance(issues, list) else []
        told = [_told(issue) for issue in listed[:_MAX_ISSUES]]
        return "; ".join(t for t in told if t)[:MAX_TEXT] or "an OperationOutcome without words"
    if isinstance(body, dict) and isinstance(body.get("error"), str) and _ERROR_CODE.match(body["error"]):
        return str(body["error"])
    return "an answer that is not FHIR"


def hapi_codes(body: Any) -> tuple[str, ...]:
    """The HAPI codes (HAPI-1094) in a body, each once, in their order."""
    if isinstance(body, bytes | bytearray):
        text = bytes(body).decode("utf-8", "replace")
    else:
        text = body if isinstance(body, str) else codec.dumps(body).decode()
    return tuple(dict.fromkeys(_HAPI.findall(text)))


def words(text: str) -> str:
    """Free text without what could be data: codes like HAPI-1094, element paths and lower-case words stay."""
    kept = []
    for token in _QUOTED.sub(" ", text[:4000]).split():
        bare = token.strip(".,;:!?()")
        if _HAPI.fullmatch(bare) or _WORD.match(bare) or _EXPRESSION.match(bare):
            kept.append(bare)
    return " ".join(kept)[:_MAX_WORDS].strip()


def write(issues: Iterable[Issue], severity: str = "error") -> dict[str, Any]:
    """An OperationOutcome from issues: rule and message as text, the path as expression."""
    return _outcome([_entry(issue, severity) for issue in issues])


def of_error(error: HydrofhirError) -> dict[str, Any]:
    """An OperationOutcome for an error; its class says the issue type, its message (never values) the
    text."""
    if isinstance(error, RecordRefused | ResourceRefused | MappingError) and error.issues:
        return write(error.issues)
    code = "processing"
    if isinstance(error, Retry):
        code = "transient"
    elif isinstance(error, TargetAuth):
        code = "security"
    elif isinstance(error, Stop):
        code = "exception"
    elif isinstance(error, CodecError):
        code = "structure"
    text = str(error) or type(error).__name__
    return _outcome([{"severity": "error", "code": code, "details": {"text": text}}])


def _outcome(issues: list[dict[str, Any]]) -> dict[str, Any]:
    done = {"severity": "information", "code": "informational", "details": {"text": "no issues"}}
    return {"resourceType": "OperationOutcome", "issue": issues or [done]}


def _entry(issue: Issue, severity: str) -> dict[str, Any]:
    text = ": ".join(t for t in (issue.rule, issue.message) if t)
    if issue.limit:
        text += f" (limit {issue.limit})"
    entry: dict[str, Any] = {
        "severity": severity,
        "code": _TYPES.get(issue.rule, "invariant"),
        "details": {"text": text or "refused"},
    }
    where = [f"record {issue.record}"] if issue.record else []
    where += [f"line {issue.line}"] if issue.line is not None else []
    if where:
        entry["diagnostics"] = ", ".join(where)
    if issue.field:
        entry["expression"] = [issue.field]
    return entry


def _told(issue: dict[str, Any]) -> str:
    severity = issue.get("severity")
    code = issue.get("code")
    parts = [severity] if severity in _SEVERITIES else []
    parts += [code] if isinstance(code, str) and _CODE.match(code) else []
    for name in ("expression", "location"):
        found = issue.get(name)
        if isinstance(found, list):
            parts += [e for e in found[:3] if isinstance(e, str) and _EXPRESSION.match(e)]
    details = issue.get("details")
    texts = [issue.get("diagnostics"), details.get("text") if isinstance(details, dict) else None]
    said = [words(t) for t in texts if isinstance(t, str)]
    parts += [s for s in dict.fromkeys(said) if s]
    return " ".join(parts)


def _free(text: str) -> str:
    if re.search(r"<\s*(?:html|!doctype|head|body|title)\b", text[:2000], re.IGNORECASE):
        title = re.search(r"<title>(.*?)</title>", text[:8000], re.IGNORECASE | re.DOTALL)
        said = words(title[1].lower()) if title else ""
        return f"an HTML page: {said}" if said else "an HTML page"
    return words(text) or "an answer that is not FHIR"
