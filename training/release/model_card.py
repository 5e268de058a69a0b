"""The page that goes with a bundle: what it may be used for, what it learned from, how good it is, where it is weak."""

from collections.abc import Mapping
from pathlib import Path

from sorter.runtime.bundle import Bundle, Manifest
from training.evaluation.evaluate import ClassFigures, Figures
from training.release.bundle_writer import CARD_NAME
from training.run_record import RunRecord

_WEAK_AP50 = 0.4
_NEXT_HEADING = "\n## "
_TRAINING = "## Training"
_LOOKED_AGAIN = "## Second look"

_USE = """\
For evaluation and as a starting point. Production runs on a model retrained on the site's own pictures: another camera,
lamp, belt or waste changes the figures below, usually for the worse. It names items on a belt seen from above; it is
no safety function and must not decide anything about people."""

_METHOD = """\
Trained with `farz train run` on the data below: real pictures moved, mirrored and relit; labelled items lifted along
their outlines, turned as the belt would and laid into other pictures; drawn items and cut-outs laid into real pictures
and onto the program's own belt; print and dye given any hue where hue tells nothing. A class that a folder does not
label exhaustively costs the network nothing on that folder's background. Some capture hours, and some belts, are kept
out of training; calibration and operating curves come from them, as far as they are of the folders that name most
classes. The test folder is measured once, at the end."""

_MIRRORED_VIEW = """
The network sees each picture as it is and mirrored, and gives the mean of both."""

_SECOND_LOOK = """\
What the first network finds is cut out of the picture, at its full resolution, and shown to a second network, which
names it (`farz train second-look`): EfficientNet-Lite2, pretrained on ImageNet, taught on labelled items turned,
mirrored, moved and relit, on what the first network mistakes for items, and on drawn ones. The figures are of both."""


def write_card(
    bundle: Bundle, test: Figures | None, record: RunRecord | None = None, second_look: RunRecord | None = None
) -> Path:
    """Write MODEL_CARD.md into the bundle.

    Args:
        bundle: measured.
        test: figures on a test folder that neither training nor calibration has seen, if there is one.
        record: of the run that fitted it, for what the training cost; without one, what the card says that is there.
        second_look: record of the run that taught its second look; without one, as for `record`.
    """
    manifest, path = bundle.manifest, bundle.folder / CARD_NAME
    training = _kept(path, _TRAINING) if record is None else _training_section(record)
    looked_again = _kept(path, _LOOKED_AGAIN) if second_look is None else _second_look_section(second_look)
    method = _METHOD + (_MIRRORED_VIEW if manifest.network.mirrored_view else "")
    parts = [
        f"# {manifest.name} {manifest.version}",
        f"`{bundle.model_id}`, licence {manifest.licence}.",
        f"## Intended use\n\n{_USE}",
        f"## How it was made\n\n{method}",
        "## Data\n\n" + "\n".join(f"- {line}" for line in manifest.data_sheet),
        _figures_section(manifest, test),
        *([training] if training else []),
        *([looked_again] if looked_again else []),
        _weakness_section(manifest, test),
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def _figures_section(manifest: Manifest, test: Figures | None) -> str:
    lines = ["## Figures", "", "OpenVINO, true float32.", "", "| figure | value |", "| --- | --- |"]
    lines += [f"| {name} | {value:g} |" for name, value in sorted(manifest.metrics.items())]
    if test is not None:
        lines += ["", "Test folder, class by class; precision and recall at a calibrated probability of 0.5:", ""]
        lines += _class_table(test.per_class)
    return "\n".join(lines)


def _kept(path: Path, heading: str) -> str:
    """A section of the card that is there, empty if there is none."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    _, heading, rest = text.partition(f"{heading}\n")
    return f"{heading}{rest.partition(_NEXT_HEADING)[0].rstrip()}" if heading else ""


def _training_section(record: RunRecord) -> str:
    network = f"- Network {record.architecture} of Ultralytics, anchor-free."
    return "\n".join([_TRAINING, "", network, *_cost_lines(record)])


def _second_look_section(record: RunRecord) -> str:
    return "\n".join([_LOOKED_AGAIN, "", _SECOND_LOOK, "", *_cost_lines(record)])


def _cost_lines(record: RunRecord) -> list[str]:
    fit = record.fit
    return [
        f"- {len(record.epochs)} epochs in {fit.seconds / 60:.0f} min on {record.machine}.",
        f"- Energy {fit.energy_wh:.0f} Wh ({fit.energy_method}; {fit.processor_s / 3600:.1f} h of processor time).",
        f"- Code {record.revision}; "
        + ", ".join(f"{name} {version}" for name, version in record.versions.items())
        + ".",
        *(f"- {one.name}: {one.file_count} files, SHA-256 `{one.sha256[:16]}…`" for one in record.data),
    ]


def _class_table(per_class: Mapping[str, ClassFigures]) -> list[str]:
    rows = [
        f"| {name} | {one.ap50:.3f} | {one.ap50_95:.3f} | {'–' if one.precision is None else f'{one.precision:.2f}'} "
        f"| {one.recall:.2f} | {one.label_count} |"
        for name, one in per_class.items()
    ]
    return ["| class | AP50 | AP50-95 | precision | recall | labels |", "| --- | --- | --- | --- | --- | --- |", *rows]


def _weakness_section(manifest: Manifest, test: Figures | None) -> str:
    per_class = {} if test is None else test.per_class
    weak = [f"{name} ({one.ap50:.2f})" for name, one in per_class.items() if one.ap50 < _WEAK_AP50]
    unseen = [name for name in manifest.classes if name not in per_class]
    lines = ["## Known weaknesses", ""]
    if weak:
        lines.append(f"- Poor on the test folder (AP50 below {_WEAK_AP50}): {', '.join(weak)}.")
    if unseen:
        lines.append(f"- No test figure on real pictures for: {', '.join(unseen)}.")
    lines.append("- In dense piles many items are missed; it was made for items that lie singly.")
    lines.append("- Calibration rests on few real detections; rare classes stay close to their raw scores.")
    return "\n".join(lines)
