"""`derive`: records in, derived measures out; nothing is kept."""

from __future__ import annotations

from typing import Any

import click

from adapter.commands.convert import FILE, need_room, out_option, rejects_option
from adapter.commands.face import common, example, finish


@click.command(
    short_help="Records to derived measures.",
    epilog=example(
        "hydrofhir derive records.ndjson --out derived.ndjson",
        'hydrofhir derive records.ndjson | grep \'"formula":"pct_reduction"\'',
    ),
)
@click.argument("source", metavar="IN", type=FILE)
@out_option
@rejects_option
@common
def derive(source: str, out: str, rejects: str | None) -> None:
    """Calculate what follows from the records of IN: percent reduction, responders, area under the curve, doses,
    headache days and the like, subject by subject, then the flow of participants of each study.

    NDJSON, one value a line: formula and version, the value or why it is undefined, unit, and the records and
    versions it rests on. It shows doses and arms: its lines say so in blinding_class. All records are held in memory.
    """
    from adapter import codec, measures
    from adapter import settings as configuration
    from adapter.commands.watch import conclude, watched
    from adapter.files import written
    from adapter.records import intake

    need_room(out, rejects)
    settings = configuration.load()
    studies: dict[str, dict[str, Any]] = {}
    subjects: dict[str, list[dict[str, Any]]] = {}
    with watched(rejects) as journey, written(out) as stream:
        report = journey("derive", "read")
        for entry in intake.read(source, max_line=settings.limits.line_bytes):
            report.add(read=1)
            if entry.record is None:
                report.refuse(entry.issues)
            elif entry.record["kind"] == "study":
                known = studies.setdefault(entry.record["record_id"], entry.record)
                if known["version"] < entry.record["version"]:
                    studies[entry.record["record_id"]] = entry.record
            else:
                subjects.setdefault(entry.record["subject_id"], []).append(entry.record)

        def tell(found: list[measures.Derived]) -> None:
            for one in found:
                stream.write(codec.dumps(one.as_dict()) + b"\n")
            report.add(derived=len(found), undefined=sum(one.undefined is not None for one in found))

        for records in subjects.values():
            tell(measures.derive(records, *studies.values()))
        everybody = [record for records in subjects.values() for record in records]
        for study_id in sorted({study["study_id"] for study in studies.values()}):
            tell([*measures.flow(everybody, study_id), *measures.guesses(everybody, study_id)])
    conclude(report.done(), "read")
    finish("derive", report.exit_code, report.as_dict())
