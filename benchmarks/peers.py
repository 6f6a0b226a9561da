"""One peer in a process of its own: prepares, then runs one epoch for each line it reads, and answers in JSON.

    python benchmarks/peers.py PEER TASK     (PEER and TASK: keys of PEERS and TASKS)

All train the same net on the same rows: plain SGD, batches of 32, a new order in each epoch, Keras' initial weights.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

STARTED = time.perf_counter()
BATCH = 32
TASKS = {  # data, hidden layers, learning rate
    "fashion": ("fashion", [300, 100], 0.01),
    "housing": ("housing", [30], 1e-3),
    "housing-deep": ("housing", [30, 30], 1e-3),
}
Epoch = Iterator[None]
Predict = Callable[[], Any]


def load(task: str) -> Any:
    """A data module of the project, set up; the other peers take its arrays."""
    from torchann.data import CaliforniaHousingDataModule, FashionMNISTDataModule

    data = FashionMNISTDataModule(download=False) if TASKS[task][0] == "fashion" else CaliforniaHousingDataModule()
    data.setup()
    return data


def arrays(task: str) -> tuple[Any, Any, Any, Any]:
    """Training and validation rows as float32 matrices and targets, NumPy."""
    data = load(task)
    train, val, _ = data.prepared()
    return train.x.flatten(1).numpy(), train.y.numpy(), val.x.flatten(1).numpy(), val.y.numpy()


def keras_net(task: str) -> Any:
    """The net with Keras' initial weights, for the peers on torch."""
    from torchann import MLP

    _, hidden, _ = TASKS[task]
    return MLP(784, hidden, 10) if task == "fashion" else MLP(8, hidden, 1)


def torchann_peer(task: str) -> tuple[Epoch, Predict]:
    """The project through ``Trainer.fit``: validation, history, TensorBoard and checkpoints on."""
    import torchann

    _, hidden, lr = TASKS[task]
    make = torchann.ClassificationMLP if task == "fashion" else torchann.RegressionMLP
    trainer = torchann.Trainer(runs=tempfile.mkdtemp(), max_epochs=100_000, quiet=True, callbacks=[_Gate()])
    model, data = make(hidden, lr=lr), load(task)
    x = data.splits.train.x
    return _gated(lambda: trainer.fit(model, datamodule=data)), lambda: model.predict(x)


def lightning_peer(task: str) -> tuple[Epoch, Predict]:
    """Lightning as its documentation shows it: ``DataLoader(TensorDataset)`` and torchmetrics in each step."""
    import lightning.pytorch as pl
    import torch
    from torch.nn.functional import cross_entropy, mse_loss
    from torch.utils.data import DataLoader, TensorDataset
    from torchmetrics.classification import MulticlassAccuracy
    from torchmetrics.regression import MeanSquaredError

    _, _, lr = TASKS[task]
    x, y, x_val, y_val = map(torch.from_numpy, arrays(task))

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = keras_net(task)
            self.metric = MulticlassAccuracy(10, average="micro") if task == "fashion" else MeanSquaredError()

        def training_step(self, batch: Any, _: int) -> Any:
            outputs = self.net(batch[0])
            outputs = outputs if task == "fashion" else outputs[:, 0]
            loss = (cross_entropy if task == "fashion" else mse_loss)(outputs, batch[1])
            self.metric(outputs, batch[1])
            self.log("loss", loss)
            self.log("metric", self.metric, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            outputs = self.net(batch[0])
            outputs = outputs if task == "fashion" else outputs[:, 0]
            self.log("val_loss", (cross_entropy if task == "fashion" else mse_loss)(outputs, batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=lr)

    loaders = [DataLoader(TensorDataset(x, y), BATCH, shuffle=True), DataLoader(TensorDataset(x_val, y_val), BATCH)]
    options = {"enable_progress_bar": False, "enable_model_summary": False, "default_root_dir": tempfile.mkdtemp()}
    trainer, module = pl.Trainer(max_epochs=100_000, callbacks=[_Gate()], **options), Module()
    return _gated(lambda: trainer.fit(module, *loaders)), lambda: module.net(x)


def plain_peer(task: str) -> tuple[Epoch, Predict]:
    """A loop as one writes it in PyTorch, without validation: autograd, ``index_select`` batches, ``SGD.step``."""
    import torch
    from torch.nn.functional import cross_entropy, mse_loss

    _, _, lr = TASKS[task]
    x, y, _, _ = map(torch.from_numpy, arrays(task))
    net = keras_net(task)
    sgd = torch.optim.SGD(net.parameters(), lr=lr)

    def epochs() -> Epoch:
        while True:
            for rows in torch.randperm(len(x)).split(BATCH):
                outputs, target = net(x.index_select(0, rows)), y.index_select(0, rows)
                loss = cross_entropy(outputs, target) if task == "fashion" else mse_loss(outputs[:, 0], target)
                sgd.zero_grad()
                loss.backward()
                sgd.step()
            yield

    return epochs(), lambda: net(x).detach()


def sklearn_peer(task: str) -> tuple[Epoch, Predict]:
    """scikit-learn's MLP with the same SGD, without validation."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    _, hidden, lr = TASKS[task]
    x, y, _, _ = arrays(task)
    make = MLPClassifier if task == "fashion" else MLPRegressor
    net = make(
        hidden_layer_sizes=hidden,
        solver="sgd",
        learning_rate_init=lr,
        momentum=0,
        alpha=0,
        batch_size=BATCH,
        max_iter=1,
    )

    def epochs() -> Epoch:
        while True:
            net.partial_fit(x, y, **({"classes": np.arange(10)} if task == "fashion" else {}))
            yield

    return epochs(), lambda: net.predict(x)


def skorch_peer(task: str) -> tuple[Epoch, Predict]:
    """The scikit-learn wrapper skorch with its own data loader, without validation."""
    import torch
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    _, _, lr = TASKS[task]
    x, y, _, _ = arrays(task)
    options = {"lr": lr, "batch_size": BATCH, "train_split": None, "verbose": 0, "iterator_train__shuffle": True}
    if task == "fashion":
        net = NeuralNetClassifier(keras_net(task), criterion=torch.nn.CrossEntropyLoss, **options)
    else:
        net, y = NeuralNetRegressor(keras_net(task), **options), y[:, None]

    def epochs() -> Epoch:
        net.initialize()
        while True:
            net.partial_fit(x, y, epochs=1)
            yield

    return epochs(), lambda: net.predict(x)


def keras_peer(task: str) -> tuple[Epoch, Predict]:
    """Keras' ``fit`` with validation, on the backend that KERAS_BACKEND names."""
    import keras

    _, hidden, lr = TASKS[task]
    x, y, x_val, y_val = arrays(task)
    fashion = task == "fashion"
    layers = [keras.layers.Dense(size, activation="relu") for size in hidden]
    last = keras.layers.Dense(10, activation="softmax") if fashion else keras.layers.Dense(1)
    net = keras.Sequential([keras.Input((x.shape[1],)), *layers, last])
    loss = "sparse_categorical_crossentropy" if fashion else "mse"
    net.compile(loss=loss, optimizer=keras.optimizers.SGD(lr), metrics=["accuracy"] if fashion else [])

    def epochs() -> Epoch:
        while True:
            net.fit(x, y, batch_size=BATCH, epochs=1, validation_data=(x_val, y_val), verbose=0)
            yield

    return epochs(), lambda: net.predict(x, batch_size=4096, verbose=0)


class _Stop(Exception):
    pass


def _Gate() -> Any:
    """A callback that lets a Trainer run one epoch at a time, all of it: training, validation, checkpoint, logs."""
    from lightning.pytorch.callbacks import Callback

    class Gate(Callback):
        started = 0.0
        training = 0.0

        def on_train_epoch_start(self, *_: Any) -> None:
            if self.started:
                answer(seconds=time.perf_counter() - self.started, training=self.training)
            else:
                answer(ready=time.perf_counter() - STARTED)
            if sys.stdin.readline().strip() != "epoch":
                raise _Stop
            self.started = time.perf_counter()

        def on_validation_start(self, *_: Any) -> None:
            self.training = time.perf_counter() - self.started

    return Gate()


def _gated(fit: Callable[[], None]) -> Epoch:
    try:
        fit()
    except _Stop:
        return
    yield


def answer(**measurements: float) -> None:
    """Writes one line to the process that measures."""
    print("@" + json.dumps(measurements), flush=True)


PEERS: dict[str, Callable[[str], tuple[Epoch, Predict]]] = {
    "torchann": torchann_peer,
    "plain PyTorch": plain_peer,
    "scikit-learn": sklearn_peer,
    "skorch": skorch_peer,
    "Lightning, DataLoader": lightning_peer,
    "Keras, torch": keras_peer,
    "Keras, TensorFlow": keras_peer,
}


def main() -> None:
    """Serves one peer."""
    name, task = sys.argv[1:]
    if name.startswith("Keras"):
        os.environ["KERAS_BACKEND"] = name.rpartition(", ")[2].lower()
    else:  # TensorBoard would import it where it is installed
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    epochs, predict = PEERS[name](task)
    if name not in ("torchann", "Lightning, DataLoader"):
        answer(ready=time.perf_counter() - STARTED)
        for _ in iter(lambda: sys.stdin.readline().strip() == "epoch", False):
            started = time.perf_counter()
            next(epochs)
            answer(seconds=time.perf_counter() - started)
    else:
        list(epochs)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        predict()
        seconds.append(time.perf_counter() - started)
    answer(predict=sorted(seconds)[2], megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
