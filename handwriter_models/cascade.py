"""Two stages in one network: which group a picture belongs to, and which of the group's labels it is.

The first users of this project asked one network "digit, letter or free pattern?" and then another one "which?". Asked
hard, the second can never mend what the first got wrong, and their errors multiply. Here both answer at once, and the
answer is P(label) = P(group) · P(label | group) for every label: a probability over all labels that sums to one, so it
is trained, calibrated and compared like any other network. Each stage has layers of its own, built like one voter of
`compact`; the second learns from a picture only what tells the labels of that picture's own group apart.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from handwriter_models.errors import UserError
from handwriter_models.networks import CascadeArguments, CompactArguments, CompactMember


class Cascade(nn.Module):
    """The two stages; `arguments.groups` are the sizes of groups of labels that stand one after another.

    Raises:
        UserError: the sizes do not sum to the number of outputs.
    """

    def __init__(self, arguments: CascadeArguments) -> None:
        super().__init__()
        if sum(arguments.groups) != arguments.outputs:
            raise UserError(
                f"the groups {list(arguments.groups)} of network 'cascade' hold {sum(arguments.groups)} labels, but it "
                f"has {arguments.outputs} outputs",
                "give the number of labels of each group, in the order of the labels",
                status=422,
            )
        self.sizes = list(arguments.groups)
        stage = CompactArguments(arguments.outputs, 1, arguments.widths, arguments.dropout)
        first = CompactMember(replace(stage, outputs=len(self.sizes)))
        self.members = nn.ModuleList([first, CompactMember(stage)])

    def forward(self, pictures: Tensor) -> Tensor:
        """Log-probabilities, shape (n, outputs), in float32 whatever the precision of the layers."""
        groups = torch.log_softmax(self.members[0](pictures).float(), dim=-1).unbind(dim=-1)
        classes = torch.split_with_sizes(self.members[1](pictures).float(), self.sizes, dim=-1)
        parts = [group[:, None] + torch.log_softmax(own, dim=-1) for group, own in zip(groups, classes, strict=True)]
        return torch.cat(parts, dim=-1)
