"""What pip-compile's answer says, and what is left of it without the excluded."""

from layerkit.lock.pins import Pin, pinned_lines, read_pins, without

ANSWER = """\
app==1.0 \\
    --hash=sha256:AA \\
    --hash=sha256:bb
    # via -r /there/requirements.in
dep[extra]==2.0+local ; python_version > "3" \\
    --hash=sha256:cc
    # via -c /there/constraints.in, app, Other.Name[x]
own @ file:///there/own-1-py3-none-any.whl \\
    --hash=sha256:dd
    # via -r /there/requirements.in
other-name==3  # via -r /there/requirements.in, app

# The following packages are considered to be unsafe in a requirements file:
setuptools==70.0
"""


def test_pins_hashes_and_who_wants_them_are_read() -> None:
    assert read_pins(ANSWER) == (
        Pin(name="app", version="1.0", hashes=frozenset({"sha256:aa", "sha256:bb"}), wanted=True),
        Pin(
            name="dep",
            version="2.0+local",
            hashes=frozenset({"sha256:cc"}),
            via=frozenset({"app", "other-name"}),
        ),
        Pin(name="own", version=None, hashes=frozenset({"sha256:dd"}), wanted=True),
        Pin(name="other-name", version="3", via=frozenset({"app"}), wanted=True),
        Pin(name="setuptools", version="70.0", wanted=True),
    )


def test_an_empty_answer_has_no_pins() -> None:
    assert read_pins("\n# nothing\n") == ()


def pin(name: str, *via: str, wanted: bool = False) -> Pin:
    return Pin(name=name, version="1", via=frozenset(via), wanted=wanted)


def test_what_only_the_excluded_needs_goes_with_it_even_in_a_circle() -> None:
    pins = [
        pin("app", wanted=True),
        pin("sdk", "app"),
        pin("a", "sdk", "b"),
        pin("b", "a"),
        pin("shared", "sdk", "kept"),
        pin("kept", "app"),
    ]
    assert [each.name for each in without(pins, {"sdk"})] == ["app", "shared", "kept"]


def test_what_is_required_itself_stays_although_the_excluded_needs_it_too() -> None:
    pins = [pin("sdk", wanted=True), pin("dep", "sdk", wanted=True), pin("gone", "sdk")]
    assert [each.name for each in without(pins, {"sdk"})] == ["dep"]


def test_nothing_goes_where_nothing_is_excluded() -> None:
    pins = read_pins(ANSWER)
    assert without(pins, ()) == pins


def test_an_earlier_lock_gives_preferences_for_all_but_what_is_upgraded() -> None:
    packages = [{"name": "a", "version": "1"}, {"name": "b", "version": "2"}]
    assert pinned_lines(packages, besides=("b",)) == ("a==1",)
