"""A drop-in for huaju4k's streaming video processor.

    from millstream.compat.huaju4k import StreamingVideoProcessor
    result = StreamingVideoProcessor("streaming_config.json").process("in.mp4", "out.mp4")

Same constructor, methods, attributes, results and configuration; frames stay in memory, one file is written, and no
folder is ever made. docs/huaju4k.md says what is the same and what is better left as it is here.
"""

from __future__ import annotations

from millstream.compat.huaju4k._factory import create_video_processor, streaming_is_chosen
from millstream.compat.huaju4k._processor import StreamingVideoProcessor
from millstream.compat.huaju4k._progress import StageTracker
from millstream.compat.huaju4k._settings import DEFAULT_CONFIG, StreamingConfig, StreamingConfigManager
from millstream.compat.huaju4k._types import (
    CheckpointData,
    EnhancementStrategy,
    GANPolicy,
    MemoryConfig,
    ProcessingStrategy,
    ProcessResult,
    ResourceStatus,
    StreamingResult,
    TemporalConfig,
    TileConfiguration,
    VideoInfo,
)

__all__ = [
    "DEFAULT_CONFIG",
    "CheckpointData",
    "EnhancementStrategy",
    "GANPolicy",
    "MemoryConfig",
    "ProcessResult",
    "ProcessingStrategy",
    "ResourceStatus",
    "StageTracker",
    "StreamingConfig",
    "StreamingConfigManager",
    "StreamingResult",
    "StreamingVideoProcessor",
    "TemporalConfig",
    "TileConfiguration",
    "VideoInfo",
    "create_video_processor",
    "streaming_is_chosen",
]
