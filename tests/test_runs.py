"""A run file says which survey is reported; a period's own keys win over those of the project."""

import datetime as dt

import pytest
from pydantic import ValidationError

from conftest import run_of
from csat_analysis.ground import runs
from csat_analysis.ground.runs import RunFile


def file_of(periods: dict | None = None, **keys) -> RunFile:
    plain = {"project": "demo", "title": "Demo", "programme": "demo", "periods": {"2024": {"as_of": "2025-01-10"}}}
    return RunFile.model_validate({**plain, **keys, **({"periods": periods} if periods else {})})


@pytest.mark.parametrize(
    "period, first, last",
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024H1", "2024-01-01", "2024-06-30"),
        ("2024H2", "2024-07-01", "2024-12-31"),
        ("2024Q1", "2024-01-01", "2024-03-31"),
        ("2024Q4", "2024-10-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("2024-12", "2024-12-01", "2024-12-31"),
    ],
)
def test_a_period_has_its_first_and_its_last_day(period, first, last):
    assert [day.isoformat() for day in runs.period_bounds(period)] == [first, last]


@pytest.mark.parametrize(
    "period",
    [
        "2024Q5",
        "2024Q0",
        "2024H3",
        "2024-13",
        "2024-00",
        "2024-1",
        "24",
        "2024q1",
        "2024 ",
        "2024\n",
        "２０２４",
        "0000",
        "",
        "../x",
    ],
)
def test_what_is_no_period_is_told_what_one_looks_like(period):
    with pytest.raises(ValueError, match="is not a period; write 2024, 2024H1, 2024Q1 or 2024-05"):
        runs.check_period(period)


def test_periods_may_be_written_as_numbers():
    file = file_of({2023: {"as_of": "2024-01-10"}, 2024: {"as_of": "2025-01-10", "baseline": 2023}})
    assert [(run.period, run.baseline) for run in runs.expand(file)] == [("2023", None), ("2024", "2023")]


def test_runs_come_in_the_order_in_which_their_periods_end():
    periods = ["2024", "2023", "2024Q1", "2024H1", "2024-06", "2024Q2"]
    file = file_of({period: {"as_of": "2025-01-10"} for period in periods})
    assert [run.period for run in runs.expand(file)] == ["2023", "2024Q1", "2024H1", "2024Q2", "2024-06", "2024"]


@pytest.mark.parametrize(
    "project, fits",
    [("yuanya", True), ("园雅-1_b", True), (2024, True), ("x" * 64, True), ("x" * 65, False), ("../x", False), ("a/b", False),
     ("a.b", False), ("", False), ("a b", False), ("a\n", False)],
)  # fmt: skip
def test_a_project_is_a_plain_folder_name(project, fits):
    if fits:
        assert file_of(project=project).project == str(project)
    else:
        with pytest.raises(ValidationError):
            file_of(project=project)


def test_single_values_are_lists_of_one_and_numbers_are_texts():
    read = run_of(
        read={"responses": {"missing": 0, "where": {"SITE": 5, 7: ["A", 1]}, "columns": {"overall": 3}}}
    ).read["responses"]
    assert (read.missing, read.where, read.columns) == (("0",), {"SITE": ("5",), "7": ("A", "1")}, {"overall": "3"})


def test_a_period_replaces_the_keys_it_gives_and_keeps_the_others():
    common = {
        "responses": {"file": "all.csv", "missing": ["0"], "columns": {"overall": "Q1"}},
        "frame": {"file": "frame.csv"},
    }
    own = {"responses": {"columns": {"overall": "Q2"}}, "deliveries": {"file": "sent.csv"}}
    read = run_of({"read": own}, read=common).read
    assert (read["responses"].file, read["responses"].missing) == ("all.csv", ("0",))
    assert read["responses"].columns == {"overall": "Q2"}
    assert (read["frame"].file, read["deliveries"].file) == ("frame.csv", "sent.csv")


def test_a_period_may_take_a_missing_code_away():
    assert (
        run_of({"read": {"responses": {"missing": []}}}, read={"responses": {"missing": ["0"]}})
        .read["responses"]
        .missing
        == ()
    )


def test_a_period_replaces_the_columns_of_the_design_it_gives():
    design = run_of({"design": {"cluster": "RUNID"}}, design={"stratum": "AREA", "cluster": "RUN"}).design
    assert (design.stratum, design.cluster, design.weight) == ("AREA", "RUNID", None)
    assert run_of(design={"stratum": "AREA"}).design.stratum == "AREA"


def test_a_period_may_be_judged_by_a_programme_of_its_own():
    assert run_of({"programme": "demo@2"}).programme == "demo@2"
    assert run_of().programme == "demo"


@pytest.mark.parametrize(
    "keys",
    [
        {"counts": {"frame": -1}},
        {"counts": {"returned": 3}},
        {"counts": {"frame": 1.5}},
        {"remedy": {"due": "2024-01-01"}},
        {"as_of": "x"},
    ],
)
def test_a_period_takes_what_fits_and_nothing_else(keys):
    with pytest.raises(ValidationError):
        run_of(keys)


def fault(file: RunFile) -> list[str]:
    return [f"{'.'.join(map(str, place))}: {sentence}" for place, sentence in runs.faults(file)]


@pytest.mark.parametrize(
    "periods, keys, sentence",
    [
        ({"2024": {"as_of": "2025-01-10", "baseline": "2023"}}, {}, "periods.2024.baseline: '2023' is not a period here; use one of ['2024']."),
        ({"2024": {"as_of": "2025-01-10", "baseline": "2024"}}, {}, "periods.2024.baseline: '2024' is not before '2024'; name an earlier period."),
        (
            {"2024Q1": {"as_of": "2025-01-10", "baseline": "2024Q2"}, "2024Q2": {"as_of": "2025-01-10"}}, {},
            "periods.2024Q1.baseline: '2024Q2' is not before '2024Q1'; name an earlier period.",
        ),
        ({"2024": {"as_of": "2025-01-10", "looks": {"planned": 9, "taken": [5]}}}, {}, "periods.2024.looks: looks are for a change since a baseline; name"),
        (
            {"2023": {"as_of": "2024-01-10"}, "2024": {"as_of": "2025-01-10", "baseline": "2023", "looks": {"planned": 9, "taken": [5, 4]}}}, {},
            "periods.2024.looks: [5, 4] and 9 planned do not rise; give the forms of each look in order.",
        ),
        ({"2024": {"as_of": "2023-12-31"}}, {}, "periods.2024.as_of: 2023-12-31 is before the period begins; give the day of the report."),
        (None, {"targets": {"satisfaction_rat": 0.9}}, "targets.satisfaction_rat: 'satisfaction_rat' is not a measure; use one of ["),
    ],
)  # fmt: skip
def test_a_fault_between_keys_is_named_with_its_place(periods, keys, sentence):
    assert len(fault(file_of(periods, **keys))) == 1 and fault(file_of(periods, **keys))[0].startswith(sentence)


def test_a_sound_file_has_no_faults():
    periods = {"2023": {"as_of": "2023-01-01"}, "2024": {"as_of": "2025-01-10", "baseline": "2023"}}
    assert fault(file_of(periods, targets={"satisfaction_rate": 0.92})) == []
    assert run_of().as_of == dt.date(2025, 1, 10) and run_of().place == "demo 2024"


def test_a_project_says_what_it_belongs_to_the_largest_first():
    run = run_of(within=[{"zh": "华南区", "en": "South"}, "Shenzhen"])
    assert run.within == ({"zh": "华南区", "en": "South"}, {"zh": "Shenzhen", "en": "Shenzhen"})
    assert run_of().within == ()


@pytest.mark.parametrize("within", ["South", {"zh": "华南区", "en": "South"}, [{}], [7], None])
def test_what_a_project_belongs_to_is_a_list_of_names(within):
    with pytest.raises(ValidationError):
        run_of(within=within)


def test_a_project_does_not_move_between_periods():
    with pytest.raises(ValidationError):
        run_of({"within": ["South"]})


@pytest.mark.parametrize("key, value", [("names", {"floor": "Floor"}), ("levels", {"floor": {"1": "Ground floor"}})])
def test_only_a_group_or_a_stratum_can_be_given_a_name(key, value):
    found = list(runs.faults(file_of(**{key: value}, groups=["segment"], design={"stratum": "building"})))
    assert found == [((key, "floor"), "'floor' is no group and no stratum here; use one of ['building', 'segment'].")]
    assert list(runs.faults(file_of(**{key: value}, groups=["floor"]))) == []
