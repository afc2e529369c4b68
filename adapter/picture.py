"""The pain curves of a set of records as a picture: mean NRS on movement by arm, spread, n, every person.

A picture for people, drawn from record dicts alone. What was not scored is a gap in every line: nothing is
filled in, carried forward or interpolated, and each mean is over the scores that were taken at that point.
Numbers turn into binary floats here, since they end as ink. It must not know FHIR, storage or where the
records come from.

    records ── curves (who, which treatment) ── groups (mean, 95 % interval, n) ── figure ── PNG or SVG
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from .errors import ConfigError

Record = dict[str, Any]
POINTS = {"baseline": "Baseline", "h1": "1 hour", "w1": "1 week", "m1": "1 month", "m3": "3 months"}
REGISTRY = "Registry patients"
FORMATS = (".png", ".svg")
_KEPT = (
    *("version", "record_status", "study_id", "subject_id", "anchor_procedure_id", "target_no", "laterality"),
    *("timepoint_code", "score", "score_status"),
)
# Okabe and Ito's colours, told apart by all common kinds of colour vision; marker and dash say it again.
STYLES = (
    ("#0072B2", "o", "-"),
    ("#D55E00", "s", "--"),
    ("#009E73", "D", "-"),
    ("#CC79A7", "^", "--"),
    ("#E69F00", "v", "-"),
    ("#56B4E9", "P", "--"),
)
REGISTRY_STYLE = ("#5F5F5F", "D", ":")
INK, QUIET, FAINT = "#222222", "#555555", "#D9D9D9"
NOTE = (
    "Left: mean of the scores taken, with the 95 % confidence interval of the mean. Right: every treated place.\n"
    "Arms as assigned. Missed scores are gaps; nothing is filled in. Time axis not to scale."
)
_T = "12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228 2.201 2.179 2.160 2.145 2.131"
T_975 = tuple(float(quantile) for quantile in _T.split())


@dataclass(frozen=True)
class Counts:
    """What was drawn: curves and scores by group; scores not taken; study scores of persons without an arm."""

    curves: dict[str, int]
    scores: dict[str, dict[str, int]]
    not_done: int
    left_out: int


@dataclass
class _Group:
    """The curves of one arm, or of the registry: a score or None for each time point."""

    label: str
    style: tuple[str, str, str]
    curves: list[list[float | None]] = field(default_factory=list)

    def at(self, position: int) -> list[float]:
        """The scores taken at one time point."""
        return [score for curve in self.curves if (score := curve[position]) is not None]

    def line(self, width: float, size: float) -> dict[str, Any]:
        """How its mean is drawn."""
        colour, marker, dash = self.style
        return dict(color=colour, marker=marker, linestyle=dash, linewidth=width, markersize=size)  # noqa: C408

    def mean(self, position: int) -> float:
        """Their mean; not a number where none was taken, so that the line has a gap."""
        return fmean(taken) if (taken := self.at(position)) else math.nan

    def reach(self, position: int) -> float:
        """Half the 95 % confidence interval of the mean (Student's t); zero for a single score."""
        taken = self.at(position)
        return _t(len(taken) - 1) * stdev(taken) / math.sqrt(len(taken)) if len(taken) > 1 else 0.0


def _t(freedom: int) -> float:
    """The 97.5 % point of Student's t, from the table, then to three digits by 1.96 + 2.4 / freedom."""
    return T_975[freedom - 1] if freedom <= len(T_975) else 1.96 + 2.4 / freedom


class _Reader:
    """Collects from a stream of records what the curves need, so memory grows with these scores only."""

    def __init__(self) -> None:
        self.total = self.synthetic = 0
        self.titles: set[str] = set()
        self.arm_labels: dict[tuple[str, str], str] = {}
        self.arms: dict[tuple[str, str], str] = {}
        self.purposes: dict[tuple[str, str], str] = {}
        self.scores: dict[str, Record] = {}

    def take(self, record: Record) -> None:
        """Note one record."""
        self.total += 1
        self.synthetic += record.get("synthetic") is True
        match record["kind"]:
            case "study":
                self.titles.add(record.get("title", ""))
                for arm in record.get("arms", ()):
                    self.arm_labels[record["study_id"], arm["arm_id"]] = arm.get("arm_label", arm["arm_id"])
            case "enrolment" if "assigned_arm" in record and _valid(record):
                self.arms[record["study_id"], record["subject_id"]] = record["assigned_arm"]
            case "procedure" if _valid(record):
                self.purposes[record["subject_id"], record["procedure_id"]] = record.get("purpose", "")
            case "pain_outcome":
                self._score(record)

    def _score(self, record: Record) -> None:
        """Keep the newest version of a score; a retracted one stays only to hide what it replaces."""
        known = self.scores.get(record["record_id"])
        newer = known is None or known["version"] < record["version"]
        fits = record.get("instrument") == "nrs_0_10" and record.get("pain_context") == "movement"
        if newer and fits and record.get("timepoint_code") in POINTS and "anchor_procedure_id" in record:
            self.scores[record["record_id"]] = {name: record[name] for name in _KEPT if name in record}

    def groups(self) -> tuple[list[_Group], int, int]:
        """The arms in order of their ids, the registry last; planned scores not taken; scores in no group."""
        curves: dict[tuple[str, ...], list[float | None]] = {}
        groups: dict[tuple[str, ...], tuple[str, str] | None] = {}
        not_done = left_out = 0
        anchors = [score for score in self.scores.values() if _valid(score)]
        based = {_curve(score) for score in anchors if score["timepoint_code"] == "baseline"}
        for score in anchors:
            key = _curve(score)
            purpose = self.purposes.get((score["subject_id"], score["anchor_procedure_id"]))
            if purpose != "therapeutic" and (purpose is not None or key not in based):
                continue  # scores around the diagnostic injection or a rescue are not on these curves
            study = score.get("study_id")
            arm = self.arms.get((study, score["subject_id"])) if study else None
            if study and arm is None:
                left_out += 1
                continue
            groups[key] = (study, arm) if study and arm else None
            curve = curves.setdefault(key, [None] * len(POINTS))
            if score["score_status"] == "collected":
                curve[list(POINTS).index(score["timepoint_code"])] = float(score["score"])
            else:
                not_done += 1
        found: list[_Group] = []
        trial = sorted({arm for arm in groups.values() if arm})
        for number, place in enumerate(trial):
            group = _Group(self.arm_labels.get(place, place[1]), STYLES[number % len(STYLES)])
            group.curves = [curves[key] for key, own in groups.items() if own == place]
            found.append(group)
        others = [curves[key] for key, own in groups.items() if own is None]
        if others:
            found.append(_Group(REGISTRY, REGISTRY_STYLE, others))
        return found, not_done, left_out


def _valid(record: Record) -> bool:
    return record.get("record_status") not in ("entered_in_error", "cancelled")


def _curve(score: Record) -> tuple[str, ...]:
    """One curve: one treated place after one procedure of one person."""
    where = score.get("target_no", score.get("laterality", ""))
    return score["subject_id"], score["anchor_procedure_id"], str(where)


def pain_curves(records: Iterable[dict[str, Any]], path: Path) -> Counts:
    """Draw the pain curves of these records to `path` (PNG or SVG by its suffix) and say what was drawn.

    Curves follow therapeutic procedures only; the arm is the one assigned, whatever was given in the end. The same
    records give the same bytes. ConfigError for another suffix, or when the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"picture: the file name must end in {' or '.join(FORMATS)}")
    reader = _Reader()
    for record in records:
        reader.take(record)
    groups, not_done, left_out = reader.groups()
    try:
        _draw(groups, _headline(reader), _title(reader), path)
    except OSError as error:
        raise ConfigError(f"picture: cannot write the file ({error.strerror})") from None
    return Counts(
        curves={group.label: len(group.curves) for group in groups},
        scores={g.label: {code: len(g.at(n)) for n, code in enumerate(POINTS)} for g in groups},
        not_done=not_done,
        left_out=left_out,
    )


def _headline(reader: _Reader) -> str:
    plain = "Pain on movement after treatment"
    if reader.total and reader.synthetic == reader.total:
        return f"{plain} \N{EM DASH} synthetic data"
    return f"{plain} \N{EM DASH} partly synthetic data" if reader.synthetic else plain


def _title(reader: _Reader) -> str:
    """The study's title, when there is one study."""
    return _shortened("".join(reader.titles), 120) if len(reader.titles) == 1 else ""


def _draw(groups: list[_Group], headline: str, title: str, path: Path) -> None:
    """Means on the left, every single curve on the right, number of scores below."""
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {"svg.hashsalt": "hydrofhir", "font.family": "DejaVu Sans", "text.color": INK}
    box = {
        "left": 0.065,
        "right": 0.985,
        "top": 0.845,
        "bottom": 0.175 + 0.034 * len(groups),
        "hspace": 0.4,
        "wspace": 0.13,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(12, 6.8), dpi=150, facecolor="white")
        grid = figure.add_gridspec(max(len(groups), 1), 2, width_ratios=(2.2, 1), **box)
        figure.text(box["left"], 0.945, headline, fontsize=16, fontweight="bold")
        figure.text(box["left"], 0.903, title, fontsize=10, color=QUIET)
        _means(figure.add_subplot(grid[:, 0]), groups)
        for row, group in enumerate(groups):
            _singles(figure.add_subplot(grid[row, 1]), group, f"curve-{row}", last=row == len(groups) - 1)
        figure.text(box["left"], 0.025, NOTE, fontsize=9, color=QUIET, linespacing=1.5)
        kind = path.suffix.lower()[1:]
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(path, format=kind, metadata=metadata)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _frame(axes: Any) -> None:
    """What all panels share: 0 to 10, the time points in even steps, quiet lines."""
    axes.set_ylim(-0.3, 10.3)
    axes.set_yticks(range(0, 11, 2))
    axes.set_xlim(-0.35, len(POINTS) - 0.65)
    axes.set_xticks(range(len(POINTS)), POINTS.values())
    axes.grid(axis="y", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)


def _means(axes: Any, groups: list[_Group]) -> None:
    """Mean and 95 % interval of each group, side by side, and how many scores each mean rests on."""
    _frame(axes)
    axes.set_ylabel("Pain on movement, NRS 0\N{EN DASH}10 (lower is better)", fontsize=11)
    axes.tick_params(axis="x", labelsize=11)
    across = axes.get_xaxis_transform()
    places = range(len(POINTS))
    for number, group in enumerate(groups):
        shift = 0.07 * (number - (len(groups) - 1) / 2)
        axes.errorbar(
            [place + shift for place in places],
            [group.mean(place) for place in places],
            yerr=[group.reach(place) for place in places],
            label=group.label,
            zorder=3 + number,
            **group.line(2.2, 8),
            capsize=4,
            elinewidth=1.4,
        )
        height = -0.185 - 0.05 * number
        look = {"transform": across, "color": group.style[0], "va": "center"}
        axes.plot([-0.27], [height], clip_on=False, transform=across, **group.line(2, 7))
        for place in places:
            axes.text(place, height, str(len(group.at(place))), ha="center", **look)
    if groups:
        axes.legend(loc="upper right", frameon=False, fontsize=11)
        axes.text(-0.33, -0.128, "Scores taken", transform=across, color=QUIET, fontsize=9, va="center")
    else:
        axes.text(2, 5, "No NRS scores on movement", ha="center", fontsize=13)


def _singles(axes: Any, group: _Group, name: str, *, last: bool) -> None:
    """Every single curve of a group, faint, and its mean."""
    _frame(axes)
    axes.tick_params(axis="x", labelsize=8, rotation=30, labelbottom=last)
    axes.tick_params(axis="y", labelsize=8)
    colour = group.style[0]
    faint = max(0.08, min(0.35, 6 / len(group.curves)))
    for number, curve in enumerate(group.curves):
        heights = [math.nan if score is None else score for score in curve]
        look = {"color": colour, "alpha": faint, "linewidth": 1, "marker": ".", "markersize": 4}
        axes.plot(heights, gid=f"{name}-{number}", **look)
    axes.plot([group.mean(place) for place in range(len(POINTS))], **group.line(2, 5))
    title = f"{_shortened(group.label, 44)}, n = {len(group.curves)}"
    axes.set_title(title, fontsize=8.5, color=colour, loc="left", pad=5)
