"""The wire without the adapter: post bundles that are ready, fetch pages and throw them away."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import requests

from adapter import records
from adapter.exchange import Parcel
from adapter.exchange.answers import bundle_of
from adapter.exchange.links import own_link
from adapter.exchange.sender import bundles as cut
from adapter.mill import Mill
from adapter.settings import Target
from tests.benchmarks.samples import Record

MEDIA = "application/fhir+json; fhirVersion=4.0"
HEADERS = {"Accept": MEDIA, "Accept-Encoding": "gzip", "Cache-Control": "no-cache"}
NEXT = re.compile(rb'"relation"\s*:\s*"next"\s*,\s*"url"\s*:\s*"([^"]+)"')
ENTRY = re.compile(rb'"fullUrl"')
Bundle = tuple[int, bytes, int]
"""Wave, encoded transaction, number of entries."""


def bundles(mill: Mill, target: Target, found: Iterable[Record]) -> list[Bundle]:
    """The transactions that a push of these records sends."""
    ordered = sorted(found, key=lambda r: r.get("subject_id", "") if r["kind"] != "study" else "")
    parcels = (
        Parcel(
            kind=record["kind"], key="|".join(records.key(record)), hash="",
            subject="" if record["kind"] == "study" else record["subject_id"],
            parts=tuple(mill.resources(record)), wave=0 if record["kind"] == "study" else 1,
        )
        for record in ordered
    )  # fmt: skip
    made = []
    for bundle in cut(parcels, target.bundle_entries):
        data, count = bundle_of(bundle, str(target.base_url))
        made.append((bundle[0].wave, data, count))
    return made


def post(target: Target, ready: list[Bundle]) -> int:
    """Post them, as many at once as the target's concurrency; how many resources were created."""
    local = threading.local()

    def one(bundle: Bundle) -> int:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        answer = local.session.post(
            str(target.base_url), data=bundle[1], headers={**HEADERS, "Content-Type": MEDIA}, timeout=180
        )
        created = answer.content.count(b"201 Created")
        if answer.status_code != 200 or created != bundle[2]:
            raise AssertionError(f"status {answer.status_code}, {created} of {bundle[2]} created")
        return bundle[2]

    done = 0
    for wave in (0, 1):
        with ThreadPoolExecutor(target.concurrency) as pool:
            done += sum(pool.map(one, [bundle for bundle in ready if bundle[0] == wave]))
    return done


def fetch(target: Target, forms: Mapping[str, Mapping[str, str]]) -> int:
    """All pages of the search of each type, one after the other; how many entries came."""
    base, session, entries = str(target.base_url), requests.Session(), 0
    session.trust_env = False
    for kind, form in forms.items():
        body = urlencode({**form, "_count": str(target.page_size), "_pretty": "false"})
        answer = session.post(
            f"{base}/{kind}/_search",
            data=body,
            headers={**HEADERS, "Content-Type": "application/x-www-form-urlencoded"},
            timeout=180,
        )
        while True:
            if answer.status_code != 200:
                raise AssertionError(f"status {answer.status_code}")
            entries += len(ENTRY.findall(answer.content))
            link = NEXT.search(answer.content[:4096]) or NEXT.search(answer.content)
            if link is None:
                break
            url = link[1].decode().replace("\\u0026", "&")
            answer = session.get(own_link(base, url, "bench"), headers=HEADERS, timeout=180)
    session.close()
    return entries
