// The map: a nested treemap. It shows and tells what was pointed at; what that means, the explorer decides.

const MOST_ITEMS = 120;
const FLIGHT_MS = 220;

class TreeMap {
  constructor({ frame, canvas, overlay, items }, listener) {
    Object.assign(this, { frame, canvas, overlay, items, listener });
    frame.addEventListener("pointerdown", (event) => (this.pointer = event.pointerType));
    frame.addEventListener("pointermove", (event) => this.onMove(event));
    frame.addEventListener("pointerleave", () => this.setHover(null));
    frame.addEventListener("click", (event) => this.onClick(event));
    new ResizeObserver(() => this.resize()).observe(frame);
  }

  show(tree, palette) {
    Object.assign(this, { tree, zoom: tree.top, focus: null, hover: null });
    this.arrangement = new Arrangement(tree);
    this.painter = new Painter(this, { tree, palette, arrangement: this.arrangement });
    this.resize();
  }

  resize() {
    if (this.painter?.resize(this.frame.clientWidth, this.frame.clientHeight)) this.redraw();
  }

  redraw() {
    this.flight = null;
    this.arrangement.arrange(this.zoom, this.painter.width, this.painter.height);
    this.painter.paint();
    this.listItems();
    this.paintOverlay();
  }

  paintOverlay() {
    const outlined = [
      [this.hover, 1.5],
      [this.focus, 2.5],
    ];
    this.painter.paintOverlay(this.flight ? [] : outlined);
  }

  // --- zooming

  zoomTo(node, focus) {
    const { arrangement, painter } = this;
    const before = this.zoom;
    const wasDrawn = arrangement.isDrawn(node) && node !== before;
    const box = arrangement.box(node);
    const old = painter.snapshot();
    Object.assign(this, { zoom: node, focus, hover: null });
    this.redraw();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || before === node) return;
    if (wasDrawn) this.fly({ outer: old, inner: painter.snapshot(), box }, (eased) => eased);
    else if (arrangement.isDrawn(before)) {
      this.fly({ outer: painter.snapshot(), inner: old, box: arrangement.box(before) }, (eased) => 1 - eased);
    }
  }

  /** Shows one picture growing out of, or shrinking back into, its place in another. */
  fly(pictures, partAt) {
    const flight = { start: performance.now() };
    this.flight = flight;
    this.paintOverlay();
    const step = (now) => {
      if (this.flight !== flight) return;
      const passed = Math.min(1, Math.max(0, (now - flight.start) / FLIGHT_MS));
      if (passed < 1) {
        this.painter.paintFlight(pictures, partAt(1 - (1 - passed) ** 3));
        requestAnimationFrame(step);
      } else {
        this.flight = null;
        this.painter.paint();
        this.paintOverlay();
      }
    };
    step(flight.start);
  }

  // --- pointing

  point(event) {
    const { left, top } = this.frame.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  onMove(event) {
    const { x, y } = this.point(event);
    this.setHover(this.arrangement.hit(x, y), event);
  }

  setHover(node, event = null) {
    const changed = node !== this.hover;
    this.hover = node;
    if (changed) this.paintOverlay();
    this.listener.onHover(node === this.zoom ? null : node, event);
  }

  onClick(event) {
    const { x, y } = this.point(event);
    this.listener.onPick(this.arrangement.hit(x, y), { isTouch: this.pointer === "touch" });
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
    this.painter.lit = lit;
    this.painter.paint();
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
    if (this.arrangement.isDrawn(node)) {
      const { x, y, w, h } = this.arrangement.box(node);
      Object.assign(item.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
    }
    return item;
  }
}
