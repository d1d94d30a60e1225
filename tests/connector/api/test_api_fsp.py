"""The FSPs' side: hostile and mistaken reports are refused in plain JSON and change nothing."""

import pytest

PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
XML = {"Content-Type": "application/xml"}
REPORT = (
    f'<Document xmlns="{PAIN_002}"><CstmrPmtStsRpt><GrpHdr><MsgId>M1</MsgId><CreDtTm>2030-01-31T08:00:00</CreDtTm>'
    "</GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
    "<GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
)
CALLBACK = "/fsp/TREAXU22/callbacks"


async def assert_refused(answer, status=400):
    body = await answer.json()
    assert answer.status == status, body
    assert body["errors"][0].keys() == {"where", "code", "sentence"}
    return body


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no xml",
        "<a/>",
        "<Document/>",
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.999.001.01"/>',
        f'<Document xmlns="{PAIN_002}"/>',
        f'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document xmlns="{PAIN_002}">&e;</Document>',
        '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>',
        "<a>" * 100_000,
        REPORT.format(original="UNKNOWN"),
        REPORT.format(original="A" * 20 + "P0"),
        "\x00\x01",
    ],
)
async def test_a_report_that_cannot_be_taken_is_refused(client, content):
    answer = await client.post("/fsp/TREAXU22/iso20022", data=content, headers=XML)
    assert answer.status in {400, 404}
    await assert_refused(answer, answer.status)


async def test_a_report_that_is_not_xml_is_answered_415(client):
    await assert_refused(await client.post("/fsp/TREAXU22/iso20022", json={}), 415)


async def test_a_report_over_the_ceiling_is_answered_413(make_client):
    small = await make_client(max_report_bytes=100)
    content = REPORT.format(original="X")
    await assert_refused(await small.post("/fsp/TREAXU22/iso20022", data=content, headers=XML), 413)


@pytest.mark.parametrize("path", ["/iso20022", "/callbacks/authorisation/AAAA/0"])
async def test_an_unknown_institution_is_answered_404(client, path):
    body = {"clientCorrelationId": "C", "status": "Y"}
    await assert_refused(await client.post(f"/fsp/NOSUCHXX{path}", json=body), 404)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/authorisation/AAAAAAAAAAAAAAAAAAAA/0", {"clientCorrelationId": "C", "status": "y"}),
        ("/authorisation/AAAAAAAAAAAAAAAAAAAA/0", {"status": "Y"}),
        ("/authorisation/AAAAAAAAAAAAAAAAAAAA/x", {"clientCorrelationId": "C", "status": "Y"}),
        (
            "/validation/AAAAAAAAAAAAAAAAAAAA/0",
            {"clientCorrelationId": "C", "batchId": "B", "numberOfFailedCases": 1},
        ),
        ("/validation/AAAAAAAAAAAAAAAAAAAA/0", {"clientCorrelationId": "C", "batchId": "B"}),
        ("/validation/AAAAAAAAAAAAAAAAAAAA/0", []),
    ],
)
async def test_a_wrong_callback_is_refused(client, path, body):
    await assert_refused(await client.post(CALLBACK + path, json=body))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/authorisation/AAAAAAAAAAAAAAAAAAAA/0", {"clientCorrelationId": "C", "status": "Y"}),
        (
            "/validation/AAAAAAAAAAAAAAAAAAAA/0",
            {"clientCorrelationId": "C", "batchId": "B", "numberOfFailedCases": 0},
        ),
    ],
)
async def test_a_callback_about_an_unknown_batch_is_refused(client, path, body):
    await assert_refused(await client.post(CALLBACK + path, json=body))
