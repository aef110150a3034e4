"""scikit-learn's framework: which file, what of its parts, and what is said of pickles that do not fit."""

import gzip
import json
import pickle
import zlib
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib
import numpy as np
import sklearn
from scipy.special import expit
from scipy.stats import zscore
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, scale
from sklearn.svm import SVC

from moorage.runtime.calls import Answer, Call
from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks import parts, pickles
from moorage.runtime.frameworks.sklearn import FRAMEWORK
from moorage.runtime.script import Hooks
from moorage.runtime.settings import Settings
from moorage.runtime.toolkit import LoadedModel

DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(60, 3))
CLASSES = (ROWS[:, 0] > 0).astype(int)
LINEAR = LogisticRegression().fit(ROWS, CLASSES)


def serve(native, environment=None, **kwargs):
    said = []
    return FRAMEWORK.serve(native, environment or {}, said.append, **kwargs), said


# --- files


@pytest.mark.parametrize(
    "names", [["model.joblib", "other.joblib"], ["model.pkl", "a.pkl"], ["only.pkl"], ["x.joblib"]]
)
@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3)])
def test_which_file_is_the_model(tmp_path, names, compress):
    joblib.dump(LINEAR, tmp_path / names[0], compress=compress)
    for other in names[1:]:
        (tmp_path / other).write_bytes(b"something else")
    assert LINEAR.predict(ROWS).tolist() == FRAMEWORK.load(tmp_path, {}).predict(ROWS).tolist()


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle_is_a_model_too(tmp_path, protocol):
    forest = RandomForestClassifier(3, random_state=0).fit(ROWS, CLASSES)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(forest, protocol))
    assert forest.predict_proba(ROWS).tolist() == FRAMEWORK.load(tmp_path, {}).predict_proba(ROWS).tolist()


def test_pickle_alone_reads_what_joblib_did_not_write(tmp_path):
    path = tmp_path / "model"
    for write, expected in (
        (lambda: path.write_bytes(pickle.dumps(LINEAR)), True),
        (lambda: joblib.dump(LINEAR, path), False),
        (lambda: joblib.dump(LINEAR, path, compress=3), False),
        (lambda: path.write_bytes(b""), False),
    ):
        write()
        assert expected is pickles._is_plain(path)


def test_no_file_and_several_files_are_refused(tmp_path):
    with pytest.raises(ModelUnusable, match=r"No model file in the archive: expected model.joblib or model.pkl or "):
        FRAMEWORK.load(tmp_path, {})
    for name in ("a.joblib", "b.pkl"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ModelUnusable, match=r"Several model files in the archive .a.joblib, b.pkl.: name one of them"):
        FRAMEWORK.load(tmp_path, {})


def aged(content: bytes, version: bytes = b"0.20.2") -> bytes:
    """A pickle as another version of scikit-learn would have made it."""
    here = sklearn.__version__.encode()
    assert here in content
    return content.replace(bytes([len(here)]) + here, bytes([len(version)]) + version)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
def test_the_version_that_made_a_pickle(protocol, pack):
    assert sklearn.__version__ == pickles.made_with(pack(pickle.dumps(LINEAR, protocol)))
    assert "1.2.1" == pickles.made_with(pack(aged(pickle.dumps(LINEAR, 5), b"1.2.1")))
    assert "1.9rc1" == pickles.made_with(pack(aged(pickle.dumps(LINEAR, 5), b"1.9rc1")))


@pytest.mark.parametrize("content", [b"", b"junk", pickle.dumps({"a": 1}), b"\x1f\x8bjunk", b"\x78junk"])
def test_a_file_that_does_not_tell(content):
    assert pickles.made_with(content) is None


def test_a_pickle_of_another_version_says_which_image_it_needs(tmp_path):
    content = aged(pickle.dumps(LINEAR), b"1.2.1").replace(b"LogisticRegression", b"LogisticRegressiom")
    (tmp_path / "model.pkl").write_bytes(content)
    with pytest.raises(ModelUnusable) as caught:
        FRAMEWORK.load(tmp_path, {})
    assert str(caught.value).startswith("model.pkl cannot be loaded: AttributeError: ")
    assert str(caught.value).endswith(
        f"; it was made with scikit-learn 1.2.1, and {sklearn.__version__} is to serve it: choose an image of"
        " scikit-learn 1.2"
    )


def test_a_broken_pickle_of_this_version_is_just_broken(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LINEAR)[:-20])
    with pytest.raises(ModelUnusable) as caught:
        FRAMEWORK.load(tmp_path, {})
    assert "made with" not in str(caught.value)


def test_skops_loads_what_it_trusts_and_names_what_not(tmp_path):
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    skops.dump(LINEAR, tmp_path / "model.skops")
    assert LINEAR.predict(ROWS).tolist() == FRAMEWORK.load(tmp_path, {}).predict(ROWS).tolist()
    skops.dump(make_pipeline(FunctionTransformer(np.polyfit), LINEAR), tmp_path / "model.skops")
    with pytest.raises(ModelUnusable, match=r"model.skops has types that skops does not trust: numpy.*polyfit"):
        FRAMEWORK.load(tmp_path, {})


# --- serving


@pytest.mark.parametrize(
    "model",
    [LINEAR, SVC(), make_pipeline(StandardScaler(), SVC()), RandomForestClassifier(3)],
    ids=lambda model: type(model).__name__,
)
def test_the_answers_are_the_estimators_own(model):
    served, _ = serve(model.fit(ROWS, CLASSES))
    assert model.predict(ROWS).tolist() == served.predict(ROWS, detailed=False).tolist()
    found = served.predict(ROWS, detailed=True)
    assert model.predict(ROWS).tolist() == found["predictions"].tolist()
    assert hasattr(model, "predict_proba") is ("probabilities" in found)


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_who_asks_for_probabilities_gets_his_own_of_every_output(outputs):
    """scikit-learn has a list of them, as long as there are outputs: not to be taken for as many callers' rows."""
    labels = np.stack([ROWS[:, column] > 0 for column in range(outputs)], axis=1).astype(int)
    forest = RandomForestClassifier(3, random_state=0).fit(ROWS, labels if outputs > 1 else labels[:, 0])
    model = LoadedModel(serve(forest)[0], Hooks(), Path("/m"), Settings(), print)
    headers = [(b"content-type", b"application/json")]
    bodies = [json.dumps({"instances": [row.tolist()]}).encode() for row in ROWS[:outputs]]
    answers = model.answer_all([Call(body, headers, dict(headers)) for body in bodies])
    assert model.calls_max > 1
    for row, answer in zip(ROWS, answers, strict=False):
        assert isinstance(answer, Answer)
        said = json.loads(answer.body)
        expected = forest.predict_proba([row])
        of_row = expected[0].tolist() if outputs == 1 else [each[0].tolist() for each in expected]
        assert (forest.predict([row]).tolist(), [of_row]) == (said["predictions"], said["probabilities"])


def test_a_script_with_its_own_predict_fn_gets_the_estimator_as_it_is():
    forest = RandomForestClassifier(3, n_jobs=2).fit(ROWS, CLASSES)
    served, said = serve(forest, predicts=False)
    assert forest is served.native
    assert (2, []) == (forest.n_jobs, said)


@pytest.mark.parametrize(("environment", "expected"), [({}, 1), ({"OMP_NUM_THREADS": "2"}, 2)])
def test_every_part_computes_with_the_workers_threads(environment, expected):
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, n_jobs=-1)).fit(ROWS, CLASSES)
    serve(model, environment)
    assert expected == model[-1].n_jobs


def test_so_do_the_fitted_clones_that_searches_and_ensembles_predict_with():
    forest = RandomForestClassifier(3, n_jobs=2, random_state=0)
    vote = VotingClassifier([("forest", forest), ("line", LogisticRegression())]).fit(ROWS, CLASSES)
    search = GridSearchCV(make_pipeline(StandardScaler(), forest), {}, cv=2).fit(ROWS, CLASSES)
    serve(vote)
    serve(search)
    assert (1, 1) == (vote.estimators_[0].n_jobs, search.best_estimator_[-1].n_jobs)


@pytest.mark.parametrize(("copies", "expected"), [(10_000, 1), (10_001, 2)])
def test_what_holds_very_much_is_data_and_not_searched_for_estimators(copies, expected):
    model = Own()
    model.inside = [RandomForestClassifier(3, n_jobs=2)] * copies
    serve(model)
    assert expected == model.inside[0].n_jobs


def test_a_forest_without_a_word_on_threads_is_left_alone():
    model = RandomForestClassifier(3).fit(ROWS, CLASSES)
    serve(model, {"OMP_NUM_THREADS": "2"})
    assert model.n_jobs is None


def double(rows):
    return rows * 2


class Own:
    def predict(self, rows):
        return rows[:, 0] - rows[:, 0].mean()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LINEAR, True),
        (make_pipeline(StandardScaler(), LINEAR), True),
        (make_pipeline(FunctionTransformer(np.log1p), LINEAR), True),
        (make_pipeline(FunctionTransformer(expit), LINEAR), True),
        (make_pipeline(FunctionTransformer(np.cumsum), LINEAR), False),
        (make_pipeline(FunctionTransformer(zscore), LINEAR), False),
        (make_pipeline(make_pipeline(FunctionTransformer(scale)), LINEAR), False),
        (make_pipeline(FunctionTransformer(), LINEAR), True),
        (make_pipeline(SelectKBest(f_classif), LINEAR), True),
        (make_pipeline(FunctionTransformer(double), LINEAR), False),
        (make_pipeline(OneHotEncoder(dtype=np.float32), LINEAR), True),
        (Own(), False),
    ],
)
def test_only_known_parts_are_known_to_look_at_one_row(model, expected):
    assert expected is parts.is_rowwise(model)
    assert expected is serve(model)[0].batches


def test_names_of_columns_are_said_once_and_not_warned_of_for_each_request():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    model = LogisticRegression().fit(pandas.DataFrame(ROWS, columns=["a", "b", "c"]), CLASSES)
    served, said = serve(model)
    assert ["fitted on columns with names: rows are taken in their order, a, b, c"] == said
    served.predict(ROWS, detailed=True)  # a warning would be an error here


def test_an_object_that_does_not_predict_is_refused():
    with pytest.raises(
        ModelUnusable, match=r"The model is a dict, which has no predict: code/inference.py has to define"
    ):
        serve({"weights": [1]})
