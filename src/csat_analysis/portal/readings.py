"""What does the portal read of a record? What it shows, whatever edition of the package wrote it."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)


class Lenient(BaseModel):
    """A part of a record as the portal reads it: a closed run keeps the record of an older or a newer edition.

    What an older edition did not write has a value here that says so.
    """

    model_config = ConfigDict(extra="ignore")


class Edition(Lenient):
    """Which edition judged."""

    id: str
    version: int
    title: dict[str, str]


class Figure(Lenient):
    """A headline, or the figure that a rule is on."""

    measure: str
    title: dict[str, str] | None = None
    unit: Literal["share", "points", "per_1000"] | None = None
    value: float | None
    conf_low: float | None = None
    conf_high: float | None = None


class Rule(Figure):
    """A rule, its literal verdict, and how certain it is."""

    comparison: Literal["at_least", "more_than", "at_most", "less_than"]
    threshold: float
    passed: bool | None
    verdict: str | None = None
    certainty: float | None = None
    severity: str = "rule"
    clause: str | None = None


class Rate(Lenient):
    """A measure's parts, to be pooled."""

    id: str
    numerator: float | None
    denominator: float | None
    value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    method: str | None = None
    se: float | None = None
    df: float | None = None
    design_effect: float | None = None


class Part(Lenient):
    """The satisfaction rate of a part of a project; without figures where it is suppressed."""

    level: str
    title: dict[str, str] | None = None
    numerator: float | None = None
    denominator: float | None = None
    value: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None


class Due(Lenient):
    """What a failed rule set off."""

    because: str | None = None
    clause: str | None = None
    title: dict[str, str] | None = None


class Score(Lenient):
    """The index."""

    value: float | None
    conf_low: float | None = None
    conf_high: float | None = None


class Moved(Lenient):
    """How a figure changed since the baseline."""

    id: str
    verdict: Literal["improved", "unchanged", "worse", "insufficient", "not_comparable"]
    before: float | None = None
    after: float | None = None
    estimate: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    p_value: float | None = None
    method: str = ""
    reason: str = ""
    family: str = "exploratory"
    n_before: float | None = None
    n_after: float | None = None
    margin: float | None = None
    not_worse: bool | None = None
    expected: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


class Mode(Lenient):
    """The satisfaction rate of a channel, before and after."""

    channels: list[str]
    numerator_before: float
    denominator_before: float
    se_before: float | None = None
    df_before: float | None = None
    numerator_after: float
    denominator_after: float
    se_after: float | None = None
    df_after: float | None = None


class Gained(Lenient):
    """What the projects acted on gained beyond the others, by one analysis."""

    estimate: float | None
    conf_low: float | None
    conf_high: float | None
    p_value: float | None
    acted: int
    others: int
    naive: float | None
    reason: str


class Acted(Lenient):
    """What action brought over all projects."""

    figure: str
    threshold: float
    projects: int
    residual: Gained
    discontinuity: Gained


class Answered(Lenient):
    """The figures of a question; the interval is of the satisfied share."""

    id: str
    n: float | None = None
    mean: float | None = None
    share_satisfied: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None


class Done(Lenient):
    """An action, by when it was completed."""

    action_id: str
    completed_on: str | None = None


class Brief(Lenient):
    """What the portal's own pages show of a record."""

    project: str
    title: dict[str, str]
    period: str
    programme: Edition
    status: Literal["reportable", "remedy_due", "void"]
    headline: Figure
    gates: list[Rule]
    measures: list[Rate]
    as_of: str | None = None
    within: list[dict[str, str]] = []
    counts: dict[str, Any] = {}
    index: Score | None = None
    baseline: str | None = None
    items: list[Answered] = []
    item_titles: dict[str, dict[str, str]] = {}
    actions: list[Done] = []

    @field_validator("items", "item_titles", "actions", mode="wrap")
    @classmethod
    def _of_this_form(cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Return what another edition may have written in another form as nothing: the rest stays readable."""
        try:
            return read(value)
        except ValidationError:
            return cls.model_fields[str(info.field_name)].get_default()


class Listed(Brief):
    """What the company's page shows of a record, too."""

    parts: list[Part] = []
    triggers: list[Due] = []
    change: list[Moved] | None = None
    modes: list[Mode] | None = None
    portfolio: Acted | None = None

    @field_validator("change", "modes", "portfolio", mode="wrap")
    @classmethod
    def _of_this_edition(cls, value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        """Return what another edition may have written in another form as None: the rest of a record stays readable."""
        try:
            return read(value)
        except ValidationError:
            return None


def read_record(path: Path, kind: type[Brief]) -> dict[str, Any] | None:
    """Return what the portal shows of a record; None where the file is none, or was changed beyond recognition."""
    try:
        return kind.model_validate_json(path.read_bytes()).model_dump()
    except (OSError, ValidationError):
        return None


def read_mapping(path: Path) -> dict[str, Any]:
    """Return a file's mapping, empty where there is none that can be read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
