"""No RPC is left without a test over real mTLS."""

import re
from pathlib import Path

import pytest

from tests.contract.test_policies import SERVICES, grpc_services

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("domain", SERVICES)
def test_every_rpc_is_called_by_a_test_over_real_mtls(domain: str) -> None:
    sources = [path for folder in ("integration", "e2e", "support") for path in (TESTS / folder).glob("*.py")]
    called = set(re.findall(r"\.([A-Z]\w+)\(", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    for service in grpc_services(domain):
        missing = [method.name for method in service.methods if method.name not in called]
        assert missing == [], service.full_name
