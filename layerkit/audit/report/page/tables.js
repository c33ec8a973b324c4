// Who takes how much, as a table that can be sorted: the same figures as the map's, for reading and copying.

const ROWS_AT_ONCE = 100;

const COLUMNS = {
  name: { title: "Name", isText: true },
  version: { title: "Version", isText: true },
  unzipped: { title: "Unzipped" },
  share: { title: "Share" },
  zipped: { title: "Zipped" },
  files: { title: "Files" },
  part: { title: "Part", isText: true },
};

class SharesTable {
  constructor(kinds, reveal) {
    this.kinds = kinds;
    this.reveal = reveal;
    this.by = "distribution";
    for (const button of document.querySelectorAll("[data-by]")) {
      button.addEventListener("click", () => this.setBy(button.dataset.by));
    }
    byId("shares-more").addEventListener("click", () => this.showMore());
  }

  show(tree) {
    this.tree = tree;
    this.setBy(this.by);
  }

  setBy(by) {
    this.by = by;
    for (const button of document.querySelectorAll("[data-by]"))
      button.setAttribute("aria-pressed", button.dataset.by === by);
    this.rows = { distribution: () => this.owners(), kind: () => this.byKind(), file: () => this.byFile() }[by]();
    this.sorted = { column: "unzipped", isUp: false };
    this.refresh();
  }

  get columns() {
    const several = this.tree.parts.length > 1;
    return Object.keys(COLUMNS).filter((column) => {
      if (column === "version") return this.by === "distribution";
      if (column === "part") return several && this.by !== "kind";
      return column !== "files" || this.by !== "file";
    });
  }

  owners() {
    const { tree } = this;
    const rows = [];
    for (let node = 1; node < tree.length; node++) {
      if (tree.kind[node] !== OWNER || tree.isGone[node]) continue;
      const part = tree.parts[tree.part[node]];
      const [name, version] = tree.ref[node] === NOBODY ? [NO_OWNER, null] : part.owners[tree.ref[node]];
      rows.push({ node, name, version, ...this.figures(node, part) });
    }
    return rows;
  }

  figures(node, part) {
    const { size: sizes, files } = this.tree;
    const unzipped = sizes.unzipped[node];
    return {
      part: part.where,
      files: files[node],
      unzipped,
      zipped: part.zipped === null ? null : sizes.zipped[node],
      share: part.unzipped ? unzipped / part.unzipped : 0,
    };
  }

  byKind() {
    const { tree, kinds } = this;
    const isZipped = tree.parts.some((part) => part.zipped !== null);
    const rows = kinds.map((name) => ({ node: null, name, files: 0, unzipped: 0, zipped: isZipped ? 0 : null }));
    for (const file of tree.everyFile()) {
      const row = rows[tree.fileKind(file)];
      row.files++;
      row.unzipped += tree.size.unzipped[file];
      if (isZipped) row.zipped += tree.size.zipped[file];
    }
    const whole = tree.parts.reduce((sum, part) => sum + part.unzipped, 0);
    return rows.filter((row) => row.files).map((row) => ({ ...row, share: whole ? row.unzipped / whole : 0 }));
  }

  byFile() {
    const { tree } = this;
    return Array.from(tree.everyFile(), (node) => {
      const part = tree.parts[tree.part[node]];
      return {
        node,
        get name() {
          return tree.path(node);
        },
        ...this.figures(node, part),
      };
    });
  }

  refresh() {
    this.sort();
    byId("shares-head").replaceChildren(el("tr", {}, ...this.columns.map((column) => this.head(column))));
    byId("shares-body").replaceChildren();
    this.showMore();
  }

  sort() {
    const { column, isUp } = this.sorted;
    const sign = isUp ? 1 : -1;
    const compare = COLUMNS[column].isText
      ? new Intl.Collator("en", { numeric: true }).compare
      : (one, other) => one - other;
    const missing = COLUMNS[column].isText ? "" : -1;
    const keyed = this.rows.map((row) => ({ row, key: row[column] ?? missing }));
    keyed.sort((one, other) => sign * compare(one.key, other.key));
    this.rows = keyed.map(({ row }) => row);
  }

  /** In a stack, a distribution's share is that of its own part: not to be compared with that of another part's. */
  titleOf(column) {
    const isOfPart = column === "share" && this.columns.includes("part");
    return isOfPart ? "Of its part" : COLUMNS[column].title;
  }

  head(column) {
    const isSorted = this.sorted.column === column;
    const sort = el(
      "button",
      { type: "button", onclick: () => this.sortOn(column) },
      this.titleOf(column),
      icon("sort"),
    );
    const order = isSorted ? (this.sorted.isUp ? "ascending" : "descending") : null;
    return el(
      "th",
      { scope: "col", class: COLUMNS[column].isText ? "" : "figure", "aria-sort": order, "data-column": column },
      sort,
    );
  }

  sortOn(column) {
    const isSame = this.sorted.column === column;
    this.sorted = { column, isUp: isSame ? !this.sorted.isUp : Boolean(COLUMNS[column].isText) };
    this.refresh();
    document.querySelector(`[data-column=${column}] button`).focus();
  }

  showMore() {
    const body = byId("shares-body");
    const from = body.childElementCount;
    body.append(...this.rows.slice(from, from + ROWS_AT_ONCE).map((row) => this.row(row)));
    const left = this.rows.length - body.childElementCount;
    byId("shares-more").hidden = !left;
    byId("shares-more").textContent = `Show ${grouped(Math.min(left, ROWS_AT_ONCE))} more of ${grouped(left)}`;
  }

  row(row) {
    return el("tr", {}, ...this.columns.map((column) => this.cell(row, column)));
  }

  cell(row, column) {
    const value = row[column];
    switch (column) {
      case "name":
        return el("th", { scope: "row", class: "name" }, this.link(row));
      case "files":
        return el("td", { class: "figure" }, grouped(value));
      case "unzipped":
      case "zipped":
        return el(
          "td",
          { class: "figure", title: value === null ? null : `${grouped(value)} bytes` },
          value === null ? "–" : size(value),
        );
      case "share":
        return el("td", { class: "figure share-cell" }, el("span", {}, percent(value), bar(value)));
      default:
        return el("td", { class: column }, shown(shortened(value ?? "–", 80)));
    }
  }

  link({ node, name }) {
    const text = shown(shortened(name, 160));
    if (node === null) return text;
    return el(
      "button",
      { type: "button", class: "link", title: "Show in the map", onclick: () => this.reveal(node) },
      text,
    );
  }
}
