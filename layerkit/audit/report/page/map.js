// The map: a nested treemap on a canvas. It draws and tells what was pointed at; what that means, the explorer decides.

const HEADER = { [PART]: 22, [OWNER]: 19, [FOLDER]: 16 };
const PADDING = { [PART]: 3, [OWNER]: 2, [FOLDER]: 1 };
const LEAST_HEADER_WIDTH = 44;
const MOST_ITEMS = 120;
const FLIGHT_MS = 220;
const MOST_PINS = 2000;
const SMALL = 8;

class TreeMap {
  constructor({ frame, canvas, overlay, items }, listener) {
    Object.assign(this, { frame, canvas, overlay, items, listener });
    this.hover = null;
    this.lit = null;
    this.epoch = 0;
    frame.addEventListener("pointerdown", (event) => (this.pointer = event.pointerType));
    frame.addEventListener("pointermove", (event) => this.onMove(event));
    frame.addEventListener("pointerleave", () => this.setHover(null));
    frame.addEventListener("click", (event) => this.onClick(event));
    new ResizeObserver(() => this.resize()).observe(frame);
  }

  show(tree, palette) {
    Object.assign(this, { tree, palette, zoom: tree.top, focus: null, hover: null, lit: null });
    this.rect = new Float32Array(4 * tree.length);
    this.stamp = new Uint32Array(tree.length);
    this.opened = new Uint32Array(tree.length);
    this.epoch = 0;
    this.resize();
  }

  resize() {
    if (!this.tree) return;
    const { clientWidth: width, clientHeight: height } = this.frame;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    Object.assign(this, { width, height, ratio });
    this.redraw();
  }

  redraw() {
    this.flight = null;
    this.arrange();
    this.paint();
    this.listItems();
    this.paintOverlay();
  }

  // --- where everything lies

  arrange() {
    const { tree, rect, stamp, opened } = this;
    const epoch = ++this.epoch;
    this.drawn = [];
    const place = (node, x, y, w, h) => {
      if (w < 1 || h < 1) return;
      rect.set([x, y, w, h], 4 * node);
      stamp[node] = epoch;
      waiting.push(node);
    };
    const waiting = [];
    place(this.zoom, 0, 0, this.width, this.height);
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
    if (node === this.zoom) return { x, y, w, h };
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

  box(node) {
    const [x, y, w, h] = this.rect.subarray(4 * node, 4 * node + 4);
    return { x, y, w, h };
  }

  /** Returns the innermost node at a point. */
  hit(x, y) {
    let node = this.zoom;
    while (this.opened[node] === this.epoch) {
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

  // --- drawing

  context(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    return context;
  }

  paint() {
    const context = this.context(this.canvas);
    context.fillStyle = this.palette.ground;
    context.fillRect(0, 0, this.width, this.height);
    context.textBaseline = "middle";
    this.hatching = this.makeHatching(context);
    for (const node of this.drawn) {
      if (node === this.zoom) continue;
      if (this.opened[node] === this.epoch) this.paintFrame(context, node);
      else this.paintTile(context, node);
    }
    if (this.lit) this.paintPins(context);
  }

  /** Puts a pin on what was found and is too small to stand out by its colour. */
  paintPins(context) {
    const found = this.drawn.filter((node) => this.lit[node] && this.opened[node] !== this.epoch);
    if (found.length > MOST_PINS) return;
    for (const node of found) {
      const { x, y, w, h } = this.box(node);
      if (w > SMALL && h > SMALL) continue;
      const [across, down] = [x + w / 2, y + h / 2];
      context.fillStyle = this.palette.focusHalo;
      context.fillRect(across - 4, down - 4, 8, 8);
      context.fillStyle = this.palette.focus;
      context.fillRect(across - 2.5, down - 2.5, 5, 5);
    }
  }

  snapped(node) {
    const at = 4 * node;
    const snap = (value) => Math.round(value * this.ratio) / this.ratio;
    const [x, y] = [snap(this.rect[at]), snap(this.rect[at + 1])];
    const [right, bottom] = [snap(this.rect[at] + this.rect[at + 2]), snap(this.rect[at + 1] + this.rect[at + 3])];
    const gap = right - x > 4 && bottom - y > 4 ? 1 : 0;
    return { x, y, w: right - x - gap, h: bottom - y - gap };
  }

  isDim(node) {
    return this.lit !== null && !this.lit[node];
  }

  paintFrame(context, node) {
    const { x, y, w, h } = this.snapped(node);
    const { frames } = this.palette;
    context.fillStyle = frames[Math.min(frames.length - 1, Math.max(0, this.tree.kind[node] - PART + this.depthBelowOwner(node)))];
    context.fillRect(x, y, w, h);
    const header = this.headerOf(node);
    if (!header) return;
    const isFolder = this.tree.kind[node] === FOLDER;
    context.globalAlpha = this.isDim(node) ? 0.45 : 1;
    context.fillStyle = this.palette.frameInk;
    context.font = `${isFolder ? "" : "600 "}${isFolder ? 10.5 : 12}px ${this.palette.font}`;
    this.paintHeader(context, node, { x: x + 5, y: y + header / 2 + 0.5, w: w - 10 });
    context.globalAlpha = 1;
  }

  depthBelowOwner(node) {
    return this.tree.kind[node] === FOLDER && this.tree.kind[this.tree.parent[node]] === FOLDER ? 1 : 0;
  }

  paintHeader(context, node, { x, y, w }) {
    const figure = mib(this.tree.weight[node]);
    const room = w > 150 ? context.measureText(figure).width + 10 : 0;
    const label = fitted(context, shown(this.tree.label(node)), w - room);
    context.fillText(label, x, y);
    if (!room) return;
    context.globalAlpha *= 0.75;
    context.textAlign = "right";
    context.fillText(figure, x + w, y);
    context.textAlign = "left";
  }

  paintTile(context, node) {
    const { x, y, w, h } = this.snapped(node);
    const dim = this.isDim(node);
    context.fillStyle = dim ? this.palette.dim : this.palette.colour(this.palette.group(this.tree.largest[node]));
    context.fillRect(x, y, w, h);
    if (dim || w < 5 || h < 5) return;
    if (this.tree.lose.has(node)) {
      context.fillStyle = this.hatching;
      context.fillRect(x, y, w, h);
    }
    if (w >= 34 && h >= 15) this.paintLabel(context, node, { x, y, w, h });
  }

  paintLabel(context, node, { x, y, w, h }) {
    context.font = `11px ${this.palette.font}`;
    const label = fitted(context, shown(this.tree.label(node)), w - 8);
    if (!label) return;
    const figure = h >= 34 ? size(this.tree.weight[node]) : "";
    const lines = figure && context.measureText(figure).width <= w - 6 ? [label, figure] : [label];
    if (this.tree.lose.has(node)) this.clearBehind(context, node, lines, { x, y });
    context.fillStyle = this.palette.ink;
    lines.forEach((line, place) => context.fillText(line, x + 4, h >= 34 ? y + 11 + 14 * place : y + Math.min(11, h / 2 + 0.5)));
  }

  /** Takes the hatching away behind a label. */
  clearBehind(context, node, lines, { x, y }) {
    context.fillStyle = this.palette.colour(this.palette.group(node));
    lines.forEach((line, place) => context.fillRect(x + 2, y + 3 + 14 * place, context.measureText(line).width + 4, 14));
  }

  makeHatching(context) {
    const tile = el("canvas", { width: 8, height: 8 });
    const pen = tile.getContext("2d");
    pen.strokeStyle = this.palette.hatch;
    pen.lineWidth = 1.6;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift - 1, 9);
      pen.lineTo(shift + 9, -1);
    }
    pen.stroke();
    return context.createPattern(tile, "repeat");
  }

  /** Draws what changes with every move: what is pointed at, and what has the keyboard's focus. */
  paintOverlay() {
    const context = this.context(this.overlay);
    context.clearRect(0, 0, this.width, this.height);
    if (this.flight) return;
    if (this.hover !== null && this.hover !== this.zoom && this.isDrawn(this.hover)) this.outline(context, this.hover, 1.5);
    if (this.focus !== null && this.isDrawn(this.focus) && this.focus !== this.zoom) this.outline(context, this.focus, 3);
  }

  outline(context, node, width) {
    const { x, y, w, h } = this.snapped(node);
    context.lineWidth = width + 2;
    context.strokeStyle = this.palette.focusHalo;
    context.strokeRect(x + width / 2, y + width / 2, Math.max(1, w - width), Math.max(1, h - width));
    context.lineWidth = width;
    context.strokeStyle = this.palette.focus;
    context.strokeRect(x + width / 2, y + width / 2, Math.max(1, w - width), Math.max(1, h - width));
  }

  // --- zooming

  zoomTo(node, focus) {
    const wasDrawn = this.isDrawn(node) && node !== this.zoom;
    const before = this.zoom;
    const fromBox = this.box(node);
    const old = this.snapshot();
    this.zoom = node;
    this.focus = focus;
    this.hover = null;
    this.redraw();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || before === node) return;
    if (wasDrawn) this.fly({ outer: old, inner: this.snapshot(), box: fromBox, isOut: false });
    else if (this.isDrawn(before)) this.fly({ outer: this.snapshot(), inner: old, box: this.box(before), isOut: true });
  }

  snapshot() {
    const copy = el("canvas", { width: this.canvas.width, height: this.canvas.height });
    copy.getContext("2d").drawImage(this.canvas, 0, 0);
    return copy;
  }

  /** Shows one picture growing out of, or shrinking back into, its place in another. */
  fly({ outer, inner, box, isOut }) {
    const flight = { start: performance.now() };
    this.flight = flight;
    this.paintOverlay();
    const context = this.context(this.canvas);
    const step = (now) => {
      if (this.flight !== flight) return;
      const passed = Math.min(1, Math.max(0, (now - flight.start) / FLIGHT_MS));
      const eased = 1 - (1 - passed) ** 3;
      if (passed < 1) {
        this.paintFlight(context, outer, inner, box, isOut ? 1 - eased : eased);
        requestAnimationFrame(step);
      } else {
        this.flight = null;
        this.paint();
        this.paintOverlay();
      }
    };
    step(flight.start);
  }

  paintFlight(context, outer, inner, box, part) {
    const { width, height } = this;
    const now = { x: box.x * (1 - part), y: box.y * (1 - part), w: box.w + (width - box.w) * part, h: box.h + (height - box.h) * part };
    const [across, down] = [now.w / Math.max(1, box.w), now.h / Math.max(1, box.h)];
    context.globalAlpha = 1;
    context.drawImage(outer, now.x - box.x * across, now.y - box.y * down, width * across, height * down);
    context.globalAlpha = part;
    context.drawImage(inner, now.x, now.y, now.w, now.h);
    context.globalAlpha = 1;
  }

  // --- pointing

  point(event) {
    const { left, top } = this.frame.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  onMove(event) {
    const { x, y } = this.point(event);
    this.setHover(this.hit(x, y), event);
  }

  setHover(node, event = null) {
    const changed = node !== this.hover;
    this.hover = node;
    if (changed) this.paintOverlay();
    this.listener.onHover(node === this.zoom ? null : node, event);
  }

  onClick(event) {
    const { x, y } = this.point(event);
    this.listener.onPick(this.hit(x, y), { isTouch: this.pointer === "touch" });
  }

  setFocus(node) {
    this.focus = node;
    if (node !== null && !this.items.querySelector(`#node-${node}`)) this.listItems();
    for (const item of this.items.children) item.setAttribute("aria-selected", item.id === `node-${node}`);
    if (node === null) this.frame.removeAttribute("aria-activedescendant");
    else this.frame.setAttribute("aria-activedescendant", `node-${node}`);
    this.paintOverlay();
  }

  setLit(lit) {
    this.lit = lit;
    this.paint();
  }

  // --- for those who do not see the canvas: what lies in the zoomed node, as elements at the same places

  listItems() {
    const siblings = this.tree.children(this.zoom);
    const listed = Array.from(siblings.subarray(0, MOST_ITEMS));
    if (this.focus !== null && !listed.includes(this.focus) && siblings.includes(this.focus)) listed.push(this.focus);
    this.items.replaceChildren(...listed.map((node, place) => this.item(node, place, siblings)));
  }

  item(node, place, siblings) {
    const item = el("div", {
      role: "treeitem",
      id: `node-${node}`,
      class: "map-item",
      "aria-level": this.tree.chain(node).length,
      "aria-posinset": (place < MOST_ITEMS ? place : siblings.indexOf(node)) + 1,
      "aria-setsize": siblings.length,
      "aria-selected": node === this.focus,
      "aria-expanded": this.tree.isContainer(node) ? "false" : null,
      "aria-label": this.listener.describe(node),
    });
    if (this.isDrawn(node)) {
      const { x, y, w, h } = this.box(node);
      Object.assign(item.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
    }
    return item;
  }

  /** Returns the nearest sibling in a direction, or else the next one in order of size. */
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

/** Returns as much of a text as fits. */
function fitted(context, text, width) {
  const most = Math.ceil(width / 3);
  const short = text.length > most ? text.slice(0, most) : text;
  const whole = context.measureText(short).width;
  if (whole <= width && short.length === text.length) return text;
  for (let length = Math.floor((short.length * width) / whole); length >= 2; length--) {
    const cut = `${short.slice(0, length)}…`;
    if (context.measureText(cut).width <= width) return cut;
  }
  return "";
}
