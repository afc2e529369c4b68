"""Resources that others wrote, case by case: read where there is one answer, refused with field and rule where not.

`table.py` says what a case is, `writers.py` builds what a ward or a clinic would send, and there is a module of cases for
each kind of record. `test_foreign.py` runs them all, in R4 and R5 where both have the elements.
"""
