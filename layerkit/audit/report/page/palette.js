// Which colour a file has: that of its kind, or of its distribution. The colours themselves stand in the style sheet.

const MOST_COLOURED = 10;

class Palette {
  constructor(tree, kinds) {
    this.tree = tree;
    this.kinds = kinds;
    this.mode = "kind";
    this.places = this.rankOwners();
    this.read();
  }

  /** Reads the colours of the theme that is on. */
  read() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.ofKind = this.kinds.map((kind) => colour(`--kind-${kind}`));
    this.ofOwner = Array.from({ length: MOST_COLOURED + 1 }, (_, place) => colour(`--owner-${place}`));
    this.frames = [1, 2, 3, 4].map((depth) => colour(`--frame-${depth}`));
    this.ink = colour("--tile-ink");
    this.frameInk = colour("--frame-ink");
    this.ground = colour("--map-ground");
    this.dim = colour("--tile-dim");
    this.focus = colour("--focus");
    this.focusHalo = colour("--focus-halo");
    this.hatch = colour("--hatch");
    this.font = style.getPropertyValue("--sans").trim() || "sans-serif";
  }

  /** Ranks distributions by what they take in the whole stack; those beyond the first ones share the last colour. */
  rankOwners() {
    const { tree } = this;
    const sums = new Map();
    for (let node = 0; node < tree.length; node++) {
      if (tree.kind[node] === OWNER && tree.ref[node] !== NOBODY) {
        const name = tree.parts[tree.part[node]].owners[tree.ref[node]][0];
        sums.set(name, (sums.get(name) ?? 0) + tree.size.unzipped[node]);
      }
    }
    const ranked = [...sums].sort((one, other) => other[1] - one[1]);
    return new Map(ranked.map(([name], place) => [name, Math.min(place, MOST_COLOURED)]));
  }

  /** Returns the place of a file's group in the legend. */
  group(file) {
    if (this.mode === "kind") return this.tree.fileKind(file);
    const owner = this.tree.owner(file);
    return owner === NOBODY ? MOST_COLOURED : this.places.get(this.tree.parts[this.tree.part[file]].owners[owner][0]);
  }

  colour(group) {
    return (this.mode === "kind" ? this.ofKind : this.ofOwner)[group];
  }

  /** Returns the groups that there are: name, colour, bytes. */
  legend() {
    const sums = new Map();
    for (const file of this.tree.everyFile()) {
      const group = this.group(file);
      sums.set(group, (sums.get(group) ?? 0) + this.tree.weight[file]);
    }
    const names = this.mode === "kind" ? this.kinds : this.ownerNames();
    return [...sums]
      .map(([group, bytes]) => ({ group, bytes, name: names[group], colour: this.colour(group) }))
      .sort((one, other) => other.bytes - one.bytes);
  }

  ownerNames() {
    const names = [];
    for (const [name, place] of this.places) names[place] ??= name;
    names[MOST_COLOURED] = "all others";
    return names;
  }
}
