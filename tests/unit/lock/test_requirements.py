"""requirements.txt as pip reads it, and the mistakes that are told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from layerkit.lock.failures import RequirementsFileError
from layerkit.lock.requirements import RequirementsFile, read_requirements

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writer(text: str, name: str = "requirements.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def read(path: Path, **environ: str) -> RequirementsFile:
    return read_requirements(path, environ=environ)


def problems_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(RequirementsFileError) as caught:
        read(path)
    return caught.value.details


def test_comments_blank_lines_and_continuations_are_understood(write: Write) -> None:
    path = write(
        "# all\n\nrequests \\\n  >=2 # why\nidna#not-a-comment @ x\n".replace("idna#not-a-comment @ x", "idna")
    )
    assert read(path).requirements == ("requests   >=2", "idna")


def test_a_hash_sign_within_a_url_is_no_comment(write: Write) -> None:
    path = write("a @ https://h.example/a-1-py3-none-any.whl#sha256=00\n")
    assert read(path).requirements == ("a @ https://h.example/a-1-py3-none-any.whl#sha256=00",)


def test_a_byte_order_mark_is_no_part_of_the_first_requirement(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(b"\xef\xbb\xbfrequests\n")
    assert read(path).requirements == ("requests",)


def test_nested_files_count_from_the_file_that_names_them(write: Write) -> None:
    write("b\n-c limits.txt\n", "deps/more.txt")
    write("b<2\n", "deps/limits.txt")
    found = read(write("-r deps/more.txt\na\n"))
    assert (found.requirements, found.constraints) == (("b", "a"), ("b<2",))


def test_what_a_constraints_file_includes_constrains_as_well(write: Write) -> None:
    write("-r inner.txt\n", "limits.txt")
    write("a<2\n", "inner.txt")
    found = read(write("a\n--constraint=limits.txt\n"))
    assert (found.requirements, found.constraints) == (("a",), ("a<2",))


def test_index_options_become_an_index_source(write: Write, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    found = read(
        write("-i https://one.example/s\n--extra-index-url=https://two.example/s\n-f wheels\n--no-index\n--pre\na\n")
    )
    assert found.index.index_url == "https://one.example/s"
    assert found.index.extra_index_urls == ("https://two.example/s",)
    assert found.index.find_links == (str((tmp_path / "wheels").resolve()),)
    assert found.index.no_index
    assert found.prereleases


def test_variables_are_replaced_where_they_are_set(write: Write) -> None:
    path = write(
        "--index-url https://u:${TOKEN}@h.example/simple\na @ https://h.example/${UNSET}/${lower}/a-1-py3-none-any.whl\n"
    )
    found = read(path, TOKEN="s3cret", lower="x")
    assert found.index.index_url == "https://u:s3cret@h.example/simple"
    assert found.requirements == ("a @ https://h.example/${UNSET}/${lower}/a-1-py3-none-any.whl",)


def test_what_was_read_shows_no_password(write: Write) -> None:
    found = read(
        write("--index-url https://u:s3cret@h.example/simple\na @ https://u:s3cret@h.example/a-1-py3-none-any.whl\n")
    )
    assert "s3cret" not in repr(found)


def test_hashes_are_filed_by_name_and_version(write: Write) -> None:
    path = write(f"My_Dist==1.0 ; python_version > '3' \\\n  --hash=sha256:{'A' * 64} \\\n  --hash sha256:{'b' * 64}\n")
    found = read(path)
    assert found.hashes == {"my-dist==1.0": (f"sha256:{'a' * 64}", f"sha256:{'b' * 64}")}
    assert found.requirements == ("My_Dist==1.0 ; python_version > '3'",)


def test_no_binary_names_are_gathered_and_none_forgets_them(write: Write) -> None:
    assert read(write("--no-binary=A_b,c\n--only-binary :all:\nx\n")).no_binary == ("a-b", "c")
    assert read(write("--no-binary a\n--no-binary :none:\nx\n")).no_binary == ()


def test_the_url_of_a_wheel_gets_the_name_of_the_wheel(write: Write) -> None:
    url = "https://h.example/My_Dist-1.0-py3-none-any.whl"
    assert read(write(url + "\n")).requirements == (f"my-dist @ {url}",)


def test_every_mistake_is_told_with_file_and_line(write: Write, tmp_path: Path) -> None:
    write("good\nbad bad\n", "more.txt")
    path = write(
        "-e .\n./local\n--frobnicate\n-r more.txt\n-r gone.txt\na --hash=sha256:0\nb==1 --hash=x\n--no-binary :all:\n"
    )
    found = problems_of(path)
    places = [problem.split(" ", 1)[0] for problem in found]
    lines = [(path, 1), (path, 2), (path, 3), (tmp_path / "more.txt", 2), (path, 5), (path, 6), (path, 7), (path, 8)]
    assert places == [f"{file}:{line}:" for file, line in lines]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("-e git+https://x/y", "editable"),
        ("./wheels/a.whl", "local path"),
        ("--trusted-host x", "`--ca-bundle`"),
        ("git+https://h.example/x.git", "has no name"),
        ("a>=1 --hash=sha256:00", "one version"),
        ("a==1 --global-option x", "not an option"),
        ("-r", "needs a value"),
        ("--pre=yes", "takes no value"),
        ("--hash=sha256:00", "without a requirement"),
        ("--index-url 'x", "quotation"),
        ("a==1 --pre", "cannot follow"),
        ("-r https://h.example/r.txt", "not a local file"),
    ],
)
def test_each_mistake_is_explained(write: Write, text: str, part: str) -> None:
    (problem,) = problems_of(write(text + "\n"))
    assert part in problem


def test_a_file_that_includes_itself_is_an_error(write: Write) -> None:
    write("-r requirements.txt\n", "b.txt")
    (problem,) = problems_of(write("-r b.txt\na\n"))
    assert "includes itself" in problem


def test_a_mistake_shows_no_password(write: Write) -> None:
    (problem,) = problems_of(write("a @@ https://u:s3cret@h.example/x y\n"))
    assert "s3cret" not in problem


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in problems_of(path)[0]


def test_only_wheels_of_everything_forbids_building(write: Write) -> None:
    assert read(write("--only-binary=:all:\na\n")).no_build
    assert not read(write("--only-binary :all:\n--only-binary :none:\na\n")).no_build


def test_only_wheels_of_some_forbids_their_sdists_and_the_last_word_counts(write: Write) -> None:
    found = read(write("--only-binary A_b,c\n--no-binary c\n--no-binary d\n--only-binary d\n"))
    assert (found.only_binary, found.no_binary, found.no_build) == (("a-b", "d"), ("c",), False)
