"""Which form of a bundle's network a detector runs: the network itself, or one made for smaller numbers."""

from pathlib import Path

import msgspec

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import ONNX_F16_FORM, ONNX_QDQ_FORM, OPENVINO_INT8_FORM, Bundle

MAIN_FORM = "network"
_INT8_FORMS = {"openvino": OPENVINO_INT8_FORM, "onnxruntime": ONNX_QDQ_FORM, "tensorrt": ONNX_QDQ_FORM}


class Form(msgspec.Struct, frozen=True):
    """A file that a runtime can open, and the size of its input."""

    name: str
    path: Path
    input_width_px: int
    input_height_px: int


def chosen_form(bundle: Bundle, settings: DetectorSettings) -> Form:
    """The form that the settings mean: an INT8 one where `precision` is "int8", else the network itself.

    Raises:
        BundleError: if the bundle has no such form.
    """
    return form_named(bundle, int8_form_name(settings.runtime) if settings.precision == "int8" else MAIN_FORM)


def int8_form_name(runtime: str) -> str:
    """What the form for 8-bit numbers is called in the manifest."""
    return _INT8_FORMS[runtime]


def small_form_name(runtime: str, precision: str) -> str | None:
    """The form that a runtime wants for a precision that it is to choose by itself; None: the network itself."""
    if precision == "int8":
        return int8_form_name(runtime)
    return ONNX_F16_FORM if (runtime, precision) == ("tensorrt", "f16") else None


def form_named(bundle: Bundle, name: str) -> Form:
    """A form by its name in the manifest, or `MAIN_FORM`.

    Raises:
        BundleError: if the bundle has no such form.
    """
    if name == MAIN_FORM:
        network = bundle.manifest.network
        return Form(name, bundle.network_path, network.input_width_px, network.input_height_px)
    if name not in bundle.manifest.forms:
        raise BundleError(
            f"bundle {bundle.folder}: detector.precision = 'int8' needs the form {name!r}, which this bundle does not "
            "have; make it with farz train quantise, or use 'f32'"
        )
    form = bundle.manifest.forms[name]
    return Form(name, bundle.folder / form.files[0].file, form.input_width_px, form.input_height_px)
