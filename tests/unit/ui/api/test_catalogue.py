"""The catalogue holds what DCAT-AP 3 makes mandatory, by SHACL shapes, and leads to data that are there."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

rdflib = pytest.importorskip("rdflib")
pyshacl = pytest.importorskip("pyshacl")

# rdflib warns of its own future in every call
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
SHAPES = Path(__file__).with_name("dcat_ap_3.ttl")


def graph_of(client: FlaskClient) -> Any:
    answer = client.get("/api/v1/catalog.jsonld")
    assert answer.content_type == "application/ld+json"
    return rdflib.Graph().parse(data=answer.text, format="json-ld")


def conforms(graph: Any) -> tuple[bool, str]:
    is_conforming, _, report = pyshacl.validate(graph, shacl_graph=rdflib.Graph().parse(SHAPES), advanced=False)
    return bool(is_conforming), str(report)


def test_the_catalogue_conforms(client: FlaskClient) -> None:
    is_conforming, report = conforms(graph_of(client))
    assert is_conforming, report


@pytest.mark.parametrize("contact", ["mailto:dechets@meknes.example", "https://meknes.example/contact"])
def test_whom_to_ask_is_told_where_it_is_configured(line: Any, contact: str) -> None:
    graph = graph_of(line.client(contact_url=contact))
    is_conforming, report = conforms(graph)
    assert is_conforming, report
    points = list(graph.objects(None, rdflib.URIRef(f"{DCAT}contactPoint")))
    assert points
    assert rdflib.URIRef(contact) in set(graph.objects(points[0], None))


@pytest.mark.parametrize(
    ("of", "what"),
    [
        ("Catalog", f"{DCT}title"),
        ("Catalog", f"{DCT}description"),
        ("Catalog", f"{DCT}publisher"),
        ("Dataset", f"{DCT}title"),
        ("Dataset", f"{DCT}description"),
        ("Distribution", f"{DCAT}accessURL"),
        ("DataService", f"{DCAT}endpointURL"),
    ],
)
def test_the_shapes_notice_what_is_missing(client: FlaskClient, of: str, what: str) -> None:
    graph = graph_of(client)
    subject = next(graph.subjects(rdflib.RDF.type, rdflib.URIRef(DCAT + of)))
    graph.remove((subject, rdflib.URIRef(what), None))
    assert not conforms(graph)[0]


def test_every_distribution_leads_to_its_data(client: FlaskClient) -> None:
    graph = graph_of(client)
    addresses = {str(address) for address in graph.objects(None, rdflib.URIRef(f"{DCAT}downloadURL"))}
    assert len(addresses) >= 10
    for address in addresses:
        parts = urlsplit(address)
        answer = client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, address
        media_types = {
            str(one).partition("media-types/")[2] for one in graph.objects(None, rdflib.URIRef(f"{DCAT}mediaType"))
        }
        assert answer.mimetype in media_types


def test_publisher_licence_rights_and_address_are_those_of_the_configuration(line: Any) -> None:
    client = line.client(
        publisher="Commune de Meknès",
        licence_url="https://example.org/licence",
        public_url="https://data.example.org",
        public_scopes=("figures:read",),
    )
    text = client.get("/api/v1/catalog.jsonld").text
    datasets = {one["@id"].partition("#")[2]: one for one in json.loads(text)["dcat:dataset"]}
    assert "Commune de Meknès" in text
    assert "https://example.org/licence" in text
    assert datasets["composition"]["@id"].startswith("https://data.example.org/api/v1/")
    assert datasets["composition"]["dct:accessRights"]["@id"].endswith("/PUBLIC")
    assert datasets["events"]["dct:accessRights"]["@id"].endswith("/RESTRICTED")
