"""The drop-in against the facts about the class it takes the place of."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import millstream
import numpy as np
import pytest
from conftest import ROOT, files_in, make_video, stream
from existing_system import CvValidator, TrapTracker, write_their_package
from millstream.compat import huaju4k
from millstream.compat.huaju4k import ProcessingStrategy, StreamingConfig, StreamingVideoProcessor

QUICK = {"model": "identity", "preset": "ultrafast", "temporal": "off"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", size="96x64", frames=8)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is made in the working folder or at home is seen."""
    (tmp_path / "cwd").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))


def processor(tmp_path: Path, **sections: Any) -> StreamingVideoProcessor:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"millstream": QUICK, **sections}))
    return StreamingVideoProcessor(str(file))


# Interface


def test_signatures_are_those_of_the_class_it_replaces() -> None:
    def parameters(function: Any) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values() if p.name != "self"]

    required = inspect.Parameter.empty
    of = StreamingVideoProcessor
    assert parameters(of) == [("config_path", None)]
    assert parameters(of.analyze_video) == [("input_path", required)]
    assert parameters(of.process) == [("input_path", required), ("output_path", None), ("strategy", None)]
    assert parameters(of.process_tiles) == [("frames", required), ("strategy", required)]
    assert parameters(of.process_streaming) == [("input_path", required), ("output_path", required)]
    assert parameters(of.process_raw_frame_stream) == [
        ("frame_generator", required),
        ("frame_callback", required),
        ("checkpoint_data", None),
    ]
    assert parameters(of.streaming_main_loop) == [
        ("input_path", required),
        ("output_path", required),
        ("checkpoint_data", None),
    ]


def test_attributes_after_construction_are_those_callers_look_at() -> None:
    made = StreamingVideoProcessor()
    for name in ("progress_tracker", "video_analyzer", "ai_model_manager", "memory_buffer", "gpu_memory_manager"):
        assert getattr(made, name) is None
    assert (made.is_processing, made.current_frame_index, made.total_frames) == (False, 0, 0)
    for name in ("config_manager", "config", "streaming_config", "start_time", "device", "use_gpu"):
        assert hasattr(made, name)
    assert made.config["video"]["quality_presets"]["balanced"]["tile_size"] == 768
    assert made.config["performance"]["max_memory_usage"] == 0.7


def test_streaming_config_has_the_attributes_and_defaults_of_the_section() -> None:
    made = StreamingConfig({})
    assert vars(made) == {
        "streaming_enabled": True,
        "max_memory_mb": 1024,
        "max_vram_mb": 6144,
        "checkpoint_interval": 1000,
        "temporal_buffer_size": 3,
        "batch_size": 1,
        "enable_temporal_stabilization": True,
    }
    assert StreamingConfig({"streaming": {"enabled": False, "max_memory_mb": 9}}).max_memory_mb == 9
    assert not StreamingConfig({"streaming_mode": False}).streaming_enabled


def test_types_have_the_fields_in_the_order_they_are_constructed() -> None:
    info = huaju4k.VideoInfo((1920, 1080), 10.0, 25.0, "h264", 5_000_000, True, 2, 48000, 99, "mov")
    assert (info.aspect_ratio, info.total_frames, info.is_4k) == (1920 / 1080, 250, False)
    result = huaju4k.ProcessResult(success=False, error_message="why")
    assert (result.error, result.error_message) == ("why", "why")
    assert (result.quality_metrics, result.performance_report, result.memory_peak_mb) == ({}, {}, 0)
    streaming = huaju4k.StreamingResult()
    assert (streaming.success, streaming.error_message, streaming.checkpoint_used) == (False, "", False)


def test_their_interface_and_types_are_used_where_they_can_be_imported(
    clip: Path, tmp_path: Path, package_path: str
) -> None:
    write_their_package(tmp_path / "theirs")
    code = """
import sys
from huaju4k.core.interfaces import VideoProcessor
from huaju4k.models.data_models import ProcessResult
from millstream.compat.huaju4k import StreamingVideoProcessor
processor = StreamingVideoProcessor()
result = processor.process(sys.argv[1] + ".missing")
print(isinstance(processor, VideoProcessor), type(result) is ProcessResult, result.success, result.their_own,
      result.error == result.error_message, result.quality_metrics, processor.analyze_video(sys.argv[1]).resolution)
"""
    path = os.pathsep.join([package_path, str(tmp_path / "theirs")])
    run = subprocess.run(
        [sys.executable, "-c", code, clip], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert run.stdout == "True True False 7 True {} (96, 64)\n", run.stderr


# Runs


def test_a_file_is_analysed_as_ffprobe_has_it(clip: Path) -> None:
    info = StreamingVideoProcessor().analyze_video(str(clip))
    assert (info.resolution, info.framerate, info.codec) == ((96, 64), 24.0, "h264")
    assert info.duration == pytest.approx(8 / 24, abs=0.01)
    assert (info.has_audio, info.audio_channels, info.audio_sample_rate) == (True, 1, 48000)
    assert (info.file_size, info.format) == (clip.stat().st_size, "mov,mp4,m4a,3gp,3g2,mj2")
    assert info.bitrate == int(stream(clip, "video")["bit_rate"])


def test_analysing_a_missing_file_raises_what_callers_catch(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        StreamingVideoProcessor().analyze_video(str(tmp_path / "missing.mp4"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(RuntimeError):
        StreamingVideoProcessor().analyze_video(str(tmp_path / "text.mp4"))


def test_process_enhances_and_fills_every_field_callers_read(clip: Path, tmp_path: Path) -> None:
    made = processor(tmp_path)
    output = tmp_path / "out.mp4"
    result = made.process(str(clip), str(output))
    assert result.success, result.error
    assert (result.output_path, result.frames_processed, result.error) == (str(output), 8, None)
    assert result.processing_time > 0
    assert result.processing_speed_fps > 0
    assert result.memory_peak_mb > 50
    assert dict(result.performance_report["performance_metrics"].items())["frames_processed"] == 8
    assert result.performance_report["resource_utilization"]["peak_memory_mb"] == result.memory_peak_mb
    metrics = result.quality_metrics
    assert (metrics["verified"], metrics["differences"], metrics["audio_preserved"]) == (1, 0, 1)
    assert metrics["resolution_improvement_ratio"] == 4
    assert metrics["psnr_db"] > 25
    assert (stream(output, "video")["width"], stream(output, "audio")["codec_name"]) == (192, "aac")
    assert (made.is_processing, made.current_frame_index, made.total_frames) == (False, 8, 8)


def test_the_default_output_lies_beside_the_input(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "play.mov"
    source.write_bytes(clip.read_bytes())
    result = processor(tmp_path).process(str(source))
    assert result.output_path == str(tmp_path / "in" / "play_enhanced_streaming.mp4")
    assert Path(result.output_path).exists()


def test_no_file_or_folder_is_made_but_the_output(clip: Path, tmp_path: Path) -> None:
    sections = {
        "temp_dir": str(tmp_path / "frames"),
        "models_dir": str(tmp_path / "models"),
        "paths": {"cache_dir": str(tmp_path / "cache")},
        "logging": {"file": str(tmp_path / "logs" / "x.log")},
        "keep_frames": True,
    }
    made = processor(tmp_path, **sections)
    before = set(files_in(tmp_path))
    made.quality_validator = CvValidator()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert set(files_in(tmp_path)) - before == {"out.mp4"}


def test_each_intermediate_file_feature_gets_one_warning(
    clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = processor(tmp_path, temp_dir="/nowhere", paths={"cache_dir": "/nowhere"}, keep_frames=True)
    made.verify_results = False
    with caplog.at_level("WARNING"):
        made.process(str(clip), str(tmp_path / "out.mp4"))
    for key in ("temp_dir", "paths.cache_dir", "keep_frames"):
        assert len([r for r in caplog.messages if f"{key} =" in r]) == 1


def test_the_console_commands_strategy_is_followed(clip: Path, tmp_path: Path) -> None:
    strategy = ProcessingStrategy(
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
    result = processor(tmp_path).process(str(clip), str(tmp_path / "out.mp4"), strategy)
    assert result.success, result.error
    assert stream(tmp_path / "out.mp4", "video")["width"] == 192  # (0, 0): twice the input


def test_a_strategy_goes_before_the_configuration(clip: Path, tmp_path: Path) -> None:
    class Asked:  # no type of ours: attributes are enough
        target_resolution = (480, 320)
        quality_preset = "fast"

    made = processor(tmp_path, target_resolution="288x192", video={"quality_presets": {"fast": {"batch_size": 3}}})
    settings = dict(made._settings(Asked()))
    assert (settings["fit"], settings["batch"]) == ("480x320", "3")
    result = made.process(str(clip), str(tmp_path / "out.mp4"), Asked())
    assert stream(tmp_path / result.output_path, "video")["width"] == 480


def test_callers_may_change_the_configuration_before_a_run(clip: Path, tmp_path: Path) -> None:
    made = processor(tmp_path)
    made.config["streaming"] = {"max_memory_mb": 3333}
    assert dict(made._settings(None))["max_memory"] == "3333MiB"


def test_process_streaming_gives_the_other_result_type(clip: Path, tmp_path: Path) -> None:
    result = processor(tmp_path).process_streaming(str(clip), str(tmp_path / "out.mp4"))
    assert isinstance(result, huaju4k.StreamingResult)
    assert (result.success, result.frames_processed, result.error_message) == (True, 8, "")
    assert result.peak_memory_mb > 50
    assert result.average_fps > 0
    assert not processor(tmp_path).process_streaming("/missing.mp4", "/x.mp4").success


@pytest.mark.parametrize("wrong", ["missing", "text", "folder", "value"])
def test_bad_input_gives_a_failed_result_with_the_detail_of_the_command_line(
    wrong: str, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "in.mp4"
    if wrong == "text":
        source.write_text("no video")
    elif wrong == "folder":
        source.mkdir()
    elif wrong == "value":
        source = clip
    sections = {"streaming": {"max_memory_mb": "plenty"}} if wrong == "value" else {}
    made = processor(tmp_path, **sections)
    tracker = made.progress_tracker = TrapTracker()
    result = made.process(str(source), str(tmp_path / "out.mp4"))
    assert not result.success
    assert result.error == result.error_message
    with pytest.raises(millstream.Error) as caught:
        millstream.plan(source, tmp_path / "out.mp4", config=tmp_path / "config.json")
    assert result.error == str(caught.value)
    assert tracker.finished is False
    assert "failed" in {stage.status for stage in tracker.stages.values()}
    assert not (tmp_path / "out.mp4").exists()


def test_an_unreadable_configuration_is_said_and_never_replaced_by_defaults(
    clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = StreamingVideoProcessor(str(tmp_path / "missing.json"))
    assert "missing.json" in caplog.text
    result = made.process(str(clip), str(tmp_path / "out.mp4"))
    assert (result.success, "missing.json" in result.error) == (False, True)


# Mode


class Traditional:
    def process(self, input_path: str, output_path: str | None = None, strategy: Any = None) -> str:
        return f"traditional {Path(input_path).name}"


def test_the_factory_chooses_by_configuration_and_by_argument() -> None:
    create = huaju4k.create_video_processor
    off = {"streaming": {"enabled": False}}
    assert isinstance(create(traditional=Traditional), StreamingVideoProcessor)
    assert isinstance(create(off, traditional=Traditional), Traditional)
    assert isinstance(create({"streaming_mode": False}, traditional=Traditional), Traditional)
    assert isinstance(create(off, streaming_mode=True, traditional=Traditional), StreamingVideoProcessor)
    assert isinstance(create(streaming_mode=False, traditional=Traditional), Traditional)
    assert huaju4k.streaming_is_chosen()
    assert not huaju4k.streaming_is_chosen(off)


def test_streaming_switched_off_without_another_processor_is_a_failed_result_that_says_so(clip: Path) -> None:
    made = huaju4k.create_video_processor({"streaming": {"enabled": False}})
    result = made.process(str(clip))
    assert not result.success
    assert "streaming.enabled = false" in result.error
    assert "traditional" in result.error
    made.traditional_processor = Traditional()
    assert made.process(str(clip)) == "traditional clip.mp4"


# Progress


def test_an_injected_tracker_is_driven_monotonically_to_the_end(clip: Path, tmp_path: Path) -> None:
    made = processor(tmp_path, progress_update_interval=0)
    tracker = made.progress_tracker = TrapTracker()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert made.progress_tracker is tracker
    assert tracker.lost == []
    assert (tracker.starts, tracker.finished, tracker.total_items) == (1, True, 8)
    assert tracker.history == sorted(tracker.history)
    assert tracker.get_overall_progress() == 1
    assert {stage.status for stage in tracker.stages.values()} == {"completed"}
    assert tracker.items_processed <= 8


def test_a_tracker_that_is_running_is_not_started_again(clip: Path, tmp_path: Path) -> None:
    made = processor(tmp_path)
    tracker = made.progress_tracker = TrapTracker()
    tracker.add_stage("outer", "Outer", 2.0)
    tracker.start_processing(8)
    tracker.update_stage_progress("outer", 1.0)
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert (tracker.starts, tracker.finished) == (1, None)
    assert tracker.get_overall_progress() == 1


def test_a_tracker_with_the_abstract_methods_alone_will_do(clip: Path, tmp_path: Path) -> None:
    class Minimal:
        seen: list[tuple[str, float]] = []  # noqa: RUF012

        def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
            self.seen.append((stage, progress))

    made = processor(tmp_path)
    made.progress_tracker = Minimal()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert ("enhancing", 1.0) in Minimal.seen


def test_a_tracker_that_raises_ends_no_run(clip: Path, tmp_path: Path) -> None:
    class Broken(TrapTracker):
        def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
            raise OSError("no display")

    made = processor(tmp_path)
    made.progress_tracker = Broken()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success


def test_a_run_without_a_tracker_has_one_that_others_can_poll(clip: Path, tmp_path: Path) -> None:
    made = processor(tmp_path)
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert made.progress_tracker.get_overall_progress() == 1
    assert made.progress_tracker.calculate_eta() == 0


def test_a_run_can_be_stopped_from_another_thread(tmp_path: Path) -> None:
    long = make_video(tmp_path / "long.mp4", size="320x180", frames=600, sound=False)
    made = processor(tmp_path, progress_update_interval=0, streaming={"checkpoint_interval": 24})
    running = threading.Event()

    class Telling(TrapTracker):
        def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
            if stage == "enhancing" and progress > 0.1:
                running.set()

    made.progress_tracker = Telling()
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(made.process(str(long), str(tmp_path / "out.mkv"))))
    thread.start()
    assert running.wait(60)
    made.stop_processing()
    thread.join(60)
    assert not results[0].success
    assert "stopped" in results[0].error
    assert not (tmp_path / "out.mkv").exists()
    assert results[0].checkpoint_path == str(tmp_path / "out.mkv.millstream.json")
    made.progress_tracker = None
    made.verify_results = False
    gone_on = made.process_streaming(str(long), str(tmp_path / "out.mkv"))
    assert (gone_on.success, gone_on.checkpoint_used, gone_on.frames_processed) == (True, True, 600)


# Quality


def test_a_validator_is_called_after_the_run_with_what_it_reads(clip: Path, tmp_path: Path) -> None:
    made = processor(tmp_path)
    made.quality_validator = CvValidator()
    metrics = made.process(str(clip), str(tmp_path / "out.mp4")).quality_metrics
    assert metrics["validator"]["format_valid"] == 1
    assert metrics["validator"]["framerate_consistency"] == 1
    assert metrics["validator"]["resolution_improvement_ratio"] == 4
    assert metrics["overall_score"] == metrics["validator"]["overall_score"]
    # What its sync check needs.
    assert float(stream(tmp_path / "out.mp4", "audio")["duration"]) == float(stream(clip, "audio")["duration"]) > 0


def test_a_validator_that_fails_is_a_metric_and_no_failure(clip: Path, tmp_path: Path) -> None:
    class Failing:
        def validate_master_quality(self, *_: Any) -> None:
            raise OSError("no ffprobe")

    made = processor(tmp_path)
    made.quality_validator = Failing()
    result = made.process(str(clip), str(tmp_path / "out.mp4"))
    assert result.success
    assert result.quality_metrics["validator_error"] == "OSError: no ffprobe"


# Frames


def test_tiles_are_really_enhanced(tmp_path: Path) -> None:
    tiles = [np.full((40, 48, 3), value, np.uint8) for value in (20, 200)]
    tiles[0][:, 24:] = 120
    made = StreamingVideoProcessor()
    enhanced = made.process_tiles(tiles, ProcessingStrategy(ai_model="real-esrgan"))
    assert [tile.shape for tile in enhanced] == [(80, 96, 3)] * 2
    assert abs(float(enhanced[1].mean()) - 200) < 4
    assert abs(float(enhanced[0][:, 60:].mean()) - 120) < 8


def test_raw_frames_go_through_a_callback_in_order_and_are_counted(tmp_path: Path) -> None:
    made = processor(tmp_path)
    made.total_frames = 5
    came: list[Any] = []

    def frames() -> Iterator[Any]:
        for value in (10, 60, 110):
            picture = np.full((32, 32, 3), value, np.uint8)
            picture[..., 0] += 100  # red: rgb24
            yield picture
        yield None
        raise AssertionError("None ends the stream")

    assert made.process_raw_frame_stream(frames(), came.append, {"frame_index": 2})
    assert made.current_frame_index == 5
    assert [frame.shape for frame in came] == [(64, 64, 3)] * 3
    assert [[round(float(c)) for c in frame[20, 20]] for frame in came] == [
        [110, 10, 10],
        [160, 60, 60],
        [210, 110, 110],
    ]


def test_a_failing_frame_ends_the_stream_as_false_and_says_why(tmp_path: Path) -> None:
    made = processor(tmp_path)
    assert not made.process_raw_frame_stream([np.zeros((8, 8))], lambda _: None)
    assert "uint8" in (made.last_error or "")


EXISTING = ROOT.parent / "shared" / "existing-configs" / "streaming_config.json"


@pytest.mark.skipif(not EXISTING.is_file(), reason="the existing system's configuration files are not here")
def test_their_streaming_configuration_drives_a_run(clip: Path, tmp_path: Path) -> None:
    made = StreamingVideoProcessor(str(EXISTING))
    assert (made.streaming_config.max_memory_mb, made.streaming_config.checkpoint_interval) == (2048, 500)
    made.config["millstream"] = QUICK
    result = made.process(str(clip), str(tmp_path / "out.mp4"))
    assert result.success, result.error
    assert not Path("/tmp/huaju4k_streaming").exists()
