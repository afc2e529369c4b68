"""Builders of arbitrary valid records, one per kind."""

from .adverse_event import AdverseEventMaker
from .enrolment import EnrolmentMaker
from .function_outcome import FunctionOutcomeMaker
from .pain_outcome import PainOutcomeMaker
from .procedure import ProcedureMaker
from .study import StudyMaker
from .subject import SubjectMaker

MAKERS = {
    "subject": SubjectMaker,
    "study": StudyMaker,
    "enrolment": EnrolmentMaker,
    "procedure": ProcedureMaker,
    "pain_outcome": PainOutcomeMaker,
    "function_outcome": FunctionOutcomeMaker,
    "adverse_event": AdverseEventMaker,
}
