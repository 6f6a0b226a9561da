"""Images a little changed in each epoch, so that a net learns what does not matter."""

import torch
import torch.nn.functional as F
from torch import Tensor


def flip_and_shift(x: Tensor, draws: Tensor, flip: bool = True, shift: int = 1) -> Tensor:
    """Mirrors half of the images and moves each by up to ``shift`` pixels either way; what moves in is black.

    Args:
        x: images, ``(rows, height, width)``, any dtype.
        draws: random numbers, uniform in 0–1 without 1, ``(rows, 3)``: below 0.5 mirrors an image, the other two
            choose its shifts.
        flip: whether images are mirrored at all.
        shift: the farthest shift, in pixels.

    Example:
        >>> image = torch.tensor([[[1, 2], [3, 4]]])
        >>> flip_and_shift(image, torch.tensor([[0.0, 0.5, 0.5]]))  # mirrored, not moved: 0.5 is the middle of three
        tensor([[[2, 1],
                 [4, 3]]])
        >>> flip_and_shift(image, torch.tensor([[0.9, 0.0, 0.5]]))  # one pixel down
        tensor([[[0, 0],
                 [1, 2]]])
    """
    rows, height, width = x.shape
    places = 2 * shift + 1
    top, left = (draws[:, 1:] * places).long().T  # of the window on the padded image
    row = top[:, None] + torch.arange(height, device=x.device)
    column = left[:, None] + torch.arange(width, device=x.device)
    if flip:
        column = torch.where(draws[:, :1] < 0.5, column.flip(1), column)
    padded = F.pad(x, (shift, shift, shift, shift))
    index = (row[:, :, None] * (width + 2 * shift) + column[:, None, :]).view(rows, -1)
    return padded.view(rows, -1).gather(1, index).view_as(x)
