"""A filter of your own in the loop, as Torch operations: own_filter.py IN OUT [KEY=VALUE ...]"""

import sys

import millstream
import torch


def vignette(pixels: torch.Tensor) -> torch.Tensor:
    """Darkens the corners. `pixels`: [N, 3, H, W] float32, R G B, 0..1."""
    height, width = pixels.shape[-2:]
    y = torch.linspace(-1, 1, height).reshape(-1, 1)
    x = torch.linspace(-1, 1, width)
    return pixels * (1 - 0.25 * (x * x + y * y))


if __name__ == "__main__":
    source, output, *words = sys.argv[1:]
    options = dict(word.split("=", 1) for word in words)
    report = millstream.enhance(source, output, process=vignette, **options)  # type: ignore[arg-type]
    print(f"{report.frames} frames, {report.copies_per_frame:.2f} copies a frame")
