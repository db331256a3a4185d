"""What the README tells a newcomer to type works as it stands, in both languages."""

import re
from pathlib import Path

import pytest

from publishing import csat, record, run, write

CHECKOUT = Path(__file__).resolve().parents[1]
LANGUAGES = {"en": "README.md", "zh": "README.zh-CN.md"}


def blocks(name: str, kind: str) -> list[str]:
    """Return the code blocks of a kind in a file, without their indentation."""
    text = (CHECKOUT / name).read_text("utf-8")
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def newcomer(language: str, root: Path) -> Path:
    """Return a root that holds what the README of a language has a newcomer write."""
    (table,), (run_file, _) = blocks(LANGUAGES[language], "csv"), blocks(LANGUAGES[language], "yaml")
    return write(root, {"data/my_estate/2024/responses.csv": table, "params/runs/my_estate.yml": run_file})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_newcomers_own_data_is_read(language, tmp_path):
    answer = csat("check", "--root", newcomer(language, tmp_path))
    assert (answer.status, answer.err) == (0, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_with_other_headers_is_read_as_it_is(language, tmp_path):
    root = newcomer(language, tmp_path)
    (table,), (run_file, read) = blocks(LANGUAGES[language], "csv"), blocks(LANGUAGES[language], "yaml")
    other = {"export.csv": table.replace("overall", "Q7"), "responses.csv": None}
    write(root, {f"data/my_estate/2024/{name}": text for name, text in other.items()})
    write(root, {"params/runs/my_estate.yml": run_file + read.replace("export.xlsx", "export.csv")})
    answer = csat("check", "--root", root)
    assert (answer.status, answer.err) == (0, "")


def test_a_newcomers_own_data_becomes_a_page(tmp_path):
    root = newcomer("en", tmp_path)
    assert run(root, "--project", "my_estate").status == 0
    assert record(root, "my_estate/2024")["counts"]["returned"] == 3
    assert (root / "reports/my_estate/2024/20_satisfaction.en.html").is_file()


def test_both_readmes_name_the_two_commands_in_their_first_screen():
    for name in LANGUAGES.values():
        first = (CHECKOUT / name).read_text("utf-8").splitlines()[:12]
        assert [line.split()[1] for line in first if line.startswith("make ")] == ["demo", "test"]


def test_every_file_a_readme_points_to_is_there():
    for name in LANGUAGES.values():
        for target in re.findall(r"\]\(([^)#:]+)\)", (CHECKOUT / name).read_text("utf-8")):
            assert (CHECKOUT / target).exists(), f"{name}: {target}"
