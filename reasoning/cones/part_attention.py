"""One block of the encoder of parts: `TransformerConv` of PyTorch Geometric, then feed-forward."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["AttentionBlock", "geometric"]


class AttentionBlock(nn.Module):
    """Attention to what is around, then a feed-forward step; both added to what was there.

    Args:
        width: Numbers a token.
        heads: Attention heads; divides `width`.
        dropout: In attention and feed-forward, [0, 1).
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        _, attention = geometric()
        self.before, self.around = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = attention(
            width,
            width // heads,
            heads=heads,
            dropout=dropout,
            edge_dim=width,
        )
        self.forward_step = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor, around: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """Return the tokens of the parts after attending, ``(num_parts, width)``."""
        both = self.around(around), self.before(x)
        x = x + self.attention(both, edge_index, edge_attr)
        stepped: Tensor = x + self.forward_step(x)
        return stepped


def geometric() -> tuple[type[Data], type[nn.Module]]:
    """Import PyTorch Geometric, which takes seconds, where parts are encoded and nowhere else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of TorchScript
        from torch_geometric.data import Data
        from torch_geometric.nn import TransformerConv
    return Data, TransformerConv
