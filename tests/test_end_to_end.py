"""The demo projects from raw tables to pages: the figures are those that can be counted in the files, on every page."""

import csv
import math
import re
import shutil
from collections import Counter
from html import unescape
from urllib.parse import unquote

import nbformat
import openpyxl
import pytest

from publishing import (
    CHECKOUT,
    LANGUAGES,
    LARGEST,
    Page,
    characters,
    csat,
    fonts,
    ids,
    manifest,
    pages,
    reaching_out,
    record,
    references,
    states,
    without_kernels,
)

RUNS = {  # in which languages each is published
    "copenhagen/1976": ["en"], "hengxin/2024Q4": ["zh"], "yuanya/2024": ["en"], "yunting/2024": ["zh", "en"],
}  # fmt: skip
CHAPTERS = {run: ["10_fieldwork", "20_satisfaction", "25_drivers", "40_procedure"] for run in RUNS}
CHAPTERS["hengxin/2024Q4"].remove("25_drivers")  # its procedure asks about parts and not about the whole
for run in ("hengxin/2024Q4", "yuanya/2024"):  # these have a baseline
    CHAPTERS[run].insert(-1, "30_change")
FIVE = {"很满意": 100, "满意": 80, "一般": 60, "不满意": 40, "很不满意": 20}
GOOD, BAD = {"很满意", "满意"}, {"不满意", "很不满意"}
PARTS = ["work_quality", "build_quality", "service"]  # of the developer's procedure, beside overall
POINTS = {  # of the electrical procedure, 3b§4.5.1
    "product": {"很满意": 1.5, "一般": 0.9, "不满意": -1.5},
    "delivery": {"很满意": 1.2, "一般": 0.75, "不满意": -1.2},
    "service": {"很满意": 0.3, "一般": 0.18, "不满意": -0.3},
    "packaging": {"很满意": 0, "一般": 0, "不满意": 0},
}
PAGES = [f"{run}/{chapter}" for run in RUNS for chapter in CHAPTERS[run]]
EVERYWHERE = [f"{page}.{language}.html" for page in PAGES for language in RUNS[page.rpartition("/")[0]]]
INDEXES = ["index.html", "index.zh.html", "index.en.html"]
PROJECTS = [f"{project}/{index}" for project in sorted({run.partition("/")[0] for run in RUNS}) for index in INDEXES]
PORTAL = [*INDEXES, "compare.zh.html", "compare.en.html", *PROJECTS]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a root of the demo projects with four of their runs published, one of them in both languages."""
    folder = tmp_path_factory.mktemp("demo")
    for name in ("params", "data", "notebooks"):
        shutil.copytree(CHECKOUT / name, folder / name)
    for languages in (["zh", "en"], ["en"], ["zh"]):
        runs = [run.split("/") for run, spoken in RUNS.items() if spoken == languages]
        named = [word for project, period in runs for word in ("--project", project, "--period", period)]
        spoken = [word for language in languages for word in ("--language", language)]
        with without_kernels():
            answer = csat("run", "--root", folder, "--jobs", "1", *named, *spoken)
        assert (answer.status, answer.err) == (0, "")
    return folder


@pytest.fixture(scope="module")
def records(root):
    """Return the record of each run."""
    return {run: record(root, run) for run in RUNS}


@pytest.fixture(scope="module")
def htmls(root):
    """Return every page and portal as it stands in its file, by path."""
    folder = root / "reports"
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.html"))}


# --- counted by hand --------------------------------------------------------------------------------------------------


def table(run, name):
    """Return the rows of a raw table."""
    with (CHECKOUT / "data" / run / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def forms(run):
    """Return the forms that came in, the first of each id."""
    found = {}
    for row in table(run, "responses"):
        found.setdefault(row["form_id"], row)
    return list(found.values())


def is_valid(row):
    """Return whether a form answers half of the developer's questions and is not satisfied with nothing but the whole."""
    answers = sum(row[item] in FIVE for item in [*PARTS, "overall"])
    return answers >= 2 and not (row["overall"] in GOOD and all(row[item] in BAD for item in PARTS))


def share(n, base):
    """Return a share as a page shows it, in per cent."""
    return f"{100 * n / base:.2f}%"


@pytest.fixture(scope="module")
def housing():
    """Return how many householders gave each answer, and in which group."""
    counts = Counter()
    for row in table("copenhagen/1976", "responses"):
        for group in ("influence", "type", "contact"):
            counts[group, row[group], row["satisfaction"]] += int(row["count"])
        counts[row["satisfaction"]] += int(row["count"])
    return counts


@pytest.fixture(scope="module")
def dealers():
    """Return what can be counted in the tables of the electrical manufacturer."""
    returned = forms("hengxin/2024Q4")
    answers = [{item: row[item] for item in POINTS if row[item] in POINTS[item]} for row in returned]
    points = sum(POINTS[item][level] for form in answers for item, level in form.items())
    complaints = [
        row for row in table("hengxin/2024Q4", "complaints") if "2024-10-01" <= row["received_on"] <= "2024-12-31"
    ]
    return {
        "frame": len(table("hengxin/2024Q4", "frame")), "distributed": len(table("hengxin/2024Q4", "distribution")),
        "returned": len(returned), "valid": sum(map(bool, answers)), "points": points,
        "complaints": len(complaints), "deliveries": len(table("hengxin/2024Q4", "deliveries")),
        "products": Counter(form["product"] for form in answers if "product" in form),
    }  # fmt: skip


@pytest.fixture(scope="module")
def buyers():
    """Return what can be counted in the tables of the developer."""
    returned = forms("yunting/2024")
    valid = [row for row in returned if is_valid(row)]
    return {
        "frame": len(table("yunting/2024", "frame")), "distributed": len(table("yunting/2024", "distribution")),
        "returned": len(returned), "valid": len(valid), "satisfied": sum(row["overall"] in GOOD for row in valid),
        "service": [FIVE[row["service"]] for row in valid if row["service"] in FIVE],
    }  # fmt: skip


@pytest.fixture(scope="module")
def residents():
    """Return how many forms of the property company came in and how many of them are satisfied, by year."""
    counted = {}
    for year in ("2023", "2024"):
        returned = forms(f"yuanya/{year}")
        satisfied = sum(row["overall"] in {*GOOD, "very_satisfied", "satisfied"} for row in returned)
        counted[year] = (satisfied, len(returned))
    return counted


def measures(record):
    """Return the value of each measure."""
    return {row["id"]: row["value"] for row in record["measures"]}


def gates(record):
    """Return the verdict of each gate."""
    return {row["measure"]: (row["passed"], row["verdict"], row["value"]) for row in record["gates"]}


def test_copenhagen_is_the_published_table(records, housing):
    found = records["copenhagen/1976"]
    assert (housing["Low"], housing["Medium"], housing["High"]) == (567, 446, 668)  # Madsen 1976
    assert found["status"] == "reportable"
    assert {name: n for name, n in found["counts"].items() if n is not None} == {
        "returned": 1681, "valid": 1681, "satisfied": 668,
    }  # fmt: skip
    [item] = found["items"]
    assert (item["id"], item["n"]) == ("satisfaction", 1681)
    assert item["share_satisfied"] == measures(found)["satisfaction_rate"] == 668 / 1681
    assert item["mean"] == pytest.approx((668 * 100 + 446 * 50) / 1681)
    assert measures(found)["return_rate"] is None  # nobody published how many were asked
    assert (found["rejected"], found["rejected_count"]) == ([], 0)
    assert (found["gates"], found["index"], found["grade"]) == ([], None, None)


def test_copenhagens_interval_is_wilsons(records):
    # (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) ÷ (1 + z²/n)
    n, p, z = 1681, 668 / 1681, 1.959963984540054
    centre, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    [item] = records["copenhagen/1976"]["items"]
    assert item["conf_low"] == pytest.approx((centre - half) / (1 + z**2 / n), rel=1e-9)
    assert item["conf_high"] == pytest.approx((centre + half) / (1 + z**2 / n), rel=1e-9)


def test_copenhagens_groups_are_counted_in_the_file(records, housing):
    found = {
        (row["by"], row["level"]): (row["n"], row["share_satisfied"]) for row in records["copenhagen/1976"]["groups"]
    }
    assert len(found) == 3 + 4 + 2
    for by, level in found:
        n = sum(housing[by, level, answer] for answer in ("Low", "Medium", "High"))
        assert found[by, level] == (n, pytest.approx(housing[by, level, "High"] / n))


def test_hengxins_index_is_the_survey_rate_less_the_complaint_rate(records, dealers):
    found = records["hengxin/2024Q4"]
    rate = dealers["points"] / (3 * dealers["returned"])
    complaints = dealers["complaints"] / dealers["deliveries"]
    assert measures(found)["survey_rate"] == pytest.approx(rate)
    assert measures(found)["complaint_rate"] == pytest.approx(complaints)
    assert found["index"]["value"] == found["headline"]["value"] == pytest.approx(rate - complaints)
    assert found["index"]["conf_low"] < found["index"]["value"] < found["index"]["conf_high"]
    assert found["grade"] is None


def test_hengxin_misses_the_target_of_the_return_rate_and_may_be_reported(records, dealers):
    found = records["hengxin/2024Q4"]
    names = ("frame", "distributed", "returned", "valid", "complaints", "deliveries")
    assert {name: found["counts"][name] for name in names} == {name: dealers[name] for name in names}
    rate = dealers["returned"] / dealers["distributed"]
    assert rate < 0.5
    assert gates(found) == {"return_rate": (False, "not_met", rate)}
    assert (found["gates"][0]["severity"], found["triggers"], found["status"]) == ("target", [], "reportable")
    product = next(row for row in found["items"] if row["id"] == "product")
    assert product["n"] == dealers["products"].total()
    assert product["share_satisfied"] == pytest.approx(dealers["products"]["很满意"] / dealers["products"].total())


def test_yuntings_blank_forms_make_a_remedy_due(records, buyers):
    found = records["yunting/2024"]
    names = ("frame", "distributed", "returned", "valid", "satisfied")
    assert {name: found["counts"][name] for name in names} == {name: buyers[name] for name in names}
    invalid = (buyers["returned"] - buyers["valid"]) / buyers["distributed"]
    assert invalid > 0.3
    assert gates(found) == {
        "return_rate": (True, "met", buyers["returned"] / buyers["distributed"]),
        "invalid_rate": (False, "not_met", pytest.approx(invalid)),
    }
    assert [(row["id"], row["because"]) for row in found["triggers"]] == [("remedy", "invalid_rate")]
    assert found["status"] == "remedy_due"  # by 2025-02-28, and the report is of 2025-01-10
    assert measures(found)["satisfaction_rate"] == pytest.approx(buyers["satisfied"] / buyers["valid"])
    service = next(row for row in found["items"] if row["id"] == "service")
    points = buyers["service"]
    assert (service["n"], service["mean"]) == (len(points), pytest.approx(sum(points) / len(points)))


def test_yuanyas_rule_is_met_for_certain_and_compared_with_the_year_before(records, residents):
    found, (satisfied, returned) = records["yuanya/2024"], residents["2024"]
    frame = len(table("yuanya/2024", "frame"))
    # every number of satisfied households alike before: its weight is the number of ways to draw what was drawn
    weights = {
        count: math.comb(count, satisfied) * math.comb(frame - count, returned - satisfied)
        for count in range(frame + 1)
    }
    certainty = sum(weight for count, weight in weights.items() if 100 * count >= 85 * frame) / sum(weights.values())
    [gate] = [row for row in found["gates"] if row["measure"] == "satisfaction_rate"]
    assert (gate["passed"], gate["verdict"], gate["value"]) == (True, "met", satisfied / returned)
    assert gate["certainty"] == pytest.approx(certainty) and certainty > 0.95
    [change] = [
        row for row in found["comparisons"] if (row["id"], row["kind"]) == ("satisfaction_rate", "year_on_year")
    ]
    before = residents["2023"][0] / residents["2023"][1]
    assert (change["against"], change["before"], change["status"]) == ("2023", before, "reportable")
    assert change["estimate"] == pytest.approx(satisfied / returned - before)
    assert change["conf_low"] < change["estimate"] < change["conf_high"]
    [target] = [row for row in found["comparisons"] if row["kind"] == "target"]
    assert (target["against"], target["estimate"]) == (0.92, pytest.approx(satisfied / returned - 0.92))


def test_yuanyas_clauses_stand_as_its_steps_table_says(records):
    done = {(row["step"], row["due_on"]): (row["done_on"], row["evidence"]) for row in table("yuanya/2024", "steps")}
    assert done["external_assessment", "2024-11-30"] == ("", "")
    assert done["review", "2024-06-30"][0] > "2024-06-30" and done["review", "2024-06-30"][1]
    assert done["committee_meeting", "2024-10-31"][0] < "2024-10-31" and done["committee_meeting", "2024-10-31"][1]
    stands = {row["clause"]: row["state"] for row in records["yuanya/2024"]["clauses"]}
    assert (stands["2§A"], stands["2§B"], stands["2§4.2.2"]) == ("missing", "late", "met")
    assert (stands["2§4.2.3"], stands["2§4.3"], stands["2§4.4.1"]) == ("not_assessed", "applied", "met")


@pytest.mark.parametrize("run", ["hengxin/2024Q4", "yuanya/2024", "yunting/2024"])
def test_the_slips_of_a_synthetic_survey_are_rejected_and_no_others(records, run):
    found = records[run]["rejected"]
    assert sorted(row["reason"] for row in found) == ["duplicate", "not_a_date", "unknown_level"]
    rows = table(run, "responses")
    for row in found:  # the header is line 1
        if row["reason"] != "duplicate":
            assert rows[row["row"] - 2][row["column"]] == row["value"]
    [again] = [row["row"] for row in found if row["reason"] == "duplicate"]
    assert again == len(rows) + 1  # the last line
    [account] = [row for row in records[run]["accounts"] if row["table"] == "responses"]
    assert (account["rows_read"], account["rows_used"], account["rows_rejected"]) == (len(rows), len(rows) - 1, 1)


# --- on the pages -----------------------------------------------------------------------------------------------------


def test_every_run_has_its_pages_and_nothing_failed(root, htmls):
    assert set(htmls) == {*EVERYWHERE, *PORTAL}
    for run in RUNS:
        assert set(manifest(root, run)["chapters"].values()) == {"ok"}
        executed = nbformat.read(root / "reports" / run / f"20_satisfaction.{RUNS[run][0]}.ipynb", as_version=4)
        outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
        assert {output.output_type for output in outputs} == {"execute_result"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figures_are_on_the_pages_of_both_languages(htmls, language, housing, dealers, residents, buyers):
    rate = 100 * (dealers["points"] / (3 * dealers["returned"]) - dealers["complaints"] / dealers["deliveries"])
    shown = {
        "copenhagen/1976/10_fieldwork": ["1,681"],
        "copenhagen/1976/20_satisfaction": ["668÷1,681", share(housing["High"], 1681), *map(str, (567, 446, 668))],
        "hengxin/2024Q4/10_fieldwork": [share(dealers["returned"], dealers["distributed"]), str(dealers["valid"])],
        "hengxin/2024Q4/20_satisfaction": [f"{rate:.2f}%", f"{dealers['points']:.2f}", str(dealers["deliveries"])],
        "yunting/2024/10_fieldwork": [
            share(buyers["returned"], buyers["distributed"]), share(buyers["returned"] - buyers["valid"], buyers["distributed"]),
        ],
        "yuanya/2024/20_satisfaction": [share(*residents["2024"]), share(*residents["2023"]), "92.00%", "2§4.4.1"],
        "yuanya/2024/40_procedure": [share(*residents["2024"]), "PZ-2024-016", "2024-07-12", "2§4.5"],
        "yunting/2024/20_satisfaction": [f"{buyers['satisfied']}÷{buyers['valid']}", share(buyers["satisfied"], buyers["valid"])],
        "yunting/2024/40_procedure": ["remedy.csv", str(buyers["returned"] - buyers["valid"])],
    }  # fmt: skip
    for name, figures in shown.items():
        if language not in RUNS[name.rpartition("/")[0]]:
            continue
        text = Page(htmls[f"{name}.{language}.html"]).text
        assert [figure for figure in figures if figure not in text] == [], name


@pytest.mark.parametrize("name", [page for page in PAGES if len(RUNS[page.rpartition("/")[0]]) == 2])
def test_both_languages_have_the_same_numbers_in_the_same_places(htmls, name):
    def numbers(language):
        cells = re.findall(
            r'<t[hd][^>]*class="num"[^>]*>(.*?)</t[hd]>', htmls[f"{name}.{language}.html"], flags=re.DOTALL
        )
        texts = [re.sub(r"<[^>]*>", " ", cell) for cell in cells]
        return [re.findall(r"[−+]?\d[\d,]*\.?\d*", text) for text in texts]

    assert numbers("zh") == numbers("en")
    assert sum(map(len, numbers("zh"))) > 20 or name.endswith("40_procedure")  # where little is counted


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_page_is_about_its_run_in_its_language(records, htmls, name):
    run, _, file = name.rpartition("/")
    language = file.split(".")[1]
    page = Page(htmls[name])
    title = records[run]["title"][language]
    assert page.tags[0] == ("html", {"lang": LANGUAGES[language]})
    assert [tag for tag, _ in page.tags].count("h1") == 1
    head = re.search(r"<title>(.*?)</title>", htmls[name])[1]
    assert unescape(head).split(" · ")[1:] == [title, records[run]["period"]]
    stamp = {"reportable": ("结果有效", "Reportable"), "remedy_due": ("待补救", "Remedydue")}[records[run]["status"]]
    assert stamp[language == "en"] in page.text


@pytest.mark.parametrize("name", [*EVERYWHERE, *PORTAL])
def test_a_page_opens_alone_and_its_links_lead_somewhere(root, htmls, name):
    html = htmls[name]
    assert reaching_out(html) == []
    assert "default-src 'none'" in html
    links = [unquote(link) for link in Page(html).links() if not link.startswith("#")]
    folder = (root / "reports" / name).parent
    assert links
    assert [link for link in links if not (folder / link).is_file()] == []


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_real_page_is_light_legible_and_whole(htmls, name):
    html = htmls[name]
    assert len(html.encode()) < LARGEST
    assert len(ids(html)) == len(set(ids(html)))
    assert references(html) - set(ids(html)) == set()
    curves = 1 if name.startswith("yuanya") else 0  # of a rule on the satisfaction rate
    drivers = 1 if name.startswith("copenhagen") else 3  # a single question has no drivers; its groups are compared
    ladder = 0 if name.startswith("copenhagen") else 1  # of the rules on shares: it has none
    pictures = {"20_satisfaction": 2 + curves + ladder, "25_drivers": drivers, "30_change": 2}
    assert html.count("<svg") == sum(count for chapter, count in pictures.items() if chapter in name)
    held = set.union(*fonts(html).values())
    chinese = {letter for letter in characters(html) if "\u3400" <= letter <= "\u9fff"}
    assert chinese - held == set()
    assert chinese or ".en." in name


def test_the_portal_shows_every_run_with_its_status_and_headline(htmls, dealers, residents, buyers):
    rate = 100 * (dealers["points"] / (3 * dealers["returned"]) - dealers["complaints"] / dealers["deliveries"])
    rates = [share(*residents["2024"]), share(buyers["satisfied"], buyers["valid"])]
    headlines = [share(668, 1681), f"{rate:.2f}%", *rates]
    for language, stamps in {
        "zh": ["结果有效", "结果有效", "结果有效", "待补救"],
        "en": ["Reportable", "Reportable", "Reportable", "Remedy due"],
    }.items():
        html = htmls[f"index.{language}.html"]
        assert re.findall(r'<span class="stamp[^>]*>(.*?)</span>', html) == stamps
        assert [
            re.sub(r"\s", "", unescape(value)) for value in re.findall(r"<strong>(.*?)</strong>", html)
        ] == headlines
    assert htmls["index.html"] == htmls["index.zh.html"]  # the last command's language


# --- what stays in the house ------------------------------------------------------------------------------------------


def published(folder):
    """Yield what stands in each file of a run, fonts and pictures left out."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".xlsx":
            sheets = openpyxl.load_workbook(path)
            yield path.name, "\n".join(str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row)
        else:
            yield path.name, unescape(re.sub(r"base64,[\w+/=]+", "", path.read_text("utf-8")))


def to_complete(run):
    """Return the numbers of the forms that are not valid; there is a list of them where due."""
    return {row["form_id"] for row in forms(run) if not is_valid(row)}


@pytest.mark.parametrize("run", ["hengxin/2024Q4", "yuanya/2024", "yunting/2024"])
def test_no_customer_and_no_comment_is_published(root, run):
    people = {row["customer_id"] for row in table(run, "frame")} | {row["form_id"] for row in forms(run)}
    said = {row["comment"] for row in forms(run)} - {""}
    if run.startswith("hengxin"):
        said |= {row["description"] for row in table(run, "complaints")}
    assert said
    for name, text in published(root / "reports" / run):
        listed = set()
        if run.startswith("yunting") and name.startswith(("remedy", "40_procedure")):
            listed = to_complete(run)  # a remedy is due, and whom to ask again is looked up by the form
        assert [each for each in (people | said) - listed if each in text] == [], name


def test_the_forms_to_be_completed_are_listed_all_in_the_file_and_the_first_on_the_page(root, htmls):
    wanted = to_complete("yunting/2024")
    with (root / "reports/yunting/2024/remedy.csv").open(encoding="utf-8", newline="") as file:
        assert [row["form_id"] for row in csv.DictReader(file) if row["form_id"] not in wanted] == []
    text = (root / "reports/yunting/2024/remedy.csv").read_text("utf-8")
    assert [form for form in wanted if form not in text] == []
    for language in LANGUAGES:
        page = htmls[f"yunting/2024/40_procedure.{language}.html"]
        assert sum(form in page for form in wanted) == 20
    assert [run for run in RUNS if (root / "reports" / run / "remedy.csv").exists()] == ["yunting/2024"]


def test_nothing_is_left_to_do(root):
    assert len(pages(root)) == len(EVERYWHERE) + len(PORTAL)
    for language in LANGUAGES:
        fresh = {run for run, state in states(root, "--language", language).items() if state == "fresh"}
        assert fresh == {tuple(run.split("/")) for run, spoken in RUNS.items() if language in spoken}
