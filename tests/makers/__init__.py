"""Builders of arbitrary valid records, one per kind."""

from .adverse_event import AdverseEventMaker
from .derived_measure import DerivedMeasureMaker
from .enrolment import EnrolmentMaker
from .function_outcome import FunctionOutcomeMaker
from .headache import HeadacheDayMaker, HeadachePeriodMaker
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
    "headache_day": HeadacheDayMaker,
    "headache_period": HeadachePeriodMaker,
    "derived_measure": DerivedMeasureMaker,
}
