"""Our answers, good and bad, against the official OpenAPI files; and ours against the official paths."""

import os
import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from connector.api import ApiSettings
from connector.api.application import OPERATIONS
from connector.api.openapi import describe

from test_api_v1 import BATCH, PEOPLE  # isort: skip
from test_api_v3 import BATCH as BATCH_V3  # isort: skip
from test_api_v3 import BATCH_HEADERS, HEADERS, LOOKUP, UPDATE  # isort: skip
from test_api_v3 import PEOPLE as PEOPLE_V3  # isort: skip

SHARED = Path(os.environ.get("ISOGATE_SHARED", Path(__file__).parents[4] / "shared"))
FOLDER = SHARED / "contracts" / "govstack"
V3 = "v3.0/api-folder-only"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the official OpenAPI files are not beside the repository"
)


def official(file, path, method):
    described = yaml.safe_load((FOLDER / file).read_text())
    return {str(status): answer for status, answer in described["paths"][path][method]["responses"].items()}


def nullable(schema):
    """The file says of result_file that it is null for JSON, but not in its schema."""
    for name in ("result_file",):
        if name in schema.get("properties", {}):
            schema["properties"][name]["type"] = ["string", "null"]
    return schema


async def check(answer, file, path, method):
    responses = official(file, path, method)
    assert str(answer.status) in responses
    content = responses[str(answer.status)].get("content")
    if content:
        schema = nullable(content["application/json"]["schema"])
        jsonschema_rs.validator_for(schema).validate(await answer.json())


@pytest.mark.parametrize(
    ("file", "path", "body"),
    [
        ("Registerbeneficiary.yaml", "/register-beneficiary", PEOPLE),
        ("UpdateBeneficiary.yaml", "/update-beneficiary-details", PEOPLE),
        ("Prepaymentvalidation.yaml", "/prepayment-validation", BATCH),
        ("bulkpayment.yaml", "/bulk-payment", BATCH),
    ],
)
async def test_v1_answers_are_the_official_ones(client, file, path, body):
    await client.post("/register-beneficiary", json=PEOPLE)
    for sent in (body, {**body, "SourceBBID": "X"}, {}, [], {**body, "RequestID": "X"}):
        answer = await client.post(path, json=sent)
        await check(answer, f"v1.0/{file}", path, "post")


async def test_v3_onboarding_answers_are_the_official_ones(client):
    path = "/identityAccountMapper/beneficiary"
    for sent in (PEOPLE_V3, {}):
        answer = await client.post(path, json=sent, headers=HEADERS)
        await check(answer, "v3.0/RegisterBeneficiaryRequest.yml", path, "post")
    answer = await client.put(path, json=UPDATE)
    await check(answer, "v3.0/UpdateBeneficiaryRequest.yml", path, "put")
    one = await client.get("/beneficiary/?payeeIdentity=PERSON1&requestId=R1", headers=LOOKUP)
    await check(one, f"{V3}/AccountLookup.yml", "/beneficiary/", "get")
    many = await client.put("/beneficiary", json={"requestId": "R2", "payeePartyIds": ["PERSON1"]}, headers=LOOKUP)
    await check(many, f"{V3}/BulkAccountLookup.yml", "/beneficiary", "put")


async def test_v3_batch_answers_are_the_official_ones(client):
    answer = await client.post("/batchtransactions?type=raw", json=BATCH_V3, headers=BATCH_HEADERS)
    await check(answer, "v3.0/v1_0_1_fixed_BulkPayment.yml", "/batchtransactions", "post")
    ref = (await answer.json())["batchId"]
    refused = await client.post("/batchtransactions?type=raw", json=[], headers=BATCH_HEADERS)
    await check(refused, "v3.0/v1_0_1_fixed_BulkPayment.yml", "/batchtransactions", "post")
    details = await client.get(f"/api/v1/batch/detail?batchId={ref}", headers=BATCH_HEADERS)
    await check(details, f"{V3}/BatchDetails.yml", "/api/v1/batch/detail", "get")


async def test_the_status_of_a_batch_has_the_official_body(client):
    sent = await client.post("/batchtransactions?type=raw", json=BATCH_V3, headers=BATCH_HEADERS)
    ref = (await sent.json())["batchId"]
    described = yaml.safe_load((FOLDER / "v3.0/v1_0_1_fixed_BulkPaymentStatusUpdate.yml").read_text())
    body = described["paths"]["/api/v1/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    answer = await client.post(f"/api/v1/batch?batchId={ref}&X-CorrelationID=R1")
    jsonschema_rs.validator_for(nullable(body)).validate(await answer.json())


def readable(path):
    """Two of the official files are no YAML."""
    try:
        return "paths" in yaml.safe_load(path.read_text())
    except yaml.YAMLError:
        return False


def files():
    found = [path for folder in ("v1.0", "v3.0", V3) for path in sorted((FOLDER / folder).glob("*.y*ml"))]
    return [path for path in found if readable(path)]


OURS = {
    "/register-beneficiary", "/update-beneficiary-details", "/prepayment-validation", "/bulk-payment",
    "/identityAccountMapper/beneficiary", "/beneficiary/", "/beneficiary", "/batchtransactions", "/api/v1/batch",
    "/api/v1/batch/detail",
}  # fmt: skip


@pytest.mark.parametrize("file", files(), ids=lambda path: path.name)
def test_what_the_official_file_requires_we_require_and_allow_in_length(file):
    """Every official parameter of a path of this issue is declared by us, required alike, and never shorter."""
    ours = describe(OPERATIONS, ApiSettings())["paths"]
    for path, methods in yaml.safe_load(file.read_text())["paths"].items():
        for method, described in methods.items() if path in OURS else ():
            declared = {plain(parameter): parameter for parameter in ours[path][method]["parameters"]}
            for parameter in described.get("parameters", []):
                mine = declared[plain(parameter)]
                assert mine["required"] == parameter["required"], (path, parameter["name"])
                assert mine["schema"].get("maxLength", 99) >= parameter["schema"].get("maxLength", 0)


def plain(parameter):
    """A parameter's place and name; the callback and institution headers are spelled differently per file."""
    name = re.sub(r"[-_]", "", parameter["name"].lower())
    return parameter["in"], {"registeringinstitutionid": "xregisteringinstitutionid"}.get(name, name)
