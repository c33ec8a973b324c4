// Squarified treemaps: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000).

/**
 * Shares out a box among nodes, the heaviest first, in rows as square as can be; calls `place(node, x, y, w, h)`.
 *
 * Stops where what is left is too small to be seen: `place` is not called for the rest.
 */
function squarify(nodes, weight, box, place) {
  let { x, y, w, h } = box;
  let left = 0;
  for (const node of nodes) left += weight[node];
  for (let at = 0; at < nodes.length && left > 0 && w > 0.5 && h > 0.5;) {
    const scale = (w * h) / left;
    const side = Math.min(w, h);
    const row = fullRow(nodes, weight, at, scale, side);
    if (row.end === at) return;
    const thick = (row.sum * scale) / side;
    placeRow(nodes, weight, at, row.end, { x, y, thick, scale, isColumn: w >= h }, place);
    if (w >= h) [x, w] = [x + thick, w - thick];
    else [y, h] = [y + thick, h - thick];
    left -= row.sum;
    at = row.end;
  }
}

/** Takes nodes as long as the worst of them comes out squarer than before. */
function fullRow(nodes, weight, from, scale, side) {
  const most = weight[nodes[from]] * scale;
  const square = side * side;
  let sum = 0;
  let worst = Infinity;
  let end = from;
  for (; end < nodes.length; end++) {
    const area = weight[nodes[end]] * scale;
    if (!(area > 0)) break;
    const whole = sum * scale + area;
    const ratio = Math.max((square * most) / (whole * whole), (whole * whole) / (square * area));
    if (ratio > worst) break;
    worst = ratio;
    sum += weight[nodes[end]];
  }
  return { end, sum };
}

function placeRow(nodes, weight, from, end, { x, y, thick, scale, isColumn }, place) {
  let along = isColumn ? y : x;
  for (let at = from; at < end; at++) {
    const length = (weight[nodes[at]] * scale) / thick;
    if (isColumn) place(nodes[at], x, along, thick, length);
    else place(nodes[at], along, y, length, thick);
    along += length;
  }
}
