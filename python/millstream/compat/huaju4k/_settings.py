"""Configuration as huaju4k's callers see it, and as options of a job."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import millstream
from millstream import config as configuration
from millstream._calls import StrPath
from millstream.compat.huaju4k._types import ProcessingStrategy

logger = logging.getLogger(__name__)

DEFAULT_QUALITIES: dict[str, dict[str, Any]] = {
    "fast": {"tile_size": 512, "batch_size": 4, "denoise_strength": 0.5},
    "balanced": {"tile_size": 768, "batch_size": 2, "denoise_strength": 0.7},
    "high": {"tile_size": 1024, "batch_size": 1, "denoise_strength": 0.9},
}
DEFAULT_VENUES: dict[str, dict[str, Any]] = {
    "small": {"reverb_reduction": 0.8, "dialogue_boost": 6.0, "noise_reduction": 0.7, "spatial_enhancement": 0.3},
    "medium": {"reverb_reduction": 0.6, "dialogue_boost": 4.0, "noise_reduction": 0.5, "spatial_enhancement": 0.5},
    "large": {"reverb_reduction": 0.4, "dialogue_boost": 2.0, "noise_reduction": 0.3, "spatial_enhancement": 0.7},
}

DEFAULT_CONFIG: dict[str, Any] = {
    "models_dir": "./models",
    "temp_dir": None,
    "progress_update_interval": 0.5,
    "model_cache_size": 2,
    "theater_preset": "medium",
    "memory_safety_margin": 0.7,
    "video": {"ai_model": "real_esrgan_x4", "quality_presets": DEFAULT_QUALITIES},
    "audio": {"theater_presets": DEFAULT_VENUES},
    "performance": {
        "use_gpu": True,
        "gpu_id": 0,
        "max_memory_usage": 0.7,
        "tile_overlap": 32,
        "num_workers": 2,
        "prefetch_factor": 2,
    },
}
"""What callers find in `processor.config` where the file says nothing. It has no effect on a job: only what a file or a
caller says has."""


def merged(defaults: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` over `defaults`, section by section, as new dictionaries."""
    result = copy.deepcopy(defaults)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


class StreamingConfig:
    """The section `streaming` of a configuration, with huaju4k's defaults."""

    def __init__(self, config: dict[str, Any]) -> None:
        section = {name: value for name, value in (config.get("streaming") or {}).items() if value is not None}
        mode = config.get("streaming_mode")
        self.streaming_enabled: bool = bool(section.get("enabled", True if mode is None else mode))
        self.max_memory_mb: int = section.get("max_memory_mb", 1024)
        self.max_vram_mb: int = section.get("max_vram_mb", 6144)
        self.checkpoint_interval: int = section.get("checkpoint_interval", 1000)
        self.temporal_buffer_size: int = section.get("temporal_buffer_size", 3)
        self.batch_size: int = section.get("batch_size", 1)
        self.enable_temporal_stabilization: bool = section.get("enable_temporal_stabilization", True)

    def as_section(self) -> dict[str, Any]:
        """The attributes as the keys of the section."""
        section = dict(vars(self))
        return {"enabled": section.pop("streaming_enabled"), **section}


class StreamingConfigManager:
    """Loads a file over DEFAULT_CONFIG, section by section. Reads JSON and YAML; makes no folder."""

    def load_config(self, config_path: StrPath | None = None) -> dict[str, Any]:
        """The merged configuration. Raises millstream.Error for a file that cannot be used: nothing falls back to the
        defaults in silence."""
        return merged(DEFAULT_CONFIG, configuration.read(config_path).content if config_path is not None else {})


def changes(config: dict[str, Any], original: dict[str, Any]) -> dict[str, Any]:
    """What of `config` is not as it was in `original`."""
    result: dict[str, Any] = {}
    for key, value in config.items():
        before = original.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            below = changes(value, before)
            if below:
                result[key] = below
        elif key not in original or value != before:
            result[key] = copy.deepcopy(value)
    return result


def strategy_as_config(strategy: Any) -> dict[str, Any]:
    """A ProcessingStrategy (ours, theirs, anything with its attributes, a mapping of them) in the keys of a
    configuration. Raises NotDoneError for what is none."""
    config: dict[str, Any] = {}
    strategy = _with_attributes(strategy)

    def take(name: str, put: Any) -> None:
        value = getattr(strategy, name, None)
        if value is not None:
            put(value)

    take("tile_size", lambda sides: config.update(tile_size=min(sides) if isinstance(sides, tuple | list) else sides))
    take("batch_size", lambda count: config.update(batch_size=count))
    take("use_gpu", lambda use: config.update(performance={"use_gpu": use}))
    take("ai_model", lambda name: config.setdefault("video", {}).update(ai_model=name))
    take("memory_limit_mb", lambda amount: config.update(streaming={"max_memory_mb": _whole(amount)}))
    take("target_resolution", lambda size: config.update(_target(size)))
    take("denoise_strength", lambda strength: config.update(denoise_strength=strength))
    pipeline = getattr(strategy, "media_pipeline", None) or {}
    if pipeline.get("video_codec"):
        config.setdefault("video", {}).update(output={"codec": pipeline["video_codec"]})
    if getattr(strategy, "audio_enhancement", False) or pipeline.get("audio_mode") == "theater_enhanced":
        config["audio"] = {"theater_enhancement_enabled": True}
    return config


def _with_attributes(strategy: Any) -> Any:
    known = {entry.name for entry in fields(ProcessingStrategy)}
    if isinstance(strategy, Mapping):
        if unknown := set(strategy) - known:
            raise NotDoneError(
                f"strategy: a ProcessingStrategy has no {', '.join(sorted(map(str, unknown)))}; it has "
                f"{', '.join(sorted(known))}"
            )
        return SimpleNamespace(**strategy)
    if strategy is not None and not any(hasattr(strategy, name) for name in known):
        raise NotDoneError(f"strategy = {strategy!r}: it takes an object with attributes of ProcessingStrategy")
    return strategy


def _whole(amount: Any) -> Any:
    """Amounts worked out from shares of the memory are seldom whole."""
    return round(amount) if isinstance(amount, float) else amount


def _target(size: Any) -> dict[str, Any]:
    """(0, 0): not said."""
    if isinstance(size, tuple | list):
        return {"target_resolution": list(size)} if any(size) else {}
    return {"target_resolution": size}


def settings_for(
    said: dict[str, Any],
    source: str,
    strategy: Any = None,
    *,
    preset: str | None = None,
    quality: str | None = None,
) -> tuple[list[tuple[str, str]], list[str]]:
    """Options of a job as (name, text), and warnings. `said`: what file and caller have said; the strategy goes before
    it, it before the preset. Raises millstream.Error naming source, key, value and what is allowed."""
    quality = quality or getattr(_with_attributes(strategy), "quality_preset", None)
    above = configuration.read_as("strategy", strategy_as_config(strategy)) if strategy is not None else None
    settings = list(above.options.items()) if above is not None else []
    effective = configuration.resolve_as(source, said, profile=preset, quality=quality, settings=settings)
    return effective.settings, effective.warnings + (above.warnings if above is not None else [])


class NotDoneError(RuntimeError):
    """Why a run did not begin or was ended, in words that need no more."""


def error_text(error: BaseException) -> str:
    """The same detail as the command line's errors."""
    if isinstance(error, millstream.Error | NotDoneError):
        return str(error)
    return f"{type(error).__name__}: {error}"
