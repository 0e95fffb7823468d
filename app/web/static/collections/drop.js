// Geometry of a drag: the gap that a height points at, and the scrolling near an edge.

const EDGE_PIXELS = 56;
const STEP_PIXELS = 12;

/**
 * Return the gap between rows that is nearest to a height.
 *
 * @param {{top: number, height: number}[]} boxes Those of the rows that stay, from top to bottom.
 * @param {number} y
 * @returns {number} Number of rows above the gap: 0 for the first place.
 */
export function gapAt(boxes, y) {
  return boxes.findLastIndex((box) => box.top + box.height / 2 < y) + 1;
}

/**
 * Return by how much a list scrolls at each frame while something is dragged at a height.
 *
 * @param {number} y
 * @param {{top: number, bottom: number}} box That of the list; parts of it may lie outside the window.
 * @param {number} height That of the window.
 * @returns {number} Pixels, negative for upwards; 0 away from the edges.
 */
export function scrollStep(y, { top, bottom }, height) {
  if (y < Math.max(0, top) + EDGE_PIXELS) return -STEP_PIXELS;
  if (y > Math.min(bottom, height) - EDGE_PIXELS) return STEP_PIXELS;
  return 0;
}
