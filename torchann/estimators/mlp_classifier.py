"""scikit-learn's MLPClassifier on the engine of this package."""

from typing import Any, ClassVar, TypeVar

import numpy as np
import sklearn.neural_network
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from torchann.estimators.mlp import MultilayerPerceptron
from torchann.estimators.options import CONSTRAINTS
from torchann.estimators.prediction import ROWS, outputs_of
from torchann.estimators.sklearn_internals import StrOptions, accepts, check_arguments
from torchann.estimators.targets import announce_classes, check_classes
from torchann.nets.class_weights import check_class_weights

Own = TypeVar("Own", bound="MLPClassifier")


def _takes_steps(model: "MLPClassifier") -> bool:
    if model.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


@accepts(**CONSTRAINTS, class_weight=[dict, StrOptions({"balanced"}), None])
class MLPClassifier(MultilayerPerceptron, sklearn.neural_network.MLPClassifier):  # type: ignore[misc]
    """A multilayer perceptron that sorts rows into two classes, several, or any number of labels (section 10.1.6).

    A ``sklearn.neural_network.MLPClassifier``: same arguments, attributes, methods, warnings and random draws, so that
    the same ``random_state`` starts from the same weights and follows the same loss curve. It trains by this package's
    engine, faster, and adds ``class_weight``, validation rows in :meth:`fit`, further solvers, schedules and
    activations, dropout, normalisation, callbacks, a GPU, :meth:`save`, :meth:`load`, :meth:`to_task` and
    :meth:`from_task`.

    Args:
        hidden_layer_sizes: neurons of each hidden layer; one number for one layer.
        activation: of the hidden layers: ``"relu"``, ``"logistic"``, ``"tanh"``, ``"identity"``, or another one that
            :class:`torchann.MLP` knows, such as ``"gelu"`` or ``"selu"``.
        solver: ``"adam"``, ``"sgd"``, ``"lbfgs"``; also ``"adamw"``, ``"nadam"``, ``"adagrad"``, ``"rmsprop"``.
        alpha: L2 penalty on the weights, at least 0; with ``"adamw"`` decoupled from the gradient, as in torch.
        batch_size: rows per step; ``"auto"`` is 200, or all if there are fewer.
        learning_rate: of ``"sgd"``: ``"constant"``, ``"invscaling"`` or ``"adaptive"``; of any solver but ``"lbfgs"``:
            ``"step"``, ``"exponential"``, ``"cosine"`` (by epochs) or ``"one_cycle"`` (by steps).
        learning_rate_init: the first rate, above 0; the highest of ``"one_cycle"``.
        power_t: exponent of ``"invscaling"``.
        max_iter: epochs, at most; of ``"lbfgs"`` iterations.
        shuffle: whether each epoch visits the rows in a new order.
        random_state: seed of weights, orders, dropout and validation rows, a ``RandomState``, or None for numpy's own.
        tol: an epoch is an improvement if its loss, or validation score, is better than the best by this much.
        verbose: whether to print a line per epoch.
        warm_start: whether ``fit`` goes on from the weights that there are.
        momentum: of ``"sgd"``, 0–1.
        nesterovs_momentum: whether it is Nesterov's.
        early_stopping: whether the score of validation rows decides when to stop, and which weights are kept.
        validation_fraction: share of rows that this takes, 0–1, unless ``fit`` is given such rows.
        beta_1: of ``"adam"``, ``"adamw"`` and ``"nadam"``, from 0 to below 1.
        beta_2: the same for the squares.
        epsilon: of all solvers but ``"sgd"`` and ``"lbfgs"``, above 0.
        n_iter_no_change: epochs without improvement before training stops.
        max_fun: of ``"lbfgs"``, calls of the loss, at most.
        learning_rate_options: of a schedule by its name in ``torch.optim.lr_scheduler`` (``{"gamma": 0.9}``).
        dropout: share of each hidden layer's neurons that are switched off at random while it trains.
        norm: ``"batch"`` or ``"layer"``, normalisation between each hidden layer and its activation.
        class_weight: by class, or ``"balanced"``; None counts each row once. It is a weight of rows, and as such it
            says how much a row counts beside the others of its batch, in training and in the score of validation rows
            that are set aside.
        device: ``"auto"`` (a GPU if there is one and the net is large enough for it), ``"cpu"``, ``"cuda"``, ...
        callbacks: each called after each epoch with the estimator and its figures, ``epoch``, ``loss``,
            ``learning_rate``, ``seconds`` and, with early stopping, ``validation_score``; True ends the fit.
            :class:`torchann.estimators.TensorBoard` is one.
        scoring: what early stopping goes by: scikit-learn's name (``"roc_auc"``) or a scorer; None for accuracy.

    Attributes:
        classes_: sorted, ``(classes,)``; of labels ``(labels,)``.
        coefs_: weights of each layer, ``(in_features, out_features)``; float32 if the rows were.
        intercepts_: biases of each layer, ``(out_features,)``.
        norms_: what normalisation learnt of each hidden layer, arrays by torch's names; empty without.
        loss_: of the last epoch, penalty included (but that of ``"adamw"``).
        loss_curve_: of each epoch.
        best_loss_: the lowest; None with early stopping.
        validation_scores_: accuracies of each epoch, or what ``scoring`` asks for; None without early stopping.
        best_validation_score_: the highest; None without early stopping.
        n_iter_: epochs of the last fit.
        t_: rows seen in all.
        n_layers_: layers, inputs and outputs among them.
        n_outputs_: outputs.
        out_activation_: ``"softmax"``, or ``"logistic"`` for two classes and for labels.
        n_features_in_: numbers per row.
        feature_names_in_: of a data frame's columns, ``(features,)``, where all are text.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.preprocessing import scale
        >>> X, y = load_iris(return_X_y=True)  # lengths and widths in cm
        >>> net = MLPClassifier((10,), learning_rate_init=0.02, max_iter=100, tol=1e-2, random_state=42)
        >>> round(net.fit(scale(X), y).score(scale(X), y), 2)
        0.97
        >>> net.coefs_[0].shape, net.out_activation_
        ((4, 10), 'softmax')
    """

    fitted: ClassVar[tuple[str, ...]] = ("classes_", *MultilayerPerceptron.fitted)
    _binarizer: LabelBinarizer  # between classes or labels and indicators

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
        power_t: Any = 0.5,
        max_iter: Any = 200,
        shuffle: Any = True,
        random_state: Any = None,
        tol: Any = 1e-4,
        verbose: Any = False,
        warm_start: Any = False,
        momentum: Any = 0.9,
        nesterovs_momentum: Any = True,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: Any = 15000,
        learning_rate_options: Any = None,
        dropout: Any = 0.0,
        norm: Any = None,
        class_weight: Any = None,
        device: Any = "auto",
        callbacks: Any = None,
        scoring: Any = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )
        self.learning_rate_options = learning_rate_options
        self.dropout = dropout
        self.norm = norm
        self.class_weight = class_weight
        self.device = device
        self.callbacks = callbacks
        self.scoring = scoring

    @available_if(_takes_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self: Own, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Own:
        """Trains for one more epoch.

        Args:
            X: ``(rows, features)``, an array, data frame or sparse matrix.
            y: classes, ``(rows,)``, or labels, ``(rows, labels)``.
            sample_weight: how much each row counts, ``(rows,)``.
            classes: all classes that will come, ``(classes,)``; needed in the first call.

        Returns:
            The estimator.

        Raises:
            AttributeError: for ``solver="lbfgs"``, which has no epochs.
            ValueError: as of :meth:`fit`, or for missing or other classes.
        """
        if not hasattr(self, "coefs_"):
            check_arguments(self)
        announce_classes(self, y, classes)
        return self._learn(X, y, sample_weight, incremental=True)

    def _checked(self, X: Any, y: Any, incremental: bool, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, multi_output=True, dtype=(np.float64, np.float32), reset=reset, **ROWS)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        check_classes(self, y, incremental)
        return X, self._binarizer.transform(y).astype(bool)  # of which a product with float32 is float32

    def _output_activation(self) -> str:
        return "softmax" if self._binarizer.y_type_ == "multiclass" else "logistic"

    def _weighted(self, y: Any, sample_weight: Any) -> Any:
        if self.class_weight is None:
            return sample_weight
        if self._binarizer.y_type_.startswith("multilabel"):
            raise ValueError(f"class_weight={self.class_weight} and rows with several labels; leave it out")
        labels = self._labels_of(y)
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels, sample_weight=sample_weight)
        check_class_weights(weights)
        of_row = weights[np.searchsorted(self.classes_, labels)]
        return of_row if sample_weight is None else of_row * sample_weight

    def _labels_of(self, indicators: Any) -> Any:
        """The class of each row, ``(rows,)``, from its indicators, ``(rows, outputs)``."""
        return self.classes_[indicators.argmax(1) if indicators.shape[1] > 1 else indicators[:, 0].astype(int)]

    def _targets_of(self, indicators: Any) -> Any:
        labels = self._binarizer.y_type_.startswith("multilabel")
        return indicators.astype(int) if labels else self._labels_of(indicators)

    def _indicators(self, y: Any) -> Any:
        if not self._binarizer.y_type_.startswith("multilabel"):
            unknown = np.setdiff1d(y, self.classes_)
            if len(unknown):
                raise ValueError(
                    f"y_val has the classes {unknown.tolist()!r:.80} and y has not; give rows of them in X"
                )
        return self._binarizer.transform(y)

    def predict(self, X: Any) -> Any:
        """Returns the class of each row, ``(rows,)``; of labels, which each row has, ``(rows, labels)``.

        Args:
            X: ``(rows, features)``, an array, data frame or sparse matrix.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: for NaN or infinity, or another number of features.
        """
        proba = outputs_of(self, X)
        if len(self.classes_) < 2 or self._binarizer.y_type_.startswith("multilabel"):
            return self._binarizer.inverse_transform(proba.ravel() if self.n_outputs_ == 1 else proba)
        return self.classes_.take(proba.argmax(1) if proba.shape[1] > 1 else (proba[:, 0] > 0.5).astype(int))

    def predict_proba(self, X: Any) -> Any:
        """Returns the probability of each class, ``(rows, classes)``, or of each label, ``(rows, labels)``.

        Args:
            X: as of :meth:`predict`.

        Raises:
            NotFittedError, ValueError: as of :meth:`predict`.
        """
        proba = outputs_of(self, X)
        return np.hstack([1 - proba, proba]) if proba.shape[1] == 1 else proba
