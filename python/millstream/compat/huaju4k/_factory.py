"""Which processor does the work: ours, or a traditional one that the caller has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from millstream._calls import StrPath
from millstream.compat.huaju4k._processor import StreamingVideoProcessor
from millstream.compat.huaju4k._sections import HuaJu4KConfig

ConfigLike = StrPath | Mapping[str, Any] | HuaJu4KConfig
"""A file, its content, or an object (theirs, too) whose to_dict() is that content."""


def streaming_is_chosen(
    config: ConfigLike | None = None,
    *,
    streaming_mode: bool | None = None,
) -> bool:
    """The argument, else what the configuration says (streaming.enabled, else streaming_mode), else streaming.

    Raises millstream.Error where the configuration cannot be used.
    """
    if streaming_mode is not None:
        return streaming_mode
    processor = StreamingVideoProcessor.from_config(config)
    if processor.configuration_error is not None:
        raise processor.configuration_error
    return processor.streaming_config.streaming_enabled


def create_video_processor(
    config: ConfigLike | None = None,
    *,
    streaming_mode: bool | None = None,
    traditional: Callable[[], Any] | None = None,
) -> Any:
    """Ours where streaming is chosen, else what `traditional()` makes.

    Without `traditional`, ours is handed out in any case; with streaming switched off its results are failed ones that
    say so.
    """
    processor = StreamingVideoProcessor.from_config(config)
    chosen = processor.streaming_config.streaming_enabled if streaming_mode is None else streaming_mode
    if not chosen and traditional is not None and processor.configuration_error is None:
        return traditional()
    processor.streaming_config.streaming_enabled = chosen
    return processor
