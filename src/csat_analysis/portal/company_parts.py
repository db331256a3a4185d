"""What changed the company's rate, in words and tables? Its projects' own change, the mix of projects, of channels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from csat_analysis.estimation import mix
from csat_analysis.estimation.mix import BOTH
from csat_analysis.ground.words import Words
from csat_analysis.portal.company_mix import SIDES, Compared, change_of, pooled_of, present, rate_apart
from csat_analysis.portal.pooling import RATE, Record
from csat_analysis.publishing.change_cells import bare, change_head, lacks, plain_change, size
from csat_analysis.publishing.markup import Cell, Column, Exhibit, table

SURE = 0.05  # p-value up to which a change of the whole is said to be one


def named(records: Sequence[Record], words: Words) -> str:
    """Return what some projects are called."""
    return words.listing(words.title(record["title"], record["project"]) for record in records)


# --- what changed the rate --------------------------------------------------------------------------------------------


def mix_lead(compared: Compared | None, words: Words) -> Iterator[str]:
    """Yield how the rate of all changed, and of what that is made."""
    if compared is None:
        return
    total, *parts = compared.mix.components.to_dict("records")
    known = compared.is_sure and not lacks(total["p_value"])
    moved = "unsure" if known and total["p_value"] > SURE else "rose" if total["estimate"] > 0 else "fell"
    key = moved if known else "differs"
    rates = {side: satisfied / n for side in SIDES for satisfied, n in [pooled_of(compared, side)]}
    bounds = words.difference_interval(total["conf_low"], total["conf_high"], "share")
    said = words(
        f"company_change.{key}", n=words.count(len(compared.records)), against=compared.against,
        size=size(total["estimate"], "share", words), difference=words.difference(total["estimate"], "share"),
        interval=bounds, **{side: words.number(rate, "share") for side, rate in rates.items()},
    )  # fmt: skip
    mixed = [part for part in parts if is_there(part)]
    if [part["component"] for part in mixed] in ([], ["within"]):
        made_of = words("company_change.only_within")
    else:
        told = words("semicolon").join(_part_text(part, known, words) for part in mixed)
        made_of = words("company_change.made_of", parts=told)
    chosen = [words("company_change.recovers")] if compared.chosen else []
    both = present(compared, BOTH)
    some = [words("company_change.only_both", both=words.count(len(both)))] if len(both) < len(compared.records) else []
    yield words("gap").join([said, made_of, *some, *chosen])


def is_there(part: Mapping[str, Any]) -> bool:
    """Return whether a part of the change can be more than nothing."""
    return part["reason"] not in (mix.NO_MIX, mix.NOTHING_COMMON)


def _part_text(part: Mapping[str, Any], known: bool, words: Words) -> str:
    """Return a part of the change in a sentence, and whether it may be chance."""
    said = words(f"company_change.of_{part['component']}", difference=words.difference(part["estimate"], "share"))
    is_chance = known and not lacks(part["p_value"]) and part["p_value"] > SURE
    return words.aside(said, words("company_change.may_be_chance")) if is_chance else said


def parts_table(compared: Compared | None, words: Words) -> Exhibit:
    """Return the whole change and its parts, each with interval and test, and what each means."""
    if compared is None:
        return Exhibit("")
    rows = [(words(f"company_change.{row['component']}"), *_part_cells(row, compared.is_sure, words))
            for row in compared.mix.components.to_dict("records")]  # fmt: skip
    heads = [Column(words("company_change.head_part")), change_head("share", words)]
    heads += [Column(words("change.head_p_value"), True), Column(words("company_change.head_meaning"))]
    notes = [*who_notes(compared, words), *error_notes(compared, words)]
    return table(words("company_change.table_parts", against=compared.against), heads, rows, notes, kind="gates")


def _part_cells(row: Mapping[str, Any], is_sure: bool, words: Words) -> Iterator[str]:
    """Yield the cells of a part of the change; one that is none has its reason."""
    bounds = {} if is_sure else dict.fromkeys(("conf_low", "conf_high"))
    why = [words(f"company_change.why_{row['reason']}")] if row["reason"] else []
    yield plain_change({**row, "reason": "", **bounds}, "share", words)
    yield words.p_value(row["p_value"] if is_sure else None)
    yield Cell(words(f"company_change.means_{row['component']}"), below=tuple(why))


def parts_picture(compared: Compared | None, name: str, words: Words) -> Exhibit:
    """Return the parts as a picture; nothing without intervals, or with one part. Only here what draws is loaded."""
    if compared is None or not compared.is_sure:
        return Exhibit("")
    if sum(map(is_there, compared.mix.components.to_dict("records")[1:])) < 2:
        return Exhibit("")
    from csat_analysis.portal import company_figures

    return company_figures.parts_figure(compared.mix.components, name, words)


def who_notes(compared: Compared, words: Words) -> Iterator[str]:
    """Yield who is compared, with how many answers, who has answers in one period only, and who is left out."""
    sides = {
        side: words.aside(words.number(satisfied / n, "share"), f"{words.count(satisfied)} ÷ {words.count(n)}")
        for side in SIDES
        for satisfied, n in [pooled_of(compared, side)]
    }
    yield words("company_change.note_rates", **sides, both=words.count(len(present(compared, BOTH))))
    for side in SIDES:
        if only := present(compared, side):
            yield words(f"company_change.note_only_{side}", names=named(only, words))
    if moved := [
        record for record in present(compared, BOTH) if (change_of(record, RATE) or {}).get("reason") == "mode"
    ]:
        yield words("company_change.note_moved", names=named(moved, words))
    reasons = dict.fromkeys(reason for _, reason in compared.left_out)
    for reason in reasons:
        names = named([record for record, why in compared.left_out if why == reason], words)
        said = words.get(f"company_left.{reason}", words.get(f"change_apart.{reason}", reason))
        yield words("company_change.note_left", reason=said, names=names)
    for side in SIDES:
        if (shown := rate_apart(compared, side)) is not None:
            rate = words.number(shown, "share")
            yield words(f"company_change.note_apart_{side}", rate=rate, against=compared.against)


def error_notes(compared: Compared, words: Words) -> Iterator[str]:
    """Yield what the intervals stand on, and that parts add up before they are rounded."""
    why = "errors" if compared.is_sure else "recovers" if compared.chosen else "unsure"
    yield words(f"company_change.note_{why}", names=named(compared.chosen, words))
    if compared.is_sure and compared.dependent:
        yield words("company_change.note_dependent", names=named(compared.dependent, words))
    yield words("company_change.note_sum")


# --- projects and channels --------------------------------------------------------------------------------------------


def projects_table(compared: Compared | None, words: Words) -> Exhibit:
    """Return what each project adds to the change: its rate and its share of the answers before and after."""
    if compared is None:
        return Exhibit("")
    rows = [
        _project_row(row, compared, words) for row in compared.mix.projects.sort_values("project").to_dict("records")
    ]
    adds = [words.difference(float(value), "share") for value in compared.mix.components["estimate"][1:]]
    pooled = [pooled_of(compared, side) for side in SIDES]
    rates = [Cell(words.number(satisfied / n, "share")) for satisfied, n in pooled]
    total = (words("company_change.sum"), *rates, *(bare(each, words) for each in adds))
    heads = [Column(words("portal.project")), *_share_heads(words)]
    heads += [Column(words(f"company_change.head_{name}"), True) for name in mix.COMPONENTS[1:]]
    notes = [words("company_change.note_unit"), words("company_change.note_projects")]
    return table(words("company_change.table_projects"), heads, [*rows, total], notes, kind="gates")


def _share_heads(words: Words) -> list[Column]:
    return [Column(words(f"company_change.head_{side}"), True) for side in SIDES]


def _project_row(row: Mapping[str, Any], compared: Compared, words: Words) -> tuple[str, ...]:
    """Return a project with its rates, its shares of all answers, and what it adds to each part."""
    name = named([compared.records[row["project"]]], words)
    below = [words(f"company_change.only_{row['present']}")] if row["present"] != BOTH else []
    below += [words("company_change.no_common")] if row["reason"] else []
    adds = [bare(words.difference(row[part], "share"), words) for part in mix.COMPONENTS[1:]]
    return (Cell(name, below=tuple(below)), *(_rate_cell(row, side, words) for side in SIDES), *adds)


def _rate_cell(row: Mapping[str, Any], side: str, words: Words) -> Cell:
    """Return a rate with its share of the answers; a dash without answers."""
    if pd.isna(row[f"rate_{side}"]):
        return Cell(words("not_computed"))
    share, n = words.number(row[f"share_{side}"], "share"), words.count(row[f"n_{side}"])
    return Cell(words.number(row[f"rate_{side}"], "share"), below=(words("company_change.share", share=share, n=n),))


def channels_table(compared: Compared | None, words: Words) -> Exhibit:
    """Return the channels of the projects with both periods: rates and shares; nothing where one is told apart."""
    if compared is None:
        return Exhibit("")
    sums = channel_sums(compared, words)
    if len(sums) < 2:
        return Exhibit("")
    rows = [
        (str(name), *(_rate_cell(row, side, words) for side in SIDES),
         *(bare(words.difference(row[part], "share"), words) for part in ("within", "mode_mix")))
        for name, row in zip(sums.index, sums.to_dict("records"), strict=True)
    ]  # fmt: skip
    heads = [Column(words("company_change.head_channel")), *_share_heads(words)]
    heads += [Column(words(f"company_change.head_{name}"), True) for name in ("within", "mode_mix")]
    notes = [words("company_change.note_unit"), words("company_change.note_channels")]
    return table(words("company_change.table_channels"), heads, rows, notes, kind="gates")


def channel_sums(compared: Compared, words: Words) -> pd.DataFrame:
    """Return the channels by what they are called, pooled over the projects with answers in both periods."""
    both = compared.mix.projects.loc[compared.mix.projects["present"] == BOTH, "project"]
    cells = compared.mix.cells[compared.mix.cells["project"].isin(both)]
    names = [channel_title(compared.records[int(row.project)]["modes"][int(row.mode)]["channels"], words)
             for row in cells.itertuples()]  # fmt: skip
    totals = {f"total_{side}": (cells[f"rate_{side}"].fillna(0.0) * cells[f"n_{side}"]) for side in SIDES}
    columns = [*totals, *(f"n_{side}" for side in SIDES), "within", "mode_mix"]
    found = cells.assign(**totals).groupby(pd.Series(names, index=cells.index), sort=False)[columns].sum()
    for side in SIDES:
        found[f"rate_{side}"] = found[f"total_{side}"] / found[f"n_{side}"].where(found[f"n_{side}"] > 0)
        found[f"share_{side}"] = found[f"n_{side}"] / found[f"n_{side}"].sum()
    return found


def channel_title(channels: Sequence[str], words: Words) -> str:
    """Return what a row of channels is called."""
    if not channels:
        return words("company_change.undivided")
    return words.listing(channel or words("part.unnamed") for channel in channels)
