"""Progress: a tracker of our own, and the way any tracker with huaju4k's interface is driven."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
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

    @property
    def stage_order(self) -> list[str]:
        return list(self.stages)

    def get_processing_speed(self) -> float | None:
        """Frames a second since the start; None before the first."""
        if self.start_time is None or not self.items_processed:
            return None
        return self.items_processed / max((self.end_time or time.time()) - self.start_time, 1e-6)

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
    wait for ever for a lock that their caller holds.

    A tracker that somebody has started already is not started again (that would set it back to 0) and not finished, and
    none of its stages is started: that would complete the stage its owner is in, and set back one that is done. There,
    stages are updated and completed only. In one that is started here, stages of somebody else's that the run has not
    touched are skipped at the end, so that it reaches 1.0.
    """

    def __init__(self, tracker: Any, interval_s: float) -> None:
        self._tracker = tracker
        self._interval_s = interval_s
        self._owner = getattr(tracker, "start_time", None) is None or getattr(tracker, "end_time", None) is not None
        self._started = False
        self.stage: str | None = None
        """the one in progress"""
        self._shares: dict[str, float] = {}
        self._items = 0  # told
        self._done = 0  # known
        self._last_update = float("-inf")
        self._broken: set[str] = set()
        present = self._stages()
        for name, display_name, weight in STAGES:
            if name not in present:
                self._call("add_stage", name, display_name, weight)

    @property
    def overall(self) -> float:
        """0..1 of this run, whatever the tracker makes of it. May be asked on any thread."""
        total = sum(weight for _, _, weight in STAGES)
        return sum(weight * self._shares.get(name, 0.0) for name, _, weight in STAGES) / total

    def _stages(self) -> Mapping[str, Any]:
        stages = getattr(self._tracker, "stages", None)
        return stages if isinstance(stages, Mapping) else {}

    def _call(self, method: str, *arguments: Any) -> None:
        call = getattr(self._tracker, method, None)
        if call is None or method in self._broken:
            return
        try:
            call(*arguments)
        except Exception as failure:
            self._broken.add(method)
            logger.warning("the progress tracker's %s failed and is not called again: %s", method, failure)

    def _tell(self, stage: str, progress: float, details: str | None) -> None:
        """A stage's substages, where somebody has given it any, stand for its own value."""
        self._call("update_stage_progress", stage, progress, details)
        for part in getattr(self._stages().get(stage), "substages", None) or []:
            self._call("update_substage_progress", stage, getattr(part, "name", ""), progress)

    def start(self, total_frames: int) -> None:
        self._started = True
        if self._owner:
            self._call("start_processing", total_frames)

    def begin(self, stage: str, details: str = "") -> None:
        """The stage before it is complete."""
        self.complete()
        self.stage = stage
        self._last_update = float("-inf")
        if self._owner:
            self._shares[stage] = 0.0
            self._call("start_stage", stage, details)
        else:
            stands_at = getattr(self._stages().get(stage), "progress", None)
            self._shares[stage] = float(stands_at) if isinstance(stands_at, int | float) else 0.0
            self._tell(stage, self._shares[stage], details)

    def update(self, progress: float, details: str = "", items: int = 0) -> None:
        """Rising, and no more often than the interval says."""
        self._done = max(self._done, items)
        now = time.monotonic()
        if self.stage is None or now - self._last_update < self._interval_s:
            return
        self._last_update = now
        self._shares[self.stage] = max(self._shares[self.stage], min(1.0, progress))
        self._tell(self.stage, self._shares[self.stage], details)
        self._tell_items()

    def count(self, items: int) -> None:
        """So many are done; the tracker hears of it at the next update, or when the stage is complete."""
        self._done = max(self._done, items)

    def _tell_items(self) -> None:
        if self._done > self._items:
            self._call("add_processed_items", self._done - self._items)
            self._items = self._done

    def complete(self) -> None:
        if self.stage is not None:
            self._tell_items()
            self._shares[self.stage] = 1.0
            self._tell(self.stage, 1.0, None)
            self._call("complete_stage", self.stage)
            self.stage = None

    def skip(self, stage: str, reason: str) -> None:
        self.complete()
        self._shares[stage] = 1.0
        self._tell(stage, 1.0, reason)
        self._call("skip_stage", stage, reason)

    def fail(self, reason: str) -> None:
        if not self._started:
            self.start(0)
        if self.stage is None:
            self.begin(STAGES[0][0])
        self._call("fail_stage", self.stage, reason)
        self.stage = None
        if self._owner:
            self._call("finish_processing", False)

    def finish(self) -> None:
        self.complete()
        if not self._owner:
            return
        for name, stage in list(self._stages().items()):
            status = getattr(stage, "status", None)
            if getattr(status, "value", status) == "not_started":  # an enumeration there
                self.skip(name, "no part of streaming")
        self._call("finish_processing", True)
