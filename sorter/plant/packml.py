"""PackML's numbers for its states (ISA-TR88.00.02, PackTag StateCurrent)."""

from sorter.model.condition import Mode

STATE_NUMBERS: dict[Mode, int] = {
    Mode.CLEARING: 1,
    Mode.STOPPED: 2,
    Mode.STARTING: 3,
    Mode.IDLE: 4,
    Mode.SUSPENDED: 5,
    Mode.EXECUTE: 6,
    Mode.STOPPING: 7,
    Mode.ABORTING: 8,
    Mode.ABORTED: 9,
    Mode.HOLDING: 10,
    Mode.HELD: 11,
    Mode.UNHOLDING: 12,
    Mode.SUSPENDING: 13,
    Mode.UNSUSPENDING: 14,
    Mode.RESETTING: 15,
}
