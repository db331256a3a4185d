"""How was the survey drawn, and what does that do to the errors? Standard errors, design effects, and their reasons."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Column, Exhibit, listing, prose, table
from csat_analysis.publishing.phrases import item_title, measure_title

HEADS = ("item", "mean", "se", "effect", "share_satisfied", "se", "effect", "n_effective")


def precision_table(result: Assessment, language: str) -> Exhibit:
    """Return the standard error and the design effect of every item's mean and satisfied share.

    Nothing for a survey whose answers weigh the same and were drawn one by one: there the design effect is 1.
    """
    words, programme = speak(language), result.survey.programme
    if result.evidence.design.is_plain:
        return Exhibit("")
    asked = result.items[result.items["n"] > 0].to_dict("records")
    rows = [(item_title(programme, item["id"], words), *_cells(item, words)) for item in asked]
    heads = [Column(words(f"head.{name}"), name != "item") for name in HEADS]
    return table(words("caption.precision"), heads, rows, [words("note.effect"), words("note.degrees_of_freedom")])


def _cells(item: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Yield the figures of an item."""
    yield words.precise(item["mean"])
    yield words.precise(item["mean_se"])
    yield words.number(item["mean_effect"])
    yield words.number(item["share_satisfied"], "share")
    yield words.number(item["share_se"], "share")
    yield words.number(item["share_effect"])
    effective = item["n_effective"]
    yield words("not_computed") if effective is None or math.isinf(effective) else words.count(round(effective))


def design_notes(result: Assessment, language: str) -> Exhibit:
    """Return how the survey was drawn, as sentences: weights, strata, clusters, and what each does to the errors."""
    words = speak(language)
    return listing(list(_drawn(result, words)))


def _drawn(result: Assessment, words: Words) -> Iterator[str]:
    """Yield a sentence on each part of the design."""
    forms, design = result.evidence.forms, result.evidence.design
    strata, clusters = len(design.population), len(design.strata) - int(design.alone.sum())
    if design.is_plain and strata == 1:
        yield words("design.plain")
        return
    if result.evidence.is_weighted:
        yield words("design.weights")
    if strata > 1:
        yield words("design.strata", n=words.count(strata))
    if clusters:
        yield words("design.clusters", n=words.count(clusters))
        if single := int(design.counts[design.alone].sum()):
            yield words("design.no_cluster", n=words.count(single))
        if "stratum" in forms and (shared := _shared(result)):
            yield words("design.shared_clusters", n=words.count(shared))
    if design.lonely_strata:
        yield words("design.lonely", n=words.count(design.lonely_strata), choice=words(f"lonely.{design.lonely}"))


def _shared(result: Assessment) -> int:
    """Return how many cluster ids occur in more than one stratum."""
    named = result.evidence.forms.loc[result.evidence.forms["cluster"] != "", ["cluster", "stratum"]].drop_duplicates()
    return int(named["cluster"].duplicated().sum())


def precision_sentence(result: Assessment, language: str) -> Exhibit:
    """Return why an interval that ignores the design would be too short or too long, on the satisfaction rate.

    Nothing without such a rate, or where the design is plain.
    """
    words, name = speak(language), "satisfaction_rate"
    measure = result.measure(name)
    error, effect, n = measure.get("se"), measure.get("design_effect"), measure.get("n_effective")
    if not error or not effect or n is None or math.isinf(n) or result.evidence.design.is_plain:
        return Exhibit("")
    naive = error / math.sqrt(effect)
    said = words(
        f"design.{'longer' if effect > 1 else 'shorter'}",
        name=measure_title(result.survey.programme, name, words),
        naive=_points(naive, words), error=_points(error, words), effect=words.number(effect),
        n=words.count(measure["denominator"]), effective=words.count(round(n)),
    )  # fmt: skip
    why = [words(f"design.because_{part}") for part in _causes(result)]
    return prose(
        words("gap").join([said, *([words("design.because", causes=words.listing(why))] if effect > 1 else [])])
    )


def _causes(result: Assessment) -> Iterator[str]:
    """Yield what of the design makes errors larger."""
    if not result.evidence.design.alone.all():
        yield "clusters"
    if result.evidence.is_weighted:
        yield "weights"


def _points(error: float, words: Words) -> str:
    """Return a standard error of a share in percentage points."""
    return words("percentage_points", number=f"{100 * error:.2f}")
