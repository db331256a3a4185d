"""A chapter is thin, speaks two languages, holds no results, and calls only what there is."""

import ast
import json
import re
import tomllib
from collections import Counter
from itertools import pairwise

import nbformat
import papermill
import pytest

import csat_analysis
from csat_analysis.ground import params
from csat_analysis.ground.programmes import Programme
from csat_analysis.ground.words import languages, speak
from publishing import CHECKOUT

NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path.stem for path in NOTEBOOKS if path.stem != "explore"]
PARAMETERS = ["project", "period", "language", "root"]
LONGEST, LONGEST_EXPLORE = 60, 25  # code lines
BRANCHES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.For, ast.AsyncFor, ast.comprehension, ast.While,
    ast.If, ast.IfExp, ast.Match, ast.Try, ast.TryStar,
)  # fmt: skip
HANZI = "[\u3400-\u9fff]"
DECLARED = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
LIBRARIES = {re.split(r"[^\w-]", each)[0].lower() for each in DECLARED}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    """Return where a notebook stands."""
    return request.param


@pytest.fixture
def notebook(path):
    """Return a notebook as it is saved."""
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@pytest.fixture
def code(notebook):
    """Return the texts of the code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def tree(code):
    """Return what the code says."""
    return ast.parse("\n".join(code))


@pytest.fixture
def prose(notebook):
    """Return the cells in words."""
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def of_language(prose, language):
    """Return the texts in one language."""
    return [cell.source for cell in prose if cell.metadata["tags"] == [language]]


def headings(text):
    """Return how deep the headings of a text are."""
    return [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_there_are_notebooks():
    chapters = ["10_fieldwork", "20_satisfaction", "25_drivers", "26_constructs", "30_change", "40_procedure"]
    assert CHAPTERS[:6] == chapters
    assert list(Programme.model_fields["chapters"].default) == [
        "10_fieldwork",
        "20_satisfaction",
        "30_change",
        "40_procedure",
    ]


def test_a_name_is_a_number_and_a_noun_or_explore(path):
    assert re.fullmatch(r"\d\d_[a-z]+\.ipynb|explore\.ipynb", path.name)


def test_a_number_stands_for_one_chapter():
    assert [number for number, n in Counter(name[:2] for name in CHAPTERS).items() if n > 1] == []


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("language", languages())
def test_every_chapter_has_a_name_in_the_links_of_a_page(name, language):
    assert f"chapter.{name}" in speak(language).texts


def test_a_notebook_is_valid_and_its_cells_have_ids_of_their_own(path, notebook):
    assert notebook.nbformat == 4
    nbformat.validate(notebook)
    ids = [cell.get("id") for cell in json.loads(path.read_text("utf-8"))["cells"]]
    assert None not in ids
    assert len(ids) == len(set(ids))


def test_no_results_are_stored(notebook):
    stored = [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count") is not None]
    assert stored == []


def test_no_trace_of_a_run_is_stored(notebook):
    assert notebook.metadata.keys() <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info == {"name": "python"}
    assert {key for cell in notebook.cells for key in cell.metadata} <= {"tags"}


# --- the parameters ---------------------------------------------------------------------------------------------------


def test_one_cell_holds_the_parameters_before_all_other_code(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert tagged == cells[:1]


def test_papermill_sees_the_four_parameters_as_texts_with_a_help(path):
    found = papermill.inspect_notebook(str(path))
    assert list(found) == PARAMETERS
    assert {name: each["inferred_type_name"] for name, each in found.items()} == dict.fromkeys(PARAMETERS, "str")
    assert [name for name, each in found.items() if not each["help"]] == []


def test_the_defaults_open_a_demo_run_that_is_there(path):
    project, period, language, root = (
        ast.literal_eval(each["default"]) for each in papermill.inspect_notebook(str(path)).values()
    )
    run = params.find_run(params.read_rules(CHECKOUT), project, period)
    assert (run.project, run.period) == (project, period)
    assert (CHECKOUT / "data" / project / period).is_dir()
    assert language in languages()
    assert root == ""


# --- the code ---------------------------------------------------------------------------------------------------------


def test_a_notebook_is_short(path, code):
    lines = [line for text in code for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= (LONGEST_EXPLORE if path.stem == "explore" else LONGEST)


def test_what_needs_a_loop_or_a_branch_is_in_the_library(tree):
    assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, BRANCHES)] == []


def test_only_rooms_of_the_package_are_imported(tree):
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(imports) == 1
    [node] = imports
    assert isinstance(node, ast.ImportFrom) and (node.module, node.level) == ("csat_analysis", 0)
    for alias in node.names:
        assert alias.asname is None
        assert alias.name in csat_analysis.STAGES


def test_every_call_says_in_which_room_it_is_and_every_function_is_there(tree):
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls if not isinstance(call, ast.Attribute)] == []
    [rooms] = [{alias.name for alias in node.names} for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named = {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in rooms
    }
    assert {room for room, _ in named} == rooms, "a room is imported and not used"
    for room, function in named:
        assert not function.startswith("_")
        assert callable(getattr(getattr(csat_analysis, room), function, None)), f"{room}.{function}"


# --- the prose --------------------------------------------------------------------------------------------------------


def test_prose_stands_in_pairs_chinese_then_english(notebook):
    kinds = [cell.metadata.get("tags") for cell in notebook.cells if cell.cell_type == "markdown"]
    assert kinds == [["zh"], ["en"]] * (len(kinds) // 2)
    follow = [(one.id, two.cell_type) for one, two in pairwise(notebook.cells) if one.metadata.get("tags") == ["zh"]]
    assert [name for name, kind in follow if kind != "markdown"] == []


def test_both_languages_have_the_same_headings_and_paragraphs(prose):
    for chinese, english in zip(of_language(prose, "zh"), of_language(prose, "en"), strict=True):
        assert headings(chinese) == headings(english), english
        assert chinese.count("\n\n") == english.count("\n\n"), english


@pytest.mark.parametrize("language", languages())
def test_a_notebook_begins_with_its_only_title(notebook, prose, language):
    texts = of_language(prose, language)
    assert headings(texts[0]) == [1]
    assert [depth for text in texts[1:] for depth in headings(text) if depth < 2] == []
    assert {cell.cell_type for cell in notebook.cells[:2]} == {"markdown"}


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize(("language", "ending", "readers"), [("zh", "？", "读者："), ("en", "?", "For ")])
def test_a_chapter_asks_a_question_and_says_who_reads_the_answer(name, language, ending, readers):
    notebook = nbformat.read(CHECKOUT / "notebooks" / f"{name}.ipynb", as_version=4)
    title = of_language([cell for cell in notebook.cells if cell.cell_type == "markdown"], language)[0]
    question, _, who = title.partition("\n\n")
    assert question.endswith(ending)
    assert who.startswith(readers)
    assert "\n" not in who


def without_code(text):
    """Return prose without what is in backticks, and without names of files."""
    return re.sub(r"`[^`]*`|[\w./-]*\w\.(?:md|csv|json|yml|xlsx|py|ipynb)\b", " ", text, flags=re.ASCII)


def test_chinese_prose_has_chinese_punctuation(prose):
    for text in of_language(prose, "zh"):
        assert re.findall(rf"{HANZI}\s*[,.;:?!()\"']|[,.;:?!()\"']\s*{HANZI}", without_code(text)) == [], text


def test_chinese_prose_is_chinese_but_for_code_files_and_libraries(prose):
    words = {word for text in of_language(prose, "zh") for word in re.findall(r"[A-Za-z]+", without_code(text))}
    assert {word for word in words if word.lower() not in LIBRARIES} == set()


def test_english_prose_has_no_chinese(prose):
    assert [text for text in of_language(prose, "en") if re.search(HANZI, text)] == []
