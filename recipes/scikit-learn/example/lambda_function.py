"""Learn from customers who left or stayed, and tell who is likely to leave."""

from typing import Any

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 0


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Train on the customers of whom it is known, and predict for the others."""
    known, left = event["known"]["customers"], event["known"]["left"]
    folds = StratifiedKFold(n_splits=4, shuffle=True, random_state=SEED)
    scores = cross_val_score(make_model(), known, left, cv=folds)
    model = make_model().fit(known, left)
    others = event["others"]
    return {
        "accuracy": round(float(scores.mean()), 3),
        "signs": signs(model),
        "will_leave": model.predict(others).tolist(),
        "chances": model.predict_proba(others)[:, 1].round(2).tolist(),
    }


def make_model() -> Pipeline:
    """Return a model for rows of numbers and words: a word becomes a column of its own."""
    return make_pipeline(DictVectorizer(sparse=False), StandardScaler(), LogisticRegression(C=0.5, random_state=SEED))


def signs(model: Pipeline) -> list[str]:
    """Return what speaks for leaving, the strongest sign first."""
    names = model.named_steps["dictvectorizer"].get_feature_names_out()
    weights = model.named_steps["logisticregression"].coef_[0]
    ranked = sorted(zip(weights, names, strict=True), reverse=True)
    return [str(name) for weight, name in ranked if weight > 0]
