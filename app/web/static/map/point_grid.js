// Grid over the plane that finds points by place without looking at all of them.

const CELLS = 256; // rows and columns
const EDGE = 1.15; // the grid reaches from -EDGE to EDGE; points outside are in the cells at its edge

/** Points by cell. */
export class PointGrid {
  /**
   * @param {ArrayLike<number>} xy x and y of each point.
   * @param {number} stretch Width by height of the grid.
   */
  constructor(xy, stretch) {
    this.stretch = stretch;
    const count = xy.length / 2;
    const cells = new Uint32Array(count);
    this.starts = new Uint32Array(CELLS * CELLS + 1); // of each cell in `points`
    for (let at = 0; at < count; at += 1) {
      cells[at] = cellOf(xy[2 * at + 1]) * CELLS + cellOf(xy[2 * at] / stretch);
      this.starts[cells[at] + 1] += 1;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell += 1) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.points = new Uint32Array(count); // indices, cell by cell
    for (let at = 0; at < count; at += 1) this.points[next[cells[at]]++] = at;
  }

  /**
   * Visit every point of the cells that a box touches: all points in the box, and some around it.
   *
   * @param {import('./viewport.js').Box} box
   * @param {(at: number) => void} visit
   */
  inBox([left, top, right, bottom], visit) {
    const [x0, x1] = [cellOf(left / this.stretch), cellOf(right / this.stretch)];
    const [y0, y1] = [cellOf(top), cellOf(bottom)];
    for (let y = y0; y <= y1; y += 1) {
      const end = this.starts[y * CELLS + x1 + 1];
      for (let place = this.starts[y * CELLS + x0]; place < end; place += 1) visit(this.points[place]);
    }
  }
}

/** @param {number} value */
function cellOf(value) {
  return Math.min(CELLS - 1, Math.max(0, Math.floor(((value + EDGE) / (2 * EDGE)) * CELLS)));
}
