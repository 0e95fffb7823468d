// Colour ramp of scores. Lightness runs one way only, so that scores can be read without telling hues apart, and away from
// the background, so that the best stand out: dark to bright on dark, pale to dark on light.

import { element } from './dom.js';

// OKLCH: lightness, chroma, hue in degrees. Hues run below 0 and past 360, so that mixing takes the short way round.
const LIGHT = [
  [0.9, 0.035, 95],
  [0.77, 0.13, 70],
  [0.61, 0.19, 30],
  [0.45, 0.18, -5],
  [0.29, 0.12, -45],
];
const DARK = [
  [0.33, 0.045, 265],
  [0.46, 0.13, 295],
  [0.61, 0.19, 350],
  [0.77, 0.16, 415],
  [0.95, 0.13, 462],
];
const STEPS = 256;

/** @type {Map<boolean, Uint8ClampedArray>} */
const tables = new Map();

/**
 * Return the ramp as a table.
 *
 * @param {boolean} dark Whether the page is dark.
 * @returns {Uint8ClampedArray} 256 times red, green and blue, from the lowest score to the highest.
 */
export function rampTable(dark) {
  const made = tables.get(dark);
  if (made) return made;
  const stops = dark ? DARK : LIGHT;
  const table = new Uint8ClampedArray(3 * STEPS);
  for (let at = 0; at < STEPS; at += 1) {
    const place = (at / (STEPS - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    const [lightness, chroma, hue] = stops[low].map(
      (value, part) => value + (place - low) * (stops[low + 1][part] - value),
    );
    table.set(fromOklch(lightness, chroma, hue), 3 * at);
  }
  tables.set(dark, table);
  return table;
}

/**
 * Return the CSS colour of a score.
 *
 * @param {number} share Place on the ramp, 0 to 1.
 * @param {boolean} dark Whether the page is dark.
 * @returns {string}
 */
export function rampColour(share, dark) {
  const at = 3 * Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1));
  const table = rampTable(dark);
  return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
}

/**
 * Convert an OKLCH colour to sRGB.
 *
 * @param {number} lightness 0 to 1.
 * @param {number} chroma
 * @param {number} hue Degrees.
 * @returns {number[]} Red, green and blue, 0 to 255.
 */
export function fromOklch(lightness, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((linear) => 255 * (linear <= 0.0031308 ? 12.92 * Math.max(0, linear) : 1.055 * linear ** (1 / 2.4) - 0.055));
}

/**
 * Create the legend of the ramp.
 *
 * @param {number} low Score of the lowest colour.
 * @param {number} high Score of the highest colour.
 * @param {boolean} dark Whether the page is dark.
 * @param {object} [options]
 * @param {string} [options.title]
 * @param {[number, string][]} [options.marks] Further marks: place on the ramp, 0 to 1, and text.
 * @returns {HTMLElement}
 */
export function legend(low, high, dark, { title = 'Score', marks = [] } = {}) {
  const bar = element('span', { class: 'ps-legend-bar', 'aria-hidden': 'true' });
  const colours = Array.from({ length: 9 }, (_, at) => rampColour(at / 8, dark));
  bar.style.background = `linear-gradient(90deg, ${colours.join(', ')})`;
  const scale = element('span', { class: 'ps-legend-scale' }, bar);
  /** @type {[number, string][]} */
  const numbers = [
    [0, low.toFixed(2)],
    [0.5, ((low + high) / 2).toFixed(2)],
    [1, high.toFixed(2)],
  ];
  for (const [share, text] of [...numbers, ...marks]) {
    const mark = element('span', { class: 'ps-legend-mark', text });
    mark.style.left = `${100 * Math.min(1, Math.max(0, share))}%`;
    scale.append(mark);
  }
  return element(
    'div',
    { class: 'ps-legend', role: 'img', 'aria-label': `${title}: from ${low.toFixed(2)} to ${high.toFixed(2)}` },
    element('span', { class: 'ps-legend-title', text: title }),
    scale,
  );
}
