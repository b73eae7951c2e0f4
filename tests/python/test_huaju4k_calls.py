"""The call sequences of the existing system's commands and callers, replayed on the drop-in."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_video, stream
from existing_system import QUICK, TrapTracker, quick_processor
from millstream.compat.huaju4k import ProcessingStrategy, StreamingVideoProcessor


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", size="96x64", frames=8)


def commands_strategy() -> ProcessingStrategy:
    """As the command `process` builds it."""
    return ProcessingStrategy(
        tile_size=(512, 512),
        overlap_pixels=32,
        batch_size=1,
        use_gpu=True,
        ai_model="opencv_cubic",
        quality_preset="balanced",
        memory_limit_mb=4096,
        target_resolution=(0, 0),
        denoise_strength=0.7,
        media_pipeline={"controller": None, "video_codec": "libx264", "audio_mode": "copy"},
        audio_enhancement=False,
    )


def test_the_command_process_has_its_context_and_polls_from_another_thread(clip: Path, tmp_path: Path) -> None:
    polled: list[dict[str, Any]] = []
    in_the_middle, go_on = threading.Event(), threading.Event()

    class Waiting(TrapTracker):
        """Holds the run up until it has been polled."""

        def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
            if stage == "enhancing" and not in_the_middle.is_set():
                in_the_middle.set()
                go_on.wait(60)

    def poll(processor: StreamingVideoProcessor) -> None:
        assert in_the_middle.wait(60)
        polled.append({"processing_active": processor.processing_active, **processor.get_processing_progress()})
        go_on.set()

    with quick_processor(tmp_path) as processor:
        processor.progress_tracker = Waiting()
        assert processor.get_processing_progress() == {
            "overall_progress": 0.0,
            "current_stage": "",
            "eta_seconds": 0.0,
            "frames_processed": 0,
            "is_active": False,
        }
        poller = threading.Thread(target=poll, args=[processor])
        poller.start()
        result = processor.process(str(clip), str(tmp_path / "out.mp4"), commands_strategy())
        poller.join()
    assert result.success, result.error
    (now,) = polled
    assert (now["processing_active"], now["is_active"], now["current_stage"]) == (True, True, "enhancing")
    assert 0 < now["overall_progress"] < 1
    assert now["eta_seconds"] > 0
    assert stream(tmp_path / "out.mp4", "video")["width"] == 192  # (0, 0): twice the input
    after = processor.get_processing_progress()
    assert (after["overall_progress"], after["is_active"], after["frames_processed"]) == (1.0, False, 8)
    printed = [*result.quality_metrics.items()]  # what the command prints of it
    for part in ("performance_metrics", "resource_utilization"):
        printed += result.performance_report[part].items()
    assert len(printed) > 10


def test_the_command_enhance_gives_preset_and_quality_by_name(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(
        tmp_path, target_resolution="192x128", video={"quality_presets": {"fast": {"tile_size": 80}}}
    )
    result = made.process(
        input_path=str(clip), output_path=str(tmp_path / "out.mp4"), preset="theater_small", quality="fast"
    )
    assert result.success, result.error
    assert stream(tmp_path / "out.mp4", "video")["width"] == 192  # the file goes before the preset
    settings = dict(made._settings(None, preset="theater_small", quality="fast"))
    assert (settings["tile"], settings["batch"]) == ("80", "4")
    wrong = made.process(input_path=str(clip), output_path=str(tmp_path / "x.mp4"), preset="theater_tiny")
    assert (wrong.success, "theater_small" in wrong.error) == (False, True)


def test_a_traditional_processor_is_called_with_what_the_caller_gave(tmp_path: Path) -> None:
    class OfTheEnhanceCommand:
        def process(
            self, input_path: str, output_path: str | None = None, preset: str = "m", quality: str = "b"
        ) -> str:
            return f"{input_path} {output_path} {preset} {quality}"

    class OfTheProcessCommand:
        def process(self, input_path: str, output_path: str, strategy: Any) -> str:
            return f"{input_path} {output_path} {strategy}"

    made = quick_processor(tmp_path, streaming={"enabled": False})
    made.traditional_processor = OfTheEnhanceCommand()
    assert made.process("a", "b", preset="p", quality="q") == "a b p q"
    assert made.process("a", "b") == "a b m b"
    made.traditional_processor = OfTheProcessCommand()
    assert made.process("a", "b", "s") == "a b s"


def test_the_integrated_processors_seam_feeds_raw_frames_and_reads_the_count(tmp_path: Path) -> None:
    """Frames as np.frombuffer() makes them of a pipe: read-only, and of the target's size already."""
    made = quick_processor(tmp_path, millstream={**QUICK, "scale": 1})
    frames = (np.frombuffer(bytes([value]) * (32 * 48 * 3), np.uint8).reshape(32, 48, 3) for value in (9, 90, 200))
    written: list[Any] = []
    assert made.process_raw_frame_stream(frames, written.append)
    assert made.current_frame_index == 3
    assert [frame.shape for frame in written] == [(32, 48, 3)] * 3
    assert [round(float(frame.mean())) for frame in written] == [9, 90, 200]
    assert all(len(frame.tobytes()) == 32 * 48 * 3 for frame in written)  # what goes into the encoder's pipe


def test_the_desktop_bridge_sets_its_tracker_where_the_attribute_is(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    made.verify_results = False
    tracker = TrapTracker()
    assert hasattr(made, "progress_tracker")
    made.progress_tracker = tracker
    assert made.process_streaming(str(clip), str(tmp_path / "out.mp4")).success
    assert (tracker.finished, tracker.get_overall_progress()) == (True, 1.0)
