"""`torchann plot`: a PNG for each experiment that is named."""

from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"


def test_pictures_are_written_and_named(command, tmp_path):
    outcome = command("plot", "logic_neurons", "linear_stack", "--output", "pictures")
    assert (outcome.status, outcome.err) == (0, "")
    for name, path in zip(("logic_neurons", "linear_stack"), outcome.out.splitlines(), strict=True):
        assert Path(path) == Path("pictures", f"{name}.png")
        assert (tmp_path / path).read_bytes()[:8] == PNG


def test_unknown_experiment_is_refused_with_the_one_that_was_meant(command):
    said = "torchann plot: error: there is no experiment 'xor_mpl'; did you mean 'xor_mlp'?\n"
    assert command("plot", "xor_mpl") == (2, "", said)


def test_picture_without_its_data_is_told(command, bare_machine):
    outcome = command("plot", "fashion_mnist_mlp")
    assert outcome.status == 1 and "fashion_mnist_mlp was not drawn: Fashion-MNIST is not on" in outcome.err
