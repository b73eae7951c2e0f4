"""Takes the folders a module was built in out of it: neutral_paths.py MODULE FOLDER...

Headers of Torch and OpenVINO put their own path into messages of assertions. Each occurrence of FOLDER becomes one of
the same length that says nothing, because other strings may share its end.
"""

import sys
from pathlib import Path


def main() -> None:
    module = Path(sys.argv[1])
    content = module.read_bytes()
    for folder in sorted(map(str.encode, sys.argv[2:]), key=len, reverse=True):
        content = content.replace(folder, b"." + b"/" * (len(folder) - 1))
    module.write_bytes(content)


if __name__ == "__main__":
    main()
