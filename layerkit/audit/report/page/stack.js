// The stack as Lambda merges it: what counts against the limit, in order, and which files a later layer overwrites.

const OVERWRITTEN_ROW = 46;
const ROOM_FOR_LIMIT = 0.75; // where the mark of the limit is further to the right, its label stands left of it

class StackView {
  constructor(data, reveal) {
    this.data = data;
    this.reveal = reveal;
    this.listing = new Listing(byId("overwritten-list"), {
      rowHeight: OVERWRITTEN_ROW,
      render: (row) => this.overwrittenRow(row),
    });
    byId("overwritten-filter").addEventListener("input", () => this.filter());
    byId("overwritten-differs").addEventListener("change", () => this.filter());
  }

  show(tree) {
    this.tree = tree;
    this.used = tree.parts.reduce((sum, part) => sum + part.unzipped, 0);
    this.showBar();
    byId("stack-parts").replaceChildren(...this.partRows());
    this.entries = this.overwritten();
    this.showOverwritten();
  }

  /** Draws the parts side by side against the limit; where they are over it, the limit moves in. */
  showBar() {
    const { limit } = this.data;
    const scale = Math.max(limit, this.used);
    const pieces = this.tree.parts.map((part, place) => {
      const piece = el("span", {
        class: `stack-piece ${this.toneOf(place)}`,
        title: `${shown(part.where)}: ${unzippedText(part)}`,
      });
      piece.style.width = `${(part.unzipped / scale) * 100}%`;
      return piece;
    });
    const marks = [
      [limit * 0.8, limit < scale ? "" : "80%", "mark-close"],
      [limit, mib(limit), "mark-limit"],
    ].map(([bytes, label, name]) => {
      const mark = el("span", { class: `mark ${name}` }, el("span", { class: "mark-label" }, label));
      mark.style.left = `${(bytes / scale) * 100}%`;
      if (bytes < scale * ROOM_FOR_LIMIT && bytes === limit) mark.classList.add("is-inside");
      return mark;
    });
    byId("stack-bar").replaceChildren(el("span", { class: "stack-pieces" }, ...pieces), ...marks);
    byId("stack-bar").setAttribute(
      "aria-label",
      `${mib(this.used)} of ${mib(limit)}: ${this.tree.parts.map((part) => `${shown(part.where)} ${unzippedText(part)}`).join(", ")}`,
    );
  }

  toneOf(place) {
    return this.tree.isFunction(place) ? "tone-function" : `tone-${place % 5}`;
  }

  /** Lists the parts, what wins on top. */
  partRows() {
    const rows = this.tree.parts.map((part, place) => this.partRow(part, place)).reverse();
    return [...rows, ...this.tree.audit.runtimes.map((runtime) => this.runtimeRow(runtime))];
  }

  partRow(part, place) {
    const isFunction = this.tree.isFunction(place);
    const meant = [part.runtimes.join(", "), part.architectures.join(", ")].filter(Boolean).join(" · ");
    const name = el(
      "button",
      {
        type: "button",
        class: "link",
        title: "Show in the map",
        onclick: () => this.reveal(this.tree.partNodes[place]),
      },
      shown(shortened(part.where, 120)),
    );
    return el(
      "li",
      { class: "stack-part" },
      el("span", { class: `stack-number ${this.toneOf(place)}` }, isFunction ? "ƒ" : String(place + 1)),
      el(
        "div",
        { class: "stack-name" },
        name,
        el(
          "span",
          { class: "stack-note" },
          isFunction ? "the function’s code, in /var/task" : "layer, in /opt",
          meant ? ` · ${meant}` : "",
          part.arn && part.arn !== part.where ? ` · ${part.arn}` : "",
        ),
      ),
      ...this.partFigures(part),
    );
  }

  partFigures(part) {
    const figures = [
      ["unzipped", unzippedText(part), part.isRead ? `${grouped(part.unzipped)} bytes` : "it could not be read"],
      ["zipped", zippedText(part), part.zipped === null ? null : `${grouped(part.zipped)} bytes`],
      ["files", part.isRead ? grouped(part.files) : UNKNOWN, null],
      [
        `of ${Math.round(this.data.limit / MIB)} MiB`,
        part.isRead ? percent(part.unzipped / this.data.limit) : UNKNOWN,
        null,
      ],
    ];
    return figures.map(([label, value, title]) =>
      el("span", { class: "stack-figure", title }, el("b", {}, value), " ", el("span", {}, label)),
    );
  }

  runtimeRow({ name, bundled }) {
    const named = bundled.map(([distribution, version]) => `${distribution} ${version}`).join(", ");
    return el(
      "li",
      { class: "stack-part is-runtime" },
      el("span", { class: "stack-number tone-runtime" }, "λ"),
      el(
        "div",
        { class: "stack-name" },
        el("span", {}, name),
        el(
          "span",
          { class: "stack-note" },
          named ? `the runtime, below everything; brings ${named}` : "the runtime, below everything",
        ),
      ),
      el("span", { class: "stack-figure is-free" }, "does not count"),
    );
  }

  // --- what is overwritten

  overwritten() {
    const { tree } = this;
    const entries = [];
    for (const { by, of, wins, loses, differs } of tree.audit.overwritten) {
      wins.forEach((file, place) => {
        const [winner, loser] = [tree.fileNodes[by][file], tree.fileNodes[of][loses[place]]];
        entries.push({ path: tree.parts[by].filePath(file), winner, loser, differs: differs[place] === "1" });
      });
    }
    return entries.sort((one, other) => other.differs - one.differs);
  }

  showOverwritten() {
    const several = this.tree.audit.layers.length > 1;
    const differing = this.entries.filter((entry) => entry.differs).length;
    byId("overwritten").hidden = !several;
    byId("overwritten-none").hidden = this.entries.length > 0;
    byId("overwritten-some").hidden = !this.entries.length;
    byId("overwritten-count").textContent = this.entries.length
      ? `${grouped(this.entries.length)}, ${grouped(differing)} with other content`
      : "none";
    byId("overwritten-filter").value = "";
    byId("overwritten-differs").checked = false;
    this.filter();
  }

  filter() {
    const query = byId("overwritten-filter").value.trim().toLowerCase();
    const onlyDiffering = byId("overwritten-differs").checked;
    this.listed = this.entries.filter(
      (entry) => (!onlyDiffering || entry.differs) && (!query || entry.path.toLowerCase().includes(query)),
    );
    byId("overwritten-shown").textContent = `${grouped(this.listed.length)} shown`;
    byId("overwritten-list").style.height = `${Math.min(8, Math.max(1, this.listed.length)) * OVERWRITTEN_ROW + 2}px`;
    this.listing.show(this.listed.length);
  }

  overwrittenRow(row) {
    const { path, winner, loser, differs } = this.listed[row];
    return el(
      "button",
      { type: "button", class: "overwritten-item", onclick: () => this.reveal(loser) },
      pathParts(path),
      el("span", { class: "overwritten-who" }, el("b", {}, this.side(winner)), " over ", this.side(loser)),
      el("span", { class: differs ? "badge is-warning" : "badge" }, differs ? "other content" : "same content"),
    );
  }

  side(node) {
    const part = this.tree.parts[this.tree.part[node]];
    const owner = this.tree.owner(node);
    return shown(`${shortened(part.where, 60)}${owner === NOBODY ? "" : ` (${part.ownerName(owner)})`}`);
  }
}
