"""Where torch and openvino are for the Python that builds: printed for CMake, asked by the build backend.

pip builds in an environment of its own, which sees what it was asked to bring and not what is installed. Their headers
and libraries in the environment around it will do: its site-packages are looked at, too.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path


def torch_folder(also: Iterable[Path] = ()) -> Path | None:
    """The first folder that holds both, with headers; `also`: looked at before those of this interpreter."""
    own = [Path(entry) for entry in sys.path if entry.endswith("-packages")]
    for folder in (*also, *own, Path(sysconfig.get_path("purelib"))):
        if (folder / "torch/lib/libtorch_cpu.so").exists() and (folder / "openvino/include").exists():
            return folder
    return None


if __name__ == "__main__":
    print(torch_folder() or "", end="")
