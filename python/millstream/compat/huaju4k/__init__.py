"""A drop-in for huaju4k's streaming video processor.

    from millstream.compat.huaju4k import StreamingVideoProcessor
    result = StreamingVideoProcessor("streaming_config.json").process("in.mp4", "out.mp4")

Same constructor, methods, attributes, results and configuration; frames stay in memory, one file is written, and no
folder is ever made. docs/python.md says what is the same and what is not.
"""

from __future__ import annotations

from millstream.compat.huaju4k._factory import create_video_processor, streaming_is_chosen
from millstream.compat.huaju4k._processor import StreamingVideoProcessor
from millstream.compat.huaju4k._progress import StageTracker
from millstream.compat.huaju4k._sections import (
    AudioConfig,
    HuaJu4KConfig,
    PerformanceConfig,
    PresetConfig,
    VideoConfig,
)
from millstream.compat.huaju4k._settings import DEFAULT_CONFIG, StreamingConfig, StreamingConfigManager
from millstream.compat.huaju4k._types import (
    AudioResult,
    CheckpointData,
    EnhancementStrategy,
    GANPolicy,
    MemoryConfig,
    ProcessingStrategy,
    ProcessResult,
    ResourceStatus,
    StreamingResult,
    TemporalConfig,
    TheaterFeatures,
    TileConfiguration,
    VideoInfo,
)

__all__ = [
    "DEFAULT_CONFIG",
    "AudioConfig",
    "AudioResult",
    "CheckpointData",
    "EnhancementStrategy",
    "GANPolicy",
    "HuaJu4KConfig",
    "MemoryConfig",
    "PerformanceConfig",
    "PresetConfig",
    "ProcessResult",
    "ProcessingStrategy",
    "ResourceStatus",
    "StageTracker",
    "StreamingConfig",
    "StreamingConfigManager",
    "StreamingResult",
    "StreamingVideoProcessor",
    "TemporalConfig",
    "TheaterFeatures",
    "TileConfiguration",
    "VideoConfig",
    "VideoInfo",
    "create_video_processor",
    "streaming_is_chosen",
]
