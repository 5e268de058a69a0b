"""Reading a model bundle: the manifest that says what the network is, and the check that it fits the recipe.

Writing bundles is the lab's work (`training`); running the network is that of `vision.detectors`.
"""

import hashlib
import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sorter.errors import BundleError
from sorter.model.materials import class_list_sha256
from sorter.model.settings import Settings
from sorter.model.settings.section import Ratio
from sorter.runtime.bundle_trust import require_trusted
from sorter.runtime.model_shelf import champion_folder

MANIFEST_NAME = "manifest.json"
# where the lighter model lies in a bundle that has one: a bundle of its own
LIGHTER_FOLDER = "lighter"
DEFAULT_BUNDLE_NAME = "farz-n-736x416"

# Further forms of a bundle's network, by what they are for.
OPENVINO_INT8_FORM = "openvino-int8"
ONNX_QDQ_FORM = "onnx-qdq"
# 16-bit floats written into the graph, for TensorRT from version 11 on
ONNX_F16_FORM = "onnx-f16"

Positive = Annotated[int, msgspec.Meta(gt=0)]
# How a picture of another aspect gets into the input: grey beside it, or each axis scaled for itself.
Fit = Literal["letterbox", "stretch"]
# A file of the bundle lies in its folder: no path may lead out of it.
FileName = Annotated[str, msgspec.Meta(pattern=r"^[^/\\]+$")]


class ClassCalibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Platt scaling of one class: probability = sigmoid(slope * logit(score) + offset), Platt 1999."""

    slope: float = 1.0
    offset: float = 0.0


class OperatingPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one probability threshold gives for one class on held-out pictures."""

    probability: float
    purity_ratio: float
    recovery_ratio: float


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The network file and what goes in and out of it.

    Input: uint8 (1, input_height_px, input_width_px, 3) BGR when `takes_uint8_bgr`, the graph doing the scaling,
    colour order and layout; otherwise float32 (1, 3, H, W) RGB in 0..1.
    Output `raw`: float32 (1, 4 + C, A), centre x, centre y, width, height in input pixels, then C class scores in
    0..1, to be thinned by NMS. Output `end_to_end`: float32 (1, K, 6), x0, y0, x1, y1 in input pixels, score, class.
    `fit`: how the network learned to see pictures of another aspect than its input's; manifests without it: letterbox.
    `mirrored_view`: whether the graph looks at the mirrored picture too and gives the mean of both.
    """

    file: str
    sha256: str
    input_width_px: Positive
    input_height_px: Positive
    head: Literal["raw", "end_to_end"]
    takes_uint8_bgr: bool = True
    fit: Fit = "letterbox"
    mirrored_view: bool = False


class FormFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a further form of the network."""

    file: FileName
    sha256: str


class NetworkForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same network once more, for one kind of runtime: head and kind of input are those of `Manifest.network`.

    Attributes:
        made_from_sha256: hash of the network file it was made from; a form of another network is refused.
        files: the one that a runtime opens first, then those it finds beside it.
        metrics: what the form is worth, measured beside the true float32 network on the same pictures.
    """

    made_from_sha256: str
    files: Annotated[tuple[FormFile, ...], msgspec.Meta(min_length=1)]
    input_width_px: Positive
    input_height_px: Positive
    metrics: dict[str, float] = {}


class SecondLook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second network of the bundle, which names one item from a square that is cut out around its box.

    Input: uint8 (N, side_px, side_px, 3) BGR, any N. Output: float32 (N, C), a probability for each of the bundle's
    classes; what is missing to 1 is the probability that nothing of them is there.

    Attributes:
        margin_ratio: side of the square over the longer side of the box, in the aspect that the network sees.
        own_name_ratio: how much of the first network's own naming stays; see `vision.second_look.fusion`.
        certainty_ratio: how much the first network's certainty counts; see there.
        squaring_ratio: how far a long box is drawn out to a square; see `vision.second_look.cutting`.
        surroundings_ratio: contrast left to what lies around the box; see there.
    """

    file: FileName
    sha256: str
    side_px: Positive
    margin_ratio: Annotated[float, msgspec.Meta(ge=1.0)]
    own_name_ratio: Ratio
    certainty_ratio: Ratio = 1.0
    squaring_ratio: Ratio = 0.0
    surroundings_ratio: Ratio = 1.0


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """manifest.json of a bundle.

    Attributes:
        lighter_sha256: of the manifest in the folder `lighter`, where there is a bundle for the same classes that takes
            less time: a line takes it where this one does not keep up with the belt.
    """

    name: str
    version: str
    licence: str
    classes: tuple[str, ...]
    classes_sha256: str
    network: Network
    calibration: dict[str, ClassCalibration] = {}
    operating_curve: dict[str, list[OperatingPoint]] = {}
    metrics: dict[str, float] = {}
    data_sheet: list[str] = []
    schema_version: int = 1
    forms: dict[str, NetworkForm] = {}
    # SHA-256 of the files beside the networks, such as the card, filled in when the bundle is signed
    files: dict[FileName, str] = {}
    second_look: SecondLook | None = None
    lighter_sha256: str | None = None

    @property
    def network_files(self) -> tuple[FormFile, ...]:
        """The files of all networks in all forms."""
        looks = (self.network,) if self.second_look is None else (self.network, self.second_look)
        further = (one for form in self.forms.values() for one in form.files)
        return (*(FormFile(look.file, look.sha256) for look in looks), *further)


class Bundle(msgspec.Struct, frozen=True):
    """A bundle on disk whose manifest has been read and checked."""

    folder: Path
    manifest: Manifest

    @property
    def model_id(self) -> str:
        """Name, version and eight digits of the network's hash: enough to know a model again.

        With a second look, the digits are of the SHA-256 over both networks' hashes, written one after the other.
        """
        digits, second_look = self.manifest.network.sha256, self.manifest.second_look
        if second_look is not None:
            digits = hashlib.sha256((digits + second_look.sha256).encode()).hexdigest()
        return f"{self.manifest.name}-{self.manifest.version}-{digits[:8]}"

    @property
    def network_path(self) -> Path:
        """Where the ONNX file is."""
        return self.folder / self.manifest.network.file


def default_bundle_folder() -> Path:
    """The folder of the shipped model: in the source tree, or where an installed wheel puts it."""
    in_source_tree = Path(__file__).resolve().parents[2] / "models" / DEFAULT_BUNDLE_NAME
    installed = Path(sys.prefix) / "share" / "farz" / "models" / DEFAULT_BUNDLE_NAME
    return in_source_tree if in_source_tree.is_dir() or not installed.is_dir() else installed


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check that the class hash and all files are what the manifest says.

    Args:
        folder: of a bundle, or of a shelf, whose champion is meant.

    Raises:
        BundleError: if anything is missing, malformed or altered.
        ShelfError: if the shelf cannot be read.
    """
    folder = champion_folder(folder)
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    return Bundle(folder, manifest)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check that the class hash and all files in a folder are what a manifest says.

    Raises:
        BundleError: if anything is missing or altered.
    """
    if class_list_sha256(manifest.classes) != manifest.classes_sha256:
        raise BundleError(f"bundle {folder}: the class hash does not match the class list, so the manifest was altered")
    for name, form in manifest.forms.items():
        _check_form(folder, name, form, manifest.network)
    for one in manifest.network_files:
        _check_file(folder, one)
    for name, sha256 in manifest.files.items():
        _check_file(folder, FormFile(name, sha256))
    lighter = lighter_of(Bundle(folder, manifest))
    if lighter is not None:
        check_files(lighter.folder, lighter.manifest)


def lighter_of(bundle: Bundle) -> Bundle | None:
    """The lighter model in a bundle, None if it has none; of its files its manifest alone is checked.

    Raises:
        BundleError: if it is missing or altered, or was made for other classes.
    """
    if bundle.manifest.lighter_sha256 is None:
        return None
    folder = bundle.folder / LIGHTER_FOLDER
    _check_file(folder, FormFile(MANIFEST_NAME, bundle.manifest.lighter_sha256))
    manifest = read_manifest(folder)
    if manifest.classes != bundle.manifest.classes:
        raise BundleError(f"bundle {bundle.folder}: the lighter model in it was made for other classes")
    return Bundle(folder, manifest)


def bundle_for(settings: Settings) -> Bundle:
    """The bundle that the settings name (the shipped one when they name none), for the recipe's classes.

    Raises:
        BundleError: if it cannot be used, nobody trusted has signed it, or it was made for other classes.
    """
    bundle = load_bundle(Path(settings.detector.model) if settings.detector.model else default_bundle_folder())
    require_trusted(bundle.folder / MANIFEST_NAME, settings.detector)
    wanted_sha256 = class_list_sha256(settings.recipe.classes)
    if bundle.manifest.classes_sha256 != wanted_sha256:
        raise BundleError(
            f"bundle {bundle.folder} was made for classes {list(bundle.manifest.classes)} "
            f"({bundle.manifest.classes_sha256[:8]}), recipe {settings.recipe.name!r} is written for "
            f"{list(settings.recipe.classes)} ({wanted_sha256[:8]}); they must be the same, in the same order"
        )
    return bundle


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _check_form(folder: Path, name: str, form: NetworkForm, network: Network) -> None:
    if form.made_from_sha256 != network.sha256:
        raise BundleError(
            f"bundle {folder}: its form {name!r} was made from another network; quantise the bundle again"
        )


def _check_file(folder: Path, named: FormFile) -> None:
    path = folder / named.file
    if not path.is_file():
        raise BundleError(f"bundle {folder}: the file {named.file} is missing")
    if file_sha256(path) != named.sha256:
        raise BundleError(f"bundle {folder}: the file {named.file} does not match its hash")


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a bundle's folder, as it stands: no file is checked against it.

    Raises:
        BundleError: if it is missing or malformed.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise BundleError(f"bundle {folder}: no {MANIFEST_NAME} there; give the folder of a model bundle")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"bundle {folder}: {MANIFEST_NAME} cannot be read: {error}") from error
