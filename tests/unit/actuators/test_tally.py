"""The figures in the controller's health."""

from actuators.tally import Tally
from sorter.model.ejection import Ack, AckStatus, EjectionCommand


def command(seq: int) -> EjectionCommand:
    return EjectionCommand("life", seq, (1,), "pet", 0, 1, 1_000_000, 1_100_000, 1, "recipe")


def test_counts_by_status_and_placement_error() -> None:
    tally = Tally()
    assert set(tally.figures().values()) == {0.0}
    for seq in range(3):
        tally.note_command(command(seq))
    tally.note_acks(
        [
            Ack("life", 0, AckStatus.FIRED, 1, 1_002_000, 2),
            Ack("life", 1, AckStatus.REFUSED_DUPLICATE),
            Ack("life", 1, AckStatus.FIRED, 1, 998_000, 2),
            Ack("life", 2, AckStatus.REFUSED_LATE),
        ]
    )
    figures = tally.figures()
    assert figures["fired_count"] == 2.0
    assert figures["refused_duplicate_count"] == 1.0
    assert figures["refused_late_count"] == 1.0
    assert figures["failed_count"] == 0.0
    assert figures["placement_error_p99_mm"] == 2.0
