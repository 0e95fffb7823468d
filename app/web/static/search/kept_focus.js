// Focus that would be lost: where a chip or card of the search is removed, its neighbour takes the focus, else the box.

import { mountOnce } from '../core/component.js';

const GROUPS = '.st-key-filter_chips, .st-key-terms, .st-key-steps, .st-key-result_line';
const PATIENCE_MILLISECONDS = 5000; // for the page's script to answer

export const mount = mountOnce(() => new KeptFocus());

class KeptFocus {
  constructor() {
    /** @type {{button: Element, group: string, at: number, until: number} | null} */
    this.pressed = null;
    this.changes = new MutationObserver(() => this.recover());
    this.changes.observe(document.body, { childList: true, subtree: true });
    this.onClick = (/** @type {MouseEvent} */ event) => this.remember(event.target);
    document.addEventListener('click', this.onClick, true);
  }

  /** @param {EventTarget | null} target */
  remember(target) {
    const button = target instanceof Element ? target.closest('button') : null;
    const group = button?.closest(GROUPS);
    const name = group && [...group.classList].find((each) => each.startsWith('st-key-'));
    if (!button || !group || !name) return;
    const at = buttonsOf(group).indexOf(button);
    this.pressed = { button, group: `.${name}`, at, until: performance.now() + PATIENCE_MILLISECONDS };
  }

  recover() {
    if (!this.pressed || this.pressed.button.isConnected) return;
    const { group, at, until } = this.pressed;
    this.pressed = null;
    // A person who has gone on meanwhile stays there.
    if (performance.now() > until || (document.activeElement && document.activeElement !== document.body)) return;
    const left = document.querySelector(group);
    const buttons = left ? buttonsOf(left) : [];
    const next = buttons[at] ?? buttons.at(-1) ?? document.querySelector('.st-key-words input');
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  }

  remove() {
    this.changes.disconnect();
    document.removeEventListener('click', this.onClick, true);
  }
}

/** @param {Element} group */
function buttonsOf(group) {
  // Streamlit draws a button with a tooltip twice, and hides the one that is for touch.
  return [...group.querySelectorAll(':scope [class*="st-key-"] button')].filter(
    (button) => button.getClientRects().length,
  );
}
