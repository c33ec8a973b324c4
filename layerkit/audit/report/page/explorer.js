// The map and what belongs to it: path, search, legend, the list beside it, the tip. It holds what is being looked at.

const LIST_ROW = 34;
const RESULT_ROW = 44;
const MOST_OF_FOLDER = 46;

class Explorer {
  constructor(data) {
    this.data = data;
    this.frame = byId("map");
    this.map = new TreeMap(
      { frame: this.frame, canvas: byId("map-canvas"), overlay: byId("map-overlay"), items: byId("map-items") },
      {
        onHover: (node, event) => this.onHover(node, event),
        onPick: (node, how) => this.onPick(node, how),
        describe: (node) => this.figures.spoken(node),
      },
    );
    this.listing = new Listing(byId("list"), { rowHeight: LIST_ROW, render: (row) => this.listRow(row) });
    this.input = byId("search");
    this.tip = new Tip(byId("tip"));
    this.listen();
  }

  listen() {
    this.frame.addEventListener("keydown", (event) => this.onKey(event));
    this.frame.addEventListener("focus", () => this.onFocus());
    this.frame.addEventListener("blur", () => this.tip.hide());
    byId("zoom-out").addEventListener("click", () => this.zoomOut());
    this.input.addEventListener("input", () => this.filterSoon());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.input.value) this.clearSearch(event);
    });
    for (const button of document.querySelectorAll("[data-metric]")) {
      button.addEventListener("click", () => this.setMetric(button.dataset.metric));
    }
    for (const button of document.querySelectorAll("[data-colour]")) {
      button.addEventListener("click", () => this.setColour(button.dataset.colour));
    }
    document.addEventListener("keydown", (event) => this.onPageKey(event));
  }

  /** Shows another stack, or the same one in another theme. */
  show(tree) {
    this.tree = tree;
    this.figures = new Figures(tree, this.data);
    this.palette = new Palette(tree, this.data.kinds);
    this.palette.mode = this.mode ?? "kind";
    this.input.value = "";
    const isZipped = tree.parts.some((part) => part.zipped !== null);
    document.querySelector("[data-metric=zipped]").disabled = !isZipped;
    if (this.metric === "zipped" && isZipped) tree.sortBy("zipped");
    else this.metric = "unzipped";
    this.search = new Search(tree, this.palette);
    this.map.show(tree, this.palette);
    this.press("metric", this.metric);
    this.press("colour", this.palette.mode);
    byId("map-empty").hidden = tree.weight[tree.top] > 0;
    byId("map-empty").textContent = tree.isWhole ? "Nothing here takes any room" : "What this holds could not be read";
    byId("legend-overwritten").hidden = !tree.lose.size;
    this.refresh();
  }

  repaint() {
    this.palette.read();
    this.map.redraw();
    this.showLegend();
    this.showList();
  }

  refresh() {
    this.tip.hide();
    this.showPath();
    this.showLegend();
    this.showList();
  }

  press(group, value) {
    for (const button of document.querySelectorAll(`[data-${group}]`)) {
      button.setAttribute("aria-pressed", button.dataset[group] === value);
    }
  }

  // --- zooming

  get zoom() {
    return this.map.zoom;
  }

  zoomTo(node, focus = null) {
    if (node === this.zoom) {
      this.setFocus(focus);
      return;
    }
    this.map.zoomTo(node, focus);
    this.setFocus(focus);
    this.refresh();
    this.say(
      `In ${this.figures.title(node)}: ${count(this.tree.children(node).length, "item")}, ${size(this.tree.weight[node])}`,
    );
  }

  zoomAndFocus(node) {
    this.zoomTo(node);
    this.frame.focus({ preventScroll: true });
  }

  zoomOut() {
    if (this.zoom === this.tree.top) return;
    this.zoomTo(this.tree.parent[this.zoom], this.zoom);
    this.showTipOf(this.map.focus);
  }

  /** Brings a node into sight and points at it: what other parts of the page call. */
  reveal(node) {
    const above = node === this.tree.top ? node : this.tree.parent[node];
    this.zoomTo(this.tree.isContainer(node) ? node : above, this.tree.isContainer(node) ? null : node);
    byId("map-section").scrollIntoView({ block: "start", behavior: "auto" });
    this.frame.focus({ preventScroll: true });
    this.showTipOf(this.map.focus);
  }

  setFocus(node) {
    this.map.setFocus(node);
  }

  onPick(node, { isTouch }) {
    const step = this.tree.stepTowards(node, this.zoom);
    if (node === this.zoom) return;
    if (isTouch && this.map.focus !== step) {
      this.setFocus(step);
      this.showTipOf(node, step);
      return;
    }
    const target = this.tree.isContainer(node) ? node : step;
    if (this.tree.isContainer(target)) this.zoomTo(target);
    else this.setFocus(target);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const siblings = this.tree.children(this.zoom);
    const focus = this.map.focus ?? siblings[0] ?? null;
    const move = () => this.moveTo(this.map.focus === null ? focus : this.map.arrangement.neighbour(focus, event.key));
    const actions = {
      ArrowLeft: move,
      ArrowRight: move,
      ArrowUp: move,
      ArrowDown: move,
      Home: () => this.moveTo(siblings[0]),
      End: () => this.moveTo(siblings[siblings.length - 1]),
      Enter: () => this.enter(focus),
      " ": () => this.enter(focus),
      Escape: () => this.zoomOut(),
      Backspace: () => this.zoomOut(),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }

  moveTo(node) {
    if (node === null || node === undefined) return;
    this.setFocus(node);
    this.showTipOf(node);
  }

  enter(node) {
    if (node === null || !this.tree.isContainer(node)) return;
    this.zoomTo(node, this.tree.children(node)[0]);
    this.showTipOf(this.map.focus);
  }

  onFocus() {
    if (!this.frame.matches(":focus-visible")) return;
    if (this.map.focus === null) this.setFocus(this.tree.children(this.zoom)[0] ?? null);
    this.showTipOf(this.map.focus);
  }

  onPageKey(event) {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.input.focus();
      this.input.select();
    } else if (event.key === "Escape" && byId("map-section").contains(event.target) && !event.defaultPrevented) {
      this.zoomOut();
    }
  }

  // --- path, legend, list

  showPath() {
    const steps = this.tree.chain(this.zoom);
    const buttons = steps.map((node, place) => {
      const label = shortened(this.figures.title(node), 48);
      if (place === steps.length - 1) return el("li", {}, el("span", { "aria-current": "location" }, label));
      return el("li", {}, el("button", { type: "button", onclick: () => this.zoomAndFocus(node) }, label));
    });
    byId("path").replaceChildren(...buttons);
    byId("zoom-out").disabled = steps.length === 1;
  }

  showLegend() {
    const whole = this.tree.weight[0];
    const groups = this.palette.legend().map(({ group, name, colour, bytes }) => {
      const swatch = el("span", { class: "swatch" });
      swatch.style.background = colour;
      const button = el(
        "button",
        {
          type: "button",
          class: "legend-item",
          "aria-pressed": this.search.group === group,
          onclick: () => this.pick(group),
        },
        swatch,
        el("span", { class: "legend-name" }, shown(shortened(name, 40))),
        el("span", { class: "figure" }, percent(bytes / whole)),
      );
      return el("li", {}, button);
    });
    const legend = byId("legend");
    const focused = [...legend.children].findIndex((item) => item.contains(document.activeElement));
    legend.replaceChildren(...groups);
    legend.children[focused]?.firstChild.focus();
  }

  pick(group) {
    this.search.pick(group);
    this.showLegend();
    this.showFound();
  }

  setMetric(metric) {
    this.metric = metric;
    this.tree.sortBy(metric);
    this.press("metric", metric);
    this.map.redraw();
    this.showLegend();
    this.filter();
  }

  setColour(mode) {
    this.mode = mode;
    this.palette.mode = mode;
    this.search.group = null;
    this.press("colour", mode);
    this.map.redraw();
    this.showLegend();
    this.filter();
  }

  showList() {
    const { tree, search } = this;
    this.listed = search.files ?? tree.children(this.zoom);
    const bytes = search.isOn ? search.bytes : tree.weight[this.zoom];
    const what = search.isOn ? `${count(this.listed.length, "file")} found` : count(this.listed.length, "item");
    byId("list-title").textContent = search.isOn ? "Search" : `In ${shortened(this.figures.title(this.zoom), 60)}`;
    byId("list-sum").textContent = `${what}, ${size(bytes)}`;
    const hadFocus = byId("list").contains(document.activeElement);
    this.listing.show(this.listed.length, this.search.isOn ? RESULT_ROW : LIST_ROW);
    if (hadFocus && this.listed.length) this.listing.moveTo(Math.max(0, this.listed.indexOf(this.map.focus)));
  }

  listRow(row) {
    const { tree } = this;
    const node = this.listed[row];
    const whole = tree.weight[this.search.isOn ? 0 : this.zoom];
    return el(
      "button",
      {
        type: "button",
        class: "list-item",
        title: shown(tree.path(node) || tree.label(node)),
        onclick: () => this.openRow(node),
        onpointerenter: () => this.pointAt(node),
        onpointerleave: () => this.pointAt(null),
      },
      this.sign(node),
      el("span", { class: "list-name" }, ...this.marked(shown(shortened(tree.label(node), 300)))),
      el("span", { class: "figure" }, tree.isUnknown(node) ? UNKNOWN : size(tree.weight[node])),
      el("span", { class: "figure share" }, percent(tree.weight[node] / whole)),
      this.search.isOn ? this.folderLine(node) : bar(tree.weight[node] / whole),
    );
  }

  /** Makes a file's colour, or what says that a row can be opened. */
  sign(node) {
    if (this.tree.isContainer(node)) return icon("open");
    const swatch = el("span", { class: "swatch" });
    swatch.style.background = this.palette.colour(this.palette.group(node));
    return swatch;
  }

  /** Tells whose a file is and where it lies below that; of a long path the end. */
  folderLine(node) {
    const { tree } = this;
    const steps = tree.chain(node).slice(0, -1);
    const folder = shown(
      steps
        .filter((step) => tree.kind[step] === FOLDER)
        .map((step) => tree.label(step))
        .join(""),
    );
    const owner = shown(shortened(tree.parts[tree.part[node]].ownerName(tree.owner(node)), 40));
    const most = Math.max(12, MOST_OF_FOLDER - owner.length);
    const end = folder.length > most ? `…${folder.slice(-most)}` : folder;
    return el("span", { class: "list-folder" }, ...this.marked(owner), end ? " · " : "", ...this.marked(end));
  }

  /** Marks what was searched for. */
  marked(text) {
    return this.search.pieces(text).map((piece, place) => (place % 2 ? el("mark", {}, piece) : piece));
  }

  openRow(node) {
    if (this.tree.isContainer(node)) this.zoomTo(node);
    else this.zoomTo(this.tree.parent[node], node);
    this.showTipOf(this.map.focus);
  }

  pointAt(node) {
    let at = node;
    while (at !== null && at !== 0 && !this.map.arrangement.isDrawn(at)) at = this.tree.parent[at];
    this.map.hover = at;
    this.map.paintOverlay();
  }

  // --- searching

  filterSoon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.filter();
    });
  }

  clearSearch(event) {
    event.preventDefault();
    event.stopPropagation();
    this.input.value = "";
    this.filter();
  }

  filter() {
    this.search.ask(this.input.value);
    this.showFound();
  }

  showFound() {
    this.map.setLit(this.search.lit);
    this.showList();
    if (this.search.isOn) this.say(byId("list-sum").textContent);
  }

  // --- telling

  onHover(node, event) {
    if (node !== null && event && event.pointerType !== "touch") {
      const { clientX: x, clientY: y } = event;
      this.tip.show(node, () => this.figures.tip(node), { x: x + 14, y: y + 16, above: y - 12 });
    } else if (!this.frame.matches(":focus-visible")) {
      this.tip.hide();
    }
  }

  /** Shows the tip below a node's place, or in its lower end where there is no room; in the map's, for want of a place. */
  showTipOf(node, place = node) {
    if (node === null) {
      this.tip.hide();
      return;
    }
    const { arrangement } = this.map;
    const { x, y, w, h } = arrangement.box(arrangement.isDrawn(place) ? place : arrangement.zoom);
    const { left, top } = this.frame.getBoundingClientRect();
    const bottom = top + y + h;
    this.tip.show(node, () => this.figures.tip(node), {
      x: left + x + Math.min(24, w / 2),
      y: bottom + 8,
      above: Math.min(bottom, window.innerHeight) - 12,
    });
  }

  say(text) {
    byId("status").textContent = text;
  }
}
