// Results as a grid of posters, with a preview under the pointer; opens the player, fills the tray, searches by example.

import { api } from '../core/api.js';
import { mountOnce, trigger } from '../core/component.js';
import { addKeys } from '../core/keys.js';
import { momentsOf } from '../core/moments.js';
import { attempt, toast } from '../core/toast.js';
import { tray } from '../core/tray.js';
import { MOST_COMPARED, openCompare } from '../player/compare.js';
import { openPlayer } from '../player/player.js';
import { HitCard } from './card.js';
import { moveKeys } from './cursor.js';
import { Deepening } from './deepening.js';
import { around, ResultList } from './result_list.js';
import { runsOf, Stacks } from './stacks.js';

const CARDS_AT_ONCE = 36;

/**
 * A hit of the search, as the page passes it.
 *
 * @typedef {object} GridHit
 * @property {number} id Of the segment.
 * @property {string} name File name.
 * @property {string} folder
 * @property {number | null} score The raw cosine, or of several encoders a strength; null for a plain list.
 * @property {number | null} share Length of the score bar, 0 to 1, where there is no strength; null for a plain list.
 * @property {import('./strength.js').Strength | null} strength null where the library is not calibrated.
 * @property {number[]} alike Segments of the shots behind this one in its stack that are nearly equal to it.
 * @property {Take | null} [take] Which take of its set-up it is, if there are others.
 * @property {OtherTake[]} [takes] The other takes, where they are stacked behind it.
 * @property {string} [set_up] The name that a person gave its takes; "" for none.
 * @property {number} start Seconds.
 * @property {number} end Seconds.
 * @property {number} part Which part of its shot it is, from 1.
 * @property {number} part_count Number of the parts of its shot; 1 for a whole shot.
 * @property {boolean} missing Whether the file cannot be found now.
 * @property {boolean} [quick] Whether it was seen in a few frames only, until its video's full pass.
 * @property {import('./opinions.js').Opinion[]} [opinions] What each encoder thinks of it, if several were asked or it is quick.
 * @property {import('./found_line.js').Found | null} [found] What found it, in a search with words in quotes.
 */

/** @typedef {{number: number, count: number}} Take Its number in the order of recording, from 1, and how many there are. */
/** @typedef {{number: number, ids: number[]}} OtherTake Its number, and the segments that show it: the first, and copies. */
/** @typedef {import('./result_list.js').ResultData & {hits: GridHit[], search?: string}} GridData */
/** @typedef {import('../core/types.js').Component<GridData>} GridComponent */

/** Triggers: like {segment, also}, exclude {segment}, range {segment, start_pts, end_pts}, more, again {}. */
export const mount = mountOnce((/** @type {GridComponent} */ component) => new Grid(component));

class Grid {
  /** @param {GridComponent} component */
  constructor(component) {
    this.component = component;
    /** @type {GridHit[]} */
    this.hits = [];
    /** @type {Map<number, {card: HitCard | null, hit: GridHit}>} */
    this.cards = new Map(); // by the segment; a card is null before it is made
    this.stacks = new Stacks(this);
    this.moments = momentsOf('');
    /** @type {ResultList<GridHit>} */
    this.results = new ResultList(component, {
      noun: 'shot',
      className: '',
      card: '.ps-card',
      poster: '.ps-card',
      atOnce: CARDS_AT_ONCE,
      keyOf: ({ id }) => String(id),
      make: (hit) => this.make(hit),
      added: () => this.drawTray(),
      momentsOf: () => this.moments,
    });
    this.deepening = new Deepening(() => trigger(this.component, 'again', {}));
    component.parentElement.prepend(this.deepening.root);
    this.onTray = () => this.drawTray();
    tray.addEventListener('change', this.onTray);
    const { results } = this;
    results.element.addEventListener('click', (event) => this.click(event));
    this.removeKeys = addKeys('Results', [
      ...moveKeys((event, to) => results.move(event, to)),
      {
        key: 'Enter',
        label: 'Open in the player',
        run: (event) => results.withCurrent(event, (card) => this.open(card)),
      },
      {
        key: ' ',
        label: 'Preview',
        run: (event) => results.withCurrent(event, (card) => results.previews.toggle(card)),
      },
      { key: 's S', label: 'Add to tray', run: () => results.withCurrent(null, (card) => this.keep(card)) },
      {
        key: 'm M',
        label: 'More like this',
        run: () => results.withCurrent(null, (card) => this.trigger('like', card)),
      },
      {
        key: 'Shift+M',
        label: 'Also more like this',
        run: () => results.withCurrent(null, (card) => this.trigger('like', card, { also: true })),
      },
      {
        key: 'n N',
        label: 'Less like this',
        run: () => results.withCurrent(null, (card) => this.trigger('exclude', card)),
      },
      {
        key: 'a A',
        label: 'Open a stack: takes, then near-duplicates',
        run: () => results.withCurrent(null, (card) => void this.stack(card)),
      },
      {
        key: 'Shift+A',
        label: 'Close the stack, one level back',
        run: () => results.withCurrent(null, (card) => this.stacks.back(segmentOf(card))),
      },
      {
        key: 'c C',
        label: 'Compare takes side by side',
        run: () => results.withCurrent(null, (card) => this.compare(segmentOf(card))),
      },
      {
        key: 'r R',
        label: 'Name the takes of a stack',
        run: () => results.withCurrent(null, (card) => void this.nameTakes(segmentOf(card))),
      },
    ]);
  }

  /** @param {GridComponent} component */
  update(component) {
    this.component = component;
    const { token, hits, search, folded = false } = component.data;
    if (search !== this.moments?.link) this.moments = momentsOf(search);
    if (token !== this.results.token) {
      this.deepening.look(folded ? [] : hits);
      const before = this.cards;
      this.cards = new Map();
      for (const hit of hits) this.cards.set(hit.id, { card: before.get(hit.id)?.card ?? null, hit });
      this.hits = hits;
      this.stacks.clear();
    }
    this.results.show(component, hits);
  }

  /**
   * Return the card of a hit, filled in. Cards of the last results are used again.
   *
   * @param {GridHit} hit
   */
  make(hit) {
    const known = this.cards.get(hit.id);
    const card = known?.card ?? new HitCard(hit.id);
    card.fill(hit);
    this.cards.set(hit.id, { card, hit });
    return card.root;
  }

  /**
   * Return the cards of shots behind a hit.
   *
   * @param {GridHit[]} hits
   */
  makeCards(hits) {
    return this.results.make(hits);
  }

  drawTray() {
    const kept = new Set(tray.current?.subclips.map((clip) => clip.segment));
    for (const [id, { card }] of this.cards) card?.keep(kept.has(id));
  }

  // Input

  /** @param {MouseEvent} event */
  click(event) {
    const card = this.results.cardOf(event.target);
    if (!card) return;
    const action = around(event.target, '[data-action]')?.dataset.action;
    this.results.focused(card);
    if (action === 'keep') this.keep(card);
    else if (action === 'stack') void this.stack(card);
    else if (action === 'compare') this.compare(segmentOf(card));
    else if (action === 'like' || action === 'exclude') this.trigger(action, card);
    else this.open(card);
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
   * Compare the takes of a set-up: the first ones, and that of the shot.
   *
   * @param {number} segment
   */
  compare(segment) {
    const takes = this.stacks.takesOf(segment);
    if (takes.length < 2) {
      toast('There is nothing to compare it with: only takes that share one card are compared');
      return;
    }
    this.results.previews.stop();
    const own = takes.filter(({ id }) => id === segment);
    const others = takes.filter(({ id }) => id !== segment).slice(0, MOST_COMPARED - own.length);
    const shown = takes.filter((take) => own.includes(take) || others.includes(take));
    openCompare(
      shown.map(({ id, number }) => ({
        id,
        label: `Take ${number}`,
        score: this.cards.get(id)?.hit.score ?? undefined,
      })),
      this.stacks.frontOf(segment)?.set_up,
    );
  }

  /**
   * Ask for a name for the takes of a set-up, and keep it: a collection of that name holds them from then on.
   *
   * @param {number} segment
   */
  async nameTakes(segment) {
    const front = this.stacks.frontOf(segment);
    const runs = front ? runsOf(front) : [];
    if (!front || runs.length < 2) {
      toast('Only takes that share one card have a name');
      return;
    }
    const name = prompt('Name of these takes, and of the collection that holds them', front.set_up ?? '')?.trim();
    if (!name || name === front.set_up) return;
    /** @type {import('../core/types.js').CollectionRow | undefined} */
    const kept = await attempt(() => api('/api/takes/name', { method: 'POST', body: { takes: runs, name } }));
    if (!kept) return;
    front.set_up = kept.name;
    this.cards.get(front.id)?.card?.fill(front);
    this.stacks.draw(front);
    this.drawTray();
    toast(`These takes are called ${kept.name}; the collection of that name holds them`);
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
    this.results.previews.stop();
    const segment = segmentOf(card);
    const shown = this.stacks.spread();
    openPlayer(
      shown.map(({ id, score, found }) => ({
        id,
        score: score ?? undefined,
        from: found?.line?.from ?? undefined,
        source: found?.line?.source,
      })),
      shown.findIndex(({ id }) => id === segment),
      {
        onLike: (each) => trigger(this.component, 'like', { segment: each }),
        onExclude: (each) => trigger(this.component, 'exclude', { segment: each }),
        onRange: (range) => trigger(this.component, 'range', range),
        moments: this.moments,
        onClose: (each) => {
          if (each !== null) this.cards.get(each)?.card?.root.focus({ preventScroll: false });
        },
      },
    );
  }

  remove() {
    this.deepening.remove();
    this.results.remove();
    this.removeKeys();
    tray.removeEventListener('change', this.onTray);
  }
}

/** @param {Element} card */
function segmentOf(card) {
  return Number(card.getAttribute('data-segment'));
}
