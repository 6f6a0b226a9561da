"""What an estimator has comes back from JSON and tensors with its types."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from torchann.files.plain_values import decode, encode
from torchann.files.safetensors_file import ModelFileError

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DTYPES = st.sampled_from(["bool", "int8", "uint8", "int64", "uint32", "float16", "float32", "float64", "U5"])
SHAPES = arrays.array_shapes(min_side=0, max_side=3)
VALUES = st.recursive(
    PLAIN | arrays.arrays(DTYPES, SHAPES),
    lambda part: st.lists(part, max_size=3) | st.tuples(part, part) | st.dictionaries(st.text() | st.integers(), part),
    max_leaves=6,
)


def back(value):
    tensors = {}
    told = json.loads(json.dumps(encode("it", value, tensors), allow_nan=False))
    again = decode("it", told, tensors)
    assert not tensors
    return again


def same(a, b):
    assert type(a) is type(b)
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, dict):
        same(list(a.items()), list(b.items()))
    elif isinstance(a, np.ndarray) and a.dtype.kind == "U":  # as wide as its longest text
        assert a.tolist() == b.tolist() and a.shape == b.shape
    else:
        np.testing.assert_array_equal(a, b, strict=True)


@given(VALUES)
def test_value_comes_back(value):
    same(value, back(value))


@pytest.mark.parametrize("value", [np.float64(0.1), np.float32("nan"), np.int16(3), np.bool_(True), np.str_("a")])
def test_scalar_of_numpy_comes_back(value):
    same(value, back(value))


def test_list_of_weights_becomes_tensors_of_its_name():
    tensors = {}
    told = encode("coefs_", [np.ones((2, 3)), np.ones((3, 1), np.float32)], tensors)
    assert told == [{"tensor": "coefs_.0"}, {"tensor": "coefs_.1"}]
    assert {name: tuple(part.shape) for name, part in tensors.items()} == {"coefs_.0": (2, 3), "coefs_.1": (3, 1)}


def test_tensor_is_a_copy_in_c_order():
    weights, tensors = np.asfortranarray(np.arange(6.0).reshape(2, 3)), {}
    encode("w", weights, tensors)
    weights[:] = 0
    assert tensors["w"].flags.c_contiguous and tensors["w"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_array_of_the_other_byte_order_comes_back():
    same(np.array([1.0, 2.0]), back(np.array([1.0, 2.0], dtype=">f8")))


@pytest.mark.parametrize(
    "value", [print, object(), {1}, 1j, np.array([1j]), np.array(["2020"], "M8[Y]"), np.array([object()])]
)
def test_other_value_is_refused(value):
    with pytest.raises(ModelFileError, match="it has .*; give None, numbers, text"):
        encode("it", value, {})


def test_lists_that_are_too_deep_are_refused():
    deep = []
    for _ in range(9):
        deep = [deep]
    with pytest.raises(ModelFileError, match="at most 8 deep"):
        encode("it", deep, {})
