// Windowing: computes which rows of a long list lie in the visible part.

/**
 * Return where rows begin: one offset more than there are rows, the last of which is the height of all.
 *
 * @param {ArrayLike<number>} heights Height of each row, in pixels.
 * @returns {Float64Array}
 */
export function rowOffsets(heights) {
  const offsets = new Float64Array(heights.length + 1);
  for (let at = 0; at < heights.length; at += 1) offsets[at + 1] = offsets[at] + heights[at];
  return offsets;
}

/**
 * Return the row at a height: the first one for any height above it, the last one for any below it.
 *
 * @param {ArrayLike<number>} offsets Of `rowOffsets`.
 * @param {number} height Pixels from the top of the first row.
 * @returns {number}
 */
export function rowAt(offsets, height) {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle] <= height) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Return the rows that a window shows, and those within a margin above and below it.
 *
 * @param {ArrayLike<number>} offsets Of `rowOffsets`.
 * @param {number} top Upper edge of the window, in pixels from the top of the first row.
 * @param {number} height Height of the window, in pixels.
 * @param {number} margin Pixels.
 * @returns {{first: number, last: number}} `last` is less than `first` where there are no rows.
 */
export function rowsInWindow(offsets, top, height, margin) {
  if (offsets.length < 2) return { first: 0, last: -1 };
  return { first: rowAt(offsets, top - margin), last: rowAt(offsets, top + height + margin) };
}

/**
 * Return how far to scroll so that a row lies between what sticks to the upper edge of a window and its lower edge.
 *
 * @param {{top: number, bottom: number}} row In pixels from the top of the window.
 * @param {number} height Height of the window, in pixels.
 * @param {{above: number, below: number}} margins Pixels to keep free.
 * @returns {number} Pixels, negative for upwards; 0 where the row is in view already.
 */
export function scrollToRow({ top, bottom }, height, { above, below }) {
  if (top < above) return top - above;
  return Math.max(0, bottom - (height - below));
}
