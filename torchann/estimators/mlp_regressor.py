"""scikit-learn's MLPRegressor on the engine of this package."""

from typing import Any, TypeVar

import numpy as np
import sklearn.neural_network
from sklearn.utils import column_or_1d
from sklearn.utils.validation import validate_data

from torchann.estimators.mlp import MultilayerPerceptron
from torchann.estimators.options import CONSTRAINTS, OWN_LOSSES
from torchann.estimators.prediction import ROWS, outputs_of
from torchann.estimators.sklearn_internals import StrOptions, accepts, check_arguments

Own = TypeVar("Own", bound="MLPRegressor")


@accepts(**CONSTRAINTS, loss=[StrOptions({"squared_error", "poisson", *OWN_LOSSES})])
class MLPRegressor(MultilayerPerceptron, sklearn.neural_network.MLPRegressor):  # type: ignore[misc]
    """A multilayer perceptron that predicts one value per row, or several (section 10.1.5).

    A ``sklearn.neural_network.MLPRegressor``: same arguments, attributes, methods, warnings and random draws, so that
    the same ``random_state`` starts from the same weights and follows the same loss curve. It trains by this package's
    engine, faster, and adds two losses, validation rows in :meth:`fit`, further solvers, schedules and activations,
    dropout, normalisation, callbacks, a GPU, :meth:`save`, :meth:`load`, :meth:`to_task` and :meth:`from_task`.

    Args:
        loss: ``"squared_error"`` (half of it), ``"poisson"`` (whose outputs are exponentials), ``"absolute_error"``, or
            ``"huber"`` (half the squared error below 1, linear above).
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
        device: ``"auto"`` (a GPU if there is one and the net is large enough for it), ``"cpu"``, ``"cuda"``, ...
        callbacks: each called after each epoch with the estimator and its figures, ``epoch``, ``loss``,
            ``learning_rate``, ``seconds`` and, with early stopping, ``validation_score``; True ends the fit.
            :class:`torchann.estimators.TensorBoard` is one.
        scoring: what early stopping goes by on validation rows: scikit-learn's name, such as
            ``"neg_mean_absolute_error"``, or a scorer; None for R².

    Attributes:
        coefs_: weights of each layer, ``(in_features, out_features)``; float32 if the rows were.
        intercepts_: biases of each layer, ``(out_features,)``.
        norms_: what normalisation learnt of each hidden layer, arrays by torch's names; empty without.
        loss_: of the last epoch, penalty included (but that of ``"adamw"``).
        loss_curve_: of each epoch.
        best_loss_: the lowest; None with early stopping.
        validation_scores_: R² of each epoch, or what ``scoring`` asks for; None without early stopping.
        best_validation_score_: the highest; None without early stopping.
        n_iter_: epochs of the last fit.
        t_: rows seen in all.
        n_layers_: layers, inputs and outputs among them.
        n_outputs_: outputs.
        out_activation_: ``"identity"``, or ``"exp"`` for ``"poisson"``.
        n_features_in_: numbers per row.
        feature_names_in_: of a data frame's columns, ``(features,)``, where all are text.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.preprocessing import scale
        >>> X, y = load_diabetes(return_X_y=True)
        >>> net = MLPRegressor(hidden_layer_sizes=(10,), learning_rate_init=0.01, tol=1e-3, random_state=42)
        >>> round(net.fit(X, scale(y)).score(X, scale(y)), 2)  # of 442 patients
        0.51
    """

    def __init__(
        self,
        loss: Any = "squared_error",
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
        device: Any = "auto",
        callbacks: Any = None,
        scoring: Any = None,
    ) -> None:
        super().__init__(
            loss=loss,
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
        self.device = device
        self.callbacks = callbacks
        self.scoring = scoring

    def partial_fit(self: Own, X: Any, y: Any, sample_weight: Any = None) -> Own:
        """Trains for one more epoch.

        Args:
            X: ``(rows, features)``, an array, data frame or sparse matrix.
            y: targets, ``(rows,)`` or ``(rows, outputs)``.
            sample_weight: how much each row counts, ``(rows,)``.

        Returns:
            The estimator.

        Raises:
            ValueError: as of :meth:`fit`.
        """
        if not hasattr(self, "coefs_"):
            check_arguments(self)
        return self._learn(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Any:
        """Returns the value of each row, ``(rows,)``, or its values, ``(rows, outputs)``.

        Args:
            X: ``(rows, features)``, an array, data frame or sparse matrix.

        Raises:
            NotFittedError: before ``fit``.
            ValueError: for NaN or infinity, or another number of features.
        """
        values = outputs_of(self, X)
        return values.ravel() if values.shape[1] == 1 else values

    def _checked(self, X: Any, y: Any, incremental: bool, *, reset: bool) -> tuple[Any, Any]:
        dtypes = (np.float64, np.float32)
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=dtypes, reset=reset, **ROWS)
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _output_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"
