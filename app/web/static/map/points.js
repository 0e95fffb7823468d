// Points of the map: loaded from the server, found by place, coloured by folder, video or score.

import { api } from '../core/api.js';
import { fromOklch, rampTable } from '../core/ramp.js';

const CELLS = 256; // rows and columns of the grid that finds points by place
const EDGE = 1.15; // the grid reaches from -EDGE to EDGE, wider by `stretch` from side to side
const LEFT_OUT = 65535;
const STEPS = 65534;
// Eight colours that the colour-blind can tell apart, on light and on dark; all other folders are grey.
const FOLDERS = [
  [68, 119, 170],
  [238, 102, 119],
  [34, 136, 51],
  [204, 187, 68],
  [102, 204, 238],
  [170, 51, 119],
  [224, 123, 57],
  [122, 104, 196],
];
const OTHER = [140, 144, 148];

/** The points of one version of the map, by index; `ids` are segments, in ascending order. */
export class Points {
  /**
   * Load a version of an encoder's map.
   *
   * @param {string} encoder
   * @param {string} version
   * @param {number} [stretch] Width by height of the drawn map. Only nearness means something, so it may fill the stage.
   * @returns {Promise<Points>}
   * @throws {Error} The server refused the request, or did not answer.
   */
  static async load(encoder, version, stretch = 1) {
    const query = `?encoder=${encodeURIComponent(encoder)}`;
    const [response, named] = await Promise.all([
      fetch(`/api/map/${version}/points${query}`),
      api(`/api/map/${version}/videos${query}`),
    ]);
    if (!response.ok) throw new Error((await response.json()).error);
    return new Points(await response.arrayBuffer(), named, stretch);
  }

  constructor(buffer, named, stretch) {
    this.stretch = stretch;
    const [count] = new Uint32Array(buffer, 0, 1);
    this.count = count;
    this.xy = Float32Array.from(new Float32Array(buffer, 4, 2 * count), (value, place) =>
      place % 2 ? value : value * stretch,
    );
    this.ids = new Uint32Array(buffer, 4 + 8 * count, count);
    this.videos = new Uint32Array(buffer, 4 + 12 * count, count);
    this.named = named.videos;
    this.folderNames = named.folders;
    this.folders = Int32Array.from(this.videos, (video) => this.named[video]?.[1] ?? -1);
    this.scores = null;
    this.left = null;
    this.makeGrid();
    this.random = Uint32Array.from(this.ids, (id) => Math.imul(id ^ 0x9e3779b9, 0x85ebca6b) >>> 0);
  }

  nameOf(at) {
    return this.named[this.videos[at]]?.[0] ?? 'no longer in the library';
  }

  /** Return the index of a segment's point, or -1. */
  indexOf(id) {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle] === id) return middle;
      if (this.ids[middle] < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** @param {import('./view.js').MapScores | null} asked */
  setScores(asked) {
    this.scores = null;
    this.left = null;
    if (!asked) return;
    const bytes = Uint8Array.from(atob(asked.scores), (letter) => letter.charCodeAt(0));
    const steps = new Uint16Array(bytes.buffer);
    if (steps.length !== this.count) return;
    const range = asked.most - asked.least;
    this.left = Uint8Array.from(steps, (step) => Number(step === LEFT_OUT));
    if (asked.scored)
      this.scores = Float32Array.from(steps, (step) => (step === LEFT_OUT ? -2 : asked.least + (step / STEPS) * range));
    this.low = asked.low;
    this.high = asked.high;
  }

  share(at) {
    return Math.min(1, Math.max(0, (this.scores[at] - this.low) / (this.high - this.low)));
  }

  // Places

  cell(value) {
    return Math.min(CELLS - 1, Math.max(0, Math.floor(((value + EDGE) / (2 * EDGE)) * CELLS)));
  }

  makeGrid() {
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    const cells = new Uint32Array(this.count);
    for (let at = 0; at < this.count; at += 1) {
      cells[at] = this.cell(this.xy[2 * at + 1]) * CELLS + this.cell(this.xy[2 * at] / this.stretch);
      this.starts[cells[at] + 1] += 1;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell += 1) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.inCells = new Uint32Array(this.count);
    for (let at = 0; at < this.count; at += 1) this.inCells[next[cells[at]]++] = at;
  }

  /** Call visit(at) for every point of the cells that a box of the plane touches. */
  inBox(left, top, right, bottom, visit) {
    const [x0, x1, y0, y1] = [
      this.cell(left / this.stretch),
      this.cell(right / this.stretch),
      this.cell(top),
      this.cell(bottom),
    ];
    for (let y = y0; y <= y1; y += 1) {
      for (let place = this.starts[y * CELLS + x0]; place < this.starts[y * CELLS + x1 + 1]; place += 1)
        visit(this.inCells[place]);
    }
  }

  /** Return the nearest point within `reach` of a place in the plane, or -1. Points that filters leave out are skipped. */
  nearest(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    this.inBox(x - reach, y - reach, x + reach, y + reach, (at) => {
      const far = (this.xy[2 * at] - x) ** 2 + (this.xy[2 * at + 1] - y) ** 2;
      if (far <= least && !this.left?.[at]) [best, least] = [at, far];
    });
    return best;
  }

  /** Return the `count` points nearest to one, itself first. */
  around(at, count) {
    const [x, y] = [this.xy[2 * at], this.xy[2 * at + 1]];
    let found = [];
    for (let reach = 0.02; reach < 4; reach *= 2) {
      found = [];
      this.inBox(x - reach, y - reach, x + reach, y + reach, (each) => found.push(each));
      if (found.length >= count) break;
    }
    const far = (each) => (this.xy[2 * each] - x) ** 2 + (this.xy[2 * each + 1] - y) ** 2;
    return [at, ...found.filter((each) => each !== at && !this.left?.[each]).sort((a, b) => far(a) - far(b))].slice(
      0,
      count,
    );
  }

  // Colours

  /**
   * Return the folders, the one with the most shots first.
   *
   * @returns {{folder: number, count: number, colour: number[]}[]} `folder` is an index of `folderNames`.
   */
  largestFolders() {
    const counts = new Map();
    for (const folder of this.folders) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    return [...counts]
      .filter(([folder]) => folder >= 0)
      .sort((a, b) => b[1] - a[1])
      .map(([folder, count], place) => ({ folder, count, colour: FOLDERS[place] ?? OTHER }));
  }

  /**
   * Colour the points and put them in the order of drawing.
   *
   * @param {'score' | 'folder' | 'video'} mode
   * @param {boolean} dark Whether the page is dark.
   * @param {number[]} faint Red, green and blue of points that are left out, or outside the selection.
   * @param {Set<number> | null} chosen Indices of the selection.
   * @returns {{colours: Uint32Array, order: Uint32Array}} RGBA (little-endian) of each point; indices, the topmost last.
   */
  coloured(mode, dark, faint, chosen) {
    const colours = new Uint32Array(this.count);
    const pack = ([red, green, blue], alpha = 255) =>
      ((alpha << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
    const quiet = pack(faint);
    let colourOf;
    if (mode === 'score' && this.scores) {
      const table = rampTable(dark);
      const packed = Uint32Array.from({ length: 256 }, (_, at) =>
        pack([table[3 * at], table[3 * at + 1], table[3 * at + 2]]),
      );
      colourOf = (at) => packed[Math.round(this.share(at) * 255)];
    } else if (mode === 'folder') {
      const by = new Map(this.largestFolders().map(({ folder, colour }) => [folder, pack(colour)]));
      colourOf = (at) => by.get(this.folders[at]) ?? quiet;
    } else {
      const by = new Map();
      colourOf = (at) => {
        const video = this.videos[at];
        if (!by.has(video))
          by.set(
            video,
            pack(fromOklch(dark ? 0.74 : 0.6, 0.13, (video * 137.508) % 360).map((part) => Math.min(255, part))),
          );
        return by.get(video);
      };
    }
    for (let at = 0; at < this.count; at += 1)
      colours[at] = this.left?.[at] || (chosen && !chosen.has(at)) ? quiet : colourOf(at);
    const order = Uint32Array.from({ length: this.count }, (_, at) => at);
    const rank = (at) =>
      this.left?.[at] ? -4 : chosen && !chosen.has(at) ? -3 : this.scores ? this.scores[at] : this.random[at] / 2 ** 32;
    const ranks = Float32Array.from(order, rank);
    order.sort((a, b) => ranks[a] - ranks[b]);
    return { colours, order };
  }
}
