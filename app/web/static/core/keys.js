// Keyboard shortcuts. One listener serves the page; each view adds a layer of keys, the latest of which comes first.

import { element, overlayHome } from './dom.js';

/**
 * @typedef {object} Layer
 * @property {string} title
 * @property {boolean} modal
 * @property {(Key & {names: string[]})[]} keys
 */

/** @type {Layer[]} */
const layers = [];
let listening = false;

/**
 * A shortcut of a layer.
 *
 * @typedef {object} Key
 * @property {string} key As in KeyboardEvent.key; alternatives are separated by a blank ('j J'), 'Shift+X' requires Shift.
 * @property {string} label Shown by the overlay of `?`.
 * @property {(event: KeyboardEvent) => unknown} run Returns false to pass the key on to the next shortcut or layer.
 * @property {boolean} [hidden] Left out of the overlay.
 */

/**
 * Add a layer of keys above the others.
 *
 * @param {string} title Shown by the overlay of `?`.
 * @param {Key[]} keys
 * @param {object} [options]
 * @param {boolean} [options.modal] Keys do not reach the layers below.
 * @returns {() => void} Removes the layer.
 */
export function addKeys(title, keys, { modal = false } = {}) {
  const layer = {
    title,
    modal,
    keys: keys.map((each) => ({ ...each, names: each.key === ' ' ? [' '] : each.key.split(' ') })),
  };
  layers.push(layer);
  if (!listening) {
    listening = true;
    // In the capture phase: Streamlit has keys of its own (C, R), which must not fire beside ours.
    document.addEventListener('keydown', onKey, true);
  }
  return () => {
    const at = layers.indexOf(layer);
    if (at >= 0) layers.splice(at, 1);
  };
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const [target] = event.composedPath();
  if (typing(target)) {
    if (event.key === 'Escape' && target instanceof HTMLElement) target.blur();
    return;
  }
  const shifted = event.shiftKey ? `Shift+${event.key.length === 1 ? event.key.toUpperCase() : event.key}` : null;
  /** @param {string[]} names */
  const plainly = (names) =>
    names.includes(event.key) || (!event.shiftKey && event.key.length === 1 && names.includes(event.key.toLowerCase()));
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    const layer = layers[at];
    // Shortcuts that require Shift come before those that ignore it.
    const named = [
      ...layer.keys.filter((binding) => shifted && binding.names.includes(shifted)),
      ...layer.keys.filter((binding) => plainly(binding.names)),
    ];
    for (const binding of named) {
      if (binding.run(event) !== false) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
    }
    if (layer.modal) return;
  }
}

/**
 * Return whether the focused element takes keys itself: text fields, lists, sliders.
 *
 * @param {EventTarget | undefined} target
 * @returns {boolean}
 */
function typing(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest('[data-ps-keys]')) return false;
  if (target instanceof HTMLElement && target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !['checkbox', 'button', 'submit', 'radio'].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    ['listbox', 'combobox', 'slider', 'menu', 'option', 'spinbutton'].includes(target.getAttribute('role') ?? '')
  );
}

/**
 * Return whether an event comes from a button or link, where Enter and Space are the browser's.
 *
 * @param {Event} event
 * @returns {boolean}
 */
export function onControl(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest('button, a, summary, [role=tab], [role=switch]') !== null;
}

/** Show or close the overlay of `?`: all keys that work now, by layer. */
export function showHelp() {
  /** @type {HTMLDialogElement | null} */
  const open = document.querySelector('dialog.ps-help');
  if (open) {
    open.close();
    return;
  }
  const modal = layers.findLast((layer) => layer.modal);
  const shown = modal ? layers.slice(layers.indexOf(modal)) : layers;
  const dialog = element('dialog', { class: 'ps-dialog ps-help', 'aria-label': 'Keyboard shortcuts' });
  const columns = element('div', { class: 'ps-help-columns' });
  for (const layer of [...shown].reverse()) {
    const rows = layer.keys
      .filter((each) => !each.hidden)
      .map((each) =>
        element(
          'div',
          { class: 'ps-help-row' },
          element(
            'span',
            {},
            ...each.names
              .filter((name, at, all) => all.findIndex((n) => n.toLowerCase() === name.toLowerCase()) === at)
              .map((name) => element('kbd', { text: spelled(name) })),
          ),
          element('span', { text: each.label }),
        ),
      );
    if (rows.length) columns.append(element('section', {}, element('h3', { text: layer.title }), ...rows));
  }
  const remove = addKeys('Help', [{ key: 'Escape ?', label: 'Close', run: () => dialog.close(), hidden: true }], {
    modal: true,
  });
  dialog.append(
    element('h2', { text: 'Keyboard shortcuts' }),
    columns,
    element('button', { class: 'ps-button', text: 'Close', onclick: () => dialog.close(), autofocus: true }),
  );
  dialog.addEventListener('close', () => {
    remove();
    dialog.remove();
  });
  overlayHome().append(dialog);
  dialog.showModal();
}

/** @type {Record<string, string>} */
const SPELLED = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };

/**
 * Return a key as the overlay shows it.
 *
 * @param {string} name
 * @returns {string}
 */
function spelled(name) {
  const [shift, key] = name.startsWith('Shift+') ? ['Shift ', name.slice(6)] : ['', name];
  return shift + (SPELLED[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
