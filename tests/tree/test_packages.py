"""Our packages have common names, and registries hold strangers of the same names."""

import importlib
import importlib.metadata
import re
import tomllib

import pytest

from tests.tree.files import PACKAGES, ROOT, text_of

RUN_LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"
LOCKS = (RUN_LOCK, TEST_LOCK, "requirements-uv.lock")


def pins(lock: str) -> dict[str, str]:
    """The version of every distribution that a lock file names."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text_of(lock), flags=re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    """The distributions that requirement strings ask for."""
    return {re.split(r"[^A-Za-z0-9-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_comes_from_this_checkout(package: str) -> None:
    origin = importlib.import_module(package).__file__
    assert origin == str(ROOT / package / "__init__.py")


def test_nothing_installed_brings_a_package_of_our_names() -> None:
    assert not set(PACKAGES) & set(importlib.metadata.packages_distributions())


@pytest.mark.parametrize("lock", LOCKS)
def test_no_locked_dependency_bears_our_names(lock: str) -> None:
    assert pins(lock)
    assert not {*PACKAGES, "isac", "tests"} & set(pins(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    blocks = re.split(r"\n(?=\S)", text_of(lock))
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text_of(lock)
    assert "--index-url" not in text_of(lock)


def test_the_test_set_holds_the_run_set() -> None:
    assert pins(RUN_LOCK).items() <= pins(TEST_LOCK).items()


def test_the_launchers_uv_is_the_one_that_makes_the_lock_files() -> None:
    assert pins("requirements-uv.lock") == {"uv": pins(TEST_LOCK)["uv"]}


def test_every_requirement_is_locked() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert names(project["dependencies"]) <= set(pins(RUN_LOCK))
    assert names(project["optional-dependencies"]["test"]) <= set(pins(TEST_LOCK))
