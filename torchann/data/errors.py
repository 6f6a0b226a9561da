"""What goes wrong with data on disk: it is not there, or it is not what it should be."""

import os


class DataNotFoundError(FileNotFoundError):
    """No data where they were looked for; the message names the places and the ways to get them.

    Example:
        >>> issubclass(DataNotFoundError, FileNotFoundError)
        True
    """


class DataFileError(ValueError):
    """A file is damaged, cut short or another one than its name says.

    Args:
        path: the file.
        found: what it is or holds, a verb phrase.
        expected: what it should be or hold, a noun phrase.
        remedy: what to do, an imperative.

    Example:
        >>> print(DataFileError("a.gz", "ends after 3 bytes", "a header of 16 bytes", "delete it"))
        a.gz ends after 3 bytes; expected a header of 16 bytes; delete it
    """

    path: str | os.PathLike[str]
    found: str
    expected: str
    remedy: str

    def __init__(self, path: str | os.PathLike[str], found: str, expected: str, remedy: str) -> None:
        super().__init__(path, found, expected, remedy)  # all four, or the error could not cross processes
        self.path, self.found, self.expected, self.remedy = path, found, expected, remedy

    def __str__(self) -> str:
        return f"{self.path} {self.found}; expected {self.expected}; {self.remedy}"
