"""Configuration files through Python and through the command line: one reader behind both."""

from __future__ import annotations

import json
from pathlib import Path

import millstream
import pytest
from conftest import CLIPS, Run, files_in
from millstream import config

# The existing system's own files, where they are at hand.
EXISTING = CLIPS.parent / "existing-configs"

LIKE_THEIRS = {
    "streaming": {"enabled": True, "max_memory_mb": 3000, "batch_size": 1, "checkpoint_interval": 500},
    "video": {"ai_model": "opencv_cubic", "quality_presets": {"high": {"tile_size": 1024, "denoise_strength": 0.9}}},
    "temp_dir": "/nowhere/frames",
    "progress_update_interval": 1.0,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(LIKE_THEIRS))
    return path


def test_a_job_follows_its_configuration_and_arguments_go_before_it(video: Path, file: Path, tmp_path: Path) -> None:
    warnings: list[str] = []
    report = millstream.enhance(
        video,
        tmp_path / "out.mp4",
        config=file,
        quality="high",
        batch=2,
        preset="ultrafast",
        message=lambda severity, text: warnings.append(text) if severity == "warning" else None,
    )
    options = report.plan.options
    assert (options["model"], options["max_memory"], options["tile"]) == ("identity", 3000 * 2**20, 1024)
    assert options["batch"] == 2
    assert [word for word in warnings if "temp_dir" in word]
    assert set(files_in(tmp_path)) == {"theirs.json", "out.mp4"}


def test_the_command_line_and_python_understand_a_file_alike(file: Path, run: Run) -> None:
    shown = run("config", "show", "--config", file, "--quality", "high", "--crf", "20").stdout
    # The memory of this machine is part of neither.
    assert shown == config.resolve(file, quality="high", crf=20).text.replace("argument", "command line")
    assert run("config", "explain", file).stdout == config.read(file).explain()


def test_the_command_line_takes_options_from_a_file_and_its_own_go_before(file: Path, video: Path, run: Run) -> None:
    plan = json.loads(run("inspect", video, "--config", file, "--batch", "3", "--json").stdout)
    assert (plan["options"]["model"], plan["options"]["batch"]) == ("identity", 3)
    assert plan["options"]["max_memory"] == 3000 * 2**20


def test_a_wrong_value_ends_with_file_key_value_and_what_is_allowed(tmp_path: Path, video: Path, run: Run) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("streaming:\n  max_memory_mb: plenty\n")
    result = run("inspect", video, "--config", wrong)
    assert result.returncode == 2
    for word in (str(wrong), "streaming.max_memory_mb", '"plenty"', "whole number from 1"):
        assert word in result.stderr
    with pytest.raises(millstream.Error, match=r"streaming\.max_memory_mb") as caught:
        config.read(wrong)
    assert caught.value.kind == millstream.ErrorKind.USAGE


def test_a_missing_file_is_an_error_and_no_silent_default(tmp_path: Path, video: Path) -> None:
    with pytest.raises(millstream.Error, match=r"missing\.json"):
        millstream.plan(video, tmp_path / "out.mp4", config=tmp_path / "missing.json")


def test_a_quality_that_nothing_knows_is_refused(file: Path, video: Path, tmp_path: Path) -> None:
    with pytest.raises(millstream.Error, match=r"quality = ultra.*fast, balanced, high"):
        millstream.plan(video, tmp_path / "out.mp4", config=file, quality="ultra")


def test_presets_have_names_and_lie_below_the_configuration(tmp_path: Path) -> None:
    assert "theater_medium_balanced" in config.presets()
    values = {v.name: v for v in config.resolve({"tile_size": 640}, profile="theater_medium_balanced").values}
    assert (values["tile"].text, values["fit"].text, values["batch"].text) == ("640", "3840x2160", "2")
    assert values["fit"].origin.startswith("preset theater_medium_balanced")


def test_a_scale_among_the_arguments_goes_before_a_size_of_the_preset(video: Path, tmp_path: Path) -> None:
    plan = millstream.plan(video, tmp_path / "out.mp4", profile="theater_small_fast", scale=2, model="identity")
    assert (plan.output_size.width, plan.output_size.height) == (320, 180)


def test_a_codec_among_the_arguments_goes_before_an_encoder_of_the_configuration(video: Path, tmp_path: Path) -> None:
    asked = {"video": {"output": {"codec": "mpeg4_v4l2m2m"}}}  # taken for an encoder, which goes before a codec
    options = millstream.plan(video, tmp_path / "out.mp4", config=asked, codec="hevc", model="identity").options
    assert (options["codec"], options["encoder"]) == ("hevc", "")
    ours = {"millstream": {"codec": "av1"}}
    plan = millstream.plan(video, tmp_path / "out.mp4", config=ours, encoder="libx264", model="identity")
    assert plan.encoder == "libx264"


# Two files are of scripts beside that system, with keys that no loader of it knows: all but these are unknown.
OF_LOOSE_SCRIPTS = {
    "audio_enhancement_config.json": {"description", "noise_reduction", "version"},
    "optimized_config.json": {"description", "version"},
}


def existing_files() -> list[Path]:
    return sorted(path for path in EXISTING.rglob("*") if path.suffix in {".json", ".yaml"})


@pytest.mark.skipif(not EXISTING.is_dir(), reason="the existing system's configuration files are not here")
@pytest.mark.parametrize("path", existing_files(), ids=lambda path: path.name)
def test_r8_3_every_file_of_the_existing_system_loads_as_it_is(path: Path) -> None:
    read = config.read(path)
    known = {key.key for key in read.keys if key.effect != "unknown"}
    assert known == OF_LOOSE_SCRIPTS.get(path.name, {key.key for key in read.keys})
    assert len([warning for warning in read.warnings if "no meaning" in warning]) <= 1
    assert all(key.meaning for key in read.keys if key.effect != "unknown")


@pytest.mark.skipif(not EXISTING.is_dir(), reason="the existing system's configuration files are not here")
def test_their_streaming_file_says_the_same_as_json_and_as_yaml() -> None:
    as_json = config.read(EXISTING / "streaming_config.json")
    as_yaml = config.read(EXISTING / "generated" / "streaming_config.yaml")
    assert as_json.content == as_yaml.content
    assert as_json.options == as_yaml.options
    assert as_json.options["max_memory"] == "2048MiB"
    assert not [key for key in as_json.keys if key.effect == "unknown"]
