"""The command ``torchann``: answers ``--help`` at once and imports a framework only for the work that needs it."""

import argparse
import importlib
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from torchann.commands.output import printing_never_fails
from torchann.commands.short_help import PAGES, short_help, usage
from torchann.nets.names import did_you_mean

LIGHTNING = {
    "fit": "train a model from a config; leaves a run folder",
    "validate": "figures on the validation rows, by the best checkpoint of the latest run",
    "test": "figures on the test rows, by the best checkpoint of the latest run",
    "predict": "write predictions of a table, or of a config's rows, in their order",
}
CONFIGURED = {
    "lr-range": "let the learning rate grow step by step, and say which to train with",
    "tune": "search hyperparameters, as the `tune` section of a config says",
}
TRAINING = (["fit"], ["reproduce"], ["tune"])
"""Commands whose result is in files, whatever becomes of what they print."""
MODEL = "a model file, a checkpoint, or the folder of a run"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        wrong = re.match(r"unrecognized arguments: (\S+)", message)
        options = re.findall(r"(?<![\w-])--?[a-z][\w-]*", self.format_help())
        otherwise = f"`{self.prog} --help` shows what it takes"
        hint = did_you_mean(wrong[1] if wrong else "", options, otherwise)
        self.exit(2, f"{self.prog}: error: {message}; {hint}\n")


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; ports go from 0 (any free one) to 65535")
    return int(text)


def _add_table(parser: _Parser) -> None:
    parser.add_argument("model", metavar="MODEL", help=MODEL)
    parser.add_argument("data", metavar="DATA", nargs="+", help="a CSV, TSV, Parquet, NPY or NPZ file, or several")
    parser.add_argument("--delimiter", help="between the values of a CSV file, such as ; or tab")
    parser.add_argument("--encoding", help="of a CSV file that is not UTF-8")
    parser.add_argument("--decimal", help="sign of numbers in texts, . or , where they could be read both ways")


def _parser() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        allow_abbrev=False,
        prog="torchann",
        description="Chapter 10 of Hands-On Machine Learning (artificial neural networks) on PyTorch and Lightning.",
        epilog="`torchann COMMAND --help` shows what each command takes.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, text in (LIGHTNING | CONFIGURED).items():
        commands.add_parser(name, help=text, add_help=False)

    reproduce = commands.add_parser(
        "reproduce", allow_abbrev=False, help="run the chapter's experiments beside their published figures"
    )
    reproduce.add_argument("--list", action="store_true", help="name the experiments and run nothing")
    reproduce.add_argument("--only", metavar="NAME", nargs="+", action="extend", help="run these experiments alone")
    reproduce.add_argument("--seeds", metavar="N", type=int, default=1, help="how many seeds; reports median and range")
    reproduce.add_argument("--jobs", metavar="N", type=int, default=1, help="how many at a time, each in a process")
    reproduce.add_argument("--output", metavar="FOLDER", default="results", help="for the table and the pictures")
    reproduce.add_argument("--runs", metavar="FOLDER", default="runs", help="for the run folders")
    reproduce.add_argument("--data-dir", metavar="FOLDER", help="where Fashion-MNIST's files are")
    reproduce.add_argument("--quiet", action="store_true", help="no progress bars")

    plot = commands.add_parser("plot", allow_abbrev=False, help="draw the pictures of experiments")
    plot.add_argument(
        "names",
        metavar="NAME",
        nargs="+",
        help="experiments, as `torchann reproduce --list` names them, or runs, such as runs/homes",
    )
    plot.add_argument("--output", metavar="FOLDER", help="for the pictures (default: results, or the run's own)")
    plot.add_argument("--runs", metavar="FOLDER", default="runs", help="for the run folders")
    plot.add_argument("--data-dir", metavar="FOLDER", help="where Fashion-MNIST's files are")

    data = commands.add_parser("data", allow_abbrev=False, help="find, verify or download the data sets")
    data.add_argument("name", nargs="?", default="all", help="iris, california-housing or fashion-mnist")
    data.add_argument("--data-dir", metavar="FOLDER", help="where Fashion-MNIST's files are")
    data.add_argument("--no-download", action="store_true", help="look on this machine only")
    data.add_argument("--quiet", action="store_true", help="no progress bars")

    board = commands.add_parser("tensorboard", allow_abbrev=False, help="start TensorBoard on the runs")
    board.add_argument(
        "runs", nargs="?", default="runs", help="folder of all runs, an experiment or a run (default: runs)"
    )
    board.add_argument(
        "--host", default="localhost", help="address to listen at (default: localhost; 0.0.0.0: all of this machine)"
    )
    board.add_argument("--port", type=_port, help="port (default: 6006 or the next free one; 0: any free one)")

    info = commands.add_parser("info", allow_abbrev=False, help="what a model is, what it expects, how it scored")
    info.add_argument("model", metavar="MODEL", help=MODEL)
    info.add_argument("--markdown", action="store_true", help="as a model card: a README.md to publish it with")

    importance = commands.add_parser(
        "importance", allow_abbrev=False, help="how much worse a model does with one column of its table shuffled"
    )
    _add_table(importance)
    importance.add_argument("--target", metavar="NAME", help="the target to measure (default: the mean of all)")
    importance.add_argument("--repeats", metavar="N", type=int, default=10, help="shuffles per column (default: 10)")
    importance.add_argument("--output", metavar="FILE.csv", help="a table (default: in the run's folder)")
    importance.add_argument("--picture", metavar="FILE.png", help="a picture (default: in the run's folder)")

    export = commands.add_parser(
        "export", allow_abbrev=False, help="write a model as ONNX or torch.export, from raw rows to predictions"
    )
    export.add_argument("model", metavar="MODEL", help=MODEL)
    export.add_argument("--format", choices=["onnx", "torch-export"], help="by default that of OUT's ending, or onnx")
    export.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="an .onnx or .pt2 file, beside which its card is written (default: model.onnx or model.pt2)",
    )
    export.add_argument("--quiet", action="store_true", help="nothing but errors and warnings")
    return parser, commands.choices


def _predict_parser() -> _Parser:
    predict = _Parser(
        allow_abbrev=False,
        prog="torchann predict",
        description="Predicts each row of a table, in their order.",
        epilog="`torchann predict CONFIG.yaml [--output OUT]` predicts the rows of a config's data; "
        "--help-all shows its options.",
    )
    predict.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        default="predictions.csv",
        help="a .csv, .npy or .parquet file (default: %(default)s)",
    )
    keep = "columns to have beside predictions"
    predict.add_argument("--keep", metavar="COLUMN", nargs="+", action="extend", default=[], help=keep)
    share = "write columns TARGET_low and TARGET_high that hold this share of the true values, such as 0.9"
    predict.add_argument("--interval", metavar="SHARE", type=float, help=share)
    _add_table(predict)
    guard = "put a ' before texts in a .csv that a spreadsheet would run as formulas"
    predict.add_argument("--guard-formulas", action="store_true", help=guard)
    predict.add_argument("--quiet", action="store_true", help="nothing but errors and warnings")
    predict.set_defaults(command="predict")
    return predict


def _of_a_table(words: Sequence[str]) -> bool:
    # As against `torchann predict --config FILE`, which is Lightning's.
    if words[:1] != ["predict"] or len(words) < 2:
        return False
    if not words[1].startswith("-"):
        return not words[1].endswith((".yaml", ".yml"))
    table = ("--keep", "--interval", "--delimiter", "--encoding", "--decimal", "--guard-formulas")
    return words[1] in ("-o", *table, "-h", "--help")


def _load(name: str) -> Any:
    if name != "tensorboard":
        from torchann.commands.light_imports import import_lightning

        import_lightning()
    return importlib.import_module(f"torchann.commands.{name.replace('-', '_')}")


def _configured(words: Sequence[str]) -> int:
    from torchann.commands.error_report import report_error

    try:
        command = _load(words[0])
    except ImportError as error:  # a package of an extra
        return report_error(words[0], error)
    return int(command.main(words))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: the words after ``torchann``; by default those of this process.

    Returns:
        The exit status: 0, 1 after a failure, 2 after a command that cannot be understood, 130 after Ctrl-C.

    Example:
        >>> main(["--version"])
        torchann 0.1.0
        0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    with printing_never_fails() as lost:
        status = _run(words)
    return 1 if lost and status == 0 and words[:1] not in TRAINING else status


def _run(words: list[str]) -> int:
    parser, commands = _parser()
    if words and not words[0].startswith("-") and words[0] not in commands:
        hint = did_you_mean(words[0], commands, f"choose one of {', '.join(commands)}")
        print(f"torchann: error: there is no command {words[0]!r}; {hint}", file=sys.stderr)
        return 2
    if words and words[0] in PAGES and {"-h", "--help"} & set(words):
        print(short_help(words[0]))
        return 0
    if len(words) == 1 and words[0] in PAGES:
        print(f"torchann {words[0]}: error: there is nothing to work on; type `{usage(words[0])}`", file=sys.stderr)
        return 2
    of_a_table = _of_a_table(words)
    words = ["--help" if word == "--help-all" else word for word in words]
    try:
        if of_a_table:
            parser, commands = _predict_parser(), {}
            words = words[1:]
        elif words and words[0] in LIGHTNING:
            return int(_load("lightning_cli").main(words))
        if words and words[0] in CONFIGURED:
            return _configured(words)
        options, unknown = parser.parse_known_args(words)
        if unknown:
            commands.get(options.command, parser).error(f"unrecognized arguments: {' '.join(unknown)}")
        if getattr(options, "version", False):
            from importlib.metadata import version

            print("torchann", version("torchann"))
        elif options.command is None:
            parser.print_help()
        else:
            return int(_load(options.command).run(options))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # which no command expects, as of files that were altered
        from torchann.commands.error_report import report_error

        return report_error(words[0] if words else "", error)
    return 0


if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):  # by `python -m` a file of the current folder would go before ours
        sys.path.append(sys.path.pop(0))
    sys.exit(main())
