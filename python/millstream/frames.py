"""Frames one by one, for programs that have a loop of their own.

    reader = millstream.Reader("in.mp4")
    enhancer = millstream.Enhancer()
    with millstream.Writer("out.mp4", like=reader) as writer:
        for frame in enhancer.stream(reader):
            writer.write(frame)

A frame's pixels lie in memory of a pool, in up to three representations: planar float32 (`frame.torch()`,
`frame.numpy("float")`) and interleaved uint8 in either order (`frame.numpy()`, `frame.numpy("rgb")`). Each is written
once, when it is first asked for; what you get are views, not copies. The memory goes back to the pool with the last
reference: frame, array or tensor. Who writes into a view changes what the next stage sees.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from types import TracebackType
from typing import Any, Self, Unpack

from millstream._calls import OptionWords, StrPath, settings_of
from millstream._load import core

Frame = core.Frame

__all__ = ["Enhancer", "Frame", "Reader", "Writer", "frame_of"]


def _is_tensor(pixels: object) -> bool:
    return type(pixels).__module__.partition(".")[0] == "torch"


def frame_of(pixels: Any, *, order: str = "bgr") -> Frame:
    """A frame of pixels you have: uint8 (H, W, 3) arrays in `order` ("bgr", "rgb"), or float32 [3, H, W] arrays and
    tensors, R G B, 0..1, on the CPU. Nothing is copied, unless the array is read-only (one over `bytes`, for example),
    because views of a frame can be written to; the array must not change until its frame has gone. Raises TypeError for
    anything else."""
    if isinstance(pixels, Frame):
        return pixels
    device = getattr(pixels, "device", "cpu")
    if str(device) != "cpu":
        raise TypeError(f"the pixels lie on {device}: frames are taken from the CPU's memory, pass tensor.cpu()")
    if _is_tensor(pixels) and pixels.requires_grad:
        pixels = pixels.detach()
    elif not getattr(getattr(pixels, "flags", None), "writeable", True):
        pixels = pixels.copy()
    shape = tuple(getattr(pixels, "shape", ()))
    if len(shape) == 3 and shape[2] == 3 and str(pixels.dtype).endswith("uint8"):
        return core.frame_of_packed(pixels, order)
    if len(shape) == 3 and shape[0] == 3 and str(pixels.dtype).endswith("float32"):
        return core.frame_of_planar(pixels)
    raise TypeError(
        "a frame is uint8 (H, W, 3) or float32 [3, H, W], "
        f"not {getattr(pixels, 'dtype', type(pixels).__name__)} {shape}"
    )


_ALL_OPTIONS = frozenset(OptionWords.__annotations__)


def _refuse(kind: str, options: Mapping[str, object], foreign: Set[str]) -> None:
    """Options that would have no effect. Names that are no options at all are the library's to refuse."""
    given = sorted(foreign & {name for name, value in options.items() if value is not None})
    if given:
        raise TypeError(f"{', '.join(given)}: no use for {kind}; help(millstream.{kind}) says what it takes")


class _Kind:
    """How to give back what was taken in the kind it came in."""

    def __init__(self, pixels: Any, order: str) -> None:
        self.is_frame = isinstance(pixels, Frame)
        self.is_tensor = not self.is_frame and _is_tensor(pixels)
        self.is_packed = not self.is_frame and str(pixels.dtype).endswith("uint8")
        self.order = order

    def of(self, frame: Frame) -> Any:
        if self.is_frame:
            return frame
        if self.is_tensor:
            return frame.torch() if not self.is_packed else _tensor(frame.numpy(self.order))
        return frame.numpy(self.order) if self.is_packed else frame.numpy("float").transpose(2, 0, 1)


def _tensor(array: Any) -> Any:
    import torch

    return torch.from_numpy(array)


class Reader:
    """Decodes a video, frame by frame: `for frame in Reader(path)`. Options: video_stream, hwaccel, bake_rotation."""

    def __init__(self, path: StrPath, **options: Unpack[OptionWords]) -> None:
        _refuse("Reader", options, _ALL_OPTIONS - {"video_stream", "hwaccel", "bake_rotation"})
        self._core = core.Reader(os.fspath(path), settings_of(options))

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        frame = self._core.next()
        if frame is None:
            raise StopIteration
        return frame

    @property
    def path(self) -> str:
        return self._core.path

    @property
    def width(self) -> int:
        return self._core.width

    @property
    def height(self) -> int:
        return self._core.height

    @property
    def frame_rate(self) -> float:
        """Frames a second on average; 0 = unknown."""
        return self._core.frame_rate

    def __len__(self) -> int:
        """Frames expected; 0 = unknown."""
        return self._core.frames

    def __bool__(self) -> bool:
        return True

    @property
    def counts(self) -> dict[str, int]:
        """What its frames have cost: `live` frames, `planar_writes`, `packed_writes`, `buffers` ever allocated."""
        return self._core.counts


class Enhancer:
    """A network with what belongs to it: tiles, colour fix, temporal lock.

    `enhancer(picture)` enhances one picture for itself; `enhancer.stream(pictures)` successive ones, with several in
    flight and temporal history. What comes out is of the kind that went in: Frame, uint8 (H, W, 3) array (OpenCV's
    order, unless order="rgb"), float32 [3, H, W] array or tensor; a tensor [N, 3, H, W] gives N enhanced pictures.

    Options: model, scale, size, fit, backend, precision, device, tile, batch, threads, colour_fix, reuse, temporal,
    temporal_flow, max_memory, max_vram, release. Where memory runs short less is done at a time (`back_offs`); the
    pictures are the same.
    """

    def __init__(self, model: StrPath | None = None, /, *, order: str = "bgr", **options: Unpack[OptionWords]) -> None:
        _refuse("Enhancer", options, _ALL_OPTIONS - _OF_ENHANCER - {"size", "fit"})
        self._core = core.Enhancer(settings_of({"model": model, **options}))
        self._order = order

    @classmethod
    def from_settings(cls, settings: list[tuple[str, str]], *, order: str = "bgr") -> Enhancer:
        """The same with options as texts, of which those of other stages are left out."""
        self = cls.__new__(cls)
        self._core = core.Enhancer([setting for setting in settings if setting[0] in _OF_ENHANCER])
        self._order = order
        return self

    @property
    def scale(self) -> int:
        return self._core.scale

    @property
    def counts(self) -> dict[str, int]:
        """What the frames it gave have cost, as Reader.counts."""
        return self._core.counts

    @property
    def back_offs(self) -> list[dict[str, Any]]:
        """What was done because memory ran short: `frame`, `measure`, `from`, `to`, `why` of each, as in a report."""
        return self._core.back_offs

    def __call__(self, picture: Any) -> Any:
        """One picture, or a batch [N, 3, H, W]."""
        if len(getattr(picture, "shape", ())) == 4:
            return self._batch(picture)
        frame = self._core.enhance(frame_of(picture, order=self._order))
        return _Kind(picture, self._order).of(frame)

    def _batch(self, pictures: Any) -> Any:
        finished = [self(picture) for picture in pictures]
        if _is_tensor(pictures):
            import torch

            return torch.stack(finished)
        import numpy

        return numpy.stack(finished)

    def stream(self, pictures: Iterable[Any]) -> Iterator[Any]:
        """Enhanced `pictures`, in order; their Python objects may be reused once they have come out."""
        kind: _Kind | None = None
        try:
            for picture in pictures:
                frame = frame_of(picture, order=self._order)
                kind = kind or _Kind(picture, self._order)
                self._core.push(frame)
                while (finished := self._core.pop()) is not None:
                    yield kind.of(finished)
            while kind is not None and (finished := self._core.drain()) is not None:
                yield kind.of(finished)
        finally:
            self._core.reset()


# Without an exact size: what comes as settings are tiles and frames, whose scale is the network's.
_OF_ENHANCER = {"model", "scale", "backend", "precision", "device", "tile", "batch", "threads"} | {
    "max_vram",
    "release",
    "colour_fix",
    "reuse",
    "temporal",
    "temporal_flow",
    "max_memory",
}


class Writer:
    """Encodes frames beside the other streams of the video they come from. A context manager: without an exception the
    file is completed, else removed; until then it is called <path>.part.

    `like`: the Reader of that video. Options: everything about encoding, streams, disk and memory.
    """

    def __init__(self, path: StrPath, *, like: Reader, order: str = "bgr", **options: Unpack[OptionWords]) -> None:
        if not isinstance(like, Reader):
            raise TypeError(f"like takes the Reader of the video whose sound and times are kept, not {like!r}")
        _refuse("Writer", options, _OF_ENHANCER - {"threads", "max_memory"} | {"fit", "debug_view", "resume", "verify"})
        self._core: core.Writer | None = core.Writer(os.fspath(path), like._core, settings_of(options))
        self._order = order

    def write(self, picture: Any, *, at: Frame | None = None) -> None:
        """A Frame, array or tensor, as `frame_of` takes them. `at`: the frame whose place in the video it has; arrays
        without it follow one another at the source's rate."""
        if self._core is None:
            raise ValueError("the writer is closed")
        frame = frame_of(picture, order=self._order)
        self._core.write(frame if at is None else frame.at_time_of(at))

    def finish(self) -> int:
        """Completes the file; returns the number of frames in it."""
        if self._core is None:
            raise ValueError("the writer is closed")
        return self._core.finish()

    def close(self) -> None:
        """Removes what is not complete."""
        self._core = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        self.close()
