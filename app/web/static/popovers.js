// Popovers: opened by a key, they get the focus. Streamlit leaves it on their button, from where Tab goes through all results
// before it comes to what has opened.

const BUTTON = '[data-testid="stPopoverButton"]';
const FIELD = '[data-testid="stPopoverBody"] :is(input, button, textarea):not([tabindex="-1"], :disabled)';
const PATIENCE_MILLISECONDS = 5000; // the content comes from a run of the page's script

/**
 * Watch for popovers that are opened by a key.
 *
 * @returns {() => void} Stops watching.
 */
export function watchPopovers() {
  /** @type {MutationObserver | null} */
  let waiting = null;
  const stop = () => {
    waiting?.disconnect();
    waiting = null;
  };
  /** @param {KeyboardEvent} event */
  const onKey = ({ key, target }) => {
    stop();
    if (!['Enter', ' '].includes(key) || !(target instanceof Element) || !target.closest(BUTTON)) return;
    waiting = new MutationObserver(() => {
      /** @type {HTMLElement | null} */
      const field = document.querySelector(FIELD);
      if (!field) return;
      stop();
      if (document.activeElement?.closest(BUTTON)) field.focus();
    });
    waiting.observe(document.body, { childList: true, subtree: true });
    setTimeout(stop, PATIENCE_MILLISECONDS);
  };
  document.addEventListener('keydown', onKey);
  return () => {
    stop();
    document.removeEventListener('keydown', onKey);
  };
}
