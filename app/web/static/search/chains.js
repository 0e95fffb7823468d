// Chains ("A, then B") as cards: each shows its parts, plays them, and adds them or their whole span to the tray.

import { mountOnce } from '../core/component.js';
import { addKeys } from '../core/keys.js';
import { tray } from '../core/tray.js';
import { openPlayer } from '../player/player.js';
import { chainCard } from './chain_card.js';
import { moveKeys } from './cursor.js';
import { around, ResultList } from './result_list.js';

const CARDS_AT_ONCE = 24;

/** @typedef {import('./chain_card.js').GridChain} GridChain */

/** @typedef {import('./result_list.js').ResultData & {chains: GridChain[]}} ChainData */
/** @typedef {import('../core/types.js').Component<ChainData>} ChainComponent */

/** Trigger: more. */
export const mount = mountOnce((/** @type {ChainComponent} */ component) => new Chains(component));

class Chains {
  /** @param {ChainComponent} component */
  constructor(component) {
    /** @type {ResultList<GridChain>} */
    this.results = new ResultList(component, {
      noun: 'place',
      className: 'ps-chains',
      card: '.ps-chain',
      poster: '.ps-chain-part',
      atOnce: CARDS_AT_ONCE,
      keyOf: ({ parts }) => parts.map(({ id }) => id).join(),
      make: chainCard,
    });
    const { results } = this;
    results.element.addEventListener('click', (event) => this.click(event));
    this.removeKeys = addKeys('Results', [
      ...moveKeys((event, to) => results.move(event, to)),
      {
        key: 'Enter',
        label: 'Play the shots',
        run: (event) => this.withCurrent(event, (chain) => this.open(chain, 0)),
      },
      { key: 's S', label: 'Add the shots to tray', run: () => this.withCurrent(null, keepParts) },
      { key: 'Shift+S', label: 'Add the whole span to tray', run: () => this.withCurrent(null, keepSpan) },
    ]);
  }

  /** @param {ChainComponent} component */
  update(component) {
    this.results.show(component, component.data.chains);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const card = this.results.cardOf(event.target);
    const chain = this.chainOf(card);
    if (!card || !chain) return;
    this.results.focused(card);
    const action = around(event.target, '[data-action]')?.dataset.action;
    if (action === 'parts') keepParts(chain);
    else if (action === 'span') keepSpan(chain);
    else {
      const part = Number(around(event.target, '.ps-chain-part')?.dataset.segment);
      this.open(
        chain,
        Math.max(
          0,
          chain.parts.findIndex(({ id }) => id === part),
        ),
      );
    }
  }

  /** @param {HTMLElement | null} card */
  chainOf(card) {
    return this.results.items.find(({ rank }) => rank === Number(card?.dataset.rank));
  }

  /**
   * Run an action with the chain that has the focus, or is under the pointer.
   *
   * @param {KeyboardEvent | null} event
   * @param {(chain: GridChain) => void} run
   */
  withCurrent(event, run) {
    return this.results.withCurrent(event, (card) => {
      const chain = this.chainOf(card);
      if (chain) run(chain);
    });
  }

  /**
   * Open the player on the parts of a chain.
   *
   * @param {GridChain} chain
   * @param {number} at Index of the part to begin with.
   */
  open(chain, at) {
    this.results.previews.stop();
    openPlayer(
      chain.parts.map(({ id, score }) => ({ id, score: score ?? undefined })),
      at,
      {
        onClose: () => {
          const card = this.results.element.querySelector(`[data-rank="${chain.rank}"]`);
          if (card instanceof HTMLElement) card.focus({ preventScroll: false });
        },
      },
    );
  }

  remove() {
    this.results.remove();
    this.removeKeys();
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
