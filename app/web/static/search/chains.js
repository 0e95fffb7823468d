// Chains ("A, then B") as cards: each shows its parts, plays them, and adds them or their whole span to the tray.

import { mountOnce } from '../core/component.js';
import { element, setOverlayHome } from '../core/dom.js';
import { addKeys, onControl } from '../core/keys.js';
import { PosterPreview } from '../core/poster_preview.js';
import { tray } from '../core/tray.js';
import { openPlayer } from '../player/player.js';
import { chainCard } from './chain_card.js';
import { cardAfter, columnsOf, moveKeys } from './cursor.js';
import { Fold } from './fold.js';
import { Posters } from './posters.js';

const CARDS_AT_ONCE = 24; // made at once; the rest follows while the browser is idle

/** @typedef {import('./chain_card.js').GridChain} GridChain */

/**
 * @typedef {object} ChainData
 * @property {string} token Of these results.
 * @property {GridChain[]} chains Best first.
 * @property {boolean} more Whether there may be more.
 * @property {boolean} folded Whether they are no good match, and hidden at first.
 * @property {number} [milliseconds]
 */

/** @typedef {import('../core/types.js').Component<ChainData>} ChainComponent */

/** Trigger: more. */
export const mount = mountOnce((/** @type {ChainComponent} */ component) => new Chains(component));

class Chains {
  /** @param {ChainComponent} component */
  constructor(component) {
    const parent = component.parentElement;
    setOverlayHome(parent);
    this.component = component;
    this.token = ''; // of the results that are shown
    /** @type {GridChain[]} */
    this.chains = [];
    this.list = element('div', {
      class: 'ps-grid ps-chains',
      role: 'listbox',
      'aria-label': 'Results',
      'data-ps-keys': '',
    });
    this.more = element('button', {
      class: 'ps-button ps-more',
      type: 'button',
      text: 'Show more',
      hidden: true,
      onclick: () => this.component.setTriggerValue('more', Date.now()),
    });
    this.fold = new Fold('place', this.list, this.more);
    parent.append(this.fold.button, this.fold.content);
    this.posters = new Posters();
    this.previews = new PosterPreview((part) => Number(part.getAttribute('data-segment')));
    this.unwatch = tray.watch();
    this.list.addEventListener('pointerover', (event) => this.previews.hover(around(event.target, '.ps-chain-part')));
    this.list.addEventListener('pointerleave', () => this.previews.hover(null));
    this.list.addEventListener('click', (event) => this.click(event));
    this.list.addEventListener('focusin', (event) => this.focused(around(event.target, '.ps-chain')));
    this.removeKeys = addKeys('Results', [
      ...moveKeys((event, to) => this.move(event, to)),
      {
        key: 'Enter',
        label: 'Play the parts',
        run: (event) => this.withCurrent(event, (chain) => this.open(chain, 0)),
      },
      {
        key: 's S',
        label: 'Add the parts to the tray',
        run: () => this.withCurrent(null, (chain) => keepParts(chain)),
      },
      {
        key: 'Shift+S',
        label: 'Add the whole span to the tray',
        run: () => this.withCurrent(null, (chain) => keepSpan(chain)),
      },
    ]);
  }

  /** @param {ChainComponent} component */
  update(component) {
    this.component = component;
    const { data } = component;
    this.more.hidden = !data.more;
    if (data.token === this.token) return;
    this.token = data.token;
    this.chains = data.chains;
    this.list.dataset.milliseconds = String(data.milliseconds ?? '');
    this.previews.hover(null);
    this.list.replaceChildren();
    this.add(data.token);
    const [first] = this.list.children;
    if (first instanceof HTMLElement) first.tabIndex = 0;
    this.fold.set(data.folded, data.chains.length);
    requestAnimationFrame(() => void this.awaitPosters(data.token));
  }

  /**
   * Add the next cards, and go on while the browser is idle.
   *
   * @param {string} token
   */
  add(token) {
    if (token !== this.token) return;
    const at = this.list.childElementCount;
    const made = this.chains.slice(at, at + CARDS_AT_ONCE).map(chainCard);
    for (const card of made) this.posters.watch(card);
    this.list.append(...made);
    if (at + made.length < this.chains.length) setTimeout(() => this.add(token), 50);
  }

  /**
   * Mark the list as ready once all posters in sight have loaded or failed.
   *
   * @param {string} token
   */
  async awaitPosters(token) {
    await this.posters.inSight(this.list);
    if (token === this.token) this.list.dataset.ready = token;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const card = around(event.target, '.ps-chain');
    const chain = this.chainOf(card);
    if (!card || !chain) return;
    this.focused(card);
    const action = around(event.target, '[data-action]')?.dataset.action;
    if (action === 'parts') keepParts(chain);
    else if (action === 'span') keepSpan(chain);
    else {
      const part = around(event.target, '.ps-chain-part')?.dataset.segment;
      this.open(
        chain,
        Math.max(
          0,
          chain.parts.findIndex(({ id }) => id === Number(part)),
        ),
      );
    }
  }

  /** @param {HTMLElement | null} card */
  focused(card) {
    if (!card) return;
    for (const each of this.list.children) if (each instanceof HTMLElement) each.tabIndex = -1;
    card.tabIndex = 0;
  }

  /** @param {HTMLElement | null} card */
  chainOf(card) {
    return this.chains.find(({ rank }) => rank === Number(card?.dataset.rank));
  }

  /**
   * Run an action with the chain that has the focus, or is under the pointer.
   *
   * @param {KeyboardEvent | null} event A key that buttons take themselves; null where they do not.
   * @param {(chain: GridChain) => void} run
   * @returns {boolean} Whether there is one.
   */
  withCurrent(event, run) {
    if (this.fold.closed || (event && onControl(event))) return false;
    const card = around(document.activeElement, '.ps-chain') ?? around(this.previews.over, '.ps-chain');
    const chain = card && this.list.contains(card) ? this.chainOf(card) : undefined;
    if (!chain) return false;
    run(chain);
    return true;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {import('./cursor.js').Move} move
   */
  move(event, move) {
    const cards = [...this.list.children].filter((card) => card instanceof HTMLElement);
    if (this.fold.closed || !cards.length || onControl(event)) return false;
    const { activeElement } = document;
    const current = around(activeElement, '.ps-chain');
    if (!current && activeElement && !activeElement.matches('body, .ps-grid')) return false;
    const at = current ? cards.indexOf(current) : -1;
    const to = cardAfter(at, move, columnsOf(cards.map((card) => card.offsetTop)), cards.length);
    if (to === null) return true;
    this.focused(cards[to]);
    cards[to].focus();
    cards[to].scrollIntoView({ block: 'nearest' });
    return true;
  }

  /**
   * Open the player on the parts of a chain.
   *
   * @param {GridChain} chain
   * @param {number} at Index of the part to begin with.
   */
  open(chain, at) {
    this.previews.stop();
    openPlayer(
      chain.parts.map(({ id, score }) => ({ id, score: score ?? undefined })),
      at,
      {
        onClose: () => {
          const card = this.list.querySelector(`[data-rank="${chain.rank}"]`);
          if (card instanceof HTMLElement) card.focus({ preventScroll: false });
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
  }
}

/** @param {GridChain} chain */
function keepParts({ parts }) {
  void tray.add(parts.map(({ id, score }) => ({ segment: id, score: score ?? undefined })));
}

/** @param {GridChain} chain */
function keepSpan({ first, start_pts, end_pts }) {
  void tray.add([{ segment: first, start_pts, end_pts }]);
}

/**
 * Return the element of a kind that a node is, or lies in.
 *
 * @param {EventTarget | null} node
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
function around(node, selector) {
  const found = node instanceof Element ? node.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}
