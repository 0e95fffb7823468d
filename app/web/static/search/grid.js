// Results as a grid of posters, with a preview under the pointer; opens the player, fills the tray, searches by example.

import { mountOnce, trigger } from '../core/component.js';
import { element, setOverlayHome } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { PosterPreview } from '../core/poster_preview.js';
import { tray } from '../core/tray.js';
import { openPlayer } from '../player/player.js';
import { HitCard, loadPoster } from './card.js';
import { cardAfter, columnsOf } from './cursor.js';

const CARDS_AT_ONCE = 36; // cards made at once: more than a screen shows

/**
 * A hit of the search, as the page passes it.
 *
 * @typedef {object} GridHit
 * @property {number} id Of the segment.
 * @property {string} name File name.
 * @property {string} folder
 * @property {number | null} score
 * @property {number | null} share Length of the score bar, 0 to 1; null for a plain list.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {boolean} missing Whether the file cannot be found now.
 */

/** @typedef {{token: string, hits: GridHit[], more: boolean, milliseconds?: number}} GridData */
/** @typedef {import('../core/types.js').Component<GridData>} GridComponent */

/** Triggers: like {segment}, exclude {segment}, range {segment, start_pts, end_pts}, more. */
export const mount = mountOnce((/** @type {GridComponent} */ component) => new Grid(component));

class Grid {
  /** @param {GridComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    this.component = component;
    this.token = ''; // of the results that are shown
    /** @type {GridHit[]} */
    this.hits = [];
    this.previews = new PosterPreview(segmentOf);
    /** @type {Map<number, {card: HitCard | null, hit: GridHit}>} */
    this.cards = new Map(); // by the segment; a card is null before it is made
    this.grid = element('div', { class: 'ps-grid', role: 'listbox', 'aria-label': 'Results', 'data-ps-keys': '' });
    this.more = element('button', {
      class: 'ps-button ps-more',
      type: 'button',
      text: 'Show more',
      hidden: true,
      onclick: () => this.component.setTriggerValue('more', Date.now()),
    });
    parent.append(this.grid, this.more);
    // Browsers load lazy pictures from thousands of pixels away; visible ones would wait for those.
    this.posters = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          const image = target.querySelector('img');
          if (isIntersecting && image) loadPoster(image);
        }
      },
      { rootMargin: '300px' },
    );
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
    this.grid.addEventListener('pointerover', (event) => this.previews.hover(cardAround(event.target)));
    this.grid.addEventListener('pointerleave', () => this.previews.hover(null));
    this.grid.addEventListener('click', (event) => this.click(event));
    this.grid.addEventListener('focusin', (event) => this.focused(cardAround(event.target)));
    this.removeKeys = addKeys('Results', [
      { key: 'ArrowRight', label: 'Next', run: (event) => this.move(event, 'next') },
      { key: 'ArrowLeft', label: 'Previous', run: (event) => this.move(event, 'previous') },
      { key: 'ArrowDown', label: 'Row below', run: (event) => this.move(event, 'down') },
      { key: 'ArrowUp', label: 'Row above', run: (event) => this.move(event, 'up') },
      { key: 'Enter', label: 'Open in the player', run: (event) => this.withCurrent(event, (card) => this.open(card)) },
      {
        key: ' ',
        label: 'Preview',
        run: (event) => this.withCurrent(event, (card) => this.previews.toggle(card)),
      },
      { key: 's S', label: 'Add to the tray', run: () => this.withCurrent(null, (card) => this.keep(card)) },
      { key: 'm M', label: 'More like this', run: () => this.withCurrent(null, (card) => this.trigger('like', card)) },
      {
        key: 'n N',
        label: 'Less like this',
        run: () => this.withCurrent(null, (card) => this.trigger('exclude', card)),
      },
    ]);
  }

  /** @param {GridComponent} component */
  update(component) {
    this.component = component;
    const { data } = component;
    this.more.hidden = !data.more;
    if (data.token === this.token) return;
    this.token = data.token;
    this.hits = data.hits;
    this.grid.dataset.milliseconds = String(data.milliseconds ?? '');
    this.previews.hover(null);
    const before = this.cards;
    this.cards = new Map();
    for (const hit of data.hits) this.cards.set(hit.id, { card: before.get(hit.id)?.card ?? null, hit });
    // Visible cards come first and alone; the rest is made when the browser is idle.
    const ids = [...this.cards.keys()];
    const first = this.makeCards(ids.slice(0, CARDS_AT_ONCE));
    this.grid.replaceChildren(...first);
    if (first.length) first[0].tabIndex = 0;
    this.drawTray();
    requestAnimationFrame(() => void this.awaitPosters(data.token, ids.slice(CARDS_AT_ONCE)));
  }

  /**
   * Return the cards of hits, filled in. Cards of the last results are used again.
   *
   * @param {number[]} ids
   */
  makeCards(ids) {
    const made = [];
    for (const id of ids) {
      const known = this.cards.get(id);
      if (!known) continue;
      const card = known.card ?? new HitCard(id);
      known.card = card;
      card.fill(known.hit);
      card.root.tabIndex = -1;
      this.posters.observe(card.root);
      made.push(card.root);
    }
    return made;
  }

  /**
   * Mark the grid as ready once all visible posters have loaded or failed, and go on with the other cards.
   *
   * @param {string} token
   * @param {number[]} later
   */
  async awaitPosters(token, later) {
    const seen = [...this.grid.querySelectorAll('img')].filter((image) => {
      const box = image.getBoundingClientRect();
      return box.top < innerHeight && box.bottom > 0;
    });
    for (const image of seen) loadPoster(image);
    await Promise.all(seen.map(settled));
    if (token !== this.token) return;
    this.grid.dataset.ready = token;
    this.addLater(token, later);
  }

  /**
   * @param {string} token
   * @param {number[]} ids
   */
  addLater(token, ids) {
    if (token !== this.token || !ids.length) return;
    const more = () => {
      if (token !== this.token) return;
      this.grid.append(...this.makeCards(ids.slice(0, CARDS_AT_ONCE)));
      this.drawTray();
      this.addLater(token, ids.slice(CARDS_AT_ONCE));
    };
    if ('requestIdleCallback' in window) requestIdleCallback(more, { timeout: 500 });
    else setTimeout(more, 50);
  }

  drawTray() {
    const kept = new Set(tray.current?.subclips.map((clip) => clip.segment));
    for (const [id, { card }] of this.cards) card?.root.classList.toggle('ps-kept', kept.has(id));
  }

  // Input

  /** @param {MouseEvent} event */
  click(event) {
    const card = cardAround(event.target);
    if (!card || !(event.target instanceof Element)) return;
    const action = event.target.closest('[data-action]')?.getAttribute('data-action');
    this.focused(card);
    if (action === 'keep') this.keep(card);
    else if (action === 'like' || action === 'exclude') this.trigger(action, card);
    else this.open(card);
  }

  /** @param {HTMLElement | null} card */
  focused(card) {
    if (!card) return;
    for (const { card: each } of this.cards.values()) if (each) each.root.tabIndex = -1;
    card.tabIndex = 0;
  }

  /**
   * Run an action with the card that has the focus, or is under the pointer.
   *
   * @param {KeyboardEvent | null} event A key that buttons take themselves; null where they do not.
   * @param {(card: HTMLElement) => void} run
   * @returns {boolean} Whether there is one.
   */
  withCurrent(event, run) {
    if (event && onControl(event)) return false;
    const card = cardAround(document.activeElement) ?? cardAround(this.previews.over);
    if (!card || !this.grid.contains(card)) return false;
    run(card);
    return true;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {import('./cursor.js').Move} move
   */
  move(event, move) {
    /** @type {NodeListOf<HTMLElement>} */
    const shown = this.grid.querySelectorAll('.ps-card');
    const cards = [...shown];
    if (!cards.length || onControl(event)) return false;
    const { activeElement } = document;
    const current = cardAround(activeElement);
    if (!current && activeElement && !activeElement.matches('body, .ps-grid')) return false;
    const at = current ? cards.indexOf(current) : -1;
    const to = cardAfter(at, move, columnsOf(cards.map((card) => card.offsetTop)), cards.length);
    if (to === null) return true;
    this.focused(cards[to]);
    cards[to].focus();
    cards[to].scrollIntoView({ block: 'nearest' });
    return true;
  }

  /** @param {HTMLElement} card */
  keep(card) {
    const id = segmentOf(card);
    const score = this.cards.get(id)?.hit.score ?? undefined;
    void tray.add([{ segment: id, score }]);
  }

  /**
   * @param {string} name
   * @param {HTMLElement} card
   */
  trigger(name, card) {
    trigger(this.component, name, { segment: segmentOf(card) });
  }

  /** @param {HTMLElement} card */
  open(card) {
    this.previews.stop();
    const segment = segmentOf(card);
    openPlayer(
      this.hits.map(({ id, score }) => ({ id, score: score ?? undefined })),
      this.hits.findIndex(({ id }) => id === segment),
      {
        onLike: (each) => trigger(this.component, 'like', { segment: each }),
        onExclude: (each) => trigger(this.component, 'exclude', { segment: each }),
        onRange: (range) => trigger(this.component, 'range', range),
        onClose: (each) => {
          if (each !== null) this.cards.get(each)?.card?.root.focus({ preventScroll: false });
        },
      },
    );
  }

  remove() {
    this.previews.remove();
    this.posters.disconnect();
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
    this.grid.remove();
    this.more.remove();
  }
}

/**
 * Return the card that an event or the focus is in.
 *
 * @param {EventTarget | null} target
 * @returns {HTMLElement | null}
 */
function cardAround(target) {
  return target instanceof Element ? target.closest('.ps-card') : null;
}

/** @param {Element} card */
function segmentOf(card) {
  return Number(card.getAttribute('data-segment'));
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
