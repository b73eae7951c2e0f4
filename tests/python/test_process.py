"""A function of the caller's own among the stages."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import millstream
import numpy as np
import pytest
from conftest import make_video
from millstream import JobWords

PLAIN: JobWords = {"model": "identity", "scale": 1, "temporal": "off", "preset": "ultrafast", "crf": 4}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", size="96x64", frames=10)


def pictures(path: Path) -> list[Any]:
    return [frame.numpy().astype(int) for frame in millstream.Reader(path)]


def is_negative_of(ours: list[Any], source: list[Any]) -> bool:
    return len(ours) == len(source) and all(
        np.abs(255 - theirs - mine).mean() < 8 for mine, theirs in zip(ours, source, strict=True)
    )


def test_what_the_function_returns_is_what_is_encoded(clip: Path, tmp_path: Path) -> None:
    shapes, threads = [], set()

    def negative(pixels: Any) -> Any:
        shapes.append((pixels.shape, pixels.dtype))
        threads.add(threading.get_ident())
        return 1 - pixels

    report = millstream.enhance(clip, tmp_path / "out.mkv", process=negative, process_as="numpy", **PLAIN)
    assert is_negative_of(pictures(tmp_path / "out.mkv"), pictures(clip))
    assert shapes == [((1, 3, 64, 96), np.float32)] * 10
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    assert report.copies_per_frame == 0


def test_pixels_may_be_changed_in_place(clip: Path, tmp_path: Path) -> None:
    def negative(pixels: Any) -> None:
        np.subtract(1, pixels, out=pixels)

    options: JobWords = {**PLAIN, "temporal": "medium"}
    report = millstream.enhance(clip, tmp_path / "out.mkv", process=negative, process_as="numpy", **options)
    assert is_negative_of(pictures(tmp_path / "out.mkv"), pictures(clip))
    assert report.copies_per_frame == 1  # the temporal lock keeps what it gave


def test_batches_hold_successive_frames_and_the_last_one_what_is_left(clip: Path, tmp_path: Path) -> None:
    sizes = []

    def negative(pixels: Any) -> Any:
        sizes.append(len(pixels))
        return (1 - pixels)[:, :, :, :]

    millstream.enhance(clip, tmp_path / "out.mkv", process=negative, process_as="numpy", process_batch=4, **PLAIN)
    assert sizes == [4, 4, 2]
    assert is_negative_of(pictures(tmp_path / "out.mkv"), pictures(clip))


def test_torch_tensors_go_in_and_out(clip: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError, reason="Python's own torch cannot be imported here")

    def negative(pixels: Any) -> Any:
        assert isinstance(pixels, torch.Tensor)
        return 1 - pixels

    millstream.enhance(clip, tmp_path / "out.mkv", process=negative, **PLAIN)
    assert is_negative_of(pictures(tmp_path / "out.mkv"), pictures(clip))


def test_tensors_of_a_device_or_with_gradients_are_fetched(clip: Path, tmp_path: Path) -> None:
    class Elsewhere:
        """A tensor of a device, as far as it is asked."""

        def __init__(self, pixels: Any) -> None:
            self.pixels = pixels

        def detach(self) -> Elsewhere:
            return self

        def cpu(self) -> Any:
            return self.pixels

    def negative(pixels: Any) -> Any:
        return Elsewhere(1 - pixels)

    millstream.enhance(clip, tmp_path / "out.mkv", process=negative, process_as="numpy", **PLAIN)
    assert is_negative_of(pictures(tmp_path / "out.mkv"), pictures(clip))


def test_channels_are_r_g_b(clip: Path, tmp_path: Path) -> None:
    def red(pixels: Any) -> Any:
        pixels[:] = 0
        pixels[:, 0] = 1
        return pixels

    millstream.enhance(clip, tmp_path / "out.mkv", process=red, process_as="numpy", **PLAIN)
    mean = pictures(tmp_path / "out.mkv")[5].mean(axis=(0, 1))  # B, G, R
    assert mean[2] > 240
    assert max(mean[0], mean[1]) < 16


def test_an_exception_of_the_function_ends_the_job_and_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    def refuse(pixels: Any) -> Any:
        raise LookupError("no such colour")

    with pytest.raises(LookupError, match="no such colour"):
        millstream.enhance(clip, tmp_path / "out.mkv", process=refuse, process_as="numpy", **PLAIN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [lambda p: p[:, :, ::2], lambda p: "pixels", lambda p: p[0]])
def test_pixels_of_another_shape_are_refused_in_words(wrong: Any, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(millstream.Error, match="shape it was given"):
        millstream.enhance(clip, tmp_path / "out.mkv", process=wrong, process_as="numpy", **PLAIN)
