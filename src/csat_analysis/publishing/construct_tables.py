"""What is the index made of? The constructs of a path model, their indices, paths and reliability, as exhibits."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.domain.constructs import REPLICATIONS, Constructs, estimate_constructs, index_by, target_index
from csat_analysis.estimation.reliability import htmt, item_total, reliability
from csat_analysis.ground.programmes import Construct, Latent, Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, listing, prose, table
from csat_analysis.publishing.phrases import item_title

STEP = 5  # points of one index, for which the other's are told
USUAL = {"alpha": 0.7, "rho_c": 0.7, "ave": 0.5}  # what is usually asked of a construct
DISTINCT = 0.85  # the ratio from which two constructs are hardly two


class Reading(NamedTuple):
    """A survey's assessment with its path model; ``model`` and ``constructs`` are None where the procedure has none."""

    result: Assessment
    model: Latent | None
    constructs: Constructs | None

    @property
    def programme(self) -> Programme:
        """Return the procedure."""
        return self.result.survey.programme

    @property
    def reason(self) -> str:
        """Return why there are no figures of the model, nothing where there are."""
        return "none" if self.constructs is None else self.constructs.found.reason

    @property
    def known(self) -> tuple[Latent, Constructs]:
        """Return model and constructs; only asked for where there are figures."""
        if self.model is None or self.constructs is None:
            raise ValueError("There is no path model here; ask for the reason first.")
        return self.model, self.constructs

    def title(self, construct: str, words: Words) -> str:
        """Return what a construct is called."""
        listed: tuple[Construct, ...] = self.model.constructs if self.model else ()
        return next((words.title(each.title, each.id) for each in listed if each.id == construct), construct)


def estimated(result: Assessment) -> Reading:
    """Return the path model of a survey; estimated once, every exhibit shows a part of it."""
    return Reading(result, result.survey.programme.latent, estimate_constructs(result.evidence))


def refused(words: Words) -> Exhibit:
    """Return what stands in the place of figures that there are not."""
    return prose(words("constructs.refused"))


# --- in sentences -----------------------------------------------------------------------------------------------------


def summary(reading: Reading, language: str) -> Exhibit:
    """Return the index of the target, what moves it most, and who was left out; or why there is no model."""
    words = speak(language)
    if reading.model is None:
        return prose(words("constructs.none"), kind="summary")
    told = [index_sentence(reading, words), refusal(reading, words)]
    if not reading.reason:
        told += [strongest(reading, words), left_out(reading, words), *_findings(reading, words)]
    return prose(*filter(None, told), kind="summary")


def index_sentence(reading: Reading, words: Words) -> str:
    """Return the index of the target with its interval, by whose weights it is; nothing where there is none."""
    evidence, (model, constructs) = reading.result.evidence, reading.known
    measure = index_by(model.frozen.weights, evidence) if model.frozen else target_index(evidence, model, *constructs)
    if measure.value is None:
        return ""
    interval = words.interval(measure.conf_low, measure.conf_high)
    if interval == words("not_computed"):
        interval = words(f"method.{measure.method}")
    period = model.frozen.period if model.frozen else ""
    return words(
        f"constructs.index{'_frozen' if model.frozen else ''}", title=reading.title(model.target, words),
        value=words.number(measure.value), interval=interval, period=period, n=words.count(measure.n),
    )  # fmt: skip


def refusal(reading: Reading, words: Words) -> str:
    """Return why no model was estimated, or no interval; nothing where all is there."""
    model, (found, spread) = reading.known
    kind, _, name = (found.reason or spread.reason).partition(":")
    if not kind:
        return ""
    is_item = name in reading.programme.item_ids
    title = item_title(reading.programme, name, words) if is_item else reading.title(name, words)
    return words(f"constructs.{kind}", name=title, n=words.count(found.n), least=words.count(model.least))


def strongest(reading: Reading, words: Words) -> str:
    """Return which construct moves the target most."""
    rows = _impacts(reading)
    if rows.empty:
        return ""
    best = rows.iloc[0]
    target = reading.title(reading.known[0].target, words)
    return words(
        "constructs.strongest", source=reading.title(str(rows.index[0]), words), target=target, step=STEP,
        impact=words.number(STEP * best["estimate"]), interval=_interval(STEP * best, words),
    )  # fmt: skip


def left_out(reading: Reading, words: Words) -> str:
    """Return how many forms are in the model, and how many valid ones are not."""
    found = reading.known[1].found
    counts = {"n": words.count(found.n), "left_out": words.count(found.left_out)}
    return words(f"constructs.{'left_out' if found.left_out else 'all_in'}", **counts)


def _findings(reading: Reading, words: Words) -> list[str]:
    """Return the items that count against their construct."""
    names = [finding.partition(":")[2] for finding in reading.known[1].found.findings]
    titles = words.listing(words("quoted", text=item_title(reading.programme, name, words)) for name in names)
    return [words("constructs.negative_weight", names=titles)] if names else []


# --- tables -----------------------------------------------------------------------------------------------------------


def index_table(reading: Reading, language: str) -> Exhibit:
    """Return the index of every construct with its interval, and how much of it the model explains."""
    words = speak(language)
    if reading.reason:
        return Exhibit("")
    model, (found, spread) = reading.known
    rows = []
    for each in model.constructs:
        explained = words.number(found.r2.get(each.id), "share") if each.id in found.r2 else words("not_computed")
        value = words.number(found.index[each.id])
        rows.append((reading.title(each.id, words), words.count(len(each.items)), value,
                     _interval(_row(spread.index, each.id), words), explained))  # fmt: skip
    caption = words("caption.constructs", n=words.count(found.n))
    heads = _heads("construct construct_items index interval r2", words)
    return table(caption, heads, rows, [words("constructs.explained")])


def path_table(reading: Reading, language: str) -> Exhibit:
    """Return every path with its coefficient and interval."""
    words = speak(language)
    if reading.reason:
        return Exhibit("")
    model, (found, spread) = reading.known
    pairs = [
        (source.id, each.id) for each in model.constructs for source in model.constructs if source.id in each.follows
    ]
    rows = [
        (reading.title(pair[0], words), reading.title(pair[1], words), words.number(found.paths[pair]),
         _with_zero(_row(spread.paths, pair), words))
        for pair in pairs
    ]  # fmt: skip
    bounds = spread.paths[["conf_low", "conf_high"]].to_numpy().ravel() if len(spread.paths) else ()
    notes = [words("constructs.zero")] if any(words.number(abs(bound)) == words.number(0.0) for bound in bounds) else []
    heads = _heads("path_from path_to coefficient interval", words, texts=2)
    return table(words("caption.paths"), heads, rows, notes)


def impact_table(reading: Reading, language: str) -> Exhibit:
    """Return what the target's index gains where another construct's is five points higher, the largest first."""
    words = speak(language)
    if reading.reason:
        return refused(words)
    model, (found, spread) = reading.known
    rows = [
        (reading.title(str(source), words), words.number(found.index[source]),
         words.number(found.effects[source, model.target]),
         words.number(STEP * row["estimate"]), _interval(STEP * row, words))
        for source, row in _impacts(reading).iterrows()
    ]  # fmt: skip
    caption = words("caption.impacts", target=reading.title(model.target, words), step=STEP)
    heads = _heads("construct index total_effect impact interval", words)
    return table(caption, heads, rows, [words("constructs.impact", step=STEP)])


def _impacts(reading: Reading) -> pd.DataFrame:
    """Return what moves the target's index, by source: estimate, conf_low, conf_high of one point."""
    model, (found, spread) = reading.known
    if found.impacts.empty or model.target not in found.impacts.index.get_level_values("target"):
        return pd.DataFrame(columns=["estimate", "conf_low", "conf_high"])
    rows = found.impacts.xs(model.target, level="target").rename("estimate").to_frame()
    known = None if spread.impacts.empty else spread.impacts.xs(model.target, level="target")
    for bound in ("conf_low", "conf_high"):
        rows[bound] = math.nan if known is None else known[bound]
    return rows.sort_values("estimate", ascending=False, kind="stable")


def reliability_table(reading: Reading, language: str) -> Exhibit:
    """Return how well the items of each construct belong together, with what is usually asked."""
    words = speak(language)
    if reading.reason:
        return refused(words)
    rows = [
        (reading.title(str(name), words), words.count(row["items"]),
         *(_against(row[figure], least, words, "below") for figure, least in USUAL.items()))
        for name, row in reliability(reading.known[1].found).iterrows()
    ]  # fmt: skip
    notes = [words("constructs.usual"), words("constructs.single")]
    return table(words("caption.reliability"), _heads("construct construct_items alpha rho_c ave", words), rows, notes)


def distinct_table(reading: Reading, language: str) -> Exhibit:
    """Return the ratio that shows whether two constructs are two, for each pair."""
    words = speak(language)
    if reading.reason:
        return Exhibit("")
    ratios = htmt(reading.known[1].found)
    names = [str(name) for name in ratios.index]
    rows = [
        (reading.title(name, words),
         *(_against(ratios.loc[name, other], DISTINCT, words, "above") if names.index(other) < place else ""
           for other in names[:-1]))
        for place, name in enumerate(names) if place
    ]  # fmt: skip
    heads = [Column(words("head.construct")), *(Column(reading.title(name, words), True) for name in names[:-1])]
    return table(words("caption.distinct"), heads, rows, [words("constructs.distinct")])


def weight_table(reading: Reading, language: str) -> Exhibit:
    """Return weight, loading and correlation with the other items of each item, and the weights to freeze."""
    words = speak(language)
    if reading.reason:
        return refused(words)
    model, (found, spread) = reading.known
    totals = item_total(found)
    rows = [
        (item_title(reading.programme, item, words), reading.title(each.id, words),
         Cell(words.number(found.weights[item]), below=_below(each, _row(spread.weights, item), words)),
         words.number(found.loadings[item]), words.number(totals[item]), words.precise(found.raw_weights[item]))
        for each in model.constructs for item in each.items
    ]  # fmt: skip
    frozen = ", ".join(f"{item}: {found.raw_weights[item]:.6g}" for item in model.target_items)
    notes = [words("constructs.weights"), words("constructs.freeze", weights=f"{{{frozen}}}")]
    heads = _heads("item construct outer_weight loading item_total raw_weight", words, texts=2)
    return table(words("caption.weights"), heads, rows, notes)


def limits(reading: Reading, language: str) -> Exhibit:
    """Return what the figures of a path model do not say."""
    words = speak(language)
    if reading.reason:
        return refused(words)
    model = reading.known[0]
    names = ["cause", "intervals", "scale", *([] if model.frozen else ["own_weights"])]
    return listing([words(f"constructs.{name}", times=words.count(REPLICATIONS)) for name in names])


# --- cells ------------------------------------------------------------------------------------------------------------


def _heads(names: str, words: Words, texts: int = 1) -> list[Column]:
    """Return columns by the words of their heads; the first ones hold texts, the others numbers."""
    return [Column(words(f"head.{name}"), place >= texts) for place, name in enumerate(names.split())]


def _row(spread: pd.DataFrame, key: Any) -> Mapping[str, Any]:
    """Return a row of intervals, nothing where they were refused."""
    return {} if spread.empty else spread.loc[key].to_dict()


def _interval(row: Mapping[str, Any] | pd.Series, words: Words) -> str:
    return words.interval(row.get("conf_low"), row.get("conf_high"))


def _with_zero(row: Mapping[str, Any], words: Words) -> Cell:
    """Return an interval, with a word where it holds 0: rounded, that cannot be seen."""
    holds = bool(row) and row["conf_low"] <= 0 <= row["conf_high"]
    return Cell(_interval(row, words), below=(words("constructs.holds_zero"),) if holds else ())


def _below(construct: Construct, row: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """Return the interval of a weight; that of a single question is 1 by definition."""
    return (_interval(row, words),) if row and len(construct.items) > 1 else ()


def _against(value: float, bound: float, words: Words, side: str) -> Cell:
    """Return a number, marked in words where it is on the wrong side of what is usual."""
    wrong = value < bound if side == "below" else value >= bound
    return Cell(words.number(value), below=(words(f"constructs.{side}", bound=f"{bound:.2f}"),) if wrong else ())
