"""The HTTP face: thin. Reads a request, calls the pipeline or the mill, writes the answer.

    POST /v1/map     records -> FHIR resources           (mapping.py)
    POST /v1/unmap   FHIR resources -> records           (mapping.py)
    POST /v1/push    records -> store -> a target        (journeys.py)
    POST /v1/pull    a target -> store -> records        (journeys.py)
    GET  /v1/health, /v1/schemas/<kind>, /v1/openapi.json  (about.py)

`bodies` reads what comes in, `negotiation` and `answers` write what goes out, `errors` shapes every failure, `traffic`
is what happens around each request, `parts` holds what requests share, `bounds` keeps journeys short, `schemas` and
`docs` describe all of it. Must not know how records are mapped, kept or sent.
"""
