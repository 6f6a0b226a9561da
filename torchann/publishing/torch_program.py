"""Exported programs of torch: the ``.pt2`` file, and the graph that an ONNX file is made of."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from torchann.engine.rows.loader import Rows
from torchann.publishing.raw_model import RawModel

METADATA_FILE = "torchann.json"
TRACES = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn")
"""What torch keeps of each step that tells of the machine it was exported on, and that nothing needs."""


def to_program(model: RawModel) -> Any:
    """Return the graph of a model, for any number of rows from 1 on.

    Raises:
        ValueError: if torch cannot follow its net, as where its ``forward`` chooses by values.
    """
    example, rows = model.zeros(), {0: torch.export.Dim("rows", min=1)}
    shapes = rows if isinstance(example, Tensor) else dict.fromkeys(example, rows)
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(model, (example,), dynamic_shapes=(shapes,), strict=False)
    except Exception as error:  # whatever torch says of a net's code
        message = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"torch cannot export the net, a {type(model.net).__name__} ({type(error).__name__}: {message:.200}); "
            "write its forward without choices by values, and for any number of rows"
        ) from error
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", ()):
            for trace in TRACES:
                node.meta.pop(trace, None)
    return program


def program_bytes(program: Any, facts: Mapping[str, str]) -> bytes:
    """Return the content of a ``.pt2`` file of a program; ``torchann.json`` in it has the facts."""
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer, extra_files={METADATA_FILE: json.dumps(dict(facts))})
    return buffer.getvalue()


def program_runner(content: bytes) -> Callable[[Rows], dict[str, Any]]:
    """Return the function from a batch to arrays by name that the content of a ``.pt2`` file is."""
    with quiet():
        module = torch.export.load(io.BytesIO(content)).module()

    def run(batch: Rows) -> dict[str, Any]:
        with torch.no_grad():
            return {name: part.numpy() for name, part in module(batch).items()}

    return run


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps to itself what torch tells its own developers while it exports."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
