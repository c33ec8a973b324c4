"""What programs in a workshop say comes back without passwords, however it is cut into pieces."""

from layerkit.sandbox.launching import Redacting


def redact(text: str) -> str:
    return text.replace("hunter2", "***")


def test_a_password_cut_in_two_pieces_is_still_found() -> None:
    heard: list[str] = []
    listener = Redacting(heard.append, redact)
    for piece in ("the password is hun", "ter2\nand ", "more"):
        listener(piece)
    listener.finish()
    assert "".join(heard) == "the password is ***\nand more"


def test_lines_are_passed_on_as_they_come() -> None:
    heard: list[str] = []
    listener = Redacting(heard.append, redact)
    listener("one\ntwo\nthr")
    assert heard == ["one\ntwo\n"]
