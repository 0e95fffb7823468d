// Posters of results: loaded shortly before they come into sight.

import { loadPoster } from './card.js';

/** Loads the posters of elements that come near the window. */
export class Posters {
  constructor() {
    // Browsers load lazy pictures from thousands of pixels away; visible ones would wait for those.
    this.near = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries)
          if (isIntersecting) for (const image of target.querySelectorAll('img')) loadPoster(image);
      },
      { rootMargin: '300px' },
    );
  }

  /** @param {Element} card */
  watch(card) {
    this.near.observe(card);
  }

  /**
   * Load the posters of a grid that are in sight, and wait until they have loaded or failed.
   *
   * @param {Element} grid
   */
  async inSight(grid) {
    const seen = [...grid.querySelectorAll('img')].filter((image) => {
      const box = image.getBoundingClientRect();
      return box.top < innerHeight && box.bottom > 0;
    });
    for (const image of seen) loadPoster(image);
    await Promise.all(seen.map(settled));
  }

  remove() {
    this.near.disconnect();
  }
}

/**
 * Wait until a picture has loaded or failed.
 *
 * @param {HTMLImageElement} image
 */
function settled(image) {
  return image.complete && image.src
    ? null
    : new Promise((done) => {
        image.addEventListener('load', done, { once: true });
        image.addEventListener('error', done, { once: true });
      });
}
