"""The HTTP service: ``create_app`` joins the real parts, or those handed in, and registers the routes of `web`.

    waitress-serve --call adapter.app:create_app

Must not do any work itself. Reading the settings, opening the store and proving the mappings happen here, so that a
wrong installation does not start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Flask

from adapter import settings as configuration
from adapter.assembly import Assembly, assemble
from adapter.exchange import connect as connect_partner
from adapter.mill import Mill
from adapter.scope import Partner
from adapter.settings import FHIR_VERSIONS, Settings, Target
from adapter.store import Store
from adapter.web import about, docs, errors, journeys, mapping, traffic
from adapter.web.parts import NAME, Parts


def create_app(
    settings: Settings | None = None,
    *,
    store: Store | None = None,
    assembly: Assembly | None = None,
    connect: Callable[[Target], Partner] | None = None,
) -> Flask:
    """The WSGI application. Every part has a default made from the settings and can be replaced (tests).

    Raises ConfigError or MappingProofError when it cannot work.
    """
    settings = settings or configuration.load()
    store = store or Store(settings.store_url)
    assembly = assembly or assemble(store.namespace(settings.namespace), settings.sid)
    mills = {version: Mill(assembly, version) for version in FHIR_VERSIONS}
    connect = connect or partial(connect_partner, mapping_version=assembly.mappings.digest)
    app = Flask("adapter", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.limits.body_bytes
    app.extensions[NAME] = Parts(settings, store, mills, connect)
    errors.register(app)
    traffic.register(app)
    api = docs.describe(app)
    app.extensions[about.API] = api
    for module in (mapping, journeys, about):
        api.register_blueprint(module.blp)
    return app
