"""``layerkit cache``: where the cache is, what it takes, and how to empty it."""

from typing import Final

import typer

from layerkit.cli.options import CacheDir, Json, Quiet, cache_of, console_of

app: Final = typer.Typer(add_completion=False, help="Show or empty the cache.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def cache(context: typer.Context, cache_dir: CacheDir = None, json: Json = False) -> None:
    """Show or empty the cache."""
    if context.invoked_subcommand is None:
        show_size(cache_dir=cache_dir, json=json)


@app.command("dir")
def show_dir(cache_dir: CacheDir = None, json: Json = False) -> None:
    """Print the cache's folder."""
    console, cache = console_of(quiet=False, verbose=False), cache_of(cache_dir)
    if json:
        console.result_json({"version": 1, "dir": str(cache.root)})
    else:
        console.result(str(cache.root))


@app.command("size")
def show_size(cache_dir: CacheDir = None, json: Json = False) -> None:
    """Print what the cache takes, by kind of entry."""
    from layerkit.model.limits import format_mib

    console, cache = console_of(quiet=False, verbose=False), cache_of(cache_dir)
    usage = cache.usage()
    total = sum(bucket.bytes for bucket in usage)
    if json:
        buckets = [{"name": each.bucket, "files": each.files, "bytes": each.bytes} for each in usage]
        console.result_json({"version": 1, "dir": str(cache.root), "bytes": total, "buckets": buckets})
        return
    for each in usage:
        console.result(f"{each.bucket:<12} {format_mib(each.bytes):>12}  {each.files} files")
    console.result(f"{'total':<12} {format_mib(total):>12}")


@app.command("clean")
def clean(cache_dir: CacheDir = None, quiet: Quiet = False, json: Json = False) -> None:
    """Remove everything from the cache."""
    from layerkit.model.limits import format_mib

    console, cache = console_of(quiet=quiet, verbose=False), cache_of(cache_dir)
    freed = cache.clean()
    if json:
        console.result_json({"version": 1, "dir": str(cache.root), "freed_bytes": freed})
    else:
        console.say(f"Freed {format_mib(freed)} in {cache.root}")
