"""Label Studio: kept pictures as tasks with predictions, and the labelling interface for their classes.

The forms are those of Label Studio's guide on pre-annotations: rectangles in per cent of the picture, one prediction
a model version, ids of regions unique.
"""

import colorsys
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from training.harvest.harvest_folder import Harvested
from vision.harvest.sidecar import PreLabel

FROM_NAME, TO_NAME = "label", "image"
# How Label Studio serves files of its own machine; the address is relative to its document root.
LOCAL_FILES = "/data/local-files/?d=images/"


def tasks(pictures: Sequence[Harvested], address: str, min_probability: float) -> list[dict[str, Any]]:
    """One task a picture.

    Args:
        pictures: what to label.
        address: what stands before a picture's file name, so that Label Studio finds it.
        min_probability: pre-labels below this are left out.
    """
    return [_task(one, address, min_probability) for one in pictures]


def labelling_interface(class_names: Sequence[str]) -> str:
    """The project's labelling interface: rectangles of the given classes on one picture."""
    labels = "".join(
        f"    <Label value={quoteattr(name)} background={quoteattr(_colour(index, len(class_names)))}/>\n"
        for index, name in enumerate(class_names)
    )
    return (
        "<View>\n"
        f'  <Image name="{TO_NAME}" value="$image" zoom="true" zoomControl="true"/>\n'
        f'  <RectangleLabels name="{FROM_NAME}" toName="{TO_NAME}">\n{labels}  </RectangleLabels>\n'
        "</View>\n"
    )


def _task(one: Harvested, address: str, min_probability: float) -> dict[str, Any]:
    kept = one.kept
    items = one.pre_labels(min_probability)
    # the address comes first: readers of exports take the first value that looks like one
    data = {
        "image": address + quote(one.path.name),
        "reason": kept.reason.value,
        "session": kept.session,
        "kept_at": kept.kept_at,
        "line_name": kept.line_name,
    }
    prediction = {
        "model_version": kept.model_id,
        "score": min((item.probability for item in items), default=0.0),
        "result": [_region(one, item) for item in items],
    }
    return {"data": data, "predictions": [prediction]}


def _region(one: Harvested, item: PreLabel) -> dict[str, Any]:
    left, top, right, bottom = item.box_px
    width_px, height_px = one.kept.width_px, one.kept.height_px
    return {
        "id": f"{one.path.stem}-{item.track_id}",
        "type": "rectanglelabels",
        "from_name": FROM_NAME,
        "to_name": TO_NAME,
        "original_width": width_px,
        "original_height": height_px,
        "image_rotation": 0,
        "score": item.probability,
        "value": {
            "x": 100.0 * left / width_px,
            "y": 100.0 * top / height_px,
            "width": 100.0 * (right - left) / width_px,
            "height": 100.0 * (bottom - top) / height_px,
            "rotation": 0,
            "rectanglelabels": [item.class_name],
        },
    }


def _colour(index: int, count: int) -> str:
    red, green, blue = colorsys.hsv_to_rgb(index / max(1, count), 0.75, 0.9)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
