"""Stand-ins for what the existing system brings: a tracker with its traps, a validator, its package as others see it.

Written from the facts about that system, not from its code.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np


class HangError(AssertionError):
    """A call that never comes back in the existing tracker."""


@dataclass
class TrackerStage:
    weight: float
    progress: float = 0.0
    status: str = "not_started"


@dataclass
class TrapTracker:
    """MultiStageProgressTracker as its callers meet it: no stages of its own, updates of unknown ones are lost, a start
    resets, and four methods hang once started."""

    stages: dict[str, TrackerStage] = field(default_factory=dict)
    current_stage: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    total_items: int = 0
    items_processed: int = 0
    lost: list[str] = field(default_factory=list)
    history: list[float] = field(default_factory=list)
    finished: bool | None = None
    starts: int = 0

    def add_stage(self, name: str, display_name: str, weight: float = 1.0) -> None:
        assert display_name
        self.stages[name] = TrackerStage(weight)

    def start_processing(self, total_items: int = 0) -> None:
        self.starts += 1
        self.start_time, self.total_items, self.items_processed = 1.0, total_items, 0
        for stage in self.stages.values():
            stage.progress, stage.status = 0.0, "not_started"

    def start_stage(self, name: str, details: str = "") -> None:
        if name not in self.stages:
            raise ValueError(name)
        if self.current_stage is not None and self.stages[self.current_stage].status == "in_progress":
            self.complete_stage(self.current_stage)
        self.stages[name].progress, self.stages[name].status = 0.0, "in_progress"
        self.current_stage = name
        self._record()

    def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
        if stage not in self.stages:
            self.lost.append(stage)
            return
        self.stages[stage].progress = min(1.0, max(0.0, progress))
        self._record()

    def complete_stage(self, name: str, details: str = "") -> None:
        self.stages[name].progress, self.stages[name].status = 1.0, "completed"
        self._record()

    def skip_stage(self, name: str, reason: str = "") -> None:
        self.stages[name].progress, self.stages[name].status = 1.0, "skipped"
        self._record()

    def fail_stage(self, name: str, error_details: str = "") -> None:
        self.stages[name].status = "failed"

    def add_processed_items(self, count: int) -> None:
        self.items_processed += count

    def finish_processing(self, success: bool = True) -> None:
        self.finished, self.end_time = success, 2.0

    def get_overall_progress(self) -> float:
        total = sum(stage.weight for stage in self.stages.values())
        return sum(stage.weight * stage.progress for stage in self.stages.values()) / total if total else 0.0

    def _record(self) -> None:
        self.history.append(self.get_overall_progress())

    def calculate_eta(self) -> float:
        raise HangError("calculate_eta")

    def display_progress_bar(self) -> None:
        raise HangError("display_progress_bar")

    def get_progress_snapshot(self) -> Any:
        raise HangError("get_progress_snapshot")

    def get_stage_summary(self) -> Any:
        raise HangError("get_stage_summary")


@dataclass
class QualityReport:
    overall_score: float
    metrics: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        return {"overall_score": np.float64(self.overall_score), **self.metrics}


class CvValidator:
    """Opens both files with OpenCV, as the existing validator does, and reads of the strategy what it reads."""

    def validate_master_quality(self, input_path: str, output_path: str, enhancement_strategy: Any) -> QualityReport:
        assert not Path(output_path + ".part").exists(), "called while the file was being written"
        before, after = cv2.VideoCapture(input_path), cv2.VideoCapture(output_path)
        metrics = {
            "format_valid": float(before.isOpened() and after.isOpened()),
            "framerate_consistency": float(after.get(cv2.CAP_PROP_FPS) > 0 and after.get(cv2.CAP_PROP_FRAME_COUNT) > 0),
            "resolution_improvement_ratio": self._pixels(after) / self._pixels(before),
            "brightness_stability": 1 - 5 * statistics.pstdev(self._brightness(after)),
            "gan": float(enhancement_strategy.gan_policy.global_allowed),
            "background_lock": float(enhancement_strategy.temporal_strategy.background_lock),
            "plan_steps": float(len(enhancement_strategy.resolution_plan)),
        }
        return QualityReport(statistics.fmean(metrics.values()), metrics)

    @staticmethod
    def _pixels(capture: cv2.VideoCapture) -> float:
        return float(capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT))

    @staticmethod
    def _brightness(capture: cv2.VideoCapture) -> list[float]:
        means = []
        while (frame := capture.read())[0]:
            means.append(float(frame[1].mean()) / 255)
        return means


THEIR_PACKAGE = {
    "huaju4k/__init__.py": "",
    "huaju4k/core/__init__.py": "",
    "huaju4k/core/interfaces.py": """
from abc import ABC, abstractmethod
class VideoProcessor(ABC):
    @abstractmethod
    def analyze_video(self, input_path): ...
    @abstractmethod
    def process(self, input_path, output_path, strategy): ...
    @abstractmethod
    def process_tiles(self, frames, strategy): ...
""",
    "huaju4k/models/__init__.py": "",
    "huaju4k/models/data_models.py": """
from dataclasses import dataclass
@dataclass
class ProcessResult:
    success: bool
    output_path: str
    error: str = None
    their_own: int = 7
""",
}


def write_their_package(folder: Path) -> None:
    """As much of the package as a caller of the drop-in may have beside it."""
    for name, text in THEIR_PACKAGE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
