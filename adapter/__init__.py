"""hydrofhir: hydrodissection records to HL7 FHIR R4 and R5 and back. This is the map of the house.

Faces: what people and programs call.

    __init__.py    this map, and the version
    cli.py         the command `hydrofhir`; a thin shell around commands/
    commands/      one function a command: parse, call a journey, show how it went
    app.py         create_app(settings): the parts joined for HTTP
    web/           the HTTP service: JSON and FHIR in and out

Journeys: what happens, in its order.

    pipeline.py    intake, push, pull, top to bottom
    admission.py   who is let into the store: refused, held back, or kept with flags
    circles.py     the records around a subject, and the flags of what is kept
    derivation.py  what follows from a subject's records, kept as records too
    gather.py      resources to records: the second half of a pull
    files.py       map and unmap over files, in bounded memory
    processes.py   map over several processes
    publish.py     definitions to a server or a folder
    scope.py       what a pull asks a partner for
    demo.py        records to a server and back, compared and drawn
    mill.py        one record to checked resources, and resources to a validated record
    receiver.py    what one target wants differently: its own patients, people and places
    assembly.py    joins catalog, records, mapping and FHIR models; proves that they fit
    report.py      what a journey has done, in counts and issues

Rooms: each knows one thing and, but for exceptions with a reason, no other room.

    records/       what arrives: one schema per record kind, the rules, the readers
    measures/      what is derived: percent reduction, responders, area under the curve, doses; pure and exact
    mapping/       record <-> resource, both ways from one row; named transforms, each beside its inverse
    definitions/   what our resources mean, as FHIR: profiles, extensions, terminology, the diary's questions
    fhir/          the shape of FHIR: models, gate, ids, Bundle, OperationOutcome
    exchange/      the wire: servers and folders, retries, pacing, authentication
    store/         what we remember: records, ledger of deliveries, staging, cursors
    neighbours/    rules between records: what refuses one, holds it back or flags it; pure
    synthetic/     made-up trial and registry records
    picture.py     pain curves as an image
    sandbox/       a HAPI FHIR server of our own, built and started here; stands alone

Below all of them.

    catalog/       reads mappings/ once and freezes it
    settings/      the only reader of environment and configuration file
    codec.py       JSON without losing a digit
    errors.py      every exception; each says skip, retry or stop

Data is beside the code: mappings/ (rows, code lists, ConceptMaps) and examples/ (stories as golden tests). Who may
import whom is a table in tests/test_architecture.py.
"""

__version__ = "0.1.0"
