"""The ledger of commands: each is answered once; what stays unanswered is known and counted as failed."""

import msgspec

from sorter.model.ejection import Ack, AckStatus, EjectionCommand, RefusalReason


class Settled(msgspec.Struct, frozen=True):
    """A command with its answer."""

    command: EjectionCommand
    ack: Ack


class Ledger:
    """Commands that wait for their answer, by sequence number."""

    def __init__(self) -> None:
        self._open: dict[int, EjectionCommand] = {}
        self.unknown_ack_count = 0

    @property
    def open_count(self) -> int:
        """How many commands are unanswered."""
        return len(self._open)

    def enter(self, command: EjectionCommand) -> None:
        """Note a command as sent."""
        self._open[command.seq] = command

    def settle(self, ack: Ack) -> Settled | None:
        """Match an answer with its command; None (and counted) for one that waits for no answer."""
        command = self._open.get(ack.seq)
        if command is None or command.boot_id != ack.boot_id:
            self.unknown_ack_count += 1
            return None
        del self._open[ack.seq]
        return Settled(command, ack)

    def expire(self, now_ns: int, grace_ns: int) -> list[Settled]:
        """Settle as failed what was not answered within a grace after its validity."""
        overdue = [command for command in self._open.values() if now_ns > command.valid_until_ns + grace_ns]
        return [self._fail(command) for command in overdue]

    def fail(self, command: EjectionCommand) -> Settled:
        """Settle a command as failed that could not be sent at all."""
        self._open.setdefault(command.seq, command)
        return self._fail(command)

    def _fail(self, command: EjectionCommand) -> Settled:
        del self._open[command.seq]
        return Settled(command, Ack(command.boot_id, command.seq, AckStatus.FAILED, reason=RefusalReason.UNANSWERED))
