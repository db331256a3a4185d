"""What can be compared, and how were the two surveys made? The answers choose the analysis."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.assembly.assessment import Judged, judged, status_of
from csat_analysis.assembly.load import Survey, decided_forms
from csat_analysis.domain.evidence import Evidence
from csat_analysis.ground.programmes import Programme

FEW_CLUSTERS = 20  # in one survey: fewer are compared by randomization
POPULATION_SHIFT = 0.2  # of the customers in another stratum than before
OF_ANSWERS = ("satisfaction_rate", "satisfaction_rate_of_valid", "survey_rate", "weighted_score", "latent_index")
MODE, POPULATION, WORDING, SCALE, RULES = "mode", "population", "wording", "scale", "rules"
USED = "used"  # the forms of the baseline that the action was not decided on


@dataclass(frozen=True)
class Wave:
    """One of the two surveys, with what it says; ``known`` holds what was computed of it once, by what that is."""

    survey: Survey
    judged: Judged
    status: str
    known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def evidence(self) -> Evidence:
        """Return what the measures are computed from."""
        return self.judged.evidence

    @property
    def answers(self) -> pd.DataFrame:
        """Return the answers that enter figures."""
        return self.judged.answers


@dataclass(frozen=True)
class Situation:
    """How two surveys were made, as far as it decides how they are compared.

    Attributes
    ----------
    people
        Are they the same? ``none`` is known to be, ``some`` are, or ``all``.
    weighted, stratified
        Of either survey.
    clusters
        Clusters of the survey that has fewer; None where forms were drawn one by one. ``same_clusters``: a cluster id
        is the same cluster in both.
    fired
        Rules on figures of the answers that the baseline missed.
    selected
        Whether the project was chosen by these figures, so that some of a rise comes by itself. ``declared``: the run
        file says so.
    split
        ``used``: the action was decided on some forms of the baseline alone, and the others are compared; or why that
        cannot be, see ``split_of``; empty: it was decided on all of them.
    view
        ``process`` or ``residents``.
    apart
        Why figures are not comparable: ``mode``, ``population`` (then all of them, under ""), ``wording``, ``scale``,
        ``rules``, by figure.
    mode_shift, population_shift
        Share of the forms that came by another channel than before, of the customers in another stratum; NaN: unknown.
    """

    people: str
    weighted: bool
    stratified: bool
    clusters: int | None
    same_clusters: bool
    fired: tuple[str, ...]
    selected: bool
    declared: bool
    view: str
    apart: Mapping[str, str]
    mode_shift: float = math.nan
    population_shift: float = math.nan
    split: str = ""

    @property
    def is_plain(self) -> bool:
        """Return whether forms of both surveys weigh the same and were drawn one by one, of one stratum."""
        return not (self.weighted or self.stratified or self.clusters is not None)

    def guards(self, figure: str) -> bool:
        """Return whether a figure is one that the project was chosen by, or one of the same answers."""
        return self.selected and of_answers(figure)

    def why_apart(self, figure: str) -> str:
        """Return why a figure is not comparable; empty where it is."""
        return self.apart.get("", "") or self.apart.get(figure, "")


def of_answers(figure: str) -> bool:
    """Return whether a figure is made of the answers given: of these the index, too."""
    return "." in figure or figure in (*OF_ANSWERS, "index")


def wave_of(survey: Survey, names: list[str]) -> Wave:
    """Return a survey with what it says of some measures, by its own programme."""
    known = judged(survey, names)
    return Wave(survey, known, status_of(survey, known.gates))


def situation_of(
    before: Wave, after: Wave, figures: list[str], fired: tuple[str, ...] = (), split: str = ""
) -> Situation:
    """Return how two surveys were made, where the first missed some rules; ``before``: the forms that are compared."""
    run, rules = after.survey.run, after.survey.programme.change_rules
    chosen = run.change.selected
    modes, population = mode_shift(before, after), population_shift(before, after)
    designs = [wave.evidence.design for wave in (before, after)]
    clustered = any("cluster" in wave.evidence.forms for wave in (before, after))
    apart = apart_by_edition(before.survey, after.survey, figures)
    if modes > rules.mode_shift:
        apart = {"": MODE}
    elif population > POPULATION_SHIFT:
        apart = {"": POPULATION}
    return Situation(
        people=same_people(before, after), weighted=any(wave.evidence.is_weighted for wave in (before, after)),
        stratified=any(len(design.population) > 1 for design in designs),
        clusters=min(len(design.strata) for design in designs) if clustered else None,
        same_clusters=run.change.same_clusters, fired=fired,
        selected=split != USED and (bool(fired) if chosen == "auto" else bool(chosen)), declared=chosen != "auto",
        view=rules.view, apart=apart, mode_shift=modes, population_shift=population, split=split,
    )  # fmt: skip


def fired_by(wave: Wave) -> tuple[str, ...]:
    """Return the figures of the answers whose rules or targets a survey missed, by the letter."""
    missed = wave.judged.gates.loc[wave.judged.gates["passed"] == False, "measure"]  # noqa: E712 - None is no miss
    return tuple(dict.fromkeys(name for name in missed if of_answers(name)))


# --- forms that the action was not decided on -------------------------------------------------------------------------


def split_of(before: Wave, after: Wave) -> str:
    """Return whether the forms that the action was not decided on can be compared: ``used``, or why not.

    Notes
    -----
    The errors of these forms are independent of those by which the project was chosen, so that plain tests hold: the
    split baseline. Not where a cluster has forms of both kinds, as they share its error; where all forms miss a rule
    and those it is said to be decided on do not (``not_fired``); where the forms sent are the base of the rate, which
    nobody tells apart. In a finite population the other forms lean the other way, so that a rise is seen less often.
    Empty where the run file names no such forms.
    """
    run = after.survey.run
    if not run.decided_on:
        return ""
    if after.survey.programme.satisfaction_rate.denominator == "distributed":
        return "distributed"
    decided, forms = decided_forms(run, before.survey), before.evidence.forms
    if "cluster" in forms and (decided.groupby([forms["cluster"], *_strata(forms)]).nunique() > 1).any():
        return "clusters"
    return "not_fired" if fired_by(before) and not fired_by(_wave_of_forms(before, decided)) else USED


def _strata(forms: pd.DataFrame) -> list[pd.Series]:
    return [forms["stratum"]] if "stratum" in forms else []


def undecided(before: Wave, after: Wave) -> Wave:
    """Return the baseline by the forms alone that the action was not decided on; its status stays."""
    return replace(_wave_of_forms(before, ~decided_forms(after.survey.run, before.survey)), status=before.status)


def _wave_of_forms(wave: Wave, kept: pd.Series) -> Wave:
    survey = replace(wave.survey, forms=wave.survey.forms[kept], answers=wave.survey.answers[kept])
    return wave_of(survey, list(wave.judged.found))


# --- the same people --------------------------------------------------------------------------------------------------


def customers_of(wave: Wave) -> pd.Series | None:
    """Return the customer of each row of forms; None where not every row names one, or one has several."""
    forms = wave.evidence.forms
    if "customer_id" not in forms or not len(forms):
        return None
    named = forms["customer_id"].astype(str).str.strip()
    is_one_each = (named != "").all() and named.is_unique and (forms["count"] == 1).all()
    return named if is_one_each else None


def same_people(before: Wave, after: Wave) -> str:
    """Return whether ``none``, ``some`` or ``all`` of those who answered are known to have answered both times."""
    wanted = after.survey.run.change.linked
    first, second = customers_of(before), customers_of(after)
    if wanted is False or first is None or second is None:
        return "none"
    both = len(set(first) & set(second))
    return "none" if both < 2 else "all" if both == len(first) == len(second) else "some"


# --- what is not comparable -------------------------------------------------------------------------------------------


def mode_shift(before: Wave, after: Wave) -> float:
    """Return the share of the returned forms that came by another channel than before; NaN where nobody says."""
    shares = [_shares_of_channels(wave) for wave in (before, after)]
    known = [share for share in shares if share is not None]
    return _moved(*known) if len(known) == 2 else math.nan


def channels_of(wave: Wave) -> pd.Series | None:
    """Return the channel of each row of forms, "" where it is not stated; None where the survey does not say."""
    forms, sent = wave.evidence.forms, wave.survey.tables.get("distribution", pd.DataFrame())
    channels = forms.get("channel")
    if channels is None and {"channel", "form_id"} <= set(sent):
        channels = sent.drop_duplicates("form_id").set_index("form_id")["channel"].reindex(forms.index)
    return None if channels is None else channels.fillna("").astype(str).str.strip()


def _shares_of_channels(wave: Wave) -> pd.Series | None:
    """Return the share of each channel of the returned forms; None where nobody says."""
    named = channels_of(wave)
    if named is None:
        return None
    counts = wave.evidence.forms["count"].groupby(named.where(named != "")).sum()
    return counts / counts.sum() if counts.sum() else None


def population_shift(before: Wave, after: Wave) -> float:
    """Return the share of the customers in another stratum than before; NaN where nobody says."""
    shares = []
    for wave in (before, after):
        frame, run = wave.survey.tables.get("frame", pd.DataFrame()), wave.survey.run
        column = next((name for name in (run.design.stratum, "stratum") if name and name in frame), None)
        sizes = frame[column].value_counts() if column else pd.Series(run.design.population, dtype=float)
        if not sizes.sum():
            return math.nan
        shares.append(sizes / sizes.sum())
    return _moved(*shares)


def _moved(before: pd.Series, after: pd.Series) -> float:
    """Return half of the sum of the differences of two sets of shares: what had to move to make one of the other.

    >>> _moved(pd.Series({"app": 0.5, "paper": 0.5}), pd.Series({"app": 0.8, "web": 0.2}))
    0.5
    """
    return round(float(np.abs(after.sub(before, fill_value=0.0)).sum() / 2), 12)


def apart_by_edition(before: Survey, after: Survey, figures: list[str]) -> dict[str, str]:
    """Return why figures of surveys by two editions of a programme are not comparable: wording, scale or rules."""
    if before.programme_sha256 == after.programme_sha256:
        return {}
    found = {}
    for name in figures:
        first, second = (_definition(name, each.programme) for each in (before, after))
        reason = next((key for key in (WORDING, SCALE, RULES) if first.get(key) != second.get(key)), "")
        if reason:
            found[name] = reason
    return found


def _definition(figure: str, programme: Programme) -> dict[str, Any]:
    """Return what a figure rests on: the wording of its questions, the scale, and the rules of its computation."""
    item, _, kind = figure.rpartition(".")
    asked = [each for each in programme.items if not item or each.id == item]
    levels = [(level.id, level.title) for level in programme.scale.levels]
    satisfied = programme.satisfied.levels if programme.satisfied else None
    points = [programme.item_points(each) for each in asked]
    if item:
        rules: Any = satisfied if kind == "satisfied" else points
    else:
        parts = (
            programme.satisfied_form,
            programme.satisfaction_rate,
            programme.validity,
            programme.index,
            programme.latent,
        )
        rules = satisfied, points, [each.weight for each in asked], [part and part.model_dump() for part in parts]
    return (
        {WORDING: [(each.id, each.title) for each in asked], SCALE: levels, RULES: rules} if of_answers(figure) else {}
    )
