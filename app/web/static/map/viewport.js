// Viewport of the map: the part of the plane that is seen, and conversion between places of the plane and of the screen.

const MARGIN = 0.06; // share of each side that stays free around the whole map
const SMALLEST = 0.4; // units that are shown at least, so that a map of one point is not enlarged without end
const FARTHEST = 0.7; // magnification of the whole map, at least
const CLOSEST = 4000; // and at most

/** @typedef {[left: number, top: number, right: number, bottom: number]} Box In units of the plane. */
/** @typedef {[x: number, y: number]} Place */

/**
 * Return the box around points.
 *
 * @param {ArrayLike<number>} xy x and y of each point.
 * @returns {Box} The middle of the plane where there is no point.
 */
export function boxAround(xy) {
  if (xy.length < 2) return [-1, -1, 1, 1];
  /** @type {Box} */
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let place = 0; place < xy.length; place += 2) {
    const [x, y] = [xy[place], xy[place + 1]];
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  return box;
}

/** The middle of what is seen (`x`, `y`), CSS pixels per unit (`scale`), and the size of the screen in CSS pixels. */
export class Viewport {
  constructor() {
    this.width = 0;
    this.height = 0;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    /** @type {Box} */
    this.box = [-1, -1, 1, 1];
    this.fitted = true; // whether the whole map is shown, and has not been moved since
  }

  /**
   * Change the size of the screen. A map that is shown whole stays so.
   *
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    [this.width, this.height] = [width, height];
    if (this.fitted) this.fit();
  }

  /** Corners of the screen, one after the other. */
  get corners() {
    const { width, height } = this;
    /** @type {Place[]} */
    const corners = [
      [0, 0],
      [width, 0],
      [width, height],
      [0, height],
    ];
    return corners;
  }

  /** Pixels per unit at which the whole map is visible. */
  get fitScale() {
    const [left, top, right, bottom] = this.box;
    const free = 1 - 2 * MARGIN;
    return Math.max(
      1,
      Math.min(
        (free * this.width) / Math.max(right - left, SMALLEST),
        (free * this.height) / Math.max(bottom - top, SMALLEST),
      ),
    );
  }

  /** Show the whole map. */
  fit() {
    const [left, top, right, bottom] = this.box;
    [this.x, this.y, this.scale] = [(left + right) / 2, (top + bottom) / 2, this.fitScale];
    this.fitted = true;
  }

  get magnification() {
    return this.scale / this.fitScale;
  }

  /**
   * Convert a place of the plane to the screen.
   *
   * @param {number} x
   * @param {number} y
   * @returns {Place}
   */
  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  /**
   * Convert a place of the screen to the plane.
   *
   * @param {number} x
   * @param {number} y
   * @returns {Place}
   */
  toPlane(x, y) {
    return [(x - this.width / 2) / this.scale + this.x, (y - this.height / 2) / this.scale + this.y];
  }

  /**
   * Move the map, as far as the middle of the view stays within it.
   *
   * @param {number} dx Pixels to the right.
   * @param {number} dy Pixels down.
   */
  pan(dx, dy) {
    this.fitted = false;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.keepInside();
  }

  /**
   * Zoom within limits. The place of the map at (x, y) stays where it is.
   *
   * @param {number} factor
   * @param {number} [x] On the screen; the middle where it is left out.
   * @param {number} [y]
   */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    this.fitted = false;
    const [planeX, planeY] = this.toPlane(x, y);
    this.scale = Math.min(Math.max(this.scale * factor, this.fitScale * FARTHEST), this.fitScale * CLOSEST);
    const [nowX, nowY] = this.toPlane(x, y);
    this.x += planeX - nowX;
    this.y += planeY - nowY;
    this.keepInside();
  }

  /** Keep the middle of the view within the map, so that it cannot be lost. */
  keepInside() {
    const [left, top, right, bottom] = this.box;
    this.x = Math.min(Math.max(this.x, left), right);
    this.y = Math.min(Math.max(this.y, top), bottom);
  }
}
