"""What do the other projects say? The prior of a project chosen by its own figures, and what action brought."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from csat_analysis.assembly import analyses, assessment, composite
from csat_analysis.assembly.load import Survey
from csat_analysis.assembly.situation import Wave
from csat_analysis.domain import items
from csat_analysis.estimation import contrasts, priors, selection
from csat_analysis.estimation.contrasts import Contrast
from csat_analysis.estimation.selection import Gain
from csat_analysis.statistics.design import kept, without_population
from csat_analysis.statistics.differences import Difference
from csat_analysis.statistics.estimates import Estimate, estimate_mean

Peers = Iterable[tuple[Survey, Survey | None]]
SEED = 1
PREDICTIVE = "predictive"


class Member(NamedTuple):
    """One project of a portfolio, in the baseline and, where it was surveyed again, after."""

    project: str
    before: Wave
    after: Wave | None


@dataclass(frozen=True)
class Portfolio:
    """What the projects that were acted on gained beyond the others.

    ``figure, threshold``: what was acted on; ``contrast``, and the gap at the threshold (``discontinuity``) beside it.
    """

    figure: str
    threshold: float
    projects: int
    contrast: Contrast
    discontinuity: Contrast


def members_of(before: Wave, after: Wave, peers: Peers) -> list[Member]:
    """Return a project and the others of its programme, each with what its surveys say."""
    own = Member(after.survey.run.project, before, after)
    others = [
        Member(first.run.project, _answers_alone(first), _answers_alone(second) if second is not None else None)
        for first, second in peers
    ]
    return [own, *others]


def _answers_alone(survey: Survey) -> Wave:
    """Return a survey with what figures of its answers need, and no gates: hundreds of projects are read like this."""
    evidence, programme = assessment.gather(survey), survey.programme
    found = {name: assessment.compute(name, evidence) for name in (programme.index.terms if programme.index else ())}
    index, answers = (
        composite.index_of(programme, found, evidence),
        items.usable(survey.answers, evidence.forms, programme),
    )
    return Wave(survey, assessment.Judged(evidence, found, index, answers, pd.DataFrame()), "")


def gain_of(figure: str, members: list[Member]) -> Gain:
    """Return what the first project gained beyond what was to be expected of it without any action.

    Notes
    -----
    The prior is that of all projects' baselines. Shares by their effective numbers of answers, as satisfied of so many;
    scores and the index by their standard errors.
    """
    own = members[0]
    before, after = _estimate(figure, own.before), _estimate(figure, own.after) if own.after else None
    if before is None or after is None:
        return Gain(reason=selection.NO_ANSWERS)
    known = [found for each in members if (found := _estimate(figure, each.before)) is not None]
    if analyses.is_share(figure):
        prior = priors.fit_prior(*_counts(known))
        (k1, k2), (n1, n2) = _counts([before, after])
        return selection.predict(k1, n1, k2, n2, prior)._replace(n_before=before.n, n_after=after.n)
    usable = [each for each in known if each.se > 0]
    if not (before.se > 0 and after.se > 0):
        return Gain(n_before=before.n, n_after=after.n, reason=selection.SAME)
    normal = priors.fit_normal_prior(np.array([e.mean for e in usable]), np.array([e.se for e in usable]))
    return selection.predict_mean(before.mean, before.se, after.mean, after.se, normal, before.n, after.n)


def _counts(estimates: list[Estimate]) -> tuple[np.ndarray, np.ndarray]:
    """Return satisfied and answers, as many as the designs make them worth."""
    n = np.array([each.n_effective for each in estimates], dtype=float)
    return np.array([each.mean for each in estimates]) * n, n


def _estimate(figure: str, wave: Wave) -> Estimate | None:
    """Return a figure of a survey with the error of the process behind it; None where it has none."""
    values = analyses.values_of(figure, wave)
    if values is None:
        return analyses.as_estimate(analyses.measure_of(figure, wave)) if "." not in figure else None
    if not len(values):
        return None
    design = without_population(kept(wave.evidence.design, wave.evidence.rows_of(values)))
    found = estimate_mean(design, values.to_numpy(), wave.evidence.effect)
    return found if found.n > 1 and not math.isnan(found.se) else None


def as_difference(gain: Gain) -> Difference:
    """Return a gain as a difference; it has no interval for equivalence, as unchanged cannot be shown by it."""
    return Difference(
        gain.estimate, int(gain.n_before), int(gain.n_after), PREDICTIVE, gain.conf_low, gain.conf_high, gain.statistic,
        gain.df, gain.p_value, gain.se, reason=gain.reason,
    )  # fmt: skip


def compare_portfolio(figure: str, members: list[Member]) -> Portfolio | None:
    """Return what action brought over all projects; None where a figure is no share, or no rule chose by it."""
    rules = [gate for gate in members[0].before.survey.programme.gates if gate.measure == figure]
    if not analyses.is_share(figure) or not rules or rules[0].comparison not in ("at_least", "more_than"):
        return None
    threshold = rules[0].threshold
    pairs = [
        (first, second)
        for each in members
        if each.after and (first := _estimate(figure, each.before)) and (second := _estimate(figure, each.after))
    ]
    (k1, n1), (k2, n2) = _counts([pair[0] for pair in pairs]), _counts([pair[1] for pair in pairs])
    acted = contrasts.below(k1, n1, threshold) if len(pairs) else np.zeros(0, dtype=bool)
    contrast = contrasts.residual_contrast(k1, n1, k2, n2, acted, threshold, SEED)
    return Portfolio(
        figure, threshold, len(pairs), contrast, contrasts.regression_discontinuity(k1, n1, k2, n2, acted, threshold)
    )
