"""Searching page by page: prefetch, links that must not be followed, values that must not be in URLs."""

import threading

import pytest

from adapter.errors import TargetUnavailable, UnsafeLink
from adapter.exchange import FhirClient
from adapter.exchange.links import own_link

from .conftest import answer, outcome


@pytest.fixture
def client(target, clock, hapi):
    made = FhirClient(target, timing=clock.timing())
    yield made
    made.close()


def page(*ids: str, following: str | None = None) -> dict:
    entry = [{"resource": {"resourceType": "Patient", "id": one}, "search": {"mode": "match"}} for one in ids]
    entry.append({"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}})
    link = [{"relation": "self", "url": "http://x/y"}]
    if following:
        link.append({"relation": "next", "url": following})
    return {"resourceType": "Bundle", "type": "searchset", "entry": entry, "link": link}


def ids(pages) -> list[list[str]]:
    return [[one["id"] for one in found] for found in pages]


def test_pages_follow_links_without_pretty_printing(client, hapi):
    link = f"{client.base}?_getpages=1&_getpagesoffset=2"
    hapi.faults.extend([answer(page("a", "b", following=link)), answer(page("c"))])
    assert ids(client.search_pages("Patient", {"_lastUpdated": "ge2026-01-01"})) == [["a", "b"], ["c"]]
    first, second = (request[1] for request in hapi.requests[1:])
    assert "_count=500" in first
    assert "_pretty=false" in first
    assert second == "/fhir?_getpages=1&_getpagesoffset=2&_pretty=false"


def test_the_next_page_is_fetched_while_the_caller_works(client, hapi):
    arrived = threading.Event()

    def second(*_):
        arrived.set()
        return answer(page("b"))

    hapi.faults.extend([answer(page("a", following=f"{client.base}?p=2")), second])
    pages = client.search_pages("Patient")
    assert ids([next(pages)]) == [["a"]]
    assert arrived.wait(5)
    assert ids(pages) == [["b"]]


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/fhir?_getpages=1",
        "http://localhost.evil.example/fhir?x=1",
        "ftp://localhost/fhir",
        "/other?_getpages=1",
        "/fhirx?_getpages=1",
        "/fhir/../admin",
        "/fhir/%2e%2e/admin",
        "http://user:pw@localhost/fhir",
        "http://[bad/fhir",
    ],
)
def test_a_link_that_leaves_the_base_is_refused(client, hapi, link):
    hapi.faults.append(answer(page("a", following=link)))
    with pytest.raises(UnsafeLink) as caught:
        list(client.search_pages("Patient"))
    assert "evil" not in str(caught.value)
    assert len(hapi.requests) == 2


def test_a_link_is_rebuilt_on_the_configured_scheme_and_port():
    base = "https://fhir.clinic.example/r4"
    inside = "http://fhir.clinic.example:8080/r4?_getpages=1&_pretty=false"
    assert own_link(base, inside, "ward") == f"{base}?_getpages=1&_pretty=false"
    assert own_link(base, "?_getpages=1", "ward") == f"{base}/?_getpages=1&_pretty=false"


def test_an_expired_page_starts_the_search_again(client, hapi):
    link = f"{client.base}?p=2"
    gone = answer(outcome("HAPI-0417"), 410)
    hapi.faults.extend([answer(page("a", following=link)), gone])
    hapi.faults.extend([answer(page("a", following=link)), answer(page("b"))])
    assert ids(client.search_pages("Patient")) == [["a"], ["a"], ["b"]]


def test_pages_that_keep_expiring_end_as_try_later(client, hapi):
    link = f"{client.base}?p=2"
    for _ in range(3):
        hapi.faults.extend([answer(page("a", following=link)), answer(outcome("HAPI-0417"), 410)])
    with pytest.raises(TargetUnavailable):
        list(client.search_pages("Patient"))


def test_a_page_that_names_itself_ends(client, hapi):
    hapi.faults.extend(answer(page("a", following=f"{client.base}?p=2")) for _ in range(3))
    with pytest.raises(TargetUnavailable, match="names itself"):
        list(client.search_pages("Patient"))


def test_identifying_values_go_by_post(client, hapi):
    hapi.faults.append(answer(page("a")))
    found = ids(client.search_post("Patient", [("http://s", "a,b|c$d\\e"), ("http://s", "2")]))
    assert found == [["a"]]
    method, path, body, headers = hapi.requests[-1]
    assert (method, path) == ("POST", "/fhir/Patient/_search?")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"identifier=http%3A%2F%2Fs%7Ca%5C%2Cb%5C%7Cc%5C%24d%5C%5Ce%2Chttp%3A%2F%2Fs%7C2" in body


def test_500_identifiers_at_a_time(client, hapi):
    hapi.faults.extend([answer(page("a")), answer(page("b")), answer(page("c"))])
    wanted = [("s", str(n)) for n in range(1001)]
    assert ids(client.search_post("Patient", wanted)) == [["a"], ["b"], ["c"]]


def test_a_broken_page_is_asked_for_again(client, hapi):
    hapi.faults.extend([answer(b'{"resourceType": "Bundle", "entry": 5}'), answer(page("a"))])
    assert ids(client.search_pages("Patient")) == [["a"]]


def test_leaving_early_is_no_trouble(client, hapi):
    hapi.faults.extend([answer(page("a", following=f"{client.base}?p=2")), answer(page("b"))])
    pages = client.search_pages("Patient")
    next(pages)
    pages.close()


def test_read_and_delete(client, hapi):
    hapi.stored["Patient/a"] = (1, {"resourceType": "Patient", "id": "a"})
    assert client.read("Patient", "a") == {"resourceType": "Patient", "id": "a"}
    assert client.read("Patient", "b") is None
    assert client.delete("Patient", "a") is True
    assert client.delete("Patient", "a") is False
