"""The journey of definitions: what our resources mean, to a partner that is to understand them. Sends no records."""

from __future__ import annotations

from adapter.assembly import Assembly
from adapter.errors import ConfigError
from adapter.exchange import Definition, Partner
from adapter.report import Report


def publish(assembly: Assembly, partner: Partner, report: Report) -> Report:
    """Load all definitions of the partner's FHIR version; what it has already is not written again.

    Raises ConfigError for a target that takes nothing but synthetic records: what others find there is not ours to set.
    """
    target = partner.target
    if target.synthetic_only:
        raise ConfigError(f"target {target.name}: takes synthetic records only, no definitions")
    made = [Definition(one) for one in assembly.definitions(target.fhir)]
    report.add(offered=len(made))
    for some in partner.publish(made):
        for one in some:
            if one.issue is not None:
                report.refuse([one.issue], one.state)
            else:
                report.add(**{one.state: 1})
    if partner.stopped:
        report.unfinished = "the partner is unavailable; start it again later"
    return report.done()
