"""``torchann data``: where the data sets are, and whether they are whole."""

import argparse
import sys

from tabulate import tabulate

from torchann.data import (
    CaliforniaHousingDataModule,
    DataFileError,
    DataNotFoundError,
    FashionMNISTDataModule,
    IrisDataModule,
    fetch_fashion_mnist,
)

HOUSINGS = (
    "california-housing: here with the book's columns, MedHouseVal in 100,000 USD; `torchann fit --data "
    "california-housing --target medianHouseValue` has the census' columns and USD, so their metrics differ"
)


def run(options: argparse.Namespace) -> int:
    """Reads each data set that is asked for, downloading it if need be; returns the exit status."""
    download = not options.no_download
    modules = {
        "iris": IrisDataModule(),
        "california-housing": CaliforniaHousingDataModule(),
        "fashion-mnist": FashionMNISTDataModule(options.data_dir, download=download),
    }
    names = list(modules) if options.name == "all" else [options.name]
    if unknown := [name for name in names if name not in modules]:
        print(
            f"torchann data: error: there is no data set {unknown[0]!r}; choose {', '.join(modules)}", file=sys.stderr
        )
        return 2
    rows, failures = [], []
    for name in names:
        data, where = modules[name], "part of an installed package" + "; each part has all rows" * (name == "iris")
        try:
            if name == "fashion-mnist":
                where = str(
                    fetch_fashion_mnist(options.data_dir, download_missing=download, progress=not options.quiet)
                )
            data.setup()
            rows.append([name, "whole", *(f"{len(split.y):,}" for split in data.splits), where])
        except (DataNotFoundError, DataFileError) as error:
            rows.append([name, "missing" if isinstance(error, DataNotFoundError) else "damaged", "", "", "", ""])
            failures.append(str(error))
    print(
        tabulate(
            rows,
            ["data set", "state", "train", "validation", "test", "where"],
            colalign=["left"] * 2 + ["right"] * 3 + ["left"],
        )
    )
    if "california-housing" in names:
        print(HOUSINGS)
    for failure in failures:
        print(f"\ntorchann data: error: {failure}", file=sys.stderr)
    return 1 if failures else 0
