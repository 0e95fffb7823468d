// Results as a grid of posters, with a preview under the pointer; opens the player, fills the tray, searches by example.

import { mountOnce, trigger } from '../core/component.js';
import { element, setOverlayHome } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { PosterPreview } from '../core/poster_preview.js';
import { tray } from '../core/tray.js';
import { openPlayer } from '../player/player.js';
import { HitCard } from './card.js';
import { cardAfter, columnsOf, moveKeys } from './cursor.js';
import { Fold } from './fold.js';
import { Posters } from './posters.js';
import { Stacks } from './stacks.js';

const CARDS_AT_ONCE = 36; // cards made at once: more than a screen shows

/**
 * A hit of the search, as the page passes it.
 *
 * @typedef {object} GridHit
 * @property {number} id Of the segment.
 * @property {string} name File name.
 * @property {string} folder
 * @property {number | null} score The raw cosine; null for a plain list.
 * @property {number | null} share Length of the score bar, 0 to 1, where there is no strength; null for a plain list.
 * @property {import('./strength.js').Strength | null} strength null where the library is not calibrated.
 * @property {number[]} alike Segments of the shots behind this one in its stack.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {boolean} missing Whether the file cannot be found now.
 */

/**
 * @typedef {object} GridData
 * @property {string} token Of these results.
 * @property {GridHit[]} hits
 * @property {boolean} more Whether there may be more.
 * @property {boolean} [folded] Whether they are no good match, and hidden at first.
 * @property {number} [milliseconds]
 */

/** @typedef {import('../core/types.js').Component<GridData>} GridComponent */

/** Triggers: like {segment, also}, exclude {segment}, range {segment, start_pts, end_pts}, more. */
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
    this.fold = new Fold('shot', this.grid, this.more);
    parent.append(this.fold.button, this.fold.content);
    this.stacks = new Stacks(this);
    this.posters = new Posters();
    this.unwatch = tray.watch();
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
    this.grid.addEventListener('pointerover', (event) => this.previews.hover(cardAround(event.target)));
    this.grid.addEventListener('pointerleave', () => this.previews.hover(null));
    this.grid.addEventListener('click', (event) => this.click(event));
    this.grid.addEventListener('focusin', (event) => this.focused(cardAround(event.target)));
    this.removeKeys = addKeys('Results', [
      ...moveKeys((event, to) => this.move(event, to)),
      { key: 'Enter', label: 'Open in the player', run: (event) => this.withCurrent(event, (card) => this.open(card)) },
      {
        key: ' ',
        label: 'Preview',
        run: (event) => this.withCurrent(event, (card) => this.previews.toggle(card)),
      },
      { key: 's S', label: 'Add to the tray', run: () => this.withCurrent(null, (card) => this.keep(card)) },
      { key: 'm M', label: 'More like this', run: () => this.withCurrent(null, (card) => this.trigger('like', card)) },
      {
        key: 'Shift+M',
        label: 'More like this too',
        run: () => this.withCurrent(null, (card) => this.trigger('like', card, { also: true })),
      },
      {
        key: 'n N',
        label: 'Less like this',
        run: () => this.withCurrent(null, (card) => this.trigger('exclude', card)),
      },
      { key: 'a A', label: 'Open or close a stack', run: () => this.withCurrent(null, (card) => this.stack(card)) },
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
    this.stacks.clear();
    this.fold.set(data.folded ?? false, data.hits.length);
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
      this.posters.watch(card.root);
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
    await this.posters.inSight(this.grid);
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
    else if (action === 'stack') void this.stack(card);
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
    if (this.fold.closed || (event && onControl(event))) return false;
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
    if (this.fold.closed || !cards.length || onControl(event)) return false;
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
    void tray.add([{ segment: id, score: this.cards.get(id)?.hit.score ?? undefined }]);
  }

  /** @param {HTMLElement} card */
  async stack(card) {
    await this.stacks.toggle(segmentOf(card));
    this.drawTray();
  }

  /**
   * @param {string} name
   * @param {HTMLElement} card
   * @param {object} [more]
   */
  trigger(name, card, more = {}) {
    trigger(this.component, name, { segment: segmentOf(card), ...more });
  }

  /** @param {HTMLElement} card */
  open(card) {
    this.previews.stop();
    const segment = segmentOf(card);
    const shown = this.stacks.spread();
    openPlayer(
      shown.map(({ id, score }) => ({ id, score: score ?? undefined })),
      shown.findIndex(({ id }) => id === segment),
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
    this.posters.remove();
    this.fold.remove();
    this.removeKeys();
    this.unwatch();
    tray.removeEventListener('change', this.onTray);
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
