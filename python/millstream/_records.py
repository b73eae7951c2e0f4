"""What the calls give back: the C++ structs of the same names, read from their JSON."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass
from typing import Any

_UNION = type(int | None)


def _made(annotation: Any, value: Any) -> Any:
    """`value` of the JSON as `annotation` says: records become Records, also in lists."""
    if value is None:
        return None
    if isinstance(annotation, _UNION):
        annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
    if typing.get_origin(annotation) is list:
        (item,) = typing.get_args(annotation)
        return [_made(item, entry) for entry in value]
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation(value)
    return value


class Record:
    """One JSON object with its fields as attributes. Those with a type are listed below; `as_dict` has all of them."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        for name, annotation in typing.get_type_hints(type(self)).items():
            setattr(self, name, _made(annotation, fields.get(name)))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._fields:
            return self._fields[name]
        raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._fields.items())})"

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain dictionaries, lists, numbers and strings."""
        return self._fields

    def to_json(self) -> str:
        return json.dumps(self._fields, indent=2, ensure_ascii=False)


class Size(Record):
    """Pixels."""

    width: int
    height: int


class StreamPlan(Record):
    """What happens to one stream of the input."""

    index: int
    kind: str
    """video, audio, subtitle, data, attachment"""
    codec: str
    language: str
    action: str
    """enhance, copy, convert, drop"""
    reason: str


class Plan(Record):
    """What a job is going to do, decided before anything is written."""

    options: dict[str, Any]
    input_container: str
    input_size: Size
    frame_rate: float
    """frames per second; 0 = unknown"""
    frames: int
    """0 = unknown"""
    duration_s: float
    streams: list[StreamPlan]
    model: str
    device: str
    device_name: str
    backend: str
    precision: str
    tile: Size
    tiles_per_frame: int
    container: str
    output_size: Size
    encoder: str
    live_frames: int
    """most frames between decoder and encoder at any time"""
    memory: dict[str, int]
    """expected peak in bytes, by cause"""
    disk: dict[str, int]
    """bytes"""
    notes: list[str]


class Check(Record):
    """One kind of comparison. Holds where `differences` is 0."""

    name: str
    compared: int
    differences: int
    examples: list[dict[str, str]]


class Verification(Record):
    """A result against its source. `holds` is the verdict."""

    source_frames: int
    result_frames: int
    checks: list[Check]
    scenes: list[dict[str, Any]]
    """PSNR and SSIM between two cuts"""
    notes: list[str]
    wall_s: float
    holds: bool


class Report(Record):
    """What a job did."""

    plan: Plan
    frames: int
    """in the output, those of earlier runs included"""
    resumed_frames: int
    """of them written by earlier runs"""
    wall_s: float
    fps_mean: float
    peak_rss_bytes: int
    peak_vram_bytes: int | None
    input_bytes: int
    output_bytes: int
    warnings: list[str]
    model_loads: int
    peak_live_frames: int
    repairs: dict[str, int]
    decode_errors: int
    copies_per_frame: float
    """times a frame's pixels were copied within one representation"""
    verification: Verification | None


class BatchItem(Record):
    """One video of several, and what became of it."""

    input: str
    output: str
    outcome: str
    """done, exists (left as it is), failed, waiting (the batch has ended before)"""
    report: Report | None
    """of what is done"""
    error: dict[str, Any] | None
    """of what has failed: exit_code, doing, subject, why, hint"""


class VideoFacts(Record):
    """What only a video stream has."""

    width: int
    height: int
    pixel_format: str
    """FFmpeg's name"""
    bit_depth: int
    colour: str
    average_rate: float
    """frames per second; 0 = unknown"""
    nominal_rate: float
    frames: int
    """0 = unknown"""
    cover_art: bool
    interlaced: bool


class Stream(Record):
    """One stream of a file."""

    index: int
    kind: str
    codec: str
    language: str
    title: str
    duration_s: float
    """0 = unknown"""
    bit_rate: int
    """bit/s; 0 = unknown"""
    channels: int
    sample_rate: int
    """Hz"""
    video: VideoFacts | None


class SourceFile(Record):
    """What is in a file."""

    path: str
    container: str
    """FFmpeg's demuxer name"""
    bytes: int
    duration_s: float
    chapters: int
    video_stream: int
    """index of the stream that would be enhanced"""
    streams: list[Stream]

    @property
    def video(self) -> Stream:
        """The stream that would be enhanced."""
        return self.streams[self.video_stream]


@dataclass(frozen=True)
class Progress:
    """A snapshot of a running job."""

    frames_done: int
    frames_total: int
    """0 = unknown"""
    fraction: float
    """0..1; 0 = unknown"""
    fps: float
    """over the last seconds"""
    elapsed_s: float
    eta_s: float | None
    rss_bytes: int
    output_bytes: int
