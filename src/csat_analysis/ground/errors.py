"""Who has to mend it? One error class for each audience."""

from collections.abc import Iterable


class CsatError(Exception):
    """Say *place: what is wrong; what would be right*, without a traceback for the user.

    Parameters
    ----------
    messages
        One sentence, or several where one reading found several faults.
    """

    def __init__(self, messages: str | Iterable[str]):
        self.messages = (messages,) if isinstance(messages, str) else tuple(messages)
        super().__init__("\n".join(self.messages))

    def __reduce__(self) -> tuple[type, tuple[tuple[str, ...]]]:
        return type(self), (self.messages,)


class ParameterError(CsatError):
    """For who writes YAML, or calls the command: a programme, a run file or a selection is wrong."""


class DataError(CsatError):
    """For who delivers tables: a table or a column is missing or cannot be read."""


class ReportError(CsatError):
    """For who publishes: a chapter failed, or its pages cannot be written."""
