"""Audits as JSON, for scripts to rely on."""

from collections.abc import Sequence
from typing import Any

from layerkit.audit.audit import Audit
from layerkit.audit.measure import Share, by_distribution, by_file, by_kind
from layerkit.facts import limits
from layerkit.model.contents import Contents
from layerkit.model.stack import Stack


def to_json(audits: Sequence[Audit], *, top: int) -> dict[str, Any]:
    """Return the JSON shape of one run; ``stack`` is ``None`` where several stacks were audited, which follow."""
    single = audits[0] if len(audits) == 1 else None
    shape: dict[str, Any] = {
        "version": 1,
        "layers": [_part(part, top) for audit in audits for part in audit.stack.layers],
        "function": _part(single.stack.function, top) if single and single.stack.function else None,
        "stack": _stack(single) if single else None,
        "findings": [finding.to_json() for audit in audits for finding in audit.findings],
    }
    return shape if single else {**shape, "stacks": [_titled(audit) for audit in audits]}


def _titled(audit: Audit) -> dict[str, Any]:
    return {"title": audit.title, **_stack(audit), "findings": [finding.to_json() for finding in audit.findings]}


def _stack(audit: Audit) -> dict[str, Any]:
    return {
        "layers": len(audit.stack.layers),
        "paths": [part.where for part in audit.stack.parts],
        "compatible_runtimes": list(dict.fromkeys(target.runtime.name for target in audit.targets)),
        "compatible_architectures": list(dict.fromkeys(str(target.architecture) for target in audit.targets)),
        "unzipped_bytes": audit.stack.unzipped_bytes,
        "limit_bytes": limits().unzipped_bytes,
        "overwritten": _overwritten(audit.stack),
    }


def _overwritten(stack: Stack) -> list[dict[str, Any]]:
    return [
        {"path": each.path, "by": each.by.where, "of": each.of.where, "differs": each.differs}
        for each in stack.overwritten()
    ]


def _part(contents: Contents, top: int) -> dict[str, Any]:
    return {
        "path": contents.where,
        "name": contents.name,
        "arn": contents.arn,
        "zipped_bytes": contents.zipped_bytes,
        "unzipped_bytes": contents.unzipped_bytes if contents.is_read else None,
        "files": len(contents.files),
        "compatible_runtimes": list(contents.runtimes),
        "compatible_architectures": list(contents.architectures),
        "distributions": [_share(share) for share in by_distribution(contents)],
        "types": [_share(share) for share in by_kind(contents)],
        "largest_files": [_share(share) for share in by_file(contents)[:top]],
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "name": share.name,
        "version": share.version,
        "files": share.files,
        "unzipped_bytes": share.unzipped_bytes,
        "zipped_bytes": share.zipped_bytes,
    }
