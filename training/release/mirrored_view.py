"""A network's second opinion of its own: it sees every picture mirrored too, and gives the mean of both views.

One of the few modules that import torch.
"""

import torch
from torch import Tensor, nn

from training.input_size import InputSize


class MirroredView(nn.Module):  # type: ignore[misc]  # torch is not followed by the type checker
    """The mean of what a network says of a picture and of the same picture with left and right swapped.

    A belt seen from above has neither left nor right, yet a network that learned from few pictures errs differently on
    both (+0.03 mAP50 on WaRP, with a second look). The cells of a mirrored picture are those of the picture in another
    order, so the mean is taken cell by cell, before boxes are thinned, and is part of the graph: what runs the network
    need not know.
    """

    def __init__(self, strides_px: list[int], size: InputSize) -> None:
        """Learn which cell becomes which.

        Args:
            strides_px: of the head's maps, in the order of its cells; each divides the size.
            size: of the network's input.
        """
        super().__init__()
        cells, first = [], 0
        for stride_px in strides_px:
            rows, columns = size.height_px // stride_px, size.width_px // stride_px
            cells.append((first + torch.arange(rows * columns).reshape(rows, columns)).flip(1).flatten())
            first += rows * columns
        self.register_buffer("mirrored_cells", torch.cat(cells))
        self._width_px = size.width_px

    @staticmethod
    def both(planes: Tensor) -> Tensor:
        """Pictures (B, 3, H, W), and after them the same mirrored: (2 B, 3, H, W)."""
        return torch.cat([planes, planes.flip(3)])

    def forward(self, predictions: Tensor) -> Tensor:
        """The mean of both views (B, 4 + C, A) of what the network says of `both` (2 B, 4 + C, A)."""
        as_it_is, mirrored = predictions.unflatten(0, (2, -1)).unbind(0)
        back = mirrored.index_select(2, self.mirrored_cells)
        back = torch.cat([self._width_px - back[:, :1], back[:, 1:]], dim=1)
        return (as_it_is + back) / 2
