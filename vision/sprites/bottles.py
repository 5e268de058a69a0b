"""PET and glass bottles, oil bottles and jars: see-through bodies whose tint, ribs, label and dents tell them apart."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import CAPS, CLEAR_PET, GLASS, OIL, OPAQUE_PET, SILVER, TINTED_PET, pick, shifted
from vision.sprites.prints import printed_face
from vision.sprites.raster import Field
from vision.sprites.surface import Body, facets, smooth_noise, wrinkles
from vision.sprites.turned import Crush, Profile, Turned, turned

_NECK: Profile = ((0.0, 0.36), (0.055, 0.36), (0.06, 0.30), (0.075, 0.30), (0.08, 0.40), (0.09, 0.40), (0.095, 0.30))
SODA: Profile = (
    *_NECK, (0.13, 0.36), (0.22, 0.72), (0.32, 0.98), (0.5, 1.0), (0.6, 0.9), (0.68, 0.98), (0.95, 1.0), (1, 0.78),
)  # fmt: skip
WATER: Profile = (
    *_NECK, (0.12, 0.4), (0.2, 0.85), (0.26, 1.0), (0.45, 1.0), (0.52, 0.86), (0.6, 1.0), (0.96, 1.0), (1, 0.85),
)  # fmt: skip
STRAIGHT: Profile = (*_NECK, (0.12, 0.34), (0.24, 0.8), (0.3, 1.0), (0.97, 1.0), (1, 0.86))
LARGE: Profile = (
    (0.0, 0.2), (0.06, 0.2), (0.065, 0.17), (0.09, 0.2), (0.2, 0.9), (0.25, 1.0), (0.48, 1.0), (0.52, 0.92),
    (0.56, 1.0), (0.97, 1.0), (1, 0.9),
)  # fmt: skip
OIL_WAIST: Profile = (
    (0.0, 0.34), (0.07, 0.34), (0.075, 0.28), (0.1, 0.28), (0.2, 0.6), (0.28, 0.96), (0.36, 0.9), (0.42, 0.66),
    (0.52, 0.66), (0.58, 0.94), (0.64, 1.0), (0.96, 1.0), (1, 0.88),
)  # fmt: skip
BEER: Profile = (
    (0, 0.38), (0.03, 0.42), (0.05, 0.36), (0.28, 0.44), (0.36, 0.62), (0.46, 0.97), (0.5, 1.0), (0.97, 1.0),
    (1, 0.92),
)  # fmt: skip
WINE: Profile = ((0, 0.4), (0.03, 0.42), (0.05, 0.36), (0.3, 0.38), (0.36, 0.6), (0.44, 0.98), (0.98, 1.0), (1, 0.9))
JAR: Profile = ((0, 0.84), (0.13, 0.86), (0.14, 0.78), (0.18, 0.8), (0.26, 0.98), (0.94, 1.0), (1, 0.9))


_OIL_LABELS = (CAPS[4], CAPS[3], CAPS[2], CAPS[0])


@dataclass(frozen=True)
class BottleSpec:
    """What a bottle form is made of; ratios run 0 (cap) .. 1 (bottom) along the bottle."""

    profile: Profile
    radius_px: float
    tint: Field
    opacity: float
    crush: Crush
    crease_px: float = 0.0
    rib_pitch_px: float = 0.0
    rib_span: tuple[float, float] = (0.6, 0.95)
    cap: Field | None = None
    cap_end: float = 0.055
    gloss: float = 0.9
    shininess: float = 30.0


def see_through(rng: Generator, spec: BottleSpec) -> tuple[Body, Turned]:
    """The bare bottle: wall, ribs, creases and cap; the label comes after."""
    form = turned(rng, spec.profile, spec.radius_px, spec.crush)
    height = form.height + spec.crease_px * _creased(rng, form)
    if spec.rib_pitch_px:
        ring = np.sin(form.along[:, None] * np.float32(2 * np.pi * 240 / spec.rib_pitch_px) + form.across**2)
        height += form.band(*spec.rib_span) * ring * np.float32(0.14 * spec.rib_pitch_px)
    albedo = np.empty((*form.shape, 3), np.float32)
    albedo[:] = spec.tint
    wall = np.float32(spec.opacity) + np.float32(1 - spec.opacity) * (form.across * form.across) ** 3 * np.float32(0.7)
    patchy = smooth_noise(rng, form.shape, 30) * np.float32(0.1 * (1 - spec.opacity))
    opacity = np.clip(wall + patchy, 0.2, 1).astype(np.float32)
    body = Body(albedo, opacity, form.coverage, height.astype(np.float32), spec.gloss, spec.shininess)
    if spec.cap is not None:
        _screw_on(body, form, spec)
    return body, form


def _creased(rng: Generator, form: Turned) -> Field:
    creases = np.float32(0.9) * facets(rng, form.shape, 44) + np.float32(0.5) * wrinkles(rng, form.shape, 26)
    return creases * (form.along > 0.12)[:, None]


def _edge_light(body: Body, form: Turned, strength: float, sharpness: float) -> None:
    """A see-through wall seen edge-on gathers light: a pale line along both sides and a streak left of the middle."""
    sides = np.exp(-((np.abs(form.across) - np.float32(0.9)) ** 2) * np.float32(sharpness))
    streak = np.exp(-((form.across + np.float32(0.45)) ** 2) * np.float32(sharpness)) * (form.along > 0.1)[:, None]
    glow = np.clip((sides + streak) * np.float32(strength), 0, 1).astype(np.float32)
    body.paint(glow, np.ones(3, np.float32), np.maximum(body.opacity, glow))


def _screw_on(body: Body, form: Turned, spec: BottleSpec) -> None:
    assert spec.cap is not None
    mask = form.band(-0.1, spec.cap_end)
    knurls = np.float32(0.85) + np.float32(0.15) * np.sin(np.arcsin(np.clip(form.across, -1, 1)) * 22)
    body.paint(mask, spec.cap * knurls[..., None], 1.0)
    body.height = np.where(mask > 0.5, form.height, body.height)


def stick_label(rng: Generator, body: Body, form: Turned, span: tuple[float, float], base: Field | None = None) -> None:
    """Wrap an invented label round the stretch `span` of the bottle, sometimes torn."""
    columns = int(np.pi * 1.2 * float(form.half_width_px.max()))
    face = printed_face(rng, (int((span[1] - span[0]) * 240), columns), base)
    mask = form.band(*span, tilt=float(rng.uniform(-0.02, 0.02)))
    if rng.random() < 0.35:
        torn = smooth_noise(rng, form.shape, 34) + np.float32(0.25) * smooth_noise(rng, form.shape, 8)
        mask = mask * np.clip((torn + 0.35) * 12, 0, 1)
    body.paint(mask, form.wrap(face, *span, turn=float(rng.uniform(-0.2, 0.2))), 1.0)


def _wear(rng: Generator) -> tuple[Crush, float]:
    """How crushed a thin bottle is: a third nearly whole, a third dented, a third flattened; and its crease height."""
    degree = float(rng.random())
    if degree < 0.3:
        return Crush(0.05, 0.1, rng.uniform(-3, 3)), 3.0
    if degree < 0.65:
        return Crush(0.22, 0.45, rng.uniform(-12, 12)), 8.0
    return Crush(0.34, 0.85, rng.uniform(-18, 18)), 12.0


def clear_bottle(rng: Generator) -> Body:
    """A clear or bluish PET bottle, whole, dented or flattened."""
    crush, crease_px = _wear(rng)
    profile, radius = pick(rng, ((SODA, 38.0), (WATER, 36.0), (STRAIGHT, 37.0), (LARGE, 60.0)))
    cap = pick(rng, CAPS) if rng.random() < 0.75 else None
    spec = BottleSpec(
        profile, radius, shifted(rng, pick(rng, CLEAR_PET)), 0.24, crush, crease_px,
        rng.uniform(9, 16) * (rng.random() < 0.75),
        (rng.uniform(0.3, 0.62), 0.95), cap, 0.06 if profile is LARGE else 0.055,
    )  # fmt: skip
    body, form = see_through(rng, spec)
    _edge_light(body, form, rng.uniform(0.25, 0.5) * (1 - 0.5 * crush.flat_ratio), 160)
    if rng.random() < 0.7:
        stick_label(rng, body, form, (0.34, rng.uniform(0.5, 0.6)))
    return body


def coloured_bottle(rng: Generator) -> Body:
    """A green, brown, red or otherwise coloured PET bottle, tinted or opaque."""
    crush, crease_px = _wear(rng)
    opaque = rng.random() < 0.3
    tint = shifted(rng, pick(rng, OPAQUE_PET if opaque else TINTED_PET), 0.15)
    profile, radius = pick(rng, ((SODA, 40.0), (STRAIGHT, 38.0), (SODA, 44.0)))
    cap = pick(rng, CAPS) if rng.random() < 0.75 else None
    rib_pitch_px = 0.0 if rng.random() < 0.5 else rng.uniform(9, 18)
    spec = BottleSpec(profile, radius, tint, 1.0 if opaque else 0.72, crush, crease_px, rib_pitch_px, cap=cap)
    body, form = see_through(rng, spec)
    if rng.random() < 0.6:
        stick_label(rng, body, form, (0.34, rng.uniform(0.52, 0.62)))
    return body


def oil_bottle(rng: Generator) -> Body:
    """A greasy yellowish oil bottle: close rings, a gripped waist, a pool of oil along one side."""
    crush, crease_px = _wear(rng)
    profile, radius = pick(rng, ((OIL_WAIST, 36.0), (OIL_WAIST, 40.0), (STRAIGHT, 35.0)))
    spec = BottleSpec(
        profile, radius, shifted(rng, pick(rng, OIL)), 0.48, crush, 0.7 * crease_px, rng.uniform(8, 11),
        (0.22, 0.97), pick(rng, (CAPS[4], CAPS[0], CAPS[3], CAPS[2])), 0.07, 1.0, 22.0,
    )  # fmt: skip
    body, form = see_through(rng, spec)
    side = np.float32(pick(rng, (-1, 1)))
    pool = np.clip((form.across * side + np.float32(0.25) * smooth_noise(rng, form.shape, 40) - 0.25) * 3, 0, 1)
    pool *= (form.along > 0.25)[:, None]
    body.paint(pool * np.float32(0.8), spec.tint * np.array((0.35, 0.8, 0.95), np.float32), 0.8)
    if rng.random() < 0.75:
        stick_label(rng, body, form, (0.63, rng.uniform(0.82, 0.92)), pick(rng, _OIL_LABELS))
    return body


def _hard_edges(body: Body, form: Turned, clear: bool) -> None:
    """Thick glass: dark refracting borders, a heavy bottom, a window's narrow streak; pale lines where it is clear."""
    edge = np.clip((np.abs(form.across) - np.float32(0.72)) * 6, 0, 1)
    body.paint(edge * np.float32(0.6), body.albedo * np.float32(0.35), None)
    body.opacity = np.maximum(body.opacity, edge * np.float32(0.95))
    foot = form.band(0.955, 0.985)
    body.paint(foot * np.float32(0.5), body.albedo * np.float32(1.5 if clear else 0.4), None)
    body.opacity = np.maximum(body.opacity, foot * np.float32(0.8))
    if clear:
        _edge_light(body, form, 0.5, 500)
    inner = np.exp(-((np.abs(form.across) - np.float32(0.66)) ** 2) * 500)
    streak = np.exp(-((form.across + np.float32(0.42)) ** 2) * 260) * (form.along > 0.06)[:, None]
    glow = np.clip(inner * np.float32(0.25) + streak * np.float32(0.75), 0, 1).astype(np.float32)
    body.paint(glow, np.ones(3, np.float32), np.maximum(body.opacity, glow))


def glass_bottle(rng: Generator) -> Body:
    """A beer or wine bottle: dark, heavy, never dented, hard highlights."""
    tint = shifted(rng, pick(rng, GLASS))
    profile, radius = pick(rng, ((BEER, 34.0), (WINE, 34.0), (BEER, 38.0)))
    clear = float(tint.mean()) > 0.4
    crown = pick(rng, (SILVER, *CAPS[:4])) if rng.random() < 0.35 else None
    spec = BottleSpec(profile, radius, tint, 0.26 if clear else 0.86, Crush(), cap=crown, cap_end=0.03, shininess=70)
    body, form = see_through(rng, spec)
    _hard_edges(body, form, clear)
    if rng.random() < 0.65:
        stick_label(rng, body, form, (0.56, rng.uniform(0.76, 0.88)))
    return body


def glass_jar(rng: Generator) -> Body:
    """A preserving jar on its side, with or without its lid."""
    tint = shifted(rng, pick(rng, (GLASS[6], GLASS[7], GLASS[7], GLASS[1])))
    lid = pick(rng, (SILVER, *CAPS[:5])) if rng.random() < 0.6 else None
    spec = BottleSpec(JAR, rng.uniform(66, 84), tint, 0.28, Crush(), cap=lid, cap_end=0.13, shininess=70)
    body, form = see_through(rng, spec)
    _hard_edges(body, form, float(tint.mean()) > 0.4)
    if rng.random() < 0.6:
        stick_label(rng, body, form, (0.4, rng.uniform(0.7, 0.85)))
    return body
