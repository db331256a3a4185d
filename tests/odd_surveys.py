"""Surveys that a page must bear: endless names, too many questions or none answered, foreign scripts, hostile text."""

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from publishing import CHECKOUT, write

LEVELS = ("best", "good", "fair", "poor", "worst")
Say = Callable[[str, int], str]


def numbered(slot: str, number: int) -> str:
    """Return an ordinary name."""
    return f"{slot} {number}"


def endless(slot: str, number: int) -> str:
    """Return a name of 200 letters, half of it without a space."""
    return f"{slot} {number} {'满意程度' * 15} {'a long name ' * 5}".ljust(200, "x")


def mixed(slot: str, number: int) -> str:
    """Return names from right to left, with signs of other languages, of mathematics, and lines of their own."""
    names = (
        "جودة الخدمة في المبنى", "😀 Service 👍", "a < b & c > d", "x | y | z", "$\\alpha_1$ costs $5", "two\nlines",
        "`code` **bold** [a](b)", "שירות 24/7 (ב)",
    )  # fmt: skip
    return f"{names[number % len(names)]} {slot}{number}"


def odd_survey(
    project: str,
    say: Say = numbered,
    items: int = 4,
    forms: int = 120,
    strata: int = 3,
    answered: Callable[[int, int], bool] = lambda form, item: (form + item) % 9 > 0,
    chapters: Iterable[str] = ("20_satisfaction", "30_change"),
    distributed: int | None = None,
    **keys: Any,
) -> dict[str, str]:
    """Return the files of a project with two periods, every text of which is said by one function; keys: of the run."""
    programme = _programme(project, say, items, list(chapters))
    names = [say("stratum", n) for n in range(strata)]
    files = {f"params/programmes/{project}.yml": programme}
    for period, luck in (("2023", 5), ("2024", 7)):
        rows = [
            {
                "form_id": f"f{n}", "building": names[n % strata], "segment": say("group", n % 3),
                **{f"q{i}": LEVELS[(luck * n + 3 * i + n // 4) % 11 % 5] if answered(n, i) else "" for i in range(items)},
            }
            for n in range(forms)
        ]  # fmt: skip
        files[f"data/{project}/{period}/responses.csv"] = table(rows)
    files[f"data/{project}/2024/actions.csv"] = table(_actions(say))
    files[f"data/{project}/2024/complaints.csv"] = table(_complaints(say))
    files[f"data/{project}/2024/steps.csv"] = table(_steps(say))
    counts = {"distributed": distributed or forms, "frame": 2 * (distributed or forms), "deliveries": 500}
    run = {
        "project": project, "title": both(say("project", 0)), "programme": project, "language": "en",
        "within": [both(say("region", 1)), both(say("city", 2))],
        "design": {"stratum": "building"}, "groups": ["segment"],
        "names": {"building": both(say("Building", 3)), "segment": both(say("Segment", 4))},
        "periods": {
            "2023": {"as_of": "2024-01-10", "counts": counts},
            "2024": {"as_of": "2025-01-10", "baseline": "2023", "counts": counts, **keys},
        },
    }  # fmt: skip
    return {**files, f"params/runs/{project}.yml": yaml.safe_dump(run, allow_unicode=True)}


def both(text: str) -> dict[str, str]:
    """Return a title that is the same in both languages."""
    return {"zh": text, "en": text}


def table(rows: list[dict[str, str]]) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def publish_odd(root: Path, *surveys: dict[str, str]) -> Path:
    """Return a root with surveys, ready to be published."""
    (root / "notebooks").symlink_to(CHECKOUT / "notebooks")
    return write(root, {name: text for survey in surveys for name, text in survey.items()})


def _programme(project: str, say: Say, items: int, chapters: list[str]) -> str:
    """Return a procedure with a text in every place that takes one."""
    clauses = [{"id": f"9§{n}", "title": both(say("clause", n))} for n in range(1, 7)]
    told = {"clause": "9§1", "note": both(say("note", 1))}
    programme = {
        "id": project, "version": 1, "effective_from": "2020-01-01", "title": both(say("programme", 0)),
        "clauses": clauses,
        "scale": {**told, "levels": [{"id": id_, "title": both(say("level", n))} for n, id_ in enumerate(LEVELS)]},
        "points": {**told, "values": dict(zip(LEVELS, (100, 80, 60, 40, 0), strict=True))},
        "satisfied": {**told, "levels": ["best", "good"]},
        "items": [
            {"id": f"q{n}", "title": both(say("item", n)), "weight": 1, "clause": "9§2", "note": both(say("note", n))}
            for n in range(items)
        ],
        "satisfied_form": {**told, "reading": "item", "item": "q0"}, "overall": "q0",
        "validity": {**told, "min_answered": 1},
        "gates": [
            {"measure": "return_rate", "comparison": "at_least", "threshold": 0.7, "otherwise": "remind", **told},
            {"measure": "invalid_rate", "comparison": "at_most", "threshold": 0.1, "clause": "9§3",
             "voids": "unless_remedied"},
            {"measure": "satisfaction_rate", "comparison": "at_least", "threshold": 0.85, "clause": "9§3"},
            {"measure": "index", "comparison": "at_least", "threshold": 70, "clause": "9§3"},
            {"measure": "q0.satisfied", "comparison": "at_least", "threshold": 0.8, "clause": "9§3"},
        ],
        "triggers": [{"id": "remind", "title": both(say("trigger", 5)), "clause": "9§4"}],
        "index": {"terms": {"weighted_score": 1}, "title": both(say("index", 6)), **told},
        "grades": [
            {"id": "high", "title": both(say("grade", 0)), "lower": 85},
            {"id": "low", "title": both(say("grade", 1)), "lower": 0},
        ],
        "steps": [
            {"id": f"step{n}", "title": both(say("step", n)), "responsible": both(say("person", n)), "every": "year",
             "clause": "9§5", "note": both(say("note", n))} for n in range(3)
        ],
        "registers": [{"id": "register", "title": both(say("register", 7)), "clause": "9§6"}],
        "interpretations": [{"of": "9§1", "text": both(say("reading", 3)), "note": both(say("note", 4))}],
        "remarks": [{"clause": "9§1", "kind": "open", "text": both(say("remark", 2))}],
        "chapters": chapters,
        "worked_example": {
            "responses": "form_id | q0\nr1 | best\nr2 | worst\n" if items == 1 else "form_id | " + " | ".join(
                f"q{n}" for n in range(items)) + "\nr1 | " + " | ".join(["best"] * items) + "\n",
            "counts": {"distributed": 2}, "expect": {"return_rate": 1.0 if items == 1 else 0.5},
            "explanation": both(say("example", 0)),
        },
    }  # fmt: skip
    return yaml.safe_dump(programme, allow_unicode=True, sort_keys=False)


def _actions(say: Say) -> list[dict[str, str]]:
    """Return two actions, on a question and on all."""
    return [
        {
            "action_id": f"a{n}", "source": say("source", n), "target_item": item, "description": say("action", n),
            "cause": say("cause", n), "priority": "high", "department": say("department", n), "owner": say("owner", n),
            "due_on": "2024-03-01", "completed_on": "2024-02-01", "units": units,
        }
        for n, (item, units) in enumerate([("q0", ""), ("", "")])
    ]  # fmt: skip


def _complaints(say: Say) -> list[dict[str, str]]:
    """Return three complaints, one of a class that nobody knows."""
    return [
        {"complaint_id": f"c{n}", "received_on": "2024-05-01", "channel": say("channel", n),
         "content": say("content", n), "description": say("description", n), "closed_on": "2024-05-09"}
        for n in range(3)
    ]  # fmt: skip


def _steps(say: Say) -> list[dict[str, str]]:
    """Return the evidence of two steps, and of one that the procedure does not know."""
    return [
        {"step": step, "due_on": "2024-06-30", "done_on": "2024-07-09" if n else "2024-06-01",
         "responsible": say("person", n), "evidence": say("evidence", n), "reason": say("reason", n)}
        for n, step in enumerate(["step0", "step1", say("unknown", 2)])
    ]  # fmt: skip
