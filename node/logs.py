"""One line a happening, on stderr: JSON, or for people where stderr is a terminal.

Never a secret, a salt, a patient's data or a withheld value. Tracebacks come without the values of
variables. The libraries' own logs pass through the same door.
"""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET = frozenset({"password", "token", "secret", "csrf", "authorization", "cookie", "salt"})


def configure_logs(*, level: int = logging.INFO) -> None:
    """Send all logs of this process to stderr."""
    for_people = sys.stderr.isatty()
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    render: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if for_people:
        render.append(
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        )
    else:
        render += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=render)
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for chatty in ("apscheduler", "alembic", "httpcore2", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def _hide_secrets(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """Blank what should never have been logged: the last net, not a licence."""
    del logger, method
    for name in line.keys() & _SECRET:
        line[name] = "…"
    return line
