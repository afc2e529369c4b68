"""Nothing yet but the import path of helpers."""
