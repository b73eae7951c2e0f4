"""How a run ended, as the fields of ProcessResult and as a StreamingResult."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from millstream.compat.huaju4k._types import StreamingResult

if TYPE_CHECKING:
    from millstream import Report

_MB = 1024 * 1024


def succeeded(output: Path, report: Report, metrics: dict[str, Any], elapsed_s: float) -> dict[str, Any]:
    peak_mb = report.peak_rss_bytes / _MB
    return {
        "success": True,
        "output_path": str(output),
        "processing_time": elapsed_s,
        "quality_metrics": metrics,
        "performance_report": {
            "performance_metrics": {
                "frames_processed": report.frames,
                "average_fps": report.fps_mean,
                "enhancing_time_s": report.wall_s,
            },
            "resource_utilization": {
                "peak_memory_mb": peak_mb,
                "peak_vram_mb": (report.peak_vram_bytes or 0) / _MB,
                "output_mb": report.output_bytes / _MB,
            },
            "warnings": report.warnings,
            "resumed_frames": report.resumed_frames,
        },
        "memory_peak_mb": peak_mb,
        "frames_processed": report.frames,
        "processing_speed_fps": report.fps_mean,
        "error": None,
    }


def failed(why: str, output: Path | None, elapsed_s: float, frames: int) -> dict[str, Any]:
    checkpoint = Path(f"{output}.millstream.json") if output is not None else None
    return {
        "checkpoint_path": str(checkpoint) if checkpoint is not None and checkpoint.exists() else None,
        "success": False,
        "output_path": None,
        "processing_time": elapsed_s,
        "quality_metrics": {},
        "performance_report": {},
        "memory_peak_mb": 0.0,
        "frames_processed": frames,
        "processing_speed_fps": 0.0,
        "error": why,
    }


def streaming_result(outcome: dict[str, Any]) -> StreamingResult:
    use = outcome["performance_report"].get("resource_utilization", {})
    return StreamingResult(
        success=outcome["success"],
        output_path=outcome["output_path"] or "",
        processing_time=outcome["processing_time"],
        frames_processed=outcome["frames_processed"],
        peak_memory_mb=round(outcome["memory_peak_mb"]),
        peak_vram_mb=round(use.get("peak_vram_mb", 0)),
        average_fps=outcome["processing_speed_fps"],
        disk_usage_mb=round(use.get("output_mb", 0)),
        error_message=outcome["error"] or "",
        checkpoint_used=outcome["performance_report"].get("resumed_frames", 0) > 0,
    )
