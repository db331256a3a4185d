"""Which questions are weak in which project? Projects beside questions from their records, weak places in colour."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from csat_analysis.ground.words import Words
from csat_analysis.portal.pooling import Record, usable_of
from csat_analysis.publishing.markup import Cell, Column, Exhibit, table


def matrix(records: Sequence[Record], words: Words) -> Exhibit:
    """Return the item satisfaction rate of every project and question; nothing where there are not two of each.

    A place is marked where its interval lies below or above the rate of all projects together. Projects stand in the
    order of the page: by chance alone one of them is always the last.
    """
    usable = usable_of(records)
    pooled = {item: rate for item in _items(usable) if (rate := _pooled(usable, item)) is not None}
    if len(usable) < 2 or len(pooled) < 2:
        return Exhibit("")
    cells = [_cells(record, pooled, words) for record in usable]
    rows = [(_title(record, words), *own) for record, own in zip(usable, cells, strict=True)]
    total = (words("company.total"), *(_total(usable, item, rate, words) for item, rate in pooled.items()))
    titles = {item: title for record in usable for item, title in record["item_titles"].items()}
    heads = [Column(words("portal.project"))]
    heads += [Column(words.title(titles.get(item), item), True) for item in pooled]
    notes = [words("company.note.matrix")] if any(cell.mark for own in cells for cell in own) else []
    return table(words("company.matrix"), heads, [*rows, total], notes)


def _title(record: Record, words: Words) -> str:
    return words.title(record["title"], record["project"])


def _items(records: Sequence[Record]) -> Iterator[str]:
    """Yield the questions of any record, each once, in their order."""
    yield from dict.fromkeys(item["id"] for record in records for item in record["items"])


def _of(record: Record, item: str) -> Mapping[str, Any] | None:
    """Return a question's figures in a record; None where it has no rate there."""
    found = next((each for each in record["items"] if each["id"] == item), None)
    return found if found and found["share_satisfied"] is not None and found["n"] else None


def _pooled(records: Sequence[Record], item: str) -> float | None:
    """Return the rate of a question over all projects, each by its answers; None where nobody has one."""
    known = [found for record in records if (found := _of(record, item))]
    answers = _answers(records, item)
    return sum(each["n"] * each["share_satisfied"] for each in known) / answers if answers else None


def _answers(records: Sequence[Record], item: str) -> int:
    """Return how many answers a question has in all projects together."""
    return sum(found["n"] for record in records if (found := _of(record, item)))


def _total(records: Sequence[Record], item: str, rate: float, words: Words) -> Cell:
    answered = words("figure.answered", n=words.count(_answers(records, item)))
    return Cell(words.number(rate, "share"), below=(answered,))


def _cells(record: Record, pooled: Mapping[str, float], words: Words) -> list[Cell]:
    """Return a project's rates, marked where they differ from those of all projects."""
    return [_cell(_of(record, item), rate, words) for item, rate in pooled.items()]


def _cell(found: Mapping[str, Any] | None, rate: float, words: Words) -> Cell:
    if found is None:
        return Cell(words("not_computed"))
    low, high = found["conf_low"], found["conf_high"]
    known = low is not None and high is not None
    mark = "weak" if known and high < rate else "strong" if known and low > rate else ""
    answered = words("figure.answered", n=words.count(found["n"]))
    return Cell(words.number(found["share_satisfied"], "share"), mark, (answered,))
