// What was found: grouped by severity, with the files that each finding is about.

const SEVERITIES = ["error", "warning", "note"];
const PATH_ROW = 28;

class FindingsView {
  constructor(reveal) {
    this.reveal = reveal;
    this.hidden = new Set();
    for (const severity of SEVERITIES) {
      byId(`filter-${severity}`).addEventListener("click", () => this.toggle(severity));
    }
  }

  show(tree) {
    this.tree = tree;
    this.findings = tree.audit.findings;
    this.hidden.clear();
    this.refresh();
  }

  toggle(severity) {
    if (!this.hidden.delete(severity)) this.hidden.add(severity);
    this.refresh();
  }

  refresh() {
    for (const severity of SEVERITIES) {
      const found = this.findings.filter((finding) => finding.severity === severity).length;
      const button = byId(`filter-${severity}`);
      button.setAttribute("aria-pressed", !this.hidden.has(severity));
      button.disabled = !found;
      button.replaceChildren(icon(severity), count(found, severity));
    }
    byId("findings-none").hidden = this.findings.length > 0;
    byId("findings-list").replaceChildren(
      ...SEVERITIES.filter((severity) => !this.hidden.has(severity))
        .map((severity) => this.group(severity))
        .filter(Boolean),
    );
  }

  group(severity) {
    const found = this.findings.filter((finding) => finding.severity === severity);
    if (!found.length) return null;
    const title = el("h3", {}, count(found.length, severity));
    return el(
      "section",
      { class: `findings-group is-${severity}` },
      title,
      el("ul", {}, ...found.map((finding) => this.finding(finding))),
    );
  }

  finding(finding) {
    return el(
      "li",
      { class: `finding is-${finding.severity}`, "data-code": finding.code },
      icon(finding.severity),
      el(
        "div",
        { class: "finding-body" },
        el(
          "p",
          { class: "finding-head" },
          el("code", { class: "finding-code" }, finding.code),
          el("span", { class: "finding-where" }, this.where(finding)),
        ),
        el("p", { class: "finding-message" }, ...prose(finding.message)),
        finding.hint ? el("p", { class: "finding-hint" }, el("b", {}, "hint "), ...prose(finding.hint)) : null,
        finding.paths.length ? this.paths(finding) : null,
      ),
    );
  }

  where(finding) {
    const text = shown(shortened(finding.where, 200));
    if (finding.file === null) return text;
    return this.pathLink(finding.file, text);
  }

  pathLink(number, content) {
    const reveal = () => this.reveal(this.tree.fileNode(number));
    return el("button", { type: "button", class: "link path", title: "Show in the map", onclick: reveal }, content);
  }

  /** The paths are listed when they are first asked for. */
  paths(finding) {
    const list = el("div", { class: "finding-paths", tabindex: 0, role: "region", "aria-label": "Paths" });
    list.style.height = `${Math.min(8, finding.paths.length) * PATH_ROW}px`;
    let listing = null;
    const details = el("details", {}, el("summary", {}, count(finding.paths.length, "path")), list);
    details.addEventListener("toggle", () => {
      if (!details.open || listing) return;
      listing = new Listing(list, { rowHeight: PATH_ROW, render: (row) => this.pathRow(finding.paths[row]) });
      listing.show(finding.paths.length);
    });
    return details;
  }

  pathRow(path) {
    return typeof path === "string"
      ? pathParts(path)
      : this.pathLink(path, pathParts(this.tree.path(this.tree.fileNode(path))));
  }
}
