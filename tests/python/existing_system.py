"""Stand-ins for what the existing system brings: a tracker with its traps, a validator, its package as others see it.

Written from the facts about that system, not from its code.
"""

from __future__ import annotations

import enum
import json
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from millstream.compat.huaju4k import StreamingVideoProcessor

QUICK = {"model": "identity", "preset": "ultrafast", "temporal": "off"}


def quick_processor(folder: Path, **sections: Any) -> StreamingVideoProcessor:
    """Of a configuration file in `folder`, with the cheapest network there is."""
    file = folder / "config.json"
    file.write_text(json.dumps({"millstream": QUICK} | sections))
    return StreamingVideoProcessor(str(file))


class HangError(BaseException):
    """A call that never comes back in the existing tracker. Nothing that guards against exceptions may hide it."""


class StageStatus(enum.Enum):
    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass
class TrackerStage:
    name: str
    weight: float
    progress: float = 0.0
    status: StageStatus = StageStatus.NOT_STARTED
    substages: list[TrackerStage] = field(default_factory=list)

    def value(self) -> float:
        """Substages, where there are any, replace the stage's own value."""
        if not self.substages:
            return self.progress
        return statistics.fmean((sub.progress for sub in self.substages), (sub.weight for sub in self.substages))


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
        self.stages[name] = TrackerStage(name, weight)

    def add_substage(self, parent_stage: str, name: str, display_name: str, weight: float = 1.0) -> None:
        if parent_stage not in self.stages:
            raise ValueError(parent_stage)
        assert display_name
        self.stages[parent_stage].substages.append(TrackerStage(name, weight))

    def start_processing(self, total_items: int = 0) -> None:
        self.starts += 1
        self.start_time, self.total_items, self.items_processed = 1.0, total_items, 0
        for stage in self.stages.values():
            stage.progress, stage.status = 0.0, StageStatus.NOT_STARTED
            for sub in stage.substages:
                sub.progress = 0.0

    def start_stage(self, name: str, details: str = "") -> None:
        if name not in self.stages:
            raise ValueError(name)
        if self.current_stage is not None and self.stages[self.current_stage].status is StageStatus.IN_PROGRESS:
            self.complete_stage(self.current_stage)
        self.stages[name].progress, self.stages[name].status = 0.0, StageStatus.IN_PROGRESS
        self.current_stage = name
        self._record()

    def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
        if stage not in self.stages:
            self.lost.append(stage)
            return
        self.stages[stage].progress = min(1.0, max(0.0, progress))
        self._record()

    def update_substage_progress(self, parent: str, sub: str, progress: float, details: str | None = None) -> None:
        next(stage for stage in self.stages[parent].substages if stage.name == sub).progress = progress
        self._record()

    def complete_stage(self, name: str, details: str = "") -> None:
        self.stages[name].progress, self.stages[name].status = 1.0, StageStatus.COMPLETED
        self._record()

    def skip_stage(self, name: str, reason: str = "") -> None:
        self.stages[name].progress, self.stages[name].status = 1.0, StageStatus.SKIPPED
        self._record()

    def statuses(self) -> set[str]:
        return {stage.status.value for stage in self.stages.values()}

    def fail_stage(self, name: str, error_details: str = "") -> None:
        self.stages[name].status = StageStatus.FAILED

    def add_processed_items(self, count: int) -> None:
        self.items_processed += count

    def finish_processing(self, success: bool = True) -> None:
        self.finished, self.end_time = success, 2.0

    def get_overall_progress(self) -> float:
        total = sum(stage.weight for stage in self.stages.values())
        return sum(stage.weight * stage.value() for stage in self.stages.values()) / total if total else 0.0

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
    """Opens both files with OpenCV and ffprobe, as the existing validator does, and reads of the strategy what it
    reads. A part that fails is not hidden here."""

    def validate_master_quality(self, input_path: str, output_path: str, enhancement_strategy: Any) -> QualityReport:
        assert not Path(output_path + ".part").exists(), "called while the file was being written"
        before, after = cv2.VideoCapture(input_path), cv2.VideoCapture(output_path)
        frames = self._frames(after)
        light = [frame.mean() / 255 for frame in frames]
        edges = [float((cv2.Canny(frame, 50, 150) > 0).mean()) for frame in frames]
        sizes = Path(output_path).stat().st_size / Path(input_path).stat().st_size
        metrics = {
            "size_ratio": sizes,
            "format_valid": float(before.isOpened() and after.isOpened()),
            "framerate_consistency": float(after.get(cv2.CAP_PROP_FPS) > 0 and after.get(cv2.CAP_PROP_FRAME_COUNT) > 0),
            "resolution_improvement_ratio": self._pixels(after) / self._pixels(before),
            "brightness_stability": 1 - 5 * statistics.pstdev(light),
            "edge_stability": 1 - 10 * statistics.pstdev(edges),
            "highlight_clipping": 1 - 20 * statistics.fmean(float((frame >= 250).mean()) for frame in frames),
            "duration_sync": self.duration_sync(output_path),
            "gan": float(enhancement_strategy.gan_policy.global_allowed),
            "background_lock": float(enhancement_strategy.temporal_strategy.background_lock),
            "plan_steps": float(len(enhancement_strategy.resolution_plan)),
        }
        return QualityReport(statistics.fmean(metrics.values()), metrics)

    @staticmethod
    def _pixels(capture: cv2.VideoCapture) -> float:
        return float(capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT))

    @staticmethod
    def _frames(capture: cv2.VideoCapture) -> list[Any]:
        frames = []
        while (frame := capture.read())[0]:
            frames.append(cv2.cvtColor(frame[1], cv2.COLOR_BGR2GRAY))
        return frames

    @staticmethod
    def duration_sync(path: str) -> float:
        command = ["ffprobe", "-v", "quiet", "-print_format", "json", "-show_streams", path]
        streams = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)["streams"]
        video, sound = (float(next(s for s in streams if s["codec_type"] == kind)["duration"]) for kind in _KINDS)
        return 1 - abs(video - sound) / 2


_KINDS = ("video", "audio")


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
