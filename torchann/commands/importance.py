"""``torchann importance MODEL DATA``: how much worse a model does where one column of its table is shuffled."""

import argparse
import sys
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from torchann.commands.error_report import report_error
from torchann.commands.predict import say_which
from torchann.data.tables.columns import UnseenValues
from torchann.files.run import Run
from torchann.nets.names import printable
from torchann.pictures.raster import as_image
from torchann.publishing.importance import importance
from torchann.publishing.model_paths import find_model
from torchann.training.quiet import quieten_framework


def run(options: argparse.Namespace) -> int:
    """Print it and write it to files, of a run into its folder and TensorBoard, too. Return the exit status."""
    quieten_framework()
    surprises = UnseenValues()
    try:
        model = find_model(options.model)
        files = options.data if len(options.data) > 1 else options.data[0]
        more = {name: getattr(options, name) for name in ("repeats", "delimiter", "encoding", "decimal")}
        found = importance(model, files, options.target, surprises=surprises, **more)
        run = Run.of(model) if model != Path(options.model) else None
        table = options.output or (run and run.importance)
        picture = options.picture or (run and run.importance.with_suffix(".png"))
        if table:
            found.to_csv(table)
        if picture:
            found.plot().savefig(picture, dpi=120)
        if run:
            with SummaryWriter(str(run.folder)) as writer:
                writer.add_image("importance", as_image(found.plot()), dataformats="HWC")
    except (ValueError, OSError, RuntimeError) as error:
        return report_error("importance", error)
    for line in surprises.lines():
        print(f"torchann importance: {printable(line)}", file=sys.stderr)
    say_which(options.model, model)
    print(printable(str(found)))
    for path in filter(None, (table, picture)):
        print(printable(str(path)))
    return 0
