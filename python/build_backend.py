"""scikit-build-core, told to bring torch and openvino only where they are not there already: they are large."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from scikit_build_core import build
from scikit_build_core.build import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
)
from torch_folder import torch_folder

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

ROOT = Path(__file__).resolve().parent.parent
NAMED = "cmake.define.MILLSTREAM_VENV"


def _libraries(settings: dict[str, Any] | None) -> list[str]:
    """The libraries that must be brought: what the package depends on at run time it is compiled with."""
    if settings is not None and NAMED in settings:
        return []
    if torch_folder(ROOT.glob(".venv/lib/python3*/site-packages")) is not None:
        return []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [need for need in project["dependencies"] if need.startswith(("torch", "openvino"))]


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    return [*build.get_requires_for_build_wheel(config_settings), *_libraries(config_settings)]


def get_requires_for_build_editable(config_settings: dict[str, Any] | None = None) -> list[str]:
    return [*build.get_requires_for_build_editable(config_settings), *_libraries(config_settings)]
