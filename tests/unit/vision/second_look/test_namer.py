"""Second looks at boxes of a picture, whatever runs the network, and at tracks from view to view."""

import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.model.tracks import Track
from sorter.runtime.bundle import Network, SecondLook
from vision.frame import Detections
from vision.second_look.namer import ItemNamer
from vision.second_look.track_naming import TrackNaming

NETWORK = Network("a.onnx", "0" * 64, 64, 64, "raw")
BOXES_PX = np.array([[0, 0, 16, 16], [16, 0, 32, 16], [32, 0, 48, 16]], np.float32)


class Naming:
    """Names a square by its grey: the share of white is the probability of the first class."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.counts.append(len(squares))
        white = squares.mean(axis=(1, 2, 3)) / 255
        return np.stack([white, 1 - white], axis=1).astype(np.float32)


def namer(run: Naming, own_name_ratio: float = 0.0) -> ItemNamer:
    return ItemNamer(NETWORK, SecondLook("b.onnx", "0" * 64, 8, 1.0, own_name_ratio), 2, run)


def picture() -> NDArray[np.uint8]:
    """White, grey and black, 16 pixels each."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, :16], image[:, 16:32] = 255, 51
    return image


def tracks(*track_ids: int, truncated: bool = False) -> tuple[Track, ...]:
    return tuple(Track(track_id, 0, 0, 1, 1, (0.25, 0.5), 1, truncated) for track_id in track_ids)


def test_many_boxes_are_looked_at_in_parts() -> None:
    run = Naming()
    boxes_px = np.tile(BOXES_PX, (50, 1))
    names = namer(run).names(picture(), boxes_px)
    assert run.counts == [64, 64, 22]
    assert np.allclose(names[:, 0], np.tile([1.0, 0.2, 0.0], 50), atol=0.05)


def test_what_was_found_is_named_anew_and_is_best_first_again() -> None:
    class_probs = np.array([[0.2, 0.9], [0.1, 0.8], [0.7, 0.1]], np.float32)
    renamed = namer(Naming()).renamed(picture()[:, ::-1], Detections(BOXES_PX, class_probs))
    # the picture is black, black, grey where the boxes lie when it is turned round
    assert np.allclose(renamed.class_probs.max(axis=1), [0.9, 0.8, 0.56], atol=0.05)
    dim = namer(Naming()).renamed(picture(), Detections(BOXES_PX[1:], class_probs[:2]))
    assert dim.boxes_px.tolist() == BOXES_PX[[2, 1]].tolist()  # 0.8 · 1.0 before 0.9 · 0.8
    assert dim.class_probs.dtype == np.float32


def test_a_warm_up_runs_every_number_of_items_once() -> None:
    run = Naming()
    namer(run).warm_up(4)
    assert run.counts == [1, 2, 3, 4]


def test_tracks_keep_their_names_when_they_are_not_looked_at_any_more() -> None:
    run = Naming()
    naming = TrackNaming(namer(run), DetectorSettings(looks_per_item=1, looks_per_view=8))
    first = naming.renamed(picture(), BOXES_PX, tracks(1, 2, 3))
    later = naming.renamed(np.zeros((32, 64, 3), np.uint8), BOXES_PX, tracks(1, 2, 3))
    assert [track.class_probs for track in later] == [track.class_probs for track in first]
    assert np.allclose([track.class_probs for track in first], [[0.5, 0.0], [0.1, 0.4], [0.0, 0.5]], atol=0.03)
    assert [track.track_id for track in later] == [1, 2, 3]
    assert (run.counts, naming.look_count) == ([3], 3)


def test_tracks_that_must_wait_have_the_first_network_s_own_scores() -> None:
    naming = TrackNaming(namer(Naming()), DetectorSettings(looks_per_view=1))
    seen = tracks(1, 2)
    assert [track.class_probs == seen[0].class_probs for track in naming.renamed(picture(), BOXES_PX[:2], seen)] == [
        False, True,
    ]  # fmt: skip
    assert [track.class_probs == seen[0].class_probs for track in naming.renamed(picture(), BOXES_PX[:2], seen)] == [
        False, False,
    ]  # fmt: skip


def test_a_view_without_items_needs_no_look() -> None:
    run = Naming()
    assert TrackNaming(namer(run), DetectorSettings()).renamed(picture(), BOXES_PX[:0], ()) == ()
    assert run.counts == []
