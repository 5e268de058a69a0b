"""A PLC as a process: pymodbus' own server, that answers slowly while a file says so; run by the tests of drivers."""

import sys
import time
from pathlib import Path

from pymodbus.server import StartTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

PORT, SLOW = int(sys.argv[1]), Path(sys.argv[2])


def answer_slowly(is_sending: bool, pdu: object) -> object:
    if not is_sending and SLOW.exists():
        time.sleep(float(SLOW.read_text()))
    return pdu


def bits(count: int, values: bool) -> list[SimData]:
    return [SimData(0, values=[values] * count, datatype=DataType.BITS)]


if __name__ == "__main__":
    registers = [SimData(0, values=[0] * 2000, datatype=DataType.REGISTERS)]
    device = SimDevice(1, simdata=(bits(800, False), bits(16, True), registers, registers))
    StartTcpServer(device, address=("127.0.0.1", PORT), trace_pdu=answer_slowly)
