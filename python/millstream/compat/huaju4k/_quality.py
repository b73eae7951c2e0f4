"""What is said of a result's quality: our own comparison with the source, and a validator the caller hands in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import millstream
from millstream.compat.huaju4k._types import EnhancementStrategy, GANPolicy, TemporalConfig

logger = logging.getLogger(__name__)


Watch = Callable[[millstream.Progress], object] | None


def compare(source: Path, output: Path, report: millstream.Report, progress: Watch) -> dict[str, Any]:
    """Numbers by name. That they could not be had is one more metric: the output is complete all the same."""
    try:
        why = _not_comparable(report)
        compared = {"not_compared": why} if why else _verified(source, output, report, progress)
        return compared | _simple_check(source, output, report)
    except Exception as failure:
        logger.warning("the output could not be compared with its source: %s", failure)
        return {"verification_error": f"{type(failure).__name__}: {failure}"}


def _not_comparable(report: millstream.Report) -> str:
    """Why frames of the output do not pair with those of the source; empty where they do."""
    if report.plan.options.get("deinterlace") == "field":
        return "the output has a picture of every field"
    return "the output is a part of the picture" if report.plan.options.get("crop") not in (None, "off") else ""


def _verified(source: Path, output: Path, report: millstream.Report, progress: Watch) -> dict[str, Any]:
    left_out = [stream.index for stream in report.plan.streams if stream.action == "drop"]
    asked = report.plan.options
    verification = millstream.verify(
        source,
        output,
        left_out=left_out,
        video_stream=asked["video_stream"],
        turned=asked["bake_rotation"],
        convert_subtitles=asked["convert_subtitles"],
        pixel_format=report.plan.output_pixel_format,
        progress=progress,
    )
    frames = sum(scene["frames"] for scene in verification.scenes) or 1
    return {
        "verified": float(verification.holds),
        "differences": float(sum(check.differences for check in verification.checks)),
        "frames_compared": float(verification.result_frames),
        "psnr_db": sum(scene["psnr_db"] * scene["frames"] for scene in verification.scenes) / frames,
        "ssim": sum(scene["ssim"] * scene["frames"] for scene in verification.scenes) / frames,
    }


def _simple_check(source: Path, output: Path, report: millstream.Report) -> dict[str, Any]:
    """What huaju4k's own check without a validator says."""
    before, after = millstream.probe(source), millstream.probe(output)
    chosen = report.plan.options.get("video_stream")
    was, now = before.streams[before.video_stream if chosen is None else chosen].video, after.video.video
    assert was is not None
    assert now is not None
    return {
        "file_exists": 1.0,
        "resolution_improvement_ratio": now.width * now.height / (was.width * was.height),
        "framerate_preserved": float(abs(now.average_rate - was.average_rate) < 0.1),
        "duration_preserved": float(abs(after.duration_s - before.duration_s) < 1),
        "audio_preserved": float(_sounds(after) >= _sounds(before)),
        "file_size_ratio": after.bytes / before.bytes,
    }


def _sounds(source: millstream.SourceFile) -> int:
    return sum(stream.kind == "audio" for stream in source.streams)


def strategy_of(report: millstream.Report) -> EnhancementStrategy:
    """The run as a validator's third argument: what was done, in huaju4k's terms."""
    steps = round(report.plan.output_size.width / report.plan.input_size.width)
    held_still = report.plan.options.get("temporal") != "off"
    return EnhancementStrategy(
        resolution_plan=["x2", "x2"] if steps >= 4 else ["x2"],
        gan_policy=GANPolicy(global_allowed=False),
        temporal_strategy=TemporalConfig(background_lock=held_still),
    )


def ask(validator: Any, source: Path, output: Path, report: millstream.Report) -> dict[str, Any]:
    """What `validator.validate_master_quality` says, as metrics. What it raises is a metric, too, and logged."""
    try:
        said = validator.validate_master_quality(str(source), str(output), strategy_of(report))
    except Exception as failure:
        logger.warning("the quality validator failed: %s", failure)
        return {"validator_error": f"{type(failure).__name__}: {failure}"}
    as_dict = said.to_dict() if hasattr(said, "to_dict") else said
    score = getattr(said, "overall_score", None)
    return {"validator": as_dict} | ({} if score is None else {"overall_score": float(score)})
