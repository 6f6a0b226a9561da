"""Memory as people write it, and how much there is."""

import os
import re

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
LEAST = 15 * 10**7  # bytes: what reading takes, and some for the rows


def bytes_of(size: int | str) -> int:
    """How many bytes a size is.

    Args:
        size: a number of bytes, or text such as ``"200MB"`` or ``"1.5 GiB"``.

    Raises:
        ValueError: if it is none, or too little to work with.

    Example:
        >>> bytes_of("200MB"), bytes_of("1.5 GiB")
        (200000000, 1610612736)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(size))
    unit = UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or isinstance(size, bool):
        raise ValueError(f"max_memory is {size!r}; give bytes, or a size such as 200MB or 1.5GB")
    if (number := int(float(found[1]) * unit)) < LEAST:
        raise ValueError(f"max_memory is {size!r}; give {LEAST // 10**6}MB or more")
    return number


def free_memory() -> int | None:
    """Bytes that are free on this machine; None where it does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # no POSIX
        return None
