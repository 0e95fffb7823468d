// Choice of points for pictures: so far apart that no picture overlaps another.

const ROW = 1048576; // columns that a row of cells may have

/**
 * Choose points, the topmost first. Each must keep clear of those chosen before it.
 *
 * @param {ArrayLike<number>} order Indices of points, the topmost last.
 * @param {ArrayLike<number>} xy x and y of each point.
 * @param {ArrayLike<number> | null} left Not 0 for points that filters leave out; those are the lowest.
 * @param {number} width Of a picture, in units of the plane.
 * @param {number} height
 * @returns {number[]}
 */
export function spreadPoints(order, xy, left, width, height) {
  const taken = new Map(); // the point chosen in each cell; a second one there would overlap it
  const chosen = [];
  for (let place = order.length - 1; place >= 0; place -= 1) {
    const at = order[place];
    if (left?.[at]) break;
    const [x, y] = [xy[2 * at], xy[2 * at + 1]];
    const cell = Math.floor(y / height) * ROW + Math.floor(x / width);
    if (taken.has(cell)) continue;
    let free = true;
    for (let dy = -1; free && dy <= 1; dy += 1) {
      for (let dx = -1; free && dx <= 1; dx += 1) {
        const other = taken.get(cell + dy * ROW + dx);
        if (other !== undefined)
          free = Math.abs(xy[2 * other] - x) >= width || Math.abs(xy[2 * other + 1] - y) >= height;
      }
    }
    if (!free) continue;
    taken.set(cell, at);
    chosen.push(at);
  }
  return chosen;
}
