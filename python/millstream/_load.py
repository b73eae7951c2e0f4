"""Loads the compiled part and says in words what is missing where it cannot be loaded."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

from millstream import _built

if TYPE_CHECKING:
    from types import ModuleType

# On Debian 12; the first five bring zimg and everything else but the last one.
_SYSTEM = "libavformat59 libavcodec59 libavfilter8 libavutil57 libswscale6 libyaml-cpp0.7"


def _installed_torch() -> str | None:
    """Version of the torch beside us as "2.15.0", without importing it; None = there is none."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    version = Path(spec.origin).with_name("version.py")
    found = re.search(r"__version__ = '([0-9.]+)", version.read_text()) if version.is_file() else None
    return found.group(1) if found else None


def _why(failure: ImportError, torch: str | None) -> str:
    """`failure` in words that say what to install."""
    text = str(failure)
    missing = re.search(r"(lib[\w+.-]+\.so[\w.]*): cannot open", text)
    name = missing.group(1) if missing else ""
    if torch is None or name.startswith(("libtorch", "libc10")):
        return f"millstream needs torch {_built.TORCH} in the same environment ({text})"
    if name.startswith(("libav", "libsw")):
        return f"millstream needs FFmpeg's libraries of the system, on Debian 12 `apt install {_SYSTEM}` ({text})"
    if name.startswith("libopenvino"):
        return f"millstream needs the openvino package it was built with in the same environment ({text})"
    if name:
        return f"millstream needs {name} of the system, on Debian 12 `apt install {_SYSTEM}` ({text})"
    return f"millstream's compiled part cannot be loaded: {text}"


def _load() -> ModuleType:
    torch = _installed_torch()
    if torch is not None and not torch.startswith(_built.TORCH + "."):
        raise ImportError(
            f"millstream {_built.VERSION} was built with torch {_built.TORCH}, and torch {torch} is installed: "
            f"torch's C++ interface changes with every minor version. Install torch {_built.TORCH} or build again"
        )
    try:
        from millstream import _core
    except ImportError as failure:
        raise ImportError(_why(failure, torch)) from failure
    return _core


if TYPE_CHECKING:
    from millstream import _core

    core = _core
else:
    core = _load()
