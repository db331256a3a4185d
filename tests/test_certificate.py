"""Every figure of other software and of books comes out again; one that does not is named, and ends the command with 1."""

import csv
import math
import re
import shutil
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from csat_analysis.ground.errors import ReportError
from csat_analysis.ground.words import speak
from csat_analysis.publishing import certificate, pages, references
from csat_analysis.publishing.certificate import CLOSE, certify, compared, details, deviations, lines, sentence
from csat_analysis.publishing.references import FOLDER
from publishing import csat, make_root, run, snapshot

LANGUAGES = ["zh", "en"]


def table(name: str, folder: Path = FOLDER) -> list[dict[str, str]]:
    """Return the rows of a table of references, as they are written."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(rows: list[dict[str, str]], *names: str) -> int:
    """Return how many numbers stand in some columns."""
    return sum(row[name] != "" for row in rows for name in names)


DESIGN = table("design_figures")
WRITTEN = numbers(DESIGN, *references.FIGURES)


@pytest.fixture(scope="module")
def found():
    """Return the certificate of the package."""
    return certify(FOLDER)


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the references that may be spoilt."""
    return shutil.copytree(FOLDER, tmp_path / "reference")


def edit(path: Path, old: str, new: str) -> None:
    """Change a file in one place."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


# --- the figures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", dict.fromkeys(row["case"] for row in DESIGN))
def test_a_design_gives_the_figures_of_r(case, found):
    wrong = found.deviating.query("case == @case")
    assert wrong[["estimand", "domain", "figure", "ours", "reference"]].to_dict("records") == []


@pytest.mark.parametrize("group", ["shares and rates", "sample size", "proportional odds"])
def test_books_and_other_software_have_the_same_figures(group, found):
    figures = found.figures.query("group == @group")
    assert len(figures) >= 20
    assert figures[~figures["ok"]].to_dict("records") == []


def test_every_figure_that_is_written_down_is_compared_or_has_its_reason(found):
    together = pd.concat([found.figures, found.left_out])
    groups = together.assign(group=together["group"].replace(list(references.GROUPS.values()), "design"))["group"]
    assert groups.value_counts()[["design", "shares and rates", "sample size", "proportional odds"]].to_dict() == {
        "design": numbers(DESIGN, *references.FIGURES),
        "shares and rates": numbers(table("shares"), "value", "low", "high"),
        "sample size": numbers(table("planning"), "value"),
        "proportional odds": numbers(table("housing_figures"), "value"),
    }


def test_every_rule_by_which_a_figure_is_left_out_is_needed_and_says_why(found):
    rules = table("left_out")
    assert set(found.left_out["reason"]) == {rule["reason"] for rule in rules}
    assert [rule for rule in rules if not re.fullmatch(r"[A-Z].{20,}\.", rule["reason"])] == []


def test_what_differs_by_design_is_left_out_and_nothing_else(found):
    # A rule that grows too wide shows here.
    assert found.left_out.groupby("rule", sort=False).size().tolist() == [221, 62, 12, 15, 18, 4, 68, 113, 1]


def test_values_and_degrees_of_freedom_are_left_out_of_two_methods_only(found):
    cases = found.left_out.query("figure in ['value', 'df'] and not case.str.startswith('required_n')")["case"]
    assert {case.removesuffix("_fpc") for case in cases} == {
        "calibrated_linear", "interval_logit_srs", "interval_logit_stratified_clustered",
    }  # fmt: skip


def test_the_largest_deviation_is_noise(found):
    assert 0 < found.largest < 1e-11 < CLOSE


# --- the references themselves ----------------------------------------------------------------------------------------


def wilson(row) -> tuple[float, float]:
    """Return the roots of (p − x)² = t² x (1 − x) / n."""
    share, n = float(row["successes"]) / float(row["n"]), float(row["n"])
    if not row["df"]:
        return proportion_confint(float(row["successes"]), n, method="wilson")
    t = stats.t.ppf(0.975, float(row["df"]))
    return tuple(np.sort(np.roots([1 + t * t / n, -(2 * share + t * t / n), share * share])))


def exact(row) -> tuple[float, float]:
    """Return the bounds of binomtest; with a population the first and last count that is not rejected."""
    successes, n = int(row["successes"]), int(row["n"])
    if not row["population"]:
        return tuple(stats.binomtest(successes, n).proportion_ci(method="exact"))
    size = int(row["population"])
    counts = np.arange(size + 1)
    likely = (stats.hypergeom.sf(successes - 1, size, counts, n) > 0.025) & (
        stats.hypergeom.cdf(successes, size, counts, n) > 0.025
    )
    return counts[likely][0] / size, counts[likely][-1] / size


def poisson(row) -> tuple[float, float]:
    """Return Garwood's bounds."""
    return confint_poisson(float(row["successes"]), float(row["n"]), method="exact-c")


def posterior(row) -> float:
    """Return the probability of every count that meets the rule, or of the share."""
    k, n, threshold = int(row["successes"]), int(row["n"]), row["threshold"]
    upward = row["comparison"] in ("at_least", "more_than")
    if not row["population"]:
        beta = stats.beta(k + 1, n - k + 1)
        return beta.sf(float(threshold)) if upward else beta.cdf(float(threshold))
    size, limit = int(row["population"]), Fraction(threshold)
    meets = {
        "at_least": Fraction.__ge__, "more_than": Fraction.__gt__, "at_most": Fraction.__le__, "less_than": Fraction.__lt__,
    }[row["comparison"]]  # fmt: skip
    others = [count for count in range(size - n + 1) if meets(Fraction(k + count, size), limit)]
    return stats.betabinom.pmf(others, size - n, k + 1, n - k + 1).sum()


SOFTWARE = {"wilson": wilson, "exact": exact, "poisson": poisson}


@pytest.mark.parametrize("row", table("shares"), ids=lambda row: f"{row['method']} {row['successes']}/{row['n']}")
def test_a_reference_of_a_share_is_what_other_software_computes(row):
    # The published ones too: a digit that was copied wrongly would show here.
    close = 0.5 * 10.0 ** -int(row["decimals"]) if row["decimals"] else 1e-10
    if row["method"] == "certainty":
        assert posterior(row) == pytest.approx(float(row["value"]), rel=1e-10)
    else:
        bounds = np.nan_to_num(SOFTWARE[row["method"]](row))
        assert bounds == pytest.approx([float(row["low"]), float(row["high"])], abs=close)


@pytest.mark.parametrize(
    "row", table("planning"), ids=lambda row: f"{row['quantity']} {row['population']} {row['source']}"
)
def test_a_reference_of_a_sample_size_is_what_whole_numbers_give(row):
    size, close = row["population"], 0.5 * 10.0 ** -int(row["decimals"]) if row["decimals"] else 1e-12
    if row["quantity"] == "required_n":
        unlimited = Fraction("1.96") ** 2 / 4 / Fraction(row["margin"]) ** 2
        value = float(unlimited / (1 + unlimited / int(size)) if size else unlimited)
    else:
        with localcontext() as context:
            context.prec = 40
            n = Decimal(row["n"])
            left = (Decimal(size) - n) / (Decimal(size) - 1) if size else Decimal(1)
            value = float(Decimal("1.96") * (Decimal("0.25") / n * left).sqrt())
    if row["source"].startswith("Magenta"):
        assert (round(value), row["value"]) == (983, "980")  # published three short of its own formula
    else:
        assert value == pytest.approx(float(row["value"]), rel=1e-12, abs=close)


def test_the_housing_survey_is_the_one_of_the_demo():
    demo = Path(__file__).parents[1] / "data" / "copenhagen" / "1976" / "responses.csv"
    assert (FOLDER / "housing.csv").read_text("utf-8") == demo.read_text("utf-8")
    assert (len(table("housing")), sum(int(row["count"]) for row in table("housing"))) == (72, 1681)


def test_every_table_of_figures_says_where_they_are_from():
    for name in ("shares", "planning", "housing_figures"):
        assert [row for row in table(name) if not row["source"]] == []
    script = (FOLDER / "design.R").read_text("utf-8")
    assert references.SURVEY == "R 4.2.2 survey 4.1-1"
    assert "R 4.2.2 and survey 4.1-1" in script and "r-cran-survey" in script


# --- a figure that does not come out ----------------------------------------------------------------------------------


def compare(ours: float, reference: float, decimals: float = math.nan) -> tuple[float, bool]:
    """Return how far a figure is from its reference, and whether that will do."""
    figure = references.Figure("group", "case", "estimand", "", "value", ours, reference, decimals, "a book")
    [row] = compared(pd.DataFrame([figure])).itertuples()
    return row.deviation, row.ok


@pytest.mark.parametrize("size", [1e-6, 1, -72.9, 1e6])
@pytest.mark.parametrize("relative, ok", [(0, True), (9e-10, True), (1.1e-9, False), (-1.1e-9, False), (0.01, False)])
def test_a_figure_may_be_apart_by_one_part_in_a_billion(size, relative, ok):
    assert compare(size * (1 + relative), size) == (pytest.approx(abs(relative), abs=1e-15), ok)


@pytest.mark.parametrize("ours, ok", [(0.25525, True), (0.25535, True), (0.255249, False), (0.255351, False)])
def test_a_printed_figure_may_be_apart_by_half_of_its_last_digit(ours, ok):
    assert compare(ours, 0.2553, decimals=4)[1] == ok


def test_a_figure_of_nought_is_compared_as_it_is():
    assert [compare(ours, 0.0)[1] for ours in (0.0, 1e-10, 1e-8)] == [True, True, False]


def test_what_is_not_computed_deviates():
    assert compare(math.nan, 1.0) == (math.inf, False)
    assert compare(math.nan, 1.0, decimals=2) == (math.inf, False)


STRATIFIED = "\nstratified,mean_score,,"


def mean_of(case: str) -> str:
    """Return the value of a row of design_figures.csv as it is written."""
    [row] = [row for row in DESIGN if (row["case"], row["estimand"], row["domain"]) == (case, "mean_score", "")]
    return row["value"]


def test_rows_that_are_new_are_compared_too(folder):
    # a domain, a design and a summary that nobody computes; a figure that stands twice, once wrong; two left out
    path = folder / "design_figures.csv"
    [row] = [line for line in path.read_text("utf-8").splitlines() if f"\n{line}".startswith(STRATIFIED)]
    rows = [
        "stratified,mean_score,d,1,,,,,,,,",
        "two_stage,mean_score,,72.9,,,,,,,,",
        "poststratified,weights_range,,1,,,,,,,,",
        row.replace(mean_of("stratified"), "1"),
        "raked,mean_score,d,,1,,,,,,,",
        "calibrated_linear,quantile_score,,1,,,,,,,,",
    ]
    path.write_text(path.read_text("utf-8") + "\n".join(rows) + "\n", "utf-8")
    wrong = [(row.case, row.estimand, row.domain) for row in certify(folder).deviating.itertuples()]
    assert sorted(wrong) == sorted(tuple(row.split(",")[:3]) for row in rows[:4])


@pytest.mark.parametrize(
    "name", ["design", "design_figures", "design_margins", "shares", "planning", "left_out", "housing_figures"]
)
def test_a_table_that_is_missing_is_named(name, folder):
    (folder / f"{name}.csv").unlink()
    with pytest.raises(ReportError, match=rf"{name}\.csv: cannot be read .*; install the package anew\."):
        certify(folder)


def test_a_text_where_a_number_belongs_is_named(folder):
    edit(folder / "design_figures.csv", f"{STRATIFIED}{mean_of('stratified')}", f"{STRATIFIED}seventy")
    with pytest.raises(ReportError, match=r"design_figures\.csv: cannot be read .*seventy"):
        certify(folder)


@pytest.fixture
def spoilt(folder, monkeypatch):
    """Have the package carry a standard error that is one per cent too large."""
    [row] = [row for row in DESIGN if (row["case"], row["estimand"], row["domain"]) == ("clustered", "mean_score", "")]
    old = f"clustered,mean_score,,{row['value']},{row['se']}"
    edit(
        folder / "design_figures.csv", f"\n{old}", f"\nclustered,mean_score,,{row['value']},{float(row['se']) * 1.01!r}"
    )
    monkeypatch.setattr(certificate, "FOLDER", folder)
    certificate.of_package.cache_clear()
    yield folder
    certificate.of_package.cache_clear()


# --- the command ------------------------------------------------------------------------------------------------------


def test_certify_needs_no_root_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = csat("certify")
    assert (answer.status, answer.err) == (0, "")
    assert snapshot(tmp_path) == {}
    assert re.search(
        r"Figures recomputed: 1\d{3}; deviating: 0; largest relative deviation from other software: \de-1\d\.",
        answer.out,
    )
    assert answer.out.splitlines()[0].startswith("estimates by design: 576 figures of 101 cases, largest deviation ")


def test_certify_says_more_and_less(found):
    more, usual, less = (csat("certify", *options) for options in (["-v"], [], ["--quiet"]))
    assert (less.out, less.err) == ("", "")
    assert more.out.startswith(usual.out)
    assert [line for line in details(found) if line not in more.out.splitlines()] == []
    assert [line for line in lines(found) if line not in usual.out.splitlines()] == []
    assert more.out.count("Not compared: ") == len(table("left_out"))


@pytest.mark.parametrize("options", [[], ["-q"], ["-v"]])
def test_a_figure_that_deviates_is_named_and_the_status_is_1(options, spoilt):
    answer = csat("certify", *options)
    assert answer.status == 1
    [line] = answer.err.splitlines()
    assert line.startswith("estimates by design: clustered: mean_score: se: R 4.2.2 survey 4.1-1 has ")
    assert re.search(r"has [\d.]+, and the package gives [\d.]+; mend the one that is wrong\.$", line)
    assert (answer.out == "") == (options == ["-q"])


def test_a_broken_installation_is_a_sentence_and_the_status_is_1(folder, monkeypatch):
    (folder / "shares.csv").unlink()
    monkeypatch.setattr(certificate, "FOLDER", folder)
    answer = csat("certify")
    assert (answer.status, answer.out) == (1, "")
    assert "install the package anew" in answer.err


@pytest.mark.parametrize("call", [["certify", "demo"], ["certify", "--root", "."], ["certify", "--tolerance", "1"]])
def test_a_wrong_call_ends_with_2(call):
    answer = csat(*call)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err


def test_certify_explains_itself():
    answer = csat("certify", "--help")
    assert answer.status == 0
    assert "--verbose" in answer.out and "--quiet" in answer.out
    assert "certify" in csat("--help").out


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_certificate_is_one_line_that_is_the_same_on_every_machine(language, found):
    line = sentence(found, speak(language))
    assert f"{len(found.figures):,}" in line
    assert "\n" not in line and not re.search(r"\de-\d", line)
    noisier = certificate.Certificate(found.figures.assign(ours=found.figures["ours"] * (1 + 1e-12)), found.left_out)
    assert sentence(noisier, speak(language)) == line


def test_one_part_in_a_billion_is_what_is_compared():
    assert CLOSE == 1e-9
    assert [
        "十亿分之一" in speak("zh")("page.certificate"),
        "one part in a billion" in speak("en")("page.certificate"),
    ] == [True, True]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_so_where_a_figure_deviates(language, spoilt):
    broken = certificate.of_package()
    line = sentence(broken, speak(language))
    assert line != speak(language)("page.certificate", n=len(broken.figures))
    assert re.search(r"\b1\b", line) and f"{len(broken.figures):,}" in line
    assert len(deviations(broken)) == 1


def test_a_process_certifies_once(monkeypatch):
    calls = []
    monkeypatch.setattr(certificate.references, "recomputed", lambda folder: calls.append(folder) or [])
    certificate.of_package.cache_clear()
    try:
        assert certificate.of_package() is certificate.of_package()
    finally:
        certificate.of_package.cache_clear()
    assert calls == [FOLDER]


def test_every_page_of_a_run_carries_the_certificate_in_its_language(tmp_path):
    root = make_root(tmp_path, chapters=("20_satisfaction",))
    assert run(root, "--language", "zh", "--language", "en").status == 0
    for language in LANGUAGES:
        html = (root / "reports" / "demo" / "2024" / pages.page_name("20_satisfaction", language)).read_text("utf-8")
        footer = html[html.index("<footer>") :]
        assert footer.count(sentence(certificate.of_package(), speak(language))) == 1
    assert "ertificate" not in (root / "reports" / "demo" / "2024" / "record.json").read_text("utf-8")
