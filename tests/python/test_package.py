"""The package `millstream`: calls, callbacks, errors, Ctrl-C, company of other libraries."""

from __future__ import annotations

import ast
import importlib
import os
import pickle
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path
from typing import Any

import millstream
import numpy as np
import pytest
from conftest import ffmpeg, files_in, stream
from millstream import OptionWords, Progress

QUICK: OptionWords = {"model": "identity", "scale": 1, "temporal": "off", "preset": "ultrafast"}
TWICE: OptionWords = {**QUICK, "scale": 2, "verify": True}


def in_a_python_of_its_own(code: str, package_path: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": package_path},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_importing_it_imports_neither_torch_nor_openvino_nor_numpy(package_path: str) -> None:
    code = "import sys, millstream; print({'torch', 'openvino', 'numpy', 'cv2'} & set(sys.modules))"
    assert in_a_python_of_its_own(code, package_path).stdout == "set()\n"


def test_importing_it_takes_less_than_half_a_second_of_processor_time(package_path: str) -> None:
    code = "import resource, millstream; u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"
    assert statistics.median(float(in_a_python_of_its_own(code, package_path).stdout) for _ in range(5)) < 0.5


@pytest.mark.parametrize("order", ["millstream, torch, cv2, openvino", "openvino, cv2, torch, millstream"])
def test_it_shares_a_process_with_torch_opencv_and_openvino(
    order: str, package_path: str, video: Path, tmp_path: Path
) -> None:
    code = f"""
import sys
import {order}
import numpy
a = torch.ones(64, 64) @ torch.ones(64, 64)
core = openvino.Core()
report = millstream.enhance(sys.argv[1], sys.argv[2], model="identity", scale=2, preset="ultrafast", temporal="low")
assert a.sum() == 64 ** 3 and (torch.ones(64, 64) @ torch.ones(64, 64)).sum() == 64 ** 3
assert "CPU" in core.available_devices
capture = cv2.VideoCapture(sys.argv[2])
assert capture.read()[1].shape == (180, 320, 3)
mapped = {{line.split()[-1] for line in open("/proc/self/maps") if "libtorch_cpu" in line or "libopenvino.so" in line}}
print(report.frames, len(mapped))
"""
    result = in_a_python_of_its_own(code, package_path, video, tmp_path / "out.mp4")
    if "libtorch_python" in result.stderr or "libtorch_cuda" in result.stderr:
        pytest.skip("Python's own torch cannot be imported here: ./dev setup says what is missing")
    assert result.stdout == "24 2\n", result.stderr  # one copy of each library


def test_enhance_writes_the_file_and_reports(video: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    verified: list[Progress] = []
    messages: list[tuple[str, str]] = []
    comparing = ("info", "comparing the output with its source")  # progress begins anew
    report = millstream.enhance(
        video,
        tmp_path / "out.mp4",
        **TWICE,
        progress=lambda p: (verified if comparing in messages else seen).append(p),
        message=lambda *said: messages.append(said),
    )
    assert stream(tmp_path / "out.mp4", "video")["nb_read_frames"] == "24"
    assert report.frames == 24
    assert (report.plan.output_size.width, report.plan.output_size.height) == (320, 180)
    assert report.verification is not None
    assert report.verification.holds
    assert seen[-1].frames_done == 24
    for phase in (seen, verified):
        assert [p.frames_done for p in phase] == sorted(p.frames_done for p in phase)
    assert comparing in messages
    assert millstream.verify(video, tmp_path / "out.mp4").holds


def test_plan_writes_nothing_and_agrees_with_the_command_line(video: Path, tmp_path: Path) -> None:
    plan = millstream.plan(video, tmp_path / "out.mp4", **QUICK)
    assert files_in(tmp_path) == {}
    assert (plan.model, plan.encoder, plan.frames) == ("identity", "libx264", 24)
    assert plan.as_dict()["memory"] == plan.memory


def test_probe_tells_what_is_in_a_file(video: Path) -> None:
    source = millstream.probe(video)
    assert [(s.kind, s.codec) for s in source.streams] == [("video", "h264"), ("audio", "aac")]
    facts = source.video.video
    assert facts is not None
    assert (facts.width, facts.height, facts.nominal_rate, facts.frames) == (160, 90, 24.0, 24)
    assert (source.streams[1].sample_rate, source.streams[1].channels) == (48000, 1)
    assert source.bytes == video.stat().st_size


def test_errors_have_kind_and_four_parts_and_can_be_pickled(tmp_path: Path) -> None:
    with pytest.raises(millstream.Error) as caught:
        millstream.enhance(tmp_path / "missing.mp4", tmp_path / "out.mp4")
    error = caught.value
    assert (error.kind, error.exit_code) == (millstream.ErrorKind.INPUT, 3)
    assert error.subject == str(tmp_path / "missing.mp4")
    assert "no such file" in error.why
    assert error.doing
    assert error.hint
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.kind, str(copy)) == (error.kind, str(error))


def test_wrong_options_are_named_with_what_would_be_right(video: Path, tmp_path: Path) -> None:
    with pytest.raises(millstream.Error, match=r"scale = 9.*from 1 to 4") as caught:
        millstream.plan(video, tmp_path / "out.mp4", scale=9)
    assert caught.value.kind == millstream.ErrorKind.USAGE
    with pytest.raises(millstream.Error, match=r"scael.*no such option"):
        millstream.plan(video, tmp_path / "out.mp4", scael=2)  # type: ignore[call-arg]


def test_words_of_a_call_itself_are_checked_too(video: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"jax.*torch or numpy"):
        millstream.enhance(video, tmp_path / "out.mp4", process=lambda p: p, process_as="jax", **QUICK)  # type: ignore[arg-type]
    for words, why in (({"process": 3}, "process takes a function"), ({"progress": 3}, "progress takes a function")):
        with pytest.raises(TypeError, match=why):
            millstream.enhance(video, tmp_path / "out.mp4", **words)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="process_batch = 0: it takes"):
        millstream.enhance(video, tmp_path / "out.mp4", process=lambda p: p, process_batch=0)
    with pytest.raises(TypeError, match="pass a list"):
        millstream.enhance_all(str(video), tmp_path / "folder")
    with pytest.raises(ValueError, match="not UTF-8"):
        millstream.probe(tmp_path / "\udcff.mp4")
    with pytest.raises(TypeError, match=r"verify\(\) has no option tolerance: .*threads"):
        millstream.verify(video, video, tolerance=3)  # type: ignore[call-arg]
    with pytest.raises(millstream.Error, match=r"threads = 'many'.*another type"):
        millstream.verify(video, video, threads="many")  # type: ignore[arg-type]
    assert files_in(tmp_path) == {}


def test_what_a_configuration_asks_for_in_vain_is_never_kept_back(video: Path, tmp_path: Path) -> None:
    asked = {"temp_dir": tmp_path / "frames", "streaming": {"batch_size": np.int64(2)}}
    with pytest.warns(UserWarning, match="temp_dir"):
        plan = millstream.plan(video, tmp_path / "out.mp4", config=asked, **QUICK)
    assert plan.options["batch"] == 2  # numbers of numpy's and paths are values, too
    with pytest.warns(UserWarning, match="temp_dir") as caught:
        millstream.enhance(video, tmp_path / "out.mp4", config=asked, **QUICK)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="quality alone"):
        millstream.plan(video, tmp_path / "out2.mp4", quality="high", **QUICK)


def test_the_stub_lists_what_the_compiled_part_has_by_the_same_names() -> None:
    core = importlib.import_module("millstream._core")
    stub = ast.parse((Path(millstream.__file__).parent / "_core.pyi").read_text())

    def parameters(function: Any) -> list[str]:
        (signature, *_) = function.__nb_signature__[0]
        return re.findall(r"(?:\(|, )(\w+)(?=[:,)]| =)", re.sub(r"\[[^][]*(\[[^][]*\][^][]*)*\]", "", signature))

    def compare(body: list[ast.stmt], runtime: Any) -> None:
        listed = set()
        for entry in body:
            if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name):
                listed.add(entry.target.id)
            elif isinstance(entry, ast.ClassDef):
                listed.add(entry.name)
                compare(entry.body, getattr(runtime, entry.name))
            elif isinstance(entry, ast.FunctionDef):
                listed.add(entry.name)
                found = vars(runtime).get(entry.name)
                if found is not None and not isinstance(found, property) and entry.name != "__init__":
                    assert parameters(found) == [argument.arg for argument in entry.args.args], entry.name
        assert listed - {"__init__"} == {name for name in vars(runtime) if not name.startswith("_")}

    compare(stub.body, core)


def test_frames_explain_themselves_in_python() -> None:
    for member in (millstream.Frame, millstream.Frame.numpy, millstream.Frame.torch, millstream.Frame.at_time_of):
        assert member.__doc__
    assert "(H, W, 3)" in (millstream.Frame.numpy.__doc__ or "")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("libtorch_cpu.so: cannot open shared object file", "needs torch"),
        ("libavformat.so.59: cannot open shared object file", "apt install libavformat59"),
        ("libopenvino.so.2641: cannot open shared object file", "needs the openvino package"),
        ("libyaml-cpp.so.0.7: cannot open shared object file", "needs libyaml-cpp.so.0.7 of the system"),
        ("undefined symbol: x", "cannot be loaded: undefined symbol"),
    ],
)
def test_a_library_that_is_missing_at_import_is_told_in_words(said: str, told: str) -> None:
    from millstream import _load

    assert told in _load._why(ImportError(said), "2.15.0")
    assert "needs torch" in _load._why(ImportError(said), None)


def test_options_take_the_values_a_python_programmer_would_write(video: Path, tmp_path: Path) -> None:
    plan = millstream.plan(
        video,
        tmp_path / "out.mkv",
        size=(320, 180),
        model="identity",
        max_memory=2 * 2**30,
        tile=None,
        audio=[1],
        subtitles=[],
        crop=(100, 80, 2, 4),
        encoder_options={"bf": 2, "tune": "grain"},
    )
    options = plan.options
    assert (options["size"], options["max_memory"]) == ({"width": 320, "height": 180}, 2 * 2**30)
    assert (options["audio"], options["subtitles"], options["tile"]) == ([1], "none", None)
    assert options["crop"] == {"width": 100, "height": 80, "x": 2, "y": 4}
    assert options["encoder_options"] == [["bf", "2"], ["tune", "grain"]]


def test_every_option_of_the_library_is_a_keyword(video: Path, tmp_path: Path) -> None:
    """A new field of Options needs a line in src/config/option_table.cpp and one in millstream.OptionWords."""
    table = {entry.name for entry in millstream.option_table()}
    assert table == set(typing.get_type_hints(OptionWords))
    of_the_struct = set(millstream.plan(video, tmp_path / "out.mp4", **QUICK).options)
    thresholds = {"elevated_pressure", "critical_pressure"}
    assert of_the_struct - {"input", "output"} - thresholds | {"pressure"} == table


def test_an_exception_of_a_callback_ends_the_job_and_leaves_what_is_done(video: Path, tmp_path: Path) -> None:
    def refuse(progress: Progress) -> None:
        raise LookupError(f"{progress.frames_total} frames")

    with pytest.raises(LookupError, match="24 frames"):
        millstream.enhance(video, tmp_path / "out.mp4", **QUICK, progress=refuse)
    assert not (tmp_path / "out.mp4").exists()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of work even for the identity."""
    path = tmp_path_factory.mktemp("long") / "in.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=24:duration=20", "-preset", "ultrafast", path)
    return path


def test_ctrl_c_finishes_the_frames_in_hand_and_leaves_a_playable_part(
    long_video: Path, tmp_path: Path, package_path: str
) -> None:
    code = """
import sys, millstream
said = False
def progress(p):
    global said
    if p.frames_done > 60 and not said:
        said = True
        print("running", flush=True)
try:
    options = {"model": "identity", "scale": 1, "temporal": "off", "preset": "ultrafast", "chunk": "24f"}
    millstream.enhance(sys.argv[1], sys.argv[2], progress=progress, **options)
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, long_video, tmp_path / "out.mkv"],
        env={**os.environ, "PYTHONPATH": package_path},
        stdout=subprocess.PIPE,
        text=True,
    ) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "running\n"
        job.send_signal(signal.SIGINT)
        assert job.communicate(timeout=60)[0] == "interrupted\n"
    assert not (tmp_path / "out.mkv").exists()
    shutil.move(tmp_path / "out.mkv.part", tmp_path / "part.mkv")
    assert int(stream(tmp_path / "part.mkv", "video")["nb_read_frames"]) > 0


@pytest.mark.parametrize("presses", [1, 2])
def test_after_the_first_ctrl_c_frames_in_hand_are_finished_and_after_the_second_they_are_dropped(
    presses: int, video: Path, tmp_path: Path, package_path: str
) -> None:
    code = """
import signal, sys, threading, millstream
caught = 0
def catch(*_):
    global caught
    caught += 1
    raise KeyboardInterrupt
def process(pixels):
    print("frame", flush=True)
    while sys.stdin.readline() == "caught?\\n":  # a second one inside `catch` would be no second exception
        inside = sys._current_frames()[threading.main_thread().ident].f_code is catch.__code__
        print("not yet" if inside else caught, flush=True)
signal.signal(signal.SIGINT, catch)
try:
    options = {"model": "identity", "scale": 1, "temporal": "off", "preset": "ultrafast", "batch": 8}
    millstream.enhance(sys.argv[1], sys.argv[2], process=process, process_as="numpy", **options)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, video, tmp_path / "out.mkv"],
        env={**os.environ, "PYTHONPATH": package_path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as job:

        def told(line: str) -> str:
            assert job.stdin is not None
            assert job.stdout is not None
            job.stdin.write(line + "\n")
            job.stdin.flush()
            return job.stdout.readline().strip()

        assert job.stdout is not None
        assert job.stdout.readline() == "frame\n"
        for _ in range(9):
            assert told("") == "frame"  # its function is held there, with the rest of a batch of eight behind it
        for number in range(1, presses + 1):
            job.send_signal(signal.SIGINT)
            while told("caught?") != str(number):
                pass
        time.sleep(1)  # for the job to hear of it, which nothing shows from outside
        finished = 0
        while (said := told("")) == "frame":
            finished += 1
        assert said == "interrupted"
    # One more may be let in before the second is looked for.
    assert finished >= 5 if presses == 1 else finished <= 4
    assert not (tmp_path / "out.mkv").exists()


def test_other_threads_run_while_a_job_does(long_video: Path, tmp_path: Path) -> None:
    """A thread is let in between two calls of progress, by itself: it would wait for ever for a lock that is held."""
    asked, answered = threading.Event(), threading.Event()

    def answer() -> None:
        asked.wait(60)
        answered.set()

    helper = threading.Thread(target=answer)
    helper.start()
    met: list[bool] = []

    def progress(_: Progress) -> None:
        met.append(answered.is_set())
        asked.set()

    millstream.enhance(long_video, tmp_path / "out.mp4", **QUICK, progress=progress)
    helper.join()
    assert met[-1]


def test_the_console_command_is_the_program(package_path: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "millstream", "inspect", "nothing.mp4"],
        env={**os.environ, "PYTHONPATH": package_path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, "no such file" in run.stderr) == (3, True)
