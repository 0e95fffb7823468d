// Canvas of the map: its points as discs, seen through a viewport.

import { drawingContext } from '../core/dom.js';
import { drawDiscs } from './raster.js';
import { spreadPoints } from './spread.js';
import { Viewport } from './viewport.js';

/** @typedef {import('./points.js').Points} Points */

/** Draws the points, and chooses those that have pictures. */
export class MapCanvas {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = drawingContext(canvas);
    this.viewport = new Viewport();
    this.ratio = 1; // pixels of the screen per CSS pixel
    /** @type {Points | null} */
    this.points = null;
    /** @type {ImageData | null} */
    this.image = null;
    this.pixels = new Uint32Array(0); // those of the image
    this.took = 0; // milliseconds of the last drawing
    /** @type {Uint32Array} */
    this.colours = new Uint32Array(0);
    /** @type {Uint32Array} */
    this.order = new Uint32Array(0);
    // Copied in the order of drawing, so that memory is read from one end to the other.
    this.places = new Float32Array(0);
    this.drawnColours = new Uint32Array(0);
    /** @type {{key: string, order: Uint32Array, chosen: number[]} | null} */
    this.lastSpread = null;
  }

  /** @param {Points} points */
  setPoints(points) {
    const first = !this.points;
    this.points = points;
    this.viewport.box = points.box;
    if (first) this.viewport.fit();
  }

  /** @param {import('./colouring.js').Colouring} colouring Of the points. */
  setColours({ colours, order }) {
    if (!this.points) return;
    const { xy } = this.points;
    const [places, drawnColours] = [new Float32Array(2 * order.length), new Uint32Array(order.length)];
    order.forEach((at, place) => {
      places[2 * place] = xy[2 * at];
      places[2 * place + 1] = xy[2 * at + 1];
      drawnColours[place] = colours[at];
    });
    this.colours = colours;
    this.order = order;
    this.places = places;
    this.drawnColours = drawnColours;
  }

  /**
   * @param {number} width In CSS pixels.
   * @param {number} height
   */
  resize(width, height) {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.viewport.resize(width, height);
  }

  /**
   * Return where a point is on the screen.
   *
   * @param {number} at Index of the point.
   * @returns {import('./viewport.js').Place}
   */
  toScreen(at) {
    const xy = this.points?.xy ?? [];
    return this.viewport.toScreen(xy[2 * at], xy[2 * at + 1]);
  }

  /** Radius of a point in CSS pixels: as large as the room allows. */
  get radius() {
    const { width, height, magnification } = this.viewport;
    const room = (width * height) / Math.max(1, this.points?.count ?? 1);
    return Math.min(6.5, Math.max(1.25, 0.2 * Math.sqrt(room) * Math.sqrt(magnification)));
  }

  draw() {
    if (!this.image) return;
    const started = performance.now();
    const { viewport, pixels, places, drawnColours } = this;
    const { width: columns, height: rows } = this.canvas;
    const scale = viewport.scale * this.ratio;
    const placement = { scale, x: columns / 2 - viewport.x * scale, y: rows / 2 - viewport.y * scale };
    pixels.fill(0);
    drawDiscs({ pixels, columns, rows }, places, drawnColours, placement, this.radius * this.ratio);
    this.context.putImageData(this.image, 0, 0);
    this.took = performance.now() - started;
  }

  /**
   * Choose points for pictures, so far apart that none overlaps another at this scale or a larger one. The choice does not
   * depend on the part that is visible, so that nothing jumps while the view moves.
   *
   * @param {number} width Of a picture, in CSS pixels.
   * @param {number} height
   * @returns {number[]} Indices of points, the topmost first.
   */
  spread(width, height) {
    if (!this.points) return [];
    const { viewport, order, lastSpread } = this;
    const level = Math.floor(2 * Math.log2(viewport.magnification) + 1e-6);
    const key = [level, viewport.width, viewport.height, width, height].join(' ');
    if (lastSpread?.key === key && lastSpread.order === order) return lastSpread.chosen;
    const scale = viewport.fitScale * 2 ** (level / 2);
    const chosen = spreadPoints(order, this.points.xy, this.points.left, width / scale, height / scale);
    this.lastSpread = { key, order, chosen };
    return chosen;
  }
}
