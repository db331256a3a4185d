"""What do others figure out, and what do we? Computes every reference case of the package with its own rooms."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from csat_analysis.estimation.ordinal import fit_ordinal, indicator_columns
from csat_analysis.ground.errors import ReportError
from csat_analysis.statistics import certainty, inference, planning
from csat_analysis.statistics.calibration import calibrate
from csat_analysis.statistics.design import Design, design_of, kept, without_population
from csat_analysis.statistics.estimates import contrast_means, estimate_means, estimate_ratio, estimate_totals

FOLDER = Path(__file__).parents[1] / "reference"
SURVEY = "R 4.2.2 survey 4.1-1"
CHOICES = {"adjust": "grand_mean", "certainty": "certainty", "average": "average", "remove": "certainty"}  # R's: ours
GROUPS = {
    "lonely_": "strata with one primary unit", "waves_": "two waves", "interval_": "intervals of a share by design",
    "poststratified": "calibration", "raked": "calibration", "calibrated": "calibration", "": "estimates by design",
}  # fmt: skip
FIGURES = ["value", "se", "deff", "deff_replace", "df", "conf_low", "conf_high", "statistic", "p_value"]
NUMBERS = [*FIGURES, "low", "high", "decimals", "successes", "n", "population", "threshold", "margin"]
KINDS = dict.fromkeys(NUMBERS, "float") | dict.fromkeys(["domain", "source"], "str")  # of columns
SUMMARIES: dict[str, Callable[[np.ndarray], Any]] = {
    "min": np.min, "max": np.max, "mean": np.mean, "median": np.median, "sum": np.sum,
    "sum_squares": lambda weights: (weights**2).sum(), **{f"row_{n}": itemgetter(n - 1) for n in (1, 100, 240)},
}  # fmt: skip
Answers = dict[str, np.ndarray]  # columns by name; numbers are floats
Found = dict[str, float]  # figures by name
Asked = tuple[str, str]  # estimand and domain


class Figure(NamedTuple):
    """One figure as we compute it and as others have it; with ``decimals`` where it is printed, else exact."""

    group: str
    case: str
    estimand: str
    domain: str
    figure: str
    ours: float
    reference: float
    decimals: float
    source: str


def recomputed(folder: Path) -> list[Figure]:
    """Return every figure of a folder of references with ours, which is nothing (NaN) where nobody computes it.

    Raises
    ------
    ReportError
        Where a table of the folder is missing or cannot be read.
    """
    parts = (_design_figures, _share_figures, _planning_figures, _housing_figures)
    return [figure for part in parts for figure in part(folder)]


def read(folder: Path, name: str) -> pd.DataFrame:
    """Return a table of the folder."""
    try:
        return pd.read_csv(folder / f"{name}.csv", dtype=KINDS)
    except (OSError, ValueError) as error:
        raise ReportError(f"{folder / name}.csv: cannot be read ({error}); install the package anew.") from None


# --- designs ----------------------------------------------------------------------------------------------------------


class _Survey(NamedTuple):
    """Answers, and how they came into the survey."""

    answers: Answers
    design: Design


def _design_figures(folder: Path) -> Iterator[Figure]:
    """Give every figure of R's survey package with ours."""
    answers, figures = _columns(read(folder, "design")), _columns(read(folder, "design_figures"))
    surveys = _surveys(answers | {"none_satisfied": 1 - answers["all_satisfied"]}, read(folder, "design_margins"))
    names = [*zip(*(figures[name].tolist() for name in ("case", "estimand", "domain")), strict=True)]
    for case in dict.fromkeys(case for case, _, _ in names):
        places = [place for place, name in enumerate(names) if name[0] == case]
        base, method = _parted(case)
        found = _of_design(surveys[base], [names[place][1:] for place in places], method) if base in surveys else {}
        group = next(name for start, name in GROUPS.items() if case.startswith(start))
        for place in places:
            _, estimand, domain = names[place]
            ours = found.get((estimand, domain), {})
            for figure in FIGURES:
                reference = float(figures[figure][place])
                if not math.isnan(reference):
                    value = ours.get(figure, math.nan)
                    yield Figure(group, case, estimand, domain, figure, value, reference, math.nan, SURVEY)


def _columns(table: pd.DataFrame) -> Answers:
    """Return the columns of a table; an empty text is a text."""
    texts = {name: table[name].fillna("").to_numpy(dtype="object") for name in table if table[name].dtype == "str"}
    return {name: texts[name] if name in texts else table[name].to_numpy(dtype="float") for name in table}


def _parted(case: str) -> tuple[str, str]:
    """Return the design that a case is about, and the method of its intervals.

    >>> _parted("interval_beta_srs_fpc"), _parted("waves_apart_ttest")
    (('srs_fpc', 'beta'), ('waves_apart', 'mean'))
    """
    if case.startswith("interval_"):
        _, method, base = case.split("_", 2)
        return base, method
    return case.removesuffix("_ttest").removesuffix("_contrast"), "mean"


def _surveys(answers: Answers, margins: pd.DataFrame) -> dict[str, _Survey]:
    """Return the designs that R was asked about, by their names in its script."""
    weights, strata, clusters = answers["weight"], answers["stratum"].tolist(), answers["cluster"].tolist()
    lonely, waves = answers["lonely_stratum"].tolist(), (answers["stratum"] + answers["wave"]).tolist()
    people, units = (dict(zip(strata, answers[name], strict=True)) for name in ("population", "clusters"))
    everyone, of_lonely = sum(people.values()), dict(zip(lonely, answers["clusters"], strict=True))
    same = np.full(len(weights), everyone / len(weights))
    plain = design_of(weights, strata=strata, clusters=clusters)
    finite = design_of(weights, strata=strata, clusters=clusters, population=units)
    designs = {
        "srs": design_of(same),
        "srs_fpc": design_of(same, population=everyone),
        "weighted": design_of(weights),
        "stratified": design_of(weights, strata=strata),
        "stratified_fpc": design_of(weights, strata=strata, population=people),
        "clustered": design_of(weights, clusters=clusters),
        "clustered_fpc": design_of(weights, clusters=clusters, population=sum(units.values())),
        "stratified_clustered": plain,
        "stratified_clustered_fpc": finite,
        "waves_share_clusters": plain,
        "waves_share_clusters_fpc": finite,
        "waves_apart": design_of(weights, strata=waves, clusters=clusters),
    }
    for theirs, ours in CHOICES.items():
        designs[f"lonely_{theirs}"] = design_of(weights, None, lonely, clusters, None, ours)
        designs[f"lonely_{theirs}_fpc"] = design_of(weights, None, lonely, clusters, of_lonely, ours)
    for base, ending in ((plain, ""), (finite, "_fpc")):
        designs |= {f"{name}{ending}": design for name, design in _calibrations(base, answers, margins).items()}
    surveys = {name: _Survey(answers, design) for name, design in designs.items()}
    answered = ~np.isnan(answers["overall"])
    rows = {name: column[answered] for name, column in answers.items()}
    return surveys | {"stratified_clustered_answered_rows": _Survey(rows, kept(plain, answered))}


def _calibrations(design: Design, answers: Answers, margins: pd.DataFrame) -> dict[str, Design]:
    """Return a design brought to one known margin and to two; R's two ways to rake have the same weights."""
    totals: dict[str, dict[Any, float]] = {name: {} for name in margins["variable"]}
    for name, level, count in margins[["variable", "level", "count"]].itertuples(index=False, name=None):
        totals[name][level] = count
    raked = calibrate(design, {name: answers[name].tolist() for name in totals}, totals).design
    poststratified = calibrate(design, {"age": answers["age"].tolist()}, {"age": totals["age"]}).design
    return {"poststratified": poststratified, "raked": raked, "calibrated_raking": raked}


def _of_design(survey: _Survey, asked: Sequence[Asked], method: str) -> dict[Asked, Found]:
    """Return our figures of what was asked of a design."""
    others: dict[str, Callable[[_Survey, str, str], Found]] = {
        "ratio": _ratio, "total": _total, "difference": _difference, "weights": _weights,
    }  # fmt: skip
    means = [ask for ask in asked if ask[0].split("_")[0] not in others]
    found = _means(survey, means, method)
    for estimand, domain in asked:
        kind, _, item = estimand.partition("_")
        if kind in others:
            found[estimand, domain] = others[kind](survey, item, domain)
    return found


def _place(estimand: str, domain: str) -> tuple[str, str, str]:
    """Return the item of a mean or share, and the column and level of its domain.

    >>> _place("mean_score_second", ""), _place("share_all_satisfied", "a")
    (('score', 'wave', 'second'), ('all_satisfied', 'domain', 'a'))
    """
    item, wave = re.fullmatch(r"[a-z]+_(.+?)(?:_(first|second))?", estimand).groups()  # type: ignore[union-attr]
    return (item, "wave", wave) if wave else (item, "domain" if domain else "", domain)


def _means(survey: _Survey, asked: Sequence[Asked], method: str) -> dict[Asked, Found]:
    """Return means and shares, all of one way to part the answers at a time."""
    places = {ask: _place(*ask) for ask in asked}
    found = {}
    for column in dict.fromkeys(column for _, column, _ in places.values()):
        here = {ask: (item, level) for ask, (item, by, level) in places.items() if by == column}
        items = list(dict.fromkeys(item for item, _ in here.values()))
        groups = survey.answers[column] if column else np.full(len(survey.design.weights), "")
        levels, codes = np.unique(groups, return_inverse=True)
        values = np.column_stack([survey.answers[item] for item in items])
        estimates = estimate_means(survey.design, values, codes, len(levels))
        if np.isfinite(survey.design.population).any():
            endless = estimate_means(without_population(survey.design), values, codes, len(levels))
        else:
            endless = estimates
        at_level = {level: place for place, level in enumerate(levels)}
        for ask, (item, level) in here.items():
            if level not in at_level:
                continue
            at = at_level[level], items.index(item)
            parts = {name: float(part[at]) for name, part in estimates._asdict().items()}
            found[ask] = _mean(parts, float(endless.se[at]), method)
    return found


def _mean(parts: Mapping[str, float], endless: float, method: str) -> Found:
    """Return the figures of one mean; R's design effect includes the finite population, ours leaves it out."""
    share, se, df = parts["value"], parts["se"], parts["df"]
    found = _with_interval(share, se, df)
    found["deff_replace"] = parts["effect"] * (se / endless) ** 2 if endless > 0 else math.nan
    if method == "beta" and se > 0:
        bounds = inference.korn_graubard_interval(share, parts["n"], share * (1 - share) / se**2, df)
        found["conf_low"], found["conf_high"] = bounds
    return found


def _with_interval(value: float, se: float, df: float) -> Found:
    low, high = inference.mean_interval(value, se, df)
    return {"value": value, "se": se, "df": df, "conf_low": low, "conf_high": high}


def _inside(survey: _Survey, item: str, domain: str) -> np.ndarray:
    """Return the values of an item in a domain, nothing outside."""
    inside = (survey.answers["domain"] == domain) | (domain == "")
    return np.where(inside, survey.answers[item], np.nan)


def _ratio(survey: _Survey, items: str, domain: str) -> Found:
    above, below = items.split("_")
    return _with_interval(
        *estimate_ratio(survey.design, _inside(survey, above, domain), _inside(survey, below, domain))
    )


def _total(survey: _Survey, item: str, domain: str) -> Found:
    found = estimate_totals(survey.design, _inside(survey, item, domain))
    return _with_interval(*(float(part[0]) for part in found))


def _difference(survey: _Survey, item: str, domain: str) -> Found:
    """Return the second wave minus the first, with Student's t."""
    second = (survey.answers["wave"] == "second").astype(int)
    found = contrast_means(survey.design, _inside(survey, item, domain), second)
    value, se, df = (float(part[0]) for part in found)
    p_value = 2 * float(special.stdtr(df, -abs(value / se)))
    return _with_interval(value, se, df) | {"statistic": value / se, "p_value": p_value}


def _weights(survey: _Survey, what: str, domain: str) -> Found:
    return {"value": float(SUMMARIES[what](survey.design.weights))} if what in SUMMARIES else {}


# --- shares, numbers, the housing survey ------------------------------------------------------------------------------


def _share_figures(folder: Path) -> Iterator[Figure]:
    """Give the intervals and certainties of plain shares and rates."""
    for row in read(folder, "shares").itertuples():
        population = None if math.isnan(row.population) else int(row.population)
        rule = [] if row.method != "certainty" else [row.comparison, f"{row.threshold:g}"]
        estimand = " ".join([f"{row.successes:g}/{row.n:g}", *rule])
        domain = " ".join([f"of {population}"] * bool(population) + [f"df {row.df:g}"] * (not math.isnan(row.df)))
        ours = dict(zip(("low", "high"), _bounds(row, population), strict=False))
        if row.method == "certainty":
            share = row.successes / row.n
            ours = {"value": certainty.share_certainty(share, row.n, row.comparison, row.threshold, population)}
        for figure, value in ours.items():
            reference = float(getattr(row, figure))
            yield Figure(
                "shares and rates", row.method, estimand, domain, figure, value, reference, row.decimals, row.source
            )


def _bounds(row: Any, population: int | None) -> tuple[float, ...]:
    if row.method == "wilson":
        return inference.wilson_interval(row.successes / row.n, row.n, None if math.isnan(row.df) else row.df)
    if row.method == "exact":
        return certainty.exact_interval(int(row.successes), int(row.n), population)
    return inference.poisson_interval(row.successes, row.n) if row.method == "poisson" else ()


def _planning_figures(folder: Path) -> Iterator[Figure]:
    """Give required numbers and margins of error."""
    for row in read(folder, "planning").itertuples():
        population = None if math.isnan(row.population) else int(row.population)
        if row.quantity == "required_n":
            ours, asked = planning.required_n(row.margin, population), f"margin {row.margin:g}"
        else:
            ours, asked = planning.margin_of_error(row.n, population), f"n {row.n:g}"
        domain = f"of {population}" if population else ""
        case = f"{row.quantity} {row.source.split(' (')[0]}" if row.decimals == row.decimals else row.quantity
        yield Figure("sample size", case, asked, domain, "value", ours, row.value, row.decimals, row.source)


def _housing_figures(folder: Path) -> Iterator[Figure]:
    """Give the proportional-odds model of the Copenhagen housing survey."""
    found = _housing(read(folder, "housing"))
    for row in read(folder, "housing_figures").itertuples():
        ours = found[row.figure].get(row.estimand, math.nan)
        yield Figure(
            "proportional odds", "housing", row.estimand, "", row.figure, ours, row.value, row.decimals, row.source
        )


def _housing(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return our fit of the housing survey: figures by their kind and name."""
    order = ["Low", "Medium", "High"]
    types = ["Tower", "Apartment", "Atrium", "Terrace"]
    terms = indicator_columns(rows, {"influence": order, "type": types, "contact": ["Low", "High"]})
    design = design_of(np.ones(len(rows)), rows["count"].to_numpy())
    fit = fit_ordinal(rows["satisfaction"], order, terms, design)
    names = [
        *(fit.table["variable"] + " " + fit.table["level"]),
        *(fit.thresholds["below"] + "|" + fit.thresholds["above"]),
    ]
    both = {name: [*fit.table[name], *fit.thresholds[name]] for name in ("estimate", "se")}
    found = {name: dict(zip(names, values, strict=True)) for name, values in both.items()}
    return found | {"deviance": {"model": fit.deviance}}
