"""Intake of NDJSON and JSON arrays: everything bad is named with its line, everything good goes through."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import codec, records
from adapter.errors import ConfigError
from adapter.records.intake import read
from adapter.records.split import CHUNK, pieces

from .helpers import GONE, changed

GOOD = codec.dumps(records.example("subject"))
SUBJECT_ID = records.example("subject")["record_id"]


class Trickle(io.RawIOBase):
    """A stream that hands out a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, size: int = 7):
        self.data, self.size = io.BytesIO(data), size

    def read(self, size: int = -1) -> bytes:
        return self.data.read(self.size if size < 0 else min(size, self.size))


def dumped(kind: str, **changes: object) -> bytes:
    return codec.dumps(changed(kind, {name.replace("__", "."): value for name, value in changes.items()}))


def told(data: bytes, **options: int) -> list[tuple[int, str, str]]:
    """(line, field, rule) of every issue of a stream."""
    entries = list(read(io.BytesIO(data), **options))
    assert all((entry.record is None) == bool(entry.issues) for entry in entries)
    assert all(issue.line == entry.line for entry in entries for issue in entry.issues)
    return [(issue.line or 0, issue.field, issue.rule) for entry in entries for issue in entry.issues]


BAD = [
    (b'{"kind": "subject", ', ("", "json")),
    (b"not json", ("", "json")),
    (b"[1, 2]", ("", "type")),
    (GOOD.replace(b'"subject"', b'"patient"', 1), ("kind", "kind")),
    (GOOD.replace(b'"sex":', b'"gender":'), ("gender", "unknown_field")),
    (GOOD.replace(b"72.5", b"NaN"), ("weight_kg", "nan")),
    (GOOD.replace(b"72.5", b"7.25e1"), ("weight_kg", "exponent")),
    (GOOD.replace(b'"sex":', b'"sex":"male","sex":'), ("sex", "duplicate_key")),
    (GOOD.replace(b'"site_id":"', b'"site_id":"a\\u0007'), ("site_id", "control")),
    (GOOD.replace(b'"taut_band"', b'"\\ud800"'), ("conditions.2.symptoms.1", "surrogate")),
    (GOOD.replace(b"TR-IST", b"TR-\xff\xfe"), ("", "encoding")),
    (b'{"kind":"subject","sex":"' + b"x" * (10 * 1024 * 1024) + b'"}', ("", "too_long")),
    (dumped("pain_outcome", assessed_at="2026-02-25T10:05:00"), ("assessed_at", "naive_time")),
    (dumped("pain_outcome", laterality="sinister"), ("laterality", "code")),
    (dumped("pain_outcome", score=11), ("score", "V1.range")),
    (
        dumped(
            "procedure",
            technique="dry_needling",
            targets__1__volume_ml=GONE,
            needle_passes=5,
            twitch_response=True,
            injectate_total_ml=GONE,
            injectate_stated=GONE,
        ),
        ("injectate_components", "V5.no_injectate"),
    ),
]


@pytest.mark.parametrize(("bad", "expected"), BAD)
def test_each_bad_line_is_named_and_the_rest_goes_on(bad, expected):
    data = b"\n".join((GOOD, bad, b"", GOOD))
    entries = list(read(io.BytesIO(data)))
    assert [(entry.line, entry.record is not None) for entry in entries] == [(1, True), (2, False), (4, True)]
    assert (2, *expected) in told(data)
    assert told(data)[0][1:] == expected or expected in [issue[1:] for issue in told(data)]


def test_all_bad_lines_together():
    lines = [bad for bad, _ in BAD]
    entries = list(read(io.BytesIO(b"\n".join([*lines, GOOD]))))
    assert [entry.line for entry in entries] == list(range(1, len(lines) + 2))
    assert entries[-1].record == records.example("subject")
    for entry, (_, expected) in zip(entries, BAD, strict=False):
        assert expected in {(issue.field, issue.rule) for issue in entry.issues}


def test_the_record_is_named_when_the_decoder_refuses():
    bad = GOOD.replace(b"72.5", b"NaN")
    (entry,) = read(io.BytesIO(bad))
    assert [issue.record for issue in entry.issues] == [SUBJECT_ID]


def test_no_issue_holds_a_value():
    for bad, _ in BAD:
        for entry in read(io.BytesIO(bad)):
            text = " ".join(str(issue) for issue in entry.issues)
            assert not any(mark in text for mark in ("sinister", "patient", "xxx", "TR-", "7.25"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n \n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n \n"])
def test_line_ends_blank_lines_and_byte_order_mark(start, end):
    entries = list(read(io.BytesIO(start + end.join((GOOD, GOOD)) + end)))
    first = 1 + start.count(b"\n")
    assert [entry.line for entry in entries] == [first, first + end.count(b"\n")]
    assert all(entry.record for entry in entries)


@pytest.mark.parametrize("data", [b"", b"\n\n", b" ", b"[]", b"[ ]\n", b"\xef\xbb\xbf"])
def test_nothing_in_is_nothing_out(data):
    assert list(read(io.BytesIO(data))) == []


def test_utf16_is_refused_by_name():
    assert told(GOOD.decode().encode("utf-16")) == [(1, "", "encoding")]


def test_an_array_gives_the_same_records_with_their_lines():
    pretty = b"[\n" + b",\n".join(codec.dumps_pretty(records.example(kind)) for kind in records.KINDS) + b"]\n"
    entries = list(read(io.BytesIO(pretty)))
    assert [entry.record for entry in entries] == [records.example(kind) for kind in records.KINDS]
    assert entries[0].line == 2
    heads = [number for number, line in enumerate(pretty.split(b"\n"), 1) if line == b"{"]
    assert [entry.line for entry in entries] == heads


@pytest.mark.parametrize(
    ("bad", "expected"), [pair for pair in BAD if pair[0].startswith(b"{") and pair[0][-1:] == b"}"]
)
def test_bad_elements_of_an_array(bad, expected):
    data = b"[" + b",\n".join((GOOD, bad, GOOD)) + b"]"
    entries = list(read(io.BytesIO(data)))
    assert [(entry.line, entry.record is not None) for entry in entries] == [(1, True), (2, False), (3, True)]
    assert expected in {(issue.field, issue.rule) for issue in entries[1].issues}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[" + GOOD, [(1, "", "json")]),
        (b"[" + GOOD + b",", [(1, "", "json")]),
        (b"[" + GOOD + b"\n" + GOOD + b"]", [(1, "", "json")]),
        (b"[" + GOOD + b",]", [(1, "", "json")]),
        (b"[," + GOOD + b"]", [(1, "", "json")]),
        (b"[" + GOOD + b"]\n{}", [(2, "", "json")]),
        (b"[" + GOOD[:-5], [(1, "", "json"), (1, "", "json")]),
        (b"[5, " + GOOD + b"]", [(1, "", "type")]),
    ],
)
def test_a_broken_array_says_so(data, expected):
    assert told(data) == expected


def test_brackets_and_escapes_inside_strings_do_not_split():
    tricky = dumped("subject", prior_therapies__1__therapy_text='a ]},{[ \\ "," \\" x')
    entries = list(read(io.BytesIO(b"[" + tricky + b"," + tricky + b"]")))
    assert [bool(entry.record) for entry in entries] == [True, True]


def test_gzip_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "records.ndjson.gz"
    path.write_bytes(gzip.compress(GOOD + b"\n") + gzip.compress(GOOD + b"\n"))
    assert [bool(entry.record) for entry in read(path)] == [True, True]
    whole = gzip.compress(b"\n".join([GOOD] * 3))
    assert told(whole[:-4])[-1][1:] == ("", "gzip")
    assert told(whole[:40] + b"xxxxxxxx" + whole[48:])[-1][1:] == ("", "gzip")


def test_paths_and_standard_input(tmp_path, monkeypatch):
    path = tmp_path / "records.ndjson"
    path.write_bytes(GOOD)
    assert [entry.record for entry in read(str(path))] == [records.example("subject")]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD)))
    assert [entry.record for entry in read("-")] == [records.example("subject")]
    with pytest.raises(ConfigError, match=r"missing\.ndjson"):
        list(read(tmp_path / "missing.ndjson"))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_size_of_reads_does_not_matter(size):
    for data in (b"\n".join([GOOD] * 3), b"[" + b",\n".join([GOOD] * 3) + b"]"):
        entries = list(read(Trickle(data, size)))
        assert [(entry.line, bool(entry.record)) for entry in entries] == [(1, True), (2, True), (3, True)]


@pytest.mark.parametrize("shape", [b"%s\n%s\n%s", b"[%s,\n%s,\n%s]"])
def test_a_long_record_is_passed_over_without_being_held(shape):
    long = b'{"x":"' + b"y" * (30 * 1024 * 1024) + b'"}'
    data = io.BytesIO(shape % (GOOD, long, GOOD))
    del long
    tracemalloc.start()
    entries = list(read(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(entry.line, bool(entry.record)) for entry in entries] == [(1, True), (2, False), (3, True)]
    assert entries[1].issues[0].limit == "1048576 bytes"
    assert peak < 5 * 1024 * 1024


def test_the_limit_is_inclusive():
    assert told(GOOD + b"\n" + GOOD, max_line=len(GOOD)) == []
    assert told(GOOD + b"\n" + GOOD, max_line=len(GOOD) - 1) == [(1, "", "too_long"), (2, "", "too_long")]
    array = b"[" + GOOD + b", \n" + GOOD + b"]"
    assert told(array, max_line=len(GOOD)) == []
    assert told(array, max_line=len(GOOD) - 1) == [(1, "", "too_long"), (2, "", "too_long")]


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400), size=st.integers(1, CHUNK), array=st.booleans())
def test_any_bytes_are_answered_with_entries(data, size, array):
    for entry in read(Trickle(b"[" + data if array else data, size), max_line=100):
        assert entry.record is None
        assert entry.issues


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(
        st.recursive(
            st.text(max_size=8) | st.integers() | st.booleans(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=6,
    ),
    size=st.integers(1, 64),
    pretty=st.booleans(),
)
def test_the_splitter_finds_exactly_the_elements(values, size, pretty):
    data = (codec.dumps_pretty if pretty else codec.dumps)(values)
    found = [codec.loads_wire(piece.data) for piece in pieces(Trickle(data, size)) if not piece.rule]
    assert found == values
