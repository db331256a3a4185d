"""What do customers mean by satisfaction, and what makes it? The constructs of a path model, and the index of one."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from csat_analysis.domain.evidence import Evidence, Measure
from csat_analysis.domain.scoring import CENSUS, mean_measure, points_column
from csat_analysis.estimation import latent
from csat_analysis.estimation.paths import Ends, PathModel, path_model
from csat_analysis.ground.programmes import Latent, Programme
from csat_analysis.statistics.design import kept

SEED, REPLICATIONS = 1, 1000  # of the bootstrap: the same answers have the same interval
BOOTSTRAP = "bootstrap"
TOO_FEW = "withheld: too few forms for a path model"
NO_MODEL = "withheld: no path model"  # the answers do not bear it


class Constructs(NamedTuple):
    """A path model estimated from a survey, and how sure that is; the reasons of both say why there is none."""

    found: latent.Estimate
    spread: latent.Bootstrap


def model_of(programme: Programme, model: Latent) -> PathModel:
    """Return a procedure's path model as it is estimated."""
    blocks = {each.id: each.items for each in model.constructs}
    return path_model(blocks, {each.id: each.follows for each in model.constructs}, _ends(programme))


def _ends(programme: Programme) -> dict[str, Ends]:
    """Return the lowest and the highest points of each item that has points."""
    points = {item.id: programme.item_points(item) for item in programme.items}
    return {item: (min(each.values()), max(each.values())) for item, each in points.items() if each}


def item_values(evidence: Evidence) -> pd.DataFrame:
    """Return the points of the items of all constructs on each valid form; not answered: NaN."""
    model = evidence.programme.latent
    items = [item for each in (model.constructs if model else ()) for item in each.items]
    valid = evidence.forms[evidence.forms["valid"]]
    return pd.DataFrame({item: valid[points_column(item)] for item in items}, index=valid.index)


def estimate_constructs(evidence: Evidence) -> Constructs | None:
    """Return a procedure's path model, estimated by the design of the survey; None where the procedure has none."""
    model = evidence.programme.latent
    return _estimate(evidence, model) if model else None


def _estimate(evidence: Evidence, model: Latent) -> Constructs:
    """Return a path model, estimated by the design of the survey."""
    answers, paths = item_values(evidence), model_of(evidence.programme, model)
    design = kept(evidence.design, evidence.forms["valid"].to_numpy(dtype=bool))
    found = latent.estimate(answers, paths, design, scheme=model.scheme, least=model.least)
    spread = latent.bootstrap(
        answers, paths, design, seed=SEED, scheme=model.scheme, replications=REPLICATIONS, least=model.least
    )
    return Constructs(found, spread)


def latent_index(evidence: Evidence) -> Measure:
    """Return the index of the path model's target, 0 to 100, over the forms that answered its items.

    Notes
    -----
    Where the procedure freezes the weights of a baseline, the index is by these, for every number of forms: the mean
    over the forms that answered the target's items, its error that of a mean by the design of the survey. Else the
    weights are this survey's, from the forms that answered all items, and the interval is that of the bootstrap, in
    which they are estimated anew; it is withheld below ``least`` forms, and where the answers do not bear the model.
    ``influence`` takes the weights as given.
    """
    model = evidence.programme.latent
    if model is None:
        return Measure(None, None, None)
    if model.frozen:
        return index_by(model.frozen.weights, evidence)
    return target_index(evidence, model, *_estimate(evidence, model))


def target_index(evidence: Evidence, model: Latent, found: latent.Estimate, spread: latent.Bootstrap) -> Measure:
    """Return the index of a model's target by the weights of this survey, from the model as it was estimated."""
    if found.reason:
        return Measure(None, None, None, method=TOO_FEW if found.reason == "too_few" else NO_MODEL, n=found.n)
    plain = index_by(found.raw_weights[list(model.target_items)], evidence, found.scores.index)
    if plain.method == CENSUS or spread.reason == "one_cluster":
        return plain
    if spread.reason:
        return plain._replace(conf_low=None, conf_high=None, se=None, method=NO_MODEL)
    row = spread.index.loc[model.target]
    return plain._replace(conf_low=row["conf_low"], conf_high=row["conf_high"], se=row["se"], method=BOOTSTRAP)


def index_by(weights: Mapping[str, float] | pd.Series, evidence: Evidence, forms: pd.Index | None = None) -> Measure:
    """Return the index by given weights of items, over all forms that answered these, or over some of them."""
    answers = item_values(evidence)
    values = latent.form_index(answers if forms is None else answers.loc[forms], weights, _ends(evidence.programme))
    return mean_measure(evidence, values.dropna(), (0.0, 100.0))
