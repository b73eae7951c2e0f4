"""The wheel: built from what is compiled already, installed into an environment that knows nothing of the checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, stream

# What the package needs beside it; linked instead of installed, to save two gigabytes.
BESIDE_IT = ("torch", "openvino", "nvidia", "numpy", "numpy.libs")


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


def test_it_works_in_a_fresh_environment(wheel: Path, video: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    (site,) = (tmp_path / "env" / "lib").glob("python3*/site-packages")
    (ours,) = (Path(sys.prefix) / "lib").glob("python3*/site-packages")
    for name in BESIDE_IT:
        if (ours / name).exists():
            (site / name).symlink_to((ours / name).resolve())
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, text=True)
    code = """
import sys, millstream
assert millstream.__file__.startswith(sys.prefix), millstream.__file__
report = millstream.enhance(sys.argv[1], "out.mp4", model="identity", temporal="off", preset="ultrafast")
print(report.frames)
"""
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    run = subprocess.run([python, "-c", code, video], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert run.stdout == "24\n", run.stderr
    assert stream(tmp_path / "out.mp4", "video")["width"] == 320
    script = tmp_path / "env" / "bin" / "millstream"
    said = subprocess.run([script, "--version"], env=clean, capture_output=True, text=True)
    assert said.stdout.startswith("millstream ")


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
