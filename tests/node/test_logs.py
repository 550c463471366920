import subprocess
import sys

import orjson

_PROGRAM = """
import logging, structlog
from node.logs import configure_logs
configure_logs()
log = structlog.get_logger("x")
log.info("signed in", login="claire", password="hunter2", token="isac_0")
logging.getLogger("uvicorn.error").warning("from %s", "elsewhere")
secret = "s4lt"
try:
    raise RuntimeError("broken")
except RuntimeError:
    log.exception("job failed", job="project")
"""


def test_all_logs_are_json_lines_on_stderr_without_secrets() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    assert done.stdout == b""
    for secret in (b"hunter2", b"isac_0", b"s4lt = "):
        assert secret not in done.stderr
    signed, foreign, failed = map(orjson.loads, done.stderr.splitlines())
    assert (signed["event"], signed["login"], signed["level"]) == ("signed in", "claire", "info")
    assert (foreign["event"], foreign["level"]) == ("from elsewhere", "warning")
    assert failed["job"] == "project"
    assert "RuntimeError: broken" in failed["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (signed, foreign, failed))
