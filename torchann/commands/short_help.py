"""One screen of help for the commands that have more options than a screen: examples, and the options people use."""

FIT = {
    "--data FILE ...": "the table, CSV, TSV, Parquet, NPY or NPZ; or first, alone",
    "--target COLUMN ...": "the column to predict, or several",
    "--task TASK": "regression, binary or multiclass (default: by target)",
    "--epochs N": "passes over the training rows, at most (default: 100)",
    "--lr RATE": "learning rate (default: 0.001)",
    "--batch-size N": "rows per step (default: 32, more for large tables)",
    "--numbers ENCODING": "standard, robust, quantile, piecewise, waves, ...",
    "--hidden N ...": "neurons of each hidden layer (default: 128 64)",
    "--activation NAME": "relu (default), tanh, elu, gelu, silu, softsign, ...",
    "--dropout SHARE": "of the hidden neurons, off in each step (default: 0)",
    "--optimizer NAME": "sgd, adam (default), adamw, nadam, adagrad, rmsprop",
    "--time-limit SECONDS": "search the strongest nets, and average them",
    "--ensemble N": "average N nets, after a short search",
    "--seed N": "of first weights and order of rows (default: 42)",
    "--name NAME": "run folder runs/NAME/001 (default: as the table)",
    "--resume": "go on with the latest run of that name",
    "--verbose N": "0 nothing (as --quiet), 1 a bar, 2 a line per epoch",
    "--config FILE": "a YAML file with defaults of its own; or first, alone",
}
_SAME = {name: FIT[name] for name in ("--data FILE ...", "--target COLUMN ...", "--config FILE")}
_RUN = {
    "--ckpt_path FILE": "a checkpoint; or best (default) or last of the run",
    "--data.test_source FILE": "other rows to test on",
    "--quiet": "no line but the metrics",
}
_SEARCH = {
    "--tune.space SPACE": "model.lr: {low: 0.001, high: 0.1} and others, in braces",
    "--tune.trials N": "trials the study is to have (default: 20)",
    "--tune.sampler NAME": "tpe (default) or random",
    "--tune.pruner NAME": "none (default), median or hyperband",
    "--tune.folds N": "cross-validation (default: the validation rows judge)",
    "--tune.metric NAME": "what to judge by (default: val_loss)",
    "--tune.jobs N": "processes on this machine (default: 1)",
    "--tune.name NAME": "the study is studies/NAME (default: as the table)",
}
_RANGE = {
    "--min_lr RATE": "where the rate begins (default: 1e-05)",
    "--max_lr RATE": "where it ends (default: 10)",
    "--steps N": "as many rates (default: 1,000)",
    "--plot FILE": "a picture, such as range.png",
    "--table FILE": "all steps as CSV",
}
PAGES: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "fit": (
        "Trains a model and leaves a run folder, such as runs/homes/001.",
        [
            "homes.csv --target price",
            "homes.csv --target price --epochs 20 --hidden 64 32 --lr 0.01",
            "homes.csv --target price --resume",
            "experiments/housing_mlp.yaml --lr 0.005",
            "homes.csv --target price --model torchann.WideAndDeep",
        ],
        FIT,
    ),
    "test": (
        "Measures a trained model on the test rows.",
        ["runs/homes", "runs/homes/002", "runs/homes/002/checkpoints/last.ckpt", "experiments/housing_mlp.yaml"],
        {"RUN": "a run, the runs of a name (the latest counts), or a .ckpt"} | _RUN,
    ),
    "tune": (
        "Searches hyperparameters and trains the best model.",
        [
            "homes.csv --target price --tune.space '{model.lr: [0.01, 0.1]}'",
            "runs/homes --tune.space '{model.dropout: {low: 0, high: 0.5}}'",
            "experiments/tune_housing.yaml --tune.jobs 2",
        ],
        _SAME | _SEARCH,
    ),
    "lr-range": (
        "Lets the learning rate grow from step to step, and says which to train with.",
        ["homes.csv --target price", "experiments/housing_mlp.yaml --plot range.png"],
        _SAME | _RANGE,
    ),
}
PAGES["validate"] = ("Measures a trained model on the validation rows.", *PAGES["test"][1:])


def usage(command: str) -> str:
    """Return what is typed at least.

    Example:
        >>> usage("fit")
        'torchann fit FILE --target COLUMN'
    """
    return f"torchann {command} {'RUN' if command in ('test', 'validate') else 'FILE --target COLUMN'}"


def short_help(command: str) -> str:
    """Return the help of a command on one screen of 80 columns.

    Example:
        >>> print(short_help("test").splitlines()[0])
        usage: torchann test RUN [OPTION ...]
    """
    what, examples, options = PAGES[command]
    lines = [f"usage: {usage(command)} [OPTION ...]", "", what, "", "examples:"]
    lines += [f"  torchann {command} {example}" for example in examples]
    lines += ["", "options:", *(f"  {name:<20}{text}" for name, text in options.items()), ""]
    return "\n".join([*lines, f"`torchann {command} --help-all` shows all options."])
