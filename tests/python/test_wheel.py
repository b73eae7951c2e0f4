"""The wheel: built from what is compiled already, installed into an environment that knows nothing of the checkout; and
what a plain `pip install .` needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from conftest import ROOT, stream

OURS = Path(sysconfig.get_path("purelib"))


def needed_folders(wheel: Path) -> set[str]:
    """What the wheel's own metadata asks for, as folders of site-packages."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = files.read(name).decode()
    needs = re.findall(r"^Requires-Dist: ([\w-]+)", metadata, re.MULTILINE)
    folders = {path.parts[0] for need in needs for path in distribution(need).files or [] if len(path.parts) > 1}
    return {name for name in folders if name != ".." and not name.endswith(".dist-info")} | {"nvidia"}  # torch's own


def empty_environment(folder: Path) -> Path:
    """Its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The checkout as somebody has it who has neither set up nor built."""
    copy = tmp_path / "sources"
    shutil.copytree(
        ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "build", "out", ".*_cache")
    )
    return copy


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    reuse = ["-C", "build-dir=build/release", "-C", "cmake.define.MILLSTREAM_TESTS=ON"]
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    result = subprocess.run([*command, *reuse], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    (made,) = folder.glob("millstream-*.whl")
    return made


def test_no_path_of_the_machine_it_was_built_on_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        assert "millstream/py.typed" in names
        assert "millstream/compat/huaju4k/__init__.py" in names
        (module,) = [name for name in names if name.endswith(".so")]
        for name in names:
            for folder in (ROOT, ROOT.resolve(), Path(sys.prefix).resolve()):
                assert str(folder).encode() not in files.read(name), f"{name} names {folder}"
        files.extract(module, wheel.parent)
    dynamic = subprocess.run(["readelf", "-d", wheel.parent / module], capture_output=True, text=True, check=True)
    paths = re.findall(r"(?:RUNPATH|RPATH).*\[(.*)\]", dynamic.stdout)
    assert paths
    assert all(path.startswith("$ORIGIN/") for path in paths[0].split(":"))


def test_it_works_in_a_fresh_environment_with_the_default_network(wheel: Path, video: Path, tmp_path: Path) -> None:
    python = empty_environment(tmp_path / "env")
    (site,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    for name in needed_folders(wheel):  # linked instead of installed, to save two gigabytes
        (site / name).symlink_to((OURS / name).resolve())
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, text=True)
    code = """
import sys, millstream
assert millstream.__file__.startswith(sys.prefix), millstream.__file__
report = millstream.enhance(sys.argv[1], "out.mp4", preset="ultrafast")
print(report.frames, report.plan.model)
"""
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    run = subprocess.run([python, "-c", code, video], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert run.stdout == "24 realesr-animevideov3\n", run.stderr
    assert stream(tmp_path / "out.mp4", "video")["width"] == 320
    script = tmp_path / "env" / "bin" / "millstream"
    said = subprocess.run([script, "--version"], env=clean, capture_output=True, text=True)
    assert said.stdout.startswith("millstream ")


def test_the_default_networks_package_is_the_one_that_is_pinned_with_its_hash() -> None:
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (package,) = [need for need in needs if need.startswith("sr-vulkan-model")]
    assert package in (ROOT / "requirements-weights.txt").read_text()


def configure(sources: Path, python: str | Path) -> subprocess.CompletedProcess[str]:
    """CMake as scikit-build-core calls it."""
    words = [f"-DPython_EXECUTABLE={python}", "-DMILLSTREAM_PYTHON=ON", "-DMILLSTREAM_TESTS=OFF"]
    command = ["cmake", "-G", "Ninja", "-S", str(sources), "-B", str(sources / "build"), *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_without_a_prepared_checkout_torch_and_openvino_are_those_of_the_python_that_builds(sources: Path) -> None:
    result = configure(sources, sys.executable)
    assert result.returncode == 0, result.stderr
    assert f"{OURS}/torch/lib/libtorch_cpu.so" in (sources / "build" / "build.ninja").read_text()


def test_a_python_without_them_is_told_what_to_do(sources: Path, tmp_path: Path) -> None:
    result = configure(sources, empty_environment(tmp_path / "env"))
    assert result.returncode != 0
    assert "MILLSTREAM_VENV" in result.stderr


def test_pip_is_asked_to_bring_torch_and_openvino_only_where_there_are_none(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    for name in ("scikit_build_core", "packaging", "pathspec"):
        (tmp_path / "tools" / name).symlink_to(OURS / name)
    asked = {}
    for python in (sys.executable, empty_environment(tmp_path / "env")):
        code = "import build_backend; print(*build_backend.get_requires_for_build_wheel())"
        found = {"PYTHONPATH": f"{sources}/python:{tmp_path}/tools", "PATH": "/usr/bin:/bin"}
        run = subprocess.run([python, "-c", code], env=found, capture_output=True, text=True, cwd=sources)
        assert run.returncode == 0, run.stderr
        asked[python] = {word.partition("==")[0] for word in run.stdout.split()} & {"torch", "openvino"}
    assert list(asked.values()) == [set(), {"torch", "openvino"}]


@pytest.mark.full
def test_a_plain_pip_wheel_works_without_a_prepared_checkout(sources: Path, tmp_path: Path) -> None:
    """Compiles everything once more, and asks the package index for the tools that build."""
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "-w", str(tmp_path / "out")]
    result = subprocess.run(command, cwd=sources, capture_output=True, text=True, timeout=3600)
    assert result.returncode == 0, result.stdout + result.stderr
    (made,) = (tmp_path / "out").glob("millstream-*.whl")
    assert str(OURS).encode() not in b"".join(zipfile.ZipFile(made).read(n) for n in zipfile.ZipFile(made).namelist())


def test_another_torch_or_none_is_told_in_words_at_import(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path)
    run = [sys.executable, "-S", "-c", "import millstream"]
    clean = {"PYTHONPATH": str(tmp_path)}
    without = subprocess.run(run, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert "ImportError: millstream needs torch 2." in without.stderr
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    (tmp_path / "torch" / "version.py").write_text("__version__ = '1.99.0'\n")
    other = subprocess.run(run, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert "and torch 1.99.0 is installed" in other.stderr
