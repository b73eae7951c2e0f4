"""The sections of a configuration as huaju4k's objects. A HuaJu4KConfig of theirs or ours can stand for its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from millstream.compat.huaju4k._settings import DEFAULT_CONFIG, DEFAULT_QUALITIES, DEFAULT_VENUES, merged


class _Section:
    """Made of a mapping; what the mapping says beside the fields is kept and given back."""

    _beside: dict[str, Any]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        names = {entry.name for entry in fields(cls)}  # type: ignore[arg-type]
        self = cls(**{name: value for name, value in content.items() if name in names})
        self._beside = {name: value for name, value in content.items() if name not in names}
        return self

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), **getattr(self, "_beside", {})}  # type: ignore[call-overload]


@dataclass
class VideoConfig(_Section):
    """Section `video`."""

    ai_model: str = "real_esrgan_x4"
    quality_presets: dict[str, Any] = field(default_factory=lambda: merged(DEFAULT_QUALITIES, {}))

    def get_preset(self, name: str) -> dict[str, Any]:
        """{tile_size, batch_size, denoise_strength} of fast, balanced or high; of balanced for another name."""
        return _looked_up(name, self.quality_presets, DEFAULT_QUALITIES, "balanced")


@dataclass
class AudioConfig(_Section):
    """Section `audio`."""

    theater_presets: dict[str, Any] = field(default_factory=lambda: merged(DEFAULT_VENUES, {}))
    sample_rate: int = 48000
    """Hz"""
    bitrate: str = "192k"
    channels: int = 2
    dialogue_enhancement: float = 0.0
    source_separation_enabled: bool = False

    def get_theater_preset(self, name: str) -> dict[str, Any]:
        """Of small, medium or large; of medium for another name. The file may have left any of them out."""
        return _looked_up(name, self.theater_presets, DEFAULT_VENUES, "medium")


@dataclass
class PerformanceConfig(_Section):
    """Section `performance`."""

    use_gpu: bool = True
    max_memory_usage: float = 0.7
    """share of the memory there is"""
    num_workers: int = 2
    gpu_id: int = 0
    tile_overlap: int = 32
    prefetch_factor: int = 2
    checkpoint_interval: int = 60
    """s"""


@dataclass
class HuaJu4KConfig:
    """A whole configuration, over the defaults."""

    video: VideoConfig = field(default_factory=VideoConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    performance: PerformanceConfig = field(default_factory=PerformanceConfig)
    others: dict[str, Any] = field(default_factory=dict)
    """every other key of the file, as it is"""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        whole = merged(DEFAULT_CONFIG, dict(content))
        video, audio, performance = (whole.pop(name) or {} for name in _SECTIONS)
        return cls(
            VideoConfig.from_dict(video), AudioConfig.from_dict(audio), PerformanceConfig.from_dict(performance), whole
        )

    def to_dict(self) -> dict[str, Any]:
        return {**merged(self.others, {}), **{name: getattr(self, name).to_dict() for name in _SECTIONS}}


_SECTIONS = ("video", "audio", "performance")


@dataclass
class PresetConfig(_Section):
    """The keys of a preset file."""

    name: str
    description: str
    theater_size: str
    """small, medium, large"""
    quality_level: str
    """fast, balanced, high"""
    target_resolution: str = "3840x2160"
    denoise_strength: float = 0.7
    dialogue_boost: float = 4.0
    """dB"""
    noise_reduction: float = 0.5
    reverb_reduction: float = 0.6
    preserve_naturalness: bool = True
    tile_size: int = 768
    batch_size: int = 2
    memory_usage: float = 0.7
    created_by: str = "user"
    created_at: str | None = None
    version: str = "1.0"

    def save_to_file(self, path: str) -> None:
        """As YAML, a key a line."""
        lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in self.to_dict().items()]
        Path(path).write_text("".join(lines), encoding="utf-8")


def _looked_up(
    name: str, said: Mapping[str, Any], defaults: Mapping[str, dict[str, Any]], standard: str
) -> dict[str, Any]:
    usual = defaults.get(name, defaults[standard])
    return {**usual, **(said.get(name) or said.get(standard) or {})}
