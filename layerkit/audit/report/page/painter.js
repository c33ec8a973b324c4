// Draws an arrangement on a canvas: frames for containers, tiles for files; and above it what is pointed at.

const MOST_PINS = 150;
const SMALL = 8;

class Painter {
  constructor({ canvas, overlay }, { tree, palette, arrangement }) {
    Object.assign(this, { canvas, overlay, tree, palette, arrangement });
    this.lit = null; // which nodes hold something that was searched for
  }

  /** Fits the canvases to a frame; tells whether they were not yet so. */
  resize(width, height) {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    if (width === this.width && height === this.height && ratio === this.ratio) return false;
    this.ratio = ratio;
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = Math.max(1, Math.round(width * this.ratio));
      canvas.height = Math.max(1, Math.round(height * this.ratio));
    }
    Object.assign(this, { width, height });
    return true;
  }

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
    for (const node of this.arrangement.drawn) {
      if (node === this.arrangement.zoom) continue;
      if (this.arrangement.isOpened(node)) this.paintFrame(context, node);
      else this.paintTile(context, node);
    }
    if (this.lit) this.paintPins(context);
  }

  /** Puts a pin on what was found and is too small to stand out by its colour. */
  paintPins(context) {
    const found = this.arrangement.drawn.filter((node) => this.lit[node] && !this.arrangement.isOpened(node));
    if (found.length > MOST_PINS) return;
    for (const node of found) {
      const { x, y, w, h } = this.arrangement.box(node);
      if (w > SMALL && h > SMALL) continue;
      const [across, down] = [x + w / 2, y + h / 2];
      context.fillStyle = this.palette.focusHalo;
      context.fillRect(across - 4, down - 4, 8, 8);
      context.fillStyle = this.palette.focus;
      context.fillRect(across - 2.5, down - 2.5, 5, 5);
    }
  }

  snapped(node) {
    const { rect } = this.arrangement;
    const at = 4 * node;
    const snap = (value) => Math.round(value * this.ratio) / this.ratio;
    const [x, y] = [snap(rect[at]), snap(rect[at + 1])];
    const [right, bottom] = [snap(rect[at] + rect[at + 2]), snap(rect[at + 1] + rect[at + 3])];
    const gap = right - x > 4 && bottom - y > 4 ? 1 : 0;
    return { x, y, w: right - x - gap, h: bottom - y - gap };
  }

  isDim(node) {
    return this.lit !== null && !this.lit[node];
  }

  paintFrame(context, node) {
    const { x, y, w, h } = this.snapped(node);
    const { frames } = this.palette;
    context.fillStyle =
      frames[Math.min(frames.length - 1, Math.max(0, this.tree.kind[node] - PART + this.depthBelowOwner(node)))];
    context.fillRect(x, y, w, h);
    const header = this.arrangement.headerOf(node);
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
    lines.forEach((line, place) =>
      context.fillText(line, x + 4, h >= 34 ? y + 11 + 14 * place : y + Math.min(11, h / 2 + 0.5)),
    );
  }

  /** Takes the hatching away behind a label. */
  clearBehind(context, node, lines, { x, y }) {
    context.fillStyle = this.palette.colour(this.palette.group(node));
    lines.forEach((line, place) =>
      context.fillRect(x + 2, y + 3 + 14 * place, context.measureText(line).width + 4, 14),
    );
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

  /** Draws what changes with every move: each node given with how wide its outline is. */
  paintOverlay(outlined) {
    const context = this.context(this.overlay);
    context.clearRect(0, 0, this.width, this.height);
    for (const [node, width] of outlined) {
      if (node !== null && node !== this.arrangement.zoom && this.arrangement.isDrawn(node))
        this.outline(context, node, width);
    }
  }

  outline(context, node, width) {
    const { x, y, w, h } = this.snapped(node);
    for (const [colour, thick] of [
      [this.palette.focusHalo, width + 1.5],
      [this.palette.focus, width],
    ]) {
      context.lineWidth = thick;
      context.strokeStyle = colour;
      context.strokeRect(x, y, Math.max(1, w), Math.max(1, h));
    }
  }

  snapshot() {
    const copy = el("canvas", { width: this.canvas.width, height: this.canvas.height });
    copy.getContext("2d").drawImage(this.canvas, 0, 0);
    return copy;
  }

  /** Draws one picture on its way between its place in another one and the whole frame. */
  paintFlight({ outer, inner, box }, part) {
    const { width, height } = this;
    const context = this.context(this.canvas);
    const now = {
      x: box.x * (1 - part),
      y: box.y * (1 - part),
      w: box.w + (width - box.w) * part,
      h: box.h + (height - box.h) * part,
    };
    const [across, down] = [now.w / Math.max(1, box.w), now.h / Math.max(1, box.h)];
    context.drawImage(outer, now.x - box.x * across, now.y - box.y * down, width * across, height * down);
    context.globalAlpha = part;
    context.drawImage(inner, now.x, now.y, now.w, now.h);
    context.globalAlpha = 1;
  }
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
