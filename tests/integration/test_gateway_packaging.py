"""The gateway's configuration travels in the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

RENDER = """
from pathlib import Path
from casemesh.local import envoy
assert Path(envoy.__file__).is_relative_to(Path.cwd()), envoy.__file__
services = {entry.service: "127.0.0.1:1" for entry in envoy.AGENCY_SERVICES}
envoy.EnvoyGateway(Path("gateway"), pki=Path("pki"), port=8443, services=services).write()
"""


def test_an_installed_wheel_renders_the_same_configuration(tmp_path: Path) -> None:
    # --no-isolation in effect: hatchling is called as it is installed, nothing is downloaded.
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "casemesh/local/envoy.yaml").read_bytes() == (ROOT / "gateway/envoy.yaml").read_bytes()
    subprocess.run([sys.executable, "-c", RENDER], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True)
    assert "spiffe://mesh.casemesh/service/audit" in (tmp_path / "gateway" / "envoy.yaml").read_text()
