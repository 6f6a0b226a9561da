"""``torchann predict MODEL DATA -o OUT``: predictions of a table, in the order of its rows."""

import argparse
import sys
from pathlib import Path

from torchann.commands.error_report import report_error
from torchann.data.tables.columns import UnseenValues
from torchann.files.prediction_files import check_table_ending
from torchann.publishing.table_predictions import predict
from torchann.training.trainer import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Predicts; says on standard error what no training row had. Returns the exit status."""
    quieten_framework()
    output, surprises = Path(options.output), UnseenValues()
    files = options.data if len(options.data) > 1 else options.data[0]
    try:
        check_table_ending(output)
        more = {"keep": options.keep, "delimiter": options.delimiter, "encoding": options.encoding}
        rows = predict(options.model, files, output, surprises=surprises, **more)
    except (ValueError, OSError, RuntimeError) as error:
        return report_error("predict", error)
    for line in surprises.lines():
        print(f"torchann predict: {line}", file=sys.stderr)
    if not options.quiet:
        print(f"{rows:,} rows in {output}")
    return 0
