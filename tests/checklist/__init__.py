"""The checklist of the domain model: what the source documents name, each item by its row id.

`document-N.yaml` holds the items of source document N: words, the records that carry the item, and the element of R4 and
R5 that must hold it. `table.py` reads them, `places.py` finds elements, `test_checklist.py` sends each item there and back.
"""
