"""In the place of huaju4k's streaming processor: inside_huaju4k.py IN OUT [CONFIG]"""

import logging
import sys

from millstream.compat.huaju4k import ProcessingStrategy, StageTracker, create_video_processor


class PrintingTracker(StageTracker):
    """Any object with the tracker's methods will do; huaju4k's own MultiStageProgressTracker, too."""

    def update_stage_progress(self, stage: str, progress: float, details: str | None = None) -> None:
        super().update_stage_progress(stage, progress, details)
        print(f"{self.get_overall_progress():6.1%}  {stage}  {details or ''}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    source, output, *rest = sys.argv[1:]
    processor = create_video_processor(rest[0] if rest else None)
    processor.progress_tracker = PrintingTracker()
    # (0, 0): twice the input, as there.
    result = processor.process(source, output, ProcessingStrategy(ai_model="real-esrgan", target_resolution=(0, 0)))
    if not result.success:
        sys.exit(result.error)
    print(f"{result.output_path}: {result.frames_processed} frames at {result.processing_speed_fps:.2f} frames/s")
    for name, value in result.quality_metrics.items():
        print(f"  {name}: {value}")
