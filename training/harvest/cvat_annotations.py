"""CVAT: kept pictures as "CVAT for images 1.1", and the label list that a task is made with."""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from training.harvest.harvest_folder import Harvested


def annotations_xml(pictures: Sequence[Harvested], class_names: Sequence[str], min_probability: float) -> bytes:
    """The annotations to upload into a task of these pictures, in the order of their names."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    _add_meta(root, pictures, class_names)
    for index, one in enumerate(pictures):
        _add_image(root, index, one, min_probability)
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def label_list(class_names: Sequence[str]) -> list[dict[str, Any]]:
    """The labels of a new task, as CVAT's raw label editor takes them."""
    return [{"name": name, "type": "rectangle", "attributes": []} for name in class_names]


def _add_meta(root: Element, pictures: Sequence[Harvested], class_names: Sequence[str]) -> None:
    task = SubElement(SubElement(root, "meta"), "task")
    for tag, text in (("name", "farz harvest"), ("size", str(len(pictures))), ("mode", "annotation"), ("overlap", "0")):
        SubElement(task, tag).text = text
    labels = SubElement(task, "labels")
    for name in class_names:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = name
        SubElement(label, "attributes")


def _add_image(root: Element, index: int, one: Harvested, min_probability: float) -> None:
    kept = one.kept
    attributes = {"id": str(index), "name": one.path.name, "width": str(kept.width_px), "height": str(kept.height_px)}
    image = SubElement(root, "image", attributes)
    for item in one.pre_labels(min_probability):
        corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), (f"{value:.2f}" for value in item.box_px), strict=True))
        SubElement(
            image, "box", {"label": item.class_name, "source": "auto", "occluded": "0", **corners, "z_order": "0"}
        )
