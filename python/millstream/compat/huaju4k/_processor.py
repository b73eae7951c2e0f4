"""The processor itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import millstream
from millstream import config as configuration
from millstream._calls import run_job
from millstream.compat.huaju4k import _outcomes, _quality, _theirs
from millstream.compat.huaju4k._progress import StageTracker, TrackerDriver
from millstream.compat.huaju4k._settings import (
    DEFAULT_CONFIG,
    NotDoneError,
    StreamingConfig,
    StreamingConfigManager,
    changes,
    error_text,
    merged,
    settings_for,
    strategy_as_config,
)
from millstream.compat.huaju4k._types import ProcessResult, StreamingResult, VideoInfo

if TYPE_CHECKING:
    from millstream import Plan, Progress, Report

logger = logging.getLogger(__name__)


class StreamingVideoProcessor:
    """huaju4k's class of this name: `analyze_video`, `process`, `process_streaming`, `process_tiles`,
    `process_raw_frame_stream`.

    Frames stay in memory; the one file written is the output, which replaces an older one only when it is complete. No
    folder is made. A configuration that cannot be used does not make the constructor fail: it is logged as an error,
    kept in `configuration_error`, and every run ends in a failed result that names it.
    """

    def __init__(self, config_path: str | None = None) -> None:
        _theirs.register(StreamingVideoProcessor)
        self.config_manager = StreamingConfigManager()
        self.configuration_error: millstream.Error | None = None
        self._source = str(config_path) if config_path is not None else "configuration"
        self._content: dict[str, Any] = {}
        try:
            self._content = configuration.read(config_path).content if config_path is not None else {}
        except millstream.Error as error:
            self.configuration_error = error
            logger.error("%s", error)
        self._set_config(merged(self.config_manager.load_config(), self._content))

        self.progress_tracker: Any = None
        """Set it before a run to have your own driven; made at the first run where it is still None."""
        self.quality_validator: Any = None
        """An object with validate_master_quality(input, output, strategy): called after the run."""
        self.traditional_processor: Any = None
        """What process() hands over to where streaming is switched off."""
        self.verify_results = True
        """Compare the output with its source after the run: fills quality_metrics, and costs decoding both once."""
        # Parts of the other implementation that callers may look at; there is nothing behind them here.
        self.video_analyzer: Any = None
        self.ai_model_manager: Any = None
        self.memory_buffer: Any = None
        self.gpu_memory_manager: Any = None

        self.is_processing = False
        self.current_frame_index = 0
        self.total_frames = 0
        self.start_time: float | None = None
        self.device = "cpu"
        self.use_gpu = False
        self.last_error: str | None = None
        """Why the last call that can only return False did so."""
        self._stopping = False
        self._driving: TrackerDriver | None = None
        self._kept: tuple[Any, Any] | None = None

    @classmethod
    def from_config(cls, config: Any) -> StreamingVideoProcessor:
        """The same for a file, its content, or an object whose to_dict() is that content (HuaJu4KConfig): of such an
        object, what differs from the defaults."""
        if hasattr(config, "to_dict"):
            config = changes(config.to_dict(), DEFAULT_CONFIG)
        if not isinstance(config, Mapping):
            return cls(None if config is None else str(config))
        processor = cls()
        try:
            processor._content = configuration.read(config).content
        except millstream.Error as error:
            processor.configuration_error = error
            logger.error("%s", error)
        processor._set_config(merged(processor.config, processor._content))
        return processor

    def _set_config(self, config: dict[str, Any]) -> None:
        self.config = config
        self._original = merged(config, {})
        self.streaming_config = StreamingConfig(config)
        self._original_streaming = self.streaming_config.as_section()

    # What the abstract VideoProcessor asks for.

    def analyze_video(self, input_path: str) -> Any:
        """VideoInfo of the first video and the first audio stream. Raises FileNotFoundError for a missing file, and
        millstream.Error (a RuntimeError) for one that is no video."""
        if not Path(input_path).exists():
            raise FileNotFoundError(f"opening the input ({input_path}): there is no such file")
        source = millstream.probe(input_path)
        stream = source.video
        video = stream.video
        assert video is not None
        audio = next((s for s in source.streams if s.kind == "audio"), None)
        duration = stream.duration_s or source.duration_s
        overall_rate = round(source.bytes * 8 / source.duration_s) if source.duration_s else 0
        return _theirs.made(
            "VideoInfo",
            VideoInfo,
            resolution=(video.width, video.height),
            duration=duration,
            framerate=video.nominal_rate or video.average_rate,
            codec=stream.codec,
            bitrate=stream.bit_rate or overall_rate,
            has_audio=audio is not None,
            audio_channels=audio.channels if audio else 0,
            audio_sample_rate=audio.sample_rate if audio else 0,
            file_size=source.bytes,
            format=source.container,
        )

    def process(
        self,
        input_path: str,
        output_path: str | None = None,
        strategy: Any = None,
        *,
        preset: str | None = None,
        quality: str | None = None,
    ) -> Any:
        """Enhances a file. `strategy`: any object with the attributes of ProcessingStrategy, or a mapping of them; it
        goes before the configuration. `preset` (a name or a file, below the configuration) and `quality` (fast,
        balanced, high): as huaju4k's `enhance` command gives them to its own processor, whose third argument is the
        preset: a text in that place is one here, too. Never raises for what is wrong with files or values: the result
        says it."""
        named = {name: word for name, word in (("preset", preset), ("quality", quality)) if word is not None}
        if not self._streams() and self.traditional_processor is not None:
            rest = () if strategy is None else (strategy,)  # the third argument of one of theirs is the preset
            return self.traditional_processor.process(input_path, output_path, *rest, **named)
        if isinstance(strategy, str):
            named.setdefault("preset", strategy)
            strategy = None
        outcome = self._outcome(input_path, output_path, strategy, **named)
        return _theirs.made("ProcessResult", ProcessResult, **outcome)

    def process_tiles(self, frames: list[Any], strategy: Any) -> list[Any]:
        """Enhances pictures, each for itself: uint8 (h, w, 3) arrays in OpenCV's order (BGR) in and out. The network
        is loaded once for calls that ask for the same. Raises RuntimeError: millstream.Error, or where streaming is
        switched off and no traditional processor takes them."""
        if not self._streams() and self.traditional_processor is not None:
            taken: list[Any] = self.traditional_processor.process_tiles(frames, strategy)
            return taken
        self._refuse_without_streaming()
        enhancer = self._enhancer(strategy)
        return [enhancer(frame) for frame in frames]

    # What its callers use beside that.

    def process_streaming(self, input_path: str, output_path: str) -> StreamingResult:
        """As process(), with the other result type."""
        return _outcomes.streaming_result(self._outcome(input_path, output_path, None))

    def process_raw_frame_stream(
        self,
        frame_generator: Iterable[Any],
        frame_callback: Callable[[Any], object],
        checkpoint_data: dict[str, Any] | None = None,
    ) -> bool:
        """Enhances frames from a generator into a callback, in order, with temporal history; several are in flight.

        Frames are uint8 (h, w, 3) arrays as FFmpeg's rgb24 pipes have them (R first), in and out; None ends the stream.
        `checkpoint_data["frame_index"]`: the number of frames that were done before the generator's first one. False:
        `last_error` says why.
        """
        self._begin()
        driver = self._driver()
        driver.start(self.total_frames)
        driver.begin("enhancing")
        try:
            self._refuse_without_streaming()
            self.current_frame_index = int((checkpoint_data or {}).get("frame_index", 0))
            for frame in self._enhancer(None, order="rgb").stream(_until_none(frame_generator)):
                frame_callback(frame)
                self.current_frame_index += 1
                self._check_stop()
                share = self.current_frame_index / self.total_frames if self.total_frames else 0.0
                driver.update(share, f"frame {self.current_frame_index}", self.current_frame_index)
        except Exception as failure:
            self.last_error = error_text(failure)
            logger.error("enhancing frames failed after %d: %s", self.current_frame_index, self.last_error)
            driver.fail(self.last_error)
            return False
        finally:
            self.is_processing = False
        driver.finish()
        return True

    def streaming_main_loop(
        self, input_path: str, output_path: str, checkpoint_data: dict[str, Any] | None = None
    ) -> bool:
        """Deprecated there and always False; use process_streaming."""
        logger.warning("streaming_main_loop does nothing: use process_streaming")
        return False

    def stop_processing(self) -> bool:
        """Asks the run in another thread to stop: frames in hand are finished, OUT.part stays playable. True where
        there is one."""
        self._stopping = self.is_processing
        return self.is_processing

    @property
    def processing_active(self) -> bool:
        return self.is_processing

    def get_processing_progress(self) -> dict[str, Any]:
        """{overall_progress 0..1, current_stage, eta_seconds, frames_processed, is_active}; for polling from another
        thread."""
        driving = self._driving
        done = driving.overall if driving is not None else 0.0
        left = self._elapsed() * (1 - done) / done if self.is_processing and done > 0 else 0.0
        return {
            "overall_progress": done,
            "current_stage": (driving.stage if driving is not None else None) or "",
            "eta_seconds": left,
            "frames_processed": self.current_frame_index,
            "is_active": self.is_processing,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_processing()

    # The run.

    def _begin(self) -> None:
        self.is_processing = True
        self._stopping = False
        self.current_frame_index = 0
        self.start_time = time.time()
        self.last_error = None

    def _check_stop(self) -> None:
        if self._stopping:
            raise NotDoneError("stopped on request")

    def _said(self) -> dict[str, Any]:
        """What the file says and the caller has changed since, without the defaults."""
        said = merged(self._content, changes(self.config, self._original))
        streaming = changes(self.streaming_config.as_section(), self._original_streaming)
        return merged(said, {"streaming": streaming} if streaming else {})

    def _driver(self) -> TrackerDriver:
        try:
            told = configuration.read_as(self._source, self._said()).progress_interval_s
        except (millstream.Error, TypeError):  # the run will say it
            told = None
        interval = 0.5 if told is None else told
        if self.progress_tracker is None:
            self.progress_tracker = StageTracker(interval)
        self._driving = TrackerDriver(self.progress_tracker, interval)
        return self._driving

    def _settings(self, strategy: Any, **named: str) -> list[tuple[str, str]]:
        """`named`: preset, quality."""
        if self.configuration_error is not None:
            raise self.configuration_error
        settings, warnings = settings_for(self._said(), self._source, strategy, **named)
        for warning in warnings:
            logger.warning("%s", warning)
        return settings

    def _enhancer(self, strategy: Any, order: str = "bgr") -> Any:
        """The one of the call before, where the same is asked for: to load and compile a network takes seconds."""
        from millstream.frames import Enhancer

        asked = (self._said(), strategy_as_config(strategy), getattr(strategy, "quality_preset", None), order)
        if self._kept is None or self._kept[0] != asked:
            self._kept = None  # its memory first
            self._kept = (asked, Enhancer.from_settings(self._settings(strategy), order=order))
        return self._kept[1]

    def _outcome(self, input_path: str, output_path: str | None, strategy: Any, **named: str) -> dict[str, Any]:
        """One run as the fields of ProcessResult."""
        self._begin()
        driver = self._driver()
        output: Path | None = None
        try:
            source = Path(input_path)
            output = Path(output_path) if output_path else source.with_name(f"{source.stem}_enhanced_streaming.mp4")
            self._refuse_without_streaming()
            return self._run(source, output, self._settings(strategy, **named), driver)
        except Exception as failure:
            self.last_error = error_text(failure)
            logger.error("%s", self.last_error)
            driver.fail(self.last_error)
            return _outcomes.failed(self.last_error, output, self._elapsed(), self.current_frame_index)
        except BaseException:
            driver.fail("interrupted")
            raise
        finally:
            self.is_processing = False

    def _streams(self) -> bool:
        """As it stands now: callers may change `streaming_config`, which goes before, and `config`."""
        if self.streaming_config.streaming_enabled != self._original_streaming["enabled"]:
            return self.streaming_config.streaming_enabled
        return StreamingConfig(self.config).streaming_enabled

    def _refuse_without_streaming(self) -> None:
        if self._streams():
            return
        key = "streaming_mode" if (self.config.get("streaming") or {}).get("enabled") is None else "streaming.enabled"
        by = "by the caller" if self._original_streaming["enabled"] else f"{self._source}: {key} = false"
        raise NotDoneError(
            f"streaming is switched off ({by}) and there is no traditional processor to hand over to. Set "
            "traditional_processor, or use create_video_processor(traditional=...)"
        )

    def _run(
        self, source: Path, output: Path, settings: list[tuple[str, str]], driver: TrackerDriver
    ) -> dict[str, Any]:
        self.total_frames = self._frames_of(source)
        driver.start(self.total_frames)
        driver.begin("analyzing", str(source))
        driver.begin("preparing")

        def planned(plan: Plan) -> None:
            self.total_frames = plan.frames
            self.device, self.use_gpu = plan.device, plan.device != "cpu"
            for note in plan.notes:
                logger.info("%s", note)
            driver.begin("enhancing", f"{plan.model} on {plan.device}")

        def progress(now: Progress) -> None:
            self._check_stop()
            self.current_frame_index = now.frames_done
            driver.update(now.fraction, _words(now), now.frames_done)

        own = [name for name, _ in settings]
        settings += [("overwrite", "true")] if "overwrite" not in own else []
        report = run_job(source, output, settings, planned=planned, progress=progress, message=_log)
        self.current_frame_index = report.frames
        driver.count(report.frames)
        driver.begin("finalizing")
        metrics = self._metrics(source, output, report, driver)
        driver.finish()
        return _outcomes.succeeded(output, report, metrics, self._elapsed())

    @staticmethod
    def _frames_of(source: Path) -> int:
        video = millstream.probe(source).video.video
        return video.frames if video is not None else 0

    def _metrics(self, source: Path, output: Path, report: Report, driver: TrackerDriver) -> dict[str, Any]:
        if not self.verify_results and self.quality_validator is None:
            driver.skip("validation", "not asked for")
            return {}
        driver.begin("validation")
        metrics: dict[str, Any] = {}
        if self.verify_results:
            metrics |= _quality.compare(source, output, report, lambda now: driver.update(now.fraction))
            if metrics.get("verified") == 0:
                logger.warning("%s differs from its source in %d places", output, metrics["differences"])
        if self.quality_validator is not None:
            metrics |= _quality.ask(self.quality_validator, source, output, report)
        return metrics

    def _elapsed(self) -> float:
        return time.time() - self.start_time if self.start_time is not None else 0.0


_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def _log(severity: str, text: str) -> None:
    logger.log(_LEVELS[severity], "%s", text)


def _words(now: Progress) -> str:
    total = f"/{now.frames_total}" if now.frames_total else ""
    eta = f", {now.eta_s:.0f} s left" if now.eta_s is not None else ""
    return f"frame {now.frames_done}{total}, {now.fps:.1f} fps{eta}"


def _until_none(frames: Iterable[Any]) -> Iterator[Any]:
    for frame in frames:
        if frame is None:
            return
        yield frame


_theirs.register(StreamingVideoProcessor)
