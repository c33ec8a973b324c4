// Where every node of the map lies, as long as one node is zoomed to and the frame keeps its size.

const HEADER = { [PART]: 22, [OWNER]: 19, [FOLDER]: 16 };
const PADDING = { [PART]: 3, [OWNER]: 2, [FOLDER]: 1 };
const LEAST_HEADER_WIDTH = 44;

class Arrangement {
  constructor(tree) {
    this.tree = tree;
    this.rect = new Float32Array(4 * tree.length);
    this.stamp = new Uint32Array(tree.length); // of the last arrangement in which a node had a place
    this.opened = new Uint32Array(tree.length); // of the last one in which what is in it had
    this.epoch = 0;
    this.zoom = tree.top;
  }

  arrange(zoom, width, height) {
    const { tree, rect, stamp, opened } = this;
    const epoch = ++this.epoch;
    this.zoom = zoom;
    this.drawn = [];
    const place = (node, x, y, w, h) => {
      if (w < 1 || h < 1) return;
      rect.set([x, y, w, h], 4 * node);
      stamp[node] = epoch;
      waiting.push(node);
    };
    const waiting = [];
    place(zoom, 0, 0, width, height);
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      this.drawn.push(node);
      const box = tree.isContainer(node) ? this.inside(node) : null;
      if (!box) continue;
      opened[node] = epoch;
      squarify(tree.children(node), tree.weight, box, place);
    }
  }

  /** Returns the box that a container leaves for what is in it; nothing where that would be too small. */
  inside(node) {
    const [x, y, w, h] = this.rect.subarray(4 * node, 4 * node + 4);
    if (node === this.zoom) return { x: 2, y: 2, w: w - 3, h: h - 3 };
    const padding = w > 10 && h > 10 ? PADDING[this.tree.kind[node]] : 0;
    const header = this.headerOf(node) || padding;
    const box = { x: x + padding, y: y + header, w: w - 2 * padding - 1, h: h - header - padding - 1 };
    return box.w >= 4 && box.h >= 4 ? box : null;
  }

  headerOf(node) {
    const header = HEADER[this.tree.kind[node]];
    return this.rect[4 * node + 2] >= LEAST_HEADER_WIDTH && this.rect[4 * node + 3] >= header + 14 ? header : 0;
  }

  isDrawn(node) {
    return this.stamp[node] === this.epoch;
  }

  isOpened(node) {
    return this.opened[node] === this.epoch;
  }

  box(node) {
    const [x, y, w, h] = this.rect.subarray(4 * node, 4 * node + 4);
    return { x, y, w, h };
  }

  /** Returns the innermost node at a point. */
  hit(x, y) {
    let node = this.zoom;
    while (this.isOpened(node)) {
      const inner = this.childAt(node, x, y);
      if (inner === null) break;
      node = inner;
    }
    return node;
  }

  childAt(node, x, y) {
    for (const child of this.tree.children(node)) {
      if (this.isDrawn(child)) {
        const at = 4 * child;
        const [left, top] = [this.rect[at], this.rect[at + 1]];
        if (x >= left && y >= top && x < left + this.rect[at + 2] && y < top + this.rect[at + 3]) return child;
      }
    }
    return null;
  }

  /** Returns the nearest sibling in the direction of an arrow key, or else the next one in order of size. */
  neighbour(node, key) {
    const siblings = this.tree.children(this.zoom);
    const place = siblings.indexOf(node);
    const isForward = key === "ArrowRight" || key === "ArrowDown";
    if (place < 0) return siblings[0] ?? null;
    const nearest = this.isDrawn(node) ? this.nearest(node, siblings, key) : null;
    return nearest ?? siblings[place + (isForward ? 1 : -1)] ?? null;
  }

  nearest(node, siblings, key) {
    const own = this.box(node);
    let best = null;
    let least = Infinity;
    for (const other of siblings) {
      if (other === node || !this.isDrawn(other)) continue;
      const cost = distance(own, this.box(other), key);
      if (cost < least) [best, least] = [other, cost];
    }
    return best;
  }
}

/** Tells how far a box lies from another one in the direction of an arrow key; infinitely where it does not. */
function distance(own, other, key) {
  const isAcross = key === "ArrowLeft" || key === "ArrowRight";
  const [start, span] = isAcross ? ["x", "w"] : ["y", "h"];
  const [side, width] = isAcross ? ["y", "h"] : ["x", "w"];
  const isForward = key === "ArrowRight" || key === "ArrowDown";
  const ahead = isForward ? other[start] - (own[start] + own[span]) : own[start] - (other[start] + other[span]);
  if (ahead < -2) return Infinity;
  const off = Math.max(0, other[side] - (own[side] + own[width]), own[side] - (other[side] + other[width]));
  const centres = Math.abs(other[side] + other[width] / 2 - (own[side] + own[width] / 2));
  return ahead * 4 + off * 8 + centres * 0.1;
}
