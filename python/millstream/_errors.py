"""The one exception type of Millstream."""

from __future__ import annotations

import enum


class ErrorKind(enum.IntEnum):
    """What kind of failure it is. The value is the exit code of the command line."""

    INTERNAL = 1
    """a defect of Millstream itself"""
    USAGE = 2
    """options or configuration; the output exists without `overwrite`; the output is the input"""
    INPUT = 3
    """the input cannot be used"""
    REFUSED = 4
    """refused before the start: disk, memory, the output's folder"""
    MODEL = 5
    """the model cannot be used"""
    RESOURCE = 6
    """ran out of a resource while running"""
    DIFFERENCE = 7
    """verification or a strict mode found a difference"""
    INTERRUPTED = 130
    """stopped by a stop request"""


class Error(RuntimeError):
    """What failed, on what, why, and what to do about it. `str()` of it is all four in one sentence."""

    kind: ErrorKind
    doing: str
    """what was being done, e.g. "reading the weights\""""
    subject: str
    """file, stream, layer or frame it was done on; may be empty"""
    why: str
    """the reason, in words, with the numbers"""
    hint: str
    """what the user can do; may be empty"""

    def __init__(self, kind: int, doing: str, subject: str, why: str, hint: str, text: str) -> None:
        super().__init__(text)
        self.kind = ErrorKind(kind)
        self.doing = doing
        self.subject = subject
        self.why = why
        self.hint = hint

    @property
    def exit_code(self) -> int:
        """What the command line would end with."""
        return int(self.kind)

    def __reduce__(self) -> tuple[type[Error], tuple[int, str, str, str, str, str]]:
        return Error, (int(self.kind), self.doing, self.subject, self.why, self.hint, str(self))
