"""A place of the matrix is coloured where its interval lies beside the rate of all projects, and none is ranked."""

import re

import pytest

from csat_analysis.ground.words import speak
from csat_analysis.portal.company_matrix import matrix

TITLES = {"delivery": {"zh": "交货", "en": "Delivery"}, "service": {"zh": "服务", "en": "Service <b>"}}


def project(name, delivery, service, status="reportable"):
    """Return what of a record the matrix asks: each figure as n, share, low and high."""
    items = [
        dict(zip(("id", "n", "share_satisfied", "conf_low", "conf_high"), (item, *figures), strict=True))
        for item, figures in (("delivery", delivery), ("service", service))
    ]
    return {"project": name, "title": {"en": name}, "status": status, "items": items, "item_titles": TITLES}


A = project("A", (10, 0.5, 0.2, 0.81), (90, 0.9, 0.83, 0.95))
B = project("B", (30, 0.9, 0.75, 0.97), (10, 0.1, 0.02, 0.4))


def cells(records, language="en"):
    """Return the marks and numbers of each row."""
    html = matrix(records, speak(language)).html
    rows = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</th>(.*?)</tr>", html, re.DOTALL)
    return {name: re.findall(r'class="num ?(\w*)">([\d.]+|–)', row) for name, row in rows}


def test_the_rate_of_all_is_that_of_all_answers_and_marks_are_intervals_beside_it():
    assert cells([A, B]) == {
        "A": [("", "50.00"), ("strong", "90.00")],
        "B": [("", "90.00"), ("weak", "10.00")],
        "The whole company": [("", "80.00"), ("", "82.00")],  # (5 + 27) ÷ 40, (81 + 1) ÷ 100
    }


def test_the_rate_of_all_says_of_how_many_answers_it_is():
    total = matrix([A, B], speak("en")).html.split("The whole company")[1]
    assert re.findall(r"n = ([\d,]+)", total.replace("\xa0", " ")) == ["40", "100"]


@pytest.mark.parametrize("records", [[], [A], [A, project("V", (5, 1, 0.5, 1), (5, 1, 0.5, 1), "void")]])
def test_there_is_none_without_two_projects_that_can_be_used(records):
    assert matrix(records, speak("en")).html == ""


def test_what_is_not_known_is_a_dash_and_pools_nothing():
    hidden = project("C", (None, None, None, None), (10, 0.1, None, None))
    assert cells([A, B, hidden])["C"][0] == ("", "–")
    assert cells([A, B, hidden])["The whole company"][0] == ("", "80.00")


def test_titles_are_text_in_the_language_of_the_page():
    assert "Service &lt;b&gt;" in matrix([A, B], speak("en")).html
    assert "交货" in matrix([A, B], speak("zh")).html


def test_projects_stand_in_the_order_they_came_in():
    assert list(cells([B, A]))[:2] == ["B", "A"]
