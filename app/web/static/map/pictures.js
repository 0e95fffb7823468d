// Posters on the points of the map, so far apart that none hides another.

import { element } from '../core/dom.js';

export const PICTURE = { width: 88, height: 50 };
const WAIT = 130; // milliseconds that the view has to rest before pictures are chosen anew
const CROWDED = 400; // points from which the whole map has room between its pictures

export class MapPictures {
  /** map: the MapCanvas whose points they belong to. */
  constructor(map) {
    this.map = map;
    this.on = true;
    this.chosenPoints = null; // indices, the first most important; null before the first choice
    this.layer = element('div', { class: 'ps-map-pictures', 'aria-hidden': 'true' });
  }

  /** Choose anew which points have a picture, once the view rests. */
  spread() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { map } = this;
      if (!map.inks || !map.width) return;
      const room = map.magnification < 1.3 && map.points.count > CROWDED ? 1.4 : 1.18;
      this.chosenPoints = this.on ? map.spread(PICTURE.width * room, PICTURE.height * room) : [];
      this.place();
    }, this.chosenPoints ? WAIT : 0);
  }

  toggle() {
    this.on = !this.on;
    this.chosenPoints = this.on ? null : [];
    this.place();
    this.spread();
  }

  /** quiet(at): whether a point is not among those that are chosen. Kept for the next times. */
  place(quiet = this.quiet) {
    this.quiet = quiet;
    const { map, layer } = this;
    const kept = new Map([...layer.children].map((picture) => [Number(picture.dataset.at), picture]));
    for (const at of this.chosenPoints ?? []) {
      const [x, y] = map.toScreen(at);
      if (x < -PICTURE.width || y < -PICTURE.height || x > map.width + PICTURE.width || y > map.height + PICTURE.height) continue;
      const picture = kept.get(at) ?? this.picture(at);
      kept.delete(at);
      picture.style.transform = `translate(${Math.round(x - PICTURE.width / 2)}px, ${Math.round(y - PICTURE.height / 2)}px)`;
      const colour = map.colours[at];
      picture.style.borderColor = `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
      picture.classList.toggle('ps-quiet', Boolean(quiet?.(at)));
    }
    for (const picture of kept.values()) picture.remove();
  }

  picture(at) {
    const picture = element('img', { alt: '', decoding: 'async', draggable: 'false', 'data-at': String(at), src: `/api/poster/${this.map.points.ids[at]}`,
      onerror: () => picture.remove() });
    this.layer.append(picture);
    return picture;
  }

  /** The point whose picture is at a place of the stage, or -1. */
  find(x, y) {
    return (this.chosenPoints ?? []).find((at) => {
      const [pictureX, pictureY] = this.map.toScreen(at);
      return Math.abs(pictureX - x) <= PICTURE.width / 2 && Math.abs(pictureY - y) <= PICTURE.height / 2;
    }) ?? -1;
  }

  /** After other points have come. */
  forget() {
    this.chosenPoints = null;
    this.layer.replaceChildren();
  }

  remove() {
    clearTimeout(this.timer);
  }
}
