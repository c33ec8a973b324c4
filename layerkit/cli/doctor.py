"""``layerkit doctor``: what works on this machine, and what would be needed."""

from layerkit.cli import options as common
from layerkit.cli.options import cache_of, console_of

_STATUS_WIDTH = 7


def doctor(
    index_url: common.IndexUrl = None,
    extra_index_url: common.ExtraIndexUrls = None,
    find_links: common.FindLinks = None,
    no_index: common.NoIndex = False,
    index_strategy: common.IndexStrategy = None,
    ca_bundle: common.CaBundle = None,
    proxy: common.Proxy = None,
    keyring: common.Keyring = None,
    cache_dir: common.CacheDir = None,
    json: common.Json = False,
) -> int:
    """Tell what works on this machine, and what would be needed.

    Exits with 1 if layers could not even be built from prebuilt wheels.
    """
    from layerkit.doctor import examine, is_fit, own_circumstances
    from layerkit.doctor_check import Status
    from layerkit.index import IndexSource

    flags = IndexSource(
        index_url=index_url,
        extra_index_urls=tuple(extra_index_url or ()),
        find_links=tuple(find_links or ()),
        no_index=no_index or None,
        strategy=index_strategy,
        ca_bundle=ca_bundle,
        proxy=proxy,
        keyring=keyring,
    )
    checks = examine(own_circumstances(cache=cache_of(cache_dir), flags=flags))
    console = console_of(quiet=False, verbose=False)
    if json:
        console.result_json({"version": 1, "checks": [check.to_json() for check in checks]})
        return 0 if is_fit(checks) else 1
    width = max(len(check.name) for check in checks)
    for check in checks:
        console.result(f"{check.status:<{_STATUS_WIDTH}}  {check.name:<{width}}  {check.detail}")
        if check.hint and check.status is not Status.OK:
            console.result(f"{'':<{_STATUS_WIDTH}}  {'':<{width}}  hint: {check.hint}")
    return 0 if is_fit(checks) else 1
