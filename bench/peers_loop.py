"""The script that people write who want to enhance a video: OpenCV reads a frame, a network enlarges it, OpenCV writes
it to a temporary video, and ffmpeg encodes that once more and adds the sound. As a program:

    peers_loop.py ncnn|torch PARAM BIN IN OUT

It runs in .venv, which has ncnn, OpenCV and torch from PyPI."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]  # [h,w,3], BGR
Network = Callable[[Frame], Frame]
SCALE = 2


def bytes_of(values: NDArray[np.float32]) -> Frame:
    """[3,h,w], RGB 0..1, into a frame."""
    return np.asarray(np.rint(values.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)[..., ::-1])


def ncnn_network(param: Path, weights: Path) -> Network:
    import ncnn

    network = ncnn.Net()
    network.opt.use_vulkan_compute = False
    network.opt.num_threads = len(os.sched_getaffinity(0))
    network.load_param(str(param))
    network.load_model(str(weights))

    def enlarge(frame: Frame) -> Frame:
        values = np.ascontiguousarray(frame[..., ::-1].transpose(2, 0, 1), np.float32) / 255
        extractor = network.create_extractor()
        extractor.input("data", ncnn.Mat(values))
        return bytes_of(np.array(extractor.extract("output")[1]))

    return enlarge


def torch_network(param: Path, weights: Path) -> Network:
    """The x4 network as PyTorch code writes it, and OpenCV's downscale behind it."""
    import torch
    from peers_weights import torch_state

    state = torch_state(param, weights)
    body: list[Any] = []
    for i in range(sum(name.endswith("weight") for name in state)):
        weight = state[f"body.{i}.weight"]
        body.append(torch.nn.PReLU(len(weight)) if weight.ndim == 1 else torch.nn.Conv2d(*weight.shape[1::-1], 3, 1, 1))
    network = torch.nn.Module()
    network.body = torch.nn.ModuleList(body)
    network.load_state_dict(state)

    def enlarge(frame: Frame) -> Frame:
        with torch.no_grad():
            values = torch.from_numpy(np.ascontiguousarray(frame[..., ::-1])).permute(2, 0, 1)[None].float() / 255
            wide = values
            for layer in body:
                wide = layer(wide)
            wide = torch.nn.functional.pixel_shuffle(wide, 4)
            wide = wide + torch.nn.functional.interpolate(values, scale_factor=4, mode="nearest")
        size = (frame.shape[1] * SCALE, frame.shape[0] * SCALE)
        return np.asarray(cv2.resize(bytes_of(wide[0].numpy()), size, interpolation=cv2.INTER_AREA), np.uint8)

    return enlarge


def main() -> None:
    kind, param, weights, source, target = sys.argv[1:6]
    enlarge = {"ncnn": ncnn_network, "torch": torch_network}[kind](Path(param), Path(weights))
    video = cv2.VideoCapture(source)
    rate = video.get(cv2.CAP_PROP_FPS)
    size = tuple(int(video.get(p)) * SCALE for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    temporary = f"{target}.tmp.mp4"
    writer = cv2.VideoWriter(temporary, cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    while True:
        there, frame = video.read()
        if not there:
            break
        writer.write(enlarge(np.asarray(frame, np.uint8)))
    writer.release()
    sources = ["-i", temporary, "-i", source, "-map", "0:v", "-map", "1:a?", "-c:a", "copy"]
    coded = ["-c:v", "libx264", "-crf", "18", "-preset", "medium", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *sources, *coded, target], check=True)
    Path(temporary).unlink()


if __name__ == "__main__":
    main()
