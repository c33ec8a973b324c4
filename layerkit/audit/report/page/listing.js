// A list of any length of which only the rows in sight exist; arrow keys move through all of it.

const SPARE_ROWS = 8;

class Listing {
  /** `render(row)` returns the element of a row; the first button in it, if any, takes part in the arrow keys. */
  constructor(scroller, { rowHeight, render }) {
    this.scroller = scroller;
    this.rowHeight = rowHeight;
    this.render = render;
    this.length = 0;
    this.current = 0;
    this.rows = new Map();
    this.body = el("div", { class: "listing-rows", role: "list" });
    scroller.replaceChildren(this.body);
    scroller.addEventListener("scroll", () => this.refreshSoon(), { passive: true });
    scroller.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.refreshSoon()).observe(scroller);
  }

  /** Shows another content from its start. */
  show(length, rowHeight = this.rowHeight) {
    this.rowHeight = rowHeight;
    this.length = length;
    this.current = 0;
    this.rows.clear();
    this.body.replaceChildren();
    this.body.style.height = `${length * this.rowHeight}px`;
    this.scroller.scrollTop = 0;
    this.refresh();
  }

  refreshSoon() {
    this.frame ??= requestAnimationFrame(() => this.refresh());
  }

  refresh() {
    this.frame = null;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / this.rowHeight) - SPARE_ROWS);
    const height = this.scroller.clientHeight || 10 * this.rowHeight;
    const end = Math.min(this.length, Math.ceil((this.scroller.scrollTop + height) / this.rowHeight) + SPARE_ROWS);
    for (const [row, element] of this.rows) {
      if ((row < first || row >= end) && !element.contains(document.activeElement)) {
        element.remove();
        this.rows.delete(row);
      }
    }
    for (let row = first; row < end; row++) if (!this.rows.has(row)) this.put(row);
    this.offerTabStop(first, end);
  }

  put(row) {
    const element = el("div", { class: "listing-row", role: "listitem" }, this.render(row));
    element.setAttribute("aria-setsize", this.length);
    element.setAttribute("aria-posinset", row + 1);
    element.style.transform = `translateY(${row * this.rowHeight}px)`;
    element.style.height = `${this.rowHeight}px`;
    element.querySelector("button")?.addEventListener("focus", () => this.settle(row));
    this.rows.set(row, element);
    this.body.append(element);
  }

  settle(row) {
    this.current = row;
    for (const [at, element] of this.rows)
      element.querySelector("button")?.setAttribute("tabindex", at === row ? 0 : -1);
  }

  /** One row is in the page's tab order: the one last used, or else the first in sight. */
  offerTabStop(first, end) {
    const stop = this.current >= first && this.current < end ? this.current : first;
    for (const [at, element] of this.rows)
      element.querySelector("button")?.setAttribute("tabindex", at === stop ? 0 : -1);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.length, End: this.length };
    const step = steps[event.key];
    if (!step || !this.length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.moveTo(Math.min(this.length - 1, Math.max(0, this.current + step)));
  }

  moveTo(row) {
    const top = row * this.rowHeight;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight)
      this.scroller.scrollTop = top + this.rowHeight - clientHeight;
    this.refresh();
    this.current = row;
    this.rows.get(row)?.querySelector("button")?.focus({ preventScroll: true });
  }
}
