"""What the peers' bench runs in the peers' own environment: the VapourSynth script, and (as a program: PARAM BIN ONNX)
the conversion of the network's weights to ONNX."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

# Found best elsewhere and fixed, as are the versions in peers.py.
OPENVINO_STREAMS, ONNXRUNTIME_STREAMS = 2, 1


def vapoursynth_graph() -> None:
    """The script vspipe runs: source, RGB, network, YUV."""
    import vapoursynth as vs  # type: ignore[import-not-found]

    arguments = globals()
    core: Any = vs.core
    clip = core.bs.VideoSource(arguments["in"], cachemode=0, showprogress=0)
    matrix = "709" if clip.height >= 720 else "170m"
    rgb = core.resize.Bicubic(clip, format=vs.RGBS, matrix_in_s=matrix)
    if arguments["backend"] == "openvino":
        config = {"INFERENCE_PRECISION_HINT": arguments["prec"]}
        large = core.ov.Model(
            [rgb], arguments["onnx"], device="CPU", num_streams=OPENVINO_STREAMS, config=lambda: config
        )
    else:
        large = core.ort.Model([rgb], arguments["onnx"], provider="", num_streams=ONNXRUNTIME_STREAMS)
    core.resize.Bicubic(large, format=vs.YUV420P8, matrix_s=matrix).set_output()


class OnnxGraph:
    """Nodes and constants as they come, in a form onnx makes a graph of."""

    def __init__(self) -> None:
        import onnx  # type: ignore[import-not-found]

        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.alias: dict[str, str] = {}

    def constant(self, name: str, values: Any) -> str:
        import numpy as np

        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        known = [self.alias.get(name, name) for name in inputs]
        self.nodes.append(self.onnx.helper.make_node(kind, known, [output], **attributes))

    def save(self, last: str, target: str) -> None:
        helper, kind = self.onnx.helper, self.onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "x2",
            [helper.make_tensor_value_info("input", kind, [1, 3, "h", "w"])],
            [helper.make_tensor_value_info(self.alias.get(last, last), kind, [1, 3, "H", "W"])],
            self.constants,
        )
        opset = helper.make_opsetid("", 16)
        self.onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), target)


def resize(graph: OnnxGraph, name: str, values: dict[str, str], inputs: list[str], output: str) -> None:
    """Nearest by a whole number, or bicubic by a half."""
    import numpy as np

    if values["0"] == "1":
        scale = float(values["1"])
        scales = graph.constant(f"{name}.scale", np.array([1, 1, scale, scale], np.float32))
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        graph.node("Resize", [inputs[0], "", scales], output, mode="nearest", **how)
        return
    taps = np.array([-3, 19, 19, -3], np.float32) / 32  # the cubic kernel of a = -0.75 at phase 1/2, stride 2
    edges = graph.constant(f"{name}.pads", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    graph.node("Pad", [inputs[0], edges], f"{output}.padded", mode="edge")
    kernel = graph.constant(f"{name}.w", np.outer(taps, taps)[None, None].repeat(3, 0))
    graph.node("Conv", [f"{output}.padded", kernel], output, kernel_shape=[4, 4], strides=[2, 2], group=3)


def export(param: str, weights: str, target: str) -> None:
    """ncnn -> ONNX for the one network compared: convolutions, PReLU, pixel shuffle, nearest skip, bicubic half."""
    from peers_weights import layers

    graph = OnnxGraph()
    last = ""
    for layer in layers(Path(param), Path(weights)):
        kind, name, inputs, values = layer.kind, layer.name, layer.inputs, layer.values
        last = layer.outputs[0]
        if kind == "Input":
            graph.alias[last] = "input"
        elif kind == "Split":
            graph.alias.update({output: graph.alias.get(inputs[0], inputs[0]) for output in layer.outputs})
        elif kind == "Convolution":
            kernel = int(values["1"])
            constants = [graph.constant(f"{name}.{i}", array) for i, array in enumerate(layer.arrays)]
            pads = [int(values.get("4", 0))] * 4
            graph.node("Conv", [inputs[0], *constants], last, kernel_shape=[kernel, kernel], pads=pads)
        elif kind == "PReLU":
            slopes = graph.constant(f"{name}.s", layer.arrays[0].reshape(-1, 1, 1))
            graph.node("PRelu", [inputs[0], slopes], last)
        elif kind == "PixelShuffle":
            graph.node("DepthToSpace", inputs, last, blocksize=int(values["0"]), mode="CRD")
        elif kind == "Interp":
            resize(graph, name, values, inputs, last)
        elif kind == "BinaryOp" and values.get("0", "0") == "0":
            graph.node("Add", inputs, last)
        else:
            raise RuntimeError(f"{kind} is not part of the network this export is for")
    graph.save(last, target)


if __name__ == "__main__":
    export(*sys.argv[1:4])
elif __name__ == "__vapoursynth__":
    vapoursynth_graph()
