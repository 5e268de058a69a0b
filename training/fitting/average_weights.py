"""The running average of the weights: smoother than the last step, and what is shipped."""

import copy
import math
from typing import Any


class AverageWeights:
    """Exponential moving average of a network, faster at the start, as in YOLOv5."""

    def __init__(self, network: Any, decay: float = 0.9985, warm_up_steps: float = 500.0) -> None:
        self.network = copy.deepcopy(network).eval()
        for parameter in self.network.parameters():
            parameter.requires_grad_(requires_grad=False)
        self._decay = decay
        self._warm_up_steps = warm_up_steps

    def update(self, network: Any, step: int) -> None:
        """Move the average towards the weights after step number `step` (from 1)."""
        decay = self._decay * (1.0 - math.exp(-step / self._warm_up_steps))
        # State dictionaries are detached: nothing here is recorded for the gradient.
        current = network.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(current[name].to(value.dtype), 1.0 - decay)
            else:
                value.copy_(current[name])
