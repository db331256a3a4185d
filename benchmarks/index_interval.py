"""How often does the interval of a composite index hold the truth? Simulates surveys whose complainers are unhappy.

    .venv/bin/python benchmarks/index_interval.py [repetitions]

One line per design: customers, share that returns a form, whether complaints and forms are linked by customer; then
coverage of the 95 % interval, mean standard error, and the standard deviation that it should equal.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from csat_analysis.assembly import composite
from csat_analysis.assembly.assessment import compute
from csat_analysis.domain import scoring
from csat_analysis.domain.evidence import Evidence
from csat_analysis.ground import params
from csat_analysis.ground.programmes import Programme

SHIFTS = {"product": 0.1, "delivery": -0.1, "service": 0.2}  # of the items, in standard deviations
UNHAPPY, OFTEN, SELDOM = -1.0, 0.35, 0.02  # below that feeling customers complain often, above it seldom
SHIPMENTS = 1.5  # for each customer
DESIGNS = [(n, back, linked) for n, back in ((64, 0.5), (120, 0.6), (300, 0.8)) for linked in (True, False)]


def feelings(rng: np.random.Generator, size: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Return what customers feel, and their answers."""
    feeling = rng.standard_normal(size)
    latent = {item: 0.7 * feeling + 0.7 * rng.standard_normal(size) + shift for item, shift in SHIFTS.items()}
    levels = {
        item: np.select([x > -0.3, x > -1.2], ["very_satisfied", "fair"], "dissatisfied") for item, x in latent.items()
    }
    return feeling, pd.DataFrame(levels, index=[f"f{i}" for i in range(size)])


def survey(rng: np.random.Generator, programme: Programme, size: int, back: float, linked: bool) -> dict[str, Any]:
    """Return the index of one simulated survey, with its interval."""
    feeling, answers = feelings(rng, size)
    complaints = pd.Series(
        rng.poisson(np.where(feeling < UNHAPPY, OFTEN, SELDOM)), index=[f"c{i}" for i in range(size)]
    )
    returned = rng.random(size) < back
    forms = pd.DataFrame({"row": range(size), "count": 1, "weight": 1.0}, index=answers.index)
    forms = forms.assign(customer_id=complaints.index) if linked else forms
    evidence = Evidence(
        programme=programme, forms=scoring.score_forms(forms[returned], answers[returned], programme), frame=size,
        distributed=size, eligible=size, deliveries=int(size * SHIPMENTS), complaints=int(complaints.sum()), months=3,
        complainers=complaints[complaints > 0].astype(float),
    )  # fmt: skip
    found = {name: compute(name, evidence) for name in programme.index.terms}  # type: ignore[union-attr]
    return composite.index_of(programme, found, evidence)  # type: ignore[return-value]


def truth(rng: np.random.Generator, programme: Programme, size: int = 400_000) -> float:
    """Return the index of a population without end."""
    feeling, answers = feelings(rng, size)
    points = scoring.item_points(answers, programme).sum(axis="columns").mean() / scoring.full_points(programme)
    return float(points - np.where(feeling < UNHAPPY, OFTEN, SELDOM).mean() / SHIPMENTS)


def main(repetitions: int) -> None:
    """Print the coverage of every design."""
    root = Path(__file__).resolve().parents[1]
    programme = params.read_programme(root / "params" / "programmes" / "electrical.yml").content
    rng = np.random.default_rng(1)
    aim = truth(rng, programme)
    print("customers returned linked coverage mean_se sd")
    for size, back, linked in DESIGNS:
        found = pd.DataFrame([survey(rng, programme, size, back, linked) for _ in range(repetitions)])
        coverage = found["conf_low"].le(aim).mul(found["conf_high"].ge(aim)).mean()
        print(f"{size} {back} {linked} {coverage:.3f} {found['se'].mean():.4f} {found['value'].std():.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
