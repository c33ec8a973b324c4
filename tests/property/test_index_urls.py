"""URLs with credentials, for whatever users and passwords there are."""

from hypothesis import given
from hypothesis import strategies as st

from layerkit.index import Credentials, IndexSettings, IndexSource
from layerkit.index_source import split_credentials, with_credentials

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
WORD = st.text(st.sampled_from("xqzXQZ@:/?#%& +,'\"[]"), min_size=4, max_size=12).map(lambda text: f"Q{text}Z")
URL = "https://host:8443/simple?a=b#c"


@given(username=TEXT, password=TEXT)
def test_credentials_come_out_of_a_url_as_they_went_in(username: str, password: str) -> None:
    put = Credentials(username=username, password=password)
    assert split_credentials(with_credentials(URL, put)) == (URL, put)


@given(password=WORD)
def test_no_repr_and_no_redacted_text_shows_a_password(password: str) -> None:
    url = with_credentials(URL, Credentials(username="me", password=password))
    known = {"host:8443": Credentials(username="me", password=password)}
    settings = IndexSettings(urls=(URL,), known_credentials=known)
    encoded = url.partition("me:")[2].partition("@")[0]
    for text in (repr(IndexSource(index_url=url, find_links=(url,))), settings.redact(f"{url} {password} {encoded}")):
        assert password not in text
        assert encoded not in text
