"""The last hidden layer in the projector: its vectors, labels and images, and the file that lists them."""

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch import nn

from torchann import ClassificationMLP, RegressionMLP, WideAndDeep
from torchann.dashboard.projector import last_hidden_layer, write_embedding


def listed(folder):
    return text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig()).embeddings


def test_last_hidden_layer_is_what_the_output_layer_reads():
    model = ClassificationMLP([6, 5], in_features=4, num_classes=3)
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    hidden = model.net[:-1](x)
    assert hidden.shape == (7, 5)
    assert torch.equal(last_hidden_layer(model, x), hidden)


def test_without_hidden_layers_it_is_the_inputs():
    x = torch.randn(3, 4)
    assert torch.equal(last_hidden_layer(RegressionMLP([], in_features=4, out_features=1), x), x)


def test_with_an_auxiliary_output_it_is_the_deep_path():
    x = torch.randn(3, 8)
    model = WideAndDeep(in_features=8, out_features=1, aux_weight=0.1)
    assert torch.equal(last_hidden_layer(model, x), model.net.deep(x))


def test_module_without_linear_layers_has_none():
    with pytest.raises(ValueError, match="Flatten has no linear layer whose inputs could be shown; leave embeddings"):
        last_hidden_layer(nn.Flatten(), torch.zeros(2, 2))


def test_no_hook_is_left():
    net = nn.Sequential(nn.Linear(2, 1))
    last_hidden_layer(net, torch.zeros(2, 2))
    assert not net[0]._forward_pre_hooks


def test_vectors_and_labels_can_be_read_again(tmp_path):
    vectors = torch.tensor([[1.5, -2.0], [0.1, 3e-5]])
    labels = {"class": ["T-shirt/top", 'with\ta tab and "quotes"'], "right": ["right", "wrong"]}
    write_embedding(tmp_path, vectors, labels, None, epoch=3)
    (embedding,) = listed(tmp_path)
    assert embedding.tensor_path == "embeddings/00003/vectors.tsv"
    np.testing.assert_allclose(np.loadtxt(tmp_path / embedding.tensor_path), vectors.numpy(), rtol=1e-5)
    lines = (tmp_path / embedding.metadata_path).read_text().splitlines()
    assert lines == ["class\tright", "T-shirt/top\tright", 'with a tab and "quotes"\twrong']


def test_single_column_has_no_heading(tmp_path):
    write_embedding(tmp_path, torch.zeros(2, 2), {"row": [0, 1]}, None, epoch=0)
    assert (tmp_path / listed(tmp_path)[0].metadata_path).read_text() == "0\n1\n"


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_images_are_tiles_of_a_square_in_the_order_of_the_rows(tmp_path, dtype):
    images = torch.zeros(3, 2, 4, dtype=dtype)  # three of 2 x 4 pixels in a square of 2 x 2 tiles
    images[1] = images[2, 1, 3] = 255 if dtype == torch.uint8 else 1.0
    write_embedding(tmp_path, torch.zeros(3, 2), {"row": [0, 1, 2]}, images, epoch=0)
    (embedding,) = listed(tmp_path)
    assert list(embedding.sprite.single_image_dim) == [4, 2]  # width, height
    pixels = np.asarray(Image.open(tmp_path / embedding.sprite.image_path).convert("L"))
    wanted = np.zeros((4, 8), np.uint8)
    wanted[:2, 4:] = wanted[3, 3] = 255
    np.testing.assert_array_equal(pixels, wanted)


def test_large_images_are_shrunk(tmp_path):
    write_embedding(tmp_path, torch.zeros(3, 2), {"row": [0, 1, 2]}, torch.full((3, 100, 320), 0.5), epoch=0)
    (embedding,) = listed(tmp_path)
    assert list(embedding.sprite.single_image_dim) == [64, 20]
    with Image.open(tmp_path / embedding.sprite.image_path) as sprite:
        assert sprite.size == (128, 40)


def test_layer_that_is_called_by_name_is_read_too():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, x):
            return self.layer(input=x)

    x = torch.ones(3, 2, dtype=torch.bfloat16)
    read = last_hidden_layer(Named().bfloat16(), x)
    assert read.dtype == torch.float32 and torch.equal(read, x.float())


def test_coloured_images_keep_their_colours(tmp_path):
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1
    write_embedding(tmp_path, torch.zeros(1, 2), {"row": [0]}, red, epoch=0)
    pixels = np.asarray(Image.open(tmp_path / listed(tmp_path)[0].sprite.image_path))
    assert pixels.tolist() == [[[255, 0, 0]] * 2] * 2


def test_latest_epoch_is_listed_first_and_one_that_is_repeated_once(tmp_path):
    for epoch in (0, 5, 12, 12):
        write_embedding(tmp_path, torch.full((2, 2), float(epoch)), {"row": [0, 1]}, None, epoch)
    names = ["last hidden layer", "last hidden layer, epoch 006", "last hidden layer, epoch 001"]
    assert [embedding.tensor_name for embedding in listed(tmp_path)] == names
    found = [np.loadtxt(tmp_path / embedding.tensor_path)[0, 0] for embedding in listed(tmp_path)]
    assert found == [12, 5, 0]
