// Raster of the map: discs set into a picture pixel by pixel, 100,000 of them within a few milliseconds, without a GPU.

/** @typedef {{pixels: Uint32Array, columns: number, rows: number}} Picture Pixels are RGBA, little-endian. */
/** @typedef {{scale: number, x: number, y: number}} Placement Pixels per unit, and the pixel of the plane's origin. */

/**
 * Draw discs of one size, later ones over earlier ones. Those that the edge of the picture would cut are left out.
 *
 * @param {Picture} picture
 * @param {Float32Array} places x and y of each disc, in units of the plane.
 * @param {Uint32Array} colours The colour of each.
 * @param {Placement} placement
 * @param {number} radius In pixels.
 */
export function drawDiscs({ pixels, columns, rows }, places, colours, { scale, x: originX, y: originY }, radius) {
  const reach = Math.ceil(radius);
  const { steps, covers } = disc(radius, columns);
  for (let place = 0; place < colours.length; place += 1) {
    const x = (places[2 * place] * scale + originX + 0.5) | 0;
    const y = (places[2 * place + 1] * scale + originY + 0.5) | 0;
    if (x < reach || y < reach || x >= columns - reach || y >= rows - reach) continue;
    const colour = colours[place];
    const middle = y * columns + x;
    for (let step = 0; step < steps.length; step += 1) {
      const pixel = middle + steps[step];
      pixels[pixel] = covers[step] === 255 ? colour : blend(pixels[pixel], colour, covers[step]);
    }
  }
}

/**
 * Return the pixels that a disc covers.
 *
 * @param {number} radius
 * @param {number} columns Of the picture.
 * @returns {{steps: Int32Array, covers: Uint8Array}} Offsets from the middle, and how much of each is covered, 1 to 255.
 */
export function disc(radius, columns) {
  const reach = Math.ceil(radius);
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
  return { steps: Int32Array.from(steps), covers: Uint8Array.from(covers) };
}

/**
 * Return the pixel of a colour over another.
 *
 * @param {number} under
 * @param {number} over
 * @param {number} cover How much is covered, 1 to 255.
 * @returns {number}
 */
export function blend(under, over, cover) {
  const alpha = under >>> 24;
  if (alpha === 0) return ((cover << 24) | (over & 0xffffff)) >>> 0;
  const rest = 255 - cover;
  const red = ((over & 255) * cover + (under & 255) * rest) >> 8;
  const green = (((over >> 8) & 255) * cover + ((under >> 8) & 255) * rest) >> 8;
  const blue = (((over >> 16) & 255) * cover + ((under >> 16) & 255) * rest) >> 8;
  return ((Math.max(alpha, cover) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
