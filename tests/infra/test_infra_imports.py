"""Which files a function's code needs, found without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.assets.closure import Closure, Unshippable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def closure_of(tmp_path: Path) -> Callable[[dict[str, str]], Closure]:
    """Write a small world: `ours` is the package that is looked into, `theirs` somebody else's that may be shipped."""

    def written(files: dict[str, str]) -> Closure:
        for name, text in {"ours/__init__.py": "", "theirs/__init__.py": "", **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Closure({"ours": tmp_path, "theirs": tmp_path}, own="ours")

    return written


def files(closure: Closure, *roots: str) -> set[str]:
    closure.add(roots)
    return set(closure.files)


def test_a_module_comes_with_its_packages_and_what_it_imports(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of(
        {
            "ours/a/__init__.py": "",
            "ours/a/handler.py": "import json\nimport theirs.deep.one\nfrom ours.b import thing",
            "ours/b.py": "thing = 1",
            "ours/unused.py": "",
            "theirs/deep/__init__.py": "",
            "theirs/deep/one.py": "",
            "theirs/deep/two.py": "",
        }
    )
    assert files(closure, "ours.a.handler") == {
        "ours/__init__.py",
        "ours/a/__init__.py",
        "ours/a/handler.py",
        "ours/b.py",
        "theirs/__init__.py",
        "theirs/deep/__init__.py",
        "theirs/deep/one.py",
    }


def test_a_name_imported_from_a_package_may_be_a_module(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of({"ours/handler.py": "from theirs import one, NAME", "theirs/one.py": ""})
    assert "theirs/one.py" in files(closure, "ours.handler")


@pytest.mark.parametrize(
    "line", ["from . import two", "from .two import x", "from ..pkg.two import x", "from .. import other"]
)
def test_relative_imports_start_from_the_modules_package(closure_of: Callable[..., Closure], line: str) -> None:
    closure = closure_of(
        {"ours/pkg/__init__.py": "", "ours/pkg/one.py": line, "ours/pkg/two.py": "", "ours/other.py": ""}
    )
    found = files(closure, "ours.pkg.one")
    assert ("ours/other.py" if "other" in line else "ours/pkg/two.py") in found


def test_relative_imports_of_a_package_start_from_itself(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of(
        {"theirs/__init__.py": "from .one import x", "theirs/one.py": "from . import two", "theirs/two.py": ""}
    )
    assert {"theirs/one.py", "theirs/two.py"} <= files(closure, "theirs")


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_only_a_type_checker_imports_is_left_out(closure_of: Callable[..., Closure], test: str) -> None:
    closure = closure_of(
        {
            "ours/handler.py": f"import typing\nif {test}:\n    import ours.stubs\nelse:\n    import ours.real",
            "ours/stubs.py": "import nobody",
            "ours/real.py": "",
        }
    )
    found = files(closure, "ours.handler")
    assert "ours/stubs.py" not in found
    assert "ours/real.py" in found


def test_functions_of_ours_are_looked_into_and_those_of_others_are_not(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of(
        {
            "ours/handler.py": "import theirs\nclass C:\n    async def f(self):\n        from ours import late",
            "ours/late.py": "",
            "theirs/__init__.py": "def f():\n    import theirs.tracing",
            "theirs/tracing.py": "import nobody",
        }
    )
    found = files(closure, "ours.handler")
    assert "ours/late.py" in found
    assert "theirs/tracing.py" not in found


@pytest.mark.parametrize(
    "text",
    [
        "import nobody",
        "from nobody import x",
        "def f():\n    import nobody",
        "import ours.missing",
        "try:\n    import nobody\nexcept ValueError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    import nobody",
        "import pydantic",
    ],
)
def test_what_is_neither_pythons_nor_shipped_is_refused_by_name(closure_of: Callable[..., Closure], text: str) -> None:
    closure = closure_of({"ours/handler.py": text})
    with pytest.raises(Unshippable, match=r"ours\.handler imports (nobody|ours\.missing|pydantic)"):
        closure.add(["ours.handler"])


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import nobody\nexcept ImportError:\n    nobody = None",
        "try:\n    import nobody\nexcept (AttributeError, ModuleNotFoundError):\n    pass",
        "try:\n    import nobody\nexcept:\n    pass",
        "import sys\nif sys.version_info >= (3, 99):\n    import nobody",
    ],
)
def test_what_may_be_absent_is_left_out_if_it_is(closure_of: Callable[..., Closure], text: str) -> None:
    assert files(closure_of({"ours/handler.py": text}), "ours.handler") == {"ours/__init__.py", "ours/handler.py"}


def test_what_may_be_absent_is_shipped_if_it_can_be(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of(
        {
            "ours/handler.py": "try:\n    import theirs.whole\n    import theirs.broken\nexcept ImportError:\n    pass",
            "theirs/whole.py": "import theirs.part",
            "theirs/part.py": "",
            "theirs/broken.py": "import theirs.half\nimport OpenSSL",
            "theirs/half.py": "",
        }
    )
    found = files(closure, "ours.handler")
    assert {"theirs/whole.py", "theirs/part.py"} <= found
    assert not {"theirs/broken.py", "theirs/half.py"} & found, "all of it, or nothing"


def test_names_that_a_plain_module_makes_itself_are_no_modules(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of({"ours/handler.py": "from theirs.six.moves import range", "theirs/six.py": ""})
    assert "theirs/six.py" in files(closure, "ours.handler")


def test_a_data_file_is_shipped_with_the_module_that_names_it(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of(
        {
            "ours/handler.py": "from pathlib import Path\nTEXT = Path(__file__).with_name('schema.json')",
            "ours/schema.json": "{}",
            "ours/other.json": "{}",
            "ours/notes.py": "",
        }
    )
    found = files(closure, "ours.handler")
    assert "ours/schema.json" in found
    assert "ours/other.json" not in found


@pytest.mark.parametrize(
    "text", ["../secret.txt", "handler.py", "handler.pyi", ".json", "", "a\\0b.json", "x" * 200 + ".json"]
)
def test_not_every_text_is_the_name_of_a_data_file(closure_of: Callable[..., Closure], text: str) -> None:
    closure = closure_of({"ours/handler.py": f'NAME = "{text}"', "secret.txt": "", "ours/.json": ""})
    assert files(closure, "ours.handler") == {"ours/__init__.py", "ours/handler.py"}


def test_a_root_that_does_not_exist_is_refused(closure_of: Callable[..., Closure]) -> None:
    with pytest.raises(Unshippable, match=r"ours\.nothing: there is no such module"):
        closure_of({}).add(["ours.nothing"])


def test_modules_that_import_each_other_come_to_an_end(closure_of: Callable[..., Closure]) -> None:
    closure = closure_of({"ours/a.py": "import ours.b", "ours/b.py": "import ours.a"})
    assert {"ours/a.py", "ours/b.py"} <= files(closure, "ours.a")
