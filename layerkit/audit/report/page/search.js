// Which files were asked for: by a text in their path or distribution, by a colour of the legend, or by both.

class Search {
  constructor(tree, palette) {
    Object.assign(this, { tree, palette, query: "", group: null });
    this.run();
  }

  ask(text) {
    this.query = text.trim().toLowerCase();
    this.run();
  }

  /** Asks for one group of the legend; for all of them if it is the one asked for. */
  pick(group) {
    this.group = this.group === group ? null : group;
    this.run();
  }

  get isOn() {
    return this.query !== "" || this.group !== null;
  }

  /** Finds the files, the largest first; which nodes hold any of them; what they take together. */
  run() {
    this.files = this.isOn ? this.find() : null;
    this.lit = this.files && this.holding(this.files);
  }

  find() {
    const { tree, palette, query, group } = this;
    const texts = query ? tree.searchable() : null;
    return tree
      .everyFile()
      .filter((file) => (!texts || texts[file].includes(query)) && (group === null || palette.group(file) === group));
  }

  get bytes() {
    return this.files.reduce((sum, file) => sum + this.tree.weight[file], 0);
  }

  holding(files) {
    const lit = new Uint8Array(this.tree.length);
    for (const file of files) for (let node = file; !lit[node]; node = this.tree.parent[node]) lit[node] = 1;
    return lit;
  }

  /** Returns a text in pieces, every second one of which was searched for: the last place where it occurs. */
  pieces(text) {
    const at = this.query ? text.toLowerCase().lastIndexOf(this.query) : -1;
    if (at < 0) return [text];
    const end = at + this.query.length;
    return [text.slice(0, at), text.slice(at, end), text.slice(end)];
  }
}
