"""How far a search has come, and the best score so far."""

from collections import defaultdict
from types import TracebackType
from typing import Any

import numpy as np
from tqdm import tqdm


class SearchProgress:
    """A bar that counts fits and shows the best mean score of the candidates that are done in all folds.

    Args:
        candidates: how many.
        folds: how many.
        metric: which score to show, where there are several by name; without it none of them.
        hidden: whether to show nothing, and only know the best.

    Attributes:
        best: the highest mean so far, None until there is one.
        done: results by the numbers of candidate and fold.
    """

    folds: int
    metric: Any

    def __init__(self, candidates: int, folds: int, metric: Any = None, hidden: bool = False) -> None:
        self.folds, self.metric = folds, metric
        self.best: float | None = None
        self.done: dict[tuple[int, int], dict[str, Any]] = {}
        self._scores: dict[int, list[float]] = defaultdict(list)
        self._bar = tqdm(total=candidates * folds, disable=hidden, unit="fit")

    def __enter__(self) -> "SearchProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bar.close()

    def note(self, pair: tuple[int, int], result: dict[str, Any]) -> None:
        """Counts a fit.

        Args:
            pair: numbers of its candidate and fold.
            result: as scikit-learn notes it, with ``"test_scores"``.
        """
        self.done[pair] = result
        score = result["test_scores"]
        if isinstance(score, dict):
            score = score.get(self.metric)
        if score is not None:
            self._scores[pair[0]].append(score)
        if len(scores := self._scores[pair[0]]) == self.folds:
            mean = float(np.mean(scores))
            if self.best is None or mean > self.best:
                self.best = mean
                self._bar.set_postfix(best=f"{mean:.4g}", refresh=False)
        self._bar.update()
