"""Below each table and figure of a page stands where it comes from, with the numbers of the record."""

import ast
import functools
import json
import re

import nbformat
import pytest

from csat_analysis.ground.catalogue import MEASURES
from csat_analysis.ground.words import speak
from csat_analysis.publishing import cards, pages
from publishing import CHECKOUT
from test_exhibits import EXHIBITS, MIXED, result

CHAPTERS = sorted((CHECKOUT / "notebooks").glob("[0-9]*.ipynb"))
SURVEY = result(MIXED, {"distributed": 8, "frame": 9})


def calls():
    """Return what the cells of all chapters show: room and function."""
    cells = [cell for path in CHAPTERS for cell in json.loads(path.read_text("utf-8"))["cells"]]
    found = [cards.CALL.match("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    return sorted({each.groups() for each in found if each})


@functools.cache
def functions(room):
    """Return the functions of a room by their names."""
    source = (CHECKOUT / f"src/csat_analysis/publishing/{room}.py").read_text("utf-8")
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def shows_rows(room, function):
    """Return whether an exhibit is a table or a figure, by what its function calls."""
    called = {
        node.func.id
        for node in ast.walk(functions(room)[function])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return bool(called & {"table", "shown", "pair", "portfolio_exhibit"})


@pytest.mark.parametrize(("room", "function"), [call for call in calls() if shows_rows(*call)])
def test_every_table_and_figure_of_the_chapters_has_a_card(room, function):
    for language in ("zh", "en"):
        card = cards.card_of(f"{room}.{function}(result, language)", cards.origin(SURVEY), language)
        assert f"csat_analysis.publishing.{room}.{function}" in card and "<details" in card


def test_a_card_has_the_rows_used_and_rejected_and_the_checksum_of_their_file():
    [account] = SURVEY.survey.accounts[SURVEY.survey.accounts["table"] == "responses"].to_dict("records")
    [source] = [each for each in cards.origin(SURVEY).sources if each.table == "responses"] or [None]
    if source is None:
        pytest.skip("this survey was not read from a file")
    card = cards.card_of("exhibits.item_table(result, language)", cards.origin(SURVEY), "en")
    told = f"{source.file}: {account['rows_used']} rows used, {account['rows_rejected']} rejected, SHA-256 {source.sha256[:12]}…"
    assert told in card


def test_what_is_made_of_the_procedure_alone_names_no_data():
    card = cards.card_of("rulebook.rule_table(result, language)", cards.origin(SURVEY), "en")
    assert "No data table: this is taken from the procedure" in card and "run file" not in card


def test_a_function_of_somebody_s_own_chapter_has_no_card():
    assert cards.card_of("exhibits.unknown(result)", cards.origin(SURVEY), "en") == ""
    assert cards.card_of("x = 1", cards.origin(SURVEY), "en") == ""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_measure_with_a_value_has_a_card_with_its_numbers(language):
    words = speak(language)
    found = cards.measure_cards(SURVEY, language).html
    for measure in SURVEY.measures.dropna(subset="value").to_dict("records"):
        if cards.is_spare(measure["id"], SURVEY.survey.programme):
            continue
        assert f"csat_analysis.domain.{MEASURES[measure['id']].function}" in found
        if measure["denominator"]:
            assert f"{words.count(measure['numerator'])} ÷ {words.count(measure['denominator'])} = " in found


def test_every_interval_has_its_formula_or_its_name():
    for method in ("wilson", "wilson_mean", "korn_graubard", "exact", "poisson", "delta", "bootstrap", "bound", "sum"):
        assert all(speak(language)(f"symbols.{method}") for language in ("zh", "en"))


def test_the_card_stands_below_its_table_and_leaves_the_notebook_alone():
    html = EXHIBITS["item_table"](SURVEY, "en").html
    output = nbformat.v4.new_output("execute_result", {"text/html": html})
    cell = nbformat.v4.new_code_cell("exhibits.item_table(result, language)", outputs=[output])
    page = {"project": "x", "period": "2024", "chapter": "y", "about": [], "links": [], "origin": cards.origin(SURVEY)}
    made = pages.render(nbformat.v4.new_notebook(cells=[cell]), "en", page)
    assert re.search(r"</table>.*<details class=\"card\">", made, re.DOTALL)
    assert cell.outputs[0].data["text/html"] == html


def test_names_of_files_and_procedures_are_text():
    whence = cards.origin(SURVEY)._replace(title={"en": "<b>x</b>"})
    assert "&lt;b&gt;x&lt;/b&gt;" in cards.card_of("exhibits.item_table(result)", whence, "en")
