"""The shape of FHIR: version door, gate, identifiers, bundles, OperationOutcome.

Must not know records, mappings or the wire. FHIR versions are the strings "R4" and "R5".
"""

VERSIONS = ("R4", "R5")
