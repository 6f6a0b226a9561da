"""An epoch of one net by each peer: ``python benchmarks/peers.py PEER TASK`` (keys of PEERS and nets.TASKS) serves one.

All train the same net on the same rows: plain SGD, batches of 32, a new order in each epoch, Keras' initial weights.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from nets import BATCH, TASKS, compiled_learner, glorot, jax_epoch, torch_loss, torch_net
from worker import STARTED, answer, arrays, asked, serve, serve_end


def torchann_peer(task: str) -> None:
    """The project through ``Trainer.fit``: validation, history, TensorBoard and checkpoints on."""
    import torchann

    data_name, hidden, lr = TASKS[task]
    make = torchann.ClassificationMLP if task == "fashion" else torchann.RegressionMLP
    fashion = data_name == "fashion"
    data = torchann.FashionMNISTDataModule(download=False) if fashion else torchann.CaliforniaHousingDataModule()
    trainer = torchann.Trainer(runs=tempfile.mkdtemp(), max_epochs=100_000, quiet=True, callbacks=[gate()])
    model = make(hidden, lr=lr)
    gated(lambda: trainer.fit(model, datamodule=data), lambda rows: model.predict(data.splits.train.x[:rows]))


def steps_peer(task: str) -> None:
    """The compiled steps of the project alone, without torch and Lightning."""
    x, y, _, _ = arrays(TASKS[task][0])
    learner, y, random = compiled_learner(task), y.astype("f"), np.random.default_rng(0)
    rates = np.full(-(-len(x) // BATCH), TASKS[task][2])
    serve(
        lambda: learner.steps(x, y, rates, BATCH, order=random.permutation(len(x))),
        lambda rows: learner.outputs(x[:rows]),
    )


def plain_peer(task: str) -> None:
    """A loop as one writes it in PyTorch, without validation: autograd, ``index_select`` batches, ``SGD.step``."""
    import torch

    data, _, lr = TASKS[task]
    x, y, _, _ = map(torch.from_numpy, arrays(data))
    net, loss_of = torch_net(task), torch_loss(task)
    sgd = torch.optim.SGD(net.parameters(), lr=lr)

    def epoch() -> None:
        for rows in torch.randperm(len(x)).split(BATCH):
            loss = loss_of(net(x.index_select(0, rows)), y.index_select(0, rows))
            sgd.zero_grad()
            loss.backward()
            sgd.step()

    serve(epoch, lambda rows: net(x[:rows]).detach())


def jax_peer(task: str) -> None:
    """JAX: ``jit`` of a ``lax.scan`` over the epoch, without validation."""
    import jax
    from jax import numpy as jnp

    x, y, _, _ = map(jnp.asarray, arrays(TASKS[task][0]))
    one = jax_epoch(task, x, y)
    compiled, predict = jax.jit(one), jax.jit(one.outputs)  # type: ignore[attr-defined]
    state = {"layers": jax.tree.map(jnp.asarray, glorot(task)), "key": jax.random.key(0)}

    def epoch() -> None:
        state["key"], key = jax.random.split(state["key"])
        state["layers"] = jax.block_until_ready(compiled(state["layers"], key, TASKS[task][2]))

    serve(epoch, lambda rows: predict(state["layers"], x[:rows]).block_until_ready())


def sklearn_peer(task: str) -> None:
    """scikit-learn's MLP with the same SGD, without validation."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    data, hidden, lr = TASKS[task]
    x, y, _, _ = arrays(data)
    options = {"solver": "sgd", "momentum": 0, "alpha": 0, "batch_size": BATCH, "max_iter": 1}
    make = MLPClassifier if task == "fashion" else MLPRegressor
    net = make(hidden_layer_sizes=hidden, learning_rate_init=lr, **options)
    classes = {"classes": np.arange(10)} if task == "fashion" else {}
    serve(lambda: net.partial_fit(x, y, **classes), lambda rows: net.predict(x[:rows]))


def skorch_peer(task: str) -> None:
    """The scikit-learn wrapper skorch with its own data loader, without validation."""
    import torch
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    data, _, lr = TASKS[task]
    x, y, _, _ = arrays(data)
    options = {"lr": lr, "batch_size": BATCH, "train_split": None, "verbose": 0, "iterator_train__shuffle": True}
    if task == "fashion":
        net = NeuralNetClassifier(torch_net(task), criterion=torch.nn.CrossEntropyLoss, **options)
    else:
        net, y = NeuralNetRegressor(torch_net(task), **options), y[:, None]
    net.initialize()
    serve(lambda: net.partial_fit(x, y, epochs=1), lambda rows: net.predict(x[:rows]))


def lightning_peer(task: str) -> None:
    """Lightning as its documentation shows it: ``DataLoader(TensorDataset)`` and torchmetrics in each step."""
    import lightning.pytorch as pl
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    from torchmetrics.classification import MulticlassAccuracy
    from torchmetrics.regression import MeanSquaredError

    data, _, lr = TASKS[task]
    x, y, x_val, y_val = map(torch.from_numpy, arrays(data))
    loss_of = torch_loss(task)

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = torch_net(task)
            self.metric = MulticlassAccuracy(10, average="micro") if task == "fashion" else MeanSquaredError()

        def training_step(self, batch: Any, _: int) -> Any:
            outputs = self.net(batch[0])
            loss = loss_of(outputs, batch[1])
            self.metric(outputs if task == "fashion" else outputs[:, 0], batch[1])
            self.log("loss", loss)
            self.log("metric", self.metric, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_loss", loss_of(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=lr)

    loaders = [DataLoader(TensorDataset(x, y), BATCH, shuffle=True), DataLoader(TensorDataset(x_val, y_val), BATCH)]
    options = {"enable_progress_bar": False, "enable_model_summary": False, "default_root_dir": tempfile.mkdtemp()}
    trainer, module = pl.Trainer(max_epochs=100_000, callbacks=[gate()], **options), Module()
    gated(lambda: trainer.fit(module, *loaders), lambda rows: module.net(x[:rows]))


def keras_peer(backend: str, task: str) -> None:
    """Keras' ``fit`` with validation."""
    os.environ["KERAS_BACKEND"] = backend
    import keras

    data, hidden, lr = TASKS[task]
    x, y, x_val, y_val = arrays(data)
    fashion = task == "fashion"
    layers = [keras.layers.Dense(size, activation="relu") for size in hidden]
    last = keras.layers.Dense(10, activation="softmax") if fashion else keras.layers.Dense(1)
    net = keras.Sequential([keras.Input((x.shape[1],)), *layers, last])
    loss = "sparse_categorical_crossentropy" if fashion else "mse"
    net.compile(loss=loss, optimizer=keras.optimizers.SGD(lr), metrics=["accuracy"] if fashion else [])
    options = {"batch_size": BATCH, "epochs": 1, "validation_data": (x_val, y_val), "verbose": 0}
    serve(lambda: net.fit(x, y, **options), lambda rows: net.predict(x[:rows], batch_size=4096, verbose=0))


class _Stop(Exception):
    pass


def gate() -> Any:
    """Return a callback that lets a Trainer run one epoch at a time: training, validation, checkpoint, logs."""
    from lightning.pytorch.callbacks import Callback

    class Gate(Callback):
        started = 0.0

        def on_train_epoch_start(self, *_: Any) -> None:
            now = time.perf_counter()
            answer(**({"seconds": now - self.started} if self.started else {"ready": now - STARTED}))
            if (words := asked())[:1] != ["epoch"]:
                raise _Stop(words)
            self.started = time.perf_counter()

    return Gate()


def gated(fit: Callable[[], None], predict: Callable[[int], object]) -> None:
    """Fit, through a :func:`gate`, and answer what comes then."""
    try:
        fit()
    except _Stop as stop:
        serve_end(stop.args[0], predict)


PEERS: dict[str, Callable[[str], None]] = {
    "torchann": torchann_peer,
    "torchann, steps alone": steps_peer,
    "plain PyTorch": plain_peer,
    "JAX": jax_peer,
    "scikit-learn": sklearn_peer,
    "skorch": skorch_peer,
    "Lightning, DataLoader": lightning_peer,
    "Keras, torch": partial(keras_peer, "torch"),
    "Keras, TensorFlow": partial(keras_peer, "tensorflow"),
}

if __name__ == "__main__":
    if sys.argv[1] != "Keras, TensorFlow":  # TensorBoard would import it where it is installed
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    PEERS[sys.argv[1]](sys.argv[2])
