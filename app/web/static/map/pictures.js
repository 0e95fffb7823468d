// Posters on points of the map, so far apart that none hides another.

import { element } from '../core/dom.js';
import { cssColour } from './colouring.js';

const PICTURE = { width: 88, height: 50 };
const REST_MILLISECONDS = 130; // milliseconds without movement before pictures are chosen again
const CROWDED = 400; // number of points from which the whole map has more room between its pictures

/**
 * The map that pictures lie on. A MapCanvas is one.
 *
 * @typedef {object} PicturedMap
 * @property {import('./viewport.js').Viewport} viewport
 * @property {{ids: ArrayLike<number>, count: number} | null} points
 * @property {ArrayLike<number>} colours
 * @property {(width: number, height: number) => number[]} spread
 * @property {(at: number) => [x: number, y: number]} toScreen
 */

/** A layer of pictures above the canvas. */
export class MapPictures {
  /** @param {PicturedMap} map */
  constructor(map) {
    this.map = map;
    this.on = true;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {((at: number) => boolean) | undefined} */
    this.quiet = undefined;
    /** @type {Set<number>} */
    this.failed = new Set(); // points without a poster, so that it is not requested at every move
    /** @type {number[] | null} */
    this.chosenPoints = null; // indices, the most important first; null before the first choice
    this.layer = element('div', { class: 'ps-map-pictures', 'aria-hidden': 'true' });
  }

  /** Choose the points that have a picture again, once the view rests. */
  spread() {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        const { map } = this;
        if (!map.points || !map.viewport.width) return;
        const room = map.viewport.magnification < 1.3 && map.points.count > CROWDED ? 1.4 : 1.18;
        this.chosenPoints = this.on ? map.spread(PICTURE.width * room, PICTURE.height * room) : [];
        this.place();
      },
      this.chosenPoints ? REST_MILLISECONDS : 0,
    );
  }

  toggle() {
    this.on = !this.on;
    this.chosenPoints = this.on ? null : [];
    this.place();
    this.spread();
  }

  /**
   * Move the pictures to their points.
   *
   * @param {(at: number) => boolean} [quiet] Whether a point is outside the selection; kept for later calls.
   */
  place(quiet = this.quiet) {
    this.quiet = quiet;
    const { map, layer } = this;
    const { width, height } = map.viewport;
    /** @type {Map<number, HTMLImageElement>} */
    const kept = new Map();
    for (const picture of layer.querySelectorAll('img')) kept.set(Number(picture.dataset.at), picture);
    for (const at of this.chosenPoints ?? []) {
      if (this.failed.has(at)) continue;
      const [x, y] = map.toScreen(at);
      if (x < -PICTURE.width || y < -PICTURE.height || x > width + PICTURE.width || y > height + PICTURE.height)
        continue;
      const picture = kept.get(at) ?? this.picture(at);
      kept.delete(at);
      picture.style.transform = `translate(${Math.round(x - PICTURE.width / 2)}px, ${Math.round(y - PICTURE.height / 2)}px)`;
      picture.style.borderColor = cssColour(map.colours[at]);
      picture.classList.toggle('ps-quiet', Boolean(quiet?.(at)));
    }
    for (const picture of kept.values()) picture.remove();
  }

  /** @param {number} at */
  picture(at) {
    const picture = element('img', {
      alt: '',
      decoding: 'async',
      draggable: 'false',
      'data-at': String(at),
      src: `/api/poster/${this.map.points?.ids[at]}`,
      onerror: () => {
        this.failed.add(at);
        picture.remove();
      },
    });
    this.layer.append(picture);
    return picture;
  }

  /**
   * Return the index of the point whose picture is at a place of the stage, or -1.
   *
   * @param {number} x
   * @param {number} y
   * @returns {number}
   */
  find(x, y) {
    return (
      (this.chosenPoints ?? []).find((at) => {
        if (this.failed.has(at)) return false;
        const [pictureX, pictureY] = this.map.toScreen(at);
        return Math.abs(pictureX - x) <= PICTURE.width / 2 && Math.abs(pictureY - y) <= PICTURE.height / 2;
      }) ?? -1
    );
  }

  /** Remove all pictures: the points are others now. */
  forget() {
    this.chosenPoints = null;
    this.failed.clear();
    this.layer.replaceChildren();
  }

  remove() {
    clearTimeout(this.timer);
  }
}
