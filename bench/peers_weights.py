"""Reads a network in ncnn's form, for the programs that want it in another one; needs numpy only. As a program
(PARAM BIN OUT.pth) it writes the state of the same network as PyTorch code for it names it; that needs torch."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALF_PRECISION = 0x01306B47  # the tag before weights of 16 bits; before others it is 0

Array = NDArray[np.float32]


@dataclass
class Layer:
    """One line of the .param file, and what of the .bin file is its."""

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    values: dict[str, str]
    arrays: list[Array]  # convolution: [out,in,k,k] and [out]; PReLU: [channels]; else none


class Blob:
    """The .bin file, read from front to end."""

    def __init__(self, path: Path) -> None:
        self.bytes, self.offset = path.read_bytes(), 0

    def floats(self, count: int) -> Array:
        values = np.frombuffer(self.bytes, "<f4", count, self.offset).copy()
        self.offset += 4 * count
        return values

    def tagged(self, count: int) -> Array:
        (tag,) = struct.unpack_from("<I", self.bytes, self.offset)
        self.offset += 4
        if tag != HALF_PRECISION:
            return self.floats(count)
        values = np.frombuffer(self.bytes, "<f2", count, self.offset).astype(np.float32)
        self.offset += (2 * count + 3) // 4 * 4  # padded to four bytes
        return values


def layers(param: Path, weights: Path) -> Iterator[Layer]:
    blob = Blob(weights)
    for line in param.read_text().splitlines()[2:]:
        words = line.split()
        if not words:
            continue
        inputs, outputs = int(words[2]), int(words[3])
        names, rest = words[4 : 4 + inputs + outputs], words[4 + inputs + outputs :]
        layer = Layer(words[0], words[1], names[:inputs], names[inputs:], dict(word.split("=") for word in rest), [])
        if layer.kind == "Convolution":
            channels, kernel, count = (int(layer.values[key]) for key in ("0", "1", "6"))
            shape = (channels, count // (channels * kernel * kernel), kernel, kernel)
            layer.arrays = [blob.tagged(count).reshape(shape), blob.floats(channels)]
        elif layer.kind == "PReLU":
            layer.arrays = [blob.floats(int(layer.values["0"]))]
        yield layer


def multiplications_per_pixel(param: Path, weights: Path) -> int:
    """Of the convolutions, an input pixel; all of them must work at the input's size."""
    return sum(layer.arrays[0].size for layer in layers(param, weights) if layer.kind == "Convolution")


def torch_state(param: Path, weights: Path) -> dict[str, Any]:
    """`body.N.weight` and `body.N.bias`, as Real-ESRGAN's own code (SRVGGNetCompact) names the layers."""
    import torch

    state: dict[str, Any] = {}
    trained = [layer for layer in layers(param, weights) if layer.arrays]
    for i, layer in enumerate(trained):
        for name, array in zip(("weight", "bias"), layer.arrays, strict=False):
            state[f"body.{i}.{name}"] = torch.from_numpy(array)
    return state


if __name__ == "__main__":
    import torch

    torch.save({"params": torch_state(Path(sys.argv[1]), Path(sys.argv[2]))}, sys.argv[3])
