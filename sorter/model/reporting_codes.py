"""What each material class is called in the catalogues that waste is reported by, and in three languages.

A line *sorts*: what it takes out is called "sorted", never "recycled", which is what somebody else may do with it.

Sources of the codes:

- European List of Waste: Commission Decision 2000/532/EC, consolidated. An item on the belt is packaging waste
  (chapter 15 01) or mixed municipal waste (20 03 01); a fraction that leaves a sorting plant is waste from mechanical
  treatment (chapter 19 12). Paper that is no packaging would be 20 01 01; a bottle that held motor oil would be
  15 01 10*. The camera cannot tell either, so a plant that knows better says so when it reports.
- Packaging category: the materials that Member States report by, Commission Decision 2005/270/EC, table 1; composites
  go with the material that weighs most. Identification: Commission Decision 97/129/EC, where the class determines it.
- UN-Habitat, Waste Wise Cities Tool (2021), categories of household waste composition.
"""

import msgspec


class WasteCode(msgspec.Struct, frozen=True):
    """An entry of the European List of Waste: six digits in pairs, and its title there."""

    code: str
    title: str


class MaterialNames(msgspec.Struct, frozen=True):
    """A class's name for people."""

    en: str
    fr: str
    ar: str


class ReportingCodes(msgspec.Struct, frozen=True):
    """One class in every catalogue; None where a catalogue has no entry for it.

    Attributes:
        class_name: the recipe's name of the class.
        names: for people.
        waste: the item as it lies on the belt, European List of Waste.
        sorted_fraction: the fraction of such items that leaves the plant, European List of Waste; None: the class does
            not determine it.
        packaging_category: by Decision 2005/270/EC; None: not packaging, or not known to be.
        packaging_identification: abbreviation and number by Decision 97/129/EC; None: the class does not determine it.
        waste_wise_cities_category: by the Waste Wise Cities Tool.
    """

    class_name: str
    names: MaterialNames
    waste: WasteCode | None = None
    sorted_fraction: WasteCode | None = None
    packaging_category: str | None = None
    packaging_identification: str | None = None
    waste_wise_cities_category: str | None = None


_PAPER_PACKAGING = WasteCode("15 01 01", "paper and cardboard packaging")
_PLASTIC_PACKAGING = WasteCode("15 01 02", "plastic packaging")
_METAL_PACKAGING = WasteCode("15 01 04", "metallic packaging")
_COMPOSITE_PACKAGING = WasteCode("15 01 05", "composite packaging")
_GLASS_PACKAGING = WasteCode("15 01 07", "glass packaging")
_MIXED_MUNICIPAL = WasteCode("20 03 01", "mixed municipal waste")
_SORTED_PAPER = WasteCode("19 12 01", "paper and cardboard")
_SORTED_PLASTIC = WasteCode("19 12 04", "plastic and rubber")
_SORTED_GLASS = WasteCode("19 12 05", "glass")
_SORTED_OTHER = WasteCode(
    "19 12 12",
    "other wastes (including mixtures of materials) from mechanical treatment of wastes other than those mentioned in "
    "19 12 11",
)
_PET, _HDPE, _CARTON = "PET 1", "HDPE 2", "C/PAP 84"
_DENSE_PLASTICS = "Plastics - dense"


def _plastic(class_name: str, names: MaterialNames, identification: str) -> ReportingCodes:
    return ReportingCodes(
        class_name, names, _PLASTIC_PACKAGING, _SORTED_PLASTIC, "plastic", identification, _DENSE_PLASTICS
    )


REPORTING_CODES: tuple[ReportingCodes, ...] = (
    _plastic("pet_clear", MaterialNames("PET bottle, clear", "Bouteille PET claire", "قنينة PET شفافة"), _PET),
    _plastic("pet_coloured", MaterialNames("PET bottle, coloured", "Bouteille PET colorée", "قنينة PET ملوّنة"), _PET),
    _plastic("pet_oil", MaterialNames("PET bottle, edible oil", "Bouteille PET d'huile", "قنينة زيت من PET"), _PET),
    _plastic("hdpe", MaterialNames("HDPE container", "Contenant PEHD", "عبوة HDPE"), _HDPE),
    ReportingCodes(
        "can",
        MaterialNames("Metal can", "Boîte ou canette métallique", "علبة معدنية"),
        _METAL_PACKAGING,
        # steel is 19 12 02 and aluminium 19 12 03; a colour camera does not tell them apart
        None,
        "metal",
        None,
        "Metals",
    ),
    ReportingCodes(
        "carton",
        MaterialNames("Beverage carton", "Brique alimentaire", "كرتون مشروبات"),
        _COMPOSITE_PACKAGING,
        _SORTED_OTHER,
        "paper and cardboard",
        _CARTON,
        "Composite products",
    ),
    ReportingCodes(
        "glass",
        MaterialNames("Glass bottle or jar", "Bouteille ou bocal en verre", "قنينة أو مرطبان زجاجي"),
        _GLASS_PACKAGING,
        _SORTED_GLASS,
        "glass",
        None,
        "Glass",
    ),
    ReportingCodes(
        "paper_cardboard",
        MaterialNames("Paper and cardboard", "Papier et carton", "ورق وكرتون"),
        _PAPER_PACKAGING,
        _SORTED_PAPER,
        "paper and cardboard",
        None,
        "Paper & cardboard",
    ),
    ReportingCodes(
        "residue",
        MaterialNames("Residue", "Refus", "متبقيات"),
        _MIXED_MUNICIPAL,
        _SORTED_OTHER,
        None,
        None,
        "Other",
    ),
)
_BY_CLASS = {codes.class_name: codes for codes in REPORTING_CODES}


def reporting_codes(class_name: str) -> ReportingCodes:
    """The codes of a class; one that only a site knows has its name in every language, and no codes."""
    return _BY_CLASS.get(class_name) or ReportingCodes(class_name, MaterialNames(class_name, class_name, class_name))
