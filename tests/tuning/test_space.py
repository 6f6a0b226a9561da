"""Ranges as plain values: what they mean, what is drawn by factor, what is refused."""

import pytest

from torchann.tuning.space import Choices, Layers, Numbers, read_space


class Asked:
    """Answers as Optuna's trials do, with what a test says; notes the questions."""

    def __init__(self, **answers):
        self.answers, self.questions = answers, []

    def _answer(self, name, *given, **more):
        self.questions.append((name, *given, more))
        return self.answers[name.rpartition(".")[2]]

    suggest_int = suggest_float = suggest_categorical = _answer


def test_rates_are_drawn_by_factor_unless_something_else_is_said():
    space = read_space(
        {
            "model.lr": {"low": 3e-4, "high": 3e-2},
            "lr": {"low": 0.1, "high": 0.2, "log": False},
            "model.weight_decay": {"low": 1e-6, "high": 1e-2},
            "model.dropout": {"low": 0.0, "high": 0.5},
            "data.batch_size": {"low": 8, "high": 256, "log": True},
        }
    )
    assert [values.log for values in space.values()] == [True, False, True, False, True]


def test_whole_ends_draw_whole_numbers():
    trial = Asked(size=5, lr=0.5)
    assert Numbers(1, 9).draw(trial, "size") == 5 and Numbers(0.1, 0.9, log=True).draw(trial, "lr") == 0.5
    assert trial.questions == [("size", 1, 9, {"log": False}), ("lr", 0.1, 0.9, {"log": True})]


def test_layers_and_neurons_become_a_list_of_sizes():
    (sizes,) = read_space({"model.hidden_sizes": {"layers": [0, 3], "neurons": [1, 99]}}).values()
    assert sizes == Layers(Numbers(0, 3), Numbers(1, 99))
    assert sizes.draw(Asked(layers=3, neurons=74), "model.hidden_sizes") == [74, 74, 74]
    assert sizes.draw(Asked(layers=0, neurons=74), "model.hidden_sizes") == []


def test_choices_may_be_lists():
    space = read_space({"hidden_sizes": {"choices": [[300, 100], []]}, "optimizer": ["sgd", None]})
    assert space == {"hidden_sizes": Choices(([300, 100], [])), "optimizer": Choices(("sgd", None))}
    trial = Asked(hidden_sizes="[300, 100]", optimizer="null")
    assert [values.draw(trial, name) for name, values in space.items()] == [[300, 100], None]
    assert trial.questions[0] == ("hidden_sizes", ["[300, 100]", "[]"], {})


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "the search space is empty; give at least one range"),
        ({"lr": 0.1}, r"the range of lr is 0\.1; give \{low"),
        ({"lr": {"low": 0.1, "hihg": 1}}, "the range of lr has 'hihg'; did you mean 'high'"),
        ({"lr": {"between": 3}}, "the range of lr has 'between'; {low"),
        ({"lr": {"low": 0.1}}, r"the range of lr is {'low': 0\.1}; give"),
        ({"lr": []}, r"the range of lr is {'choices': \[\]}"),
        ({"lr": {"low": "3e-4", "high": 0.1}}, "the range of lr goes from '3e-4' to 0.1; give numbers"),
        ({"lr": {"low": 0.2, "high": 0.1}}, "goes from 0.2 to 0.1; give low below high"),
        ({"lr": {"low": 0.0, "high": 0.1}}, "begins at 0.0 and is drawn by factor; give low above 0, or log: false"),
        ({"h": {"layers": 3, "neurons": [1, 9]}}, r"layers or neurons of h are 3; give two ends"),
        ({"h": {"layers": [0, True], "neurons": [1, 9]}}, r"the range of h\.layers goes from 0 to True; give numbers"),
    ],
)
def test_what_is_no_range_is_refused(described, message):
    with pytest.raises(ValueError, match=message):
        read_space(described)
