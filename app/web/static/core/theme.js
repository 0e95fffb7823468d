// The page's theme: light or dark, as Streamlit and the system set it.

import { element } from './dom.js';

/**
 * Return whether the page is dark, by its own colours.
 *
 * @param {HTMLElement} parent A view inside the theme.
 * @returns {boolean}
 */
export function isDark(parent) {
  const probe = element('span', { hidden: true });
  probe.style.color = 'var(--st-background-color, #fff)';
  parent.append(probe);
  const [red, green, blue] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  probe.remove();
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/**
 * Call back whenever the page turns light or dark.
 *
 * @param {HTMLElement} parent A view inside the theme.
 * @param {(dark: boolean) => void} changed
 * @returns {() => void} Stops watching.
 */
export function watchTheme(parent, changed) {
  let before = isDark(parent);
  const look = () => {
    if (!parent.isConnected) return;
    const now = isDark(parent);
    if (now !== before) {
      before = now;
      changed(now);
    }
  };
  // Streamlit sets its colours as variables on elements above ours, at its own time.
  const watcher = new MutationObserver(look);
  for (let each = /** @type {HTMLElement | null} */ (parent); each; each = each.parentElement)
    watcher.observe(each, { attributes: true, attributeFilter: ['style', 'class'] });
  const preferred = matchMedia('(prefers-color-scheme: dark)');
  const later = () => setTimeout(look, 300);
  preferred.addEventListener('change', later);
  return () => {
    watcher.disconnect();
    preferred.removeEventListener('change', later);
  };
}
