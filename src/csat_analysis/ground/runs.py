"""Which survey is to be reported, when, and how are its tables read? A project's run file as frozen data."""

import datetime as dt
import functools
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.programmes import Finite, Place, Strict, Text, Title, as_text
from csat_analysis.ground.words import languages

S = TypeVar("S", bound=Strict)
if TYPE_CHECKING:
    Language = str
else:  # those that there is a catalogue of
    Language = Literal[tuple(sorted(languages(), reverse=True))]
Table = Literal["frame", "distribution", "responses", "complaints", "deliveries", "steps", "actions"]
TABLES: tuple[Table, ...] = ("frame", "distribution", "responses", "complaints", "deliveries", "steps", "actions")
RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
PERIOD = re.compile(r"(\d{4})(?:H([12])|Q([1-4])|-(0[1-9]|1[0-2]))?", re.ASCII)


def as_list(value: Any) -> Any:
    """Return a single value as a list of one, numbers as text."""
    return [as_text(each) for each in (value if isinstance(value, list | tuple) else [value])]


def check_project(project: str) -> str:
    """Return the name of a project as it is, or say why no folder can have it everywhere.

    >>> check_project("yuanya")
    'yuanya'
    """
    if RESERVED.fullmatch(project):
        raise ValueError(f"{project!r} is no name for a folder on Windows; choose another")
    return project


def check_period(period: str) -> str:
    """Return the period as it is, or say what a period looks like.

    >>> check_period("2024Q1")
    '2024Q1'
    """
    if not PERIOD.fullmatch(period) or period[:4] in ("0000", "9999"):
        raise ValueError(f"{period!r} is not a period; write 2024, 2024H1, 2024Q1 or 2024-05")
    return period


@functools.lru_cache(maxsize=4096)
def period_bounds(period: str) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a period.

    >>> period_bounds("2024H1")
    (datetime.date(2024, 1, 1), datetime.date(2024, 6, 30))
    """
    year, half, quarter, month = (int(part or 0) for part in PERIOD.fullmatch(check_period(period)).groups())  # type: ignore[union-attr]
    first, months = (month, 1) if month else (3 * quarter - 2, 3) if quarter else (6 * half - 5, 6) if half else (1, 12)
    start = dt.date(year, first, 1)
    following = dt.date(year + (first + months > 12), (first + months - 1) % 12 + 1, 1)
    return start, following - dt.timedelta(days=1)


def earlier_periods(period: str) -> dict[str, str]:
    """Return the same period a year before, and the one just before where that is another.

    >>> earlier_periods("2024Q1"), earlier_periods("2024")
    ({'previous': '2023Q4', 'year_on_year': '2023Q1'}, {'year_on_year': '2023'})
    """
    year, part = int(period[:4]), period[4:]
    year_before = {"year_on_year": f"{year - 1:04d}{part}"}
    if not part:
        return year_before
    mark, number, last = part[0], int(part[1:]), {"H": 2, "Q": 4, "-": 12}[part[0]]
    year, number = (year, number - 1) if number > 1 else (year - 1, last)
    shown = f"{number:02d}" if mark == "-" else str(number)
    return {"previous": f"{year:04d}{mark}{shown}", **year_before}


Texts = Annotated[
    tuple[str, ...], BeforeValidator(as_list, json_schema_input_type=str | int | float | list[str | int | float])
]
Period = Annotated[Text, AfterValidator(check_period)]
Count = Annotated[int, Field(ge=0, le=10**12)]


class Read(Strict):
    """How a table is read where it is not in our words already."""

    file: str | None = Field(None, description="relative to the period's folder")
    sheet: str | None = Field(None, description="of a workbook; the first one where empty")
    columns: dict[str, Text] = Field({}, description="our name: the file's header")
    missing: Texts = Field((), description="answers that mean no answer")
    where: dict[Text, Texts] = Field({}, description="the file's header: the values that are ours")


class Weighting(Strict):
    """To which known margins those who answered are weighted, beside the figures as they are."""

    by: tuple[Text, ...] = Field(min_length=1)
    trim: float | None = Field(None, gt=1)
    totals: dict[Text, dict[Text, Count]] = {}


class Design(Strict):
    """The columns that say how the survey was drawn."""

    stratum: str | None = None
    weight: str | None = None
    cluster: str | None = None
    population: dict[Text, Count] = {}
    lonely: Literal["grand_mean", "certainty", "average"] = "grand_mean"
    weighting: Weighting | None = None


class Counts(Strict):
    """Totals where no table lists them."""

    frame: Count | None = None
    distributed: Count | None = None
    deliveries: Count | None = None
    complaints: Count | None = None


class Remedy(Strict):
    """When a survey with too many invalid forms is to be mended, and when it was."""

    due_on: dt.date | None = None
    closed_on: dt.date | None = None


class Change(Strict):
    """How before and after are to be compared."""

    selected: Literal["auto"] | bool = "auto"
    linked: Literal["auto"] | bool = Field("auto", description="whether forms of both periods name their customers")
    same_clusters: bool = Field(False, description="whether a cluster id is the same cluster in both periods")


class Looks(Strict):
    """Looks at a survey while it runs, so that several chances to see a change are counted as such."""

    planned: Annotated[int, Field(ge=1, description="how many valid forms the survey is planned to have")]
    taken: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = Field(
        description="how many valid forms there were at each look before this one"
    )


class DocumentControl(Strict):
    """What stands on the cover of a report that is sent; what is left out is filled in by hand."""

    number: Text | None = None
    version: Text | None = None
    confidentiality: Title | None = None
    prepared_by: Text | None = None
    reviewed_by: Text | None = None
    approved_by: Text | None = None


class PeriodPlan(Strict):
    """What differs from period to period."""

    as_of: dt.date
    baseline: Period | None = None
    programme: str | None = None
    counts: Counts = Counts()
    remedy: Remedy | None = None
    read: dict[Table, Read] = {}
    design: Design | None = None
    document: DocumentControl | None = None
    looks: Looks | None = None
    decided_on: dict[Text, Texts] = Field(
        {}, description="a column of the baseline's responses: the values of the forms that the action was decided on"
    )
    closed: bool = Field(False, description="done for good: not redone without --force")


class RunFile(Strict):
    """One project: its programme, its tables, its periods."""

    project: Annotated[Text, Field(pattern=r"^[\w-]{1,64}$"), AfterValidator(check_project)]
    title: Title
    programme: str
    language: Language = "zh"
    read: dict[Table, Read] = {}
    design: Design = Design()
    document: DocumentControl = DocumentControl()
    groups: tuple[str, ...] = ()
    names: dict[str, Title] = Field({}, description="what a column of groups or strata is called on the page")
    levels: dict[str, dict[Text, Title]] = Field(
        {}, description="what the values of such a column are called, in order"
    )
    change: Change = Change()
    targets: dict[str, Finite] = {}
    within: tuple[Title, ...] = Field((), description="what the project belongs to, the largest first: region, city")
    periods: Annotated[dict[Period, PeriodPlan], Field(min_length=1)]


class Run(Strict):
    """One project in one period, with everything its run file says of it."""

    project: str
    period: str
    title: Title
    programme: str
    language: Language
    read: dict[Table, Read]
    design: Design
    document: DocumentControl = DocumentControl()
    groups: tuple[str, ...]
    names: dict[str, Title]
    levels: dict[str, dict[str, Title]]
    targets: dict[str, float]
    within: tuple[Title, ...]
    change: Change
    as_of: dt.date
    baseline: str | None
    counts: Counts
    remedy: Remedy | None
    looks: Looks | None
    decided_on: dict[str, tuple[str, ...]]
    closed: bool

    @property
    def place(self) -> str:
        """Return the run as messages name it."""
        return f"{self.project} {self.period}"


def expand(file: RunFile) -> list[Run]:
    """Return the runs of a run file, in the order of their periods' ends; a period's own keys win."""
    periods = sorted(file.periods.items(), key=lambda item: period_bounds(item[0])[::-1])
    return [
        Run(
            project=file.project, period=period, title=file.title, language=file.language,
            programme=plan.programme or file.programme, read=_merged(file.read, plan.read),
            design=_overridden(file.design, plan.design), document=_overridden(file.document, plan.document),
            groups=file.groups, names=file.names, levels=file.levels,
            targets=file.targets, within=file.within, change=file.change, as_of=plan.as_of, baseline=plan.baseline,
            counts=plan.counts, remedy=plan.remedy, looks=plan.looks,
            decided_on=plan.decided_on, closed=plan.closed,
        )
        for period, plan in periods
    ]  # fmt: skip


def _merged(read: dict[Table, Read], own: dict[Table, Read]) -> dict[Table, Read]:
    return {**read, **{table: _overridden(read.get(table, Read()), each) for table, each in own.items()}}


def _overridden(base: S, own: S | None) -> S:
    """Return a mapping's keys, a period's own in their place."""
    return base if own is None else base.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})


def _looks_faults(looks: Looks, base: str | None, place: Place) -> Iterator[tuple[Place, str]]:
    taken, planned = list(looks.taken), looks.planned
    if base is None:
        yield place, "looks are for a change since a baseline; name the baseline, or drop looks."
    if any(first >= second for first, second in pairwise([*taken, planned])):
        yield place, f"{taken} and {planned} planned do not rise; give the forms of each look in order."


def faults(file: RunFile) -> Iterator[tuple[Place, str]]:
    """Yield the place and the sentence of what single keys cannot show to be wrong."""
    for name in file.targets:
        if name not in MEASURES:
            yield ("targets", name), f"{name!r} is not a measure; use one of {sorted(MEASURES)}."
    shown = {*file.groups, *(run.design.stratum for run in expand(file) if run.design.stratum)}
    for key, column in [*(("names", name) for name in file.names), *(("levels", name) for name in file.levels)]:
        if column not in shown:
            yield (key, column), f"{column!r} is no group and no stratum here; use one of {sorted(shown)}."
    for run in expand(file):
        for name in run.design.weighting.by if run.design.weighting else ():
            if name not in {*file.groups, run.design.stratum}:
                known = sorted({*file.groups, *filter(None, [run.design.stratum])})
                yield ("design", "weighting", "by"), f"{name!r} is no group and no stratum here; use one of {known}."
    for period, plan in file.periods.items():
        base = plan.baseline
        place = ("periods", period, "baseline")
        if base is not None and base not in file.periods:
            yield place, f"{base!r} is not a period here; use one of {sorted(file.periods)}."
        elif base is not None and period_bounds(base) >= period_bounds(period):
            yield place, f"{base!r} is not before {period!r}; name an earlier period."
        if plan.decided_on and base is None:
            sentence = "marks forms of a baseline; name the baseline, or drop decided_on."
            yield ("periods", period, "decided_on"), sentence
        if plan.looks:
            yield from _looks_faults(plan.looks, base, ("periods", period, "looks"))
        if plan.as_of < period_bounds(period)[0]:
            yield ("periods", period, "as_of"), f"{plan.as_of} is before the period begins; give the day of the report."
