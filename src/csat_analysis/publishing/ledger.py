"""Where did every form, row and answer go? The tables of the fieldwork, from the customer file to what was rejected."""

from collections.abc import Mapping
from typing import Any

from csat_analysis.assembly.assessment import Assessment
from csat_analysis.assembly.load import Survey
from csat_analysis.ground.words import Words, speak
from csat_analysis.publishing.markup import Column, Exhibit, listing, prose, table

SHOWN_REJECTIONS = 50
SHOWN_DIGITS = 16  # of a checksum


def stage_table(result: Assessment, language: str) -> Exhibit:
    """Return the way from the customer file to the valid forms; what is not known has a dash."""
    words, evidence = speak(language), result.evidence
    stages: list[tuple[str, int | None]] = [("frame", evidence.frame), ("distributed", evidence.distributed)]
    if evidence.eligible != evidence.distributed:
        stages.append(("eligible", evidence.eligible))
    stages += [
        ("returned", evidence.returned),
        ("valid", evidence.valid),
        ("invalid", evidence.returned - evidence.valid),
    ]
    if result.survey.programme.satisfied_form:
        stages.append(("satisfied", int(evidence.forms.loc[evidence.forms["satisfied"], "count"].sum())))
    rows = [(words(f"ledger.{stage}"), words.count(number)) for stage, number in stages]
    distribution = result.survey.tables.get("distribution")
    notes = []
    if distribution is not None and "disposition" in distribution:
        counts = distribution["disposition"].replace("", "unknown").value_counts()
        parts = [f"{words(f'disposition.{name}')} {words.count(n)}" for name, n in counts.items()]
        notes.append(words.colon(words("table.distribution"), words("semicolon").join(parts)))
    return table(words("caption.ledger"), [Column(words("head.stage")), Column(words("head.forms"), True)], rows, notes)


def account_table(survey: Survey, language: str) -> Exhibit:
    """Return where every row and every answer of every table went."""
    words = speak(language)
    names = ["rows_read", "rows_used", "rows_rejected", "answers_read", "answers_used", "answers_not_applicable",
             "answers_empty", "answers_rejected"]  # fmt: skip
    rows = [
        (words(f"table.{account['table']}"), *(words.count(account[name]) for name in names))
        for account in survey.accounts.to_dict("records")
    ]
    elsewhere = int(survey.accounts["rows_elsewhere"].sum())
    notes = [words("note.elsewhere", n=words.count(elsewhere))] if elsewhere else []
    if (survey.forms["count"] != 1).any():
        forms = words.count(int(survey.forms["count"].sum()))
        notes.append(words("note.standing_for", rows=words.count(len(survey.forms)), forms=forms))
    heads = [Column(words("head.table")), *(Column(words(f"head.{name}"), True) for name in names)]
    return table(words("caption.accounts"), heads, rows, notes)


def rejected_table(survey: Survey, language: str) -> Exhibit:
    """Return what could not be used, each with file, line, column, value and reason."""
    words, total = speak(language), len(survey.rejected)
    if not total:
        return prose(words("sentence.rejected_none"))
    rows = [
        (
            each["file"],
            str(each["row"]),
            each["column"],
            _rejected_value(each, words),
            words(f"reason.{each['reason']}"),
        )
        for each in survey.rejected.head(SHOWN_REJECTIONS).to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name == "row") for name in ("file", "row", "column", "cell", "reason")]
    notes = (
        [words("note.more_rejected", shown=SHOWN_REJECTIONS, n=words.count(total))] if total > SHOWN_REJECTIONS else []
    )
    return table(words("caption.rejected", n=words.count(total)), heads, rows, notes)


def _rejected_value(rejection: Mapping[str, Any], words: Words) -> str:
    """Return the value; ids of people are not repeated."""
    kept_back = not rejection["value"] and rejection["reason"] in ("unknown_level", "unknown_disposition", "not_a_date")
    hidden = kept_back or (rejection["column"].endswith("_id") and rejection["reason"] != "empty_id")
    return words("not_shown") if hidden else rejection["value"]


def findings(survey: Survey, language: str) -> Exhibit:
    """Return what a reader of the figures should know of the data."""
    words = speak(language)
    return listing(
        [
            words(f"finding.{code}", **{name: words.count(number) for name, number in values.items()})
            for code, values in survey.findings
        ]
    )


def input_table(survey: Survey, language: str) -> Exhibit:
    """Return the files the figures come from, with checksums."""
    words = speak(language)
    rows = [
        (words(f"table.{each['table']}"), each["file"], words.count(each["rows"]), each["sha256"][:SHOWN_DIGITS])
        for each in survey.inputs.to_dict("records")
    ]
    heads = [Column(words(f"head.{name}"), name == "rows") for name in ("table", "file", "rows", "sha256")]
    return table(words("caption.inputs"), heads, rows, [words("note.sha256", n=SHOWN_DIGITS)])
