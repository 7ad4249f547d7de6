"""Who gets into the gateway, whom it believes behind it, and what changes without a restart."""

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from casemesh.local.envoy import AGENCY_SERVICES, EnvoyGateway
from casemesh.local.ports import LOOPBACK
from casemesh.pki import certificates as profile
from casemesh.pki.authority import KeyChoice, Pki
from casemesh.pki.bundles import write_bundle_map
from casemesh.pki.files import replace_file
from casemesh.pki.layout import CredentialFiles
from tests.support.gateway import (
    Echo,
    Gateway,
    call,
    echo_server,
    echo_services,
    open_channel,
    running_gateway,
    wait_until,
)
from tests.support.pki import COURT, POLICE, PROCURATORATE, SYSTEM, make_mesh

GET_CASE = "/casemesh.routing.v1.CaseService/GetCase"
GET_DOSSIER = "/casemesh.dossier.v1.DossierReadService/GetDossier"
RECEIVE = "/casemesh.routing.v1.ExchangeService/Receive"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A PKI of this module's own: agencies come and go in it."""
    return make_mesh(tmp_path_factory.mktemp("identities") / "pki")


@pytest.fixture(scope="module")
def services(pki: Pki) -> Iterator[dict[str, Echo]]:
    with echo_services(pki) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(pki: Pki, services: dict[str, Echo], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    addresses = {name: f"{LOOPBACK}:{echo.port}" for name, echo in services.items()}
    with running_gateway(pki, addresses, tmp_path_factory.mktemp("identities") / "gateway") as running:
        yield running


def gets_in(gateway: Gateway, files: CredentialFiles) -> bool:
    """Whether a client with these files is let in on a new connection."""
    with gateway.channel(files) as channel:
        try:
            call(channel, GET_CASE, timeout=20)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        return True


def write_leaf(
    directory: Path, authority: profile.Authority, trust: Path, spiffe_id: str, *, now: datetime = NOW, **names: object
) -> CredentialFiles:
    """A client certificate that `authority` signs whatever it says, as a lawless CA would."""
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = profile.tls_leaf(
        authority,
        key,
        spiffe_id=spiffe_id,
        common_name="forged",
        server=False,
        now=now,
        **names,  # type: ignore[arg-type]
    )
    files = CredentialFiles(directory / "tls.pem", directory / "tls.key", trust)
    files.certificate.write_bytes(leaf.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def agency_authority(pki: Pki, agency: str) -> profile.Authority:
    return pki._authority(f"agencies/{agency}")


def unconstrained_authority() -> profile.Authority:
    """A CA without name constraints, as an agency may bring it: only the gateway's own check is left."""
    key = ec.generate_private_key(ec.SECP256R1())
    constrained = profile.tls_authority(key, trust_domain="loose.agency.casemesh", now=NOW, clients_only=True)
    builder = (
        x509.CertificateBuilder()
        .subject_name(constrained.subject)
        .issuer_name(constrained.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(constrained.not_valid_before_utc)
        .not_valid_after(constrained.not_valid_after_utc)
    )
    for extension in constrained.extensions:
        if not isinstance(extension.value, x509.NameConstraints):
            builder = builder.add_extension(extension.value, extension.critical)
    return profile.Authority(builder.sign(key, constrained.signature_hash_algorithm), key)


@pytest.mark.parametrize(
    "spiffe_id",
    [
        f"spiffe://{COURT}.agency.casemesh/system/cms",
        "spiffe://mesh.casemesh/gateway",
        "spiffe://mesh.casemesh/service/routing",
        "spiffe://nowhere.agency.casemesh/system/cms",
    ],
)
@pytest.mark.parametrize("kind", ["constrained", "unconstrained"])
def test_an_agencys_ca_cannot_speak_for_others(
    pki: Pki, gateway: Gateway, tmp_path: Path, kind: str, spiffe_id: str
) -> None:
    if kind == "constrained":
        authority, own = agency_authority(pki, POLICE), f"spiffe://{POLICE}.agency.casemesh/system/forged"
    else:
        authority, own = unconstrained_authority(), "spiffe://loose.agency.casemesh/system/forged"
        bundle = pki.layout.bundles / "loose.agency.casemesh.pem"
        replace_file(bundle, authority.certificate.public_bytes(Encoding.PEM))
        write_bundle_map(pki.layout)
        wait_until(lambda: gets_in(gateway, write_leaf(tmp_path, authority, pki.layout.mesh_trust, own)))
    assert gets_in(gateway, write_leaf(tmp_path, authority, pki.layout.mesh_trust, own))
    assert not gets_in(gateway, write_leaf(tmp_path, authority, pki.layout.mesh_trust, spiffe_id))


@pytest.mark.parametrize(
    ("uris", "accepted"),
    [
        (("spiffe://loose.agency.casemesh/system/cms",), True),
        (("spiffe://loose.agency.casemesh/system/cms", "spiffe://loose.agency.casemesh/system/archive"), False),
        (("spiffe://loose.agency.casemesh/system/cms", f"spiffe://{COURT}.agency.casemesh/system/cms"), False),
        (("spiffe://loose.agency.casemesh/system/cms", "https://beihu.example/"), False),
        (("spiffe://loose.agency.casemesh/system/cms,x",), False),
        (("spiffe://loose.agency.casemesh/",), False),
    ],
)
def test_a_certificate_has_exactly_one_plain_name(
    pki: Pki, gateway: Gateway, tmp_path: Path, uris: tuple[str, ...], accepted: bool
) -> None:
    authority = unconstrained_authority()
    replace_file(pki.layout.bundles / "loose.agency.casemesh.pem", authority.certificate.public_bytes(Encoding.PEM))
    write_bundle_map(pki.layout)
    usual = write_leaf(tmp_path, authority, pki.layout.mesh_trust, "spiffe://loose.agency.casemesh/system/usual")
    wait_until(lambda: gets_in(gateway, usual))
    issued = x509.load_pem_x509_certificate(usual.certificate.read_bytes())
    builder = (
        x509.CertificateBuilder()
        .subject_name(issued.subject)
        .issuer_name(issued.issuer)
        .public_key(issued.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued.not_valid_before_utc)
        .not_valid_after(issued.not_valid_after_utc)
    )
    for extension in issued.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            value = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
        builder = builder.add_extension(value, extension.critical)
    leaf = builder.sign(authority.key, issued.signature_hash_algorithm)
    usual.certificate.write_bytes(leaf.public_bytes(Encoding.PEM))
    assert accepted == gets_in(gateway, usual)


def test_a_certificate_outside_its_validity_is_refused(pki: Pki, gateway: Gateway, tmp_path: Path) -> None:
    authority, own = agency_authority(pki, POLICE), f"spiffe://{POLICE}.agency.casemesh/system/cms"
    refused = {
        when: gets_in(gateway, write_leaf(tmp_path, authority, pki.layout.mesh_trust, own, now=when))
        for when in (NOW, NOW - timedelta(days=91), NOW + timedelta(days=1))
    }
    assert list(refused.values()) == [True, False, False]


def test_a_ca_that_only_bears_an_agencys_name_is_refused(pki: Pki, gateway: Gateway, tmp_path: Path) -> None:
    domain = f"{POLICE}.agency.casemesh"
    key = ec.generate_private_key(ec.SECP256R1())
    impostor = profile.Authority(profile.tls_authority(key, trust_domain=domain, now=NOW, clients_only=True), key)
    assert not gets_in(gateway, write_leaf(tmp_path, impostor, pki.layout.mesh_trust, f"spiffe://{domain}/system/cms"))


@pytest.mark.parametrize("name", ["operator", "routing", "gateway"])
def test_the_mesh_itself_does_not_come_in_through_the_gateway(pki: Pki, gateway: Gateway, name: str) -> None:
    assert not gets_in(gateway, pki.layout.service(name))


def test_no_certificate_is_refused_and_the_log_says_so(pki: Pki, gateway: Gateway) -> None:
    credentials = grpc.ssl_channel_credentials(pki.layout.mesh_trust.read_bytes())
    with open_channel(gateway.address, credentials) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, GET_CASE)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    # Other tests of this module are refused too, for other reasons.
    assert gateway.logged(lambda entry: "PEER_DID_NOT_RETURN_A_CERTIFICATE" in str(entry.get("reason")))


@pytest.mark.parametrize(("version", "accepted"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)])
def test_only_tls_1_3_is_spoken(pki: Pki, gateway: Gateway, version: ssl.TLSVersion, accepted: bool) -> None:
    files = pki.layout.system(POLICE, SYSTEM)
    context = ssl.create_default_context(cafile=str(files.trust))
    context.load_cert_chain(files.certificate, files.key)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    host, _, port = gateway.address.partition(":")
    with socket.create_connection((LOOPBACK, int(port))) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=host) as secured:
                secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
                spoke = bool(secured.recv(1))
        except OSError:
            spoke = False
    assert accepted == spoke


def test_a_new_agency_comes_in_while_another_agencys_stream_lives_on(pki: Pki, gateway: Gateway) -> None:
    pid = gateway.process.pid
    pki.add_agency("beihu-prison")
    newcomer = pki.issue_system("beihu-prison", SYSTEM).files
    messages: SimpleQueue[bytes | None] = SimpleQueue()
    with gateway.channel(pki.layout.system(POLICE, SYSTEM)) as police:
        stream = police.stream_stream(RECEIVE)(iter(messages.get, None), timeout=60)
        messages.put(b"before")
        assert next(stream) == b"before"
        wait_until(lambda: gets_in(gateway, newcomer))
        messages.put(b"after")
        assert next(stream) == b"after"
        messages.put(None)
        assert list(stream) == []
    assert gateway.process.poll() is None
    assert pid == gateway.process.pid


def test_an_agency_that_is_taken_out_is_refused(pki: Pki, gateway: Gateway) -> None:
    pki.add_agency("beihu-customs")
    files = pki.issue_system("beihu-customs", SYSTEM).files
    wait_until(lambda: gets_in(gateway, files))
    pki.layout.bundle("beihu-customs").unlink()
    write_bundle_map(pki.layout)
    wait_until(lambda: not gets_in(gateway, files))
    assert gets_in(gateway, pki.layout.system(COURT, SYSTEM))


def test_a_broken_bundle_map_shuts_nobody_out(pki: Pki, gateway: Gateway) -> None:
    replace_file(pki.layout.bundle_map, b"{")
    assert gets_in(gateway, pki.layout.system(PROCURATORATE, SYSTEM))
    # Adding an agency writes the map anew. Once it is taken up, the broken one has been read and left behind.
    pki.add_agency("beihu-school")
    files = pki.issue_system("beihu-school", SYSTEM).files
    wait_until(lambda: gets_in(gateway, files))
    assert gets_in(gateway, pki.layout.system(PROCURATORATE, SYSTEM))


@pytest.mark.parametrize("key", list(KeyChoice))
def test_a_renewed_gateway_certificate_is_shown_to_new_connections(pki: Pki, gateway: Gateway, key: KeyChoice) -> None:
    renewed = pki.renew("mesh/gateway", key=key)
    wanted = x509.load_pem_x509_certificate(renewed.files.certificate.read_bytes()).serial_number
    wait_until(lambda: shown_serial_number(pki, gateway) == wanted)
    assert gets_in(gateway, pki.layout.system(POLICE, SYSTEM))


def shown_serial_number(pki: Pki, gateway: Gateway) -> int:
    files = pki.layout.system(POLICE, SYSTEM)
    context = ssl.create_default_context(cafile=str(files.trust))
    context.load_cert_chain(files.certificate, files.key)
    host, _, port = gateway.address.partition(":")
    with (
        socket.create_connection((LOOPBACK, int(port))) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


@pytest.fixture
def apart(pki: Pki, tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Gateway]]:
    """Starts a gateway in front of other services than the module's."""
    opened = []

    def start(addresses: dict[str, str]) -> Gateway:
        opened.append(running_gateway(pki, addresses, tmp_path / f"apart-{len(opened)}"))
        return opened[-1].__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.mark.parametrize("presented", ["audit", "gateway", "operator"])
def test_behind_the_gateway_only_the_right_service_is_believed(
    pki: Pki, apart: Callable[[dict[str, str]], Gateway], presented: str
) -> None:
    with echo_server(pki.layout.service("dossier")) as right, echo_server(pki.layout.service(presented)) as wrong:
        gateway = apart({"dossier": f"{LOOPBACK}:{right.port}", "routing": f"{LOOPBACK}:{wrong.port}"})
        with gateway.channel(pki.layout.system(POLICE, SYSTEM)) as channel:
            assert call(channel, GET_DOSSIER)
            with pytest.raises(grpc.RpcError) as caught:
                call(channel, GET_CASE, b"secret")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert wrong.calls == []


def test_a_renewed_mesh_ca_is_taken_up(pki: Pki, apart: Callable[[dict[str, str]], Gateway], tmp_path: Path) -> None:
    trust = pki.layout.service("gateway").trust
    right = trust.read_bytes()
    replace_file(trust, make_mesh(tmp_path / "other").layout.mesh_trust.read_bytes())
    with echo_server(pki.layout.service("routing")) as routing:
        gateway = apart({"routing": f"{LOOPBACK}:{routing.port}"})
        police = pki.layout.system(POLICE, SYSTEM)
        assert not gets_in(gateway, police)
        replace_file(trust, right)
        wait_until(lambda: gets_in(gateway, police))


def test_a_service_that_is_not_there_is_unavailable(pki: Pki, apart: Callable[[dict[str, str]], Gateway]) -> None:
    with apart({}).channel(pki.layout.system(POLICE, SYSTEM)) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, GET_CASE)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_stream_whose_service_dies_ends_with_an_error(pki: Pki, apart: Callable[[dict[str, str]], Gateway]) -> None:
    messages: SimpleQueue[bytes | None] = SimpleQueue()
    with echo_server(pki.layout.service("routing")) as echo:
        channel = apart({"routing": f"{LOOPBACK}:{echo.port}"}).channel(pki.layout.system(POLICE, SYSTEM))
        stream = channel.stream_stream(RECEIVE)(iter(messages.get, None), timeout=60)
        messages.put(b"one")
        assert next(stream) == b"one"
    with channel, pytest.raises(grpc.RpcError):
        next(stream)
    messages.put(None)


def test_a_second_gateway_on_the_port_does_not_start(pki: Pki, gateway: Gateway, tmp_path: Path) -> None:
    port = int(gateway.address.partition(":")[2])
    services = {entry.service: f"{LOOPBACK}:1" for entry in AGENCY_SERVICES}
    second = EnvoyGateway(tmp_path, pki=pki.layout.root, port=port, services=services)
    second.write()
    finished = subprocess.run(second.command(), capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode != 0
    assert "Address already in use" in finished.stdout + finished.stderr
