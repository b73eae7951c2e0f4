"""The compiled part. Private: use the package around it."""

from collections.abc import Callable, Sequence
from typing import Any

VERSION: str

def options() -> list[tuple[str, str, str]]: ...
def preset_names() -> list[str]: ...
def read_configuration(file: str, text: str, quality: str) -> dict[str, Any]: ...
def resolve(preset: str, file: str, text: str, quality: str, settings: Sequence[tuple[str, str]]) -> dict[str, Any]: ...
def run_program(arguments: Sequence[str]) -> int: ...
def probe(path: str) -> dict[str, Any]: ...
def plan(input: str, output: str, settings: Sequence[tuple[str, str]]) -> str: ...  # noqa: A002
def enhance(
    input: str,  # noqa: A002
    output: str,
    settings: Sequence[tuple[str, str]],
    plan: Callable[[str], object] | None,
    progress: Callable[[dict[str, Any]], object] | None,
    message: Callable[[str, str], object] | None,
) -> str: ...
def verify(
    input: str,  # noqa: A002
    output: str,
    options: dict[str, Any],
    progress: Callable[[dict[str, Any]], object] | None,
) -> str: ...
