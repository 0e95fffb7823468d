// Lasso: the points of the map that a polygon on the screen encloses.

/** @typedef {import('./viewport.js').Place} Place */

/**
 * Return the points within a polygon, in ascending order. Points that filters leave out are skipped.
 *
 * @param {import('./points.js').Points} points
 * @param {import('./viewport.js').Viewport} viewport
 * @param {Place[]} polygon Corners on the screen.
 * @returns {number[]}
 */
export function enclosedPoints(points, viewport, polygon) {
  const corners = polygon.map(([x, y]) => viewport.toPlane(x, y));
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of corners) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  /** @type {number[]} */
  const found = [];
  if (!corners.length) return found;
  points.grid.inBox([left, top, right, bottom], (at) => {
    if (!points.left?.[at] && isInside(points.xy[2 * at], points.xy[2 * at + 1], corners)) found.push(at);
  });
  return found.sort((a, b) => a - b);
}

/**
 * Return whether a place lies within a polygon (even-odd rule).
 *
 * @param {number} x
 * @param {number} y
 * @param {Place[]} polygon Its corners; the last one is joined to the first.
 * @returns {boolean}
 */
export function isInside(x, y, polygon) {
  let within = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at, at += 1) {
    const [[ax, ay], [bx, by]] = [polygon[at], polygon[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}
