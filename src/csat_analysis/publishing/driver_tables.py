"""What goes with satisfaction, in words and tables: importance of the items, their quadrants, odds ratios of groups."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from csat_analysis.assembly.importance import ANSWERED, EACH, MANY, Importance, Odds
from csat_analysis.estimation.drivers import FEW_UNITS
from csat_analysis.ground.catalogue import SURE
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Cell, Column, Exhibit, prose, table
from csat_analysis.publishing.phrases import column_title, group_title, item_title, level_title

DIFFERS = 0.05  # adjusted p-values below are called evidence
FAULTY = ("separation", FEW_UNITS)  # odds ratios there are, but not all of them, or without intervals


# --- importance -------------------------------------------------------------------------------------------------------


def importance_summary(found: Importance, language: str) -> Exhibit:
    """Return what goes with the overall item most, how sure that is, and that it is no cause; or why nothing does."""
    words = speak(language)
    told = list(refused(found, words))
    if found.found and len(found.table) and found.reason in ("", FEW_UNITS):
        told += [words("gap").join([_explained(found, words), first(found, words)]), words("influence.association")]
    return prose(*told, *_reversed(found, words), *_not_compared(found, words), kind="summary")


def refused(found: Importance, words: Words) -> Iterator[str]:
    """Yield why there is no importance, or no interval of it."""
    if found.reason:
        target = title_of(found, found.target, words) if found.target else ""
        counts = {"n": words.count(found.n), "needed": words.count(EACH * found.drivers), "each": EACH}
        yield words(f"importance_none.{found.reason}", target=target, **counts)


def _explained(found: Importance, words: Words) -> str:
    """Return how much the other items explain, of how many forms."""
    drivers = _drivers(found)
    interval = words.interval(drivers.conf_low, drivers.conf_high, "share")
    return words(
        f"influence.found{'' if drivers.conf_low == drivers.conf_low else '_alone'}",
        target=title_of(found, found.target, words), n=words.count(found.n), items=len(found.table),
        r2=words.number(drivers.r_squared, "share"), interval=interval,
    )  # fmt: skip


def _drivers(found: Importance) -> Any:
    return found.map.drivers


def title_of(found: Importance | Odds, item: str, words: Words) -> str:
    return item_title(found.result.survey.programme, item, words)


def first(found: Importance, words: Words) -> str:
    """Return which item comes first, and how sure that is."""
    row, second = found.table.iloc[0], found.table.iloc[min(1, len(found.table) - 1)]
    sure = "alone" if math.isnan(row["first"]) else "sure" if row["first"] >= SURE else "unsure"
    chance = sampled(row["first"], found, words)
    first, other = (title_of(found, each["driver"], words) for each in (row, second))
    share = words.number(row["share"], "share")
    return words(f"influence.first_{sure}", first=first, second=other, share=share, chance=chance)


def sampled(probability: float, found: Importance, words: Words) -> str:
    """Return a part of the samples drawn again as a certainty: never 0 and never 1, as they are so many and no more."""
    if math.isnan(probability):
        return words("not_computed")
    least = 0.5 / _drivers(found).replications
    return words.chance(min(max(probability, least), 1 - least))


def _reversed(found: Importance, words: Words) -> Iterator[str]:
    """Yield which items go the other way, where any does."""
    turned = found.table[found.table["correlation"] < 0]["driver"] if len(found.table) else []
    if len(turned):
        yield words("influence.reverse", names=words.listing(title_of(found, item, words) for item in turned))


def _not_compared(found: Importance | Odds, words: Words) -> Iterator[str]:
    """Yield which items, groups or classes are left out, and why."""
    rows = found.left_out.to_dict("records")
    names = [words.aside(_name(found, row, words), _why(row["reason"], row["answered"], words)) for row in rows]
    if names:
        yield words("influence.left_out", names=words.listing(names))


def _name(found: Importance | Odds, row: Mapping[str, Any], words: Words) -> str:
    """Return what is left out: an item, a group, or a class of it."""
    if isinstance(found, Importance):
        return title_of(found, row["id"], words)
    return class_title(found, row["id"], row["level"], words)


def class_title(found: Odds, by: str, level: str, words: Words) -> str:
    """Return a group, or a class of it, by name."""
    run = found.result.survey.run
    title = column_title(run, by, words)
    return words.colon(title, group_title(run, by, level, words)) if level else title


def _why(reason: str, answered: float | None, words: Words) -> str:
    """Return why something is apart, in a phrase."""
    share = words.number(answered, "share")
    return words(f"apart.{reason}", answered=share, least=words.whole_percent(ANSWERED), most=MANY)


def importance_table(found: Importance, language: str) -> Exhibit:
    """Return the importance of every item with its interval, its rank, and how sure the first place is."""
    words = speak(language)
    if not is_shown(found):
        return Exhibit("")
    twice = found.table["johnson"].notna().any()
    names = ["item", "rank", "importance", "first", "correlation", "answered_by", *(["johnson"] if twice else [])]
    rows = [
        (title_of(found, row["driver"], words), *list(_importance_cells(row, found, words))[: len(names) - 1])
        for row in found.table.to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name != "item") for name in names]
    return table(words("influence.table"), heads, rows, list(_notes(found, words)))


def is_shown(found: Importance) -> bool:
    """Return whether there is an importance to show."""
    return found.found is not None and found.reason in ("", FEW_UNITS)


def _importance_cells(row: Mapping[str, Any], found: Importance, words: Words) -> Iterator[str]:
    """Yield the figures of an item."""
    ranks = words("range", low=f"{row['rank_low']:g}", high=f"{row['rank_high']:g}")
    known = not math.isnan(row["share_low"])
    yield Cell(f"{row['rank']:g}", below=(ranks,) if known and row["rank_low"] < row["rank_high"] else ())
    bounds = (words.interval(row["share_low"], row["share_high"], "share"),) if known else ()
    yield Cell(words.number(row["share"], "share"), below=bounds)
    yield sampled(row["first"], found, words)
    yield words.number(row["correlation"])
    yield words.number(row["answered"], "share")
    yield words.number(row["johnson"], "share")


def _notes(found: Importance, words: Words) -> Iterator[str]:
    """Yield how importance was found, on how many forms, and what is the matter with single items."""
    drivers = _drivers(found)
    yield words("influence.method" if drivers.method == "lmg" else "influence.method_johnson")
    if drivers.replications:
        yield words("influence.samples", n=words.count(drivers.replications))
    if drivers.left_out:
        yield words("influence.lacking", n=words.count(drivers.left_out))
    yield words("influence.enough", each=EACH, least=words.whole_percent(ANSWERED))
    for row in found.table[found.table["reason"] != ""].to_dict("records"):
        yield words(
            "influence.faults", title=title_of(found, row["driver"], words), reason=_why(row["reason"], None, words)
        )


# --- quadrants --------------------------------------------------------------------------------------------------------


def quadrant_table(found: Importance, language: str) -> Exhibit:
    """Return importance, mean points and quadrant of every item, with the certainty of the quadrant."""
    words = speak(language)
    if not has_map(found):
        return Exhibit("")
    rows = [
        (title_of(found, row["driver"], words), *_map_cells(row, found, words))
        for row in found.table.to_dict("records")
    ]
    names = ("item", "mean", "importance", "quadrant", "certainty")
    heads = [Column(words(f"head.{name}"), name in names[1:3] or name == "certainty") for name in names]
    lines = words(
        "influence.map_lines", performance=words.number(found.map.performance_at),
        importance=words.number(found.map.importance_at, "share"),
    )  # fmt: skip
    return table(words("influence.map_table"), heads, rows, [lines])


def has_map(found: Importance) -> bool:
    """Return whether there are items to be set against each other."""
    return is_shown(found) and len(found.table) > 1


def _map_cells(row: Mapping[str, Any], found: Importance, words: Words) -> Iterator[str]:
    """Yield where an item is on the map."""
    for name, unit in (("performance", "points"), ("share", "share")):
        bounds = words.interval(row[f"{name}_low"], row[f"{name}_high"], unit)
        yield Cell(words.number(row[name], unit), below=() if bounds == words("not_computed") else (bounds,))
    yield words(f"quadrant.{row['quadrant']}")
    yield sampled(row["certainty"], found, words)


def map_sentence(found: Importance, words: Words) -> str:
    """Return what is to be seen on the map: which items are certain of their quadrant."""
    if found.table["certainty"].isna().all():
        return words("influence.map_alone")
    sure = found.table[found.table["certainty"] >= SURE]
    names = [
        words.aside(title_of(found, row["driver"], words), words(f"quadrant.{row['quadrant']}"))
        for row in sure.to_dict("records")
    ]
    which = "none_sure" if sure.empty else "all_sure" if len(sure) == len(found.table) else "sure"
    said = words(f"influence.map_{which}", names=words.listing(names), sure=words.whole_percent(SURE))
    return words("gap").join([words("influence.map_sentence"), said])


# --- odds -------------------------------------------------------------------------------------------------------------


def odds_summary(found: Odds, language: str) -> Exhibit:
    """Return which groups answer differently, and by how much at most; or why none can be compared."""
    words = speak(language)
    told = [_odds_refused(found, words)] if found.reason else []
    if has_ratios(found):
        target, lacking = title_of(found, found.target, words), found.model.left_out
        base = [words("odds.found", target=target, n=words.count(found.model.n))]
        base += [words("odds.lacking", n=words.count(lacking))] if lacking else []
        told += [words("gap").join([*base, words("odds.reading", target=target)])]
        told += [words("gap").join(differences(found, words))]
    return prose(*filter(None, told), *_not_compared(found, words), kind="summary")


def _odds_refused(found: Odds, words: Words) -> str:
    return words(
        f"odds_none.{found.reason}", n=words.count(found.n), each=EACH, needed=words.count(EACH * found.terms),
        target=title_of(found, found.target, words) if found.target else "",
    )  # fmt: skip


def has_ratios(found: Odds) -> bool:
    """Return whether there is an odds ratio to show."""
    return found.fit is not None and found.reason in ("", *FAULTY) and bool(found.fit.table["estimate"].notna().any())


def differences(found: Odds, words: Words) -> Iterator[str]:
    """Yield which groups answer differently, which do not, and the largest difference."""
    tested = found.tests[found.tests["p_adjusted"].notna()]
    differ = tested["p_adjusted"] < DIFFERS
    for key, some in (("differs", tested[differ]), ("same", tested[~differ])):
        if len(some):
            names = words.listing(class_title(found, by, "", words) for by in some["variable"])
            yield words(f"odds.{key}", names=names)
    rows = found.table[found.table["variable"].isin(tested[differ]["variable"]) & found.table["se"].notna()]
    if len(rows):
        yield _largest(found, rows.loc[rows["estimate"].abs().idxmax()], words)


def _largest(found: Odds, row: Mapping[str, Any], words: Words) -> str:
    """Return one difference in words."""
    reference = found.table.loc[found.table["variable"] == row["variable"], "level"].iloc[0]
    return words(
        "odds.most", level=class_title(found, row["variable"], row["level"], words),
        reference=class_title(found, row["variable"], reference, words), ratio=words.number(row["odds_ratio"]),
        interval=words.interval(row["odds_low"], row["odds_high"]),
    )  # fmt: skip


def odds_table(found: Odds, language: str) -> Exhibit:
    """Return the odds ratio of every class of every group, with interval, log odds ratio and standard error."""
    words = speak(language)
    if not has_ratios(found):
        return Exhibit("")
    rows = [
        (class_title(found, row["variable"], row["level"], words), words.count(row["n"]), *_odds_cells(row, words))
        for row in found.table.to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name != "group") for name in
             ("group", "n", "odds_ratio", "interval", "log_odds", "se")]  # fmt: skip
    caption = words("odds.table", target=title_of(found, found.target, words))
    return table(caption, heads, rows, list(_odds_notes(found, words)))


def _odds_cells(row: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Yield the figures of a class."""
    if row["estimate"] == 0 and math.isnan(row["se"]) and not row["reason"]:
        yield words("odds.reference")
        yield from [words("not_computed")] * 3
        return
    yield Cell(words.number(row["odds_ratio"]), below=(_why(row["reason"], None, words),) if row["reason"] else ())
    yield words.interval(row["odds_low"], row["odds_high"])
    yield words.precise(row["estimate"])
    yield words.precise(row["se"])


def _odds_notes(found: Odds, words: Words) -> Iterator[str]:
    """Yield how the odds ratios were found, and the rest of the model."""
    fit, programme = found.model, found.result.survey.programme
    yield words(f"odds.{fit.method}")
    cuts = [
        words("odds.cut", value=words.precise(row["estimate"]),
              **{side: level_title(programme, row[side], words) for side in ("below", "above")})
        for row in fit.thresholds.to_dict("records")
    ]  # fmt: skip
    yield words("odds.thresholds", cuts=words.listing(cuts), deviance=words.number(fit.deviance))
    if fit.unused:
        yield words("odds.unused", levels=words.listing(level_title(programme, level, words) for level in fit.unused))


def odds_tests(found: Odds, language: str) -> Exhibit:
    """Return the test of each group, and of whether one odds ratio does for all levels."""
    words = speak(language)
    if not has_ratios(found):
        return Exhibit("")
    rows = [
        (
            class_title(found, row["variable"], "", words) if row["variable"] else words("odds.all"),
            *_test_cells(row, words),
        )
        for row in [*found.tests.iloc[1:].to_dict("records"), *found.tests.iloc[:1].to_dict("records")]
        if row["variable"] or len(found.tests) > 2
    ]
    heads = [Column(words(f"head.{name}"), name != "group") for name in
             ("group", "statistic", "freedom", "p_value", "p_adjusted", "odds_alike")]  # fmt: skip
    return table(words("odds.tests"), heads, rows, [words("odds.family"), _alike(found, words)])


def _test_cells(row: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Yield the figures of one test, and of the test of proportional odds beside it."""
    untested = math.isnan(row["statistic"])
    freedom = "" if untested or math.isinf(row["df_error"]) else f"; {row['df_error']:g}"
    yield words.number(row["statistic"])
    yield words("not_computed") if untested else f"{row['df']:g}{freedom}"
    for name in ("p_value", "p_adjusted", "odds_p_value"):
        yield words.p_value(row[name])


def _alike(found: Odds, words: Words) -> str:
    """Return whether one odds ratio does for all levels."""
    row = found.tests.iloc[0]
    if row["odds_reason"]:
        return words("odds.untested", reason=words(f"untested.{row['odds_reason']}"))
    key = "unlike" if row["odds_p_value"] < DIFFERS else "alike"
    return words(f"odds.{key}", p=words.p_value(row["odds_p_value"]))
