"""The calls most programs need."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypedDict, Unpack
from warnings import warn

from millstream._load import core
from millstream._records import BatchItem, Plan, Progress, Report, SourceFile, Verification

StrPath = str | os.PathLike[str]
ProgressCall = Callable[[Progress], object]
MessageCall = Callable[[str, str], object]
ProcessCall = Callable[[Any], Any]


class OptionWords(TypedDict, total=False):
    """Options of one job: the fields of C++'s `Options`, whose defaults hold for what is left out or None.

    Words are those of the command line (`millstream enhance --help`). Sizes are "1920x1080" or (1920, 1080), amounts
    of memory bytes or "2GiB", streams "all", "none" or numbers, `crop` "W:H:X:Y" or (w, h, x, y).
    """

    overwrite: bool
    model: StrPath | None
    scale: int | None
    size: str | tuple[int, int] | None
    fit: str | tuple[int, int] | None
    backend: str | None
    precision: str | None
    device: str | Sequence[str] | None
    tile: int | str | None
    batch: int | str | None
    threads: int | str | None
    colour_fix: str | None
    reuse: str | None
    temporal: str | None
    temporal_flow: str | None
    debug_view: str | None
    max_memory: int | str | None
    max_vram: int | str | None
    disk_limit: int | str | None
    max_total: float | str | None
    chunk: str | None
    resume: str | None
    release: str | None
    pressure: str | tuple[float, float] | None
    strict_io: bool
    reports: StrPath | Sequence[StrPath] | None
    metrics_file: StrPath | None
    codec: str | None
    encoder: str | None
    crf: int | None
    preset: str | None
    encoder_options: str | Mapping[str, object] | None
    pixel_format: str | None
    bake_rotation: bool
    faststart: bool
    strict: bool
    deinterlace: str | None
    crop: str | tuple[int, int, int, int] | None
    alpha: str | None
    hwaccel: str | None
    video_stream: int | None
    verify: bool
    audio: str | Sequence[int] | None
    subtitles: str | Sequence[int] | None
    convert_subtitles: bool
    runner: str | None


class OptionEntry(NamedTuple):
    """One option: its keyword here, its name on the command line, what it takes."""

    name: str
    flag: str
    values: str


def option_table() -> list[OptionEntry]:
    """Every option there is, in the order of the C++ struct."""
    return [OptionEntry(*entry) for entry in core.options()]


# What joins the parts of an option that has several.
_JOINT = {"size": "x", "fit": "x", "crop": ":", "reports": "\n"}


def _text(name: str, value: object) -> str:
    """`value` as the command line would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if isinstance(value, Mapping):
        return ":".join(f"{key}={_text(name, part)}" for key, part in value.items())
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, Sequence):
        return _JOINT.get(name, ",").join(_text(name, part) for part in value) or "none"
    raise TypeError(f"{name} = {value!r}: a {type(value).__name__} cannot be an option")


def path_of(path: StrPath) -> str:
    """A path as the compiled part takes it."""
    text = os.fsdecode(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!r}: file names that are not UTF-8 can only be given to the program") from None
    return text


def settings_of(options: Mapping[str, object]) -> list[tuple[str, str]]:
    """Keyword arguments as the compiled part takes them."""
    return [(name, _text(name, value)) for name, value in options.items() if value is not None]


def _progress_of(call: ProgressCall | None) -> Callable[[dict[str, Any]], object] | None:
    return None if call is None else lambda fields: call(Progress(**fields))


class JobWords(OptionWords, total=False):
    """Options of a job, and where further ones come from."""

    config: StrPath | Mapping[str, Any] | None
    """a configuration file (JSON, YAML) or its content; `millstream.config` explains it"""
    profile: StrPath | None
    """a preset by name or file, below the configuration"""
    quality: str | None
    """fast, balanced, high: which of the configuration's quality presets is used"""


def _resolved(words: JobWords) -> tuple[list[tuple[str, str]], list[str]]:
    """Settings of the job, and warnings of the configuration."""
    options = dict(words)
    config, profile, quality = (options.pop(name, None) for name in ("config", "profile", "quality"))
    settings = settings_of(options)
    if config is None and profile is None and quality is None:
        return settings, []
    from millstream.config import resolve_settings

    effective = resolve_settings(config, profile, quality, settings)  # type: ignore[arg-type]
    return effective.settings, effective.warnings


def _say(warnings: Sequence[str], message: MessageCall | None) -> None:
    """What is wrong with a configuration is never kept back: without `message` it is a UserWarning of the caller's."""
    for text in warnings:
        if message is not None:
            message("warning", text)
        else:
            warn(text, UserWarning, stacklevel=3)


def run_job(
    input: StrPath,  # noqa: A002
    output: StrPath,
    settings: Sequence[tuple[str, str]],
    *,
    planned: Callable[[Plan], object] | None = None,
    progress: ProgressCall | None = None,
    message: MessageCall | None = None,
    process: ProcessCall | None = None,
    process_batch: int = 1,
    process_as: Literal["torch", "numpy"] = "torch",
) -> Report:
    """`enhance` with options as texts; `planned` is called before the first frame."""
    for name, call in (("planned", planned), ("progress", progress), ("message", message), ("process", process)):
        if call is not None and not callable(call):
            raise TypeError(f"{name} takes a function, not {call!r}")
    if process_as not in ("torch", "numpy"):
        raise ValueError(f"process_as = {process_as!r}: it takes torch or numpy")
    if not isinstance(process_batch, int) or not 1 <= process_batch <= 256:
        raise ValueError(f"process_batch = {process_batch!r}: it takes a number of frames from 1 to 256")
    plan_call = None if planned is None else lambda text: planned(Plan(json.loads(text)))
    text = core.enhance(
        path_of(input),
        path_of(output),
        settings,
        plan_call,
        _progress_of(progress),
        message,
        process,
        process_batch,
        process_as == "torch",
    )
    return Report(json.loads(text))


def enhance(
    input: StrPath,  # noqa: A002
    output: StrPath,
    *,
    progress: ProgressCall | None = None,
    message: MessageCall | None = None,
    process: ProcessCall | None = None,
    process_batch: int = 1,
    process_as: Literal["torch", "numpy"] = "torch",
    **options: Unpack[JobWords],
) -> Report:
    """Enhances the video `input` into the new file `output`. Blocks until it has ended.

    `progress(Progress)` is called about five times a second, `message(severity, text)` for what the user should know;
    both on the calling thread; what a configuration asks for in vain is a UserWarning where there is no `message`. The
    interpreter lock is not held meanwhile: other Python threads go on.

    `process(pixels)` is a stage of your own, behind network and temporal lock: it gets enhanced frames [N, 3, H, W],
    float32, R G B, 0..1, as a Torch tensor on the CPU or a numpy array (`process_as`) over the frame's own memory, and
    returns pixels of the same shape, or None where it has changed them in place. N is at most `process_batch`; 1 costs
    no copy but the one that the temporal lock needs. It runs on a thread of the job, one call at a time, in order.

    Ctrl-C, like an exception raised by a callback, finishes the frames in hand and is raised then; what is finished
    stays in `<output>.part`, and the same call goes on from there (`resume`). A second Ctrl-C ends the job at once.
    Raises `Error`.
    """
    settings, warnings = _resolved(options)
    _say(warnings, message)
    return run_job(
        input,
        output,
        settings,
        progress=progress,
        message=message,
        process=process,
        process_batch=process_batch,
        process_as=process_as,
    )


def enhance_all(
    inputs: Sequence[StrPath],
    folder: StrPath,
    *,
    fail_fast: bool = False,
    begin: Callable[[int, int, str, str], object] | None = None,
    progress: ProgressCall | None = None,
    message: MessageCall | None = None,
    **options: Unpack[JobWords],
) -> list[BatchItem]:
    """Enhances several videos, one after the other, into `folder`, each under its own name; the network is loaded once.

    `begin(number, count, input, output)` is called before each; the other callbacks are as `enhance` has them. Options
    hold for every video; a report's file name gets the video's in front ("run.json" becomes "film.run.json"). A video
    that fails is an item with an `error` and does not stop the others, unless `fail_fast`; one whose output exists is
    left as it is, unless `overwrite`. Ctrl-C and exceptions of callbacks end the whole, as with `enhance`; the same
    call goes on from there. Raises `Error` only where there is nothing to begin with: no input, one output for two.
    """
    settings, warnings = _resolved(options)
    _say(warnings, message)
    if isinstance(inputs, str | bytes | os.PathLike):
        raise TypeError(f"inputs are the paths of several videos, not one ({inputs!r}): pass a list")
    paths = [path_of(path) for path in inputs]
    text = core.enhance_all(paths, path_of(folder), settings, fail_fast, begin, None, _progress_of(progress), message)
    return [BatchItem(item) for item in json.loads(text)["items"]]


def plan(input: StrPath, output: StrPath, **options: Unpack[JobWords]) -> Plan:  # noqa: A002
    """What `enhance` would do with the same arguments, or the `Error` it would be refused with. Writes nothing."""
    settings, warnings = _resolved(options)
    _say(warnings, None)
    return Plan(json.loads(core.plan(path_of(input), path_of(output), settings)))


def probe(path: StrPath) -> SourceFile:
    """What is in the file `path`. Raises `Error` (INPUT) where it is missing, damaged or holds no video."""
    return SourceFile(core.probe(path_of(path)))


class VerifyWords(TypedDict, total=False):
    """Tolerances of `verify`; docs/verify.md says how the defaults were chosen."""

    video_stream: int | None
    """stream of the source; absent = the first that is no cover art"""
    audio: bool
    """False: the result was made without sound on purpose"""
    left_out: Sequence[int]
    """streams of the source that were left out on purpose, too"""
    convert_subtitles: bool
    """as for `enhance`: text subtitles were converted wherever that is possible"""
    turned: bool
    """the result was made with `bake_rotation`"""
    fields_kept: bool
    """where the source is interlaced the result must be, too"""
    pixel_format: str
    """FFmpeg's name of what the result was to hold; absent = unknown"""
    time_tolerance_s: float
    psnr_margin_db: float
    frame_drop_db: float
    level_tolerance: float
    threads: int


def verify(
    input: StrPath,  # noqa: A002
    output: StrPath,
    *,
    progress: ProgressCall | None = None,
    **options: Unpack[VerifyWords],
) -> Verification:
    """Compares the enhanced file `output` with its source `input`. Writes nothing.

    A difference is no error: look at `holds` and `checks`. Raises `Error` (INPUT) when a file cannot be used.
    """
    if unknown := set(options) - set(VerifyWords.__annotations__):
        raise TypeError(
            f"verify() has no option {', '.join(sorted(unknown))}: {', '.join(VerifyWords.__annotations__)}"
        )
    text = core.verify(path_of(input), path_of(output), dict(options), _progress_of(progress))
    return Verification(json.loads(text))
