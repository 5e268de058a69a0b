"""The figures as a DCAT-AP 3 catalogue in JSON-LD, so that open-data portals find and harvest them by themselves.

DCAT-AP 3.0 (SEMIC) asks a catalogue for title, description, publisher; a dataset for title and description; a
distribution for its access URL; a data service for title and endpoint. Vocabularies are those of the EU's Publications
Office.
"""

from collections.abc import Sequence
from typing import Any

from sorter.model.settings import Settings
from ui.api.answering import MEDIA_TYPES, formats_of
from ui.api.blueprint import BASE_PATH
from ui.api.operation import Operation
from ui.api.query import FormatName

CATALOGUE_TYPE = "application/ld+json"
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_IANA = "https://www.iana.org/assignments/media-types"
_FILE_TYPES: dict[FormatName, str] = {"json": "JSON", "csv": "CSV", "parquet": "PARQUET"}
_ENVIRONMENT = f"{_AUTHORITY}/data-theme/ENVI"
_CONTINUOUS = f"{_AUTHORITY}/frequency/CONT"
_PUBLIC, _RESTRICTED = f"{_AUTHORITY}/access-right/PUBLIC", f"{_AUTHORITY}/access-right/RESTRICTED"
_KEYWORDS = {
    "en": ("waste", "sorting", "municipal waste", "packaging waste"),
    "fr": ("déchets", "tri", "déchets municipaux", "déchets d'emballages"),
    "ar": ("نفايات", "فرز", "نفايات بلدية", "نفايات التغليف"),
}
_TITLES = {
    "en": "Figures of a waste-sorting line",
    "fr": "Chiffres d'une ligne de tri des déchets",
    "ar": "أرقام خط فرز النفايات",
}
_CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def catalogue(settings: Settings, own_url: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The catalogue: one dataset for each operation that answers with rows, each in its formats.

    Args:
        settings: publisher, licence, and what is public.
        own_url: how the API is reached from outside, without a slash at the end.
        operations: all that are served.
    """
    base = f"{own_url}{BASE_PATH}"
    datasets = [operation for operation in operations if operation.row is not None]
    return {
        "@context": _CONTEXT,
        "@id": f"{base}/catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": _in_languages(_TITLES),
        "dct:description": [{"@value": f"Published by the line {settings.line_name}.", "@language": "en"}],
        "dct:publisher": _publisher(settings, base),
        "dct:license": _license(settings),
        "dct:language": [{"@id": f"{_AUTHORITY}/language/{code}"} for code in ("ENG", "FRA", "ARA")],
        "foaf:homepage": {"@id": f"{base}/docs", "@type": "foaf:Document"},
        "dcat:themeTaxonomy": {"@id": f"{_AUTHORITY}/data-theme"},
        "dcat:dataset": [_dataset(operation, settings, base) for operation in datasets],
        "dcat:service": [_service(settings, base, datasets)],
    }


def _dataset(operation: Operation, settings: Settings, base: str) -> dict[str, Any]:
    return {
        "@id": _dataset_id(operation, base),
        "@type": "dcat:Dataset",
        "dct:title": [{"@value": operation.summary, "@language": "en"}],
        "dct:description": [{"@value": _description(operation), "@language": "en"}],
        "dct:identifier": _dataset_id(operation, base),
        "dct:publisher": _publisher(settings, base),
        **_contact(settings),
        "dct:accessRights": {"@id": _rights(operation, settings), "@type": "dct:RightsStatement"},
        "dct:accrualPeriodicity": {"@id": _CONTINUOUS, "@type": "dct:Frequency"},
        "dcat:theme": {"@id": _ENVIRONMENT},
        "dcat:keyword": [
            {"@value": word, "@language": language} for language, words in _KEYWORDS.items() for word in words
        ],
        "dcat:landingPage": {"@id": f"{base}/docs", "@type": "foaf:Document"},
        "dcat:distribution": [_distribution(operation, form, settings, base) for form in formats_of(operation)],
    }


def _distribution(operation: Operation, form: FormatName, settings: Settings, base: str) -> dict[str, Any]:
    url = f"{base}{operation.path}?format={form}"
    return {
        "@id": f"{_dataset_id(operation, base)}-{form}",
        "@type": "dcat:Distribution",
        "dct:title": [{"@value": f"{operation.summary} ({form.upper()})", "@language": "en"}],
        "dcat:accessURL": {"@id": url},
        "dcat:downloadURL": {"@id": url},
        "dcat:mediaType": {"@id": f"{_IANA}/{MEDIA_TYPES[form]}", "@type": "dct:MediaType"},
        "dct:format": {"@id": f"{_AUTHORITY}/file-type/{_FILE_TYPES[form]}", "@type": "dct:MediaTypeOrExtent"},
        "dct:license": _license(settings),
        "dcat:accessService": {"@id": _service_id(base)},
    }


def _service(settings: Settings, base: str, datasets: Sequence[Operation]) -> dict[str, Any]:
    return {
        "@id": _service_id(base),
        "@type": "dcat:DataService",
        "dct:title": [{"@value": "Farz API", "@language": "en"}],
        "dct:publisher": _publisher(settings, base),
        "dct:license": _license(settings),
        "dcat:endpointURL": {"@id": base},
        "dcat:endpointDescription": {"@id": f"{base}/openapi.json"},
        "dcat:servesDataset": [{"@id": _dataset_id(operation, base)} for operation in datasets],
    }


def _publisher(settings: Settings, base: str) -> dict[str, Any]:
    name = settings.api.publisher or settings.line_name
    return {"@id": f"{base}/catalog.jsonld#publisher", "@type": "foaf:Agent", "foaf:name": name}


def _contact(settings: Settings) -> dict[str, Any]:
    """Whom to ask; DCAT-AP recommends it, and it is told where it is configured."""
    url = settings.api.contact_url
    if not url:
        return {}
    kind = "vcard:hasEmail" if url.startswith("mailto:") else "vcard:hasURL"
    name = settings.api.publisher or settings.line_name
    return {"dcat:contactPoint": {"@type": "vcard:Organization", "vcard:fn": name, kind: {"@id": url}}}


def _license(settings: Settings) -> dict[str, Any]:
    return {"@id": settings.api.licence_url, "@type": "dct:LicenseDocument"}


def _rights(operation: Operation, settings: Settings) -> str:
    is_public = operation.scope is None or operation.scope.value in settings.api.public_scopes
    return _PUBLIC if is_public else _RESTRICTED


def _description(operation: Operation) -> str:
    return " ".join((operation.answer.__doc__ or operation.summary).split())


def _in_languages(texts: dict[str, str]) -> list[dict[str, str]]:
    return [{"@value": text, "@language": language} for language, text in texts.items()]


def _dataset_id(operation: Operation, base: str) -> str:
    return f"{base}/catalog.jsonld#{operation.name}"


def _service_id(base: str) -> str:
    return f"{base}/catalog.jsonld#service"
