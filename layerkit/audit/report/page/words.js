// Figures and texts as people read them, and the one way in which elements are made: text only ever becomes text.

const MIB = 1048576;
const SVG = "http://www.w3.org/2000/svg";
const NO_OWNER = "(no distribution)";
const UNKNOWN = "unknown";

/** Renders bytes as the command line does: one decimal, halves to the even neighbour. */
function mib(bytes) {
  const tenths = (bytes * 10) / MIB;
  const below = Math.floor(tenths);
  const rest = tenths - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  return `${grouped(Math.floor((below + (up ? 1 : 0)) / 10))}.${(below + (up ? 1 : 0)) % 10} MiB`;
}

/** Renders bytes so that small files are told apart, too. */
function size(bytes) {
  if (bytes >= MIB / 10) return mib(bytes);
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} B`;
}

/** Tells what a part takes unzipped: a part that could not be read, nobody knows what. */
function unzippedText(part) {
  return part.isRead ? mib(part.unzipped) : UNKNOWN;
}

function zippedText(part) {
  return part.zipped === null ? "–" : mib(part.zipped);
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function count(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function percent(share) {
  if (!share) return "0%";
  if (share < 0.001) return "<0.1%";
  return share < 0.0995 ? `${(share * 100).toFixed(1)}%` : `${Math.round(share * 100)}%`;
}

/** Makes what would change how a text is shown, or not show at all, visible as one sign. */
function shown(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]/gu,
    "\ufffd",
  );
}

/** Leaves out the middle of a text that is too long: both ends of a path tell something. */
function shortened(text, most) {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

/** Makes an element; `on…` attributes are listeners, children are elements or text. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Makes an icon of the page's own set. */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Turns `code` in backticks into elements. */
function prose(text) {
  return shown(text)
    .split(/`([^`]*)`/)
    .map((piece, place) => (place % 2 ? el("code", {}, piece) : piece));
}

/** Makes a bar that is filled to a share of its width. */
function bar(share, attributes = {}) {
  const fill = el("span", { class: "bar-fill" });
  fill.style.width = `${Math.min(1, Math.max(0, share || 0)) * 100}%`;
  return el("span", { class: "bar", "aria-hidden": "true", ...attributes }, fill);
}

/** Makes a path of which, where there is no room, the name stays and the middle goes. */
function pathParts(path) {
  const at = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, at), path.slice(at)].map((part) => shown(shortened(part, 200)));
  return el("span", { class: "path path-parts", title: shown(path) }, el("span", {}, folder), el("span", {}, name));
}

function byId(id) {
  return document.getElementById(id);
}
