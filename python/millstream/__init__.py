"""Millstream: streaming AI video enhancement. Frames live in memory only; the one file written is the output.

    import millstream
    report = millstream.enhance("film.mp4", "film_x2.mkv", progress=lambda p: print(f"{p.fraction:.0%}"))

Everything that fails raises `millstream.Error`, which says what was done, on what, why it failed and what to do.
"""

from __future__ import annotations

from millstream import config
from millstream._calls import JobWords, OptionWords, enhance, enhance_all, option_table, plan, probe, verify
from millstream._errors import Error, ErrorKind
from millstream._load import core
from millstream._records import (
    BatchItem,
    Check,
    Plan,
    Progress,
    Record,
    Report,
    SourceFile,
    Stream,
    Verification,
    VideoFacts,
)
from millstream.frames import Enhancer, Frame, Reader, Writer, frame_of

__version__: str = core.VERSION

__all__ = [
    "BatchItem",
    "Check",
    "Enhancer",
    "Error",
    "ErrorKind",
    "Frame",
    "JobWords",
    "OptionWords",
    "Plan",
    "Progress",
    "Reader",
    "Record",
    "Report",
    "SourceFile",
    "Stream",
    "Verification",
    "VideoFacts",
    "Writer",
    "__version__",
    "config",
    "enhance",
    "enhance_all",
    "frame_of",
    "option_table",
    "plan",
    "probe",
    "verify",
]
