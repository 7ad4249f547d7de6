"""Suites: each is what its standard says, and a pack opens under its own and no other, whatever new packs take."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from casemesh.dossier.packs.disk import DiskPacks, pack_path
from casemesh.dossier.packs.format import PACK_HEADER_BYTES, PackDamaged, PackHeader
from casemesh.dossier.packs.suites import DEFAULT_SUITE, SUITES, TAG_BYTES, Sm4GcmRecords, Suite, TagMismatch
from tests.support.packs import CASE_KEY, chunks_of, key_of, write_pack

SALT = b"s" * 32
PACK_ID = b"p" * 16
SM4_SUITE = SUITES["SM4-GCM"]


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    mac = HMAC(key, SM3())
    mac.update(data)
    return mac.finalize()


def test_sm3_gives_the_digest_of_its_standard() -> None:
    # GB/T 32905-2016, appendix A.1.
    digest = Hash(SM3())
    digest.update(b"abc")
    assert "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" == digest.finalize().hex()


def test_sm4_gcm_gives_the_ciphertext_and_tag_of_its_rfc() -> None:
    # RFC 8998, appendix A.1; the nonce there is a record's number here.
    cipher = Sm4GcmRecords(bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))
    number = int("00001234567800000000ABCD", 16)
    header = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    expected = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    out = bytearray(len(plain) + TAG_BYTES)
    cipher.seal_into(number, plain, header, memoryview(out))
    assert expected == bytes(out)
    assert plain == cipher.open(number, expected, header)


def test_the_sm4_key_of_a_pack_is_hkdf_over_sm3() -> None:
    # RFC 5869: extract with the salt, expand with the info and a counter of one, cut to 128 bits.
    extracted = hmac_sm3(SALT, CASE_KEY)
    key = hmac_sm3(extracted, b"casemesh/pack/SM4-GCM/HKDF-SM3\x00" + PACK_ID + b"\x01")[:16]
    sealed = [bytearray(3 + TAG_BYTES) for _ in range(2)]
    for cipher, out in zip((Sm4GcmRecords(key), SM4_SUITE.cipher(CASE_KEY, SALT, PACK_ID)), sealed, strict=True):
        cipher.seal_into(7, b"abc", b"header", memoryview(out))
    assert sealed[0] == sealed[1]


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
@given(plain=st.binary(max_size=200), header=st.binary(max_size=60), number=st.integers(0, 2**64 - 1), data=st.data())
def test_a_record_opens_as_it_was_sealed_and_in_no_other_way(
    suite: Suite, plain: bytes, header: bytes, number: int, data: st.DataObject
) -> None:
    cipher = suite.cipher(CASE_KEY, SALT, PACK_ID)
    out = bytearray(len(plain) + TAG_BYTES)
    cipher.seal_into(number, plain, header, memoryview(out))
    assert plain == cipher.open(number, bytes(out), header)
    bit = data.draw(st.integers(0, len(out) * 8 - 1))
    altered = bytearray(out)
    altered[bit // 8] ^= 1 << bit % 8
    others = [
        (cipher, number, bytes(altered), header),
        (cipher, number ^ 1, bytes(out), header),
        (cipher, number, bytes(out), header + b"x"),
        (cipher, number, bytes(out[:-1]), header),
        (cipher, number, b"", header),
        (suite.cipher(bytes(32), SALT, PACK_ID), number, bytes(out), header),
        (suite.cipher(CASE_KEY, bytes(32), PACK_ID), number, bytes(out), header),
        (suite.cipher(CASE_KEY, SALT, bytes(16)), number, bytes(out), header),
    ]
    for wrong, *record in others:
        with pytest.raises(TagMismatch):
            wrong.open(*record)


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_an_output_of_another_size_and_keys_of_other_sizes_are_refused(suite: Suite) -> None:
    cipher = suite.cipher(CASE_KEY, SALT, PACK_ID)
    for size in (TAG_BYTES + 2, TAG_BYTES + 4):
        with pytest.raises(ValueError):  # noqa: PT011 - the library's words are its own
            cipher.seal_into(0, b"abc", b"", memoryview(bytearray(size)))
    for sizes in ((31, 32, 16), (32, 31, 16), (32, 32, 15)):
        with pytest.raises(ValueError, match="bytes"):
            suite.cipher(*(bytes(size) for size in sizes))


def test_packs_of_all_suites_lie_side_by_side_and_read(tmp_path: Path) -> None:
    packs = DiskPacks(tmp_path)
    written = [
        write_pack(packs, key_of(suite.suite_id), chunks_of([70_000, 1], seed=suite.suite_id), suite=suite)
        for suite in SUITES.values()
    ]
    assert [pack.plain for pack in written] == [pack.read(packs) for pack in written]


def test_a_pack_whose_header_names_another_suite_gives_nothing(tmp_path: Path) -> None:
    packs = DiskPacks(tmp_path)
    pack = write_pack(packs, key_of(), chunks_of([5000]), suite=DEFAULT_SUITE)
    path = pack_path(tmp_path, key_of())
    raw = path.read_bytes()
    header = PackHeader.decode(raw[:PACK_HEADER_BYTES], "p")
    for suite_id, why in ((SM4_SUITE.suite_id, "tag"), (999, "suite")):
        other = PackHeader(suite_id, header.salt, header.case_id, header.pack_id)
        path.write_bytes(other.encode() + raw[PACK_HEADER_BYTES:])
        with pytest.raises(PackDamaged, match=why):
            pack.read(packs)
