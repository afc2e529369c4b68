"""hydrofhir."""
