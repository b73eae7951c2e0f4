"""Progress: a tracker of our own, and the way any tracker with huaju4k's interface is driven."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

STAGES = (
    ("analyzing", "Analysing the input", 1.0),
    ("preparing", "Preparing network and encoder", 1.0),
    ("enhancing", "Enhancing", 12.0),
    ("finalizing", "Completing the file", 1.0),
    ("validation", "Checking the result", 2.0),
)


@dataclass
class Stage:
    """One stage of StageTracker."""

    name: str
    display_name: str
    weight: float
    progress: float = 0.0
    status: str = "not_started"
    details: str = ""


class StageTracker:
    """What StreamingVideoProcessor tracks its progress with where nobody gives it a tracker. Never blocks."""

    def __init__(self, update_interval: float = 0.5) -> None:
        self.update_interval = update_interval
        self.stages: dict[str, Stage] = {}
        self.current_stage: str | None = None
        self.start_time: float | None = None
        self.end_time: float | None = None
        self.total_items = 0
        self.items_processed = 0

    def add_stage(self, name: str, display_name: str, weight: float = 1.0) -> None:
        self.stages[name] = Stage(name, display_name, weight)

    def start_processing(self, total_items: int = 0) -> None:
        self.start_time, self.end_time = time.time(), None
        self.total_items, self.items_processed = total_items, 0
        self.stages = {name: Stage(name, stage.display_name, stage.weight) for name, stage in self.stages.items()}

    def start_stage(self, name: str, details: str = "") -> None:
        stage = self.stages[name]
        stage.status, stage.progress, stage.details = "in_progress", 0.0, details
        self.current_stage = name

    def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
        if stage in self.stages:
            self.stages[stage].progress = min(1.0, max(0.0, progress))
            self.stages[stage].details = details or self.stages[stage].details

    def complete_stage(self, name: str, details: str = "") -> None:
        self.stages[name].status, self.stages[name].progress = "completed", 1.0
        self.stages[name].details = details

    def skip_stage(self, name: str, reason: str = "") -> None:
        self.stages[name].status, self.stages[name].progress = "skipped", 1.0
        self.stages[name].details = reason

    def fail_stage(self, name: str, error_details: str = "") -> None:
        self.stages[name].status, self.stages[name].details = "failed", error_details

    def add_processed_items(self, count: int) -> None:
        self.items_processed += count

    def finish_processing(self, success: bool = True) -> None:
        self.end_time = time.time()
        self.current_stage = None

    def get_overall_progress(self) -> float:
        total = sum(stage.weight for stage in self.stages.values())
        return sum(stage.weight * stage.progress for stage in self.stages.values()) / total if total else 0.0

    def calculate_eta(self) -> float:
        """Seconds; 0 where nothing can be said yet."""
        done = self.get_overall_progress()
        if self.start_time is None or done <= 0:
            return 0.0
        return (time.time() - self.start_time) * (1 - done) / done

    def display_progress_bar(self) -> None:
        """Prints nothing: whoever wants a bar asks get_overall_progress()."""


class TrackerDriver:
    """Drives a tracker from the first stage to 1.0, or to a failed stage.

    Every call is optional for the tracker; what raises is logged once and not called again. calculate_eta,
    display_progress_bar, get_progress_snapshot and get_stage_summary are never called: in huaju4k's own tracker they
    wait for ever for a lock that their caller holds. A tracker that somebody has started already is not started again
    (that would set it back to 0) and not finished.
    """

    def __init__(self, tracker: Any, interval_s: float) -> None:
        self._tracker = tracker
        self._interval_s = interval_s
        self._owner = getattr(tracker, "start_time", None) is None or getattr(tracker, "end_time", None) is not None
        self._stage: str | None = None
        self._progress = 0.0
        self._items = 0
        self._last_update = float("-inf")
        self._broken: set[str] = set()
        present = getattr(tracker, "stages", None) or {}
        for name, display_name, weight in STAGES:
            if name not in present:
                self._call("add_stage", name, display_name, weight)

    def _call(self, method: str, *arguments: Any) -> None:
        call = getattr(self._tracker, method, None)
        if call is None or method in self._broken:
            return
        try:
            call(*arguments)
        except Exception as failure:
            self._broken.add(method)
            logger.warning("the progress tracker's %s failed and is not called again: %s", method, failure)

    def start(self, total_frames: int) -> None:
        if self._owner:
            self._call("start_processing", total_frames)

    def begin(self, stage: str, details: str = "") -> None:
        """The stage before it is complete."""
        self.complete()
        self._stage, self._progress = stage, 0.0
        self._last_update = float("-inf")
        self._call("start_stage", stage, details)

    def update(self, progress: float, details: str = "", items: int = 0) -> None:
        """Rising, and no more often than the interval says."""
        now = time.monotonic()
        if self._stage is None or now - self._last_update < self._interval_s:
            return
        self._last_update = now
        self._progress = max(self._progress, min(1.0, progress))
        self._call("update_stage_progress", self._stage, self._progress, details)
        if items > self._items:
            self._call("add_processed_items", items - self._items)
            self._items = items

    def complete(self) -> None:
        if self._stage is not None:
            self._call("update_stage_progress", self._stage, 1.0, None)
            self._call("complete_stage", self._stage)
            self._stage = None

    def skip(self, stage: str, reason: str) -> None:
        self.complete()
        self._call("skip_stage", stage, reason)

    def fail(self, reason: str) -> None:
        self._call("fail_stage", self._stage or STAGES[0][0], reason)
        self._stage = None
        if self._owner:
            self._call("finish_processing", False)

    def finish(self) -> None:
        self.complete()
        if self._owner:
            self._call("finish_processing", True)
