"""What a folder does not label costs nothing on its background, and everything else does."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from training.fitting.network import PartialLabelEntropy, as_input, build_network  # noqa: E402

LOGITS = torch.full((1, 3, 2), 2.0)


def entropy_of(targets: "torch.Tensor", known: list[bool]) -> "torch.Tensor":
    entropy = PartialLabelEntropy()
    entropy.known = torch.tensor([known])
    return entropy(LOGITS, targets)


def test_an_unlabelled_class_is_free_on_the_background() -> None:
    loss = entropy_of(torch.zeros(1, 3, 2), [True, False])
    assert (loss[..., 0] > 0).all()
    assert (loss[..., 1] == 0).all()


def test_on_a_labelled_item_every_class_counts() -> None:
    targets = torch.zeros(1, 3, 2)
    targets[0, 1, 0] = 0.8
    loss = entropy_of(targets, [True, False])
    assert loss[0, 1, 1] > 0
    assert loss[0, 0, 1] == 0


def test_with_all_classes_known_it_is_plain_cross_entropy() -> None:
    targets = torch.zeros(1, 3, 2)
    plain = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, targets, reduction="none")
    assert torch.equal(entropy_of(targets, [True, True]), plain)


def test_pictures_become_rgb_planes_in_zero_to_one() -> None:
    pictures = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    pictures[..., 0] = 255
    planes = as_input(pictures.numpy())
    assert planes.shape == (1, 3, 2, 2)
    assert planes[0, :, 0, 0].tolist() == [0.0, 0.0, 1.0]


def test_the_network_answers_for_every_class() -> None:
    network = build_network(9).eval()
    with torch.no_grad():
        answer = network(torch.zeros(1, 3, 64, 64))[0]
    assert answer.shape == (1, 4 + 9, 64 // 8 * (64 // 8) + 64 // 16 * (64 // 16) + 64 // 32 * (64 // 32))
