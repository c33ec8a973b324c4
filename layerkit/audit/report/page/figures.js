// What there is to say about one node: for the eye beside the pointer, for the ear on its element.

class Figures {
  constructor(tree, { limit, kinds }) {
    Object.assign(this, { tree, limit, kinds });
  }

  part(node) {
    return this.tree.parts[this.tree.part[node]];
  }

  /** Returns rows of label and value. */
  rows(node) {
    const { tree } = this;
    const part = this.part(node);
    if (tree.isUnknown(node)) return [["unzipped", UNKNOWN], ["zipped", zippedText(part)]];
    const unzipped = tree.size.unzipped[node];
    const rows = [["unzipped", `${size(unzipped)} · ${grouped(unzipped)} bytes`]];
    if (part.zipped !== null)
      rows.push(["zipped", `${size(tree.size.zipped[node])} · ${grouped(tree.size.zipped[node])} bytes`]);
    if (tree.kind[node] !== PART) rows.push([this.partWord(node), percent(unzipped / part.unzipped)]);
    rows.push([`of ${Math.round(this.limit / MIB)} MiB`, percent(unzipped / this.limit)]);
    if (tree.kind[node] === FILE) rows.push(["kind", this.kinds[tree.fileKind(node)]]);
    else rows.push(["files", grouped(tree.files[node])]);
    if (tree.kind[node] > OWNER) rows.push(["belongs to", shown(part.ownerName(tree.owner(node)))]);
    if (tree.parts.length > 1 && tree.kind[node] !== PART) rows.push(["part", shown(shortened(part.where, 60))]);
    return [...rows, ...this.overwriting(node)];
  }

  partWord(node) {
    return this.tree.isFunction(this.tree.part[node]) ? "of the code" : "of its layer";
  }

  overwriting(node) {
    if (this.tree.kind[node] !== FILE || this.tree.parts.length < 2) return [];
    const loss = this.tree.lose.get(node);
    if (!loss) return [["overwritten", "no"]];
    const by = shown(shortened(this.tree.parts[loss.by].where, 60));
    return [["overwritten", `by ${by}, ${loss.differs ? "other content" : "same content"}`]];
  }

  title(node) {
    return shown(this.tree.label(node));
  }

  spoken(node) {
    const { tree } = this;
    if (tree.isUnknown(node)) return `${this.title(node)}: ${UNKNOWN}, ${zippedText(this.part(node))} zipped`;
    const unzipped = tree.size.unzipped[node];
    const what = tree.kind[node] === FILE ? this.kinds[tree.fileKind(node)] : count(tree.files[node], "file");
    const zipped = this.part(node).zipped === null ? "" : `, ${size(tree.size.zipped[node])} zipped`;
    const of = `${percent(unzipped / this.limit)} of ${Math.round(this.limit / MIB)} MiB`;
    return `${this.title(node)}: ${size(unzipped)} unzipped${zipped}, ${of}, ${what}`;
  }

  /** Makes the content of the tip. */
  tip(node) {
    const path = this.tree.path(node);
    return [
      el("div", { class: "tip-title" }, shortened(this.title(node), 120)),
      path && path !== this.tree.label(node) ? el("div", { class: "tip-path" }, shown(shortened(path, 240))) : null,
      el("dl", {}, ...this.rows(node).flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)])),
    ].filter(Boolean);
  }
}
