"""The shipped bundle, opened to be measured."""

import pytest

from sorter.runtime.bundle import default_bundle_folder
from training.evaluation.model_under_test import open_model


@pytest.mark.parametrize("second_look", [True, False])
def test_a_second_look_can_be_left_out(*, second_look: bool) -> None:
    detector = open_model(default_bundle_folder(), second_look=second_look)
    assert (detector.second_look is not None) == second_look
