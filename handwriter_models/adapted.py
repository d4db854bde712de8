"""Our own voters for handwriting, frozen and without their last layers, and one new head on what all of them say.

What `transfer` is for photographs this is for ink: the voters of a `compact` network that has read many characters
describe any drawing by a vector, and a head of a few thousand weights is learned on a handful of drawings in some
milliseconds. The voters keep the names of their weights, so that those of a `compact` bundle fit in as they are.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from handwriter_models.backbone_networks import without_head
from handwriter_models.networks import AdaptedArguments, CompactArguments, CompactMember, Head


class Adapted(nn.Module):
    """Voters without last layers and a head; (n, 1, 28, 28) → logits.

    As in `transfer` the voters stay in evaluation mode while the network is trained.
    """

    def __init__(self, arguments: AdaptedArguments) -> None:
        super().__init__()
        like = CompactArguments(1, arguments.members, arguments.widths)
        self.members = nn.ModuleList(without_head(CompactMember(like)) for _ in range(arguments.members)).eval()
        self.head = Head(arguments.members * arguments.widths[-1], arguments.hidden, arguments.outputs)

    def train(self, mode: bool = True) -> Self:
        """As usual, but for the voters."""
        super().train(mode)
        self.members.eval()
        return self

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits of shape (n, outputs)."""
        logits: Tensor = self.head(torch.cat([member(pictures) for member in self.members], dim=1))
        return logits
