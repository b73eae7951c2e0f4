"""Names, signatures, fields and defaults of the drop-in, against the facts about what it takes the place of."""

from __future__ import annotations

import dataclasses
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import millstream
import pytest
from conftest import make_video
from existing_system import write_their_package
from millstream.compat import huaju4k
from millstream.compat.huaju4k import StreamingConfig, StreamingVideoProcessor


def positional(function: Any) -> list[tuple[str, Any]]:
    """What callers may pass in order. Whatever else it takes must have a default and a name."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    extra = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    assert all(p.default is None for p in extra)
    return [(p.name, p.default) for p in parameters if p not in extra]


def test_r8_1_signatures_are_those_of_the_class_it_replaces() -> None:
    required = inspect.Parameter.empty
    of = StreamingVideoProcessor
    assert positional(of) == [("config_path", None)]
    assert positional(of.analyze_video) == [("input_path", required)]
    assert positional(of.process) == [("input_path", required), ("output_path", None), ("strategy", None)]
    assert positional(of.process_tiles) == [("frames", required), ("strategy", required)]
    assert positional(of.process_streaming) == [("input_path", required), ("output_path", required)]
    assert positional(of.process_raw_frame_stream) == [
        ("frame_generator", required),
        ("frame_callback", required),
        ("checkpoint_data", None),
    ]
    assert positional(of.streaming_main_loop) == [
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
    assert vars(StreamingConfig({"streaming": dict.fromkeys(made.as_section())})) == vars(made)  # null: not said
    assert StreamingConfig({"streaming": {"enabled": False, "max_memory_mb": 9}}).max_memory_mb == 9
    assert not StreamingConfig({"streaming_mode": False}).streaming_enabled


# In the order in which the existing system constructs them.
FIELDS = {
    "VideoInfo": "resolution duration framerate codec bitrate has_audio audio_channels audio_sample_rate file_size "
    "format",
    "ProcessingStrategy": "tile_size overlap_pixels batch_size use_gpu ai_model quality_preset memory_limit_mb "
    "target_resolution denoise_strength media_pipeline audio_enhancement",
    "ProcessResult": "success output_path processing_time quality_metrics error performance_report memory_peak_mb "
    "frames_processed processing_speed_fps checkpoint_path error_message",
    "StreamingResult": "success output_path processing_time frames_processed peak_memory_mb peak_vram_mb average_fps "
    "disk_usage_mb error_message checkpoint_used",
    "TileConfiguration": "tile_width tile_height overlap batch_size memory_usage_mb processing_mode",
    "CheckpointData": "checkpoint_id timestamp processor_state processing_progress current_stage input_path "
    "output_path strategy metadata",
    "ResourceStatus": "available_memory_mb available_gpu_memory_mb cpu_usage_percent gpu_usage_percent disk_space_mb",
    "AudioResult": "success output_path processing_time quality_improvements theater_features error",
    "TheaterFeatures": "venue_size reverb_time noise_floor dialogue_frequency_range dynamic_range "
    "spatial_characteristics ambient_noise_profile",
    "EnhancementStrategy": "resolution_plan gan_policy temporal_strategy memory_policy audio_strategy "
    "strategy_version generation_timestamp source_features_hash",
    "GANPolicy": "global_allowed strength highlight_threshold shadow_threshold edge_threshold motion_threshold",
    "TemporalConfig": "background_lock strength motion_threshold optical_flow_enabled smoothing_alpha",
    "MemoryConfig": "max_model_loaded tile_size batch_size use_fp16 max_workers",
    "VideoConfig": "ai_model quality_presets",
    "AudioConfig": "theater_presets sample_rate bitrate channels dialogue_enhancement source_separation_enabled",
    "PerformanceConfig": "use_gpu max_memory_usage num_workers",
    "PresetConfig": "name description theater_size quality_level target_resolution denoise_strength dialogue_boost "
    "noise_reduction reverb_reduction preserve_naturalness tile_size batch_size memory_usage created_by created_at "
    "version",
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_type_has_the_fields_in_the_order_they_are_constructed(name: str) -> None:
    wanted = FIELDS[name].split()
    assert [field.name for field in dataclasses.fields(getattr(huaju4k, name))][: len(wanted)] == wanted
    assert name in huaju4k.__all__


def test_types_work_out_what_their_readers_ask_for() -> None:
    info = huaju4k.VideoInfo((1920, 1080), 10.0, 25.0, "h264", 5_000_000, True, 2, 48000, 99, "mov")
    assert (info.aspect_ratio, info.total_frames, info.is_4k) == (1920 / 1080, 250, False)
    result = huaju4k.ProcessResult(success=False, error_message="why")
    assert (result.error, result.error_message) == ("why", "why")
    assert (result.quality_metrics, result.performance_report, result.memory_peak_mb) == ({}, {}, 0)
    streaming = huaju4k.StreamingResult()
    assert (streaming.success, streaming.error_message, streaming.checkpoint_used) == (False, "", False)
    assert huaju4k.ResourceStatus(500, 0, 0.0, 0.0, 0).memory_pressure == "high"
    assert huaju4k.TemporalConfig().to_dict()["smoothing_alpha"] == 0.3


def test_a_configuration_as_an_object_holds_the_whole_file_and_looks_up_with_a_fallback() -> None:
    said = {"video": {"ai_model": "esrgan", "model_path": "x"}, "audio": {"theater_presets": {}}, "gizmo": 1}
    whole = huaju4k.HuaJu4KConfig.from_dict(said)
    assert whole.video.get_preset("high")["tile_size"] == 1024
    assert whole.audio.get_theater_preset("theater_medium_balanced")["dialogue_boost"] == 4
    assert whole.performance.num_workers == 2
    given_back = whole.to_dict()
    assert (given_back["gizmo"], given_back["video"]["model_path"], given_back["models_dir"]) == (1, "x", "./models")
    # As a configuration it says what is not default, and nothing else.
    made = huaju4k.create_video_processor(huaju4k.HuaJu4KConfig.from_dict({"video": {"ai_model": "opencv_cubic"}}))
    assert made._settings(None) == [("model", "identity")]


def test_what_callers_ask_to_be_saved_can_be_read_again(tmp_path: Path) -> None:
    preset = huaju4k.PresetConfig("mine", "话剧", "small", "fast", tile_size=640)
    preset.save_to_file(str(tmp_path / "mine.yaml"))
    assert millstream.config.read(tmp_path / "mine.yaml").options["tile"] == "640"
    huaju4k.EnhancementStrategy().save_to_file(str(tmp_path / "plan.json"))
    assert '"gan_policy": {' in (tmp_path / "plan.json").read_text()


def test_r8_1_their_interface_and_types_are_used_where_they_can_be_imported(tmp_path: Path, package_path: str) -> None:
    write_their_package(tmp_path / "theirs")
    clip = make_video(tmp_path / "clip.mp4", size="96x64", frames=4)
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


def test_a_package_of_theirs_that_cannot_be_imported_is_no_obstacle(tmp_path: Path, package_path: str) -> None:
    write_their_package(tmp_path / "theirs")
    (tmp_path / "theirs" / "huaju4k" / "core" / "__init__.py").write_text("raise AttributeError('torch')")
    (tmp_path / "theirs" / "huaju4k" / "models" / "__init__.py").write_text("import a_module_that_is_not_there")
    code = """
from millstream.compat.huaju4k import ProcessResult, StreamingVideoProcessor
print(type(StreamingVideoProcessor().process("missing.mp4")) is ProcessResult)
"""
    path = os.pathsep.join([package_path, str(tmp_path / "theirs")])
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert run.stdout == "True\n", run.stderr
