"""Configuration files and presets: Millstream's own, and huaju4k's as they are. docs/config.md lists every key."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Unpack

from millstream._calls import OptionWords, StrPath, path_of, settings_of
from millstream._load import core
from millstream._records import Record

ConfigSource = StrPath | Mapping[str, Any]
"""A file (JSON or YAML), or its content."""

Settings = Sequence[tuple[str, str]]
"""Options by name, as texts."""


class Key(Record):
    """What became of one key."""

    key: str
    """dotted path"""
    value: str
    """as JSON"""
    effect: str
    """applied, ignored, unknown"""
    meaning: str
    """applied: what it sets; ignored: why"""


class Configuration(Record):
    """A configuration that was read and checked."""

    source: str
    keys: list[Key]
    warnings: list[str]
    streaming: bool
    """streaming.enabled, or streaming_mode where that is absent"""
    quality: str
    progress_interval_s: float | None

    @property
    def content(self) -> dict[str, Any]:
        """The whole file."""
        content: dict[str, Any] = json.loads(self.json)
        return content

    @property
    def options(self) -> dict[str, str]:
        """The options it sets, in the words of the command line."""
        return {name: text for name, text, _ in self.settings}

    def explain(self) -> str:
        """What `millstream config explain` prints."""
        return str(self.explanation)


class Value(NamedTuple):
    """One option of a job and who asked for it."""

    name: str
    text: str
    origin: str
    """"default" where nobody did"""


class Effective(NamedTuple):
    """Default, preset, configuration and arguments over each other."""

    values: list[Value]
    warnings: list[str]
    streaming: bool
    text: str
    """what `millstream config show` prints"""

    @property
    def settings(self) -> list[tuple[str, str]]:
        """The options that somebody asked for."""
        return [(value.name, value.text) for value in self.values if value.origin != "default"]


def presets() -> list[str]:
    """Names of the built-in presets."""
    return core.preset_names()


def _parts(config: ConfigSource | None) -> tuple[str, str]:
    """File name and text of a configuration."""
    if config is None:
        return "", ""
    if isinstance(config, Mapping):
        return "configuration", _json(config)
    return path_of(config), ""


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """What callers' mappings hold beside JSON's own types."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "item"):  # a number of numpy's
        return value.item()
    raise TypeError(f"a {type(value).__name__} ({value!r}) cannot be the value of a configuration's key")


def read(config: ConfigSource, *, quality: str | None = None) -> Configuration:
    """Reads a file, a built-in preset by name, or a mapping. Raises `Error` (USAGE) naming file, key, value and what is
    allowed. `quality`: which of `video.quality_presets` is used (fast, balanced, high; default: none of them)."""
    return Configuration(core.read_configuration(*_parts(config), quality or ""))


def read_as(name: str, content: Mapping[str, Any], *, quality: str | None = None) -> Configuration:
    """The same for a mapping that messages are to call `name`."""
    return Configuration(core.read_configuration(name, _json(content), quality or ""))


def resolve(
    config: ConfigSource | None = None,
    *,
    profile: StrPath | None = None,
    quality: str | None = None,
    **options: Unpack[OptionWords],
) -> Effective:
    """The options a job would have: arguments before configuration before preset (`profile`) before default."""
    return resolve_settings(config, profile, quality, settings_of(options))


def resolve_settings(
    config: ConfigSource | None, profile: StrPath | None, quality: str | None, settings: Settings
) -> Effective:
    """The same with arguments as texts."""
    return _resolved(_parts(config), profile, quality, settings)


def resolve_as(
    name: str,
    content: Mapping[str, Any],
    *,
    profile: StrPath | None = None,
    quality: str | None = None,
    settings: Settings = (),
) -> Effective:
    """The same for a mapping that messages are to call `name`, with arguments as texts."""
    return _resolved((name, _json(content)), profile, quality, settings)


def _resolved(parts: tuple[str, str], profile: StrPath | None, quality: str | None, settings: Settings) -> Effective:
    facts = core.resolve(path_of(profile or ""), *parts, quality or "", settings)
    values = [Value(*value) for value in facts["values"]]
    return Effective(values, facts["warnings"], facts["streaming"], facts["text"])
