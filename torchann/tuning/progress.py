"""How far a search has come, and the best score so far."""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from tqdm import tqdm

Result = Mapping[str, Any]
"""What scikit-learn notes of a fit, with ``"test_scores"``."""


class SearchProgress:
    """The results of a round of fits, and a bar with their number and the best mean score.

    Fits are numbered: the first candidate's, one for each fold, then the next one's. They may end in any order, in
    several threads.

    Args:
        candidates: number of candidates.
        folds: number of folds.
        metric: name of the score to show, where there are several; without it none of them is shown.
        hidden: whether to show nothing.

    Attributes:
        best: the highest mean of a candidate that is done, None until there is one.
    """

    def __init__(self, candidates: int, folds: int, metric: Any = None, hidden: bool = False) -> None:
        self.folds, self.metric = folds, metric
        self.best: float | None = None
        self._done: dict[int, dict[int, Result]] = defaultdict(dict)
        self._lock = threading.Lock()
        self._bar = tqdm(total=candidates * folds, disable=hidden, unit="fit")

    def __enter__(self) -> "SearchProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bar.close()

    def note(self, fit: int, result: Result) -> None:
        """Take the result of a fit into account."""
        with self._lock:
            of_candidate = self._done[fit // self.folds]
            of_candidate[fit % self.folds] = result
            if len(of_candidate) == self.folds:
                scores = [self._score(each) for each in of_candidate.values()]
                mean = float(np.mean(scores))
                if self.best is None or mean > self.best:
                    self.best = mean
                    self._bar.set_postfix(best=f"{mean:.4g}", refresh=False)
            self._bar.update()

    def _score(self, result: Result) -> float:
        score = result["test_scores"]
        return float(score.get(self.metric, np.nan) if isinstance(score, dict) else score)

    def finished(self) -> list[int]:
        """Return the numbers of the candidates that are done in all folds."""
        with self._lock:
            return sorted(number for number, folds in self._done.items() if len(folds) == self.folds)

    def results_of(self, candidates: Sequence[int]) -> list[Result]:
        """Return the results of candidates that are done, fold by fold of the first, then of the next."""
        return [self._done[number][fold] for number in candidates for fold in range(self.folds)]
