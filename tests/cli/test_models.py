"""`millstream models` and `millstream doctor`."""

from __future__ import annotations

import json

from conftest import Run

DEFAULT = "realesr-animevideov3"


def test_list_names_the_default_network_and_identity(run: Run) -> None:
    done = run("models", "list")
    assert done.returncode == 0, done.stderr
    assert DEFAULT in done.stdout
    assert "identity" in done.stdout


def test_list_as_json_has_hashes_of_every_file(run: Run) -> None:
    models = json.loads(run("models", "list", "--json").stdout)
    default = [model for model in models if model["name"] == DEFAULT]
    assert {model["scale"] for model in default} >= {2, 3, 4}
    for model in models:
        assert model["licence"] or not model["package"]
        for file in model["files"]:
            assert len(file["sha256"]) == 64, file


def test_info_of_a_network_and_of_none(run: Run) -> None:
    assert "sha256" in run("models", "info", DEFAULT).stdout
    unknown = run("models", "info", "realesr-animevideo")
    assert unknown.returncode == 5
    assert f"Did you mean {DEFAULT}?" in unknown.stderr


def test_doctor_names_what_is_installed(run: Run) -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stderr
    for part in ("FFmpeg", "torch", "zimg", "processor", "memory", "disk", "weights"):
        assert part in done.stdout


def test_version_and_help(run: Run) -> None:
    assert run("--version").stdout.startswith("millstream ")
    assert "Exit codes:" in run("--help").stdout
    nothing = run()
    assert (nothing.returncode, nothing.stdout) == (2, "")
