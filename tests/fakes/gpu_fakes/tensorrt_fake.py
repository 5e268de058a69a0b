"""A fake of TensorRT's Python interface as documented for 10.3 and for 11; networks are really run, by ONNX Runtime."""

import enum
import json
import threading
import types
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from google.protobuf.message import DecodeError

from gpu_fakes.machine import Machine, Misuse

_MAGIC = b"fake engine\n"
_REMOVED_FROM_10 = (
    "execute_async_v2", "execute_async", "execute", "execute_v2", "num_bindings", "get_binding_index",
    "get_binding_shape", "binding_is_input", "max_workspace_size", "build_engine", "max_batch_size",
)  # fmt: skip
_REMOVED_FROM_11 = (
    "int8_calibrator", "set_calibration_profile", "set_quantization_flag", "platform_has_fast_fp16",
    "platform_has_fast_int8", "device_memory_size",
)  # fmt: skip


class DataType(enum.Enum):
    """tensorrt.DataType."""

    FLOAT, HALF, INT8, INT32, BOOL, UINT8 = range(6)


class TensorIOMode(enum.Enum):
    """tensorrt.TensorIOMode."""

    NONE, INPUT, OUTPUT = range(3)


class MemoryPoolType(enum.Enum):
    """tensorrt.MemoryPoolType."""

    WORKSPACE, TACTIC_SHARED_MEMORY = range(2)


_TYPES = {"tensor(uint8)": DataType.UINT8, "tensor(float)": DataType.FLOAT, "tensor(float16)": DataType.HALF}
_NUMBERS = {DataType.UINT8: np.uint8, DataType.FLOAT: np.float32, DataType.HALF: np.float16}


def tensorrt_module(machine: Machine, version: str) -> types.ModuleType:
    """What goes into sys.modules."""
    module = types.ModuleType("tensorrt")
    has_flags = int(version.split(".")[0]) < 11
    flags = ["TF32", "STRIP_PLAN", *(["FP16", "INT8", "BF16"] if has_flags else [])]
    removed = _REMOVED_FROM_10 if has_flags else _REMOVED_FROM_10 + _REMOVED_FROM_11
    world = _World(machine, version, has_flags, removed)
    vars(module).update(
        {
            "__version__": version,
            "DataType": DataType,
            "TensorIOMode": TensorIOMode,
            "MemoryPoolType": MemoryPoolType,
            "BuilderFlag": _enumeration("BuilderFlag", flags, "removed in TensorRT 11"),
            "NetworkDefinitionCreationFlag": enum.IntEnum(
                "NetworkDefinitionCreationFlag", {"EXPLICIT_BATCH": 0, "STRONGLY_TYPED": 1} if has_flags else {}
            ),
            "IProgressMonitor": IProgressMonitor,
            "Logger": Logger,
            "Builder": lambda logger: Builder(world, logger),
            "OnnxParser": lambda network, logger: OnnxParser(world, network, logger),
            "Runtime": lambda logger: Runtime(world, logger),
        }
    )
    return module


def _enumeration(name: str, members: list[str], reason: str) -> Any:
    class Meta(enum.EnumMeta):
        def __getattr__(cls, wanted: str) -> Any:
            if wanted in {"FP16", "INT8", "BF16", "FP8"}:
                raise Misuse(f"{name}.{wanted} was {reason}")
            raise AttributeError(wanted)

    class Base(enum.Enum, metaclass=Meta):
        pass

    return Base(name, members)


class _World:
    def __init__(self, machine: Machine, version: str, has_flags: bool, removed: tuple[str, ...]) -> None:
        self.machine, self.version, self.has_flags, self.removed = machine, version, has_flags, removed


class _Strict:
    """No attribute that was removed, and none that never was."""

    _world: _World

    def __getattr__(self, name: str) -> Any:
        world = self.__dict__.get("_world")
        if world is not None and name in world.removed:
            raise Misuse(f"{type(self).__name__}.{name} was removed before TensorRT {world.version}")
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def __setattr__(self, name: str, value: Any) -> None:
        world = self.__dict__.get("_world")
        if world is not None and name in world.removed:
            raise Misuse(f"{type(self).__name__}.{name} was removed before TensorRT {world.version}")
        if not name.startswith("_") and name not in self._settable():
            raise AttributeError(f"{type(self).__name__} has no {name}")
        object.__setattr__(self, name, value)

    @classmethod
    def _settable(cls) -> tuple[str, ...]:
        return ()


class Logger:
    """tensorrt.Logger."""

    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    def __init__(self, severity: int = 2) -> None:
        self.severity = severity


class IProgressMonitor:
    """tensorrt.IProgressMonitor."""

    def __init__(self) -> None:
        self.is_initialised = True


class Builder(_Strict):
    """tensorrt.Builder."""

    def __init__(self, world: _World, logger: Logger) -> None:
        world.machine.need_context()
        self._world, self._logger = world, logger

    def create_network(self, flags: int = 0) -> "Network":
        if flags & 1 and not self._world.has_flags:
            raise Misuse("EXPLICIT_BATCH was removed in TensorRT 11")
        return Network(self._world, is_typed=bool(flags & 2) or not self._world.has_flags)

    def create_builder_config(self) -> "BuilderConfig":
        return BuilderConfig(self._world)

    def build_serialized_network(self, network: "Network", config: "BuilderConfig") -> "HostMemory | None":
        self._world.machine.need_context()
        if network._onnx is None:
            raise Misuse("an engine was built of a network that nothing was parsed into")
        names = {flag.name for flag in config._flags}
        if network._is_typed and names & {"FP16", "INT8", "BF16"}:
            raise Misuse("precision flags on a strongly typed network")
        if network._has_rounding and not network._is_typed and "INT8" not in names:
            raise Misuse("a network with Q/DQ was built without types and without the flag INT8")
        if config._timing_cache is None:
            raise Misuse("no timing cache was set")
        _show_progress(config.progress_monitor)
        self._world.machine.build_count += 1
        facts = {"version": self._world.version, "architecture": list(self._world.machine.architecture)}
        return HostMemory(_MAGIC + json.dumps(facts).encode() + b"\n" + network._onnx)


def _show_progress(monitor: Any) -> None:
    if monitor is None:
        return
    if not getattr(monitor, "is_initialised", False):
        raise Misuse("the progress monitor's base class was never initialised")

    def show() -> None:
        monitor.phase_start("Building Engine", None, 2)
        monitor.phase_start("Tactics", "Building Engine", 1)
        monitor.step_complete("Tactics", 0)
        monitor.phase_finish("Tactics")
        for step in range(2):
            if not monitor.step_complete("Building Engine", step):
                raise Misuse("the build was cancelled")
        monitor.phase_finish("Building Engine")

    # TensorRT tells from threads of its own
    teller = threading.Thread(target=show)
    teller.start()
    teller.join()


class HostMemory:
    """tensorrt.IHostMemory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bytes__(self) -> bytes:
        return self._data


class Network(_Strict):
    """tensorrt.INetworkDefinition."""

    def __init__(self, world: _World, is_typed: bool) -> None:
        self._world, self._is_typed = world, is_typed
        self._onnx: bytes | None = None
        self._has_rounding = False


class TimingCache(_Strict):
    """tensorrt.ITimingCache."""

    def __init__(self, world: _World, data: bytes) -> None:
        self._world, self._data = world, data

    def serialize(self) -> HostMemory:
        return HostMemory(f"timing {self._world.version}".encode())


class BuilderConfig(_Strict):
    """tensorrt.IBuilderConfig."""

    def __init__(self, world: _World) -> None:
        self._world = world
        self._flags: set[Any] = set()
        self._timing_cache: TimingCache | None = None
        self.progress_monitor: Any = None

    @classmethod
    def _settable(cls) -> tuple[str, ...]:
        return ("progress_monitor",)

    def set_memory_pool_limit(self, pool: MemoryPoolType, byte_count: int) -> None:
        if not isinstance(pool, MemoryPoolType) or byte_count <= 0:
            raise Misuse("a memory pool has a kind and a size")

    def set_flag(self, flag: Any) -> None:
        self._flags.add(flag)

    def clear_flag(self, flag: Any) -> None:
        self._flags.discard(flag)

    def create_timing_cache(self, data: bytes) -> TimingCache:
        return TimingCache(self._world, data)

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        if cache._data and cache._data != f"timing {self._world.version}".encode() and not ignore_mismatch:
            return False
        self._timing_cache = cache
        return True

    def get_timing_cache(self) -> TimingCache:
        if self._timing_cache is None:
            raise Misuse("no timing cache was set")
        return self._timing_cache


class _ParserError:
    def __init__(self, text: str) -> None:
        self._text = text

    def desc(self) -> str:
        return self._text


class OnnxParser(_Strict):
    """tensorrt.OnnxParser."""

    def __init__(self, world: _World, network: Network, logger: Logger) -> None:
        self._world, self._network = world, network
        self._errors: list[_ParserError] = []

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, number: int) -> _ParserError:
        return self._errors[number]

    def parse(self, data: bytes) -> bool:
        try:
            model = onnx.load_model_from_string(data)
            onnx.checker.check_model(model)
        except (DecodeError, onnx.checker.ValidationError) as error:
            self._errors.append(_ParserError(f"ModelImporter: failed to parse: {error}"))
            return False
        self._network._onnx = data
        self._network._has_rounding = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
        return True


class Runtime(_Strict):
    """tensorrt.Runtime."""

    def __init__(self, world: _World, logger: Logger) -> None:
        self._world = world

    def deserialize_cuda_engine(self, data: bytes) -> "Engine | None":
        self._world.machine.need_context()
        if not data.startswith(_MAGIC):
            return None
        head, _, network = data[len(_MAGIC) :].partition(b"\n")
        facts = {"version": self._world.version, "architecture": list(self._world.machine.architecture)}
        # engines are portable neither between versions nor between GPUs
        return Engine(self._world, network) if json.loads(head) == facts else None


class Engine(_Strict):
    """tensorrt.ICudaEngine."""

    def __init__(self, world: _World, network: bytes) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self._world = world
        self._session = ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        self._inputs = {side.name: side for side in self._session.get_inputs()}
        self._sides = self._inputs | {side.name: side for side in self._session.get_outputs()}

    @property
    def num_io_tensors(self) -> int:
        return len(self._sides)

    def get_tensor_name(self, number: int) -> str:
        return list(self._sides)[number]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        self._named(name)
        return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._named(name).shape)

    def get_tensor_dtype(self, name: str) -> DataType:
        return _TYPES[self._named(name).type]

    def create_execution_context(self) -> "ExecutionContext":
        self._world.machine.need_context()
        return ExecutionContext(self._world, self)

    def _named(self, name: str) -> Any:
        if name not in self._sides:
            raise Misuse(f"the engine has no tensor {name!r}, only {', '.join(self._sides)}")
        return self._sides[name]


class ExecutionContext(_Strict):
    """tensorrt.IExecutionContext."""

    def __init__(self, world: _World, engine: Engine) -> None:
        self._world, self._engine = world, engine
        self._addresses: dict[str, int] = {}
        self._handle: int | None = None
        self._turn = threading.Lock()

    def set_tensor_address(self, name: str, pointer: int) -> bool:
        self._world.machine.resolve(pointer, self._byte_count(name))
        self._addresses[name] = pointer
        return True

    def execute_async_v3(self, handle: int) -> bool:
        machine = self._world.machine
        machine.need_context()
        stream = machine.stream_of(handle)
        missing = set(self._engine._sides) - set(self._addresses)
        if missing:
            raise Misuse(f"the network was run before its tensors had addresses: {', '.join(sorted(missing))}")
        if self._handle not in {None, handle}:
            raise Misuse("one execution context was used on two streams")
        if not self._turn.acquire(blocking=False):
            raise Misuse("two threads used one execution context at a time")
        try:
            self._handle = handle
            stream.put(lambda: self._run(dict(self._addresses)))
        finally:
            self._turn.release()
        return True

    def _run(self, addresses: dict[str, int]) -> None:
        engine = self._engine
        feeds = {name: self._array(name, addresses[name]).copy() for name in engine._inputs}
        outputs = [side.name for side in engine._session.get_outputs()]
        for name, values in zip(outputs, engine._session.run(outputs, feeds), strict=True):
            self._array(name, addresses[name])[...] = values

    def _array(self, name: str, pointer: int) -> Any:
        memory, offset = self._world.machine.resolve(pointer, self._byte_count(name))
        number = _NUMBERS[self._engine.get_tensor_dtype(name)]
        flat = memory.bytes[offset : offset + self._byte_count(name)].view(number)
        return flat.reshape(self._engine.get_tensor_shape(name))

    def _byte_count(self, name: str) -> int:
        number = _NUMBERS[self._engine.get_tensor_dtype(name)]
        return int(np.prod(self._engine.get_tensor_shape(name))) * np.dtype(number).itemsize
