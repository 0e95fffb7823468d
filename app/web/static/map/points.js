// Points of the map: loaded from the server, found by place.

import { api } from '../core/api.js';
import { PointGrid } from './point_grid.js';
import { unpackScores } from './scores.js';
import { boxAround } from './viewport.js';

const FIRST_REACH = 0.02; // units around a point that are searched first for its neighbours

/** @typedef {{folders: string[], videos: Record<string, [name: string, folder: number]>}} NamedVideos By the video's id. */

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
    const address = `/api/map/${version}/points${query}`;
    /** @type {Promise<NamedVideos>} */
    const naming = api(`/api/map/${version}/videos${query}`);
    const [response, named] = await Promise.all([fetch(address), naming]);
    if (!response.ok) {
      /** @type {import('../core/api.js').Refusal | null} */
      const refusal = await response.json().catch(() => null);
      throw new Error(refusal?.error ?? `The map could not be loaded (${response.status}).`);
    }
    return new Points(await response.arrayBuffer(), named, stretch);
  }

  /**
   * @param {ArrayBuffer} buffer As `/api/map/VERSION/points` sends it: the count as uint32, x and y of each point as float32,
   *   the segments as uint32, the videos as uint32; a segment that is no longer in the library has video 0.
   * @param {NamedVideos} named
   * @param {number} [stretch]
   * @throws {Error} The buffer is shorter or longer than its count says.
   */
  constructor(buffer, named, stretch = 1) {
    const count = buffer.byteLength >= 4 ? new Uint32Array(buffer, 0, 1)[0] : 0;
    if (buffer.byteLength !== 4 + 16 * count) throw new Error('The map was not loaded completely; reload the page.');
    this.count = count;
    this.xy = Float32Array.from(new Float32Array(buffer, 4, 2 * count), (value, place) =>
      place % 2 ? value : value * stretch,
    );
    this.ids = new Uint32Array(buffer, 4 + 8 * count, count);
    this.videos = new Uint32Array(buffer, 4 + 12 * count, count);
    this.named = named.videos;
    this.folderNames = named.folders;
    this.folders = Int32Array.from(this.videos, (video) => this.named[video]?.[1] ?? -1);
    /** @type {Float32Array | null} */
    this.scores = null;
    /** @type {Uint8Array | null} */
    this.left = null; // 1 for those that filters leave out
    this.low = 0;
    this.high = 1;
    this.box = boxAround(this.xy);
    this.grid = new PointGrid(this.xy, stretch);
  }

  /**
   * Return the file name of a point's video.
   *
   * @param {number} at
   * @returns {string}
   */
  nameOf(at) {
    return this.named[this.videos[at]]?.[0] ?? 'no longer in the library';
  }

  /**
   * Return the score of a point, or null: there is no search, or filters leave the point out.
   *
   * @param {number} at
   * @returns {number | null}
   */
  scoreOf(at) {
    return this.scores && !this.left?.[at] ? this.scores[at] : null;
  }

  /**
   * Return the index of a segment's point, or -1.
   *
   * @param {number} id
   * @returns {number}
   */
  indexOf(id) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ids[middle] < id) low = middle + 1;
      else high = middle;
    }
    return this.ids[low] === id ? low : -1;
  }

  /** @param {import('./scores.js').MapScores | null} asked Scores of other points than these count as none. */
  setScores(asked) {
    const unpacked = asked && unpackScores(asked, this.count);
    this.scores = unpacked?.scores ?? null;
    this.left = unpacked?.left ?? null;
    [this.low, this.high] = asked && unpacked ? [asked.low, asked.high] : [0, 1];
  }

  /**
   * Return the nearest point within `reach` of a place in the plane, or -1. Points that filters leave out are skipped.
   *
   * @param {number} x
   * @param {number} y
   * @param {number} reach
   * @returns {number}
   */
  nearest(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    this.grid.inBox([x - reach, y - reach, x + reach, y + reach], (at) => {
      const far = this.squaredDistance(at, x, y);
      if (far <= least && !this.left?.[at]) [best, least] = [at, far];
    });
    return best;
  }

  /**
   * Return the points nearest to one, itself first. Others that filters leave out are skipped.
   *
   * @param {number} at
   * @param {number} count Most that are returned.
   * @returns {number[]}
   */
  around(at, count) {
    const [x, y] = [this.xy[2 * at], this.xy[2 * at + 1]];
    const [left, top, right, bottom] = this.box;
    const whole = Math.hypot(right - left, bottom - top);
    /** @type {Map<number, number>} */
    const found = new Map(); // squared distances
    for (let reach = FIRST_REACH; ; reach *= 2) {
      // Points of a box that are farther away than its sides may be farther than some outside it.
      this.grid.inBox([x - reach, y - reach, x + reach, y + reach], (each) => {
        const far = this.squaredDistance(each, x, y);
        if (far <= reach * reach && each !== at && !this.left?.[each]) found.set(each, far);
      });
      if (found.size >= count - 1 || reach > whole) break;
    }
    const nearest = [...found].sort(([a, farA], [b, farB]) => farA - farB || a - b).map(([each]) => each);
    return [at, ...nearest].slice(0, count);
  }

  /**
   * @param {number} at
   * @param {number} x
   * @param {number} y
   */
  squaredDistance(at, x, y) {
    return (this.xy[2 * at] - x) ** 2 + (this.xy[2 * at + 1] - y) ** 2;
  }
}
