"""The error tree. Every message says what happened, where, and what to do next.

``UsageError`` and its children mean the call was wrong (exit code 2); any other
``ContextSynthesisError`` means the work failed and can be resumed (exit code 1).
"""

from __future__ import annotations

from typing import Any


class ContextSynthesisError(Exception):
    """Base of all errors raised on purpose. They cross from one process to another unchanged."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an error is made again of its message, which an __init__ of its own cannot take;
        # a pool of processes that is sent such an error never ends.
        return _made_again, (type(self), self.args), vars(self)


class UsageError(ContextSynthesisError):
    """The command, configuration or input as a whole cannot be used as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A run configuration has an unknown key or a value that cannot be used."""


class SourceError(UsageError):
    """A source of pairs cannot be read at all (a single bad row is a ``Rejected`` instead)."""


class TemplateError(UsageError):
    """A prompt template lacks a placeholder or has one that nothing fills."""


class TokenizerError(UsageError):
    """A tokenizer cannot be loaded or has no chat template."""


class FolderError(UsageError):
    """An output folder is locked, not writable, or holds something that is not ours."""


class MissingExtraError(UsageError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed. "
            f'Install it with: pip install "context-synthesis[{extra}]"'
        )


class EngineError(ContextSynthesisError):
    """An engine failed as a whole (a single failed reply is a ``Completion`` with ``error``)."""


class StorageError(ContextSynthesisError):
    """Writing failed, for instance because the disk is full. What was written is kept."""


def _made_again(kind: type[ContextSynthesisError], args: tuple[object, ...]) -> ContextSynthesisError:
    return kind.__new__(kind, *args)
