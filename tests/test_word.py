"""A Word document opens again, can be edited, and says nothing that its source did not."""

import datetime as dt
import io
import re
import zipfile

import docx
import pytest
from docx.oxml.ns import qn

from conftest import demo, survey_of
from csat_analysis.assembly.assessment import assess
from csat_analysis.documents import grids, packing, paper, word
from csat_analysis.ground.runs import DocumentControl
from csat_analysis.ground.words import speak
from csat_analysis.publishing.markup import Cell, Column, table
from publishing import HOSTILE
from reporting import MAKERS, demo_source, made, source_of, texts

LANGUAGES = ["zh", "en"]
CONTROL = DocumentControl.model_validate({
    "number": "QR-8.2-01", "version": "A/0", "confidentiality": {"zh": "内部", "en": "Internal"},
    "prepared_by": "周编制", "reviewed_by": "吴审核", "approved_by": "郑批准",
})  # fmt: skip
NAMES = ("周编制", "吴审核", "郑批准")
LONG = "很长的名称" * 40


def opened(content):
    """Return a Word document as somebody opens it."""
    return docx.Document(io.BytesIO(content))


def controlled(source):
    """Return a source whose run file names document and people."""
    survey = source.result.survey
    run = survey.run.model_copy(update={"document": CONTROL})
    result = type(source.result)(**{**vars(source.result), "survey": type(survey)(**{**vars(survey), "run": run})})
    return source._replace(result=result)


def named(title):
    """Return a source of which everything is called alike."""
    titles = {"zh": title, "en": title}
    items = [{"id": "delivery", "title": titles, "weight": 0.6}, {"id": "service", "title": titles, "weight": 0.4}]
    rules = demo(
        items=items, satisfied={"levels": ["satisfied"]}, title=titles, clauses=[{"id": "5.2", "title": titles}]
    )
    forms = "form_id | delivery | service\na | satisfied | fair\nb | fair | fair\nc | satisfied | satisfied"
    return source_of(assess(survey_of(forms, rules, title=titles, plan={"counts": {"distributed": 4}})))


@pytest.fixture(scope="module")
def report():
    """Return the report of a demo project."""
    return opened(made("yuanya", "2024", "report", "zh"))


# --- what can be edited -----------------------------------------------------------------------------------------------


def test_headings_are_headings(report):
    first = [line.text for line in report.paragraphs if line.style.name == "Heading 1"]
    assert first == ["1  概况", "2  调查过程与回收情况", "3  调查结果", "4  问题与原因", "5  对比与变化", "附录"]
    assert any(line.text.startswith("3.2  ") for line in report.paragraphs if line.style.name == "Heading 2")


def test_a_heading_stays_with_what_follows(report):
    for name in ("Heading 1", "Heading 2", "Caption"):
        assert report.styles[name].paragraph_format.keep_with_next


def test_the_head_of_a_table_is_repeated_and_no_row_is_broken(report):
    grids = [each for each in report.tables if each._tbl.find(f".//{qn('w:tblHeader')}") is not None]
    assert len(grids) >= 15
    for grid in grids:
        assert grid.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None
        assert all(row._tr.find(f".//{qn('w:cantSplit')}") is not None for row in grid.rows)


def test_tables_fit_the_page(report):
    room = report.sections[0].page_width - report.sections[0].left_margin - report.sections[0].right_margin
    for grid in report.tables:
        widths = [int(column.get(qn("w:w"))) for column in grid._tbl.iter(qn("w:gridCol")) if column.get(qn("w:w"))]
        assert sum(widths) <= room / 635 + len(widths)


def test_numbers_stand_at_the_right(report):
    [rates] = [each for each in report.tables if each.cell(0, 0).text == "指标" and each.cell(0, 2).text == "分子"
               and each.cell(1, 0).text == "发放率"]  # fmt: skip
    assert [str(cell.paragraphs[0].alignment) for cell in rates.rows[1].cells] == [
        "LEFT (0)", "LEFT (0)", "RIGHT (2)", "RIGHT (2)", "RIGHT (2)",
    ]  # fmt: skip


def test_captions_are_numbered_in_order(report):
    captions = [line.text for line in report.paragraphs if line.style.name == "Caption"]
    numbers = [int(re.match(r"表 (\d+)", text)[1]) for text in captions if text.startswith("表")]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 15
    assert [text[:3] for text in captions if text.startswith("图")] == [f"图 {n}" for n in range(1, 7)]


def test_the_contents_name_every_heading_and_pages_have_numbers(report):
    contents = [line._p for line in report.paragraphs if line.style.name.startswith("toc")]
    shown = ["".join(node.text or "" for node in entry.iter(qn("w:t"))) for entry in contents]
    assert shown == [line.text for line in report.paragraphs if line.style.name.startswith("Heading")]
    codes = "".join(node.text for node in report.element.body.iter(qn("w:instrText")))
    assert 'TOC \\o "1-2"' in codes and "PAGEREF _Toc1 " in codes
    foot = "".join(node.text for node in report.sections[0].footer._element.iter(qn("w:instrText")))
    assert "PAGE" in foot and "NUMPAGES" in foot


def test_figures_tell_what_they_show_to_those_who_cannot_see_them(report):
    told = [shape._inline.docPr.get("descr") for shape in report.inline_shapes]
    assert len(told) == 6 and all(text.endswith("。") for text in told) and "93.70%" in told[1] and "93.70%" in told[2]


@pytest.mark.parametrize(("columns", "pieces"), [(9, 1), (10, 2), (17, 2), (18, 3)])
def test_a_table_of_many_columns_goes_on_below(columns, pieces):
    sheet = paper.begin(speak("en"), "x", dt.date(2025, 1, 1))
    paper.add(sheet, table("many", [Column(f"c{n}") for n in range(columns)], [[f"v{n}" for n in range(columns)]]))
    assert len(sheet.document.tables) == pieces
    assert {grid.cell(1, 0).text for grid in sheet.document.tables} == {"v0"}


def test_a_table_of_many_rows_is_cut_and_says_so():
    sheet = paper.begin(speak("en"), "x", dt.date(2025, 1, 1))
    paper.add(sheet, table("many", [Column("n", True)], [[str(n)] for n in range(500)]))
    assert len(sheet.document.tables[0].rows) == 1 + paper.MOST_ROWS
    assert sheet.document.paragraphs[-1].text == "The first 200 of 500 rows are listed; all of them are in tables.xlsx."


def test_a_verdict_has_its_colour_and_its_company_below():
    sheet = paper.begin(speak("en"), "x", dt.date(2025, 1, 1))
    paper.grid(sheet, [Column("Verdict")], [[Cell("not met", "verdict not_met", ("certainty 1.0 %",))]])
    first, second = sheet.document.tables[0].cell(1, 0).paragraphs
    assert (str(first.runs[0].font.color.rgb), second.text) == ("A32A1C", "certainty 1.0 %")


@pytest.mark.parametrize(
    ("texts", "widths"),
    [((["a", "b"], ["1", "2"]), [8.5, 8.5]), ((["long " * 40, "b"], ["long " * 40, "2"]), [16.2, 0.8])],
)
def test_columns_are_as_wide_as_their_texts(texts, widths):
    heads, row = texts
    found = grids.widths_of([Column(head) for head in heads], [row], 9)
    assert sum(found) == pytest.approx(grids.WIDTH)
    assert found == pytest.approx(widths, abs=0.6)


# --- the cover --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_cover_names_the_document_and_who_signs(language):
    document = opened(word.make(controlled(demo_source("songhe", "2024")), language))
    lines, signed = document.tables[:2]
    cover = {row.cells[0].text: row.cells[1].text for row in lines.rows}
    words = speak(language)
    assert cover[words("document.number")] == "QR-8.2-01"
    assert cover[words("document.confidentiality")] == words.title(CONTROL.confidentiality)
    assert [row.cells[1].text for row in signed.rows[1:]] == list(NAMES)
    assert "QR-8.2-01" in document.sections[0].header.paragraphs[0].text


def test_what_the_run_file_does_not_say_is_a_line_to_fill_in():
    lines, signed = opened(made("songhe", "2024", "report", "en")).tables[:2]
    blank = [row.cells[1].text for row in lines.rows][-3:]
    assert all(set(text) == {"_"} for text in blank)
    assert [row.cells[1].text for row in signed.rows[1:]] == ["", "", ""]


@pytest.mark.parametrize("kind", MAKERS)
def test_names_stand_on_the_lines_for_signing_alone(kind):
    said = texts(MAKERS[kind](controlled(demo_source("songhe", "2024")), "zh"), kind)
    assert [text for text in said if any(name in text for name in NAMES)] == (list(NAMES) if kind == "report" else [])


# --- text from outside ------------------------------------------------------------------------------------------------


TITLES = [*HOSTILE, "a\x00b\x1f", "two\nlines", "\u202eright to left", "عربي", "\ud800", LONG]


@pytest.fixture(scope="module")
def hostile():
    """Return a source whose questions and clauses have hostile names, its project and procedure the worst of them."""
    titles = {f"item_{n}": {"zh": title, "en": title} for n, title in enumerate(TITLES)}
    items = [{"id": name, "title": title} for name, title in titles.items()]
    clauses = [
        {"id": "5.2", "title": titles["item_0"]},
        *({"id": name, "title": title} for name, title in titles.items()),
    ]
    rules = demo(items=items, satisfied={"levels": ["satisfied"]}, title=titles["item_8"], clauses=clauses)
    rows = [" | ".join(["form_id", *titles]), *(" | ".join([f"r{n}", *["satisfied"] * len(items)]) for n in range(6))]
    plan = {"counts": {"distributed": 9}}
    return source_of(assess(survey_of("\n".join(rows), rules, title=titles["item_10"], plan=plan)))


@pytest.mark.parametrize("kind", MAKERS)
def test_hostile_names_are_text(hostile, kind):
    said = texts(MAKERS[kind](hostile, "en"), kind)
    shown = TITLES if kind == "report" else [TITLES[10]]
    for title in shown:
        assert any(packing.plain(title)[:30] in text for text in said), title
    assert not any("\u202e" in text or "\x00" in text for text in said)


# --- the same again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_record_gives_the_same_bytes(kind, language):
    again = MAKERS[kind](demo_source("hengxin", "2024Q4"), language)
    assert again == made("hengxin", "2024Q4", kind, language)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_knows_no_clock_and_nobody(kind):
    content = made("hengxin", "2024Q4", kind, "zh")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert {entry.date_time for entry in file.infolist()} == {packing.EPOCH}
        core = file.read("docProps/core.xml").decode()
        assert re.findall(r"\d{4}-\d\d-\d\dT[\d:]+", core) == ["2025-01-10T00:00:00"] * 2
        assert re.findall(r"<dc:creator>(.*?)</dc:creator>|python", core) in ([], [""])
        for name in [name for name in file.namelist() if name.endswith(".xlsx")]:
            inner = zipfile.ZipFile(io.BytesIO(file.read(name)))
            assert {entry.date_time for entry in inner.infolist()} == {packing.EPOCH}
            assert set(re.findall(r"\d{4}-\d\d-\d\dT", inner.read("docProps/core.xml").decode())) == {"2025-01-10T"}
