"""What would come back if everybody's opinion were known? Makes the tables of a made-up survey out of its truth.

Every customer of a demo survey holds an opinion on every item before anybody is
asked. Only some of them receive a form, only some of those send it back, and a few
forms are filled in badly. Because the opinions are known, the figures of a report
can be held against the truth. Nothing here is about real people or firms.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from csat_analysis.demo import MODELS, SURVEYS, Paths, Truth

CUTS = {5: (0.9, 0.0, -0.6, -1.2), 4: (0.9, 0.0, -0.9), 3: (0.0, -0.9)}  # above 0 counts as satisfied
SHARED_FEELING = 0.6  # variance of one opinion that all items of a form share
LASTING_FEELING = 0.6  # part of the shared feeling that lasts from period to period
COMMENTING = 0.15  # share of the answered forms that bring a comment
INAPPLICABLE = "不适用"  # the answer of those whom an item does not concern
STEPS = ["step", "due_on", "done_on", "responsible", "evidence", "reason"]


def frame(truth: Truth) -> pd.DataFrame:
    """Return the customer file: customer_id, the stratum and, if any, the segment."""
    stratum = [name for name, (size, _) in truth.strata.items() for _ in range(size)]
    people = pd.DataFrame({truth.by: stratum})
    people.insert(0, "customer_id", [f"C{i:04d}" for i in range(1, truth.size + 1)])
    if truth.segments:
        share = [share for share, _ in truth.segments.values()]
        rng = stream(truth, "segments")
        people["segment"] = rng.choice(list(truth.segments), truth.size, p=share)
    return people


def opinions(truth: Truth) -> pd.DataFrame:
    """Return what everybody in the frame thinks: customer_id and a level per item.

    Notes
    -----
    A latent opinion is a feeling common to all items of a form plus something of the
    item's own. It is turned into normal scores within each stratum, so that the frame
    holds exactly the declared share of satisfied customers, and cut into levels.
    """
    people = frame(truth)
    rng = stream(truth, truth.period, "opinions")
    lasting = stream(truth, "feeling").standard_normal(truth.size)
    feeling = mix(lasting, rng.standard_normal(truth.size), LASTING_FEELING)
    if truth.segments:
        feeling += people["segment"].map({k: shift for k, (_, shift) in truth.segments.items()})
    place = people[truth.by].map({k: norm.ppf(share) for k, (_, share) in truth.strata.items()})
    answers = people[["customer_id"]].copy()
    for item, shift in truth.items.items():
        latent = mix(feeling, rng.standard_normal(truth.size), SHARED_FEELING)
        score = normal_scores(pd.Series(latent), people[truth.by])
        answers[item] = cut(score + place + shift, truth.levels)
    for item, share in truth.inapplicable.items():
        unconcerned = chosen(stream(truth, truth.period, item), np.full(truth.size, share))
        answers.loc[unconcerned, item] = INAPPLICABLE
    return answers


def satisfied(answers: pd.Series, levels: tuple[str, ...]) -> pd.Series:
    """Return for each answer whether its level counts as satisfied.

    Examples
    --------
    >>> satisfied(pd.Series(["good", "fair", ""]), ("good", "fair", "bad")).tolist()
    [True, False, False]
    """
    return answers.isin(levels[: CUTS[len(levels)].index(0.0) + 1])


def survey(truth: Truth) -> dict[str, pd.DataFrame]:
    """Return the tables of one survey by name, all cells as text.

    Notes
    -----
    `frame`, `distribution` and `responses` always; `complaints`, `deliveries` and `steps` where there are any.
    """
    people, thoughts = frame(truth), opinions(truth)
    pleased = satisfied(thoughts[truth.headline], truth.levels)
    sent = distribution(people, pleased, truth)
    forms = responses(sent, thoughts, truth)
    if truth.is_anonymous:
        sent, forms = sent.drop(columns="disposition"), boxed(forms, truth)
    tables = {"frame": people, "distribution": sent, "responses": spoil(forms, truth)}
    if truth.complaints:
        tables["complaints"] = complaints(people[~pleased], truth)
    if truth.shipments:
        tables["deliveries"] = deliveries(people, truth)
    if truth.steps:
        tables["steps"] = steps(truth)
    return tables


def write(root: str | Path) -> list[Path]:
    """Write the tables of all demo surveys below `root`/data and return their paths."""
    paths = []
    for truth in SURVEYS:
        folder = Path(root) / "data" / truth.project / truth.period
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in survey(truth).items():
            path = folder / f"{name}.csv"
            table.to_csv(path, index=False, encoding=truth.encoding, lineterminator="\n")
            paths.append(path)
    for model in MODELS:
        path = Path(root) / "data" / model.project / model.period / "responses.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        modelled(model).to_csv(path, index=False, lineterminator="\n")
        paths.append(path)
    return paths


def modelled(model: Paths) -> pd.DataFrame:
    """Return the returned forms of a survey whose answers follow paths, all cells as text.

    Notes
    -----
    A construct is the sum of those that lead to it, times their coefficients, and of something of its own, so that
    its variance is 1. An answer is its item's mean and spread times construct and noise, rounded to the scale.
    """
    rng, (lowest, highest) = stream(model, model.period, "answers"), model.answers
    constructs: dict[str, np.ndarray] = {}
    answers: dict[str, np.ndarray] = {}
    for name, sources in model.paths.items():
        led = sum((size * constructs[source] for source, size in sources.items()), np.zeros(model.forms))
        constructs[name] = led + np.sqrt(max(1 - led.var(), 0.0)) * rng.standard_normal(model.forms)
        for item, mean in model.items[name].items():
            felt = mix(constructs[name], rng.standard_normal(model.forms), model.loading**2)
            answers[item] = np.clip(np.rint(mean + model.spread * felt), lowest, highest).astype(int).astype(str)
    forms = pd.DataFrame(answers).mask(rng.random((model.forms, len(answers))) < model.unanswered, "")
    forms.iloc[-model.blank :] = ""
    start = sent_on(model.period)
    forms.insert(0, "received_on", dates(rng, start, start + pd.Timedelta(days=40), model.forms))
    forms.insert(0, "form_id", [f"{model.period}-{i:04d}" for i in range(1, model.forms + 1)])
    for fault in model.faults:
        forms.loc[fault.form, fault.column] = fault.value
    return forms


def stream(truth: Truth | Paths, *purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose, untouched by those of any other."""
    return np.random.default_rng([truth.seed, *" ".join(purpose).encode()])


def mix(common: np.ndarray, own: np.ndarray, share: float) -> np.ndarray:
    """Return common and own part added so that `share` of the variance is common."""
    return np.sqrt(share) * common + np.sqrt(1 - share) * own


def normal_scores(latent: pd.Series, stratum: pd.Series) -> pd.Series:
    """Return the standard normal quantile of each value's rank within its stratum."""
    groups = latent.groupby(stratum)
    rank, size = groups.rank(method="first"), groups.transform("size")
    return pd.Series(norm.ppf((rank - 0.5) / size), index=latent.index)


def cut(latent: pd.Series, levels: tuple[str, ...]) -> np.ndarray:
    """Return the level of each latent opinion, the first where it exceeds all cuts."""
    position = np.searchsorted(-np.array(CUTS[len(levels)]), -latent.to_numpy())
    return np.array(levels, dtype=object)[position]


def chosen(rng: np.random.Generator, chance: np.ndarray) -> np.ndarray:
    """Return who is chosen: each by the chance given, in all exactly as many as expected.

    References
    ----------
    Ohlsson, E. (1998). Sequential Poisson sampling. Journal of Official Statistics
    14(2), 149-162.
    """
    order = np.argsort(rng.random(len(chance)) / chance, kind="stable")
    return np.isin(np.arange(len(chance)), order[: round(chance.sum())])


def dates(rng: np.random.Generator, first: pd.Timestamp, last: pd.Timestamp, n: int) -> list[str]:
    """Return n days between first and last, in order, as text."""
    days = np.sort(rng.integers(0, (last - first).days + 1, n))
    return list((first + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d"))


def sent_on(period: str) -> pd.Timestamp:
    """Return the first day of the last month but one.

    Examples
    --------
    >>> sent_on("2024").date().isoformat(), sent_on("2024Q3").date().isoformat()
    ('2024-11-01', '2024-08-01')
    """
    return (pd.Period(period).asfreq("M", how="end") - 1).start_time


def drawn(rng: np.random.Generator, people: pd.DataFrame, truth: Truth) -> np.ndarray:
    """Return who is to receive a form: the declared share of the frame, of each stratum in a stratified sample."""
    groups = people[truth.by] if truth.is_stratified else pd.Series("", index=people.index)
    parts = groups.groupby(groups, sort=False).indices
    reached = np.zeros(len(people), dtype=bool)
    for part in parts.values():
        reached[part] = chosen(rng, np.full(len(part), truth.distribution_rate))
    return reached


def distribution(people: pd.DataFrame, pleased: pd.Series, truth: Truth) -> pd.DataFrame:
    """Return one row per form that is handed out, with what became of it."""
    rng = stream(truth, truth.period, "distribution")
    reached = drawn(rng, people, truth)
    sent = people.loc[reached, ["customer_id", truth.by]].reset_index(drop=True)
    sent.insert(0, "form_id", [f"{truth.period}-{i:04d}" for i in range(1, len(sent) + 1)])
    sent["channel"] = rng.choice(truth.channels, len(sent))
    sent["sent_on"] = sent_on(truth.period).strftime("%Y-%m-%d")
    tilt = pleased[reached].to_numpy() - pleased[reached].mean()
    back = chosen(rng, truth.return_rate + truth.nonresponse * tilt)
    lost = rng.choice(["not_contacted", "refused", "outstanding", "ineligible"], len(sent),
                      p=[0.5, 0.3, 0.1, 0.1])  # fmt: skip
    sent["disposition"] = np.where(back, "returned", lost)
    return sent


def responses(sent: pd.DataFrame, thoughts: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return the returned forms as they were filled in, the blank ones among them."""
    rng = stream(truth, truth.period, "responses")
    forms = sent.loc[sent["disposition"] == "returned", ["form_id", "customer_id", truth.by]]
    start = sent_on(truth.period)
    days = dates(rng, start + pd.Timedelta(days=3), start + pd.Timedelta(days=40), len(forms))
    forms = forms.assign(received_on=rng.permutation(days)).merge(thoughts, on="customer_id")
    pleased = satisfied(forms[truth.headline], truth.levels)
    words = np.where(pleased, rng.choice(truth.praise, len(forms)), rng.choice(truth.blame, len(forms)))
    forms["comment"] = np.where(rng.random(len(forms)) < COMMENTING, words, "")
    blank = chosen(rng, np.full(len(forms), truth.blank_share * len(sent) / len(forms)))
    forms.loc[blank, [*truth.items, "comment"]] = ""
    return forms


def boxed(forms: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return the forms as they come out of a box, in the order of their days: counted, and nobody's."""
    order = stream(truth, truth.period, "box").permutation(len(forms))
    mixed = forms.iloc[order].sort_values("received_on", kind="stable", ignore_index=True)
    return mixed.drop(columns=["form_id", "customer_id"]).assign(count="1")


def spoil(forms: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return the forms with the declared faults in them, repeated forms at the end."""
    answered = forms.index[(forms[list(truth.items)] != "").any(axis=1)]
    spoiled = forms.copy()
    for fault in truth.faults:
        spoiled.loc[answered[fault.form], fault.column] = fault.value
    again = spoiled.loc[answered[list(truth.repeated)]]
    return pd.concat([spoiled, again], ignore_index=True)


def complaints(dissatisfied: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return one row per complaint of somebody dissatisfied, received at some time in the period."""
    rng, period = stream(truth, truth.period, "complaints"), pd.Period(truth.period)
    n = len(truth.complaints)
    received = dates(rng, period.start_time, period.end_time, n)
    table = pd.DataFrame({
        "complaint_id": [f"TS-{truth.period}-{i:02d}" for i in range(1, n + 1)],
        "received_on": received,
        "channel": rng.choice(["电话", "传真", "邮件"], n),
        "content": [each.content for each in truth.complaints],
        "customer_id": rng.choice(dissatisfied["customer_id"], n),
        "description": [each.description for each in truth.complaints],
    })  # fmt: skip
    days = [each.days for each in truth.complaints]
    return table.assign(closed_on=later(received, days)) if any(days) else table


def later(start: list[str], days: list[int | None]) -> list[str]:
    """Return the day so many days after each, as text; empty where the number is None.

    Examples
    --------
    >>> later(["2024-12-30", "2024-12-30"], [3, None])
    ['2025-01-02', '']
    """
    ends = pd.to_datetime(start) + pd.to_timedelta(days, unit="D")
    return ["" if pd.isna(day) else day.strftime("%Y-%m-%d") for day in ends]


def steps(truth: Truth) -> pd.DataFrame:
    """Return what was entered of the procedure's steps, one row per entry."""
    lines = [[cell.strip() for cell in line.split("|")] for line in truth.steps.strip().splitlines()]
    return pd.DataFrame([line + [""] * (len(STEPS) - len(line)) for line in lines], columns=STEPS)


def deliveries(people: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Return one row per shipment of the period."""
    rng, period = stream(truth, truth.period, "deliveries"), pd.Period(truth.period)
    n = truth.shipments
    return pd.DataFrame({
        "delivery_id": [f"FH-{truth.period}-{i:03d}" for i in range(1, n + 1)],
        "delivered_on": dates(rng, period.start_time, period.end_time, n),
        "customer_id": rng.choice(people["customer_id"], n),
    })  # fmt: skip


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else ".")
