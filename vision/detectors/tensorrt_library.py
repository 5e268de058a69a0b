"""The door to TensorRT, 10.3 to 11.x: engines built from ONNX and opened again; the version matters here alone.

Version 11 knows no precision flags and no calibrators: numbers come from the ONNX file. Version 10 does the same when
it is asked for a strongly typed network, which is how rounded and pre-cast networks are built on both; FP16 by a flag
is left to version 10.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from sorter.errors import BundleError, ConfigurationError

_OLDEST, _NEWEST_MAJOR = (10, 3), 11
_WORKSPACE_BYTES = 1 << 30
TellProgress = Callable[[str, int, int], None]


class Recipe(msgspec.Struct, frozen=True):
    """How an engine is to be made.

    Attributes:
        onnx_path: the network.
        precision: "f32", "f16" or "int8".
        has_types: whether the ONNX file itself says which numbers are calculated with.
    """

    onnx_path: Path
    precision: str
    has_types: bool


class Built(msgspec.Struct, frozen=True):
    """An engine, and what TensorRT measured while it was built."""

    engine: bytes
    timing_cache: bytes


class TensorRt:
    """The library as it is installed.

    Attributes:
        version: such as "10.3.0".
    """

    def __init__(self) -> None:
        """Import it.

        Raises:
            ConfigurationError: if it is not installed, or of a version that this adapter does not know.
        """
        try:
            import tensorrt
        except ImportError as error:
            raise ConfigurationError(
                "configuration: detector.runtime = 'tensorrt': TensorRT is not installed; on a Jetson it comes with "
                "JetPack"
            ) from error
        self.version: str = tensorrt.__version__
        self._trt: Any = tensorrt
        parts = tuple(int(part) for part in self.version.split(".")[:2])
        if not _OLDEST <= parts < (_NEWEST_MAJOR + 1, 0):
            raise ConfigurationError(
                f"configuration: detector.runtime = 'tensorrt': TensorRT {self.version} is installed; "
                f"from {_OLDEST[0]}.{_OLDEST[1]} to {_NEWEST_MAJOR}.x are known"
            )
        self._has_flags = parts[0] < _NEWEST_MAJOR
        self._logger = tensorrt.Logger(tensorrt.Logger.WARNING)
        self._runtime: Any = None

    def check_can_build(self, recipe: Recipe) -> None:
        """Refuse what this version cannot make of the network.

        Raises:
            ConfigurationError: for FP16 of a network that was not cast beforehand, from version 11 on.
        """
        if recipe.precision == "f16" and not recipe.has_types and not self._has_flags:
            raise ConfigurationError(
                f"configuration: detector.precision = 'f16': TensorRT {self.version} takes 16-bit numbers from the "
                "ONNX file alone, and this bundle has no form 'onnx-f16': make it with farz train quantise --form "
                "onnx-f16, or use 'f32' or 'int8'"
            )

    def build(self, recipe: Recipe, timing_cache: bytes, tell: TellProgress) -> Built:
        """Build an engine for this GPU; takes minutes. The context must be current.

        Args:
            recipe: what to make.
            timing_cache: of an earlier build, empty if there was none.
            tell: told phase, steps done and steps in all, on any thread.

        Raises:
            ConfigurationError: as `check_can_build`.
            BundleError: if TensorRT cannot make an engine of the network.
        """
        self.check_can_build(recipe)
        trt = self._trt
        builder = trt.Builder(self._logger)
        network = builder.create_network(self._network_flags(recipe))
        self._parse(network, recipe.onnx_path)
        config = builder.create_builder_config()
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
        # its 10-bit mantissa is not what "f32" promises
        config.clear_flag(trt.BuilderFlag.TF32)
        if recipe.precision == "f16" and not recipe.has_types:
            config.set_flag(trt.BuilderFlag.FP16)
        measured = config.create_timing_cache(timing_cache)
        # one that was measured on another GPU or version is refused by TensorRT, and a new one begun
        if not config.set_timing_cache(measured, ignore_mismatch=False):
            config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)
        config.progress_monitor = monitor = _monitor(trt, tell)
        made = builder.build_serialized_network(network, config)
        del monitor
        if made is None:
            raise BundleError(f"{recipe.onnx_path}: TensorRT {self.version} makes no engine of it")
        return Built(bytes(made), bytes(config.get_timing_cache().serialize()))

    def open(self, engine: bytes) -> Any | None:
        """An engine ready to run; None if another version or GPU made it. The context must be current."""
        if self._runtime is None:
            self._runtime = self._trt.Runtime(self._logger)
        return self._runtime.deserialize_cuda_engine(engine)

    def sides(self, engine: Any) -> "tuple[Side, Side]":
        """Input and output of an engine that has one of each.

        Raises:
            BundleError: if it has more.
        """
        names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
        found = [self._side(engine, name) for name in names]
        inputs, outputs = [side for side in found if side.is_input], [side for side in found if not side.is_input]
        if (len(inputs), len(outputs)) != (1, 1):
            raise BundleError(f"a network has one input and one output, not {len(inputs)} and {len(outputs)}")
        return inputs[0], outputs[0]

    def _side(self, engine: Any, name: str) -> "Side":
        is_input = engine.get_tensor_mode(name) == self._trt.TensorIOMode.INPUT
        shape = tuple(int(size) for size in engine.get_tensor_shape(name))
        return Side(name, is_input, shape, engine.get_tensor_dtype(name).name.lower())

    def _network_flags(self, recipe: Recipe) -> int:
        if not (recipe.has_types and self._has_flags):
            return 0
        return 1 << int(self._trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)

    def _parse(self, network: Any, path: Path) -> None:
        parser = self._trt.OnnxParser(network, self._logger)
        if not parser.parse(path.read_bytes()):
            reasons = [parser.get_error(number).desc() for number in range(parser.num_errors)]
            first = reasons[0].strip().splitlines()[0] if reasons else "no reason given"
            raise BundleError(f"bundle {path.parent}: TensorRT {self.version} cannot run {path.name}: {first}")


class Side(msgspec.Struct, frozen=True):
    """An input or output: its name, shape, and kind of numbers as TensorRT calls them, in small letters."""

    name: str
    is_input: bool
    shape: tuple[int, ...]
    number: str


def _monitor(trt: Any, tell: TellProgress) -> Any:
    """A progress monitor; its class can be made only once TensorRT is there, since it derives from TensorRT's."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._totals: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            # phases inside others come and go by hundreds
            if parent_phase is None:
                self._totals[phase_name] = num_steps
                tell(phase_name, 0, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            total = self._totals.get(phase_name)
            if total is not None:
                tell(phase_name, step + 1, total)
            return True

        def phase_finish(self, phase_name: str) -> None:
            self._totals.pop(phase_name, None)

    return Monitor()
