"""Debulking keeps every payment and every cent, whatever the slice looks like."""

from dataclasses import replace

from flow_world import directory
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.batch import BatchKind
from connector.domain.beneficiary import Beneficiary
from connector.domain.chunk import UNROUTED, Dispatch, tallies
from connector.domain.directory import Institution, InstitutionKind
from connector.domain.ids import CHUNKS_PER_SLICE, MAXIMUM_ISO_ID, batch_reference
from connector.domain.instruction import CreditInstruction
from connector.domain.status import InstructionStatus, Outcome
from connector.flows.debulk import Claims, Debulk
from connector.flows.routing import way_of
from connector.iso20022.scheme import Job

REF = batch_reference("test", "test", "test")
WORLD = directory("http://localhost")

addresses = st.sampled_from(["1012345678", "9012345678", "99970123456", "+99970123456", "7777", ""])
payees = st.none() | st.builds(
    Beneficiary,
    st.text(max_size=5),
    st.sampled_from(["", "00", "01", "02", "03", "04", "77"]),
    st.sampled_from(["", "UNIOXU22", "KASHXU22", "NOBANK"]),
    addresses,
    st.text(max_size=5),
    st.booleans(),
)
instructions = st.builds(
    CreditInstruction,
    st.text("ab-", min_size=1, max_size=40),
    st.text(max_size=5),
    st.integers(1, 10**15),
    st.sampled_from(["USD", "EUR", "JPY"]),
    st.just(""),
    addresses,
    st.sampled_from(["", "UNIOXU22", "NOBANK"]),
    st.sampled_from(["", "00", "02"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(instructions, payees), max_size=60), st.integers(1, 9), st.integers(0, 50))
def test_sum_and_count_are_kept_and_ids_are_unique(slice_, size, number) -> None:
    given_, found = [pair[0] for pair in slice_], [pair[1] for pair in slice_]
    chunks = Debulk(WORLD, size).slice(REF, number, 1000, given_, found, 1.0)
    credits = [credit for chunk, _ in chunks for credit in chunk.credits]
    assert sorted(credit.position for credit in credits) == list(range(1000, 1000 + len(given_)))
    by_position = {credit.position - 1000: credit for credit in credits}
    assert all(by_position[index].amount_minor == one.amount_minor for index, one in enumerate(given_))
    assert all(by_position[index].instruction_id == one.instruction_id for index, one in enumerate(given_))
    assert len({chunk.id for chunk, _ in chunks}) == len(chunks)
    assert all(chunk.id.number // CHUNKS_PER_SLICE == number for chunk, _ in chunks)
    assert len({credit.end_to_end_id for credit in credits}) == len(credits)
    assert all(len(credit.end_to_end_id) <= MAXIMUM_ISO_ID for credit in credits)
    for currency in ("USD", "EUR", "JPY"):
        total = sum(chunk.total_minor for chunk, _ in chunks if chunk.currency == currency)
        assert total == sum(one.amount_minor for one in given_ if one.currency == currency)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(instructions, payees), max_size=60), st.integers(1, 9))
def test_a_chunk_is_either_ready_for_one_place_or_rejected_with_reasons(slice_, size) -> None:
    given_, found = [pair[0] for pair in slice_], [pair[1] for pair in slice_]
    for chunk, status in Debulk(WORLD, size).slice(REF, 0, 0, given_, found, 1.0):
        assert chunk.credits
        if chunk.institution == UNROUTED:
            assert status.dispatch is Dispatch.CLOSED
            assert set(status.reasons) == set(range(len(chunk.credits)))
            assert tallies(chunk, status)[Outcome.FAILED].minor == chunk.total_minor
        else:
            assert status.dispatch is Dispatch.READY
            assert {status.status(index) for index in range(len(chunk.credits))} == {InstructionStatus.RCVD}
            assert chunk.institution in WORLD.institutions
            assert chunk.modality in {"00", "01", "03", "04"}
            assert len(chunk.credits) <= size


def test_tiny_chunks_of_a_scattered_slice_do_not_run_out_of_numbers() -> None:
    places = {f"BANK{n:04d}": Institution(f"BANK{n:04d}", "", InstitutionKind.BANK) for n in range(1200)}
    world = replace(WORLD, institutions=places)
    given_ = [CreditInstruction(f"I{n}", "", 1, "USD", "", "123", f"BANK{n % 1200:04d}") for n in range(5000)]
    chunks = Debulk(world, 1).slice(REF, 3, 0, given_, [None] * 5000, 1.0)
    assert sum(len(chunk.credits) for chunk, _ in chunks) == 5000
    assert len(chunks) <= CHUNKS_PER_SLICE
    assert any(chunk.institution == UNROUTED for chunk, _ in chunks)


def test_the_same_slice_is_cut_the_same_way_again() -> None:
    given_ = [CreditInstruction(f"I{n}", "", 1, "USD", "", "1012345678") for n in range(20)]
    cut = [Debulk(WORLD, 7).slice(REF, 0, 0, given_, [None] * 20, 1.0) for _ in range(2)]
    assert cut[0] == cut[1]


def test_a_programme_leads_to_its_executor() -> None:
    assert way_of(WORLD, "PENSIONS", BatchKind.DISBURSEMENT).job is Job.INITIATION
    relief = way_of(WORLD, "RELIEF", BatchKind.DISBURSEMENT)
    assert (relief.job, relief.recalling, relief.executor.code) == (Job.INTERBANK, Job.INTERBANK_RECALL, "NSWIXU22")
    assert way_of(WORLD, "RELIEF", BatchKind.PREVALIDATION).job is Job.VERIFICATION


FORMS = (r"10\d{8,12}", r"(a|ab)(c|bcd)", r"1|1(0)+", r"a?b", "", r"(?:9|99)0*", r"[a-c]+|\+?9\d*")
DEPENDENT = (r"(a|b)\1", r"(?i:ABC)", r"(?P<x>1)0")


@given(
    st.lists(st.sampled_from(FORMS + DEPENDENT), max_size=6),
    st.text(alphabet="0119abcd+", max_size=12) | st.sampled_from(["abc", "ABC", "aa", "bb", "abbcd", "1012345678"]),
)
def test_an_address_is_the_first_institutions_whose_form_it_has(forms: list[str], address: str) -> None:
    places = [Institution(f"B{n}", "", InstitutionKind.BANK, addresses=(form,)) for n, form in enumerate(forms)]
    first = next((place for place in places if place.owns(address)), None)
    assert Claims(places).owner(address) is first
