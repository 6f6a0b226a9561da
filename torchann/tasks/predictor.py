"""A module that predicts from raw inputs, and what it needs for that in its checkpoints."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import lightning.pytorch as pl
import numpy as np
from torch import Tensor

from torchann.data.tables.raw_inputs import input_rows
from torchann.engine.rows.loader import Rows, map_rows
from torchann.files.checkpoint_files import CheckpointError, safe_content
from torchann.files.history import History
from torchann.files.predictions import predict_rows
from torchann.nets.names import no_such_argument
from torchann.nets.preprocessing import Preprocessing
from torchann.tasks.interval import calibration_in, interval
from torchann.tasks.saved_net import check_prediction, check_size

T = TypeVar("T", bound="Predictor")
LOADERS = {"validate": "val_dataloader", "test": "test_dataloader", "predict": "predict_dataloader"}
OTHERS = {"Trainer": ("max_epochs", "seed", "callbacks"), "data module": ("batch_size", "val_size", "test_size")}
"""Arguments that are often given to a task, and where they belong."""


def trainer_of(module: pl.LightningModule) -> pl.Trainer | None:
    """Return the Trainer that a module is attached to, None if there is none."""
    try:
        trainer = module.trainer
    except RuntimeError:  # by which Lightning says that there is none
        return None
    return trainer if isinstance(trainer, pl.Trainer) else None  # under Fabric it is something else


class Predictor(pl.LightningModule):
    """A task's way from raw inputs to predictions; abstract."""

    __signature__: ClassVar[inspect.Signature] = inspect.Signature()
    preprocessing: Preprocessing | None = None
    """From raw inputs to what the net gets, None if that is the same; a fit takes that of its data module."""
    feature_names: list[str] | None = None
    """Of the raw columns, in order; None where they have no names."""
    data_info: dict[str, Any] | None = None
    """Name, fingerprint and number of rows of the training data, each None where unknown."""
    judged: dict[str, Any] | None = None
    """Metrics beside those of a trivial and a linear model, as ``torchann fit`` measures them at its end."""
    report: Any = None
    """The same as an object to print, after :func:`torchann.fit`."""
    history: History | None = None
    """The figures of each epoch of the latest fit, or of that of the file that the task is from."""

    @property
    def class_names(self) -> list[str] | None:
        """What the classes are called, in the order of their indices; None where they have no names."""
        names = self.hparams.get("class_names")
        return None if names is None else list(names)

    def named(self, classes: Tensor) -> Any:
        """Return the names of predicted classes, an array ``(rows,)`` of text; of labels a list of names for each row.

        Args:
            classes: indices ``(rows,)``, or 0 and 1 for each label, ``(rows, labels)``.

        Raises:
            ValueError: if the classes have no names.
        """
        if self.class_names is None:
            kind = type(self).__name__
            raise ValueError(f"this {kind} has no names of classes; give {kind}(class_names=[...]), or leave names out")
        names = np.array(self.class_names)
        if classes.ndim == 1:
            return names[classes.long().cpu().numpy()]
        return [names[row.cpu().numpy().astype(bool)].tolist() for row in classes]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keeps the constructor's signature where ``__new__`` would hide it."""
        super().__init_subclass__(**kwargs)
        own = inspect.signature(cls.__init__)
        cls.__signature__ = own.replace(parameters=list(own.parameters.values())[1:])

    def __new__(cls, *args: Any, **kwargs: Any) -> "Predictor":
        """Refuse arguments that there are not, with those that were probably meant.

        Raises:
            TypeError: for such an argument.
        """
        takes = cls.__signature__.parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values()):
            for name in kwargs:
                if name not in takes:
                    raise TypeError(no_such_argument(cls.__name__, name, takes, OTHERS))
        return super().__new__(cls)

    def take_inputs(self, data: Any) -> None:
        """Takes along what a prediction from raw inputs needs, and of what data it is.

        Args:
            data: a data module.

        Raises:
            ValueError: if the preprocessing is none that a model can take along.
        """
        preprocessing, names = getattr(data, "preprocessing", None), getattr(data, "feature_names", None)
        if preprocessing is not None and not isinstance(preprocessing, Preprocessing):
            raise ValueError(
                f"preprocessing of {type(data).__name__} is a {type(preprocessing).__name__}; give a Preprocessing of "
                "torchann.nets.preprocessing, which a model can take along, or call yours by another name"
            )
        self.preprocessing, self.feature_names = preprocessing, None if names is None else list(names)
        unknown = {"name": type(data).__name__, "fingerprint": None, "rows": None}
        self.data_info = getattr(data, "data_info", unknown)

    def predictions(self, outputs: Tensor) -> dict[str, Tensor]:
        """What the net's outputs say, by meaning (``"class"``, ``"proba"``, ``"value"``), each ``(batch, ...)``."""
        raise NotImplementedError

    def predict_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        """Predictions of a batch ``x`` or ``(x, y)``, raw or as its loader prepares it."""
        x = batch[0] if isinstance(batch, (tuple, list)) else batch
        return self.predictions(self(self.served(x)))

    def preparation_of(self, loader: Any) -> Callable[[Tensor], Tensor] | None:
        """Return what the rows of a loader still need before the net gets them in an evaluation, None for nothing.

        Data modules and their loaders serve prepared rows. Those of any other loader are raw, as ``predict`` takes
        them, if the model has a preparation of its own.

        Args:
            loader: of a ``validate``, ``test`` or ``predict``, or a list of them.
        """
        trainer = trainer_of(self)
        evaluates = trainer is not None and trainer.state.fn != "fit"
        return self._prepared if evaluates and self._serves_raw(loader) else None

    def check_training_rows(self, loader: Any) -> None:
        """Raise ValueError if a model with a preparation of its own would be trained on rows as they are."""
        if self._serves_raw(loader):
            raise ValueError(
                "the model prepares raw rows before it predicts, and this loader would train it on rows as they are; "
                "give a data module, TensorLoader(x, y, prepare=model.preprocessing), or, where they are prepared, set "
                "model.preprocessing = None"
            )

    def _serves_raw(self, loader: Any) -> bool:
        trainer = trainer_of(self)
        data = getattr(trainer, "datamodule", None)
        if self.preprocessing is None:
            return False
        if trainer is not None and getattr(data, "preprocessing", None) is not None:
            # A Trainer keeps the data module of an earlier call, whatever it is given now; ours mark their loaders.
            hook = getattr(type(data), LOADERS.get(str(trainer.state.fn), "train_dataloader"))
            if not hook.__module__.startswith("torchann."):
                return False
        loaders = loader if isinstance(loader, (list, tuple)) else [loader]
        return not all(getattr(one, "prepare", None) or getattr(one, "prepared", False) for one in loaders)

    def _prepared(self, x: Tensor) -> Tensor:
        assert self.preprocessing is not None
        self.preprocessing.check(x)
        return self.preprocessing(x)

    def served(self, x: Rows) -> Rows:
        """Return the inputs of a batch as the net gets them."""
        trainer = trainer_of(self)
        stages = {"validate": "val", "test": "test", "predict": "predict"}
        stage = None if trainer is None else stages.get(str(trainer.state.fn and trainer.state.fn.value))
        prepare = None if stage is None else self.preparation_of(getattr(trainer, f"{stage}_dataloaders"))
        return x if prepare is None else map_rows(prepare, x)

    def _predict(self, x: Any) -> dict[str, Tensor]:
        rows = input_rows(x, self.feature_names, self.preprocessing)
        return predict_rows(self, self.predictions, rows, self.preprocessing)

    def predict_interval(self, x: Any, coverage: float = 0.9) -> Tensor:
        """Predict intervals that hold a share of the true values, ``(rows, targets, 2)``: lower and upper ends.

        Split conformal: as wide as the residuals of the validation rows say, for each target by itself, and for rows
        drawn as those were. Where early stopping chose the epoch by the same rows, the share may be a little lower.

        Args:
            x: raw inputs, as for ``predict``.
            coverage: share of rows whose true value is to lie within, between 0 and 1.

        Raises:
            ValueError: for a model that ``torchann.fit`` has not made of values, or a coverage that cannot be had.

        Example:
            >>> import torchann
            >>> table = {"x": [float(i % 17) for i in range(200)], "y": [float(i % 17 * 3) for i in range(200)]}
            >>> model = torchann.fit(table, "y", task="regression", epochs=2, logger=False, verbose=0)
            >>> model.predict_interval({"x": [3.0, 15.0]}, coverage=0.9).shape
            torch.Size([2, 1, 2])
        """
        calibration_in(self)
        return interval(self, self._predict(x)["value"], coverage)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Saves what a prediction from raw inputs needs."""
        prepared = self.preprocessing
        checkpoint["inputs"] = {
            "class": type(self).__name__,
            "preprocessing": None if prepared is None else (prepared.describe(), prepared.tensors()),
            "feature_names": self.feature_names,
            "data_info": self.data_info,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restores that; a fit has it from its data module."""
        trainer = trainer_of(self)
        fitting = trainer is not None and trainer.state.fn == "fit" and getattr(trainer, "datamodule", None) is not None
        if "inputs" in checkpoint and not fitting:
            state = checkpoint["inputs"]
            message = state["preprocessing"]
            self.preprocessing = None if message is None else Preprocessing.rebuild(*message)
            self.feature_names, self.data_info = state["feature_names"], state["data_info"]

    @classmethod
    def load_from_checkpoint(
        cls: type[T], checkpoint_path: Any, *args: Any, weights_only: bool | None = None, **kwargs: Any
    ) -> T:
        """A task with the weights and hyperparameters of a ``.ckpt`` file; no code of the file runs.

        Args:
            checkpoint_path: the file.
            args: as Lightning has them: ``map_location``, ``hparams_file``, ``strict``.
            weights_only: True, or left out, which is the same here.
            kwargs: hyperparameters in place of the saved ones.

        Raises:
            ValueError: for ``weights_only=False``, and for a file that names code to run or makes no task of the class.
        """
        content, checkpoint = safe_content(checkpoint_path, weights_only)
        given = inspect.signature(cls).parameters
        options = {**(checkpoint.get("hyper_parameters") or {}), **kwargs}
        try:
            if cls.__module__.startswith("torchann."):
                tensors = checkpoint["state_dict"].values()
                check_size(cls, {name: value for name, value in options.items() if name in given}, tensors)
            model: T = super().load_from_checkpoint(content, *args, weights_only=True, **kwargs)  # type: ignore[misc]
            if cls.__module__.startswith("torchann.") and "net" not in kwargs:
                check_prediction(model)
        except Exception as error:  # whatever a constructor, Lightning or torch says of values that come from a file
            message = " ".join(str(error).split())
            raise CheckpointError(
                f"{content.name} makes no {cls.__name__} ({type(error).__name__}: {message:.500}); give another file, "
                "or the class that it is of"
            ) from error
        return model
