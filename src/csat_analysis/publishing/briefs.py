"""What should a manager know of a chapter? Three sentences: the result, how sure it is, what to do; made by rules.

None of them says more than the statistics do: a verdict is the gate's or the test's own, what is borderline is called
so, and what cannot be told is said to be.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from csat_analysis.assembly.assessment import Assessment, compute
from csat_analysis.assembly.change import Change
from csat_analysis.assembly.gates import bounds_of_silent, unit_of
from csat_analysis.assembly.importance import Importance, Odds
from csat_analysis.assembly.procedure import ORDER, standing
from csat_analysis.ground.catalogue import SURE
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing import change_tables, construct_tables, driver_tables
from csat_analysis.publishing.change_cells import Row, lacks, size, verdict_title
from csat_analysis.publishing.construct_tables import Reading
from csat_analysis.publishing.duties import SOUND
from csat_analysis.publishing.markup import Exhibit, render
from csat_analysis.publishing.phrases import (
    gate_sentences,
    item_title,
    measure_title,
    return_sentence,
    rule_text,
    share_and_interval,
    status_sentences,
)
from csat_analysis.publishing.verdicts import verdict_word

NAMED = 5  # how many names a sentence lists
CHOSEN = ("selected", "too_few_projects")  # why a project chosen for low figures has no test
UNSEEN = {"not_assessed", "no_data", "uncited"}  # how a clause stands of which nothing is known


def _brief(what: str, sure: str, to_do: str, words: Words) -> Exhibit:
    """Return the three sentences, each under its name."""
    parts = {"what": what, "sure": sure, "do": to_do}
    return render("brief", parts=[(words(f"brief.{name}"), text) for name, text in parts.items()])


def _some(names: Sequence[str], words: Words) -> str:
    """Return some names; of many, the first, and how many more there are."""
    shown = words.listing(names[:NAMED])
    return words("brief.more", names=shown, n=len(names) - NAMED) if len(names) > NAMED else shown


# --- fieldwork --------------------------------------------------------------------------------------------------------


def fieldwork(result: Assessment, language: str) -> Exhibit:
    """Return who answered and whether the results may be used, what non-response could hide, what to mend."""
    words = speak(language)
    what = words("gap").join([return_sentence(result, words), status_sentences(result, words)[0]])
    return _brief(what, _silent(result, words), _to_mend(result, words), words)


def _silent(result: Assessment, words: Words) -> str:
    """Return between which bounds those who did not answer could bring the satisfaction rate."""
    evidence = result.evidence
    if not evidence.distributed:
        return words("brief.silent_unknown")
    rate = compute("satisfaction_rate", evidence) if evidence.programme.satisfied_form else None
    bounds = bounds_of_silent("satisfaction_rate", rate, evidence) if rate is not None else None
    if rate is None or bounds is None:
        return words("brief.silent_none" if evidence.distributed <= evidence.returned else "brief.silent_no_rate")
    n = words.count(evidence.distributed - evidence.returned)
    told = words("brief.silent", n=n, low=words.number(bounds[0], "share"), high=words.number(bounds[1], "share"))
    is_whole = (rate.denominator or 0) >= evidence.returned
    return told if is_whole else words("gap").join([told, words("brief.silent_like")])


def _to_mend(result: Assessment, words: Words) -> str:
    """Return the remedy that is due, or what of the data could not be used."""
    remedy = status_sentences(result, words)[1:]
    if result.status != "reportable":
        return words("gap").join(remedy) if remedy else words("brief.survey_again")
    told = [words("brief.rejected", n=words.count(len(result.survey.rejected)))] if len(result.survey.rejected) else []
    if result.survey.findings:
        told.append(words("brief.findings", n=words.count(len(result.survey.findings))))
    return words("gap").join(told) if told else words("brief.fieldwork_fine")


# --- satisfaction -----------------------------------------------------------------------------------------------------


def satisfaction(result: Assessment, language: str) -> Exhibit:
    """Return the headline figure with its verdict, its error and certainty, and what the rules ask to be done."""
    words = speak(language)
    if result.status == "void":
        told = [*status_sentences(result, words), words("brief.survey_again")]
        return _brief(told[0], words("brief.void"), told[1], words)
    gate = _headline_gate(result)
    return _brief(_headline(result, gate, words), _how_sure(result, gate, words), _asked(result, words), words)


def _headline_gate(result: Assessment) -> Mapping[str, Any] | None:
    """Return the rule on the headline figure, a rule before a target; None where there is none."""
    gates = result.gates[result.gates["measure"] == result.survey.programme.headline_measure]
    found = gates.sort_values("severity", kind="stable").to_dict("records")
    return {str(key): value for key, value in found[0].items()} if found else None


def _headline(result: Assessment, gate: Mapping[str, Any] | None, words: Words) -> str:
    programme = result.survey.programme
    name = programme.headline_measure
    value, title = result.measure(name).get("value"), measure_title(programme, name, words)
    if lacks(value):
        return words("status.reportable_without_value")
    told = [words("brief.headline", title=title, value=words.number(value, unit_of(name, programme)))]
    if gate is not None:
        verdict = words(f"verdict.{verdict_word(gate)}")
        told.append(words("brief.rule", rule=rule_text(gate, programme, words), verdict=verdict))
    return words("gap").join(told)


def _how_sure(result: Assessment, gate: Mapping[str, Any] | None, words: Words) -> str:
    """Return the error of the headline figure, and how certain its verdict is."""
    programme = result.survey.programme
    measure = result.measure(programme.headline_measure)
    bounds = words.interval(measure.get("conf_low"), measure.get("conf_high"), unit_of(measure["id"], programme))
    known = bounds != words("not_computed")
    told = status_sentences(result, words)[:1] if result.status == "remedy_due" else []
    told.append(words("brief.interval", interval=bounds) if known else words("brief.no_interval"))
    if gate is not None and gate["certainty"] is not None:
        told.append(words("brief.certainty", certainty=words.chance(gate["certainty"])))
    return words("gap").join(told)


def _asked(result: Assessment, words: Words) -> str:
    """Return what the rules set off, what is too close to tell, and which question is lowest."""
    sound = (result.gates["verdict"] == "met").all()
    if result.gates.empty:
        told = [words("brief.no_rules")]
    else:
        told = [words("brief.all_met")] if sound else gate_sentences(result, words)[1:]
        if (result.gates["verdict"] == "borderline").any():
            told.append(words("brief.borderline"))
    return words("gap").join([*told, *_year_targets(result, words), *_lowest(result, words)])


def _year_targets(result: Assessment, words: Words) -> list[str]:
    """Return how far the figures are from the targets of the year, which are none of the procedure."""
    rows = result.comparisons[result.comparisons["kind"] == "target"].to_dict("records")
    return [_year_target(row, result.survey.programme, words) for row in rows[:NAMED]]


def _year_target(row: Mapping[Any, Any], programme: Programme, words: Words) -> str:
    unit = unit_of(row["id"], programme)
    bounds = words.difference_interval(row["conf_low"], row["conf_high"], unit)
    return words(
        f"brief.year_target{'_alone' if bounds == words('not_computed') else ''}",
        title=measure_title(programme, row["id"], words), target=words.number(row["against"], unit),
        difference=words.difference(row["estimate"], unit), interval=bounds,
    )  # fmt: skip


def _lowest(result: Assessment, words: Words) -> list[str]:
    """Return the lowest question with its interval, where several are compared."""
    known = result.items.dropna(subset="share_satisfied")
    if len(known) < 2 or known["share_satisfied"].nunique() == 1:
        return []
    row = known.loc[known["share_satisfied"].astype(float).idxmin()].to_dict()
    share, bounds = share_and_interval(row, words)
    title = item_title(result.survey.programme, row["id"], words)
    key = "brief.lowest" if bounds != words("not_computed") else "brief.lowest_alone"
    return [words(key, title=title, share=share, interval=bounds)]


# --- what goes with it, what it is made of ----------------------------------------------------------------------------


def drivers(found: Importance, language: str, groups: Odds | None = None) -> Exhibit:
    """Return what goes with overall satisfaction most, that it is no cause, and where to look first.

    Where the importance of questions cannot be told, which groups answer differently.
    """
    words = speak(language)
    if not driver_tables.is_shown(found) or not len(found.table):
        why = words("gap").join(driver_tables.refused(found, words)) or words("brief.no_drivers")
        if groups is None or not driver_tables.has_ratios(groups):
            return _brief(why, words("brief.no_evidence"), _by_shares(found, words), words)
        what = words("gap").join([why, *driver_tables.differences(groups, words)])
        return _brief(what, words("brief.groups_sure"), _by_shares(found, words), words)
    return _brief(driver_tables.first(found, words), words("influence.association"), _look_first(found, words), words)


def _look_first(found: Importance, words: Words) -> str:
    """Return the questions that are important and weak, apart those of which that is certain."""
    if not driver_tables.has_map(found):
        return _by_shares(found, words)
    weak = found.table[found.table["quadrant"] == "concentrate"]
    sure = weak["certainty"].astype(float) >= SURE
    names = {
        key: _some([driver_tables.title_of(found, each, words) for each in rows["driver"]], words)
        for key, rows in (("look_first", weak[sure]), ("look_perhaps", weak[~sure]))
        if len(rows)
    }
    told = [words(f"brief.{key}", names=each) for key, each in names.items()]
    return words("gap").join(told) if told else words("brief.look_nowhere")


def _by_shares(found: Importance, words: Words) -> str:
    """Return where to look where importance does not say."""
    return words("brief.by_shares" if len(found.result.items) > 1 else "brief.one_item")


def constructs(reading: Reading, language: str) -> Exhibit:
    """Return the index with its interval, what it rests on, and what goes with it most."""
    words = speak(language)
    if reading.model is None:
        return Exhibit("")
    what = construct_tables.index_sentence(reading, words)
    if reading.reason:
        refusal = construct_tables.refusal(reading, words)
        sure = refusal if what else words("brief.no_evidence")
        return _brief(what or refusal, sure, words("brief.more_forms"), words)
    to_do = [construct_tables.strongest(reading, words), words("brief.high_impact")]
    return _brief(what, construct_tables.left_out(reading, words), words("gap").join(filter(None, to_do)), words)


# --- change -----------------------------------------------------------------------------------------------------------


def change(found: Change, language: str) -> Exhibit:
    """Return the verdicts on the primary figures, what they stand on or why there are none, and what follows."""
    words = speak(language)
    rows = [] if found.reason else change_tables.primary_rows(found)
    if not rows:
        baseline = found.result.survey.run.baseline
        what = words(f"change_none.{found.reason}", against=baseline) if found.reason else words("change.no_primary")
        return _brief(what, words("brief.no_evidence"), words("brief.change_none"), words)
    what = _verdicts(rows, found, words)
    sure = dict.fromkeys(_grounds(row, found, words) for row in rows[:NAMED])
    to_do = [words(f"brief.change_{each}") for each in dict.fromkeys(map(_follows, rows))]
    return _brief(what, words("gap").join(sure), words("gap").join(to_do), words)


def _verdicts(rows: Sequence[Row], found: Change, words: Words) -> str:
    """Return the verdicts on the primary figures."""
    titles = [change_tables.title_of(found, row["id"], words) for row in rows]
    told, against = [verdict_title(row, words) for row in rows], rows[0]["against"]
    if len(rows) == 1:
        return words("brief.against_one", title=titles[0], against=against, verdict=told[0])
    return words("brief.against", against=against, verdicts=_some(list(map(words.colon, titles, told)), words))


def _follows(row: Row) -> str:
    """Return what a verdict asks for: its own word, but for projects that were chosen, and void surveys."""
    if row["reason"] in CHOSEN:
        return "selected"
    return "void" if row["reason"] == "void" else row["verdict"]


def _grounds(row: Row, found: Change, words: Words) -> str:
    """Return on what a verdict stands: the change with its interval and what could have been seen, or why none."""
    if row["reason"] in CHOSEN:
        return words("brief.chosen")
    if row["reason"]:
        return change_tables.why_none(row["reason"], found, words)
    title = change_tables.title_of(found, row["id"], words)
    shown = words.difference(row["estimate"], row["unit"])
    bounds = words.difference_interval(row["conf_low"], row["conf_high"], row["unit"])
    told = words("brief.changed", title=title, difference=shown, interval=bounds)
    if row["verdict"] != "insufficient" or lacks(row["smallest"]):
        return told
    return words("gap").join([told, words("brief.smallest", size=size(row["smallest"], row["unit"], words))])


# --- the procedure ----------------------------------------------------------------------------------------------------


def procedure(result: Assessment, language: str) -> Exhibit:
    """Return how many clauses are met, of how many nothing can be seen, and which want somebody's attention."""
    words, stands = speak(language), standing(result.clauses)
    if not stands:
        return Exhibit("")
    sound = sum(state in SOUND for state in stands.values())
    unseen = [clause for clause, state in stands.items() if state in UNSEEN]
    wanting = [state for state in ORDER if state not in {*SOUND, *UNSEEN, "pending"}]
    open_ = [clause for state in wanting for clause, each in stands.items() if each == state]
    sure = words("brief.unseen", n=len(unseen), names=_some(unseen, words)) if unseen else words("brief.all_seen")
    to_do = words("brief.attend", names=_some(open_, words)) if open_ else words("brief.clauses_fine")
    return _brief(words("brief.clauses", n=len(stands), sound=sound), sure, to_do, words)
