"""Model files with a true checksum that say something else than `torchann.save` would."""

import hashlib
import json
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from torchann.files.safetensors_file import NO_DIGEST

DOCUMENT: dict[str, Any] = {
    "sha256": NO_DIGEST,
    "format_version": 1,
    "torchann": "0.1.0",
    "class": "RegressionMLP",
    "hyperparameters": {"hidden_sizes": [3], "in_features": 2, "out_features": 1},
    "preprocessing": [{"step": "standardize"}],
    "feature_names": ["a", "b"],
    "data": {"name": "table", "fingerprint": None, "rows": 7},
    "history": {"epoch": [0, 1], "val_loss": [0.5, "nan"]},
}
TENSORS = {
    "net.1.weight": torch.arange(6.0).view(3, 2),
    "net.1.bias": torch.zeros(3),
    "net.3.weight": torch.ones(1, 3),
    "net.3.bias": torch.zeros(1),
    "preprocessing.0.mean": torch.tensor([1.0, 2.0], dtype=torch.float64),
    "preprocessing.0.std": torch.tensor([1.0, 4.0], dtype=torch.float64),
}


def sign(content: bytes) -> bytes:
    """The bytes with their checksum in the place kept for it."""
    return content.replace(NO_DIGEST.encode(), hashlib.sha256(content).hexdigest().encode(), 1)


def written(text: str, tensors: dict[str, Tensor] = TENSORS) -> bytes:
    """A file with that text as its document."""
    return sign(safetensors.torch.save(tensors, {"torchann": text}))


def crafted(tensors: dict[str, Tensor] | None = None, **fields: Any) -> bytes:
    """The good file with other fields, or other tensors (None leaves one out)."""
    parts = {name: part for name, part in (TENSORS | (tensors or {})).items() if part is not None}
    return written(json.dumps({**DOCUMENT, **fields}), parts)


def task(name: str = "RegressionMLP", **options: Any) -> bytes:
    """The good file with other hyperparameters."""
    return crafted(**{"class": name, "hyperparameters": {**DOCUMENT["hyperparameters"], **options}})


def raw(header: bytes | dict[str, Any], data: bytes = b"", size: int | None = None) -> bytes:
    """A file of that header, whatever it is, and these bytes."""
    if isinstance(header, dict):
        header = json.dumps({"__metadata__": {"torchann": json.dumps(DOCUMENT)}, **header}).encode()
    return sign((len(header) if size is None else size).to_bytes(8, "little") + header + data)


def tensor(dtype: Any = "F32", shape: Any = (1,), offsets: Any = (0, 4)) -> dict[str, Any]:
    """What a header says of a tensor."""
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}
