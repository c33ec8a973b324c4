// The box that tells about a node: beside the pointer, or at what the keyboard is on.

const MARGIN = 8;

class Tip {
  constructor(element) {
    this.element = element;
    this.node = null;
  }

  get isShown() {
    return !this.element.hidden;
  }

  /** Shows a content at a point of the window; where there is no room below `y`, it ends at `above`. */
  show(node, content, at) {
    if (this.node !== node || !this.isShown) this.element.replaceChildren(...content());
    this.node = node;
    this.element.hidden = false;
    this.place(at);
  }

  place({ x, y, above }) {
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const left = Math.max(MARGIN, Math.min(x, document.documentElement.clientWidth - width - MARGIN));
    const fits = y + height + MARGIN <= window.innerHeight;
    const top = fits ? y : Math.max(MARGIN, Math.min(above - height, window.innerHeight - height - MARGIN));
    this.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  hide() {
    this.element.hidden = true;
    this.node = null;
  }
}
