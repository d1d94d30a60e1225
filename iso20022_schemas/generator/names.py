"""The standard's names for simple types.

The element tables state the facets of a text without the name of its type. Most names follow from the facets; where
several types share the facets, the place decides: the type and element that use it.
"""

import re

from iso20022_schemas.structure import SimpleType

_BUILT_IN = {
    "date": "ISODate",
    "dateTime": "ISODateTime",
    "time": "ISOTime",
    "gYear": "ISOYear",
    "gYearMonth": "ISOYearMonth",
}
_PATTERNS = {
    r"[A-Z]{3,3}": "ActiveOrHistoricCurrencyCode",
    r"[A-Z]{2,2}": "CountryCode",
    r"\+[0-9]{1,3}-[0-9()+\-]{1,30}": "PhoneNumber",
    r"[0-9]{1,15}": "Max15NumericText",
    r"[0-9]{1,5}": "Max5NumericText",
    r"[0-9]{1,3}": "Max3NumericText",
    r"[0-9]": "Exact1NumericText",
    r"[0-9]{2}": "Exact2NumericText",
    r"[0-9]{3}": "Exact3NumericText",
    r"[0-9]{2,3}": "Min2Max3NumericText",
    r"[0-9]{3,4}": "Min3Max4NumericText",
    r"[0-9]{8,28}": "Min8Max28NumericText",
    r"[\+]{0,1}[0-9]{1,15}": "MobilePhoneNumber",
    r"[A-Z]{6,6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3,3}){0,1}": "BICIdentifier",
    r"[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}": "BICFIDec2014Identifier",
    r"[A-Z0-9]{18,18}[0-9]{2,2}": "LEIIdentifier",
    r"[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}": "IBAN2007Identifier",
    r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}": "UUIDv4Identifier",
    r"[a-zA-Z0-9]{4}": "Exact4AlphaNumericText",
    r"[a-zA-Z0-9]{1,4}": "Max4AlphaNumericText",
    r"[a-z]{2,2}": "LanguageCode",
    r".*Z": "ISONormalisedDateTime",
    r"[0-9a-fA-F]+": "HexBinaryText",
    r"([0-9A-F][0-9A-F]){32}": "SHA256SignatureText",
    r"[A-Z0-9]{12,12}": "ISINOct2015Identifier",
    r"[A-Z]{2,2}[A-Z0-9]{9,9}[0-9]{1,1}": "ISINOct2015Identifier",
    r"[BEOVW]{1,1}[0-9]{2,2}|DUM": "EntryTypeIdentifier",
}
_DECIMALS: dict[tuple[str | None, int | None, int | None], str] = {
    (None, 18, 0): "Number",
    (None, 18, 17): "DecimalNumber",
    (None, 11, 10): "PercentageRate",
    ("0", 18, 17): "NonNegativeDecimalNumber",
    ("0", 18, 5): "ImpliedCurrencyAndAmount",
}

_BINARIES = {10240: "Max10KBinary", 10485760: "Max10MbBinary"}

# A type (with or without its version number) and an element, as a regular expression: the first that fits counts.
_PLACES: tuple[tuple[str, str], ...] = (
    (r"Purpose/Cd", "ExternalPurpose1Code"),
    (r"CategoryPurpose/Cd", "ExternalCategoryPurpose1Code"),
    (r"ServiceLevel/Cd", "ExternalServiceLevel1Code"),
    (r"LocalInstrument/Cd", "ExternalLocalInstrument1Code"),
    (r"AccountSchemeName/Cd", "ExternalAccountIdentification1Code"),
    (r"CashAccountType/Cd", "ExternalCashAccountType1Code"),
    (r"ProxyAccountType/Cd", "ExternalProxyAccountType1Code"),
    (r"OrganisationIdentificationSchemeName/Cd", "ExternalOrganisationIdentification1Code"),
    (r"PersonIdentificationSchemeName/Cd", "ExternalPersonIdentification1Code"),
    (r"FinancialIdentificationSchemeName/Cd", "ExternalFinancialInstitutionIdentification1Code"),
    (r"ClearingSystemIdentification3Choice/Cd", "ExternalCashClearingSystem1Code"),
    (r"ClearingSystemIdentification/Cd", "ExternalClearingSystemIdentification1Code"),
    (r"StatusReason/Cd", "ExternalStatusReason1Code"),
    (r"ReturnReason/Cd", "ExternalReturnReason1Code"),
    (r"CancellationReason/Cd", "ExternalCancellationReason1Code"),
    (r"MandateSetupReason/Cd", "ExternalMandateSetupReason1Code"),
    (r"GarnishmentType/Cd", "ExternalGarnishmentType1Code"),
    (r"DocumentType[12]Choice/Cd", "ExternalDocumentType1Code"),
    (r"DocumentFormat/Cd", "ExternalDocumentFormat1Code"),
    (r"DocumentLineType/Cd", "ExternalDocumentLineType1Code"),
    (r"DocumentAmountType/Cd", "ExternalDocumentAmountType1Code"),
    (r"DiscountAmountType/Cd", "ExternalDiscountAmountType1Code"),
    (r"TaxAmountType/Cd", "ExternalTaxAmountType1Code"),
    (r"DateType/Cd", "ExternalDateType1Code"),
    (r"ChargeType/Cd", "ExternalChargeType1Code"),
    (r"CreditorReferenceType2Choice/Cd", "ExternalCreditorReferenceType1Code"),
    (r"VerificationReason/Cd", "ExternalVerificationReason1Code"),
    (r"InstructionForCreditorAgent/Cd", "ExternalCreditorAgentInstruction1Code"),
    (r"InstructionForDebtorAgent/Cd", "ExternalDebtorAgentInstruction1Code"),
    (r"BalanceType/Cd", "ExternalBalanceType1Code"),
    (r"BalanceSubType/Cd", "ExternalBalanceSubType1Code"),
    (r"BankTransactionCodeStructure5/Cd", "ExternalBankTransactionDomain1Code"),
    (r"BankTransactionCodeStructure6/Cd", "ExternalBankTransactionFamily1Code"),
    (r".*/SubFmlyCd", "ExternalBankTransactionSubFamily1Code"),
    (r".*/TxCtgy", "ExternalCardTransactionCategory1Code"),
    (r".*/RePresntmntRsn", "ExternalRePresentmentReason1Code"),
    (r"CreditLineType/Cd", "ExternalCreditLineType1Code"),
    (r"EntryStatus/Cd", "ExternalEntryStatus1Code"),
    (r"ReportingSource/Cd", "ExternalReportingSource1Code"),
    (r"TechnicalInputChannel/Cd", "ExternalTechnicalInputChannel1Code"),
    (r"ClaimNonReceiptRejectReason/Cd", "ExternalClaimNonReceiptRejection1Code"),
    (r"InvestigationStatus/Conf", "ExternalInvestigationExecutionConfirmation1Code"),
    (r"PaymentCancellationRejection/Cd|CancellationStatusReason/Cd", "ExternalPaymentCancellationRejection1Code"),
    (r"CompensationReason/Cd", "ExternalPaymentCompensationReason1Code"),
    (r"ModificationStatusReason/Cd", "ExternalPaymentModificationRejection1Code"),
    (r".*/TxSts|NumberOfTransactionsPerStatus5/DtldSts", "ExternalPaymentTransactionStatus1Code"),
    (r".*/GrpSts|.*/PmtInfSts", "ExternalPaymentGroupStatus1Code"),
    (r".*/AnyBIC|.*/BICOrBEI", "AnyBIC*Identifier"),
    (r".*/BICFI", "BICFI*Identifier"),
    (r"ActiveCurrencyAndAmount/Ccy|CurrencyExchange13/.*Ccy", "ActiveCurrencyCode"),
    (r".*/BtchBookg", "BatchBookingIndicator"),
    (r".*/ChrgInclInd", "ChargeIncludedIndicator"),
    (r".*/XchgRate|.*/PreAgrdXchgRate", "BaseOneRate"),
    (r".*/(PssblDplct|ReopCaseIndctn|LastPgInd|ComssnWvrInd|AssgnmtCxlConf|Yldd)", "YesNoIndicator"),
    (r"AmountRangeBoundary/Incl", "YesNoIndicator"),
    (r"IdentificationSource/Cd", "ExternalFinancialInstrumentIdentificationType1Code"),
    (r".*/(GrpCxl|PmtInfCxl)", "GroupCancellationIndicator"),
    (r".*/NbOfDays", "Max15PlusSignedNumericText"),
    (r".*/AttndntLang", "ISO2ALanguageCode"),
    (r".*/LangCd", "LanguageCode"),
    (r".*/CharSet", "UnicodeChartsCode"),
    (r"BusinessApplicationHeader.*/Prty", "BusinessMessagePriorityCode"),
)
_SECOND_BIC = r"[A-Z0-9]{4,4}"


def of(unnamed: SimpleType, owner: str, element: str) -> str:
    """The name of the simple type that an element (or attribute) of a complex type has."""
    places = (f"{owner}/{element}", f"{re.sub(r'V?[0-9]*(Choice)?$', '', owner)}/{element}")
    name = next((name for where, name in _PLACES if any(re.fullmatch(where, place) for place in places)), "")
    edition = "Dec2014" if "".join(unnamed.patterns).startswith(_SECOND_BIC) else ""
    return name.replace("*", edition) or _of_facets(unnamed, owner)


def _of_facets(unnamed: SimpleType, owner: str) -> str:
    if owner.endswith("Amount") and unnamed.base == "decimal":
        return f"{owner}_SimpleType"
    if unnamed.base == "boolean":
        return "TrueFalseIndicator"
    if unnamed.base == "decimal":
        key = (unnamed.min_inclusive, unnamed.total_digits, unnamed.fraction_digits)
        return _DECIMALS.get(key) or _spelt_out(unnamed)
    if unnamed.patterns:
        return _PATTERNS.get(unnamed.patterns[0]) or _spelt_out(unnamed)
    return _BUILT_IN.get(unnamed.base) or _of_length(unnamed)


def _of_length(unnamed: SimpleType) -> str:
    if unnamed.base == "base64Binary" and unnamed.max_length in _BINARIES:
        return _BINARIES[unnamed.max_length]
    kind = "Text" if unnamed.base == "string" else "Binary"
    if unnamed.length is not None or unnamed.min_length == unnamed.max_length is not None:
        return f"Exact{unnamed.length or unnamed.max_length}{kind}"
    lower = "" if unnamed.min_length == 1 else f"Min{unnamed.min_length or 0}"
    return f"{lower}Max{unnamed.max_length}{kind}" if unnamed.max_length is not None else kind


def _spelt_out(unnamed: SimpleType) -> str:
    """A name for facets that the tables above do not know: unique, since it contains them."""
    parts = (unnamed.min_inclusive, unnamed.max_inclusive, unnamed.total_digits, unnamed.fraction_digits)
    text = "".join(unnamed.patterns) or "_".join(str(part) for part in parts if part is not None)
    return f"{unnamed.base.capitalize()}_{re.sub('[^A-Za-z0-9]+', '_', text).strip('_')}"
