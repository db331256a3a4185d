"""Pages are printed where somebody asks for it and a browser is there, and belong to the run like the others."""

import shutil

import pytest

from csat_analysis.execution import printing
from csat_analysis.ground.errors import ParameterError, ReportError
from publishing import chapter, make_root, manifest, run, states

CHAPTER = "20_satisfaction"
FOLDER = "reports/demo/2024"
needs_browser = pytest.mark.skipif(not any(map(shutil.which, printing.BROWSERS)), reason="there is no Chromium here")


@needs_browser
def test_a_printed_page_belongs_to_its_run_and_stays_when_it_is_made_again(tmp_path):
    root = make_root(tmp_path, {f"notebooks/{CHAPTER}.ipynb": chapter("1")}, chapters=(CHAPTER,))
    assert run(root).status == 0
    assert not list(root.glob(f"{FOLDER}/*.pdf"))
    assert run(root, "--pdf").out.startswith("demo 2024: ok in ")
    made = root / FOLDER / f"{CHAPTER}.en.pdf"
    assert made.read_bytes().startswith(b"%PDF-") and made.name in manifest(root)["files"]
    assert f'href="{made.name}"' in made.with_suffix(".html").read_text("utf-8")
    assert run(root, "--pdf").out == "demo 2024: skipped (fresh)\n"
    made.unlink()
    assert states(root) == {("demo", "2024"): "stale: a page is missing or was changed"}
    assert run(root).status == 0 and made.is_file()


def test_without_a_browser_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(printing.shutil, "which", lambda name: None)
    with pytest.raises(ParameterError, match="there is no Chromium; install it"):
        printing.browser()
    answer = run(make_root(tmp_path), "--pdf")
    assert answer.status == 2 and "--pdf: there is no Chromium" in answer.err
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("command", ["false", "true"])
def test_a_browser_that_prints_nothing_is_a_sentence(command, tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "browser", lambda: command)
    (tmp_path / "page.html").write_text("<p>x</p>")
    with pytest.raises(ReportError, match="page.html: could not be printed"):
        printing.print_pages(tmp_path)
