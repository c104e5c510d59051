"""What can be exported: a checkpoint of the trainer, a published one, safetensors, an ONNX file or a model's name.

Enters: a path or a name. Leaves: an ONNX model in float32 and its settings.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper

from fastsam.errors import UsageError, require
from fastsam.export.fixed import is_fixed
from fastsam.export.graphs import fold_pads
from fastsam.runtimes.settings import Settings, read_settings
from fastsam.untrusted import onnxfile
from fastsam.weights import catalogue
from fastsam.weights.yolo import unnamed


def read(source: str, **changes: Any) -> ModelProto:
    """The network of `source`; its metadata holds its settings, those of `changes` instead of its own unless None.

    A checkpoint of the trainer needs the export extra. Raises UsageError for anything but a network.
    """
    model, settings, facts = opened(source)
    settings = replace(settings, **{k: v for k, v in changes.items() if v is not None})
    single(model)
    fold_pads(model)
    describe(model, settings, facts)
    return model


def describe(model: ModelProto, settings: Settings, facts: Mapping[str, object]) -> None:
    """Stores settings and other facts in a model's metadata."""
    helper.set_model_props(model, {"fastsam": json.dumps({**facts, **settings.stored()})})


def opened(source: str) -> tuple[ModelProto, Settings, dict[str, object]]:
    """A network as it is: the model, its settings, and all that its metadata said."""
    file = catalogue.locate(source)
    if catalogue.is_checkpoint(file):
        try:
            content = catalogue.build(file, catalogue.read(file))
        except UsageError as error:
            return of_trainer(file, error)
        model = onnx.load_from_string(content)
    else:
        model = onnxfile.read(file)
        if is_fixed(model):
            raise UsageError(f"{file} takes inputs of one size only: export its source again, without --fixed")
    stored = {p.key: p.value for p in model.metadata_props}
    if {o.name for o in model.graph.output} != {"candidates", "prototypes"}:
        raise UsageError(f"{file} is not a segmentation network of fastsam: it lacks candidates or prototypes")
    return model, read_settings(stored, file), json.loads(stored.get("fastsam", "{}"))


def of_trainer(file: Path, otherwise: UsageError) -> tuple[ModelProto, Settings, dict[str, object]]:
    """The averaged network of a checkpoint of the trainer; raises `otherwise` for any other file."""
    require("torch", "export")
    from fastsam.export.onnx import load_network, to_onnx

    try:
        network, architecture = load_network(file)
    except ValueError:
        raise otherwise from None
    settings = Settings(unnamed(architecture.classes), positional=architecture.placed)
    return to_onnx(network), settings, {"architecture": asdict(architecture)}


def single(model: ModelProto) -> None:
    """Weights stored as float16 become float32, their casts go."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            values = numpy_helper.to_array(stored[node.input[0]])
            if values.dtype == np.float16:
                stored[node.input[0]].CopyFrom(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
                continue
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
