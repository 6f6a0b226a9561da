"""Results show themselves: at a prompt and in a notebook what ``print`` shows."""

import html

import pytest
import torch

import torchann
from torchann.data.tables.table_report import TableReport
from torchann.publishing.export import Exported
from torchann.publishing.judged import Judged
from torchann.tuning.study_table import Row, StudyTable
from torchann.tuning.trials import Criterion

MODEL = torchann.RegressionMLP([3], 2, 1, target_names=["a<b"])
RESULTS = {
    "summary": lambda path: MODEL.summary(),
    "info": lambda path: torchann.info(MODEL),
    "report of a table": lambda path: TableReport("t", "regression of 'a<b'", [], "random"),
    "metrics": lambda path: Judged("test", 2, 3, {"net": {"rmse": 0.5}}),
    "study": lambda path: StudyTable([Row(0, "complete", {"lr": 0.1}, 0.5, [0.5], [9], 1.0)], Criterion()),
    "exported file": lambda path: Exported(path, "onnx", (), (), 1, 0.0),
    "card": lambda path: torchann.model_card(MODEL),
}


@pytest.mark.parametrize("name", RESULTS)
def test_result_shows_its_text_at_a_prompt_and_in_a_notebook(name, tmp_path):
    result = RESULTS[name](tmp_path)
    assert repr(result) == str(result) != ""
    shown = (getattr(result, "_repr_markdown_", None) or result._repr_html_)()
    assert shown in (str(result), f"<pre>{html.escape(str(result))}</pre>")


def test_model_itself_can_be_asked_for_what_it_is():
    told = str(torchann.info(MODEL)).splitlines()
    assert told[:3] == ["RegressionMLP, 13 weights", "hidden layers [3], relu", "predicts values: a<b"]
    members = [{"hidden_sizes": [3], "columns": [0], "weight": 0.1}] * 10
    told = str(torchann.info(torchann.RegressionMLP(in_features=2, out_features=1, members=members))).splitlines()
    assert told[0] == "RegressionMLP, 100 weights"  # ten times 1 * 3 + 3 + 3 * 1 + 1
    assert told[1] == "mean of 10 nets: " + ", ".join(["0.1 × [3] relu of 1 input"] * 8) + " and 2 more"
    assert str(torchann.info(torchann.RegressionMLP())).startswith("RegressionMLP, whose sizes come from the data")
    with pytest.raises(TypeError, match="a Linear is no model; give a task, an estimator, or the path of a file"):
        torchann.info(torch.nn.Linear(2, 1))


def test_history_is_drawn_in_a_notebook_without_pyplot():
    picture = torchann.History([{"epoch": 0, "train_loss": 1.0}]).plot()
    assert picture._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
