"""XGBoost: files, content types and answers as in SageMaker's container, compared with XGBoost itself."""

import json
import pickle

import pytest

pytest.importorskip("xgboost", reason="xgboost is not installed")
pytest.importorskip("treelite", reason="treelite is not installed")

import numpy as np
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.model_selection import GridSearchCV

from moorage.runtime import toolkit
from moorage.runtime.calls import Call
from moorage.runtime.failures import ModelUnusable, RequestRefused
from moorage.runtime.frameworks.booster import BoosterModel, ScriptedBooster
from moorage.runtime.frameworks.xgboost import FRAMEWORK
from moorage.runtime.settings import read_settings
from moorage.runtime.trees.check import check_equal
from moorage.runtime.trees.compiled import CompiledModel
from moorage.runtime.trees.probes import probe_rows
from moorage.runtime.trees.translation import NotCompiled
from moorage.runtime.trees.xgboost import translate_booster

CSV, JSON, LINES, LIBSVM = "text/csv", "application/json", "application/jsonlines", "text/libsvm"
DRAW = np.random.default_rng(0)
ROWS = DRAW.normal(size=(150, 4)).round(1)
SCORES = np.abs(ROWS[:, 0] * 2 + np.sin(ROWS[:, 1] * 3) + DRAW.normal(size=150) / 4)
CLASSES = np.argsort(np.argsort(SCORES)) * 3 // 150
LABELS = {2: (CLASSES > 0).astype(int), 3: CLASSES, None: SCORES}

OBJECTIVES = {
    "reg:squarederror": (None, {}),
    "reg:gamma": (None, {}),
    "reg:tweedie": (None, {}),
    "count:poisson": (None, {}),
    "reg:absoluteerror": (None, {}),
    "reg:quantileerror": (None, {"quantile_alpha": [0.1, 0.5, 0.9]}),
    "reg:logistic": (2, {}),
    "binary:logistic": (2, {}),
    "binary:logitraw": (2, {"base_score": 0.3}),
    "binary:hinge": (2, {}),
    "multi:softprob": (3, {"num_class": 3}),
    "multi:softmax": (3, {"num_class": 3}),
    "rank:pairwise": (2, {}),
}


def train(objective="binary:logistic", *, rounds=8, **parameters):
    kind, more = OBJECTIVES[objective]
    settings = {"objective": objective, "nthread": 1, "seed": 0} | more | parameters
    return xgboost.train(settings, xgboost.DMatrix(ROWS, LABELS[kind]), rounds)


def serve(native, environment=None, **kwargs):
    said = []
    return FRAMEWORK.serve(native, environment or {}, said.append, **kwargs), said


def expected(booster, rows=ROWS):
    return booster.predict(xgboost.DMatrix(rows))


BOOSTERS = {objective: train(objective) for objective in OBJECTIVES}


# --- the same answers, compiled


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_compiled_booster_answers_to_the_last_bit(objective):
    model, said = serve(BOOSTERS[objective])
    assert isinstance(model, CompiledModel), said
    found = np.concatenate([model.predict(ROWS[place : place + 1], detailed=False) for place in range(len(ROWS))])
    wanted = expected(BOOSTERS[objective])
    assert (wanted.dtype, wanted.tolist()) == (found.dtype, found.tolist())


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(OBJECTIVES)),
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 40), st.just(4)),
        elements=st.one_of(
            st.floats(width=32, allow_infinity=False), st.sampled_from([0.1, -0.3, 0.05, 1e300, np.nan])
        ),
    ),
)
def test_any_rows_are_answered_as_by_xgboost(objective, rows):
    model, _ = serve(BOOSTERS[objective])
    own, _ = serve(BOOSTERS[objective], {"MOORAGE_COMPILE": "off"})
    assert isinstance(own, BoosterModel)
    np.testing.assert_equal(outcome(model, rows), outcome(own, rows))


def outcome(model, rows):
    try:
        return model.predict(rows, detailed=False)
    except RequestRefused as refused:
        return refused.status, str(refused)


def test_dart_may_differ_by_a_few_steps_of_float32():
    booster = train(booster="dart", rate_drop=0.3)
    model, said = serve(booster)
    assert isinstance(model, CompiledModel), said
    np.testing.assert_allclose(model.predict(ROWS[:20], detailed=False), expected(booster, ROWS[:20]), rtol=1e-6)


def test_only_the_best_rounds_predict():
    evaluated = xgboost.DMatrix(ROWS[:50], 1 - LABELS[2][:50])
    booster = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1},
        xgboost.DMatrix(ROWS, LABELS[2]),
        20,
        evals=[(evaluated, "e")],
        early_stopping_rounds=3,
        verbose_eval=False,
    )
    assert booster.best_iteration < booster.num_boosted_rounds() - 1
    wanted = booster.predict(xgboost.DMatrix(ROWS), iteration_range=(0, booster.best_iteration + 1))
    for environment in ({}, {"MOORAGE_COMPILE": "off"}):
        model, _ = serve(booster, environment)
        assert wanted[:9].tolist() == model.predict(ROWS[:9], detailed=False).tolist()


@pytest.mark.parametrize(
    "estimator",
    [
        xgboost.XGBClassifier(n_estimators=8).fit(ROWS, LABELS[2]),
        xgboost.XGBClassifier(n_estimators=8).fit(ROWS, LABELS[3]),
        xgboost.XGBRFClassifier(n_estimators=8).fit(ROWS, LABELS[3]),
        xgboost.XGBRegressor(n_estimators=8).fit(ROWS, SCORES),
        xgboost.XGBRFRegressor(n_estimators=8).fit(ROWS, SCORES),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_estimators_answer_in_their_own_way(estimator):
    model, said = serve(estimator)
    assert isinstance(model, CompiledModel), said
    found = model.predict(ROWS[:30], detailed=True)
    assert estimator.predict(ROWS[:30]).tolist() == found["predictions"].tolist()
    assert hasattr(estimator, "predict_proba") is ("probabilities" in found)
    if "probabilities" in found:
        assert estimator.predict_proba(ROWS[:30]).tolist() == found["probabilities"].tolist()


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        (train(booster="gblinear"), "not compiled: it has no trees, its booster is gblinear"),
        (xgboost.XGBRegressor(n_estimators=2, missing=-1).fit(ROWS, SCORES), "not compiled: its missing value is -1"),
    ],
)
def test_what_cannot_be_compiled_is_said(native, reason):
    model, said = serve(native)
    assert not isinstance(model, CompiledModel)
    assert [reason] == said


@pytest.mark.parametrize(
    ("field", "mutate"),
    [
        ("threshold", lambda values: np.nextafter(values, np.float32(np.inf))),
        ("leaf_value", lambda values: values * np.float32(1.001)),
        ("default_left", lambda values: 1 - values),
    ],
)
def test_a_wrong_tree_is_found(field, mutate):
    booster = train(max_depth=2)
    translation = translate_booster(booster)
    tree = translation.model.get_tree_accessor(3)
    tree.set_field(field, mutate(tree.get_field(field)))
    with pytest.raises(NotCompiled, match="predictions differ in"):
        check_equal(BoosterModel(booster, (0, 0), None), translation, probe_rows(translation.model, missing=True))


# --- files


@pytest.mark.parametrize("name", ["xgboost-model", "model.json", "model.ubj", "anything.bst", "a.model"])
@pytest.mark.parametrize("form", ["json", "ubj", "pickle"])
def test_a_booster_is_known_by_its_first_bytes(tmp_path, name, form):
    booster = BOOSTERS["binary:logistic"]
    content = pickle.dumps(booster) if form == "pickle" else bytes(booster.save_raw(form))
    (tmp_path / name).write_bytes(content)
    assert expected(booster).tolist() == expected(FRAMEWORK.load(tmp_path, {})).tolist()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "^xgboost-model is empty$"),
        (b"{broken", "^xgboost-model cannot be loaded by xgboost [0-9.]+: XGBoostError: .*"),
        (
            b"binf\xcd\xcc\xcc>\x04\x00",
            "its binary format is none that it still reads, choose an image",
        ),
        (b"\x80junk", "^xgboost-model cannot be loaded: "),
    ],
)
def test_a_broken_file_says_so(tmp_path, content, reason):
    (tmp_path / "xgboost-model").write_bytes(content)
    with pytest.raises(ModelUnusable, match=reason) as caught:
        FRAMEWORK.load(tmp_path, {})
    assert "Stack trace" not in str(caught.value)


def test_no_file_and_several_files_are_refused(tmp_path):
    with pytest.raises(
        ModelUnusable, match=r"No model file in the archive: expected xgboost-model, or code/inference.py"
    ):
        FRAMEWORK.load(tmp_path, {})
    for name in ("a.json", "b.ubj"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelUnusable, match=r"Several model files .*a.json, b.ubj.*name one of them xgboost-model"):
        FRAMEWORK.load(tmp_path, {})


# --- bodies


def test_answers_are_those_of_the_built_in_algorithm():
    booster = BOOSTERS["binary:logistic"]
    model, _ = serve(booster)
    body = b"\n".join(b",".join(str(value).encode() for value in row) for row in ROWS[:2].tolist())
    predictions = model.predict(model.decode(body, CSV).data, detailed=False)
    one, other = expected(booster, ROWS[:2]).tolist()
    assert f"{one},{other}" == model.encode(predictions, CSV).decode()
    assert {"predictions": [{"score": one}, {"score": other}]} == json.loads(model.encode(predictions, JSON))
    assert [{"score": one}, {"score": other}] == [
        json.loads(line) for line in model.encode(predictions, LINES).splitlines()
    ]
    assert CSV == model.answer_types[0]


def test_several_classes_come_as_lists():
    booster = BOOSTERS["multi:softprob"]
    model, _ = serve(booster)
    rows = expected(booster, ROWS[:2]).tolist()
    assert ",".join(map(str, rows)).encode() == model.encode(model.predict(ROWS[:2], detailed=False), CSV)


def test_an_envelope_is_answered_by_one():
    model, _ = serve(BOOSTERS["binary:logistic"])
    request = model.decode(json.dumps({"instances": ROWS[:2].tolist()}).encode(), JSON)
    assert request.enveloped
    found = json.loads(model.encode(model.predict(request.data, detailed=True), JSON))
    assert {"predictions": expected(BOOSTERS["binary:logistic"], ROWS[:2]).tolist()} == found


@pytest.mark.parametrize(
    ("body", "media", "environment", "expected"),
    [
        (b"1,2,3,4", CSV, {}, CSV),
        (b"1 0:1", LIBSVM, {}, CSV),
        (b'{"instances": [[1, 2, 3, 4]]}', JSON, {}, JSON),
        (b'{"instances": [[1, 2, 3, 4]]}', JSON, {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": CSV}, CSV),
    ],
)
def test_who_does_not_say_what_to_accept_gets_csv_or_what_was_sent(tmp_path, body, media, environment, expected):
    (tmp_path / "xgboost-model").write_bytes(bytes(BOOSTERS["binary:logistic"].save_raw("ubj")))
    loaded = toolkit.load(tmp_path, environment, read_settings(environment), framework="xgboost", say=print)
    for accept in ([], [(b"accept", b"*/*")]):
        headers = [(b"content-type", media.encode()), *accept]
        (answer,) = loaded.answer_all([Call(body, headers, dict(headers))])
        assert expected == answer.content_type


@pytest.mark.parametrize("media", [LIBSVM, "text/x-libsvm"])
def test_libsvm_leaves_out_what_is_missing(media):
    model, _ = serve(BOOSTERS["binary:logistic"])
    found = model.predict(model.decode(b"1 0:0.5 2:-1\n3:2.5 1:1e-3\n0\n", media).data, detailed=False)
    nan = np.nan
    wanted = expected(BOOSTERS["binary:logistic"], np.array([[0.5, nan, -1, nan], [nan, 1e-3, nan, 2.5], [nan] * 4]))
    assert wanted.tolist() == found.tolist()


@pytest.mark.parametrize("line", [b"1 qid:7 0:0.5 2:-1", b"qid:7 0:0.5 2:-1"])
def test_the_groups_of_a_ranking_are_no_features(line):
    model, _ = serve(BOOSTERS["rank:pairwise"])
    assert model.decode(b"0:0.5 2:-1", LIBSVM).data.tolist()[0][::2] == model.decode(line, LIBSVM).data.tolist()[0][::2]


@pytest.mark.parametrize(
    ("body", "media", "status", "message"),
    [
        (b"1,2,3", CSV, 400, "Feature size of inference data 3 is not consistent with feature size of trained model 4"),
        (b"1,2,3,4,5", CSV, 400, "Feature size of inference data 5 is not consistent"),
        (b"1,2,3,inf", CSV, 400, "Input data contains `inf` or a value too large"),
        (b"a,b,c,d", CSV, 400, "could not convert string"),
        (b'["a","b","c","d"]', JSON, 400, "Feature size of inference data"),
        (b"[[1%b, 2, 3, 4]]" % (b"0" * 400), JSON, 400, "int too large to convert to float"),
        (
            b"1 5:2",
            LIBSVM,
            400,
            "Feature size of libsvm inference data 6 is larger than feature size of trained model 4",
        ),
        (b"1 one:2", LIBSVM, 400, "Line 1 of the LIBSVM body has 'one:2': expected index:value"),
        (b"1 1:2\n2 1:x", LIBSVM, 400, "Line 2 of the LIBSVM body has '1:x': expected index:value"),
        (b"1 1:1_0", LIBSVM, 400, "expected index:value"),
        (b" \n", LIBSVM, 400, "The LIBSVM body is empty"),
        (b"\xff", LIBSVM, 400, "UnicodeDecodeError"),
        (
            b"",
            "application/x-recordio-protobuf",
            415,
            "Unsupported content type 'application/x-recordio-protobuf': send",
        ),
    ],
)
@pytest.mark.parametrize("compiled", ["on", "off"])
def test_what_is_refused(body, media, status, message, compiled):
    model, _ = serve(BOOSTERS["binary:logistic"], {"MOORAGE_COMPILE": compiled})
    with pytest.raises(RequestRefused, match=message) as caught:
        model.predict(model.decode(body, media).data, detailed=False)
    assert status == caught.value.status
    assert "\n" not in str(caught.value)


def test_an_estimators_refusal_is_one_sentence_too():
    model, _ = serve(xgboost.XGBRegressor(n_estimators=2).fit(ROWS, SCORES), {"MOORAGE_COMPILE": "off"})
    with pytest.raises(RequestRefused, match="Feature shape mismatch, expected: 4, got 2") as caught:
        model.predict(np.ones((1, 2)), detailed=False)
    with pytest.raises(RequestRefused, match=r"^XGBoostError: ") as stacked:
        model.predict(np.array([["a", "b", "c", "d"]]), detailed=False)
    assert "Stack trace" not in str(caught.value) + str(stacked.value)


def test_an_estimator_is_not_asked_about_a_single_value():
    model, _ = serve(xgboost.XGBRegressor(n_estimators=2).fit(ROWS, SCORES))
    with pytest.raises(RequestRefused, match="The body has a single value where rows are expected"):
        model.predict(model.decode(b'{"instances": 5}', JSON).data, detailed=True)


def test_a_few_bytes_of_libsvm_do_not_take_all_memory():
    model, _ = serve(object(), predicts=False)
    with pytest.raises(RequestRefused, match="rows of 100000000 values are more than"):
        model.decode(b"1 99999999:1", LIBSVM)


def test_a_script_gets_a_matrix_as_in_the_container():
    booster = BOOSTERS["binary:logistic"]
    model, said = serve(booster, predicts=False)
    assert isinstance(model, ScriptedBooster)
    matrix = model.decode(b"0.5,1,2,3", CSV).data
    assert expected(booster, [[0.5, 1, 2, 3]]).tolist() == booster.predict(matrix).tolist()
    assert b"[0.5,1.5]" == model.encode(np.array([0.5, 1.5]), JSON)
    assert [] == said


def test_a_matrix_of_an_input_fn_is_predicted():
    booster = BOOSTERS["reg:squarederror"]
    model, _ = serve(booster)
    assert expected(booster).tolist() == model.predict(xgboost.DMatrix(ROWS), detailed=False).tolist()


# --- what to say of a row


SELECTED = "predicted_label, probability,probabilities, raw_score, raw_scores, labels, predicted_score"


def selected(objective, names=SELECTED, media=JSON):
    model, said = serve(BOOSTERS[objective], {"SAGEMAKER_INFERENCE_OUTPUT": names})
    return model.encode(model.predict(ROWS[:1], detailed=False), media), said


def test_everything_can_be_said_of_two_classes():
    body, said = selected("binary:logistic")
    chance = expected(BOOSTERS["binary:logistic"], ROWS[:1]).tolist()[0]
    row = json.loads(body)["predictions"][0]
    assert row.pop("predicted_score") != row.get("predicted_score")  # NaN, as the container answers
    assert {
        "predicted_label": int(chance > 0.5),
        "probability": chance,
        "probabilities": [1 - chance, chance],
        "raw_score": chance,
        "raw_scores": [1 - chance, chance],
        "labels": [0, 1],
    } == row
    assert "SAGEMAKER_INFERENCE_OUTPUT: predicted_score will be NaN, objective binary:logistic has none" == said[0]


def test_everything_can_be_said_of_three_classes():
    chances = expected(BOOSTERS["multi:softprob"], ROWS[:1]).tolist()[0]
    row = json.loads(selected("multi:softprob", "predicted_label,labels,probability,probabilities")[0])["predictions"][
        0
    ]
    assert {
        "predicted_label": chances.index(max(chances)),
        "labels": [0, 1, 2],
        "probability": max(chances),
        "probabilities": chances,
    } == row


def test_numbers_have_a_score():
    score = expected(BOOSTERS["reg:gamma"], ROWS[:1]).tolist()[0]
    assert b'{"predicted_score":%s}\n' % str(score).encode() == selected("reg:gamma", "predicted_score", LINES)[0]


def test_as_csv_lists_are_quoted():
    chances = expected(BOOSTERS["multi:softprob"], ROWS[:1]).tolist()[0]
    wanted = f'{chances.index(max(chances))},"{chances}"'
    assert wanted.encode() == selected("multi:softprob", "predicted_label,probabilities", CSV)[0]


@pytest.mark.parametrize(
    ("objective", "names", "reason"),
    [
        ("binary:logistic", "label", "SAGEMAKER_INFERENCE_OUTPUT has 'label': it may list labels, predicted_label"),
        ("rank:pairwise", "raw_score", "objective `rank:pairwise` unsupported for selectable inference predictions"),
    ],
)
def test_what_cannot_be_said_is_refused_at_load(objective, names, reason):
    with pytest.raises(ModelUnusable, match=reason):
        selected(objective, names)


def test_threads_are_those_of_the_environment():
    booster = train()
    serve(booster, {"OMP_NUM_THREADS": "3"})
    assert "3" == json.loads(booster.save_config())["learner"]["generic_param"]["nthread"]


def test_an_estimator_without_a_word_on_threads_does_not_take_every_processor():
    own = xgboost.XGBClassifier(n_estimators=4, n_jobs=1).fit(ROWS, LABELS[2])
    own.n_jobs = None
    own.get_booster().set_param({"nthread": 0})
    serve(own)
    learner = json.loads(own.get_booster().save_config())["learner"]
    assert (1, "1") == (own.n_jobs, learner["generic_param"]["nthread"])


def test_a_search_holds_an_estimator_that_is_not_fitted():
    search = GridSearchCV(xgboost.XGBClassifier(n_estimators=4, n_jobs=1), {}, cv=2).fit(ROWS, LABELS[2])
    search.estimator.n_jobs = search.best_estimator_.n_jobs = 2
    _, said = serve(search)
    assert (1, 1) == (search.estimator.n_jobs, search.best_estimator_.n_jobs)
    assert not [line for line in said if "number of threads" in line]
