"""The drop-in against the facts about the class it takes the place of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import millstream
import numpy as np
import pytest
from conftest import CLIPS, ffmpeg, files_in, make_video, stream
from existing_system import QUICK, CvValidator, TrapTracker, quick_processor
from millstream.compat import huaju4k
from millstream.compat.huaju4k import ProcessingStrategy, StreamingVideoProcessor


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


def test_r8_1_process_enhances_and_fills_every_field_callers_read(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
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
    result = quick_processor(tmp_path).process(str(source))
    assert result.output_path == str(tmp_path / "in" / "play_enhanced_streaming.mp4")
    assert Path(result.output_path).exists()


def test_r8_5_no_file_or_folder_is_made_but_the_output(clip: Path, tmp_path: Path) -> None:
    sections = {
        "temp_dir": str(tmp_path / "frames"),
        "models_dir": str(tmp_path / "models"),
        "paths": {"cache_dir": str(tmp_path / "cache")},
        "logging": {"file": str(tmp_path / "logs" / "x.log")},
        "keep_frames": True,
        "create_backup": True,
    }
    before = set(files_in(tmp_path))
    made = quick_processor(tmp_path, **sections)
    assert set(files_in(tmp_path)) - before == {"config.json"}, "a constructor makes nothing"
    made.quality_validator = CvValidator()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert set(files_in(tmp_path)) - before == {"config.json", "out.mp4"}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_r8_5_nothing_comes_and_goes_while_it_runs_either(clip: Path, tmp_path: Path, package_path: str) -> None:
    """Every file and folder that the process makes, as the kernel was asked for them."""
    log = tmp_path / "strace.log"
    trace = ["strace", "-f", "-qq", "-o", log, "-e", "trace=mkdir,mkdirat,mknod,mknodat,openat,open,creat"]
    code = """
import sys
from millstream.compat.huaju4k import StreamingVideoProcessor
asked = {"temp_dir": sys.argv[3], "keep_frames": True, "millstream": {"model": "identity", "preset": "ultrafast"}}
print(StreamingVideoProcessor.from_config(asked).process(sys.argv[1], sys.argv[2]).success)
"""
    run = subprocess.run(
        [*map(str, [*trace, sys.executable, "-B", "-c", code, clip, tmp_path / "out.mp4", tmp_path / "frames"])],
        env={**os.environ, "PYTHONPATH": package_path},
        capture_output=True,
        text=True,
    )
    assert run.stdout == "True\n", run.stderr
    calls = log.read_text()
    assert "mkdir" not in calls
    made = set(re.findall(r'"([^"]+)", [^"]*O_CREAT', calls))
    assert {Path(path).name for path in made if not path.startswith(("/dev/", "/proc/self/"))} <= {
        "out.mp4.part",
        "out.mp4.millstream.json.tmp",
    }


def test_r8_5_each_intermediate_file_feature_gets_one_warning(
    clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = quick_processor(tmp_path, temp_dir="/nowhere", paths={"cache_dir": "/nowhere"}, keep_frames=True)
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
    result = quick_processor(tmp_path).process(str(clip), str(tmp_path / "out.mp4"), strategy)
    assert result.success, result.error
    assert stream(tmp_path / "out.mp4", "video")["width"] == 192  # (0, 0): twice the input


def test_a_strategy_goes_before_the_configuration(clip: Path, tmp_path: Path) -> None:
    class Asked:  # no type of ours: attributes are enough
        target_resolution = (480, 320)
        quality_preset = "fast"

    made = quick_processor(
        tmp_path, target_resolution="288x192", video={"quality_presets": {"fast": {"batch_size": 3}}}
    )
    settings = dict(made._settings(Asked()))
    assert (settings["fit"], settings["batch"]) == ("480x320", "3")
    result = made.process(str(clip), str(tmp_path / "out.mp4"), Asked())
    assert stream(tmp_path / result.output_path, "video")["width"] == 480


def test_a_strategy_may_be_a_mapping_and_a_text_in_its_place_is_a_preset(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    assert dict(made._settings({"tile_size": (96, 96), "target_resolution": (480, 320)}))["fit"] == "480x320"
    asked = made.process(str(clip), str(tmp_path / "out.mp4"), {"target_resolution": (288, 192)})
    assert stream(tmp_path / asked.output_path, "video")["width"] == 288
    assert "theater_small" in made.process(str(clip), str(tmp_path / "x.mp4"), "theater_tiny").error  # lists them
    for wrong, word in (({"tile": 96}, "tile_size"), (7, "strategy = 7")):
        result = made.process(str(clip), str(tmp_path / "x.mp4"), wrong)
        assert (result.success, word in result.error) == (False, True)


def test_a_codec_of_a_strategy_goes_before_an_encoder_of_the_configuration(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path, video={"output": {"codec": "h264_nvenc"}})
    assert dict(made._settings(None))["encoder"] == "h264_nvenc"
    strategy = ProcessingStrategy(ai_model="opencv_cubic", media_pipeline={"video_codec": "libx265"})
    settings = dict(made._settings(strategy))
    assert (settings["codec"], "encoder" in settings) == ("hevc", False)
    assert made.process(str(clip), str(tmp_path / "out.mp4"), strategy).success
    assert stream(tmp_path / "out.mp4", "video")["codec_name"] == "hevc"


def test_callers_may_change_the_configuration_before_a_run(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    made.config["streaming"] = {"max_memory_mb": 3333}
    made.streaming_config.batch_size = 4
    settings = dict(made._settings(None))
    assert (settings["max_memory"], settings["batch"]) == (str(3333 * 2**20), "4")


def test_process_streaming_gives_the_other_result_type(clip: Path, tmp_path: Path) -> None:
    result = quick_processor(tmp_path).process_streaming(str(clip), str(tmp_path / "out.mp4"))
    assert isinstance(result, huaju4k.StreamingResult)
    assert (result.success, result.frames_processed, result.error_message) == (True, 8, "")
    assert result.peak_memory_mb > 50
    assert result.average_fps > 0
    assert not quick_processor(tmp_path).process_streaming("/missing.mp4", "/x.mp4").success


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
    made = quick_processor(tmp_path, **sections)
    tracker = made.progress_tracker = TrapTracker()
    result = made.process(str(source), str(tmp_path / "out.mp4"))
    assert not result.success
    assert result.error == result.error_message
    with pytest.raises(millstream.Error) as caught:
        millstream.plan(source, tmp_path / "out.mp4", config=tmp_path / "config.json")
    assert result.error == str(caught.value)
    assert tracker.finished is False
    assert "failed" in tracker.statuses()
    assert tracker.starts == 1
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


def test_r8_2_the_factory_chooses_by_configuration_and_by_argument() -> None:
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
    by_caller = huaju4k.create_video_processor(streaming_mode=False).process(str(clip))
    assert "by the caller" in by_caller.error
    later = huaju4k.create_video_processor()
    later.config["streaming"] = {"enabled": False}
    assert "by the caller" in later.process(str(clip)).error
    assert not later.process_raw_frame_stream([], lambda _: None)
    assert "streaming is switched off" in later.last_error
    with pytest.raises(RuntimeError, match="streaming is switched off"):
        later.process_tiles([], None)
    by_mode = huaju4k.create_video_processor({"streaming_mode": False}).process_streaming(str(clip), "x.mp4")
    assert "streaming_mode = false" in by_mode.error_message


# Progress


def test_r8_4_an_injected_tracker_is_driven_monotonically_to_the_end(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path, progress_update_interval=0)
    tracker = made.progress_tracker = TrapTracker()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert made.progress_tracker is tracker
    assert tracker.lost == []
    assert (tracker.starts, tracker.finished, tracker.total_items) == (1, True, 8)
    assert tracker.history == sorted(tracker.history)
    assert tracker.get_overall_progress() == 1
    assert tracker.statuses() == {"completed"}
    assert tracker.items_processed == 8


def test_a_tracker_that_is_running_is_not_started_again(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    tracker = made.progress_tracker = TrapTracker()
    tracker.add_stage("analyzing", "Of the caller", 2.0)
    tracker.add_stage("outer", "Outer", 2.0)
    tracker.start_processing(8)
    tracker.start_stage("analyzing")
    tracker.start_stage("outer")
    tracker.update_stage_progress("outer", 0.5)
    told = len(tracker.history)
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert (tracker.starts, tracker.finished) == (1, None)
    assert tracker.history[told:] == sorted(tracker.history[told:])  # "analyzing", which is done, is not set back
    assert (tracker.current_stage, tracker.stages["outer"].progress) == ("outer", 0.5)  # its owner is still in it
    assert {stage.progress for name, stage in tracker.stages.items() if name != "outer"} == {1.0}


def test_stages_of_a_tracker_that_streaming_has_no_use_for_do_not_keep_it_below_one(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    tracker = made.progress_tracker = TrapTracker()
    for name, weight in (
        ("analyzing", 2.0),
        ("strategy", 1.0),
        ("video_enhancement", 12.0),
        ("audio_enhancement", 4.0),
    ):
        tracker.add_stage(name, name.title(), weight)
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert tracker.get_overall_progress() == 1
    assert tracker.stages["video_enhancement"].status.value == "skipped"
    assert tracker.history == sorted(tracker.history)


def test_a_tracker_with_the_abstract_methods_alone_will_do(clip: Path, tmp_path: Path) -> None:
    class Minimal:
        seen: list[tuple[str, float]] = []  # noqa: RUF012

        def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
            self.seen.append((stage, progress))

    made = quick_processor(tmp_path)
    made.progress_tracker = Minimal()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert ("enhancing", 1.0) in Minimal.seen


@pytest.mark.parametrize(("sections", "times"), [({"ui": {"progress_update_interval": 0}}, 3), ({}, 1)])
def test_the_configuration_says_how_often_a_tracker_is_told(sections: dict[str, Any], times: int) -> None:
    made = StreamingVideoProcessor.from_config(sections)
    tracker = made.progress_tracker = TrapTracker()
    driver = made._driver()
    driver.start(100)
    driver.begin("enhancing")
    told = len(tracker.history)
    for progress in (0.1, 0.2, 0.3):  # at once: the default interval is half a second
        driver.update(progress)
    assert len(tracker.history) - told == times


def test_a_tracker_that_raises_ends_no_run(clip: Path, tmp_path: Path) -> None:
    class Broken(TrapTracker):
        def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
            raise OSError("no display")

    made = quick_processor(tmp_path)
    made.progress_tracker = Broken()
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success


def test_a_run_without_a_tracker_has_one_that_others_can_poll(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    assert made.process(str(clip), str(tmp_path / "out.mp4")).success
    assert made.progress_tracker.get_overall_progress() == 1
    assert made.progress_tracker.calculate_eta() == 0


def test_a_run_can_be_stopped_from_another_thread(tmp_path: Path) -> None:
    long = make_video(tmp_path / "long.mp4", size="320x180", frames=600, sound=False)
    made = quick_processor(tmp_path, progress_update_interval=0, streaming={"checkpoint_interval": 24})
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


def test_r8_4_a_validator_is_called_after_the_run_with_what_it_reads(clip: Path, tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    made.quality_validator = CvValidator()
    metrics = made.process(str(clip), str(tmp_path / "out.mp4")).quality_metrics
    assert "validator_error" not in metrics
    assert metrics["validator"]["format_valid"] == 1
    assert metrics["validator"]["duration_sync"] == pytest.approx(CvValidator.duration_sync(str(clip)), abs=0.001)
    assert metrics["validator"]["framerate_consistency"] == 1
    assert metrics["validator"]["resolution_improvement_ratio"] == 4
    assert metrics["overall_score"] == metrics["validator"]["overall_score"]
    # What its sync check needs.
    assert float(stream(tmp_path / "out.mp4", "audio")["duration"]) == float(stream(clip, "audio")["duration"]) > 0


def test_a_comparison_that_fails_is_a_metric_and_no_failure(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(millstream, "verify", fail)
    made = quick_processor(tmp_path)
    result = made.process(str(clip), str(tmp_path / "out.mp4"))
    assert result.success, result.error
    assert result.quality_metrics["verification_error"] == "OSError: the disk is gone"
    assert made.progress_tracker.get_overall_progress() == 1


def test_what_cannot_be_compared_frame_by_frame_is_said_and_not_taken_for_a_difference(
    clip: Path, tmp_path: Path
) -> None:
    made = quick_processor(tmp_path, millstream={**QUICK, "crop": "64:48:0:0"})
    result = made.process(str(clip), str(tmp_path / "out.mp4"))
    assert result.success, result.error
    assert "part of the picture" in result.quality_metrics["not_compared"]
    assert "verified" not in result.quality_metrics
    assert result.quality_metrics["audio_preserved"] == 1


def test_the_comparison_knows_what_was_asked_of_the_run(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    verify = millstream.verify

    def recorded(*files: Any, **options: Any) -> Any:
        asked.append(options)
        return verify(*files, **options)

    monkeypatch.setattr(millstream, "verify", recorded)
    sections = {**QUICK, "video_stream": 0, "bake_rotation": True, "pixel_format": "yuv444p"}
    made = quick_processor(tmp_path, millstream=sections)
    assert made.process(str(clip), str(tmp_path / "out.mp4")).quality_metrics["verified"] == 1
    told = [(options["video_stream"], options["turned"], options["pixel_format"]) for options in asked]
    assert told == [(0, True, "yuv444p")]


@pytest.mark.parametrize("deinterlace", ["auto", "off"])
def test_an_interlaced_source_is_no_difference_whether_its_fields_are_kept_or_not(
    deinterlace: str, tmp_path: Path
) -> None:
    weave = "testsrc2=size=192x144:rate=50:duration=1,interlace=scan=tff:lowpass=off"
    coding = ["-c:v", "libx264", "-crf", "10", "-flags", "+ilme+ildct", "-x264-params", "tff=1"]
    ffmpeg("-f", "lavfi", "-i", weave, *coding, tmp_path / "in.mkv")
    made = quick_processor(tmp_path, millstream={**QUICK, "scale": 1, "deinterlace": deinterlace})
    result = made.process(str(tmp_path / "in.mkv"), str(tmp_path / "out.mkv"))
    assert (result.quality_metrics["verified"], result.quality_metrics["differences"]) == (1, 0)


def test_a_validator_that_fails_is_a_metric_and_no_failure(clip: Path, tmp_path: Path) -> None:
    class Failing:
        def validate_master_quality(self, *_: Any) -> None:
            raise OSError("no ffprobe")

    made = quick_processor(tmp_path)
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


def test_calls_with_the_same_wishes_load_the_network_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    made_by = millstream.Enhancer.from_settings.__func__  # type: ignore[attr-defined]

    def counted(cls: Any, *arguments: Any, **named: Any) -> Any:
        loads.append(1)
        return made_by(cls, *arguments, **named)

    monkeypatch.setattr(millstream.Enhancer, "from_settings", classmethod(counted))
    made = quick_processor(tmp_path)
    tile = np.zeros((32, 32, 3), np.uint8)
    for _ in range(3):
        made.process_tiles([tile], None)
    assert len(loads) == 1
    made.process_tiles([tile], ProcessingStrategy(ai_model="opencv_cubic", batch_size=2))
    assert len(loads) == 2


def test_raw_frames_go_through_a_callback_in_order_and_are_counted(tmp_path: Path) -> None:
    made = quick_processor(tmp_path)
    made.total_frames = 5
    came: list[Any] = []

    def frames() -> Iterator[Any]:
        for value in (10, 60, 110):
            picture = np.full((32, 32, 3), value, np.uint8)
            picture[..., 0] += 100  # red: rgb24
            yield np.frombuffer(picture.tobytes(), np.uint8).reshape(picture.shape)  # read-only, as from a pipe
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
    made = quick_processor(tmp_path)
    assert not made.process_raw_frame_stream([np.zeros((8, 8))], lambda _: None)
    assert "uint8" in (made.last_error or "")
    assert not made.process_raw_frame_stream([], lambda _: None, {"frame_index": "third"})
    assert not made.is_processing


EXISTING = CLIPS.parent / "existing-configs" / "streaming_config.json"


@pytest.mark.skipif(not EXISTING.is_file(), reason="the existing system's configuration files are not here")
def test_r8_3_their_streaming_configuration_drives_a_run(clip: Path, tmp_path: Path) -> None:
    made = StreamingVideoProcessor(str(EXISTING))
    assert (made.streaming_config.max_memory_mb, made.streaming_config.checkpoint_interval) == (2048, 500)
    made.config["millstream"] = QUICK
    result = made.process(str(clip), str(tmp_path / "out.mp4"))
    assert result.success, result.error
    assert not Path("/tmp/huaju4k_streaming").exists()
