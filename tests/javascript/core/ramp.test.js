import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../page.js';
import { fromOklch, legend, rampColour, rampTable } from '../../../app/web/static/core/ramp.js';

/** @param {number[]} rgb */
function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((value) => (value / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test('OKLCH becomes the sRGB that the standard gives for it', () => {
  // White, black, and the primaries, whose OKLCH is published with the colour space.
  for (const [oklch, rgb] of [
    [
      [1, 0, 0],
      [255, 255, 255],
    ],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
    [
      [0.627955, 0.257683, 29.2339],
      [255, 0, 0],
    ],
    [
      [0.86644, 0.294827, 142.4953],
      [0, 255, 0],
    ],
    [
      [0.452014, 0.313214, 264.052],
      [0, 0, 255],
    ],
  ]) {
    const [lightness, chroma, hue] = oklch;
    for (const turn of [0, 360, -360]) {
      const found = fromOklch(lightness, chroma, hue + turn).map((value) => Math.round(value));
      assert.deepEqual(
        found.map((value) => value + 0),
        rgb,
        String(oklch),
      );
    }
  }
});

for (const dark of [false, true]) {
  test(`the ramp runs one way in lightness, away from a ${dark ? 'dark' : 'light'} page`, () => {
    const table = rampTable(dark);
    assert.equal(table.length, 3 * 256);
    for (let at = 1; at < 256; at += 1) {
      const step = luminance([...table.slice(3 * at, 3 * at + 3)]) - luminance([...table.slice(3 * at - 3, 3 * at)]);
      assert(dark ? step > -0.002 : step < 0.002, `${at}: ${step}`);
    }
    const [low, high] = [luminance([...table.slice(0, 3)]), luminance([...table.slice(-3)])];
    assert(dark ? high > low + 0.5 : low > high + 0.5);
    assert.equal(rampTable(dark), table, 'made once');
  });
}

test('a share finds its colour, and one outside 0 to 1 the end of the ramp', () => {
  const table = rampTable(true);
  /** @param {number} at */
  const colour = (at) => `rgb(${table[3 * at]} ${table[3 * at + 1]} ${table[3 * at + 2]})`;
  assert.equal(rampColour(0, true), colour(0));
  assert.equal(rampColour(-7, true), colour(0));
  assert.equal(rampColour(1, true), colour(255));
  assert.equal(rampColour(1.01, true), colour(255));
  assert.equal(rampColour(100 / 255, true), colour(100));
  assert.notEqual(rampColour(1, true), rampColour(1, false));
});

test('the legend names its ends and their middle, and keeps marks on the scale', () => {
  const made = legend(0.1, 0.3, false, { title: 'Match', marks: [[1.4, 'cut']] });
  assert.equal(made.getAttribute('aria-label'), 'Match: from 0.10 to 0.30');
  /** @type {NodeListOf<HTMLElement>} */
  const marks = made.querySelectorAll('.ps-legend-mark');
  assert.deepEqual(
    [...marks].map((mark) => [mark.textContent, mark.style.left]),
    [
      ['0.10', '0%'],
      ['0.20', '50%'],
      ['0.30', '100%'],
      ['cut', '100%'],
    ],
  );
});
