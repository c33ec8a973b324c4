"""Where index settings come from, which of them win, and that nobody sees a password."""

import os
from pathlib import Path
from typing import Any

import pytest

from layerkit import index_credentials
from layerkit.errors import UsageError
from layerkit.index import (
    DEFAULT_INDEX,
    Credentials,
    IndexSettingError,
    IndexSettings,
    IndexSource,
    SettingsFileError,
    resolve,
)
from layerkit.index_source import netloc_of, split_credentials, with_credentials


class Machine:
    """A home folder, a system folder and a project of the test's own."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.system = root / "system"
        self.project = root / "home" / "work" / "project"
        self.project.mkdir(parents=True)
        self.environ = {"HOME": str(self.home)}

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def pip_conf(self, text: str) -> Path:
        return self.write(self.home / ".config" / "pip" / "pip.conf", text)

    def uv_toml(self, text: str) -> Path:
        return self.write(self.home / ".config" / "uv" / "uv.toml", text)

    def resolve(self, *project: IndexSource, **environ: str) -> IndexSettings:
        return resolve(project=project, environ=self.environ | environ, folder=self.project)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr("layerkit.index_pip.system_folders", lambda _: [made.system / "pip"])
    monkeypatch.setattr("layerkit.index_uv.system_files", lambda _: [made.system / "uv" / "uv.toml"])
    monkeypatch.setattr("sys.prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr("sys.platform", "linux")
    index_credentials.netrc_entries.cache_clear()
    index_credentials._ask.cache_clear()  # noqa: SLF001 -- a cache for the life of a process, longer than one test
    return made


class TestDefaults:
    def test_nobody_names_an_index_so_it_is_pypi(self, machine: Machine) -> None:
        settings = machine.resolve()
        assert settings.urls == (DEFAULT_INDEX,)
        assert not settings.no_index
        assert settings.strategy == "first-index"
        assert settings.project == {}

    def test_an_extra_index_alone_comes_before_pypi(self, machine: Machine) -> None:
        assert machine.resolve(UV_INDEX="https://a/simple").urls == ("https://a/simple", DEFAULT_INDEX)


class TestFallbacks:
    def test_pips_extra_indexes_on_disk_come_last_and_remote_ones_first(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nextra-index-url = file:///mirror/simple https://private/simple\n")
        assert machine.resolve().urls == ("https://private/simple", DEFAULT_INDEX, "file:///mirror/simple")

    def test_they_come_behind_the_index_url_too(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://pip/simple\nextra-index-url = file:///mirror/simple\n")
        assert machine.resolve().urls == ("https://pip/simple", "file:///mirror/simple")

    def test_an_index_url_of_the_project_starts_anew_without_them(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nextra-index-url = file:///mirror/simple\n")
        assert machine.resolve(IndexSource(index_url="https://flag/simple")).urls == ("https://flag/simple",)


class TestPrecedence:
    def test_flags_go_before_uv_and_uv_before_pip(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://pip/simple\n")
        assert machine.resolve().urls == ("https://pip/simple",)
        assert machine.resolve(UV_DEFAULT_INDEX="https://uv/simple").urls == ("https://uv/simple",)
        flag = IndexSource(index_url="https://flag/simple")
        assert machine.resolve(flag, UV_DEFAULT_INDEX="https://uv/simple").urls == ("https://flag/simple",)

    def test_extras_and_find_links_add_up_most_specific_first(self, machine: Machine) -> None:
        machine.pip_conf(
            "[global]\nindex-url = https://pip/simple\n"
            "extra-index-url = https://pip-extra/simple\nfind-links = pip-links\n"
        )
        flag = IndexSource(extra_index_urls=("https://flag/simple",), find_links=("flag-links",))
        settings = machine.resolve(flag, UV_INDEX="https://uv/simple", UV_FIND_LINKS="uv-links,more")
        assert settings.urls == (
            "https://flag/simple",
            "https://uv/simple",
            "https://pip-extra/simple",
            "https://pip/simple",
        )
        assert settings.find_links == ("flag-links", "uv-links", "more", "pip-links")

    def test_below_an_index_url_nobody_has_a_say(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nextra-index-url = https://pip/simple\nfind-links = pip-links\n")
        settings = machine.resolve(IndexSource(index_url="https://flag/simple", find_links=("mine",)))
        assert settings.urls == ("https://flag/simple",)
        assert settings.find_links == ("mine",)

    def test_no_index_leaves_only_find_links(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nno-index = true\nindex-url = https://pip/simple\nfind-links = a\n  b\n")
        settings = machine.resolve()
        assert settings.no_index
        assert settings.urls == ()
        assert settings.find_links == ("a", "b")

    def test_an_extra_index_above_no_index_starts_a_new_list(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nno-index = true\n")
        settings = machine.resolve(IndexSource(extra_index_urls=("https://flag/simple",)))
        assert settings.urls == ("https://flag/simple",)
        assert not settings.no_index

    def test_no_index_false_above_undoes_no_index_below(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nno-index = true\nindex-url = https://pip/simple\n")
        assert machine.resolve(IndexSource(no_index=False)).urls == ("https://pip/simple",)

    def test_an_index_named_twice_counts_once_at_its_first_place(self, machine: Machine) -> None:
        flag = IndexSource(extra_index_urls=("https://a/simple", "https://b/simple"), index_url="https://a/simple")
        assert machine.resolve(flag).urls == ("https://a/simple", "https://b/simple")

    def test_the_first_that_says_something_decides_on_single_values(self, machine: Machine) -> None:
        machine.pip_conf("[global]\ncert = /pip.pem\nproxy = http://pip:1\nkeyring-provider = subprocess\n")
        settings = machine.resolve(IndexSource(ca_bundle=Path("/flag.pem"), keyring=False))
        assert settings.ca_bundle == Path("/flag.pem")
        assert settings.proxy == "http://pip:1"
        assert not settings.keyring
        assert machine.resolve().keyring

    def test_an_unknown_strategy_is_refused_with_the_valid_ones(self, machine: Machine) -> None:
        with pytest.raises(IndexSettingError) as caught:
            machine.resolve(UV_INDEX_STRATEGY="best")
        assert "unsafe-best-match" in str(caught.value.hint)


class TestPip:
    def test_variables_replace_files_lists_too(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nextra-index-url = https://file/simple\n")
        settings = machine.resolve(PIP_EXTRA_INDEX_URL="https://a/simple https://b/simple")
        assert settings.urls == ("https://a/simple", "https://b/simple", DEFAULT_INDEX)

    def test_the_users_file_replaces_the_systems_and_the_new_one_the_old(self, machine: Machine) -> None:
        machine.write(machine.system / "pip" / "pip.conf", "[global]\nindex-url = https://system/simple\n")
        assert machine.resolve().urls == ("https://system/simple",)
        machine.write(machine.home / ".pip" / "pip.conf", "[global]\nindex_url = https://legacy/simple\n")
        assert machine.resolve().urls == ("https://legacy/simple",)
        machine.pip_conf("[global]\nindex-url = https://user/simple\n")
        assert machine.resolve().urls == ("https://user/simple",)

    def test_install_goes_before_global_wherever_it_stands(self, machine: Machine) -> None:
        machine.write(machine.system / "pip" / "pip.conf", "[install]\nindex-url = https://install/simple\n")
        machine.pip_conf(
            "[global]\nindex-url = https://global/simple\n[download]\nindex-url = https://download/simple\n"
        )
        assert machine.resolve().urls == ("https://install/simple",)

    def test_config_file_variable_stands_in_for_the_users_files(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://user/simple\n")
        other = machine.write(machine.home / "other.conf", "[global]\nfind-links = links\n")
        settings = machine.resolve(PIP_CONFIG_FILE=str(other))
        assert (settings.urls, settings.find_links) == ((DEFAULT_INDEX,), ("links",))

    def test_the_null_device_as_config_file_means_no_files_at_all(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://user/simple\n")
        machine.write(machine.system / "pip" / "pip.conf", "[global]\nfind-links = links\n")
        settings = machine.resolve(PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="kept")
        assert (settings.urls, settings.find_links) == ((DEFAULT_INDEX,), ("kept",))

    def test_values_of_several_lines_are_lists_and_percent_signs_mean_nothing(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nextra-index-url =\n    https://u:a%40b@one/simple\n    https://two/simple\n")
        settings = machine.resolve()
        assert settings.urls == ("https://one/simple", "https://two/simple", DEFAULT_INDEX)
        assert settings.known_credentials["one"].password == "a@b"

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("index-url = https://me:geheim@host/simple\n", "line 1"),
            ("[global]\nindex-url = a\nindex-url = https://me:geheim@host/\n", "line 3"),
            ("[global]\nmy geheim words\n", "line 2"),
            ("[global]\n[global]\nindex-url = https://me:geheim@host/\n", "line 2"),
        ],
    )
    def test_a_broken_file_is_named_with_its_line_and_no_content(
        self, machine: Machine, text: str, problem: str
    ) -> None:
        path = machine.pip_conf(text)
        with pytest.raises(SettingsFileError) as caught:
            machine.resolve()
        assert str(path) in caught.value.message
        assert problem in caught.value.message
        assert "geheim" not in caught.value.message
        assert caught.value.exit_code == 2

    def test_a_file_that_is_not_text_is_named(self, machine: Machine) -> None:
        path = machine.pip_conf("")
        path.write_bytes(b"[global]\nindex-url = \xff\xfe\n")
        with pytest.raises(SettingsFileError, match="UTF-8"):
            machine.resolve()

    def test_a_truth_value_that_is_none_is_refused(self, machine: Machine) -> None:
        with pytest.raises(UsageError, match="perhaps"):
            machine.resolve(PIP_NO_INDEX="perhaps")

    def test_empty_variables_say_nothing(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://user/simple\n")
        assert machine.resolve(PIP_INDEX_URL="", UV_INDEX_URL="", UV_INDEX="").urls == ("https://user/simple",)

    def test_the_ca_bundle_variables_of_requests_come_last(self, machine: Machine) -> None:
        assert machine.resolve(REQUESTS_CA_BUNDLE="/r.pem").ca_bundle == Path("/r.pem")
        assert machine.resolve(REQUESTS_CA_BUNDLE="/r.pem", PIP_CERT="/p.pem").ca_bundle == Path("/p.pem")
        assert machine.resolve(PIP_CERT="/p.pem", SSL_CERT_FILE="/s.pem").ca_bundle == Path("/s.pem")


class TestUv:
    def test_the_nearest_file_serves_and_uv_toml_goes_before_pyproject(self, machine: Machine) -> None:
        machine.write(machine.home / "work" / "uv.toml", 'index-url = "https://parent/simple"\n')
        machine.write(machine.project / "pyproject.toml", "[project]\nname = 'x'\n")
        assert machine.resolve().urls == ("https://parent/simple",)
        machine.write(machine.project / "pyproject.toml", '[tool.uv]\nindex-url = "https://pyproject/simple"\n')
        assert machine.resolve().urls == ("https://pyproject/simple",)
        machine.write(machine.project / "uv.toml", 'index-url = "https://near/simple"\n')
        assert machine.resolve().urls == ("https://near/simple",)

    def test_project_user_and_system_files_add_up(self, machine: Machine) -> None:
        machine.write(machine.project / "uv.toml", 'extra-index-url = ["https://project/simple"]\n')
        machine.uv_toml('extra-index-url = ["https://user/simple"]\nindex-strategy = "unsafe-best-match"\n')
        machine.write(machine.system / "uv" / "uv.toml", 'index-url = "https://system/simple"\n')
        settings = machine.resolve()
        assert settings.urls == ("https://project/simple", "https://user/simple", "https://system/simple")
        assert settings.strategy == "unsafe-best-match"

    def test_index_tables_may_be_default_or_explicit(self, machine: Machine) -> None:
        machine.uv_toml(
            '[[index]]\nname = "b"\nurl = "https://b/simple"\n'
            '[[index]]\nname = "a"\nurl = "https://a/simple"\ndefault = true\n'
            '[[index]]\nname = "c"\nurl = "https://c/simple"\nexplicit = true\n'
        )
        assert machine.resolve().urls == ("https://b/simple", "https://a/simple")

    def test_the_pip_table_goes_before_the_rest_of_its_file(self, machine: Machine) -> None:
        machine.uv_toml(
            'index-url = "https://top/simple"\nfind-links = ["/top"]\nno-index = true\n'
            '[pip]\nindex-url = "https://pip/simple"\nfind-links = ["/pip"]\nno-index = false\n'
        )
        settings = machine.resolve()
        assert settings.urls == ("https://pip/simple",)
        assert settings.find_links == ("/pip", "/top")

    def test_paths_in_a_file_are_relative_to_it(self, machine: Machine) -> None:
        machine.write(machine.project / "uv.toml", 'find-links = ["links", "https://h/links"]\nindex-url = "./index"\n')
        settings = machine.resolve()
        assert settings.find_links == (str(machine.project / "links"), "https://h/links")
        assert settings.urls == ((machine.project / "index").as_uri(),)

    def test_a_named_index_takes_its_password_from_the_variables(self, machine: Machine) -> None:
        machine.uv_toml('[[index]]\nname = "my-own"\nurl = "https://Own.example:8443/simple"\n')
        settings = machine.resolve(
            UV_INDEX="other=https://me@other.example/simple",
            UV_INDEX_MY_OWN_USERNAME="joe",
            UV_INDEX_MY_OWN_PASSWORD="p@ss/word",
            UV_INDEX_OTHER_PASSWORD="geheim",
        )
        own = settings.credentials_for("https://own.example:8443/files/x.whl")
        assert own == Credentials(username="joe", password="p@ss/word")
        assert settings.credentials_for("https://other.example/") == Credentials(username="me", password="geheim")
        assert settings.urls[:2] == ("https://other.example/simple", "https://Own.example:8443/simple")

    def test_no_config_leaves_the_files_alone(self, machine: Machine) -> None:
        machine.uv_toml('index-url = "https://user/simple"\n')
        assert machine.resolve(UV_NO_CONFIG="1").urls == (DEFAULT_INDEX,)
        assert machine.resolve(UV_NO_CONFIG="0").urls == ("https://user/simple",)

    def test_config_file_variable_stands_in_for_all_files(self, machine: Machine) -> None:
        machine.uv_toml('index-url = "https://user/simple"\n')
        other = machine.write(machine.home / "other.toml", 'extra-index-url = ["https://other/simple"]\n')
        settings = machine.resolve(UV_CONFIG_FILE=str(other))
        assert settings.urls == ("https://other/simple", DEFAULT_INDEX)
        with pytest.raises(SettingsFileError, match="no such file"):
            machine.resolve(UV_CONFIG_FILE=str(machine.home / "missing.toml"))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("index-url = \n", "not TOML"),
            ("index-url = 3\n", "`index-url` should be text"),
            ('extra-index-url = "https://a/"\n', "`extra-index-url` should be a list"),
            ("extra-index-url = [1]\n", "`extra-index-url` should be text"),
            ('no-index = "yes"\n', "`no-index` should be true or false"),
            ("index = [1]\n", "`index` should be a table"),
            ('index = [{ name = "a" }]\n', "no `url`"),
            ("pip = 1\n", "`pip` should be a table"),
        ],
    )
    def test_a_broken_file_is_named_with_its_problem(self, machine: Machine, text: str, problem: str) -> None:
        path = machine.uv_toml(text)
        with pytest.raises(SettingsFileError) as caught:
            machine.resolve()
        assert str(path) in caught.value.message
        assert problem in caught.value.message


class TestCredentials:
    def test_urls_lose_their_credentials_and_the_host_keeps_them(self, machine: Machine) -> None:
        settings = machine.resolve(IndexSource(index_url="https://me:gehe%2Fim@host/simple"))
        assert settings.urls == ("https://host/simple",)
        assert settings.credentials_for("https://host/files/a.whl") == Credentials(username="me", password="gehe/im")
        assert settings.credentials_for("https://elsewhere/files/a.whl") is None
        assert settings.credentials_for("https://host:8443/files/a.whl") is None

    def test_the_most_specific_credentials_of_a_host_win(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://a:pip@host/simple\n")
        assert machine.resolve().known_credentials["host"].password == "pip"
        settings = machine.resolve(IndexSource(index_url="https://a:flag@host/simple"))
        assert settings.known_credentials["host"].password == "flag"

    def test_a_recipes_bare_url_finds_the_password_in_pip_conf(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://a:pip@host/simple\n")
        settings = machine.resolve(IndexSource(index_url="https://host/simple"))
        assert settings.credentials_for("https://host/simple/x/") == Credentials(username="a", password="pip")

    def test_netrc_serves_where_no_url_did(self, machine: Machine) -> None:
        machine.write(machine.home / ".netrc", "machine host login joe password geheim\n")
        settings = machine.resolve(IndexSource(index_url="https://other:known@named/simple"))
        assert settings.credentials_for("https://host:8443/x") == Credentials(username="joe", password="geheim")
        assert settings.credentials_for("https://named/x") == Credentials(username="other", password="known")
        assert settings.credentials_for("https://nobody/x") is None

    def test_netrc_does_not_serve_another_user_of_the_same_host(self, machine: Machine) -> None:
        machine.write(machine.home / ".netrc", "machine host login joe password geheim\n")
        settings = machine.resolve(IndexSource(index_url="https://sue@host/simple"))
        assert settings.credentials_for("https://host/") == Credentials(username="sue", password="")
        settings = machine.resolve(IndexSource(index_url="https://joe@host/simple"))
        assert settings.credentials_for("https://host/") == Credentials(username="joe", password="geheim")

    def test_the_netrc_variable_goes_before_the_home_folder(self, machine: Machine) -> None:
        machine.write(machine.home / "_netrc", "machine host login joe password home\n")
        other = machine.write(machine.home / "other", "machine host login joe password other\n")
        here, there = machine.resolve(), machine.resolve(NETRC=str(other))
        assert here.credentials_for("https://host/") == Credentials(username="joe", password="home")
        assert there.credentials_for("https://host/") == Credentials(username="joe", password="other")

    def test_a_broken_netrc_is_named_when_it_is_needed(self, machine: Machine) -> None:
        path = machine.write(machine.home / ".netrc", "machine host lagin joe password geheim\n")
        settings = machine.resolve()
        with pytest.raises(SettingsFileError) as caught:
            settings.credentials_for("https://host/")
        assert str(path) in caught.value.message
        assert "geheim" not in caught.value.message

    def test_the_keyring_is_asked_only_when_enabled_and_last(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[str, str | None]] = []

        def answer(service: str, username: str | None) -> Credentials | None:
            asked.append((service, username))
            return Credentials(username=username or "joe", password="ring") if service == "host" else None

        monkeypatch.setattr(index_credentials, "_ask", answer)
        source = IndexSource(index_url="https://host/simple", extra_index_urls=("https://me@named/simple",))
        assert machine.resolve(source).credentials_for("https://host/x") is None
        settings = machine.resolve(source, UV_KEYRING_PROVIDER="subprocess")
        assert settings.credentials_for("https://host/x") == Credentials(username="joe", password="ring")
        assert asked == [("https://host/simple", None), ("host", None)]
        assert settings.credentials_for("https://named/x") == Credentials(username="me", password="")
        assert asked[2:] == [("https://named/simple", "me"), ("named", "me")]

    def test_a_local_path_has_no_credentials(self, machine: Machine) -> None:
        settings = machine.resolve(IndexSource(find_links=("wheels/with@sign", "file:///srv/wheels")))
        assert settings.find_links == ("wheels/with@sign", "file:///srv/wheels")
        assert settings.credentials_for("file:///srv/wheels/a.whl") is None

    def test_a_url_that_is_none_is_refused_without_its_password(self, machine: Machine) -> None:
        with pytest.raises(IndexSettingError) as caught:
            machine.resolve(IndexSource(index_url="https://me:geheim@[host/simple"))
        assert "geheim" not in str(caught.value)

    @pytest.mark.parametrize(
        "url", ["https://host/a", "https://u:p@host:1/a?b#c", "//u@host/x", "wheels", "C:\\wheels", "file:///a"]
    )
    def test_splitting_and_joining_gives_the_url_back(self, url: str) -> None:
        bare, found = split_credentials(url)
        assert with_credentials(bare, found) == url

    def test_hosts_are_compared_in_lower_case(self) -> None:
        assert netloc_of("https://U:P@HOST:80/x") == "host:80"


SECRETS: dict[str, Any] = {
    "index_url": "https://me:geheim%2F1@host/simple",
    "extra_index_urls": ("https://t0ken-geheim@extra/simple",),
    "find_links": ("https://x:geheim3@links/",),
    "proxy": "http://p:geheim4@proxy:3128",
}


class TestNobodySeesAPassword:
    def test_no_repr_shows_one(self, machine: Machine) -> None:
        source = IndexSource(**SECRETS)
        settings = machine.resolve(source)
        shown = repr(source) + repr(settings) + repr(settings.known_credentials) + repr(settings.project)
        assert "geheim" not in shown
        assert "host/simple" in shown
        assert "geheim" not in repr(IndexSource(proxy="p:geheim@proxy:3128"))

    def test_redact_takes_out_every_form_of_every_password(self, machine: Machine) -> None:
        machine.write(machine.home / ".netrc", "machine host login joe password geheim5\n")
        settings = machine.resolve(IndexSource(**SECRETS))
        text = "geheim/1 geheim%2F1 t0ken-geheim geheim3 geheim4 geheim5 https://any:geheim6@x/ https://geheim7@y/"
        assert settings.redact(text) == "*** *** *** *** *** *** https://***@x/ https://***@y/"

    def test_redact_leaves_other_text_alone(self) -> None:
        text = "see https://host/a@b?c=d@e and mail me@home"
        assert IndexSettings(urls=()).redact(text) == text

    def test_the_project_mapping_has_only_what_the_project_says_and_no_password(self, machine: Machine) -> None:
        machine.pip_conf("[global]\nindex-url = https://pip/simple\nfind-links = pip-links\n")
        assert machine.resolve(UV_INDEX="https://uv/simple").project == {}
        source = IndexSource(
            extra_index_urls=("https://me:geheim@a/simple",), find_links=("w",), strategy="unsafe-best-match"
        )
        assert machine.resolve(source).project == {
            "urls": ["https://a/simple"],
            "find-links": ["w"],
            "strategy": "unsafe-best-match",
        }
        assert machine.resolve(IndexSource(no_index=True, find_links=("w",))).project == {
            "find-links": ["w"],
            "no-index": True,
        }


class TestEnvironmentForUv:
    def test_it_says_everything_and_nothing_else_about_indexes(self, machine: Machine) -> None:
        settings = machine.resolve(
            IndexSource(
                index_url="https://me:p%40ss@host/simple",
                extra_index_urls=("https://a/simple", "https://b/sim ple"),
                find_links=("links", "https://me@host/li,nks"),
                ca_bundle=Path("/ca.pem"),
                proxy="http://proxy:3128",
                keyring=True,
            )
        )
        base = {
            "PATH": "/bin",
            "UV_INDEX_OTHER_PASSWORD": "x",
            "UV_EXTRA_INDEX_URL": "x",
            "UV_INDEX_URL": "x",
            "UV_NO_INDEX": "1",
            "UV_CONFIG_FILE": "x",
            "UV_CACHE_DIR": "/cache",
            "https_proxy": "x",
        }
        assert settings.environment_for_uv(base) == {
            "PATH": "/bin",
            "UV_CACHE_DIR": "/cache",
            "UV_DEFAULT_INDEX": "https://me:p%40ss@host/simple",
            "UV_INDEX": "https://a/simple https://b/sim%20ple",
            "UV_FIND_LINKS": "links,https://me:p%40ss@host/li%2Cnks",
            "UV_INDEX_STRATEGY": "first-index",
            "UV_KEYRING_PROVIDER": "subprocess",
            "UV_NO_CONFIG": "1",
            "SSL_CERT_FILE": "/ca.pem",
            "HTTPS_PROXY": "http://proxy:3128",
            "HTTP_PROXY": "http://proxy:3128",
            "ALL_PROXY": "http://proxy:3128",
        }
        assert settings.arguments_for_uv == ()

    def test_no_index_is_an_argument_and_an_index_that_is_not_there(self, machine: Machine) -> None:
        settings = machine.resolve(IndexSource(no_index=True))
        assert settings.arguments_for_uv == ("--no-index",)
        index = settings.environment_for_uv({})["UV_DEFAULT_INDEX"]
        assert index.startswith("file:///")
        assert not Path(index.removeprefix("file://")).exists()


class TestAddresses:
    @pytest.mark.parametrize(
        "url", ["h.example/simple", "h.example:1/x", "ftp://h.example/", "https://h.example:port/", "https:///simple"]
    )
    def test_what_cannot_be_an_index_is_refused_before_anything_is_asked(self, machine: Machine, url: str) -> None:
        with pytest.raises(IndexSettingError, match="URL of a package index") as caught:
            machine.resolve(IndexSource(index_url=url))
        assert caught.value.exit_code == 2

    def test_folders_and_ports_are_fine(self, machine: Machine) -> None:
        urls = (machine.home.as_uri(), str(machine.home), "https://h.example:8443/simple")
        assert machine.resolve(IndexSource(index_url=urls[0], extra_index_urls=urls[1:])).urls == (*urls[1:], urls[0])

    def test_a_proxy_is_shown_without_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "http://me:pw@env.example:1"})
        monkeypatch.setattr("urllib.request.proxy_bypass", lambda host: host == "inside.example")
        plain, own = IndexSettings(urls=()), IndexSettings(urls=(), proxy="me:pw@own.example:3128")
        assert plain.proxy_of("https://h.example/") == "http://env.example:1"
        assert plain.proxy_of("http://h.example/") is None
        assert own.proxy_of("https://h.example/") == "own.example:3128"
        assert own.proxy_of("https://inside.example/") is None
