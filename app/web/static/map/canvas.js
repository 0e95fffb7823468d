// Canvas of the map: sets points into a picture pixel by pixel, 100,000 of them within a few milliseconds, without a GPU.

const MARGIN = 0.06; // share of each side that stays free around the whole map
const CLOSEST = 4000; // largest magnification of the whole map

/** A view of the plane: its middle (`x`, `y`), and CSS pixels per unit (`scale`). */
export class MapCanvas {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.width = 0;
    this.height = 0;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
  }

  /** @param {import('./points.js').Points} points */
  setPoints(points) {
    const first = !this.points;
    this.points = points;
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < points.count; at += 1) {
      const [x, y] = [points.xy[2 * at], points.xy[2 * at + 1]];
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
    this.box = points.count ? box : [-1, -1, 1, 1];
    if (first) this.fit();
  }

  /** @param {{colours: Uint32Array, order: Uint32Array}} colouring As `Points.coloured` returns it. */
  setColours({ colours, order }) {
    this.colours = colours;
    this.order = order;
    // Copied in the order of drawing, so that memory is read from one end to the other.
    this.places = new Float32Array(2 * order.length);
    this.inks = new Uint32Array(order.length);
    order.forEach((at, place) => {
      this.places[2 * place] = this.points.xy[2 * at];
      this.places[2 * place + 1] = this.points.xy[2 * at + 1];
      this.inks[place] = colours[at];
    });
  }

  resize(width, height) {
    const whole = this.fitted;
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.max(1, Math.round(width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(height * this.ratio));
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    if (whole) this.fit();
  }

  /** Pixels per unit at which the whole map is visible. */
  get fitScale() {
    const [left, top, right, bottom] = this.box ?? [-1, -1, 1, 1];
    const free = 1 - 2 * MARGIN;
    return Math.max(
      1,
      Math.min((free * this.width) / Math.max(right - left, 0.4), (free * this.height) / Math.max(bottom - top, 0.4)),
    );
  }

  get fitted() {
    return this.atFit === `${this.x} ${this.y} ${this.scale}`;
  }

  fit() {
    const [left, top, right, bottom] = this.box ?? [-1, -1, 1, 1];
    [this.x, this.y, this.scale] = [(left + right) / 2, (top + bottom) / 2, this.fitScale];
    this.atFit = `${this.x} ${this.y} ${this.scale}`;
  }

  get magnification() {
    return this.scale / this.fitScale;
  }

  toScreen(at) {
    return [
      (this.points.xy[2 * at] - this.x) * this.scale + this.width / 2,
      (this.points.xy[2 * at + 1] - this.y) * this.scale + this.height / 2,
    ];
  }

  toPlane(x, y) {
    return [(x - this.width / 2) / this.scale + this.x, (y - this.height / 2) / this.scale + this.y];
  }

  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.keepInside();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const [planeX, planeY] = this.toPlane(x, y);
    this.scale = Math.min(Math.max(this.scale * factor, this.fitScale * 0.7), this.fitScale * CLOSEST);
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

  /** Radius of a point in CSS pixels: as large as the room allows. */
  get radius() {
    const room = (this.width * this.height) / Math.max(1, this.points?.count ?? 1);
    return Math.min(6.5, Math.max(1.25, 0.2 * Math.sqrt(room) * Math.sqrt(this.magnification)));
  }

  draw() {
    if (!this.inks || !this.pixels) return;
    const started = performance.now();
    const { pixels, places, inks } = this;
    const [columns, rows] = [this.canvas.width, this.canvas.height];
    pixels.fill(0);
    const scale = this.scale * this.ratio;
    const [offsetX, offsetY] = [columns / 2 - this.x * scale, rows / 2 - this.y * scale];
    const radius = this.radius * this.ratio;
    const reach = Math.ceil(radius);
    const { steps, covers } = this.brush(radius, reach, columns);
    for (let place = 0; place < inks.length; place += 1) {
      const x = (places[2 * place] * scale + offsetX + 0.5) | 0;
      const y = (places[2 * place + 1] * scale + offsetY + 0.5) | 0;
      if (x < reach || y < reach || x >= columns - reach || y >= rows - reach) continue;
      const colour = inks[place];
      const middle = y * columns + x;
      for (let step = 0; step < steps.length; step += 1) {
        const pixel = middle + steps[step];
        pixels[pixel] = covers[step] === 255 ? colour : blend(pixels[pixel], colour, covers[step]);
      }
    }
    this.context.putImageData(this.image, 0, 0);
    this.took = performance.now() - started;
  }

  /** Return the pixels that a disc covers, as offsets from its middle, and how much of each it covers, 1 to 255. */
  brush(radius, reach, columns) {
    const key = `${radius} ${columns}`;
    if (this.brushKey === key) return this.brushMade;
    const steps = [];
    const covers = [];
    for (let y = -reach; y <= reach; y += 1) {
      for (let x = -reach; x <= reach; x += 1) {
        const cover = Math.round(255 * Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y))));
        if (cover > 0) {
          steps.push(y * columns + x);
          covers.push(cover);
        }
      }
    }
    this.brushKey = key;
    this.brushMade = { steps: Int32Array.from(steps), covers: Uint8Array.from(covers) };
    return this.brushMade;
  }

  // Pictures on points

  /**
   * Choose points for pictures, so far apart that none overlaps another at this scale or a larger one. The choice does not
   * depend on the part that is visible, so that nothing jumps while the view moves.
   *
   * @param {number} width Of a picture, in CSS pixels.
   * @param {number} height
   * @returns {number[]} Indices of points, the topmost first.
   */
  spread(width, height) {
    const level = Math.floor(2 * Math.log2(this.magnification) + 1e-6);
    const key = `${level} ${this.width} ${this.height}`;
    if (this.spreadKey === key && this.spreadOrder === this.order) return this.spreadMade;
    [this.spreadKey, this.spreadOrder] = [key, this.order];
    const scale = this.fitScale * 2 ** (level / 2);
    const [cellX, cellY] = [width / scale, height / scale];
    const taken = new Map();
    const made = [];
    const { xy, left } = this.points;
    for (let place = this.order.length - 1; place >= 0; place -= 1) {
      const at = this.order[place];
      if (left?.[at]) break; // points that filters leave out are the lowest
      const [x, y] = [xy[2 * at], xy[2 * at + 1]];
      const [column, row] = [Math.floor(x / cellX), Math.floor(y / cellY)];
      const cell = row * 1048576 + column;
      if (taken.has(cell)) continue;
      let free = true;
      for (let dy = -1; free && dy <= 1; dy += 1) {
        for (let dx = -1; free && dx <= 1; dx += 1) {
          const other = taken.get(cell + dy * 1048576 + dx);
          if (other !== undefined)
            free = Math.abs(xy[2 * other] - x) >= cellX || Math.abs(xy[2 * other + 1] - y) >= cellY;
        }
      }
      if (!free) continue;
      taken.set(cell, at);
      made.push(at);
    }
    this.spreadMade = made;
    return made;
  }
}

/** Return the RGBA pixel (little-endian) of a colour over another, of which it covers `cover` (1 to 255). */
function blend(under, over, cover) {
  const alpha = under >>> 24;
  if (alpha === 0) return ((cover << 24) | (over & 0xffffff)) >>> 0;
  const rest = 255 - cover;
  const red = ((over & 255) * cover + (under & 255) * rest) >> 8;
  const green = (((over >> 8) & 255) * cover + ((under >> 8) & 255) * rest) >> 8;
  const blue = (((over >> 16) & 255) * cover + ((under >> 16) & 255) * rest) >> 8;
  return ((Math.max(alpha, cover) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
