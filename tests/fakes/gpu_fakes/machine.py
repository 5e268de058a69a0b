"""The pretended GPU behind the fakes: memory, streams and contexts, each kept as strictly as the documents say.

Work in a stream is done when somebody synchronises, not before: an answer read too early is not there yet. Pointers of
the GPU are numbers that no array of this process has, so that a host's address handed to the GPU is noticed.
"""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

GARBAGE = 0xA5
CANARY = 0x5C
_CANARY_BYTES = 4096
_FIRST_POINTER = 0x7_0000_0000


class Misuse(AssertionError):
    """What the real library would refuse, crash on, or silently get wrong."""


class Memory:
    """One allocation: bytes of this process that the GPU knows by another number, with a canary behind them."""

    def __init__(self, machine: "Machine", byte_count: int) -> None:
        self.machine = machine
        self.byte_count = byte_count
        self.pointer = machine.next_pointer(byte_count)
        self.bytes: NDArray[np.uint8] = np.full(byte_count + _CANARY_BYTES, GARBAGE, np.uint8)
        self.bytes[byte_count:] = CANARY
        self.is_alive = True

    def check_canary(self) -> None:
        if (self.bytes[self.byte_count :] != CANARY).any():
            raise Misuse(f"a kernel wrote behind a buffer of {self.byte_count} bytes")

    def free(self) -> None:
        if not self.is_alive:
            raise Misuse("a buffer was freed twice")
        self.is_alive = False
        self.machine.memories.pop(self.pointer, None)
        self.machine.freed.append((self.pointer, self.byte_count))


class Stream:
    """Work in order, done at the next synchronisation."""

    def __init__(self, machine: "Machine") -> None:
        self.machine = machine
        self.handle = machine.next_handle(self)
        self.work: list[Callable[[], None]] = []
        self.done_count = 0
        self.queued_count = 0
        self.recording: list[Callable[[], None]] | None = None
        self.turn = threading.RLock()

    def put(self, work: Callable[[], None]) -> None:
        with self.turn:
            if self.recording is not None:
                self.recording.append(work)
                return
            self.work.append(work)
            self.queued_count += 1

    def run_until(self, count: int) -> None:
        with self.turn:
            if self.recording is not None:
                raise Misuse("a stream was waited for while it was recorded")
            while self.done_count < count:
                self.work.pop(0)()
                self.done_count += 1


class Machine:
    """What one pretended process sees of its pretended GPU."""

    def __init__(self, architecture: tuple[int, int] = (8, 7), cuda_version: tuple[int, int] = (12, 6)) -> None:
        self.architecture = architecture
        self.cuda_version = cuda_version
        self.is_initialised = False
        self.memories: dict[int, Memory] = {}
        self.freed: list[tuple[int, int]] = []
        self.stacks: dict[int, list[Any]] = {}
        self.streams: dict[int, Stream] = {}
        self._pointers = itertools.count()
        self._at = _FIRST_POINTER
        self._handles = itertools.count(0x1000, 0x10)
        self._lock = threading.Lock()
        self.build_count = 0

    def next_pointer(self, byte_count: int) -> int:
        with self._lock:
            pointer, self._at = self._at, self._at + -(-byte_count // 4096) * 4096 + 8192
            return pointer

    def next_handle(self, stream: Stream) -> int:
        handle = next(self._handles)
        self.streams[handle] = stream
        return handle

    def allocate(self, byte_count: int) -> Memory:
        if byte_count <= 0:
            raise Misuse("a buffer of no bytes was asked for")
        self.need_context()
        memory = Memory(self, byte_count)
        self.memories[memory.pointer] = memory
        return memory

    def push(self, context: Any) -> None:
        self.stacks.setdefault(threading.get_ident(), []).append(context)

    def pop(self) -> None:
        stack = self.stacks.get(threading.get_ident(), [])
        if not stack:
            raise Misuse("a context was popped that this thread had not pushed")
        stack.pop()

    def need_context(self) -> None:
        if not self.stacks.get(threading.get_ident()):
            raise Misuse(f"thread {threading.current_thread().name!r} used the GPU without a context of its own")

    def check_balanced(self) -> None:
        held = sum(len(stack) for stack in self.stacks.values())
        if held:
            raise Misuse(f"{held} pushed contexts were never popped")

    def stream_of(self, handle: int) -> Stream:
        if handle not in self.streams:
            raise Misuse(f"{handle:#x} is no stream")
        return self.streams[handle]

    def resolve(self, pointer: Any, byte_count: int = 1) -> tuple[Memory, int]:
        """The buffer that a pointer of the GPU lies in, and how far in."""
        if isinstance(pointer, bool) or not isinstance(pointer, (int, np.integer)):
            raise Misuse(f"a pointer is a whole number, not {type(pointer).__name__}")
        for memory in list(self.memories.values()):
            offset = int(pointer) - memory.pointer
            if 0 <= offset < memory.byte_count:
                if offset + byte_count > memory.byte_count:
                    raise Misuse(f"a buffer of {memory.byte_count} bytes is too small for {byte_count}")
                return memory, offset
        if any(0 <= int(pointer) - start < size for start, size in self.freed):
            raise Misuse("a buffer was used after it was freed")
        raise Misuse(f"{int(pointer):#x} is no pointer of the GPU: unpinned memory, or a host's address")
