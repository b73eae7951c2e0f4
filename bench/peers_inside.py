"""What the peers' bench runs in the peers' own environment: the VapourSynth script, and (as a program: PARAM BIN ONNX)
the conversion of the network's weights to ONNX."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

# Found best elsewhere and fixed, as are the versions in peers.py.
STREAMS = 2


def vapoursynth_graph() -> None:
    """The script vspipe runs: source, RGB, network, YUV."""
    import vapoursynth as vs  # type: ignore[import-not-found]

    arguments = globals()
    core: Any = vs.core
    clip = core.bs.VideoSource(arguments["in"], cachemode=0, showprogress=0)
    matrix = "709" if clip.height >= 720 else "170m"
    rgb = core.resize.Bicubic(clip, format=vs.RGBS, matrix_in_s=matrix)
    config = {"INFERENCE_PRECISION_HINT": arguments["prec"]}
    large = core.ov.Model([rgb], arguments["onnx"], device="CPU", num_streams=STREAMS, config=lambda: config)
    core.resize.Bicubic(large, format=vs.YUV420P8, matrix_s=matrix).set_output()


def export(param: str, weights_file: str, target: str) -> None:
    """ncnn -> ONNX for the one network compared: convolutions, PReLU, pixel shuffle, nearest skip, bicubic half."""
    import numpy as np
    import onnx  # type: ignore[import-not-found]
    from onnx import TensorProto, helper, numpy_helper

    blob, offset = Path(weights_file).read_bytes(), 0
    nodes: list[Any] = []
    constants: list[Any] = []
    alias: dict[str, str] = {}

    def floats(count: int) -> Any:
        nonlocal offset
        values = np.frombuffer(blob, "<f4", count, offset).copy()
        offset += 4 * count
        return values

    def tagged(count: int) -> Any:
        nonlocal offset
        (tag,) = struct.unpack_from("<I", blob, offset)
        offset += 4
        if tag != 0x01306B47:  # half-precision weights, padded to four bytes; else plain floats
            return floats(count)
        values = np.frombuffer(blob, "<f2", count, offset).astype(np.float32)
        offset += (2 * count + 3) // 4 * 4
        return values

    def constant(name: str, values: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(kind, [alias.get(name, name) for name in inputs], [output], **attributes))

    last = ""
    for line in Path(param).read_text().splitlines()[2:]:
        words = line.split()
        if not words:
            continue
        kind, name, inputs_n, outputs_n = words[0], words[1], int(words[2]), int(words[3])
        inputs, outputs = words[4 : 4 + inputs_n], words[4 + inputs_n : 4 + inputs_n + outputs_n]
        values = dict(word.split("=") for word in words[4 + inputs_n + outputs_n :])
        last = outputs[0]
        if kind == "Input":
            alias[last] = "input"
        elif kind == "Split":
            alias.update({output: alias.get(inputs[0], inputs[0]) for output in outputs})
        elif kind == "Convolution":
            channels, kernel, count = int(values["0"]), int(values["1"]), int(values["6"])
            shape = (channels, count // (channels * kernel * kernel), kernel, kernel)
            kernel_weights = constant(f"{name}.w", tagged(count).reshape(shape))
            node(
                "Conv",
                [inputs[0], kernel_weights, constant(f"{name}.b", floats(channels))],
                last,
                kernel_shape=[kernel, kernel],
                pads=[int(values.get("4", 0))] * 4,
            )
        elif kind == "PReLU":
            node("PRelu", [inputs[0], constant(f"{name}.s", floats(int(values["0"])).reshape(-1, 1, 1))], last)
        elif kind == "PixelShuffle":
            node("DepthToSpace", inputs, last, blocksize=int(values["0"]), mode="CRD")
        elif kind == "Interp" and values["0"] == "1":
            scale = float(values["1"])
            scales = constant(f"{name}.scale", np.array([1, 1, scale, scale], np.float32))
            node(
                "Resize",
                [inputs[0], "", scales],
                last,
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        elif kind == "Interp":  # bicubic 0.5: the cubic kernel of a = -0.75 at phase 1/2, stride 2
            taps = np.array([-3, 19, 19, -3], np.float32) / 32
            edges = constant(f"{name}.pads", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
            node("Pad", [inputs[0], edges], f"{last}.padded", mode="edge")
            node(
                "Conv",
                [f"{last}.padded", constant(f"{name}.w", np.outer(taps, taps)[None, None].repeat(3, 0))],
                last,
                kernel_shape=[4, 4],
                strides=[2, 2],
                group=3,
            )
        elif kind == "BinaryOp" and values.get("0", "0") == "0":
            node("Add", inputs, last)
        else:
            raise RuntimeError(f"{kind} is not part of the network this export is for")
    graph = helper.make_graph(
        nodes,
        "x2",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info(alias.get(last, last), TensorProto.FLOAT, [1, 3, "H", "W"])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8), target)


if __name__ == "__main__":
    export(*sys.argv[1:4])
elif __name__ == "__vapoursynth__":
    vapoursynth_graph()
