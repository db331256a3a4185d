"""What the tests of documents ask: the source of one, and what somebody reads who opens it."""

import functools
import io
import json
import re
from collections import Counter
from collections.abc import Iterator

import docx
import pptx
from docx.oxml.ns import qn

from csat_analysis.assembly import load
from csat_analysis.assembly.assessment import Assessment, assess
from csat_analysis.assembly.change import Change, judge_change
from csat_analysis.documents import notice, recorded, slides, word
from csat_analysis.documents.problems import Source
from csat_analysis.ground import params
from csat_analysis.ground.params import Document
from csat_analysis.publishing import record_keys, records
from publishing import CHECKOUT

# A census of aggregates, a quarter with a baseline, an index, complaints and steps, weights with a refused test.
RUNS = [("copenhagen", "1976"), ("hengxin", "2024Q4"), ("songhe", "2024"), ("jinwei", "2024"), ("yuanya", "2024")]
MAKERS = {"report": word.make, "slides": slides.make, "notice": notice.make}


def source_of(result: Assessment, change: Change | None = None, **keys) -> Source:
    """Return the source of an assessment's documents, read back from its record."""
    survey = result.survey
    record = record_keys.Record.model_validate(json.loads(records.as_json(records.build(result))))
    document = Document(survey.programme, survey.programme_sha256, CHECKOUT, {})
    back = recorded.assessment_of(record, document, survey.run)
    return Source(record, back, recorded.change_of(record, back), recorded.importance_of(record, back), **keys)


@functools.cache
def demo_result(project: str, period: str) -> Assessment:
    """Return the assessment of a demo project."""
    return assess(load.survey(project, period, CHECKOUT))


@functools.cache
def demo_change(project: str, period: str) -> Change:
    """Return the change of a demo project since its baseline."""
    return judge_change(demo_result(project, period))


@functools.cache
def demo_source(project: str, period: str) -> Source:
    """Return the source of a demo project's documents."""
    return source_of(demo_result(project, period))


@functools.cache
def demo_runs() -> tuple[tuple[str, str], ...]:
    """Return the newest run of each demo project."""
    return tuple((project, list(runs)[-1]) for project, runs in params.read_rules(CHECKOUT).of_project.items())


@functools.cache
def made(project: str, period: str, kind: str, language: str) -> bytes:
    """Return a document of a demo project."""
    return MAKERS[kind](demo_source(project, period), language)


# --- what is read -----------------------------------------------------------------------------------------------------


def texts(content: bytes, kind: str) -> list[str]:
    """Return every text of a document that somebody reads, in order."""
    return list(_of_slides(content) if kind == "slides" else _of_word(content))


def _of_word(content: bytes) -> Iterator[str]:
    document = docx.Document(io.BytesIO(content))
    for block in document.element.body.iter(qn("w:p")):
        yield "".join(node.text or "" for node in block.iter(qn("w:t")))
    for part in (document.sections[0].header, document.sections[0].footer):
        yield from (line.text for line in part.paragraphs)


def _of_slides(content: bytes) -> Iterator[str]:
    for slide in pptx.Presentation(io.BytesIO(content)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield shape.text_frame.text
            if shape.has_table:
                yield from (cell.text for row in shape.table.rows for cell in row.cells)
            if shape.has_chart:
                plot = shape.chart.plots[0]
                yield from plot.categories
                yield from (f"{value:.2f}" for value in plot.series[0].values)


def numbers(found: list[str]) -> Counter[str]:
    """Return how often each figure stands in texts: whatever has decimals, and each text that is a number alone.

    Other whole numbers may stand in a sentence of one language as a word.
    """
    broken = re.findall(r"\d[\d,]*\.\d+", "\n".join(found))
    whole = [text for text in found if re.fullmatch(r"(?!20\d\d$)[\d,]+", text)]  # no year
    return Counter(number.replace(",", "") for number in [*broken, *whole])


def tables(content: bytes) -> list[list[list[str]]]:
    """Return the rows of every table of a Word file."""
    return [[[cell.text for cell in row.cells] for row in table.rows]
            for table in docx.Document(io.BytesIO(content)).tables]  # fmt: skip
