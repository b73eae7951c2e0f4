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

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Set
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from millstream._calls import OptionWords, StrPath, path_of, settings_of
from millstream._load import core

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Frame = core.Frame

Pixels = TypeVar("Pixels", bound="Frame | NDArray[Any] | torch.Tensor")
"""What goes in as a frame, an array or a tensor comes out as one."""

__all__ = ["Enhancer", "Frame", "Reader", "Writer", "frame_of"]


def _is_tensor(pixels: object) -> bool:
    return type(pixels).__module__.partition(".")[0] == "torch"


def frame_of(pixels: Frame | NDArray[Any] | torch.Tensor, *, order: str = "bgr") -> Frame:
    """A frame of pixels you have: uint8 (H, W, 3) arrays in `order` ("bgr", "rgb"), or float32 [3, H, W] arrays and
    tensors, R G B, 0..1, on the CPU. Nothing is copied, unless the array is read-only (one over `bytes`, for example),
    because views of a frame can be written to; the array must not change until its frame has gone. Raises TypeError for
    anything else."""
    if isinstance(pixels, Frame):
        return pixels
    return _taken(pixels, order)


def _taken(pixels: Any, order: str) -> Frame:
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
    """Decodes a video, frame by frame: `for frame in Reader(path)`. Several threads may share one: each frame goes to
    one of them.

    Options: video_stream, hwaccel, bake_rotation, deinterlace. Interlaced video is found and deinterlaced, as in a job,
    unless deinterlace="off".
    """

    def __init__(self, path: StrPath, **options: Unpack[OptionWords]) -> None:
        _refuse("Reader", options, _ALL_OPTIONS - {"video_stream", "hwaccel", "bake_rotation", "deinterlace"})
        self._core = core.Reader(path_of(path), settings_of(options))
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._lock:
            frame = self._core.next()
        if frame is None:
            raise StopIteration
        return frame

    @property
    def path(self) -> str:
        """The file, as it was given."""
        return self._core.path

    @property
    def width(self) -> int:
        """Of every frame, in pixels, turned where bake_rotation asks for it."""
        return self._core.width

    @property
    def height(self) -> int:
        """Of every frame, in pixels."""
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
        """What its frames have cost: `live` frames, `planar_writes`, `packed_writes`, `buffers` ever allocated, and of
        them `buffers_in_use`, by frames or by views that outlive them."""
        return self._core.counts


class Enhancer:
    """A network with what belongs to it: tiles, colour fix, temporal lock.

    `enhancer(picture)` enhances one picture for itself; `enhancer.stream(pictures)` successive ones, with several in
    flight and temporal history. What comes out is of the kind that went in: Frame, uint8 (H, W, 3) array (OpenCV's
    order, unless order="rgb"), float32 [3, H, W] array or tensor; a tensor [N, 3, H, W] gives N enhanced pictures.

    Options: model, scale, size, fit, backend, precision, device, tile, batch, threads, colour_fix, reuse, temporal,
    temporal_flow, max_memory, max_vram, release. Where memory runs short less is done at a time (`back_offs`); the
    pictures are the same.

    Threads may share an enhancer: single pictures wait for each other. It has one history, so that only one stream can
    be open at a time: another one, or a single picture meanwhile, is a RuntimeError.
    """

    def __init__(self, model: StrPath | None = None, /, *, order: str = "bgr", **options: Unpack[OptionWords]) -> None:
        _refuse("Enhancer", options, _ALL_OPTIONS - _OF_ENHANCER - {"size", "fit"})
        self._begin(settings_of({"model": model, **options}), order)

    def _begin(self, settings: list[tuple[str, str]], order: str) -> None:
        self._core = core.Enhancer(settings)
        self._order = order
        self._lock = threading.Lock()
        self._streaming = False

    @classmethod
    def from_settings(cls, settings: list[tuple[str, str]], *, order: str = "bgr") -> Enhancer:
        """The same with options as texts, of which those of other stages are left out."""
        self = cls.__new__(cls)
        self._begin([setting for setting in settings if setting[0] in _OF_ENHANCER], order)
        return self

    @property
    def scale(self) -> int:
        """How many times as wide and high pictures become, where neither size nor fit says otherwise."""
        return self._core.scale

    @property
    def counts(self) -> dict[str, int]:
        """What the frames it gave have cost, as Reader.counts."""
        with self._lock:
            return self._core.counts

    @property
    def notes(self) -> list[str]:
        """What to know of the way it works on this machine; a sentence each, mostly none."""
        return self._core.notes

    @property
    def back_offs(self) -> list[dict[str, Any]]:
        """What was done because memory ran short: `frame`, `measure`, `from`, `to`, `why` of each, as in a report."""
        with self._lock:
            return self._core.back_offs

    def __call__(self, picture: Pixels) -> Pixels:
        """One picture, or a batch [N, 3, H, W]. Raises TypeError for what is no picture, millstream.Error for what
        fails, RuntimeError while a stream is open."""
        enhanced: Pixels = self._batch(picture) if len(getattr(picture, "shape", ())) == 4 else self._one(picture)
        return enhanced

    def _one(self, picture: Any) -> Any:
        frame = frame_of(picture, order=self._order)
        with self._lock:
            self._refuse_in_stream()
            finished = self._core.enhance(frame)
        return _Kind(picture, self._order).of(finished)

    def _refuse_in_stream(self) -> None:
        if self._streaming:
            raise RuntimeError(
                "a stream of this enhancer is open: use it up or close() it first, or make an enhancer of its own"
            )

    def _batch(self, pictures: Any) -> Any:
        finished = [self._one(picture) for picture in pictures]
        if _is_tensor(pictures):
            import torch

            return torch.stack(finished)
        import numpy

        return numpy.stack(finished)

    def stream(self, pictures: Iterable[Pixels]) -> Generator[Pixels, None, None]:
        """Enhanced `pictures`, in order; their Python objects may be reused once they have come out. It is open from
        the first picture asked for to the last, to `break` of a loop over it, or to close(): what is in flight then is
        dropped."""
        with self._lock:
            self._refuse_in_stream()
            self._streaming = True
        kind: _Kind | None = None
        try:
            for picture in pictures:
                frame = frame_of(picture, order=self._order)
                kind = kind or _Kind(picture, self._order)
                with self._lock:
                    self._core.push(frame)
                while (finished := self._next(wait=False)) is not None:
                    yield kind.of(finished)
            while kind is not None and (finished := self._next(wait=True)) is not None:
                yield kind.of(finished)
        finally:
            with self._lock:
                self._core.reset()
                self._streaming = False

    def _next(self, *, wait: bool) -> Frame | None:
        with self._lock:
            return self._core.drain() if wait else self._core.pop()


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


_OF_WRITER = {"overwrite", "size", "codec", "encoder", "crf", "preset", "encoder_options", "pixel_format"} | {
    "faststart",
    "audio",
    "subtitles",
    "convert_subtitles",
    "max_memory",
    "disk_limit",
}


class Writer:
    """Encodes frames beside the other streams of the video they come from. A context manager: without an exception the
    file is completed, else removed; until then it is called <path>.part.

    `like`: the Reader of that video; which stream it is, whether it is turned and deinterlaced is taken from there.
    Options: overwrite, size, codec, encoder, crf, preset, encoder_options, pixel_format, faststart, audio, subtitles,
    convert_subtitles, max_memory, disk_limit. Threads may share a writer: one frame is written at a time.
    """

    def __init__(self, path: StrPath, *, like: Reader, order: str = "bgr", **options: Unpack[OptionWords]) -> None:
        if not isinstance(like, Reader):
            raise TypeError(f"like takes the Reader of the video whose sound and times are kept, not {like!r}")
        _refuse("Writer", options, _ALL_OPTIONS - _OF_WRITER)
        self._core: core.Writer | None = core.Writer(path_of(path), like._core, settings_of(options))
        self._order = order
        self._lock = threading.Lock()

    def write(self, picture: Frame | NDArray[Any] | torch.Tensor, *, at: Frame | None = None) -> None:
        """A Frame, array or tensor, as `frame_of` takes them. `at`: the frame whose place in the video it has; arrays
        without it follow one another at the source's rate."""
        frame = frame_of(picture, order=self._order)
        with self._lock:
            self._open().write(frame if at is None else frame.at_time_of(at))

    def finish(self) -> int:
        """Completes the file; returns the number of frames in it. Raises millstream.Error where there are none."""
        with self._lock:
            return self._open().finish()

    def _open(self) -> core.Writer:
        if self._core is None:
            raise ValueError("the writer is closed")
        return self._core

    def close(self) -> None:
        """Removes what is not complete."""
        with self._lock:
            self._core = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        self.close()
