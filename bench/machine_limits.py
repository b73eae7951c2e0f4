"""What this processor can do in the arithmetic that the network consists of: convolutions of 3x3 over 64 channels, by
OpenVINO, without video. The bound that docs/performance.md puts beside the job."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as operations

CHANNELS, LAYERS = 64, 8
SIZES = ((45, 80), (90, 160), (180, 320))  # the first ones fit caches
SECONDS = 3.0


def stack_of_convolutions(height: int, width: int) -> Any:
    random = np.random.default_rng(0)
    start = result = operations.parameter([1, CHANNELS, height, width], np.float32)
    for _ in range(LAYERS):
        weights = (random.standard_normal((CHANNELS, CHANNELS, 3, 3)) * 0.02).astype(np.float32)
        result = operations.convolution(result, operations.constant(weights), [1, 1], [1, 1], [1, 1], [1, 1])
    return openvino.Model([result], [start], "convolutions")


def convolution_gflops(precision: str) -> float:
    """The most that any of the sizes reached, 10^9 operations a second with all cores; a multiplication and its
    addition are two. By processor time, which other programs change less than wall time."""
    cores = len(os.sched_getaffinity(0))
    best = 0.0
    for height, width in SIZES:
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": cores,
        }
        compiled = openvino.Core().compile_model(stack_of_convolutions(height, width), "CPU", settings)
        request = compiled.create_infer_request()
        values = np.ones((1, CHANNELS, height, width), np.float32)
        request.infer([values])  # the first one sets memory up
        operations_each = 2.0 * LAYERS * 9 * CHANNELS * CHANNELS * height * width
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            start = time.process_time()
            request.infer([values], share_inputs=True)
            best = max(best, operations_each * cores / (time.process_time() - start) / 1e9)
    return best
