"""ONNX files: written from torch's graph, run by onnxruntime."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from math import pi
from typing import Any

import torch
from torch import Tensor

from torchann.engine.rows.loader import Rows
from torchann.publishing.raw_model import FEATURES, Port
from torchann.publishing.torch_program import quiet

LIMIT = 2**31 - 1  # bytes of a protobuf message


def need_onnx() -> None:
    """Raise ValueError, with what to install, unless ONNX files can be written and checked."""
    try:
        for name in ("onnx", "onnxscript", "onnxruntime"):
            importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"ONNX needs onnx, onnxscript and onnxruntime ({error}); pip install 'torchann[export]', or export to a "
            ".pt2 file, which needs nothing more"
        ) from None


def onnx_bytes(program: Any, inputs: Sequence[Port], outputs: Sequence[Port], facts: Mapping[str, str]) -> bytes:
    """Return the content of an ONNX file of a program, the facts in its ``metadata_props``.

    Raises:
        ValueError: if the file would be larger than ONNX files can be.
    """
    size = sum(part.numel() * part.element_size() for part in program.state_dict.values())
    if size >= LIMIT:
        raise ValueError(f"the weights take {size:,} bytes and an ONNX file holds {LIMIT:,}; export to a .pt2 file")
    names = [[port.name for port in ports] for ports in (inputs, outputs)]
    with quiet():
        made = torch.onnx.export(program, dynamo=True, verbose=False, input_names=names[0], output_names=names[1])
        assert made is not None
        proto = made.model_proto
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "rows"
    _cosines_as_sines(proto.graph)
    del proto.graph.value_info[:]  # the same dimension by torch's name
    for part in (proto, proto.graph, *proto.graph.node, *proto.graph.initializer, *proto.functions):
        del part.metadata_props[:]  # lines of code, with the paths of the machine that it lay on
        part.doc_string = ""
    for name, fact in facts.items():
        proto.metadata_props.add(key=name, value=fact)
    content: bytes = proto.SerializeToString()
    return content


def _cosines_as_sines(graph: Any) -> None:
    # cos x = sin(x + pi / 2), of float64: onnxruntime has had no cosine of it for most of its releases.
    import onnx

    double = onnx.TensorProto.DOUBLE
    types = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info)}
    places = [at for at, node in enumerate(graph.node) if node.op_type == "Cos" and types.get(node.input[0]) == double]
    if places:
        graph.initializer.append(onnx.helper.make_tensor("quarter_turn", double, [], [pi / 2]))
    for at in reversed(places):
        node = graph.node[at]
        turned = f"{node.input[0]}_turned_{at}"
        graph.node.insert(at, onnx.helper.make_node("Add", [node.input[0], "quarter_turn"], [turned]))
        node.op_type, node.input[0] = "Sin", turned


def onnx_runner(content: bytes, inputs: Sequence[Port], outputs: Sequence[Port]) -> Callable[[Rows], dict[str, Any]]:
    """Return the function from a batch to arrays by name as which onnxruntime runs the content of an ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in outputs]

    def run(batch: Rows) -> dict[str, Any]:
        parts = {FEATURES: batch} if isinstance(batch, Tensor) else batch
        found = session.run(names, {port.name: parts[port.name].numpy() for port in inputs})
        return dict(zip(names, found, strict=True))

    return run
