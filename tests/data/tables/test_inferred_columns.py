"""What a column holds, how it is prepared by its training rows, and what is to be predicted."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from torchann.data.tables.column_kinds import Finding, check_kinds, find_kind
from torchann.data.tables.column_statistics import ColumnStatistics, embedding_size
from torchann.data.tables.column_values import column_of
from torchann.data.tables.table_target import describe_classes, describe_values, find_target

NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "given", "kind", "why"),
    [
        ("a", [1.5, 2.5], "number", ""),
        ("a", ["1;2", "3"] * 9, "category", "9 values are no numbers ('1;2')"),
        ("a", ["31"] * 19 + ["old"], "number", "1 value is no number ('old'), taken as missing"),
        ("a", ["31"] * 8 + ["old", "?"], "category", "1 value is no number ('old')"),  # a ninth of those there are
        ("a", ["yes", "no", ""], "boolean", ""),
        ("a", ["x", "y"] * 5, "category", ""),
        ("a", ["2026-01-31", "2025-12-31 18:00"], "date", ""),
        ("a", ["2026-01-31", "soon"] * 5, "category", ""),
        ("a", ["01069", "10115", ""] * 9, "category", "codes such as '01069'; give kinds={'a': 'number'} for numbers"),
        ("a", ["001", "010", "100"] * 9, "category", "codes such as '001'; give kinds={'a': 'number'} for numbers"),
        ("a", ["01", "02", "12"] * 9, "number", ""),  # months, hours
        ("a", ["0069", "10115"] * 9, "number", ""),  # not of one width
        ("a", ["100", "101"] * 9, "number", ""),
        ("a", ["000", "0.5"] * 9, "number", ""),
        ("a", ["", "n/a"], "ignore", "empty"),
        ("a", [NAN, NAN], "ignore", "empty"),
        ("a", [f"text {n}" for n in range(51)], "ignore", "51 different texts in 51 rows"),
        ("a", [f"text {n}" for n in range(50)], "category", ""),
        ("a", ["x" * 201, "y"], "ignore", "2 different texts in 2 rows"),
        ("customer_id", [7, 3, 9], "ignore", "another one in each row, a name or number of the row"),
        ("userId", ["u7", "u3", "u9"], "ignore", "another one in each row, a name or number of the row"),
        ("customer_id", [7, 7, 9], "number", ""),
        ("grid", [7, 3, 9], "number", ""),
        ("n", [0, 1, 2, 3], "ignore", "another one in each row, a name or number of the row"),
        ("n", [1, 2, 3, 4], "ignore", "another one in each row, a name or number of the row"),
        ("year", [1990, 1991, 1992], "number", ""),
    ],
)
def test_kind_of_a_column_is_found_by_its_values(name, given, kind, why):
    cells = column_of(given)
    assert find_kind(name, cells) == Finding(kind, why)


def test_kinds_that_are_none_are_refused():
    with pytest.raises(
        ValueError, match="column 'a' is to be 'colour'; give number, category, boolean, date, .* or ignore"
    ):
        check_kinds({"a": "colour"}, ["a"])
    with pytest.raises(ValueError, match="there is no column 'ages'; did you mean it by 'age'"):
        check_kinds({"ages": "number"}, ["age"])


def test_mean_and_deviation_gathered_in_parts_are_those_of_scikit_learn():
    x = np.random.default_rng(0).normal(1e4, 1.0, 5000)
    x[::13] = NAN
    statistics = ColumnStatistics("x", "number")
    for part in np.array_split(x, 7):
        statistics.add(column_of(list(part)).read(statistics.kind))
    scaler, fitted = StandardScaler().fit(x[:, None]), statistics.fit()
    np.testing.assert_allclose([fitted.mean, fitted.std], [scaler.mean_[0], scaler.scale_[0]], rtol=1e-12)
    assert fitted.missing == np.isnan(x).sum() and fitted.column.missing
    assert (statistics.low, statistics.high) == (np.nanmin(x), np.nanmax(x))


@pytest.mark.parametrize(
    ("kind", "given", "told"),
    [
        ("number", [3.0, 3.0], "left out: always 3"),
        ("number", [NAN, NAN], "left out: empty in the training rows"),
        ("boolean", ["yes", "yes"], "left out: always True"),
        ("category", ["x", "x"], "left out: always 'x'"),
        ("category", ["", ""], "left out: empty in the training rows"),
    ],
)
def test_column_that_says_nothing_is_left_out(kind, given, told):
    statistics = ColumnStatistics("a", kind)
    statistics.add(column_of(given).read(statistics.kind))
    fitted = statistics.fit()
    assert fitted.column is None and fitted.summary == told


@pytest.mark.parametrize("kind", ["number", "category"])
def test_constant_with_gaps_says_where_the_gaps_are(kind):
    statistics = ColumnStatistics("a", kind)
    statistics.add(column_of(["3", ""]).read(statistics.kind))
    column = statistics.fit().column
    assert column.missing and (kind == "number" or list(column.categories) == ["3"])


def test_categories_are_sorted_and_many_are_embedded_and_the_rarest_left_out():
    statistics = ColumnStatistics("a", "category")
    statistics.add(column_of(["c", "b", "a", "b", "c"]).read(statistics.kind))
    assert statistics.fit().column.describe() == {"name": "a", "kind": "category", "categories": ["a", "b", "c"]}
    fitted = statistics.fit(max_one_hot=2)
    assert fitted.column.embedding == embedding_size(3) == 3 and fitted.summary == "a vector of 3 learnt"
    fitted = statistics.fit(max_categories=2)
    assert fitted.column.categories == ["b", "c"] and fitted.summary == "one-hot, the rarest 1 of them none"


def test_column_of_endless_texts_is_left_out(monkeypatch):
    monkeypatch.setattr("torchann.data.tables.column_statistics.MOST_TEXTS", 3)
    statistics = ColumnStatistics("a", "category")
    for part in ("ab", "cd", "ef"):
        statistics.add(column_of(list(part)).read(statistics.kind))
    assert statistics.fit().summary == "left out: more than 3 different texts" and len(statistics.texts) == 4


@pytest.mark.parametrize(
    ("texts", "periods"),
    [
        (["2026-01-01", "2026-01-05"], []),
        (["2026-01-01", "2026-01-20"], [7.0]),
        (["2026-01-01", "2026-01-02T12:00", "2026-01-20"], [7.0, 1.0]),
        (["2020-01-01", "2026-01-02"], [365.2425, 7.0]),
    ],
)
def test_date_has_the_periods_that_come_again_within_the_rows(texts, periods):
    statistics = ColumnStatistics("a", "date")
    statistics.add(column_of(texts).read(statistics.kind))
    assert statistics.fit().column.periods == periods


def test_infinite_numbers_are_refused():
    with pytest.raises(ValueError, match="column 'a' has infinite values; take them out, or leave the column out"):
        ColumnStatistics("a", "number").add(column_of([1.0, np.inf]).read("number"))


@pytest.mark.parametrize(
    ("given", "task", "names"),
    [
        (["no", "yes", "no"], "binary", ("no", "yes")),
        (["b", "a", "c"] * 9, "multiclass", ("a", "b", "c")),
        ([0, 1, 1], "binary", ("0", "1")),
        ([0.0, 1.0], "binary", ("0", "1")),
        (np.array([True, False]), "binary", ("False", "True")),
        ([10, 9, 8] * 10, "multiclass", ("8", "9", "10")),  # by size, not by letters
        ([10, 9, 8] * 9, "regression", ()),  # fewer than ten rows for each
        (list(range(11)) * 20, "regression", ()),  # more than ten values
        ([0.5, 1.5] * 30, "regression", ()),
        (["1.5", "2"] * 20, "regression", ()),
    ],
)
def test_task_is_inferred_from_the_target(given, task, names):
    cells = column_of(given)
    target = find_target(["y"], [cells])
    assert (target.task, target.class_names) == (task, names)


def test_task_can_be_given():
    numbers = column_of([3, 1, 2] * 20)
    assert find_target(["y"], [numbers], "regression").task == "regression"
    assert find_target(["y"], [column_of([0.5, 1.5] * 30)], "binary").class_names == ("0.5", "1.5")
    assert find_target(["a", "b"], [numbers, numbers]).task == "regression"


def test_classes_and_values_of_rows_come_with_the_rows_that_have_some():
    target = find_target(["y"], [column_of(["no", "yes"])])
    y, there = target.values([column_of(["yes", "", "no"])])
    assert y[torch.from_numpy(there)].tolist() == [1, 0] and there.tolist() == [True, False, True]
    y, there = find_target(["y"], [column_of([1.5])]).values([column_of([NAN, 2.5])])
    assert y[1] == 2.5 and y.dtype == torch.float32 and there.tolist() == [False, True]
    several = find_target(["a", "b"], [column_of([1.5])] * 2)
    y, there = several.values([column_of([1.0, 2.0]), column_of([3.0, NAN])])
    assert y[0].tolist() == [1, 3] and there.tolist() == [True, False]


def test_line_on_the_target_says_what_there_is():
    assert (
        describe_values(find_target(["y"], [column_of([1.5])]), -20.25, 1.5) == "regression of 'y', from -20.25 to 1.5"
    )
    several = find_target(["a", "b"], [column_of([1.5])] * 2)
    assert describe_values(several, 1.0, 2.0) == "regression of 'a' and 1 more, from 1 to 2"
    binary = find_target(["y"], [column_of(["no", "yes"])])
    assert describe_classes(binary, [1, 2]) == "binary classification of 'y': no 1, yes 2"


@pytest.mark.parametrize(
    ("given", "task", "error"),
    [
        (["x", "x"], None, "the target 'y' has only 'x'; give a column with two classes or more"),
        (["", ""], "binary", "the target 'y' has no value; give a column with two classes"),
        ([f"t{n}" for n in range(30)], None, "the target 'y' has 30 classes in 30 rows, such as 't0'; give a column"),
        (["a", "b", "c"], "binary", "the target 'y' has 3 classes in a binary task; give task=multiclass"),
        (["a", "b"], "classify", "there is no task 'classify'; give regression, binary, multiclass"),
    ],
)
def test_target_that_cannot_be_learnt_is_refused(given, task, error):
    with pytest.raises(ValueError, match=error):
        find_target(["y"], [column_of(given)], task)


def test_classes_of_several_targets_are_refused():
    with pytest.raises(ValueError, match="2 targets in a binary task; give one target, or a regression"):
        find_target(["a", "b"], [column_of([0, 1])] * 2, "binary")


def test_targets_that_do_not_fit_the_task_are_refused():
    with pytest.raises(
        ValueError, match="the target 'y' has 'old', which is no number, in 2 rows; name it in missing_val"
    ):
        find_target(["y"], [column_of([1.5])]).values([column_of(["1", "old", "old"])])
    with pytest.raises(ValueError, match="the target 'y' has the class 'maybe', and training rows have no, yes"):
        find_target(["y"], [column_of(["no", "yes"])]).values([column_of(["maybe"])])


def test_target_of_texts_that_look_like_numbers_is_what_the_numbers_would_be():
    assert find_target(["y"], [column_of(["0", "1", "2"] * 20)]).class_names == ("0", "1", "2")
    assert find_target(["y"], [column_of(["0.5", "1.5", "2"] * 20)]).task == "regression"


def test_infinite_target_is_refused_with_its_column():
    cells = column_of([1.5, np.inf, -np.inf, 2.5])
    with pytest.raises(ValueError, match="the target 'y' is infinite in 2 rows; take these rows out"):
        find_target(["y"], [cells]).values([cells])
