"""Where and in which numbers a network learns."""

import pytest
import torch

from training.fitting.devices import learning_arithmetic


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True, "avx2": True}, torch.bfloat16),
        ({"amx_bf16": True, "avx512_bf16": False}, torch.bfloat16),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
        ({}, torch.float32),
    ],
    ids=["avx512", "amx", "without", "unknown"],
)
def test_a_processor_learns_in_bf16_only_if_it_has_units_for_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    layer = torch.nn.Linear(4, 4)
    with learning_arithmetic("cpu"):
        assert layer(torch.ones(1, 4)).dtype == expected
